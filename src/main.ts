// The process: reads the configuration, listens, starts the service, stops without losing anything (case 119).
// It listens first, so that /healthz answers while the database is still away (case 112).

import { createApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config/config.ts';
import { createLogger } from './observability/logger.ts';

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

const welcome = (url: string, config: Config) => `
Scopeward is ready at ${url}
${config.graphiql ? `\n  Explore   ${url}/graphql in a browser: stories, one a tab` : ''}
  Tour      npm run demo
  Keys      ${url}/.well-known/jwks.json
${
  config.seedDemo
    ? `
  Demo data, tenant "demo" (passwords: demo-password-1)
    service    demo-backend / demo-backend-secret (every scope), demo-crm / demo-crm-secret (prices, products)
    guest      client demo-storefront, no secret
    customers  shopper@demo.example (no company), buyer@demo.example (acme, globex), requester@demo.example (acme)
    employees  admin@demo.example (every scope), catalog@demo.example, support@demo.example
`
    : ''
}
  First try
    curl -s ${url}/graphql -H 'Content-Type: application/json' \\
      -d '{"query":"mutation { issueServiceToken(input: { clientId: \\"demo-backend\\", clientSecret: \\"demo-backend-secret\\" }) { accessToken scopes } }"}'

`;

const config = configuration();
const logger = createLogger({ level: config.logLevel });
// A promise that nobody waited for is a bug to be told of, not a reason to drop every request under way (case 93).
process.on('unhandledRejection', (error) => logger.error({ err: error }, 'unhandled rejection'));

const app = await createApp(config, logger);

let stopping = false;
async function stop(signal: NodeJS.Signals): Promise<void> {
  if (stopping) process.exit(1);
  stopping = true;
  logger.info({ signal }, 'stopping');
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
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

try {
  const port = await app.http.listen(config.port, config.host);
  logger.info({ host: config.host, port }, 'listening');
  await app.start();
  if (!stopping) {
    logger.info('ready');
    const shown = config.host === '0.0.0.0' || config.host === '127.0.0.1' ? 'localhost' : config.host;
    if (!config.production) process.stdout.write(welcome(`http://${shown}:${port}`, config));
  }
} catch (error) {
  if (!stopping) {
    logger.fatal({ err: error }, 'could not start');
    giveUp(`Scopeward could not start: ${error instanceof Error ? error.message : String(error)}`);
  }
}
