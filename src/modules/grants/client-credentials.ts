// RFC 6749 s.4.4: a client obtains a service token for itself. No refresh token (s.4.4.3), and nothing is written.

import { z } from 'zod';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { ClientUsage } from '../clients/client-usage.ts';
import type { Clients } from '../clients/clients.ts';
import { normalizeScopes } from '../scopes/grammar.ts';
import { resolveScopes } from '../scopes/resolution.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { IssuedToken, TokenIssuer } from '../tokens/issue.ts';
import type { Grant } from './grant.ts';

const parameters = z.object({
  /** Absent: all of the client's. */
  scopes: z.array(z.string()).optional(),
  /** What to do with scopes that the client lacks: RFC 6749 s.3.3 allows either, if the answer says so. */
  refusedScopes: z.enum(['fail', 'omit']).default('fail'),
});

/** Client credentials. */
export function createClientCredentialsGrant(deps: {
  clientUsage: ClientUsage;
  clients: Clients;
  tenants: Tenants;
  tokens: TokenIssuer;
}): Grant<typeof parameters, IssuedToken, 'confidential'> {
  const { clientUsage, clients, tenants, tokens } = deps;
  return {
    grantType: 'client_credentials',
    parameters,
    client: 'confidential',
    async handle(_request, { scopes, refusedScopes }, { client, rev }) {
      const requested = scopes ? normalizeScopes(scopes) : null;
      const entitled = clients.scopesOf(client);
      const { granted, refused } = resolveScopes({ requested, ceiling: null, entitled });
      if (refused.length > 0 && refusedScopes === 'fail')
        throw new OAuthError('invalid_scope', { details: { refused } });
      if (granted.length === 0) throw new OAuthError('invalid_scope', { details: { refused } });
      const tenant = tenants.find(client.tenantId);
      if (!tenant) throw new OAuthError('invalid_client', { cause: 'the tenant is suspended' });
      const issued = await tokens.issue({
        kind: 'service',
        tenant,
        claims: { sub: client.id, client_id: client.id },
        scopes: granted,
        rev,
      });
      clientUsage.note(client, entitled, granted);
      return issued;
    },
  };
}
