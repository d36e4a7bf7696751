// RFC 6749 s.6 for customers: rotation, and with it the switch of company. Scopes are resolved anew each time, in the
// company chosen. At every refresh the customer has to be enabled and, for a company, still assigned to it.
// `legalEntityId`: absent keeps the company, null leaves it, an id switches; `branch` goes on with both.

import { z } from 'zod';
import type { Ctx } from '../../context.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { AuditRecord } from '../audit/audit.ts';
import { FIRST_PARTY_CLIENT } from '../clients/first-party.ts';
import type { ContactAssignments } from '../companies/contact-assignments.ts';
import type { LegalEntities } from '../companies/legal-entities.ts';
import type { RefreshTokenFamily, RefreshTokens, RefreshUse } from '../sessions/refresh-tokens.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import type { CustomerFacts, CustomerFactsOf } from './customer-facts.ts';
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
  customerFacts: CustomerFactsOf;
  legalEntities: LegalEntities;
  refreshTokens: RefreshTokens;
  spending: RefreshTokenSpending;
  tenants: Tenants;
  tokens: TokenIssuer;
}): Grant<typeof parameters, CustomerTokens, 'none'> {
  const { contactAssignments, customerFacts, legalEntities, refreshTokens, spending, tenants, tokens } = deps;

  /** @throws INVALID_GRANT; ACCESS_DENIED, told to the trail; nothing is spent */
  async function requireFacts(ctx: Ctx, customerId: string, legalEntityId: string | null): Promise<CustomerFacts> {
    const facts = await customerFacts.find(ctx, { customerId, legalEntityId }).catch(async (error: unknown) => {
      if (error instanceof OAuthError) await contactAssignments.recordRefusal(ctx, customerId, legalEntityId ?? '');
      throw error;
    });
    if (!facts) throw new OAuthError('invalid_grant', { cause: 'the customer is disabled' });
    return facts;
  }

  /** What the trail is told: where the customer goes on, if that is another company, or both at once. */
  const eventOf = (
    { owner, sessionId, legalEntityId: from }: RefreshTokenFamily,
    { branch }: RefreshUse,
    to: string | null,
  ): AuditRecord | null =>
    to === from && !branch
      ? null
      : {
          type: branch ? 'token.branched' : 'token.company_switched',
          actor: owner,
          subject: { kind: 'session', id: sessionId },
          legalEntityId: to,
          details: { from, to },
        };

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

      const wantedId = legalEntityId === undefined ? family.legalEntityId : legalEntityId;
      const { customer, legalEntity, entitled } = await requireFacts(ctx, family.owner.id, wantedId);
      const chosenId = legalEntity?.id ?? null;
      const turn: GoodTurn = await spending.requireGood(
        ctx,
        family,
        await refreshTokens.rotate(ctx, family, refreshToken, use, {
          legalEntityId: chosenId,
          slideSeconds: tenant.settings.customerRefreshSeconds,
          event: eventOf(family, use, chosenId),
        }),
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
