// Extension grant: a guest's first tokens, for whoever names a storefront client. Costs no write: the session's id
// and context live in the tokens alone.

import { z } from 'zod';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { ClientAuthentication } from '../clients/client-authentication.ts';
import type { ClientUsage } from '../clients/client-usage.ts';
import { networkOf } from '../limits/network.ts';
import { createRate } from '../limits/rates.ts';
import { checkedContextValue } from '../sessions/session-context.ts';
import { newSessionId } from '../sessions/sessions.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import { extensionGrant, type Grant } from './grant.ts';
import { type GuestTokens, issueGuestTokens } from './guest-tokens.ts';

const optional = z.string().nullish();
const parameters = z.object({
  tenant: z.string(),
  clientId: z.string(),
  siteCode: optional,
  currency: optional,
  language: optional,
  targetLocation: optional,
});

/** The guest's first tokens. */
export function createAnonymousGrant(deps: {
  clientAuthentication: ClientAuthentication;
  clientUsage: ClientUsage;
  tenants: Tenants;
  tokens: TokenIssuer;
}): Grant<typeof parameters, GuestTokens, 'none'> {
  const { clientAuthentication, clientUsage, tenants, tokens } = deps;
  const perAddress = createRate({ limit: 6000, windowSeconds: 60 });
  return {
    grantType: extensionGrant('anonymous'),
    parameters,
    client: 'none',
    async handle(request, given) {
      if (request.ipAddress !== null) perAddress.take(networkOf(request.ipAddress));
      const { client, rev } = await clientAuthentication.byName(given.tenant, given.clientId);
      const tenant = tenants.find(given.tenant);
      if (!tenant) throw new OAuthError('invalid_client', { cause: 'the tenant is suspended' });
      const guest = {
        sessionId: newSessionId(),
        clientId: client.id,
        sessionStartedAt: Math.floor(Date.now() / 1000),
        context: {
          siteCode: checkedContextValue('siteCode', given.siteCode ?? null),
          currency: checkedContextValue('currency', given.currency ?? null),
          language: checkedContextValue('language', given.language ?? null),
          targetLocation: checkedContextValue('targetLocation', given.targetLocation ?? null),
        },
      };
      const issued = await issueGuestTokens(tokens, tenant, guest, rev);
      clientUsage.note(client, [], []);
      return issued;
    },
  };
}
