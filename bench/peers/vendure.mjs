// Vendure: a commerce platform with a GraphQL API for Node, on PostgreSQL, in production mode and with nothing added to
// its core: what a shop pays there for the question who is signed in. Sessions are cached in memory, as by default.

import { randomUUID } from 'node:crypto';
import { bootstrap, DefaultLogger, LogLevel } from '@vendure/core';
import { freePort } from '../kit/process.mjs';
import { script } from '../kit/script.mjs';

const customer = { emailAddress: 'bea@bench.example', password: 'demo-password-1' };

script(async ({ databaseUrl }) => {
  const port = await freePort();
  await bootstrap({
    apiOptions: { hostname: '127.0.0.1', port, shopApiPath: 'graphql', adminApiPath: 'admin', cors: false },
    authOptions: {
      tokenMethod: ['bearer'],
      requireVerification: false,
      superadminCredentials: { identifier: 'bench', password: randomUUID() },
    },
    dbConnectionOptions: { type: 'postgres', url: databaseUrl, synchronize: true, extra: { max: 10 } },
    paymentOptions: { paymentMethodHandlers: [] },
    logger: new DefaultLogger({ level: LogLevel.Error }),
  });
  const url = `http://127.0.0.1:${port}`;
  /** @param {string} query @param {object} variables */
  const ask = (query, variables) =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
  await ask('mutation ($input: RegisterCustomerInput!) { registerCustomerAccount(input: $input) { __typename } }', {
    input: customer,
  });
  const login =
    'mutation ($emailAddress: String!, $password: String!) { login(username: $emailAddress, password: $password) { __typename } }';
  const answer = await ask(login, customer);
  return { ready: { url, token: answer.headers.get('vendure-auth-token') } };
});
