// What a guest gets: an access token and a refresh token, both signed and stored nowhere.

import type { GuestContext } from '../principals/principal.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { IssuedToken, TokenIssuer } from '../tokens/issue.ts';

/** The tokens of a guest. */
export interface GuestTokens {
  readonly accessToken: IssuedToken;
  readonly refreshToken: IssuedToken;
  readonly sessionId: string;
}

/** Who the guest is: a session, begun at a client, and nothing more. */
export interface Guest {
  readonly sessionId: string;
  readonly clientId: string;
  readonly context: GuestContext;
  /** Seconds since the epoch. */
  readonly sessionStartedAt: number;
}

/** Signs both tokens. They end with the guest's session, however often it is refreshed. */
export async function issueGuestTokens(
  tokens: TokenIssuer,
  tenant: Tenant,
  guest: Guest,
  rev: number,
): Promise<GuestTokens> {
  const { sessionId, clientId, context, sessionStartedAt } = guest;
  const left = sessionStartedAt + tenant.settings.anonymousSessionSeconds - Math.floor(Date.now() / 1000);
  const claims = {
    sub: sessionId,
    client_id: clientId,
    session_id: sessionId,
    context,
    session_started_at: sessionStartedAt,
  };
  const [accessToken, refreshToken] = await Promise.all([
    tokens.issue({
      kind: 'anonymous',
      tenant,
      claims,
      scopes: tenant.settings.anonymousScopes,
      rev,
      lifetimeSeconds: left,
    }),
    tokens.issue({ kind: 'anonymous-refresh', tenant, claims, scopes: [], rev, lifetimeSeconds: left }),
  ]);
  return { accessToken, refreshToken, sessionId };
}
