// A guest: a session id and no row. The login that claims the session ends it.

import { sessionKey } from '../../revocations/revocation-key.ts';
import type { TokenKindDefinition } from '../token-kind.ts';

/** The guest's access token. */
export const anonymousToken: TokenKindDefinition<'anonymous'> = {
  kind: 'anonymous',
  typ: 'at+jwt',
  lifetimeSeconds: (settings) => settings.anonymousTokenSeconds,
  revocationKeys: (claims) => [sessionKey(claims.session_id)],
};

/** The guest's refresh token: signed like the other, since nothing about a guest is stored. */
export const anonymousRefreshToken: TokenKindDefinition<'anonymous-refresh'> = {
  kind: 'anonymous-refresh',
  typ: 'anonymous-refresh+jwt',
  lifetimeSeconds: (settings) => settings.anonymousRefreshSeconds,
  revocationKeys: (claims) => [sessionKey(claims.session_id)],
};
