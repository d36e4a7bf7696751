// Brings a database to the schema of this version, by Prisma's own engine and its table `_prisma_migrations`.
// Invariant: a file is applied whole and recorded, or neither; one migrator at a time; a database that a newer
// version has migrated is left alone. Nothing to do costs two queries and loads no engine.

import type { SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { type Migration, migrationsFolder, migrationsForEngine, readMigrations } from './migration-files.ts';
import { isOutage } from './outage.ts';
import { openSchemaEngine } from './schema-engine.ts';

/** A database to migrate: always the same session, on which no time limit lies. */
export interface MigrationTarget {
  readonly adapter: SqlMigrationAwareDriverAdapterFactory;
  query(sql: string): Promise<Record<string, unknown>[]>;
}

/** The database and the files do not fit together; a person has to look. */
export class MigrationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MigrationError';
  }
}

/** Applies what is missing and returns its names. @throws MigrationError */
export async function migrate(target: MigrationTarget, folder: string = migrationsFolder): Promise<string[]> {
  const migrations = await readMigrations(folder);
  if ((await missing(target, migrations)).length === 0) return [];

  // Ours, not the engine's, which it takes too late for the second look. PGlite: one process, always granted.
  await target.query('SELECT pg_advisory_lock(72707370)');
  try {
    const todo = await missing(target, migrations);
    if (todo.length === 0) return [];
    await forgetUnfinished(target);
    await apply(target, folder, migrations, todo);
    return todo;
  } finally {
    // Where the session is gone, so is its lock.
    await target.query('SELECT pg_advisory_unlock(72707370)').catch(() => {});
  }
}

async function missing(target: MigrationTarget, migrations: readonly Migration[]): Promise<string[]> {
  const [table] = await target.query(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present`);
  if (!table?.present) return migrations.map(({ name }) => name);
  const rows = (await target.query(
    'SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  )) as { migration_name: string; checksum: string }[];
  const applied = new Map(rows.map((row) => [row.migration_name, row.checksum]));

  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...applied.keys()].filter((name) => !known.has(name)).sort();
  if (unknown.length > 0) {
    throw new MigrationError(
      `The database is newer than this version of the service: it has the migration ${unknown.join(', ')}, which is not in prisma/migrations.`,
    );
  }
  const edited = migrations.filter(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum);
  if (edited.length > 0) {
    throw new MigrationError(
      `The migration ${edited.map(({ name }) => name).join(', ')} was changed after it had been applied.`,
    );
  }
  return migrations.filter(({ name }) => !applied.has(name)).map(({ name }) => name);
}

/** Under the lock, an unfinished record is of a migrator that failed or died, and its file was rolled back. */
async function forgetUnfinished(target: MigrationTarget): Promise<void> {
  const [table] = await target.query(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present`);
  if (!table?.present) return;
  await target.query(
    'UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL AND rolled_back_at IS NULL',
  );
}

async function apply(target: MigrationTarget, folder: string, migrations: Migration[], todo: string[]): Promise<void> {
  // The engine's own message leaves out what the database said.
  let scriptError: unknown;
  const connect = async () => {
    const adapter = await target.adapter.connect();
    const run = adapter.executeScript.bind(adapter);
    adapter.executeScript = (script) =>
      run(script).catch((error: unknown) => {
        scriptError = error;
        throw error;
      });
    return adapter;
  };
  const engine = await openSchemaEngine({ ...target.adapter, connect });
  try {
    await engine.applyMigrations({
      migrationsList: migrationsForEngine(folder, migrations),
      filters: { externalTables: [], externalEnums: [] },
    });
  } catch (error) {
    if (isOutage(scriptError)) throw scriptError;
    // Where the connection was lost between two files, this fails as an outage does.
    await target.query('SELECT 1');
    const cause = scriptError ?? error;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError(`The migrations ${todo.join(', ')} could not be applied. ${reason}`, { cause });
  } finally {
    engine.free();
  }
}
