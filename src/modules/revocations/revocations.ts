// Revocation by sequence numbers: an entry says "tokens of this key issued before this number are refused".
// Entries are written in the transaction of the change; this instance knows its own before it answers, every
// other one within a second. Verifying a token touches no database.

import { EventEmitter, on } from 'node:events';
import type { Ctx } from '../../context.ts';
import type { ChangeFeed } from '../../database/change-feed.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { badInput, conflict } from '../../errors/domain-error.ts';
import { createRevocationIndex, RETENTION_MS } from './revocation-index.ts';
import type { RevocationKey, RevocationKind } from './revocation-key.ts';

/** Without a complete read for this long nobody may rely on the index. */
export const STALE_AFTER_MS = 30_000;

const PAGE = 5000;

/** An entry as subscribers see it. */
export interface Revocation {
  readonly sequence: number;
  readonly at: Date;
  readonly kind: RevocationKind;
  readonly key: string;
  readonly reason: string;
}

/** Use cases of revocation. */
export function createRevocations(deps: { database: Database; changes: ChangeFeed }) {
  const { database, changes } = deps;
  const index = createRevocationIndex();
  const wake = new EventEmitter().setMaxListeners(0);

  changes.watch('revocations', async (counter) => {
    for (let read = index.current(); read < counter; ) {
      const rows = await database.system().$queryRaw<
        (RevocationKey & { sequence: bigint; tenantId: string; at: Date })[]
      >`
        SELECT sequence, tenant_id AS "tenantId", at, kind, key FROM revocations
        WHERE sequence > ${read} AND sequence <= ${counter} ORDER BY sequence LIMIT ${PAGE}`;
      index.add(rows.map((row) => ({ ...row, sequence: Number(row.sequence) })));
      read = rows.length < PAGE ? counter : Number(rows.at(-1)!.sequence);
      index.advance(read);
      for (const tenantId of new Set(rows.map((row) => row.tenantId))) wake.emit(tenantId);
    }
    index.prune(Date.now());
  });

  const page = (ctx: { tenantId: string }, after: number) =>
    database.forTenant(ctx).revocation.findMany({
      where: { sequence: { gt: after } },
      orderBy: { sequence: 'asc' },
      take: PAGE,
    });

  async function* entriesAfter(ctx: Ctx, after: number | null, signal: AbortSignal): AsyncGenerator<Revocation> {
    if (after !== null && after < 0) throw badInput('after', 'A sequence number is not negative.');
    const woken = on(wake, ctx.tenantId, { signal });
    let last = after ?? index.current();
    // Not by `aggregate`: Prisma asks for the smallest in a way that reads them all.
    const oldest = await database.system().revocation.findFirst({
      orderBy: { sequence: 'asc' },
      select: { sequence: true },
    });
    const floor = oldest ? Number(oldest.sequence) - 1 : index.current();
    if (last < floor) {
      const message = `Entries up to ${floor} are no longer kept. Start over from there.`;
      throw conflict('REVOCATIONS_PRUNED', message, { after: floor });
    }
    try {
      for (;;) {
        const rows = await page(ctx, last);
        for (const { at, kind, key, reason, sequence } of rows) {
          last = Number(sequence);
          yield { sequence: last, at, kind, key, reason };
        }
        if (rows.length < PAGE) await woken.next();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  return {
    /** Last number known here. Read it before the facts that a token will vouch for. No I/O. */
    current: (): number => index.current(),

    /** Last number there is: for tokens on facts that are read from the database next. */
    async latest(): Promise<number> {
      const counter = await database.system().counter.findUniqueOrThrow({ where: { name: 'revocations' } });
      return Number(counter.value);
    },

    /** Number of the tenant's last entry, as committed; 0 when none is kept. For followers: have they missed any? */
    async latestOf(ctx: { tenantId: string }): Promise<number> {
      const last = await database.forTenant(ctx).revocation.findFirst({
        orderBy: { sequence: 'desc' },
        select: { sequence: true },
      });
      return Number(last?.sequence ?? 0);
    },

    /** Does an entry for one of these keys refuse a token of that `rev`? No I/O. */
    isRevoked: (tenantId: string, keys: readonly RevocationKey[], rev: number): boolean =>
      index.isRevoked(tenantId, keys, rev),

    /** Has too long passed to rely on the index? */
    isStale: (): boolean => changes.ageMs() > STALE_AFTER_MS,

    /** The same question to the database: for what must not wait for another instance's news. */
    async isRevokedNow(db: TenantClient, keys: readonly RevocationKey[], rev: number): Promise<boolean> {
      const newer = await db.revocation.findFirst({
        where: { OR: [...keys], sequence: { gt: rev } },
        select: { sequence: true },
      });
      return newer !== null;
    },

    /** Writes entries in the caller's transaction, as late in it as possible: from here to the commit nobody
     * else gets a number. @returns the last number. */
    async record(
      tx: TenantClient,
      ctx: { tenantId: string },
      keys: readonly RevocationKey[],
      reason: string,
    ): Promise<number> {
      const rows = await tx.$queryRaw<{ sequence: bigint }[]>`
        INSERT INTO revocations (tenant_id, kind, key, reason)
        SELECT ${ctx.tenantId}, entry.kind::"RevocationKind", entry.key, ${reason}
        FROM unnest(${keys.map(({ kind }) => kind)}::text[], ${keys.map(({ key }) => key)}::text[]) AS entry (kind, key)
        RETURNING sequence`;
      return rows.reduce((last, row) => Math.max(last, Number(row.sequence)), 0);
    },

    /** Call after the commit and before answering: this instance then knows its own change. */
    felt: (): Promise<void> => changes.catchUp(),

    /**
     * Every entry after `after` and all to come, ascending, none twice. Without `after`: from now on.
     * @throws CONFLICT `REVOCATIONS_PRUNED` when entries after `after` are no longer kept: start over
     */
    follow(ctx: Ctx, after: number | null): AsyncIterableIterator<Revocation> {
      const ending = new AbortController();
      const entries = entriesAfter(ctx, after, ending.signal);
      return {
        next: () => entries.next(),
        return: () => {
          ending.abort();
          return entries.return(undefined);
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },

    /** Deletes a batch of entries that no living token was issued before. @returns how many */
    prune: (): Promise<number> =>
      database.system().$executeRaw`
        DELETE FROM revocations WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM revocations WHERE at < now() - make_interval(secs => ${RETENTION_MS / 1000})
          ORDER BY at LIMIT 5000 FOR UPDATE SKIP LOCKED))`,
  };
}

/** See `createRevocations`. */
export type Revocations = ReturnType<typeof createRevocations>;
