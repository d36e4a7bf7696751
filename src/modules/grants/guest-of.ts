// The guest that a login is for: from a verified anonymous access token and nothing else. A bare session id, in a
// header or an argument, gives nothing (security cases 34 and 35).

import type { RequestContext } from '../../context.ts';
import { unauthenticated } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { AnonymousPrincipal } from '../principals/principal.ts';
import { principalOf, type TokenVerifier } from '../tokens/verify.ts';

/** @throws INVALID_REQUEST without any token, UNAUTHENTICATED for one that is no good guest's token */
export async function guestOf(
  verifier: TokenVerifier,
  request: RequestContext,
  anonymousToken: string | null | undefined,
): Promise<AnonymousPrincipal> {
  if (anonymousToken !== null && anonymousToken !== undefined) {
    return principalOf(await verifier.verify(anonymousToken, 'anonymous')) as AnonymousPrincipal;
  }
  if (request.principal?.kind === 'anonymous') return request.principal;
  if (request.credential !== 'none') throw unauthenticated('the bearer is not a guest');
  throw new OAuthError('invalid_request', {
    message: "The guest's anonymous token is needed, as the bearer or as anonymousToken.",
    reason: 'ANONYMOUS_TOKEN_NEEDED',
  });
}
