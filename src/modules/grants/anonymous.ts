// Extension grant: a guest's first tokens, for whoever names a storefront client. Costs no write: the session's id
// and context live in the tokens alone.

import { z } from 'zod';
import { badInput } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { ClientAuthentication } from '../clients/client-authentication.ts';
import { createRate } from '../limits/rates.ts';
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

const shapes = {
  siteCode: /^[\w-]{1,64}$/,
  currency: /^[A-Z]{3}$/,
  language: /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/,
  targetLocation: /^[\w-]{1,64}$/,
};

function checked(field: keyof typeof shapes, value: string | null | undefined): string | null {
  if (value === null || value === undefined || value === '') return null;
  if (!shapes[field].test(value)) throw badInput(`input.${field}`, `This is not a ${field}.`);
  return value;
}

/** The guest's first tokens. */
export function createAnonymousGrant(deps: {
  clientAuthentication: ClientAuthentication;
  tenants: Tenants;
  tokens: TokenIssuer;
}): Grant<typeof parameters, GuestTokens, 'none'> {
  const { clientAuthentication, tenants, tokens } = deps;
  const perAddress = createRate({ limit: 6000, windowSeconds: 60 });
  return {
    grantType: extensionGrant('anonymous'),
    parameters,
    client: 'none',
    async handle(request, given) {
      if (request.ipAddress !== null) perAddress.take(request.ipAddress);
      const { client, rev } = await clientAuthentication.byName(given.tenant, given.clientId);
      const tenant = tenants.find(given.tenant);
      if (!tenant) throw new OAuthError('invalid_client', { cause: 'the tenant is suspended' });
      const guest = {
        sessionId: newSessionId(),
        clientId: client.id,
        sessionStartedAt: Math.floor(Date.now() / 1000),
        context: {
          siteCode: checked('siteCode', given.siteCode),
          currency: checked('currency', given.currency),
          language: checked('language', given.language),
          targetLocation: checked('targetLocation', given.targetLocation),
        },
      };
      return issueGuestTokens(tokens, tenant, guest, rev);
    },
  };
}
