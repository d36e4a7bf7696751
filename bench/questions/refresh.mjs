// Refresh with rotation, durable, both on the same PostgreSQL. Each connection goes on with the tokens it was given.
// One family of tokens may be refreshed 60 times a minute, so there are many: the sessions are inserted beforehand.

import { createHash, randomBytes } from 'node:crypto';
import { query } from '../kit/cluster.mjs';
import { graphql, makeBuyers } from '../kit/scopeward.mjs';
import { refresh } from '../peers/requests.mjs';

const MOST_PER_SECOND = 6_000;
const PER_FAMILY = 50;
const DOCUMENT =
  'mutation ($input: RefreshCustomerTokenInput!) { refreshCustomerToken(input: $input) { accessToken saasToken refreshToken expiresIn } }';

/** Sessions for a company, each with its first refresh token. @param {string} url @param {string[]} customerIds @param {string} company */
async function openSessions(url, customerIds, company) {
  const tokens = customerIds.map(() => `rt_${randomBytes(32).toString('base64url')}`);
  const digests = tokens.map((token) => createHash('sha256').update(token).digest());
  await query(
    url,
    `WITH opened AS (
       INSERT INTO sessions (tenant_id, id, kind, customer_id, client_id, legal_entity_id, expires_at, ends_at)
       SELECT 'demo', 'bench-' || digest::text, 'CUSTOMER', customer_id, 'demo-storefront', $3, now() + interval '30 days', now() + interval '180 days'
       FROM unnest($1::text[], $2::bytea[]) AS given (customer_id, digest)
       RETURNING tenant_id, id, legal_entity_id, expires_at
     )
     INSERT INTO refresh_tokens (tenant_id, id, session_id, branch_id, legal_entity_id, expires_at)
     SELECT tenant_id, digest, id, gen_random_uuid()::text, legal_entity_id, expires_at
     FROM opened JOIN unnest($2::bytea[]) AS digest ON id = 'bench-' || digest::text`,
    [customerIds, digests, company],
  );
  await query(url, 'ANALYZE sessions, refresh_tokens');
  return tokens.map((token) => [token]);
}

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'a customer refreshes (one-time tokens, durable), and switches company with it',
  async sides(lab) {
    const families = Math.ceil((lab.totalSeconds * MOST_PER_SECOND) / PER_FAMILY / 32) * 32;
    const scopeward = await lab.scopeward();
    const oidc = await lab.server('peers/oidc-provider.mjs', { database: true, refreshTokens: families });
    const buyers = await makeBuyers(scopeward.databaseUrl, families * 2);
    const next = { expect: '"refreshToken":"', next: '"refreshToken":"([^"]+)"' };
    const keep = graphql(DOCUMENT, { input: { refreshToken: '{{0}}' } });
    const [toGlobex, toAcme] = ['globex', 'acme'].map((legalEntityId) =>
      graphql(DOCUMENT, { input: { refreshToken: '{{0}}', legalEntityId } }),
    );
    return {
      scopeward: await lab.load(scopeward, {
        ...keep,
        ...next,
        rows: await openSessions(scopeward.databaseUrl, buyers.slice(families), 'acme'),
      }),
      'scopeward, company switch': await lab.load(scopeward, {
        ...keep,
        ...next,
        bodies: [...toGlobex.bodies, ...toAcme.bodies],
        rows: await openSessions(scopeward.databaseUrl, buyers.slice(0, families), 'acme'),
      }),
      'oidc-provider, PostgreSQL': await lab.load(oidc, {
        ...refresh(),
        expect: '"refresh_token":"',
        next: '"refresh_token":"([^"]+)"',
        rows: oidc.refreshTokens.map((/** @type {string} */ token) => [token]),
      }),
    };
  },
  targets: [
    { of: 'scopeward', to: 'oidc-provider, PostgreSQL', atLeast: 2.5 },
    { of: 'scopeward, company switch', to: 'oidc-provider, PostgreSQL', atLeast: 2.5 },
    ...['scopeward', 'scopeward, company switch'].flatMap((of) => [
      { of, figure: /** @type {const} */ ('statements'), atMost: 6 },
      { of, figure: /** @type {const} */ ('commits'), atMost: 2 },
    ]),
  ],
};
