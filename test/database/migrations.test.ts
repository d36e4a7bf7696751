// How migrations are applied: whole, once, in order, by one at a time.

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { MigrationError } from '../../src/database/migrate.ts';
import { migrationsFolder, readMigrations } from '../../src/database/migration-files.ts';
import { openRemote } from '../../src/database/storage.ts';
import { startChild } from './children/child.ts';
import { onEachDatabase, onPostgresql, quiet, temporaryFolder } from './databases.ts';

const broken = 'CREATE TABLE first (id int);\nCREATE TABLE second (id nonsense);';
const slow = 'CREATE TABLE slow (id int);\nSELECT pg_sleep(1.5);\nCREATE TABLE done (id int);';

/** The migrations of the service, and one more. */
function extended(name: string, sql: string): string {
  const folder = temporaryFolder();
  cpSync(migrationsFolder, folder, { recursive: true });
  write(folder, name, sql);
  return folder;
}

function write(folder: string, name: string, sql: string): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'migration.sql'), sql);
}

const tableExists = async (database: Database, name: string) => {
  const [row] = await database.system().$queryRaw<
    { found: boolean }[]
  >`SELECT to_regclass(${name}) IS NOT NULL AS found`;
  return row?.found;
};

onEachDatabase('migrations', (configure) => {
  // A folder outlives its closing; memory does not.
  const configureLasting = async () => {
    const config = await configure();
    return config.kind === 'memory' ? ({ kind: 'folder', path: temporaryFolder() } as const) : config;
  };

  it('case 118: a broken file is rolled back whole, refused again, and applied once it is mended', async () => {
    const config = await configureLasting();
    const folder = extended('29990101000000_broken', broken);
    const open = (migrations?: string) =>
      openDatabase(config, migrations === undefined ? quiet : { ...quiet, migrations });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(open(folder)).rejects.toThrow(MigrationError);
      await expect(open(folder)).rejects.toThrow(/29990101000000_broken.*nonsense/s);
    }
    const without = await open();
    expect(await tableExists(without, 'first')).toBe(false);
    await without.close();

    write(folder, '29990101000000_broken', broken.replace('nonsense', 'int'));
    const mended = await open(folder);
    expect(await tableExists(mended, 'second')).toBe(true);
    await mended.close();
    await expect(open()).rejects.toThrow(/newer than this version.*29990101000000_broken/);
    write(folder, '29990101000000_broken', `${broken} `);
    await expect(open(folder)).rejects.toThrow(/changed after it had been applied/);
  }, 120_000);
});

onPostgresql('migrations', (cluster) => {
  const migrateOnce = async (url: string, folder?: string) => {
    const storage = openRemote(url, 2, () => {});
    try {
      return await storage.migrate(folder);
    } finally {
      await storage.close();
    }
  };

  it('case 118: of several migrators at once one works, the others wait and find nothing to do', async () => {
    const url = await cluster().createDatabase();
    const applied = await Promise.all(Array.from({ length: 4 }, () => migrateOnce(url)));
    const all = (await readMigrations()).map(({ name }) => name);
    expect(applied.sort((a, b) => b.length - a.length)).toEqual([all, [], [], []]);
  });

  it('case 118: a migrator killed inside a file leaves it whole or absent, and the next run completes', async () => {
    const url = await cluster().createDatabase();
    const folder = extended('29990101000000_slow', slow);
    for (let round = 0; round < 3; round += 1) {
      const child = startChild('migrate.ts', url, folder);
      await child.said('begin');
      await new Promise((resolve) => setTimeout(resolve, 400 * (round + 1)));
      await child.kill();
    }
    await migrateOnce(url, folder);
    const database = await openDatabase({ kind: 'postgresql', url, poolSize: 2 }, { ...quiet, migrations: folder });
    expect([await tableExists(database, 'slow'), await tableExists(database, 'done')]).toEqual([true, true]);
    const records = await database.system().$queryRaw`
      SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY 1`;
    expect(records).toEqual((await readMigrations(folder)).map(({ name }) => ({ migration_name: name })));
    await database.close();
  }, 60_000);

  it('case 118: queries go on while an instance migrates', async () => {
    const url = await cluster().createDatabase();
    const database = await openDatabase({ kind: 'postgresql', url, poolSize: 5 }, quiet);
    const migrating = migrateOnce(url, extended('29990101000000_slow', slow));
    let answers = 0;
    const end = migrating.then(() => true);
    while (!(await Promise.race([end, new Promise<false>((resolve) => setTimeout(resolve, 10, false))]))) {
      await database.system().tenant.findMany();
      answers += 1;
    }
    expect(answers).toBeGreaterThan(20);
    await database.close();
  }, 60_000);
});
