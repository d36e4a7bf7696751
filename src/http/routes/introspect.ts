// POST /oauth/introspect (RFC 7662): what a token says, for a confidential client of its tenant with the scope
// `oauth.token_introspect`. Whatever is not good, or is another tenant's, is `{"active":false}` and nothing more (s.2.2).

import { OAuthError } from '../../errors/oauth-error.ts';
import type { ClientAuthentication } from '../../modules/clients/client-authentication.ts';
import type { ActiveToken, IntrospectedKind, TokenIntrospection } from '../../modules/tokens/introspect.ts';
import { oauthEndpoint } from '../oauth-endpoint.ts';
import type { Route } from '../router.ts';

/** Of these, the bearer of the token is who it says; the others are no `token_type` of RFC 6749 s.7.1. */
const BEARERS: readonly IntrospectedKind[] = ['SERVICE', 'EMPLOYEE', 'ANONYMOUS', 'CUSTOMER'];

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** RFC 7662 s.2.2, and members of our own for what it does not know. */
const toWire = (token: ActiveToken) => ({
  active: true,
  ...(token.scopes.length > 0 && { scope: token.scopes.join(' ') }),
  ...(token.clientId !== null && { client_id: token.clientId }),
  ...(BEARERS.includes(token.kind) && { token_type: 'Bearer' }),
  exp: seconds(token.expiresAt),
  ...(token.issuedAt && { iat: seconds(token.issuedAt) }),
  sub: token.subject,
  aud: token.audience.length === 1 ? token.audience[0] : token.audience,
  iss: token.issuer,
  kind: token.kind.toLowerCase(),
  tenant: token.tenant,
  ...(token.sessionId !== null && { session_id: token.sessionId }),
  ...(token.legalEntityId !== null && { legalEntityId: token.legalEntityId }),
  ...(token.actor !== null && { act: { sub: token.actor } }),
});

/** The introspection endpoint. */
export const createIntrospectRoute = (deps: {
  clientAuthentication: ClientAuthentication;
  introspection: TokenIntrospection;
}): Route =>
  oauthEndpoint('/oauth/introspect', 'the client, and its scopes', async ({ context, form, presented }) => {
    const { clientAuthentication, introspection } = deps;
    // A public client proves nothing, and whoever may ask can try tokens out (s.4).
    if (!presented || presented.clientSecret === null)
      throw new OAuthError('invalid_client', { cause: 'no client authentication' });
    const { clientId, clientSecret } = presented;
    const { client } = await clientAuthentication.bySecret(context, clientId, clientSecret);
    const found = await introspection.introspectFor(client, form.need('token'));
    return found.active ? toWire(found) : { active: false };
  });
