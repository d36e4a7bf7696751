// Extension grant (RFC 9700 s.2.4 forbids `password`): a guest signs in and keeps the session.
// Invariant: nothing tells an unknown account, a disabled or unconfirmed one and a wrong password apart.

import { z } from 'zod';
import type { RequestContext } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { unauthenticated } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Attempts } from '../limits/attempts.ts';
import type { Customers } from '../principals/customers.ts';
import type { Passwords } from '../principals/passwords.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenVerifier } from '../tokens/verify.ts';
import type { CustomerSessions } from './customer-session.ts';
import type { CustomerTokens } from './customer-tokens.ts';
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
  customers: Customers;
  customerSessions: CustomerSessions;
  database: Database;
  passwords: Passwords;
  tenants: Tenants;
  verifier: TokenVerifier;
}): Grant<typeof parameters, CustomerTokens, 'none'> {
  const { customers, customerSessions, tenants, verifier } = deps;

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
      await customerSessions.requireClaimable(ctx, guest);
      const proved = await provePassword(deps, ctx, {
        kind: 'customer',
        email,
        password,
        allowed: tenant.settings.customerPasswords,
        accounts: customers,
      });
      return customerSessions.begin(ctx, {
        tenant,
        guest,
        legalEntityId,
        async prove(tx) {
          const customer = await customers.holdEnabled(tx, ctx, proved.id);
          if (customer && customer.passwordHash === proved.passwordHash) return customer;
          throw new OAuthError('invalid_grant', { cause: 'disabled, or the password was changed meanwhile' });
        },
      });
    },
  };
}
