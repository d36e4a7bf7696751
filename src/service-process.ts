// The process that serves, alone or as one of several workers: listens, starts the service, stops without losing anything
// (case 119). It listens first, so that /healthz answers while the database is still away (case 112).

import { createApp } from './app.ts';
import type { Config } from './config/config.ts';
import type { Logger } from './observability/logger.ts';
import { announce } from './welcome.ts';
import type { Siblings } from './worker.ts';

/** Resolves when the service is ready. @throws what keeps it from starting */
export async function serve(config: Config, logger: Logger, siblings: Siblings | null): Promise<void> {
  const app = await createApp(config, logger, siblings ? { siblings } : {});

  let stopping = false;
  async function stop(reason: object): Promise<void> {
    stopping = true;
    logger.info(reason, 'stopping');
    try {
      await app.http.drain();
      await app.stop();
      logger.info('stopped');
      process.exit(0);
    } catch (error) {
      logger.fatal({ err: error }, 'could not stop cleanly');
      process.exit(1);
    }
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!stopping) void stop({ signal });
      // A worker gets a terminal's signal and the primary's word: twice the same. Impatience is told to the primary.
      else if (!siblings) process.exit(1);
    });
  }
  siblings?.onPrimaryGone(() => {
    if (!stopping) void stop({ because: 'the primary is gone' });
  });

  const listen = async () => {
    const port = await app.http.listen(config.port, config.host);
    logger.info({ host: config.host, port }, 'listening');
    return port;
  };
  const start = async () => {
    await siblings?.turnToStart();
    await app.start();
  };
  const isDatabaseThere = () =>
    app.modules.database.ping().then(
      () => true,
      () => false,
    );
  try {
    // Who takes a dead worker's place gets no connection before it can answer; unless nobody can.
    if (siblings?.arePresent && (await isDatabaseThere())) {
      await start();
      await listen();
    } else {
      const port = await listen();
      await start();
      if (!stopping && !siblings) announce(config, logger, port);
    }
  } catch (error) {
    if (!stopping) throw error;
  }
}
