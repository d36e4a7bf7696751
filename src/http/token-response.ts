// Tokens as RFC 6749 s.5.1 has them on the wire, with members of our own for what it does not know.
// Invariant: `scope` is always there and equals the claim, so that whoever asked for more sees it (s.3.3).

import type { CustomerTokens } from '../modules/grants/customer-tokens.ts';
import type { EmployeeTokens } from '../modules/grants/employee-tokens.ts';
import type { GuestTokens } from '../modules/grants/guest-tokens.ts';
import type { IssuedToken } from '../modules/tokens/issue.ts';

/** The answer that carries an access token. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly scope: string;
}

/** The answer that carries a session too. */
export interface SessionResponse extends TokenResponse {
  readonly refresh_token?: string;
  readonly refresh_token_expires_in?: number;
  readonly session_id: string;
  /** Customers: proof for checkout. */
  readonly saas_token?: string;
  /** Customers who act for a company. */
  readonly legal_entity_id?: string;
}

/** An access token alone. */
export const tokenResponse = ({ token, expiresIn, scopes }: IssuedToken): TokenResponse => ({
  access_token: token,
  token_type: 'Bearer',
  expires_in: expiresIn,
  scope: scopes.join(' '),
});

/** Whatever a guest, a customer or an employee gets. */
export function sessionResponse(tokens: GuestTokens | CustomerTokens | EmployeeTokens): SessionResponse {
  const { accessToken, refreshToken, sessionId } = tokens;
  return {
    ...tokenResponse(accessToken),
    ...(refreshToken && { refresh_token: refreshToken.token, refresh_token_expires_in: refreshToken.expiresIn }),
    session_id: sessionId,
    ...('saasToken' in tokens && {
      saas_token: tokens.saasToken.token,
      ...(tokens.legalEntity && { legal_entity_id: tokens.legalEntity.id }),
    }),
  };
}
