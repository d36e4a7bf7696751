// A running service for tests: the real thing on a free port, with the demo data. One per worker is shared
// (`theService`); tests that restart, break or race it start their own.

import { createApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config/config.ts';
import type { Ctx } from '../../src/context.ts';
import { createLogger } from '../../src/observability/logger.ts';

/** A running service. */
export interface Service {
  readonly url: string;
  readonly config: Config;
  readonly app: Awaited<ReturnType<typeof createApp>>;
  /** Everything logged, one JSON text a line. */
  readonly logged: string[];
  /** The SQL of every statement, without values. */
  readonly statements: string[];
  /** Stops taking requests, finishes those under way, closes the database. */
  stop(): Promise<void>;
}

export const ISSUER = 'https://scopeward.test';

/** Starts a service. `env`: as in .env.example; the database is `memory:` unless said. */
export async function startService(env: Record<string, string> = {}): Promise<Service> {
  const config = readConfig({
    NODE_ENV: 'test',
    DATABASE_URL: process.env.DATABASE_URL ?? 'memory:',
    ISSUER,
    PORT: '0',
    TRUSTED_PROXIES: 'none',
    SHUTDOWN_SECONDS: '5',
    ...env,
  });
  const logged: string[] = [];
  const statements: string[] = [];
  const logger = createLogger({ level: env.LOG_LEVEL ?? 'debug', write: (line) => logged.push(line) });
  const app = await createApp(config, logger, { onQuery: (sql) => statements.push(sql) });
  const port = await app.http.listen(0, '127.0.0.1');
  await app.start();
  return {
    url: `http://127.0.0.1:${port}`,
    config,
    app,
    logged,
    statements,
    async stop() {
      await app.http.drain();
      await app.stop();
    },
  };
}

let shared: Promise<Service> | undefined;

/** The service that the files of a worker share. Tests leave the demo data as it is and add their own. */
export const theService = (): Promise<Service> => (shared ??= startService());

/** A context for calling a use case directly, as nobody. */
export const ctxOf = (tenantId: string): Ctx => ({
  tenantId,
  requestId: 'test-request',
  ipAddress: '192.0.2.1',
  userAgent: 'test',
  principal: null,
  credential: 'none',
});
