// POST /oauth/revoke (RFC 7009): a client ends a token of its own. 200 for unknown tokens and for another client's too,
// of which nothing happens (security case 63): what is asked for is that the token is no use to whoever asks.

import { OAuthError } from '../../errors/oauth-error.ts';
import type { ClientAuthentication } from '../../modules/clients/client-authentication.ts';
import type { TokenRevocation } from '../../modules/tokens/revoke.ts';
import { oauthEndpoint } from '../oauth-endpoint.ts';
import type { Route } from '../router.ts';

/** The revocation endpoint. `token_type_hint` only speeds others up (s.2.1): ours tell their kind. */
export const createRevokeRoute = (deps: {
  clientAuthentication: ClientAuthentication;
  tokenRevocation: TokenRevocation;
}): Route =>
  oauthEndpoint('/oauth/revoke', 'the client that the token was issued to', async ({ context, form, presented }) => {
    if (!presented) throw new OAuthError('invalid_client', { cause: 'no client authentication' });
    const { clientId } = await deps.clientAuthentication.presented(context, presented);
    await deps.tokenRevocation.revoke(context, form.need('token'), clientId);
    return null;
  });
