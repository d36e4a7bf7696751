// The only door to the data: PGlite or PostgreSQL behind one interface. Invariant: a query belongs to a tenant, or
// says system() aloud; nothing runs before the migrations have; an outage is SERVICE_UNAVAILABLE and ends by itself.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { serviceUnavailable } from '../errors/domain-error.ts';
import { type Prisma, PrismaClient } from './generated/client.ts';
import { readModels } from './nested-writes.ts';
import type { Listener } from './notifications.ts';
import { type WatchStatement, watched } from './observed.ts';
import { isConflict, isOutage, withinDeadline } from './outage.ts';
import { shorten } from './shortcut.ts';
import { openEmbedded, openRemote, type Storage } from './storage.ts';
import { checkRaw, isolate } from './tenant-isolation.ts';

type Client = Omit<Prisma.TransactionClient, '$queryRawUnsafe' | '$executeRawUnsafe'>;

/** Queries of one tenant, in a transaction or not. */
export type TenantClient = Client;
/** Queries without isolation. */
export type SystemClient = Client;
/** Queries without isolation, in a transaction. */
export type SystemTransaction = Client;

/** A database that is opened, or is going to be. */
export interface Database {
  /** Queries of one tenant; none can leave it. */
  forTenant(ctx: { readonly tenantId: string }): TenantClient;
  /** Without isolation: only for tenants, keys, revocations and the first look-up of a client or refresh token. */
  system(): SystemClient;
  /** One transaction within the tenant; only `tx` may be used inside. `work` may run again after a conflict. */
  transaction<T>(ctx: { readonly tenantId: string }, work: (tx: TenantClient) => Promise<T>): Promise<T>;
  /** One transaction without isolation, by the same rules. */
  systemTransaction<T>(work: (tx: SystemTransaction) => Promise<T>): Promise<T>;
  /** Resolves when the database has been reached and migrated; rejects when it cannot be used at all. */
  readonly ready: Promise<void>;
  /** Answers, or throws SERVICE_UNAVAILABLE. */
  ping(): Promise<void>;
  /** Listens on a channel until the returned function is called, over every loss of connection. */
  listen(channel: string, listener: Listener): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** What `openDatabase` may be told. */
export interface DatabaseOptions {
  readonly production: boolean;
  readonly logger: { warn(facts: object, message: string): void };
  /** Sees the SQL of every statement, without its values. */
  readonly onQuery?: (sql: string) => void;
  /** Runs every statement, to see what it takes. */
  readonly watch?: WatchStatement;
  /** How long a transaction may take, where nobody waits for an answer: the command line. */
  readonly transactionMs?: number;
  /** Another folder of migrations, for tests. */
  readonly migrations?: string;
}

const maxTries = 4;
/** A try that began later could commit after the caller was told that it failed. */
const lastTryAfterMs = 2_500;
const keptTenants = 500;

/**
 * Opens and migrates. Where PostgreSQL is away, returns all the same: every call is SERVICE_UNAVAILABLE until it
 * has come and been migrated. @throws FolderInUseError, MigrationError
 */
export async function openDatabase(config: Config['database'], options: DatabaseOptions): Promise<Database> {
  const { logger } = options;
  const transactionOptions = { maxWait: 2_000, timeout: options.transactionMs ?? 4_000 };
  const storage: Storage =
    config.kind === 'postgresql'
      ? openRemote(config.url, config.poolSize, (error) =>
          logger.warn({ err: error }, 'A database connection was lost.'),
        )
      : await openEmbedded(config.kind === 'folder' ? config.path : undefined, options);
  const closing = new AbortController();
  let isReady = false;
  const migrateOnce = async () => {
    await storage.migrate(options.migrations);
    isReady = true;
  };
  const migrateWhenThere = async () => {
    for (;;) {
      await delay(500, undefined, { signal: closing.signal, ref: false });
      try {
        return await migrateOnce();
      } catch (error) {
        if (!isOutage(error)) throw error;
      }
    }
  };

  let ready = Promise.resolve();
  try {
    await migrateOnce();
  } catch (error) {
    if (!isOutage(error)) {
      await storage.close();
      throw error;
    }
    logger.warn({ err: error }, 'The database cannot be reached yet.');
    ready = migrateWhenThere();
    // Who awaits `ready` learns of it; nobody has to.
    ready.catch(() => {});
  }

  // Finds mistakes of ours, and costs every promise of the process: production goes without.
  const insideTransaction = options.production ? null : new AsyncLocalStorage<{ isOpen: boolean }>();
  const check = (isInTransaction: boolean) => {
    if (!isReady) throw serviceUnavailable(new Error('The database has not been reached yet.'));
    // On PGlite it would wait for the transaction that waits for it.
    if (!isInTransaction && insideTransaction?.getStore()?.isOpen) {
      throw new Error('Inside a transaction only `tx` may be used.');
    }
  };
  const { raw, guarded } = createClients(storage, options, check);
  const models = readModels(raw);
  const { onQuery, watch = (_sql, run) => run() } = options;
  const { directly } = storage;
  /** `checkSql`: what the client itself would have against it. */
  const shortened = (client: PrismaClient, checkSql: (statement: Prisma.Sql) => void) =>
    directly
      ? shorten(client, async (statement) => {
          checkSql(statement);
          check(false);
          onQuery?.(statement.text);
          return withinDeadline(() => watch(statement.text, () => directly(statement)));
        })
      : client;
  const system = shortened(guarded, () => {});
  const tenants = new Map<string, PrismaClient>();

  function tenantClient({ tenantId }: { readonly tenantId: string }): PrismaClient {
    let client = tenants.get(tenantId);
    if (client) tenants.delete(tenantId);
    else client = shortened(isolate(guarded, models, tenantId), (sql) => checkRaw('$queryRaw', sql, tenantId));
    tenants.set(tenantId, client);
    if (tenants.size > keptTenants) tenants.delete(tenants.keys().next().value ?? '');
    return client;
  }

  async function transact<T>(client: PrismaClient, work: (tx: Client) => Promise<T>): Promise<T> {
    if (insideTransaction?.getStore()?.isOpen) throw new Error('A transaction inside a transaction: pass `tx` on.');
    if (!isReady) throw serviceUnavailable(new Error('The database has not been reached yet.'));
    const scope = { isOpen: true };
    const once = () => client.$transaction((tx) => work(tx as unknown as Client), transactionOptions);
    const run = () => (insideTransaction ? insideTransaction.run(scope, once) : once());
    const began = performance.now();
    const tryUntilDone = async () => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await run();
        } catch (error) {
          if (tries === maxTries || performance.now() - began > lastTryAfterMs || !isConflict(error)) throw error;
          await delay(Math.random() * 20 * tries);
        }
      }
    };
    try {
      return await withinDeadline(tryUntilDone, options.transactionMs);
    } finally {
      scope.isOpen = false;
    }
  }

  return {
    forTenant: (ctx) => tenantClient(ctx),
    system: () => system,
    transaction: (ctx, work) => transact(tenantClient(ctx), work),
    systemTransaction: (work) => transact(guarded, work),
    ready,
    async ping() {
      await guarded.$queryRaw`SELECT 1`;
    },
    listen: (channel, listener) => storage.listen(channel, listener),
    async close() {
      closing.abort();
      // Another instance may be migrating for long: it is not waited for.
      await Promise.race([ready.catch(() => {}), delay(1_000, undefined, { ref: false })]);
      await raw.$disconnect();
      await storage.close();
    },
  };
}

/** Every statement of the guarded client passes `check`, and the deadline. */
function createClients(
  storage: Storage,
  { onQuery, watch }: Pick<DatabaseOptions, 'onQuery' | 'watch'>,
  check: (isInTransaction: boolean) => void,
): { raw: PrismaClient; guarded: PrismaClient } {
  const adapter = watch ? watched(storage.adapter, watch) : storage.adapter;
  const raw = new PrismaClient({ adapter, log: onQuery ? [{ emit: 'event', level: 'query' }] : [] });
  if (onQuery) raw.$on('query', ({ query }) => onQuery(query));
  const guarded = raw.$extends({
    query: {
      async $allOperations(call) {
        const { operation, args, query } = call;
        if (/Unsafe$/.test(operation)) throw new Error(`${operation} is not used here: use a tagged template.`);
        const { transaction } = (call as unknown as { __internalParams: { transaction?: unknown } }).__internalParams;
        check(transaction !== undefined);
        return withinDeadline(() => query(args));
      },
    },
  });
  return { raw: raw as unknown as PrismaClient, guarded: guarded as unknown as PrismaClient };
}
