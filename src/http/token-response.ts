// Tokens as RFC 6749 s.5.1 has them on the wire, with members of our own for what it does not know.
// Invariant: `scope` is always there and equals the claim, so that whoever asked for more sees it (s.3.3).

import { z } from 'zod';
import type { CustomerTokens } from '../modules/grants/customer-tokens.ts';
import type { EmployeeTokens } from '../modules/grants/employee-tokens.ts';
import type { GuestTokens } from '../modules/grants/guest-tokens.ts';
import type { IssuedToken } from '../modules/tokens/issue.ts';

const tokenFields = {
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.number().int().describe('Seconds.'),
  scope: z.string().describe('What was granted, which may be less than what was asked for (RFC 6749 s.3.3).'),
};

/** The answer that carries an access token. */
export const tokenAnswer = z.object(tokenFields).meta({ id: 'TokenResponse', description: 'RFC 6749 s.5.1.' });

/** The answer that carries a session too. */
export const sessionAnswer = z
  .object({
    ...tokenFields,
    refresh_token: z.string().exactOptional(),
    refresh_token_expires_in: z.number().int().exactOptional().describe('Seconds.'),
    session_id: z.string(),
    saas_token: z.string().exactOptional().describe('Customers: proof for checkout.'),
    legal_entity_id: z.string().exactOptional().describe('Customers who act for a company.'),
    issued_token_type: z.string().exactOptional().describe('Token exchange (RFC 8693 s.2.2.1).'),
  })
  .meta({ id: 'SessionResponse', description: 'RFC 6749 s.5.1, and what belongs to the session.' });

/** See `tokenAnswer`. */
export type TokenResponse = Readonly<z.infer<typeof tokenAnswer>>;

/** See `sessionAnswer`. */
export type SessionResponse = Readonly<z.infer<typeof sessionAnswer>>;

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
