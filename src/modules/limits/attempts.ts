// Failed logins per account and per address, counted in the database *before* the password is checked, so that
// guesses at the same instant cannot slip past (security cases 77 and 78). A window ends by itself.

import { createHash } from 'node:crypto';
import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { rateLimited } from '../../errors/domain-error.ts';
import { networkOf } from './network.ts';

const WINDOW_SECONDS = 15 * 60;
const PER_ACCOUNT = 10;
const PER_ADDRESS = 100;

/** What an attempt counts against. */
export interface Attempt {
  readonly account: Uint8Array<ArrayBuffer>;
  readonly address: Uint8Array<ArrayBuffer> | null;
}

const digest = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());

const accountDigest = (what: string, account: string) => digest(`account ${what} ${account}`);

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

  async function giveBack(ctx: Ctx, id: Attempt['account'] | null): Promise<void> {
    if (id === null) return;
    const where = { id, count: { gt: 0 } };
    await database.forTenant(ctx).attempt.updateMany({ where, data: { count: { decrement: 1 } } });
  }

  return {
    /**
     * Counts an attempt against the account and the caller's address.
     * @param what is tried: `customer` or `employee` for a login
     * @param account canonical, whether it exists or not
     * @param most how many in a window: fewer for what sends a letter
     * @throws RATE_LIMITED with `retryAfter` in seconds, the right password or not
     */
    async begin(ctx: Ctx, what: string, account: string, most = PER_ACCOUNT): Promise<Attempt> {
      const attempt = {
        account: accountDigest(what, account),
        address: ctx.ipAddress === null ? null : digest(`address ${networkOf(ctx.ipAddress)}`),
      };
      if (attempt.address) await count(ctx, attempt.address, PER_ADDRESS);
      await count(ctx, attempt.account, most);
      return attempt;
    },

    /** The login was good: the account starts afresh, and the address gets this one attempt back. */
    async succeeded(ctx: Ctx, attempt: Attempt): Promise<void> {
      await database.forTenant(ctx).$queryRaw`
        WITH account AS (DELETE FROM attempts WHERE tenant_id = ${ctx.tenantId} AND id = ${attempt.account})
        UPDATE attempts SET count = count - 1
        WHERE tenant_id = ${ctx.tenantId} AND id = ${attempt.address}::bytea AND count > 0`;
    },

    /** The owner has proved the account in another way: it starts afresh. */
    async forgive(tx: TenantClient, what: string, account: string): Promise<void> {
      await tx.attempt.deleteMany({ where: { id: accountDigest(what, account) } });
    },

    /** The password could not be checked (an outage, a full queue): nothing was tried. An outage that stops this too
     * ends with the window. */
    async withdraw(ctx: Ctx, attempt: Attempt): Promise<void> {
      await Promise.allSettled([giveBack(ctx, attempt.account), giveBack(ctx, attempt.address)]);
    },

    /** Forgets a batch of windows that are over, by the clock that began them. @returns how many */
    async prune(): Promise<number> {
      return database.system().$executeRaw`
        DELETE FROM attempts WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM attempts WHERE window_start < now() - make_interval(secs => ${2 * WINDOW_SECONDS})
          ORDER BY window_start LIMIT 5000 FOR UPDATE SKIP LOCKED))`;
    },
  };
}

/** See `createAttempts`. */
export type Attempts = ReturnType<typeof createAttempts>;
