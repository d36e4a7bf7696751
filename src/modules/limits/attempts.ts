// Failed logins per account and per address, counted in the database *before* the password is checked, so that
// guesses at the same instant cannot slip past (security cases 77 and 78). A window ends by itself.

import { createHash } from 'node:crypto';
import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { rateLimited } from '../../errors/domain-error.ts';

const WINDOW_SECONDS = 15 * 60;
const PER_ACCOUNT = 10;
const PER_ADDRESS = 100;

/** What an attempt counts against. */
export interface Attempt {
  readonly account: Uint8Array<ArrayBuffer>;
  readonly address: Uint8Array<ArrayBuffer> | null;
}

const digest = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());

/** IPv6 callers own a /64; IPv4 callers an address. */
function networkOf(ipAddress: string): string {
  if (!ipAddress.includes(':')) return ipAddress;
  const [head = '', tail = ''] = ipAddress.split('::');
  const groups = head.split(':').filter(Boolean);
  const rest = tail.split(':').filter(Boolean);
  while (groups.length + rest.length < 8) groups.push('0');
  return `${[...groups, ...rest]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Counting of failed logins. */
export function createAttempts(deps: { database: Database }) {
  const { database } = deps;

  async function count(ctx: Ctx, id: Uint8Array, limit: number): Promise<void> {
    const [row] = await database.forTenant(ctx).$queryRaw<{ count: number; retry_after: number }[]>`
      INSERT INTO attempts AS a (tenant_id, id, window_start, count)
      VALUES (${ctx.tenantId}, ${id}, now(), 1)
      ON CONFLICT (tenant_id, id) DO UPDATE SET
        count = CASE WHEN a.window_start < now() - make_interval(secs => ${WINDOW_SECONDS}) THEN 1 ELSE a.count + 1 END,
        window_start = CASE WHEN a.window_start < now() - make_interval(secs => ${WINDOW_SECONDS}) THEN now() ELSE a.window_start END
      RETURNING count, greatest(1, ceil(extract(epoch FROM window_start - now()) + ${WINDOW_SECONDS}))::int AS retry_after`;
    if (row!.count > limit) throw rateLimited(row!.retry_after);
  }

  return {
    /**
     * Counts a login attempt against the account and the caller's address.
     * @param account canonical, whether it exists or not
     * @throws RATE_LIMITED with `retryAfter` in seconds, the right password or not
     */
    async begin(ctx: Ctx, userType: string, account: string): Promise<Attempt> {
      const attempt = {
        account: digest(`account ${userType} ${account}`),
        address: ctx.ipAddress === null ? null : digest(`address ${networkOf(ctx.ipAddress)}`),
      };
      if (attempt.address) await count(ctx, attempt.address, PER_ADDRESS);
      await count(ctx, attempt.account, PER_ACCOUNT);
      return attempt;
    },

    /** The login was good: the account starts afresh, and the address gets this one attempt back. */
    async succeeded(ctx: Ctx, attempt: Attempt): Promise<void> {
      const db = database.forTenant(ctx);
      await db.attempt.deleteMany({ where: { id: attempt.account } });
      if (attempt.address) {
        await db.attempt.updateMany({
          where: { id: attempt.address, count: { gt: 0 } },
          data: { count: { decrement: 1 } },
        });
      }
    },

    /** Forgets windows that are over. @returns how many */
    async prune(): Promise<number> {
      const { count: gone } = await database
        .system()
        .attempt.deleteMany({ where: { windowStart: { lt: new Date(Date.now() - 2 * WINDOW_SECONDS * 1000) } } });
      return gone;
    },
  };
}

/** See `createAttempts`. */
export type Attempts = ReturnType<typeof createAttempts>;
