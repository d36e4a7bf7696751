// RFC 6749 s.6 for customers: rotation, and with it the switch of company. Scopes are resolved anew each time, in the
// company chosen. At every refresh the customer has to be enabled and, for a company, still assigned to it.
// `legalEntityId`: absent keeps the company, null leaves it, an id switches; `branch` goes on with both.

import { z } from 'zod';
import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { FIRST_PARTY_CLIENT } from '../clients/first-party.ts';
import type { ContactAssignments } from '../companies/contact-assignments.ts';
import type { LegalEntities, LegalEntity } from '../companies/legal-entities.ts';
import type { EntitlementsOf } from '../iam/entitlements.ts';
import type { Customers } from '../principals/customers.ts';
import type { RefreshTokenFamily, RefreshTokens, RefreshUse, Turn } from '../sessions/refresh-tokens.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import { type CustomerTokens, issueCustomerTokens } from './customer-tokens.ts';
import type { Grant } from './grant.ts';
import type { GoodTurn, RefreshTokenSpending } from './spend-refresh-token.ts';

const parameters = z.object({
  refreshToken: z.string(),
  legalEntityId: z.string().nullish(),
  branch: z.boolean().nullish(),
  /** Whose it has to be, and who presents it, where the protocol says so. */
  tenant: z.string().optional(),
  clientId: z.string().optional(),
});

/** The customer's refresh. */
export function createRefreshTokenGrant(deps: {
  contactAssignments: ContactAssignments;
  customers: Customers;
  database: Database;
  entitlements: EntitlementsOf;
  legalEntities: LegalEntities;
  refreshTokens: RefreshTokens;
  spending: RefreshTokenSpending;
  tenants: Tenants;
  tokens: TokenIssuer;
}): Grant<typeof parameters, CustomerTokens, 'none'> {
  const { contactAssignments, customers, database, entitlements, legalEntities } = deps;
  const { refreshTokens, spending, tenants, tokens } = deps;

  /** @throws ACCESS_DENIED, told to the trail; nothing is spent */
  async function requireCompany(
    db: TenantClient,
    ctx: Ctx,
    customerId: string,
    id: string | null,
  ): Promise<LegalEntity | null> {
    if (id === null) return null;
    return contactAssignments.requireAssigned(db, customerId, id).catch(async (error: unknown) => {
      if (error instanceof OAuthError) await contactAssignments.recordRefusal(ctx, customerId, id);
      throw error;
    });
  }

  /** A plain refresh is one statement; what the trail is told of shares a transaction with it. */
  function rotate(
    ctx: Ctx,
    family: RefreshTokenFamily,
    token: string,
    use: RefreshUse,
    chosen: { legalEntityId: string | null; slideSeconds: number },
  ): Promise<Turn> {
    const { legalEntityId } = chosen;
    if (legalEntityId === family.legalEntityId && !use.branch) {
      return refreshTokens.rotate(database.forTenant(ctx), family, token, use, chosen);
    }
    return database.transaction(ctx, async (tx) => {
      const turn = await refreshTokens.rotate(tx, family, token, use, chosen);
      if (turn.outcome !== 'rotated') return turn;
      await recordAudit(tx, ctx, {
        type: use.branch ? 'token.branched' : 'token.company_switched',
        actor: family.owner,
        subject: { kind: 'session', id: family.sessionId },
        legalEntityId,
        details: { from: family.legalEntityId, to: legalEntityId },
      });
      return turn;
    });
  }

  return {
    grantType: 'refresh_token',
    parameters,
    client: 'none',
    async handle(request, { refreshToken, legalEntityId, branch, tenant: named, clientId }) {
      const use: RefreshUse = { clientId: clientId ?? null, legalEntityId, branch: branch ?? false };
      const { family, ctx } = await spending.present(request, refreshToken, 'customer', use, named);
      const { rev } = family;
      const tenant = tenants.find(family.tenantId);
      if (!tenant) throw new OAuthError('invalid_grant', { cause: 'the tenant is suspended' });

      const db = database.forTenant(ctx);
      const customer = await customers.findEnabled(db, ctx, family.owner.id);
      if (!customer) throw new OAuthError('invalid_grant', { cause: 'the customer is disabled' });
      const legalEntity = await requireCompany(
        db,
        ctx,
        customer.id,
        legalEntityId === undefined ? family.legalEntityId : legalEntityId,
      );
      const entitled = await entitlements.ofCustomer(db, ctx, customer.id, legalEntity?.id ?? null);

      const chosen = { legalEntityId: legalEntity?.id ?? null, slideSeconds: tenant.settings.customerRefreshSeconds };
      const turn: GoodTurn = await spending.requireGood(
        ctx,
        family,
        await rotate(ctx, family, refreshToken, use, chosen),
      );
      const subject = {
        tenant,
        customer,
        sessionId: family.sessionId,
        clientId: family.clientId ?? FIRST_PARTY_CLIENT,
        legalEntity,
        entitled,
        rev,
      };
      const previous =
        turn.branchedFrom && family.legalEntityId ? await legalEntities.find(ctx, family.legalEntityId) : null;
      return {
        ...(await issueCustomerTokens(tokens, { ...subject, lifetimeSeconds: turn.expiresInSeconds })),
        refreshToken: { token: turn.token, expiresIn: turn.expiresInSeconds, legalEntity },
        branchedFrom: turn.branchedFrom
          ? { token: turn.branchedFrom, expiresIn: turn.expiresInSeconds, legalEntity: previous }
          : null,
        sessionId: family.sessionId,
        legalEntity,
        customer,
      };
    },
  };
}
