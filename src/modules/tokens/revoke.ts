// Revocation (RFC 7009). Whoever holds a token may end it. A refresh token ends its session, and with it everything
// that came of it (s.2.1); an access token ends alone. Silent about tokens that are not good: the aim is reached (s.2.2).
// Where a client has to present itself it ends its own tokens only: of another's nothing happens.

import type { RequestContext } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { FIRST_PARTY_CLIENT } from '../clients/first-party.ts';
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

  async function revokeSigned(request: RequestContext, token: string, clientId: string | null): Promise<void> {
    const claims = await verifier
      .verify(token, 'service', 'employee', 'anonymous', 'customer', 'saas', 'anonymous-refresh')
      .catch((error: unknown) => {
        if (error instanceof OAuthError) return null;
        throw error;
      });
    if (!claims || (clientId !== null && clientId !== claims.client_id)) return;
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
    /** Never tells whether the token was good. @param clientId whoever presents it, where the protocol says so */
    async revoke(request: RequestContext, token: string, clientId: string | null = null): Promise<void> {
      const family = await refreshTokens.find(token);
      if (family) {
        if (clientId !== null && clientId !== (family.clientId ?? FIRST_PARTY_CLIENT)) return;
        const ctx = inTenant(request, family.tenantId);
        await database.transaction(ctx, (tx) => sessions.end(tx, ctx, family.sessionId, REASON));
      } else {
        await revokeSigned(request, token, clientId);
      }
      await revocations.felt();
    },
  };
}

/** See `createTokenRevocation`. */
export type TokenRevocation = ReturnType<typeof createTokenRevocation>;
