// One, two and four instances on one PostgreSQL, all refreshing at once. On two cores four are not faster than two: what is
// looked at is whether anything gets worse with their number. Statements and commits per refresh, waits for locks,
// what is left in the tables, and after what time a logout at the first is felt by the last.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { query } from '../kit/cluster.mjs';
import { email, refreshToken, sample } from '../kit/growth.mjs';
import { startScript } from '../kit/process.mjs';
import { ask, graphql, operations, startScopeward } from '../kit/scopeward.mjs';
import { quantile, ROWS, simulate } from '../kit/simulation.mjs';

const SECONDS = 15;
const CONNECTIONS = 32;
const LOGIN =
  'mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { accessToken refreshToken } }';
const REFRESH =
  'mutation ($input: RefreshCustomerTokenInput!) { refreshCustomerToken(input: $input) { refreshToken } }';

/** @typedef {Awaited<ReturnType<typeof startScopeward>>} Instance */

/** A customer signs in at the first instance, is known to all, and logs out there. @param {Instance[]} instances @param {string} address */
async function feltAfter(instances, address) {
  const { issueAnonymousToken } = await ask(instances[0], operations.anonymousToken());
  const input = { anonymousToken: issueAnonymousToken.accessToken, email: address, password: 'demo-password-1' };
  const { accessToken } = (await ask(instances[0], graphql(LOGIN, { input }))).issueCustomerToken;
  const isGood = async (/** @type {Instance} */ at) =>
    (await ask(at, operations.currentPrincipal(accessToken)).catch(() => null))?.currentPrincipal != null;
  for (const at of instances) if (!(await isGood(at))) throw new Error('A new token is refused.');
  await ask(
    instances[0],
    graphql('mutation { logout { sessionsEnded } }', {}, { Authorization: `Bearer ${accessToken}` }),
  );
  const began = performance.now();
  if (await isGood(instances[0])) throw new Error('A logout is not felt where it was made.');
  await Promise.all(
    instances.slice(1).map(async (at) => {
      while (await isGood(at)) await delay(5);
    }),
  );
  return performance.now() - began;
}

/** How many backends wait for a lock, looked at every 20 ms. @param {string} url @param {Promise<unknown>} until */
async function lockWaits(url, until) {
  const client = new pg.Client(url);
  await client.connect();
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  until.then(end, end);
  let [looks, waiting] = [0, 0];
  for (; !isOver; looks += 1) {
    const { rows } = await client.query(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
    );
    waiting += rows[0].n;
    await delay(20);
  }
  await client.end();
  return waiting / looks;
}

/** What must hold whoever did what at once. @param {string} url */
async function leftovers(url) {
  const [row] = await query(
    url,
    `SELECT (SELECT count(*) FROM (SELECT 1 FROM refresh_tokens WHERE spent_at IS NULL GROUP BY tenant_id, session_id, branch_id
              HAVING count(*) > 1) AS twice)::int AS "branches with two live tokens",
       (SELECT count(*) FROM refresh_tokens)::int - ${ROWS} AS successors,
       (SELECT max(sequence) - min(sequence) + 1 - count(*) FROM revocations)::int AS "numbers missing",
       (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database())::int AS deadlocks`,
  );
  return row;
}

await simulate(async (cluster, newDatabase) => {
  for (const count of [1, 2, 4]) {
    const url = await newDatabase(`instances_${count}`);
    const instances = await Promise.all(Array.from({ length: count }, () => startScopeward(url)));
    const people = sample(ROWS, 3_200);
    const generators = await Promise.all(
      instances.map((instance, index) =>
        startScript(join(import.meta.dirname, '../kit/generator.mjs'), {
          ...graphql(REFRESH, { input: { refreshToken: '{{0}}' } }),
          url: instance.url,
          connections: CONNECTIONS / count,
          rows: people.filter((_n, at) => at % 2 === 0 && (at / 2) % count === index).map((n) => [refreshToken(n)]),
          expect: '"refreshToken":"',
          next: '"refreshToken":"([^"]+)"',
        }),
      ),
    );
    const before = await cluster.activity(url);
    const load = Promise.all(generators.map((generator) => generator.ask({ seconds: SECONDS })));
    // What fails first is told, not that the rest is ended for it.
    load.catch(() => {});
    const waits = lockWaits(url, load);
    waits.catch(() => {});
    const felt = [];
    for (const n of people.filter((_n, at) => at % 320 === 1)) felt.push(await feltAfter(instances, email(n)));
    const results = await load;
    const after = await cluster.activity(url);
    const sum = (/** @type {'answered' | 'completed' | 'failed'} */ what) =>
      results.reduce((all, each) => all + each[what], 0);
    const completed = sum('completed');
    console.log(`\n${count} instance${count > 1 ? 's' : ''}, ${CONNECTIONS} connections together`);
    console.table({
      'refreshes per second': Math.round(sum('answered') / SECONDS),
      failed: sum('failed'),
      'p99 ms': Math.max(...results.map(({ p99 }) => p99)),
      'statements per refresh': (((after.statements ?? 0) - (before.statements ?? 0)) / completed).toFixed(2),
      'commits per refresh': ((after.commits - before.commits) / completed).toFixed(2),
      'backends waiting for a lock': (await waits).toFixed(3),
      'logout felt everywhere, median ms': Math.round(quantile(felt)),
      'logout felt everywhere, most ms': Math.round(Math.max(...felt)),
      ...(await leftovers(url)),
    });
    for (const process of [...generators, ...instances]) await process.stop();
  }
});
