// PostgreSQL: how connections are made, and the Prisma adapter of a pool.
// Invariant: nothing waits for ever (pg does, unless told), times are UTC (the adapter writes and reads them
// without an offset), and a connection that has stopped answering is not used again.

import { PrismaPg } from '@prisma/adapter-pg';
import type {
  SqlDriverAdapter,
  SqlMigrationAwareDriverAdapterFactory,
  Transaction,
} from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { withMigrationRecord } from './migration-record.ts';
import { createStatementNames } from './prepared-statements.ts';

/** What every connection has in common, whoever uses it. */
export function connectionOptions(url: string): pg.ClientConfig {
  const connection = new URL(url);
  const options = connection.searchParams.get('options') ?? '';
  connection.searchParams.set('options', `${options} -c TimeZone=UTC`.trim());
  return {
    connectionString: connection.href,
    application_name: 'scopeward',
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  };
}

/** The pool that requests share. A lost idle connection is told to `onLost`, and replaced when needed. */
export function openPool(url: string, size: number, onLost: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    ...connectionOptions(url),
    max: size,
    statement_timeout: 3_000,
    query_timeout: 4_000,
    lock_timeout: 1_000,
    idle_in_transaction_session_timeout: 5_000,
  });
  pool.on('error', onLost);
  return pool;
}

/** A pool of one connection without time limits, so that locks and scripts of a migration share a session. */
export function openMigrationPool(url: string): pg.Pool {
  const pool = new pg.Pool({ ...connectionOptions(url), max: 1, idleTimeoutMillis: 0 });
  // The query that is under way fails by itself.
  pool.on('error', () => {});
  return pool;
}

/** A statement with `$1` for its first value. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Whole numbers of 64 bits as Prisma has them, everything else as pg does, which is the same. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? BigInt : oid === pg.types.builtins.NUMERIC ? refuseNumeric : pgParser(oid, format),
};
const pgParser = pg.types.getTypeParser as pg.CustomTypesConfig['getTypeParser'];
const refuseNumeric = () => {
  throw new Error('Cast a numeric column: no number of ours holds it.');
};

/** Runs statements without Prisma's engine, which takes several times as long as the database does: for SQL of ours
 * outside transactions. */
export function directly(pool: pg.Pool): <Row>(statement: Statement) => Promise<Row[]> {
  const nameOf = createStatementNames('scopeward_own');
  return async <Row>({ text, values }: Statement) => {
    const name = nameOf(text);
    const { rows } = await pool.query({ ...(name && { name }), text, values: [...values], types });
    return rows as Row[];
  };
}

/** The Prisma adapter of a pool. */
export function postgresqlAdapter(pool: pg.Pool): SqlMigrationAwareDriverAdapterFactory {
  const nameOf = createStatementNames('scopeward_prisma');
  // Declared as always a name; pg takes a query without one as it is.
  const published = new PrismaPg(pool, { statementNameGenerator: ({ sql }) => nameOf(sql)! });
  return {
    provider: published.provider,
    adapterName: published.adapterName,
    connect: async () => repair(await published.connect()),
    connectToShadowDb: async () => repair(await published.connectToShadowDb()),
  };
}

function repair(adapter: SqlDriverAdapter & { underlyingDriver(): pg.Pool }): SqlDriverAdapter {
  // The adapter cuts scripts at every semicolon, so functions break and a failed file leaves half its tables.
  adapter.executeScript = async (script) => {
    await adapter.underlyingDriver().query(withMigrationRecord(script));
  };
  const start = adapter.startTransaction.bind(adapter);
  adapter.startTransaction = async (isolationLevel) => {
    const transaction = await start(isolationLevel);
    abandonOnTimeout(transaction);
    return transaction;
  };
  return adapter;
}

/** pg gives a timed out connection back to the pool with the query still in it; the next user would wait behind it. */
function abandonOnTimeout(transaction: Transaction): void {
  const { client } = transaction as unknown as { client: { connection: { stream: { destroy(): void } } } };
  for (const method of ['queryRaw', 'executeRaw'] as const) {
    const run = transaction[method].bind(transaction) as (
      query: Parameters<Transaction['queryRaw']>[0],
    ) => Promise<never>;
    transaction[method] = async (query) => {
      try {
        return await run(query);
      } catch (error) {
        if (error instanceof Error && error.message === 'Query read timeout') client.connection.stream.destroy();
        throw error;
      }
    };
  }
}
