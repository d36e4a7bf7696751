// The beginning of a sign-in at an identity provider: where the browser goes, and what it keeps until it is back.

import type { RequestContext } from '../../context.ts';
import { notFound } from '../../errors/domain-error.ts';
import { networkOf } from '../limits/network.ts';
import { createRate } from '../limits/rates.ts';
import type { Authorizations, BegunAuthorization } from '../sso/authorizations.ts';
import type { IdentityProviders } from '../sso/identity-providers.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenVerifier } from '../tokens/verify.ts';
import type { CustomerSessions } from './customer-session.ts';
import { guestAlong } from './sso.ts';

/** Who wants to sign in, and where. */
export interface SsoStart {
  readonly tenant: string;
  readonly provider: string;
  readonly userType: 'EMPLOYEE' | 'CUSTOMER';
  readonly redirectUri: string;
  readonly anonymousToken?: string | null | undefined;
}

/** Makes the use case. */
export function createStartSso(deps: {
  authorizations: Authorizations;
  customerSessions: CustomerSessions;
  identityProviders: IdentityProviders;
  tenants: Tenants;
  verifier: TokenVerifier;
}) {
  const { authorizations, customerSessions, identityProviders, tenants, verifier } = deps;
  const starts = createRate({ limit: 600, windowSeconds: 60 });

  /** @throws NOT_FOUND for a provider that is unknown, disabled or not for such people; BAD_USER_INPUT for a redirect URI
   * that is not the provider's; UNAUTHENTICATED for what is no good guest's token; RATE_LIMITED; SERVICE_UNAVAILABLE */
  return async function startSso(request: RequestContext, start: SsoStart): Promise<BegunAuthorization> {
    if (request.ipAddress !== null) starts.take(networkOf(request.ipAddress));
    const { tenant, provider: id, userType, redirectUri, anonymousToken } = start;
    if (!tenants.find(tenant)) throw notFound('Identity provider');
    const ctx = inTenant(request, tenant);
    const provider = await identityProviders.findFor(ctx, id, userType);
    if (!provider) throw notFound('Identity provider');
    const guest = userType === 'CUSTOMER' ? await guestAlong(verifier, request, tenant, anonymousToken) : null;
    if (guest) await customerSessions.requireClaimable(ctx, guest);
    return authorizations.begin(ctx, provider, { userType, redirectUri, guest });
  };
}

/** See `createStartSso`. */
export type StartSso = ReturnType<typeof createStartSso>;
