// For vitest's `globalSetup`: one PostgreSQL cluster per run, known to the tests as inject('postgresUrl').
// Without server binaries the value is null, and tests that need PostgreSQL are skipped.

import type { TestProject } from 'vitest/node';
import { postgresAvailable, startPostgres } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Any database of the run's cluster; make your own with createDatabaseIn(). */
    postgresUrl: string | null;
  }
}

/** Called by vitest before the run; what it returns, after it. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!postgresAvailable) {
    project.provide('postgresUrl', null);
    return undefined;
  }
  const cluster = await startPostgres();
  project.provide('postgresUrl', `postgresql://postgres@127.0.0.1:${cluster.port}/postgres`);
  return () => cluster.stop();
}
