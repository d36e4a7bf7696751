// Watching statements on their way to the database, at the driver: what is timed is the database and nothing of ours.
// Invariant: a watcher sees SQL without its values, and cannot change what comes back.

import type { SqlDriverAdapter, SqlDriverAdapterFactory, SqlQueryable } from '@prisma/driver-adapter-utils';

/** Runs a statement, and returns or throws what it does. `sql`: with placeholders, never with values. */
export type WatchStatement = <T>(sql: string, run: () => Promise<T>) => Promise<T>;

function watchQueries(queryable: SqlQueryable, watch: WatchStatement): void {
  const query = queryable.queryRaw.bind(queryable);
  const execute = queryable.executeRaw.bind(queryable);
  queryable.queryRaw = (params) => watch(params.sql, () => query(params));
  queryable.executeRaw = (params) => watch(params.sql, () => execute(params));
}

/** The same adapter, watched: statements in transactions and outside of them, and what ends a transaction. */
export function watched(factory: SqlDriverAdapterFactory, watch: WatchStatement): SqlDriverAdapterFactory {
  const watchAdapter = (adapter: SqlDriverAdapter): SqlDriverAdapter => {
    watchQueries(adapter, watch);
    const start = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (isolationLevel) => {
      const transaction = await start(isolationLevel);
      watchQueries(transaction, watch);
      return transaction;
    };
    return adapter;
  };
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => watchAdapter(await factory.connect()),
  };
}
