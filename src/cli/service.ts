// The service as the command line has it: opened, used and closed again, without listening. Invariant: no demo data, and
// nobody waits for ever for a database that is away.

import { createApp, type Modules } from '../app.ts';
import { ConfigError, readConfig } from '../config/config.ts';
import { createLogger } from '../observability/logger.ts';

/** An import of thousands of groups is one transaction. */
const TRANSACTION_MS = 600_000;

/** Does something with the modules of the configured service. `log` takes what the service logs.
 * @throws what the work throws, ConfigError, FolderInUseError, SERVICE_UNAVAILABLE */
export async function withService<T>(work: (modules: Modules) => Promise<T>, log?: (line: string) => void): Promise<T> {
  const config = { ...readConfig(), seedDemo: false, graphiql: false };
  if (config.database.kind === 'memory')
    throw new ConfigError(['DATABASE_URL: memory: keeps nothing, so there is nothing to operate']);
  const logger = createLogger(log ? { level: config.logLevel, write: log } : { level: 'silent' });
  const app = await createApp(config, logger, { transactionMs: TRANSACTION_MS });
  try {
    await app.modules.database.ping();
    await app.start();
    return await work(app.modules);
  } finally {
    await app.stop();
  }
}
