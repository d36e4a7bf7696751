// POST /oauth/revoke (RFC 7009): a client ends a token of its own. 200 for unknown tokens and for another client's too,
// of which nothing happens (security case 63): what is asked for is that the token is no use to whoever asks.

import { z } from 'zod';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { ClientAuthentication } from '../../modules/clients/client-authentication.ts';
import type { TokenRevocation } from '../../modules/tokens/revoke.ts';
import type { Description } from '../description.ts';
import { clientRefusals } from '../oauth-answers.ts';
import { clientFields, formOf, oauthEndpoint } from '../oauth-endpoint.ts';
import type { Route } from '../router.ts';

const describes: Description = {
  summary: 'Give a token back',
  tag: 'OAuth',
  authentication: ['client', 'clientInBody'],
  body: formOf(
    z
      .object({ token: z.string(), token_type_hint: z.string().optional(), ...clientFields })
      .meta({ id: 'RevocationRequest', description: 'RFC 7009 s.2.1.' }),
  ),
  answers: { 200: { text: 'The token is no use to this client, and may never have been.' }, ...clientRefusals },
};

/** The revocation endpoint. `token_type_hint` only speeds others up (s.2.1): ours tell their kind. */
export const createRevokeRoute = (deps: {
  clientAuthentication: ClientAuthentication;
  tokenRevocation: TokenRevocation;
}): Route =>
  oauthEndpoint(
    '/oauth/revoke',
    'the client that the token was issued to',
    describes,
    async ({ context, form, presented }) => {
      if (!presented) throw new OAuthError('invalid_client', { cause: 'no client authentication' });
      const { clientId } = await deps.clientAuthentication.presented(context, presented);
      await deps.tokenRevocation.revoke(context, form.need('token'), clientId);
      return null;
    },
  );
