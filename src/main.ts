// The entrance: reads the configuration and runs the service, in this process or in several that this one looks after.
// What can't be put right by trying again ends all of them, with a sentence that says so.

import { type Config, ConfigError, readConfig } from './config/config.ts';
import { isOutage } from './database/outage.ts';
import { createLogger } from './observability/logger.ts';
import { reasonOf } from './observability/reason.ts';
import { createSiblings, giveUpTogether, thisWorker } from './worker.ts';

const giveUp = (sentence: string): never => {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
};

function configuration(): Config {
  try {
    return readConfig();
  } catch (error) {
    return giveUp(error instanceof ConfigError ? error.message : String(error));
  }
}

const config = configuration();
// With one worker there is no cluster, whoever may have forked this process.
const self = config.workers > 1 ? thisWorker : null;
const log = createLogger({ level: config.logLevel });
const logger = self ? log.child({ worker: self.id }) : log;
// A promise that nobody waited for is a bug to be told of, not a reason to drop every request under way (case 93).
process.on('unhandledRejection', (error) => logger.error({ err: error }, 'unhandled rejection'));

try {
  // Loaded as needed: the primary serves nothing, and what can't be loaded has to be told as well.
  if (config.workers > 1 && !self) await (await import('./primary.ts')).runPrimary(config, logger);
  const { serve } = await import('./service-process.ts');
  await serve(config, logger, self && createSiblings(self, config.workers));
} catch (error) {
  logger.fatal({ err: error }, 'could not start');
  const sentence = `Scopeward could not start: ${error instanceof Error ? error.message : String(error)}`;
  if (!self) giveUp(sentence);
  // The database went away again: another worker tries, after a pause.
  if (isOutage(error) || reasonOf(error) === 'service_unavailable') process.exit(1);
  giveUpTogether(sentence);
}
