// POST /oauth/introspect (RFC 7662): what a token says, for a confidential client of its tenant with the scope
// `oauth.token_introspect`. Whatever is not good, or is another tenant's, is `{"active":false}` and nothing more (s.2.2).

import { z } from 'zod';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { ClientAuthentication } from '../../modules/clients/client-authentication.ts';
import type { ActiveToken, IntrospectedKind, TokenIntrospection } from '../../modules/tokens/introspect.ts';
import type { Description } from '../description.ts';
import { clientRefusals, refusedFor } from '../oauth-answers.ts';
import { clientFields, formOf, oauthEndpoint } from '../oauth-endpoint.ts';
import type { Route } from '../router.ts';

/** Of these, the bearer of the token is who it says; the others are no `token_type` of RFC 6749 s.7.1. */
const BEARERS: readonly IntrospectedKind[] = ['SERVICE', 'EMPLOYEE', 'ANONYMOUS', 'CUSTOMER'];

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** RFC 7662 s.2.2, and members of our own for what it does not know. */
const activeAnswer = z
  .object({
    active: z.literal(true),
    scope: z.string().exactOptional(),
    client_id: z.string().exactOptional(),
    token_type: z.literal('Bearer').exactOptional(),
    exp: z.number().int(),
    iat: z.number().int().exactOptional(),
    sub: z.string(),
    aud: z.union([z.string(), z.array(z.string())]),
    iss: z.string(),
    kind: z.enum(['service', 'employee', 'anonymous', 'customer', 'saas', 'refresh']),
    tenant: z.string(),
    session_id: z.string().exactOptional(),
    legalEntityId: z.string().exactOptional().describe('The company that the customer acts for.'),
    act: z.object({ sub: z.string() }).exactOptional().describe('The employee who acts for the customer (RFC 8693).'),
  })
  .meta({ id: 'ActiveToken', description: 'RFC 7662 s.2.2.' });

const inactiveAnswer = z
  .object({ active: z.literal(false) })
  .meta({ id: 'InactiveToken', description: "Not good now, or another tenant's: nothing more is said." });

const describes: Description = {
  summary: 'Ask what a token says',
  tag: 'OAuth',
  authentication: ['client', 'clientInBody'],
  body: formOf(
    z
      .object({ token: z.string(), token_type_hint: z.string().optional(), ...clientFields })
      .meta({ id: 'IntrospectionRequest', description: 'RFC 7662 s.2.1.' }),
  ),
  answers: {
    200: { text: 'What it says, when it is good right now.', schema: z.union([activeAnswer, inactiveAnswer]) },
    403: refusedFor('The client lacks the scope oauth.token_introspect.'),
    ...clientRefusals,
  },
};

const toWire = (token: ActiveToken): z.infer<typeof activeAnswer> => ({
  active: true,
  ...(token.scopes.length > 0 && { scope: token.scopes.join(' ') }),
  ...(token.clientId !== null && { client_id: token.clientId }),
  ...(BEARERS.includes(token.kind) && { token_type: 'Bearer' }),
  exp: seconds(token.expiresAt),
  ...(token.issuedAt && { iat: seconds(token.issuedAt) }),
  sub: token.subject,
  aud: token.audience.length === 1 ? token.audience[0]! : [...token.audience],
  iss: token.issuer,
  kind: token.kind.toLowerCase() as Lowercase<IntrospectedKind>,
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
  oauthEndpoint('/oauth/introspect', 'the client, and its scopes', describes, async ({ context, form, presented }) => {
    const { clientAuthentication, introspection } = deps;
    // A public client proves nothing, and whoever may ask can try tokens out (s.4).
    if (!presented || presented.clientSecret === null)
      throw new OAuthError('invalid_client', { cause: 'no client authentication' });
    const { clientId, clientSecret } = presented;
    const { client } = await clientAuthentication.bySecret(context, clientId, clientSecret);
    const found = await introspection.introspectFor(client, form.need('token'));
    return found.active ? toWire(found) : { active: false };
  });
