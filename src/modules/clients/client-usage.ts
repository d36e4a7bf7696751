// When each client last obtained a token, and with which of its scopes: noted in memory and written every few seconds,
// so that no request costs a statement for it, nor waits or fails for it.
// Invariant: what could not be written is kept, and is one entry per client and scope however many requests there were.

import type { Database } from '../../database/database.ts';
import { satisfies } from '../scopes/matching.ts';
import type { Client } from './clients.ts';

const EVERY_SECONDS = 10;
const RECENT_DAYS = 90;

/** How a client has been used. */
export interface Usage {
  /** When it last obtained a token; null: never. */
  readonly lastUsedAt: Date | null;
  /** The scopes that it obtained within the last 90 days. */
  readonly recentScopes: ReadonlySet<string>;
}

/** What is to be written of one client. */
interface Note {
  at: number;
  readonly scopes: Set<string>;
}

/** By tenant and client. */
type Notes = Map<string, Map<string, Note>>;

/**
 * The scopes among `held` that a token with `granted` rests on. Whoever asked for another spelling, or for the `_own` of
 * a wide scope, used the one that it came from: taken away, the next token would be refused.
 */
function usedOf(held: readonly string[], granted: readonly string[]): string[] {
  const has = new Set(held);
  return granted.flatMap((scope) => (has.has(scope) ? [scope] : held.filter((one) => satisfies([one], scope))));
}

function keep(notes: Notes, tenantId: string, clientId: string, at: number, scopes: Iterable<string>): void {
  const ofTenant = notes.get(tenantId) ?? new Map<string, Note>();
  notes.set(tenantId, ofTenant);
  const note = ofTenant.get(clientId) ?? { at, scopes: new Set<string>() };
  ofTenant.set(clientId, note);
  note.at = Math.max(note.at, at);
  for (const scope of scopes) note.scopes.add(scope);
}

/** Use cases of the usage of clients. */
export function createClientUsage(deps: {
  database: Database;
  logger: { warn(facts: object, message: string): void };
}) {
  const { database, logger } = deps;
  let noted: Notes = new Map();
  let underWay: Notes = new Map();
  let turn = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  /** A row without a scope stands for the client itself. Of a scope an hour is exact enough: rows that would hardly
   * change are left alone. Clients are locked first, as by whoever deletes one; who is gone by then is left out. */
  async function write(tenantId: string, notes: ReadonlyMap<string, Note>): Promise<void> {
    const rows = [...notes].flatMap(([clientId, { at, scopes }]) =>
      ['', ...scopes].map((scope) => ({ clientId, scope, at: new Date(at).toISOString() })),
    );
    await database.forTenant({ tenantId }).$executeRaw`
      INSERT INTO client_scope_usage AS known (tenant_id, client_id, scope, last_used_at)
      SELECT c.tenant_id, c.id, noted.scope, noted.at::timestamptz
      FROM unnest(${rows.map(({ clientId }) => clientId)}::text[], ${rows.map(({ scope }) => scope)}::text[],
        ${rows.map(({ at }) => at)}::text[]) AS noted (client_id, scope, at)
      JOIN clients c ON c.tenant_id = ${tenantId} AND c.id = noted.client_id
      WHERE noted.scope = '' OR NOT EXISTS (
        SELECT 1 FROM client_scope_usage fresh
        WHERE fresh.tenant_id = c.tenant_id AND fresh.client_id = c.id AND fresh.scope = noted.scope
          AND fresh.last_used_at > noted.at::timestamptz - interval '1 hour')
      ORDER BY c.id, noted.scope
      FOR KEY SHARE OF c
      ON CONFLICT (tenant_id, client_id, scope)
        DO UPDATE SET last_used_at = greatest(known.last_used_at, excluded.last_used_at)`;
  }

  async function writeAll(): Promise<void> {
    underWay = noted;
    noted = new Map();
    try {
      for (const [tenantId, notes] of underWay) {
        await write(tenantId, notes);
        underWay.delete(tenantId);
      }
    } finally {
      for (const [tenantId, notes] of underWay) {
        for (const [clientId, { at, scopes }] of notes) keep(noted, tenantId, clientId, at, scopes);
      }
      underWay = new Map();
    }
  }

  /** One at a time: what is under way is looked for in one place. */
  function flush(): Promise<void> {
    turn = turn.catch(() => {}).then(writeAll);
    return turn;
  }

  const flushOrWarn = () =>
    flush().catch((error: unknown) =>
      logger.warn({ err: error }, 'The usage of clients could not be written; it is tried again.'),
    );

  return {
    /** A token was given to this client. `held`: what it may ask for; `granted`: what it got. No I/O. */
    note({ tenantId, id }: Client, held: readonly string[], granted: readonly string[]): void {
      keep(noted, tenantId, id, Date.now(), usedOf(held, granted));
    },

    /** How clients of the tenant have been used, in the order of their ids. Knows what was noted here and is not written
     * yet; what other instances noted, when they have written it. */
    async ofIds(ctx: { tenantId: string }, ids: readonly string[]): Promise<Usage[]> {
      // Before the query: what leaves the memory meanwhile is found by it.
      const notes = ids.map((id) => [noted, underWay].flatMap((all) => all.get(ctx.tenantId)?.get(id) ?? []));
      const since = new Date(Date.now() - RECENT_DAYS * 86_400_000);
      const rows = await database.forTenant(ctx).$queryRaw<{ id: string; at: Date | null; scopes: string[] }[]>`
        SELECT client_id AS id, max(last_used_at) FILTER (WHERE scope = '') AS at,
          coalesce(array_agg(scope) FILTER (WHERE scope <> '' AND last_used_at > ${since}), '{}') AS scopes
        FROM client_scope_usage WHERE tenant_id = ${ctx.tenantId} AND client_id = ANY(${[...new Set(ids)]})
        GROUP BY client_id`;
      const stored = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id, place) => {
        const moments = [stored.get(id)?.at?.getTime() ?? 0, ...notes[place]!.map(({ at }) => at)];
        const latest = Math.max(...moments);
        return {
          lastUsedAt: latest === 0 ? null : new Date(latest),
          recentScopes: new Set([
            ...(stored.get(id)?.scopes ?? []),
            ...notes[place]!.flatMap(({ scopes }) => [...scopes]),
          ]),
        };
      });
    },

    /** Writes what has been noted. @throws SERVICE_UNAVAILABLE, and keeps it */
    flush,

    /** Begins to write every ten seconds. */
    start(): void {
      timer = setInterval(flushOrWarn, EVERY_SECONDS * 1000);
      timer.unref();
    },

    /** Writes a last time. */
    async stop(): Promise<void> {
      clearInterval(timer);
      await flushOrWarn();
    },
  };
}

/** See `createClientUsage`. */
export type ClientUsage = ReturnType<typeof createClientUsage>;
