// Tokens in the platform's names, the old spelling beside the new one where it has two. Lifetimes in seconds.
// Invariant: the scope string holds exactly the scopes of the token, and the pseudo scope that names the tenant.

import type { CustomerTokens } from '../../modules/grants/customer-tokens.ts';
import type { GuestTokens } from '../../modules/grants/guest-tokens.ts';

/** Scopes as the platform has them in a text: with a marker for the tenant, which is no permission. */
export const scopeText = (scopes: readonly string[], tenantId: string): string =>
  [...scopes, `tenant=${tenantId}`].join(' ');

/** A guest's tokens; without the refresh token for whoever refreshed by the access token. */
export const guestBody = (
  { accessToken, refreshToken, sessionId }: GuestTokens,
  tenantId: string,
  showsRefreshToken: boolean,
) => ({
  token_type: 'Bearer',
  access_token: accessToken.token,
  expires_in: accessToken.expiresIn,
  ...(showsRefreshToken && {
    refresh_token: refreshToken.token,
    refresh_token_expires_in: refreshToken.expiresIn,
  }),
  sessionId,
  scope: scopeText(accessToken.scopes, tenantId),
});

/** What every answer with a customer's tokens has. */
export function customerBody({ accessToken, refreshToken, sessionId }: CustomerTokens) {
  const { token, expiresIn } = accessToken;
  return {
    access_token: token,
    accessToken: token,
    expires_in: expiresIn,
    expiresIn,
    ...(refreshToken && {
      refresh_token: refreshToken.token,
      refreshToken: refreshToken.token,
      refresh_token_expires_in: refreshToken.expiresIn,
      refreshTokenExpiresIn: refreshToken.expiresIn,
    }),
    token_type: 'Bearer',
    session_id: sessionId,
  };
}
