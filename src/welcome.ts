// What is said when the service is ready: a line of the log, and in development what to try first.

import type { Config } from './config/config.ts';
import type { Logger } from './observability/logger.ts';

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

/** Once for an instance, however many workers it has. */
export function announce(config: Config, logger: Pick<Logger, 'info'>, port: number): void {
  logger.info('ready');
  const shown = config.host === '0.0.0.0' || config.host === '127.0.0.1' ? 'localhost' : config.host;
  if (!config.production) process.stdout.write(welcome(`http://${shown}:${port}`, config));
}
