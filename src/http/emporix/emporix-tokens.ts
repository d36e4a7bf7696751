// Tokens in the platform's names, the old spelling beside the new one where it has two. Lifetimes in seconds.
// Invariant: the scope string holds exactly the scopes of the token, and the pseudo scope that names the tenant.

import { z } from 'zod';
import type { CustomerTokens } from '../../modules/grants/customer-tokens.ts';
import type { GuestTokens } from '../../modules/grants/guest-tokens.ts';
import type { SocialTokens } from '../../modules/grants/sso.ts';

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

/** What a shopper signs in with. */
export const credentials = z.object({ email: z.string(), password: z.string() });

/** What comes of an identity provider's word. A session is over when it was idle for as long as its refresh token lives. */
const vouchedBody = ({ accessToken, saasToken, refreshToken }: CustomerTokens, tenantId: string) => ({
  access_token: accessToken.token,
  saas_token: saasToken.token,
  ...(refreshToken && { refresh_token: refreshToken.token, session_idle_time: refreshToken.expiresIn }),
  token_type: 'Bearer',
  scope: scopeText(accessToken.scopes, tenantId),
});

/** Tokens for a token of an identity provider (RFC 8693). */
export const exchangedBody = (tokens: CustomerTokens, tenantId: string, subjectToken: string) => ({
  ...vouchedBody(tokens, tenantId),
  subject_access_token: subjectToken,
  expires_in: tokens.accessToken.expiresIn,
  ...(tokens.refreshToken && { refresh_token_expires_in: tokens.refreshToken.expiresIn }),
  session_id: tokens.sessionId,
});

/** Tokens for a code of an identity provider: lifetimes are texts here, and there is no session id. */
export const socialBody = (tokens: SocialTokens, tenantId: string) => ({
  ...vouchedBody(tokens, tenantId),
  social_access_token: tokens.provided.accessToken,
  social_id_token: tokens.provided.idToken,
  expires_in: String(tokens.accessToken.expiresIn),
  ...(tokens.refreshToken && { refresh_token_expires_in: String(tokens.refreshToken.expiresIn) }),
});
