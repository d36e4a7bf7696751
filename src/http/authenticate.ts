// The bearer token of a request (RFC 6750 s.2.1): from the Authorization header only, never from query or form.
// Invariant: an outage while checking is passed on as it is; only a token that is not good counts as rejected.

import type { IncomingMessage } from 'node:http';
import type { RequestContext } from '../context.ts';
import { OAuthError } from '../errors/oauth-error.ts';
import type { Principal } from '../modules/principals/principal.ts';

/** Longest token that is looked at, in characters (case 12: decoding 20 MB takes most of a second). */
const LONGEST_TOKEN = 8_192;

/** Checks an access token. @throws OAuthError `invalid_token`; DomainError SERVICE_UNAVAILABLE in an outage. */
export type VerifyAccessToken = (token: string) => Promise<Principal>;

/** Who the request speaks for. */
export type Authentication = Pick<RequestContext, 'principal' | 'credential'>;

const nobody: Authentication = { principal: null, credential: 'none' };
const rejected: Authentication = { principal: null, credential: 'rejected' };

/** Reads and checks the bearer. `onRejected` learns the cause, which the caller never does. @throws OAuthError `invalid_token` for one above 8 KB, before any decoding. */
export async function authenticate(
  req: IncomingMessage,
  verifyAccessToken: VerifyAccessToken,
  onRejected: (cause: unknown) => void = () => {},
): Promise<Authentication> {
  const header = req.headers.authorization;
  if (header === undefined) return nobody;
  if (!/^bearer(?: |$)/i.test(header)) return nobody;
  const token = header.slice('bearer '.length).trim();
  if (token.length > LONGEST_TOKEN) throw new OAuthError('invalid_token', { cause: 'longer than 8 KB' });
  try {
    return { principal: await verifyAccessToken(token), credential: 'accepted' };
  } catch (error) {
    if (!(error instanceof OAuthError && error.code === 'invalid_token')) throw error;
    onRejected(error.cause);
    return rejected;
  }
}
