// A new saas token for the calling customer: of the same session and company as the bearer, and living no longer.

import type { Ctx } from '../../context.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { IssuedToken, TokenIssuer } from '../tokens/issue.ts';

/** Issuing of saas tokens by themselves. It is no grant: the bearer has been granted everything already. */
export function createSaasTokens(deps: { tenants: Tenants; tokens: TokenIssuer }) {
  return {
    /** @throws UNAUTHENTICATED unless the caller is a customer */
    async issue(ctx: Ctx): Promise<IssuedToken> {
      const { principal } = ctx;
      const tenant = deps.tenants.find(ctx.tenantId);
      if (principal?.kind !== 'customer' || !tenant) throw new OAuthError('invalid_token');
      const groups = principal.revocationKeys.filter(({ kind }) => kind === 'GROUP').map(({ key }) => key);
      return deps.tokens.issue({
        kind: 'saas',
        tenant,
        claims: {
          sub: principal.customerId,
          client_id: principal.clientId,
          session_id: principal.sessionId,
          ...(principal.legalEntityId ? { legalEntityId: principal.legalEntityId } : {}),
          groups,
          ...(principal.actorId ? { act: { sub: principal.actorId } } : {}),
        },
        scopes: [],
        rev: principal.rev,
        lifetimeSeconds: principal.expiresAt - Math.floor(Date.now() / 1000),
      });
    },
  };
}

/** See `createSaasTokens`. */
export type SaasTokens = ReturnType<typeof createSaasTokens>;
