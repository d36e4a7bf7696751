// Customers' sessions to refresh, inserted by SQL: logging in costs a password hash each. A family of tokens may be
// refreshed 60 times a minute, so for each load there have to be many.

import { createHash, randomBytes } from 'node:crypto';
import { query } from './cluster.mjs';
import { graphql } from './scopeward.mjs';

const PER_FAMILY = 50;
const DOCUMENT =
  'mutation ($input: RefreshCustomerTokenInput!) { refreshCustomerToken(input: $input) { accessToken saasToken refreshToken expiresIn } }';

/** How many sessions so many refreshes take, evenly for so many connections. @param {number} refreshes */
export const familiesFor = (refreshes, connections = 32) =>
  Math.ceil(refreshes / PER_FAMILY / connections) * connections;

/** Sessions for a company, each with its first refresh token. @param {string} url @param {string[]} customerIds @param {string} company */
export async function openSessions(url, customerIds, company) {
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

/** Refreshes; each connection goes on with the token it was given. Row: refresh token. @param {object} [more] input */
export const refreshing = (more = {}) => ({
  ...graphql(DOCUMENT, { input: { refreshToken: '{{0}}', ...more } }),
  expect: '"refreshToken":"',
  next: '"refreshToken":"([^"]+)"',
});
