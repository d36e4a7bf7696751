// What the service holds in memory: at rest, what a million revocations add, and what guests add, who should add nothing
// however many they are. Resident is what the system sees; live is what is left when the rest has been collected.

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { query } from '../kit/cluster.mjs';
import { residentMegabytes } from '../kit/process.mjs';
import { operations, startScopeward } from '../kit/scopeward.mjs';

const REVOCATIONS = 1_000_000;
const GUESTS_SECONDS = 10;
const SETTLE_MS = 4_000;

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
async function resident({ pid }) {
  await delay(SETTLE_MS);
  return residentMegabytes(pid) ?? Number.NaN;
}

/** @param {Awaited<ReturnType<typeof startScopeward>>} server */
async function live(server) {
  const said = () => server.said().match(/live memory: \d+/g) ?? [];
  const before = said().length;
  server.child.kill('SIGUSR2');
  for (let waited = 0; waited < 5_000 && said().length === before; waited += 100) await delay(100);
  return Number(said().at(-1)?.split(' ').at(-1)) / 1_048_576;
}

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'memory at rest, and what is added to it',
  async sides(lab) {
    const { databaseUrl, pid } = await lab.scopeward();
    const flags = ['--expose-gc', '--import', join(import.meta.dirname, '../kit/live-memory.mjs')];
    const start = () => startScopeward(databaseUrl, { nodeFlags: flags, env: { LOG_LEVEL: 'warn' } });
    const watched = await start();
    const atRest = { resident: await resident({ pid }), live: await live(watched) };
    const guests = await lab.load(
      { url: watched.url, pid: watched.pid },
      { ...operations.anonymousToken(), expect: '"refreshToken":"' },
    );
    // What compiling and caches take is there after the first thousands.
    await guests.measure(GUESTS_SECONDS);
    /** @type {{ resident: number, live: number }} */
    let loaded;
    return {
      'at rest, resident': { measure: async () => ({ megabytes: atRest.resident }) },
      'at rest, live': { measure: async () => ({ megabytes: atRest.live }) },
      'guests of twenty more seconds, live': {
        async measure() {
          const before = await live(watched);
          const { failed, failure } = await guests.measure(2 * GUESTS_SECONDS);
          const megabytes = (await live(watched)) - before;
          await watched.stop();
          return { megabytes, failed, failure };
        },
      },
      '1 000 000 revocations, resident': {
        async measure() {
          await revoke(databaseUrl);
          const server = await start();
          loaded = { resident: await resident(server), live: await live(server) };
          await server.stop();
          return { megabytes: loaded.resident - atRest.resident };
        },
      },
      '1 000 000 revocations, live': { measure: async () => ({ megabytes: loaded.live - atRest.live }) },
    };
  },
  times: { warmUp: 0, seconds: 1, rounds: 1 },
  targets: [
    { of: 'at rest, resident', figure: 'megabytes', atMost: 150 },
    { of: 'guests of twenty more seconds, live', figure: 'megabytes', atMost: 1 },
    { of: '1 000 000 revocations, resident', figure: 'megabytes', atMost: 150 },
    { of: '1 000 000 revocations, live', figure: 'megabytes', atMost: 150 },
  ],
};
