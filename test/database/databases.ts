// The databases that the tests of this folder run on: PGlite always, PostgreSQL where its server is installed.

import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { type Database, type DatabaseOptions, openDatabase } from '../../src/database/database.ts';
import { type PostgresCluster, postgresAvailable, startPostgres } from '../kit/postgres.ts';

/** Options of a test: what would be logged is thrown away. */
export const quiet = { production: false, logger: { warn: () => {} } } satisfies DatabaseOptions;

/** Runs a suite on both databases. `configure` gives the configuration of a new, empty one. */
export function onEachDatabase(title: string, suite: (configure: () => Promise<Config['database']>) => void): void {
  describe(`${title}, on PGlite`, () => suite(async () => ({ kind: 'memory' })));
  onPostgresql(`${title}, on PostgreSQL`, (cluster) =>
    suite(async () => ({ kind: 'postgresql', url: await cluster().createDatabase(), poolSize: 10 })),
  );
}

/** Runs a suite on a PostgreSQL cluster of its own; skipped where the server is not installed. */
export function onPostgresql(title: string, suite: (cluster: () => PostgresCluster) => void): void {
  describe.skipIf(!postgresAvailable)(postgresAvailable ? title : `${title} (no PostgreSQL server installed)`, () => {
    let cluster: PostgresCluster | undefined;
    beforeAll(async () => {
      cluster = await startPostgres();
    }, 60_000);
    afterAll(() => cluster?.stop());
    suite(() => {
      if (!cluster) throw new Error('The cluster has not been started.');
      return cluster;
    });
  });
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = join(tmpdir(), `scopeward-${randomUUID()}`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens a database with two tenants, `demo` and `rival`. */
export async function openWithTenants(config: Config['database'], options: DatabaseOptions = quiet): Promise<Database> {
  const database = await openDatabase(config, options);
  await database.system().tenant.createMany({
    data: [
      { id: 'demo', name: 'Demo' },
      { id: 'rival', name: 'Rival' },
    ],
  });
  return database;
}
