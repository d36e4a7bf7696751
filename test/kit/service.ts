// A running service for tests: the real thing on a free port, with the demo data. One per worker is shared
// (`theService`); tests that restart, break or race it start their own.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { createApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config/config.ts';
import type { Ctx } from '../../src/context.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { QUICK } from './password-cost.ts';
import { createDatabaseIn } from './postgres.ts';

/** A running service. */
export interface Service {
  readonly url: string;
  readonly config: Config;
  readonly app: Awaited<ReturnType<typeof createApp>>;
  /** Everything logged, one JSON text a line. */
  readonly logged: string[];
  /** The SQL of every statement, without values. */
  readonly statements: string[];
  /** The letters that a service without a mail server has shown. */
  readonly printed: string[];
  /** Stops taking requests, finishes those under way, closes the database. */
  stop(): Promise<void>;
}

export const ISSUER = 'https://scopeward.test';

/** A database of its own: a copy of the run's template, or with TEST_ON=postgresql one in the run's cluster. */
export async function newDatabase(): Promise<string> {
  if (process.env.TEST_ON === 'postgresql') {
    const cluster = inject('postgresUrl');
    if (!cluster) throw new Error('TEST_ON=postgresql needs the server binaries of PostgreSQL on this machine.');
    return createDatabaseIn(cluster);
  }
  const folder = mkdtempSync(join(inject('copiesFolder'), 'copy-'));
  cpSync(inject('templateFolder'), join(folder, 'data'), { recursive: true });
  return `file:${join(folder, 'data')}`;
}

/** A run makes hundreds of copies of 40 MB. */
const removeCopy = (url: string) =>
  url.startsWith('file:') && rmSync(url.slice('file:'.length), { recursive: true, force: true });

/** Starts a service. `env`: as in .env.example; the database is a new one unless said, and ends with the service.
 * `changed`: settings that only production has. */
export async function startService(
  env: Record<string, string> = {},
  options: { transactionMs?: number; passwordCost?: { readonly memoryKiB?: number } } = {},
  changed: Partial<Config> = {},
): Promise<Service> {
  const own = env.DATABASE_URL ? null : await newDatabase();
  const read = readConfig({
    NODE_ENV: 'test',
    ...(own ? { DATABASE_URL: own } : {}),
    ISSUER,
    PORT: '0',
    TRUSTED_PROXIES: 'none',
    SHUTDOWN_SECONDS: '5',
    ...env,
  });
  const config: Config = { ...read, ...changed };
  const logged: string[] = [];
  const statements: string[] = [];
  const printed: string[] = [];
  const logger = createLogger({ level: env.LOG_LEVEL ?? 'debug', write: (line) => logged.push(line) });
  const app = await createApp(config, logger, {
    onQuery: (sql) => statements.push(sql),
    print: (text) => printed.push(text),
    passwordCost: QUICK,
    ...options,
  });
  const port = await app.http.listen(0, '127.0.0.1');
  await app.start();
  return {
    url: `http://127.0.0.1:${port}`,
    config,
    app,
    logged,
    statements,
    printed,
    async stop() {
      await app.http.drain();
      await app.stop();
      if (own) removeCopy(own);
    },
  };
}

let shared: Promise<Service> | undefined;

/** The service that the files of a worker share. Tests leave the demo data as it is and add their own. */
export const theService = (): Promise<Service> => (shared ??= startService());

/** A context for calling a use case directly, as an operator. */
export const ctxOf = (tenantId: string): Ctx => ({
  tenantId,
  requestId: 'test-request',
  ipAddress: '192.0.2.1',
  userAgent: 'test',
  principal: null,
  credential: 'operator',
});
