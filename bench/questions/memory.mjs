// What the service holds in memory: at rest, what a million revocations add, and what guests do, who should add nothing
// however many they are.

import { setTimeout as delay } from 'node:timers/promises';
import { query } from '../kit/cluster.mjs';
import { residentMegabytes } from '../kit/process.mjs';
import { operations, startScopeward } from '../kit/scopeward.mjs';

const REVOCATIONS = 1_000_000;
const GUESTS_SECONDS = 10;
const SETTLE_MS = 5_000;

/** Entries of the last hours, as logouts make them, with the counter where they end. @param {string} url */
async function revoke(url) {
  await query(
    url,
    `SET session_replication_role = replica;
     INSERT INTO revocations (sequence, tenant_id, at, kind, key, reason)
     SELECT value + n, 'demo', now() - interval '4 hours' * (1 - n::float8 / ${REVOCATIONS}), 'SESSION',
       translate(encode(decode(md5('s' || n), 'hex'), 'base64'), '+/=', '-_'), 'logout'
     FROM generate_series(1, ${REVOCATIONS}) AS n, counters WHERE name = 'revocations';
     UPDATE counters SET value = value + ${REVOCATIONS} WHERE name = 'revocations'`,
  );
  await query(url, 'VACUUM (ANALYZE) revocations');
}

/** @param {{ pid?: number }} server */
async function settled({ pid }) {
  await delay(SETTLE_MS);
  return residentMegabytes(pid) ?? Number.NaN;
}

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'resident memory: at rest, and what is added to it',
  async sides(lab) {
    const server = await lab.scopeward();
    const guests = await lab.load(server, { ...operations.anonymousToken(), expect: '"refreshToken":"' });
    const atRest = await settled(server);
    // What compiling and caches take is there after the first ten thousands.
    await guests.measure(GUESTS_SECONDS);
    return {
      'at rest': { measure: async () => ({ megabytes: atRest }) },
      'added by guests, from ten seconds of them to thirty': {
        async measure() {
          const before = await settled(server);
          const { failed, failure } = await guests.measure(2 * GUESTS_SECONDS);
          return { megabytes: (await settled(server)) - before, failed, failure };
        },
      },
      'added by 1 000 000 revocations': {
        async measure() {
          await revoke(server.databaseUrl);
          const loaded = await startScopeward(server.databaseUrl);
          const megabytes = (await settled(loaded)) - atRest;
          await loaded.stop();
          return { megabytes };
        },
      },
    };
  },
  times: { warmUp: 0, seconds: 1, rounds: 1 },
  targets: [
    { of: 'at rest', figure: 'megabytes', atMost: 150 },
    { of: 'added by guests, from ten seconds of them to thirty', figure: 'megabytes', atMost: 10 },
    { of: 'added by 1 000 000 revocations', figure: 'megabytes', atMost: 150 },
  ],
};
