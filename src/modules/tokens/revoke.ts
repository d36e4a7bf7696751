// Revocation (RFC 7009). Whoever holds a token may end it. A refresh token ends its session, and with it everything
// that came of it (s.2.1); an access token ends alone. Silent about tokens that are not good: the aim is reached (s.2.2).

import type { RequestContext } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { type RevocationKey, sessionKey, tokenKey } from '../revocations/revocation-key.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { RefreshTokens } from '../sessions/refresh-tokens.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { TokenVerifier } from './verify.ts';

const REASON = 'token.revoked';

/** Revocation of single tokens. */
export function createTokenRevocation(deps: {
  database: Database;
  refreshTokens: RefreshTokens;
  revocations: Revocations;
  sessions: Sessions;
  verifier: TokenVerifier;
}) {
  const { database, refreshTokens, revocations, sessions, verifier } = deps;

  async function revokeSigned(request: RequestContext, token: string): Promise<void> {
    const claims = await verifier
      .verify(token, 'service', 'employee', 'anonymous', 'customer', 'saas', 'anonymous-refresh')
      .catch((error: unknown) => {
        if (error instanceof OAuthError) return null;
        throw error;
      });
    if (!claims) return;
    const ctx = inTenant(request, claims.tenant);
    const key: RevocationKey =
      claims.kind === 'anonymous-refresh' ? sessionKey(claims.session_id) : tokenKey(claims.jti);
    await database.transaction(ctx, async (tx) => {
      await recordAudit(tx, ctx, {
        type: 'token.revoked',
        subject: { kind: 'token', id: claims.jti },
        details: { kind: claims.kind },
      });
      await revocations.record(tx, ctx, [key], REASON);
    });
  }

  return {
    /** Never tells whether the token was good. */
    async revoke(request: RequestContext, token: string): Promise<void> {
      const family = await refreshTokens.find(token);
      if (family) {
        const ctx = inTenant(request, family.tenantId);
        await database.transaction(ctx, (tx) => sessions.end(tx, ctx, family.sessionId, REASON));
      } else {
        await revokeSigned(request, token);
      }
      await revocations.felt();
    },
  };
}

/** See `createTokenRevocation`. */
export type TokenRevocation = ReturnType<typeof createTokenRevocation>;
