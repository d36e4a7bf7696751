// Extension grant (RFC 9700 s.2.4 forbids `password`): a guest signs in and keeps the session. The login claims the
// guest's session id: the table's key lets one login have it, and from the commit on the guest's tokens are worthless.
// Invariant: nothing tells an unknown account, a disabled or unconfirmed one and a wrong password apart.

import { z } from 'zod';
import type { Ctx, RequestContext } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { unauthenticated } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import type { Clients } from '../clients/clients.ts';
import type { ContactAssignments } from '../companies/contact-assignments.ts';
import type { EntitlementsOf } from '../iam/entitlements.ts';
import type { Attempts } from '../limits/attempts.ts';
import type { Customer, Customers } from '../principals/customers.ts';
import type { Passwords } from '../principals/passwords.ts';
import type { AnonymousPrincipal } from '../principals/principal.ts';
import { sessionKey } from '../revocations/revocation-key.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { RefreshTokens } from '../sessions/refresh-tokens.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenant, Tenants } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import type { TokenVerifier } from '../tokens/verify.ts';
import { type CustomerTokens, issueCustomerTokens } from './customer-tokens.ts';
import { extensionGrant, type Grant } from './grant.ts';
import { guestOf } from './guest-of.ts';
import { provePassword } from './prove-password.ts';

const parameters = z.object({
  email: z.string(),
  password: z.string(),
  /** The guest's access token; absent: the bearer is it. */
  anonymousToken: z.string().nullish(),
  legalEntityId: z.string().nullish(),
});

/** The customer's login. */
export function createCustomerLoginGrant(deps: {
  attempts: Attempts;
  clients: Clients;
  contactAssignments: ContactAssignments;
  customers: Customers;
  database: Database;
  entitlements: EntitlementsOf;
  passwords: Passwords;
  refreshTokens: RefreshTokens;
  revocations: Revocations;
  sessions: Sessions;
  tenants: Tenants;
  tokens: TokenIssuer;
  verifier: TokenVerifier;
}): Grant<typeof parameters, CustomerTokens, 'none'> {
  const { clients, contactAssignments, customers, database, entitlements } = deps;
  const { refreshTokens, revocations, sessions, tenants, tokens, verifier } = deps;

  /** Claims the session. The account is held, so that whoever disables it or sets a password sees the session. The
   * revocation entry is written before the other facts are read, so the number it gets can be stamped on the tokens:
   * whatever changes after it has a higher one. */
  async function claim(
    tx: TenantClient,
    ctx: Ctx,
    tenant: Tenant,
    guest: AnonymousPrincipal,
    proved: Customer,
    legalEntityId: string | null,
  ) {
    const { settings } = tenant;
    const customer = await customers.holdEnabled(tx, ctx, proved.id);
    if (customer?.passwordHash !== proved.passwordHash || !customer) {
      throw new OAuthError('invalid_grant', { cause: 'disabled, or the password was changed meanwhile' });
    }
    await sessions.begin(tx, ctx, {
      id: guest.sessionId,
      owner: { kind: 'customer', id: proved.id },
      clientId: guest.clientId,
      legalEntityId,
      context: guest.context,
      idleSeconds: settings.customerRefreshSeconds,
      mostSeconds: settings.customerSessionSeconds,
    });
    const refreshToken = await refreshTokens.issueFirst(tx, ctx, guest.sessionId, legalEntityId);
    await recordAudit(tx, ctx, {
      type: 'login.succeeded',
      actor: { kind: 'customer', id: proved.id },
      subject: { kind: 'session', id: guest.sessionId },
      legalEntityId,
    });
    const rev = await revocations.record(tx, ctx, [sessionKey(guest.sessionId)], 'session.claimed');
    if (!(await clients.isEnabled(tx, ctx, guest.clientId))) throw unauthenticated('the client or tenant is disabled');
    const legalEntity =
      legalEntityId === null ? null : await contactAssignments.requireAssigned(tx, customer.id, legalEntityId);
    const entitled = await entitlements.ofCustomer(tx, ctx, customer.id, legalEntity?.id ?? null);
    return { customer, refreshToken, legalEntity, entitled, rev };
  }

  return {
    grantType: extensionGrant('customer-login'),
    parameters,
    client: 'none',
    async handle(request: RequestContext, { email, password, anonymousToken, legalEntityId = null }) {
      const guest = await guestOf(verifier, request, anonymousToken);
      const ctx = inTenant(request, guest.tenantId);
      const tenant = tenants.find(guest.tenantId);
      if (!tenant) throw unauthenticated('the tenant is suspended');
      if (request.principal && request.principal.tenantId !== tenant.id)
        throw unauthenticated('the bearer and the guest are of two tenants');
      if (await sessions.isClaimed(ctx, guest.sessionId)) throw unauthenticated('the session has been claimed before');
      const proved = await provePassword(deps, ctx, {
        kind: 'customer',
        email,
        password,
        allowed: tenant.settings.customerPasswords,
        accounts: customers,
      });
      const claimed = await database
        .transaction(ctx, (tx) => claim(tx, ctx, tenant, guest, proved, legalEntityId))
        .catch(async (error: unknown) => {
          const isRefusal = error instanceof OAuthError && error.code === 'access_denied';
          if (isRefusal) await contactAssignments.recordRefusal(ctx, proved.id, legalEntityId ?? '');
          throw error;
        });
      await revocations.felt();

      const { customer, legalEntity, entitled, rev } = claimed;
      const subject = {
        tenant,
        customer,
        sessionId: guest.sessionId,
        clientId: guest.clientId,
        legalEntity,
        entitled,
        rev,
      };
      return {
        ...(await issueCustomerTokens(tokens, subject)),
        refreshToken: { token: claimed.refreshToken, expiresIn: tenant.settings.customerRefreshSeconds, legalEntity },
        branchedFrom: null,
        sessionId: guest.sessionId,
        legalEntity,
        customer,
      };
    },
  };
}
