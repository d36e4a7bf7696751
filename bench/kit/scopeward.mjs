// The measured service: what `npm run build` made, in production mode, on the bench's PostgreSQL, everything on.
// Seeded once by a first start in development; each question gets a copy of that database.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { query } from './cluster.mjs';
import { freePort, isRunning, startCommand } from './process.mjs';

const root = join(import.meta.dirname, '../..');

/** @param {string} databaseUrl */
export const environment = (databaseUrl) => ({
  ...Object.fromEntries(['PATH', 'HOME', 'TMPDIR'].map((name) => [name, process.env[name] ?? ''])),
  NODE_ENV: 'production',
  ISSUER: 'https://auth.bench.example',
  KEY_ENCRYPTION_SECRET: 'the bench has a secret of its own',
  DATABASE_URL: databaseUrl,
  HOST: '127.0.0.1',
  WORKERS: '1',
});

/**
 * SIGKILL is quickest; a service with workers ends them itself.
 * @param {string} databaseUrl @param {{ env?: Record<string, string>, nodeFlags?: string[] }} options
 */
export async function startScopeward(databaseUrl, { env = {}, nodeFlags = [] } = {}) {
  const port = await freePort();
  const server = startCommand(
    process.execPath,
    [...nodeFlags, join(root, 'dist/main.js')],
    {
      cwd: root,
      env: { ...environment(databaseUrl), PORT: String(port), ...env },
    },
    'WORKERS' in env ? 'SIGTERM' : 'SIGKILL',
  );
  const url = `http://127.0.0.1:${port}`;
  for (let waited = 0; waited < 30_000 && isRunning(server.child); waited += 50) {
    const isReady = await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return { ...server, url, databaseUrl };
    await delay(50);
  }
  throw new Error(`Scopeward did not start.\n${server.said()}`);
}

/** Fills a database: production seeds nothing. @param {string} databaseUrl */
export async function seed(databaseUrl) {
  const server = await startScopeward(databaseUrl, {
    env: { NODE_ENV: 'development', SEED_DEMO: 'true', ISSUER: 'http://localhost', LOG_LEVEL: 'warn' },
  });
  await server.stop();
}

/**
 * One GraphQL operation as a load plan.
 * @param {string} document @param {object} variables @param {Record<string, string>} headers
 */
export const graphql = (document, variables = {}, headers = {}) => ({
  path: '/graphql',
  headers: { 'Content-Type': 'application/json', ...headers },
  bodies: [JSON.stringify({ query: document, variables })],
});

/** The same once, for preparing. @param {{ url: string }} server @param {ReturnType<typeof graphql>} plan */
export async function ask({ url }, { path, headers, bodies }) {
  const answer = await fetch(url + path, { method: 'POST', headers, body: bodies[0] });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** @template T @param {number} count @param {(index: number) => Promise<T>} make @returns {Promise<T[]>} */
export async function many(count, make) {
  /** @type {T[]} */
  const made = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) made[index] = await make(index);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return made;
}

/** The operations that several questions use. */
export const operations = {
  serviceToken: (/** @type {string} */ clientId, /** @type {string[]} */ ...scopes) =>
    graphql(
      'mutation ($input: IssueServiceTokenInput!) { issueServiceToken(input: $input) { accessToken expiresIn scopes } }',
      { input: { clientId, clientSecret: `${clientId}-secret`, ...(scopes.length > 0 ? { scopes } : {}) } },
    ),
  oauthToken: (/** @type {string} */ clientId, /** @type {string[]} */ ...scopes) => ({
    path: '/oauth/token',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    bodies: [
      new URLSearchParams({
        grant_type: 'client_credentials',
        scope: scopes.join(' '),
        client_id: clientId,
        client_secret: `${clientId}-secret`,
      }).toString(),
    ],
  }),
  anonymousToken: () =>
    graphql(
      'mutation ($input: IssueAnonymousTokenInput!) { issueAnonymousToken(input: $input) { accessToken refreshToken expiresIn sessionId } }',
      { input: { tenant: 'demo', clientId: 'demo-storefront', siteCode: 'main', currency: 'EUR', language: 'de' } },
    ),
  currentPrincipal: (/** @type {string} */ token) =>
    graphql('{ currentPrincipal { kind scopes } }', {}, { Authorization: `Bearer ${token}` }),
};

/** A service token. @param {{ url: string }} server @param {string} clientId @param {string[]} scopes */
export const serviceToken = async (server, clientId, ...scopes) =>
  (await ask(server, operations.serviceToken(clientId, ...scopes))).issueServiceToken.accessToken;

/**
 * Makes customers like the demo's buyer, who acts for two companies: same password, same groups.
 * @param {string} databaseUrl @param {number} count @returns {Promise<string[]>} their ids; e-mail: `<id>@bench.example`
 */
export async function makeBuyers(databaseUrl, count) {
  const rows = await query(
    databaseUrl,
    `WITH buyer AS (
       SELECT * FROM customers WHERE tenant_id = 'demo' AND email = 'buyer@demo.example'
     ), made AS (
       INSERT INTO customers (tenant_id, id, customer_number, email, password_hash, first_name, last_name)
       SELECT tenant_id, 'bench-' || n, (90000000 + n)::text, 'bench-' || n || '@bench.example', password_hash, first_name, last_name
       FROM buyer, generate_series(1, $1::int) AS n
       RETURNING tenant_id, id
     ), assigned AS (
       INSERT INTO contact_assignments (tenant_id, id, customer_id, legal_entity_id)
       SELECT made.tenant_id, gen_random_uuid()::text, made.id, a.legal_entity_id
       FROM made, contact_assignments a JOIN buyer ON a.tenant_id = buyer.tenant_id AND a.customer_id = buyer.id
     ), joined AS (
       INSERT INTO customer_memberships (tenant_id, group_id, customer_id)
       SELECT made.tenant_id, m.group_id, made.id
       FROM made, customer_memberships m JOIN buyer ON m.tenant_id = buyer.tenant_id AND m.customer_id = buyer.id
     )
     SELECT id FROM made`,
    [count],
  );
  await query(databaseUrl, 'ANALYZE');
  return rows.map(({ id }) => id);
}
