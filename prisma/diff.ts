// `npm run db:diff -- name`: writes the migration that leads from prisma/migrations to the schema.
// The migrations are played into an empty PGlite; nothing that is in use is touched.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { migrationsFolder, migrationsForEngine, readMigrations } from '../src/database/migration-files.ts';
import { openPGlite, pgliteAdapter } from '../src/database/pglite.ts';
import { openSchemaEngine } from '../src/database/schema-engine.ts';

/** The SQL that is missing between the migrations and the schema; empty when they agree. */
export async function diffSchema(): Promise<string> {
  const files = await readSchema();
  const pglite = await openPGlite();
  const adapter = pgliteAdapter(pglite);
  // It is empty and nobody's: no second one is needed to play the migrations in.
  const engine = await openSchemaEngine({ ...adapter, connectToShadowDb: () => adapter.connect() }, files);
  try {
    const { stdout } = await engine.diff({
      from: { tag: 'migrations', ...migrationsForEngine(migrationsFolder, await readMigrations()) },
      to: { tag: 'schemaDatamodel', files: files.map(([path, content]) => ({ path, content })) },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    const sql = stdout ?? '';
    return /^\s*(--[^\n]*\s*)*$/.test(sql) ? '' : sql;
  } finally {
    engine.free();
    await pglite.close();
  }
}

async function readSchema(): Promise<[string, string][]> {
  const models = await readdir(join(import.meta.dirname, 'models'));
  const paths = ['schema.prisma', ...models.sort().map((name) => `models/${name}`)];
  return Promise.all(
    paths.map(
      async (path): Promise<[string, string]> => [path, await readFile(join(import.meta.dirname, path), 'utf8')],
    ),
  );
}

async function main(name: string | undefined): Promise<void> {
  if (!name || !/^[a-z0-9_]+$/.test(name)) throw new Error('Usage: npm run db:diff -- name_of_the_change');
  const sql = await diffSchema();
  if (sql === '') {
    console.log('The migrations lead to the schema; nothing to write.');
    return;
  }
  const number = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const folder = join(migrationsFolder, `${number}_${name}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'migration.sql'), sql);
  console.log(`Written: ${join(folder, 'migration.sql')}. Read it before you commit it.`);
}

if (process.argv[1] === import.meta.filename) await main(process.argv[2]);
