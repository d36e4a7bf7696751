// What differs between PGlite and PostgreSQL: opening, migrating, listening, closing. Everything above is the same.

import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { lockFolder } from './folder-lock.ts';
import { migrate } from './migrate.ts';
import { type Listener, listenOnPGlite, listenOnPostgresql } from './notifications.ts';
import { openPGlite, pgliteAdapter } from './pglite.ts';
import { directly, openMigrationPool, openPool, postgresqlAdapter, type Statement } from './postgresql.ts';

/** An open database, without an idea of tenants. */
export interface Storage {
  readonly adapter: SqlDriverAdapterFactory;
  /** Runs a statement outside transactions, past Prisma's engine; absent: there is no shorter way. */
  readonly directly?: <Row>(statement: Statement) => Promise<Row[]>;
  /** Applies the missing migrations, of another folder where a test says so. */
  migrate(folder?: string): Promise<string[]>;
  listen(channel: string, listener: Listener): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** PGlite in a folder that is locked for this process; without one, in memory. @throws FolderInUseError */
export async function openEmbedded(folder: string | undefined, options: { production: boolean }): Promise<Storage> {
  const unlock = folder === undefined ? () => {} : await lockFolder(folder, options);
  try {
    const client = await openPGlite(folder);
    const adapter = pgliteAdapter(client);
    return {
      adapter,
      migrate: (migrations) =>
        migrate({ adapter, query: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows }, migrations),
      listen: (channel, listener) => listenOnPGlite(client, channel, listener),
      async close() {
        await client.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** PostgreSQL, reached when it is needed. */
export function openRemote(url: string, poolSize: number, onLost: (error: Error) => void): Storage {
  const pool = openPool(url, poolSize, onLost);
  return {
    adapter: postgresqlAdapter(pool),
    directly: directly(pool),
    async migrate(migrations) {
      const session = openMigrationPool(url);
      try {
        return await migrate(
          { adapter: postgresqlAdapter(session), query: async (sql) => (await session.query(sql)).rows },
          migrations,
        );
      } finally {
        await session.end();
      }
    },
    listen: async (channel, listener) => listenOnPostgresql(url, channel, listener),
    close: () => pool.end(),
  };
}
