// The embedded database: PGlite in memory or in a folder, and its Prisma adapter.
// Invariant: what the adapter reports as done is done. The published one starts a script without awaiting it,
// and swallows the failure of a COMMIT; both are replaced here. Shadow databases are in memory.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite, type Transaction as PGliteTransaction } from '@electric-sql/pglite';
import { dataDir } from '@electric-sql/pglite-prepopulatedfs';
import type { SqlDriverAdapter, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { withMigrationRecord } from './migration-record.ts';

/**
 * Opens the data of a folder that `lockFolder` has given to this process; without one, in memory. A new database is
 * unpacked from a prepared empty one, which takes a third of the time of making it.
 */
export async function openPGlite(folder?: string): Promise<PGlite> {
  const path = folder === undefined ? 'memory://' : join(folder, 'pglite');
  if (folder !== undefined && existsSync(join(path, 'PG_VERSION'))) return PGlite.create(path);
  return PGlite.create(path, { loadDataDir: await dataDir() });
}

/** The Prisma adapter of a PGlite. */
export function pgliteAdapter(client: PGlite): SqlMigrationAwareDriverAdapterFactory {
  const published = new PrismaPGlite(client);
  return {
    provider: published.provider,
    adapterName: published.adapterName,
    connect: () => connect(client, async () => {}),
    connectToShadowDb: async () => {
      const shadow = await openPGlite();
      return connect(shadow, () => shadow.close());
    },
  };
}

async function connect(client: PGlite, dispose: () => Promise<void>): Promise<SqlDriverAdapter> {
  const adapter = await new PrismaPGlite(client).connect();
  adapter.executeScript = async (script) => {
    await client.exec(withMigrationRecord(script));
  };
  adapter.startTransaction = async () => {
    // The adapter drops the result of `transaction`, in which a failed COMMIT shows: keep it.
    let outcome: Promise<unknown> = Promise.resolve();
    const observed = {
      transaction: <T>(work: (tx: PGliteTransaction) => Promise<T>) => {
        const result = client.transaction(work);
        outcome = result;
        return result;
      },
    };
    const starter = await new PrismaPGlite(observed as unknown as PGlite).connect();
    const transaction = await starter.startTransaction();
    const commit = transaction.commit.bind(transaction);
    transaction.commit = async () => {
      await commit();
      await outcome;
    };
    return transaction;
  };
  adapter.dispose = dispose;
  return adapter;
}
