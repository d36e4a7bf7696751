// A database of any size, for what must not grow with it: growth/*.sql, a connection for each file, then the statistics
// that autovacuum would have made. Customers, sessions and refresh tokens are numbered from 1.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

const read = (/** @type {string} */ name) => readFileSync(join(import.meta.dirname, `growth/${name}.sql`), 'utf8');

/** What grows with people, and beside it what grows with what happens. */
export const PEOPLE = ['customers', 'sessions', 'refresh_tokens'];
export const RECORDS = ['records'];

/** @param {string} url @param {number} rows @param {string[]} files */
export async function fill(url, rows, files = PEOPLE) {
  const connected = async (/** @type {(client: pg.Client) => Promise<unknown>} */ work) => {
    const client = new pg.Client(url);
    await client.connect();
    await work(client).finally(() => client.end());
  };
  await Promise.all(
    files.map((file) =>
      connected(async (client) => {
        await client.query(`SET growth.rows = ${rows}`);
        await client.query(read('begin'));
        await client.query(read(file));
      }),
    ),
  );
  await connected(async (client) => {
    await client.query('VACUUM (ANALYZE)');
    await client.query('CHECKPOINT');
  });
}

/** The refresh token of a number. */
export const refreshToken = (/** @type {number} */ n) => `rt_${String(n).padStart(43, '0')}`;

/** The mail address of a customer's number; the password is the demo's. */
export const email = (/** @type {number} */ n) =>
  `someone.${createHash('md5').update(String(n)).digest('hex')}@mail.example`;

/**
 * So many numbers from all over the rows of the tenant `demo` but the oldest, whose sessions end soon; in no order.
 * @param {number} rows @param {number} count
 */
export const sample = (rows, count) =>
  Array.from({ length: count }, (_none, index) => 1 + 5 * Math.floor((0.1 + (0.9 * index) / count) * (rows / 5))).sort(
    (one, other) => (email(one) < email(other) ? -1 : 1),
  );
