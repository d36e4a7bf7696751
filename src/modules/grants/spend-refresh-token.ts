// What every use of a stored refresh token (RFC 6749 s.6) has in common: looking it up, refusing what is ended, and
// ending the whole family when a token that was spent long ago comes back (RFC 9700 s.4.14.2).

import type { Ctx, RequestContext } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { FIRST_PARTY_CLIENT } from '../clients/first-party.ts';
import { createRate } from '../limits/rates.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { RefreshTokenFamily, RefreshTokens, RefreshUse, Turn } from '../sessions/refresh-tokens.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { inTenant } from '../tenants/in-tenant.ts';

const refuse = (cause: string) => new OAuthError('invalid_grant', { cause });

/** A turn that yields a successor. */
export type GoodTurn = Extract<Turn, { outcome: 'rotated' | 'repeated' }>;

/** A presented token that may be used. */
export interface UsableRefreshToken {
  readonly family: RefreshTokenFamily;
  /** The request, in the tenant of the token and as its owner. */
  readonly ctx: Ctx;
}

/** Spending of refresh tokens. */
export function createRefreshTokenSpending(deps: {
  database: Database;
  refreshTokens: RefreshTokens;
  revocations: Revocations;
  sessions: Sessions;
  onReuse?: () => void;
}) {
  const { database, refreshTokens, revocations, sessions } = deps;
  const perFamily = createRate({ limit: 60, windowSeconds: 60 });

  /** Commits on its own: a rollback of the refused request must not undo it. Audited once, by whoever ends it. */
  async function endAfterReuse(ctx: Ctx, family: RefreshTokenFamily): Promise<void> {
    const subject = { kind: 'session', id: family.sessionId } as const;
    await database.transaction(ctx, async (tx) => {
      const wasOpen = await sessions.end(tx, ctx, family.sessionId, 'refresh_token.reused');
      if (wasOpen)
        await recordAudit(tx, ctx, {
          type: 'refresh.reuse_detected',
          outcome: 'refused',
          actor: family.owner,
          subject,
        });
    });
    await revocations.felt();
  }

  /** @throws INVALID_GRANT unless the token has a successor for this use */
  async function requireGood(ctx: Ctx, family: RefreshTokenFamily, turn: Turn): Promise<GoodTurn> {
    if (turn.outcome === 'rotated' || turn.outcome === 'repeated') return turn;
    if (turn.outcome === 'reused') {
      deps.onReuse?.();
      await endAfterReuse(ctx, family);
    }
    throw refuse(`the refresh token: ${turn.outcome}`);
  }

  return {
    /**
     * Looks a token up before anything is decided. @throws INVALID_GRANT, RATE_LIMITED after 60 a minute
     * @param use with a client, whoever presents it: another's token is refused, and lives on
     * @param tenantId whose token it has to be, where the protocol says so
     */
    async present(
      request: RequestContext,
      token: string,
      ownerKind: 'customer' | 'employee',
      use: RefreshUse,
      tenantId?: string,
    ): Promise<UsableRefreshToken> {
      const family = await refreshTokens.find(token);
      if (!family || family.owner.kind !== ownerKind) throw refuse('not a refresh token of this kind');
      if (tenantId !== undefined && tenantId !== family.tenantId) throw refuse('of another tenant');
      const ctx = inTenant(request, family.tenantId);
      if (use.clientId !== null && use.clientId !== (family.clientId ?? FIRST_PARTY_CLIENT)) {
        const subject = { kind: 'session', id: family.sessionId } as const;
        await recordAudit(database.forTenant(ctx), ctx, {
          type: 'refresh.foreign_client',
          outcome: 'refused',
          actor: { kind: 'client', id: use.clientId },
          subject,
        });
        throw refuse('issued to another client');
      }
      if (!family.isLive) throw refuse('ended or expired');
      const spent = family.isSpent
        ? await refreshTokens.outcomeOfSpent(database.forTenant(ctx), ctx.tenantId, token, use)
        : null;
      // Reuse is never overlooked for the brake's sake: whoever stole the successor could keep the brake on.
      if (spent?.outcome !== 'reused') perFamily.take(family.sessionId);
      if (spent) await requireGood(ctx, family, spent);
      return { family, ctx };
    },

    requireGood,
  };
}

/** See `createRefreshTokenSpending`. */
export type RefreshTokenSpending = ReturnType<typeof createRefreshTokenSpending>;
