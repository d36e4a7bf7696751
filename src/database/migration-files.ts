// The migrations that this version of the service knows: prisma/migrations/<number>_<name>/migration.sql,
// in the order of their names. Invariant: an applied file never changes; its SHA-256 is in the database.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the migrations are, seen from src/database and from dist/database alike. */
export const migrationsFolder = join(import.meta.dirname, '../../prisma/migrations');

/** A migration on disk. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** As `_prisma_migrations` records it. */
  readonly checksum: string;
}

/** Reads all migrations of a folder, oldest first. Line ends do not matter to the checksum. */
export async function readMigrations(folder: string = migrationsFolder): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const text = await readFile(join(folder, name, 'migration.sql'), 'utf8');
      const sql = text.replaceAll('\r\n', '\n');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** The same list in the form that the schema engine takes. */
export function migrationsForEngine(folder: string, migrations: readonly Migration[]) {
  return {
    baseDir: folder,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } },
    })),
  };
}
