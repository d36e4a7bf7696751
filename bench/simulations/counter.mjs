// The one row that every revocation raises: how many a second, each in a transaction of its own with a commit that waits for
// the disk, by 1, 8 and 32 clients at once, beside rows of the audit trail, which need no number.

import pg from 'pg';
import { simulate } from '../kit/simulation.mjs';

const SECONDS = 4;
const statements = {
  revocations: `INSERT INTO revocations (tenant_id, kind, key, reason) VALUES ('demo', 'TOKEN', gen_random_uuid()::text, 'counted')`,
  'revocations, ten in a transaction': `INSERT INTO revocations (tenant_id, kind, key, reason)
    SELECT 'demo', 'TOKEN', gen_random_uuid()::text, 'counted' FROM generate_series(1, 10)`,
  'audit events': `INSERT INTO audit_events (tenant_id, id, type, outcome, actor, request_id)
    VALUES ('demo', gen_random_uuid()::text, 'session.ended', 'success', '{}', gen_random_uuid()::text)`,
};

/** Transactions per second. @param {string} url @param {string} sql @param {number} atOnce */
async function rate(url, sql, atOnce) {
  const pool = new pg.Pool({ connectionString: url, max: atOnce });
  const until = performance.now() + SECONDS * 1_000;
  let done = 0;
  const worker = async () => {
    for (; performance.now() < until; done += 1) await pool.query({ name: 'counted', text: sql });
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await pool.end();
  return Math.round(done / SECONDS);
}

await simulate(async (_cluster, newDatabase) => {
  const url = await newDatabase('counter');
  /** @type {Record<string, Record<string, number>>} */
  const table = {};
  for (const [name, sql] of Object.entries(statements))
    for (const atOnce of [1, 8, 32])
      table[name] = { ...table[name], [`${atOnce} at once`]: await rate(url, sql, atOnce) };
  console.log('Transactions per second, fsync on');
  console.table(table);
});
