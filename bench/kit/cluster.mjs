// A PostgreSQL cluster of the bench's own, from the binaries that are installed: temporary folder, free port, loopback
// only, fsync on as in production. Counts statements (pg_stat_statements) and transactions that wrote (their numbers).

import { execFileSync } from 'node:child_process';
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { onEnd } from './cleanup.mjs';
import { freePort, isRunning, startCommand } from './process.mjs';

/** @typedef {Awaited<ReturnType<typeof startCluster>>} Cluster */

/** Starts a cluster. */
export async function startCluster() {
  const binaries = findBinaries();
  const folder = mkdtempSync(join(tmpdir(), 'scopeward-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  onEnd(remove);
  const owner = unprivileged();
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-instructions'];
  execFileSync(join(binaries, 'initdb'), initdb, { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });

  const port = await freePort();
  const urlOf = (/** @type {string} */ database) => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    max_connections: 100,
    shared_buffers: '128MB',
    // A checkpoint in one side's turn and not in the other's would be noise.
    checkpoint_timeout: '1h',
    max_wal_size: '8GB',
  };
  const counting = { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track_utility': 'off' };
  const admin =
    (await start({ ...settings, ...counting })) ??
    (await start(settings)) ??
    (() => {
      throw new Error('PostgreSQL did not start.');
    })();
  const counts = await admin
    .query('CREATE EXTENSION pg_stat_statements')
    .then(() => true)
    .catch(() => false);

  /** @param {Record<string, string | number>} wanted */
  async function start(wanted) {
    const flags = Object.entries(wanted).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = startCommand(
      join(binaries, 'postgres'),
      ['-D', data, ...flags],
      { ...owner, cwd: folder },
      'SIGQUIT',
    );
    for (let waited = 0; waited < 15_000 && isRunning(server.child); waited += 50) {
      const client = new pg.Client(urlOf('postgres'));
      client.on('error', () => {});
      try {
        await client.connect();
        return client;
      } catch {
        await delay(50);
      }
    }
    await server.stop();
    return null;
  }

  return {
    version: (await admin.query('SHOW server_version')).rows[0].server_version,
    /** @param {string} name @param {string} template @returns {Promise<string>} its URL */
    async createDatabase(name, template = 'template0') {
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
      return urlOf(name);
    },
    /**
     * Statements (without BEGIN and COMMIT) of one database, how long they took to execute, the pages that they looked
     * at, and transactions that wrote anything, so far.
     * @param {string} url
     */
    async activity(url) {
      const { rows } = await admin.query(
        `SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS commits, ${
          counts
            ? `sum(calls) AS statements, sum(total_exec_time) AS milliseconds, sum(shared_blks_hit + shared_blks_read) AS pages
               FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = $1`
            : 'nullif($1, $1) AS statements'
        }`,
        [new URL(url).pathname.slice(1)],
      );
      const { commits, statements, milliseconds, pages } = rows[0];
      return {
        statements: counts ? Number(statements) : null,
        databaseMicroseconds: counts ? Number(milliseconds) * 1_000 : null,
        pages: counts ? Number(pages) : null,
        commits: Number(commits),
      };
    },
  };
}

/** Runs SQL in a database. @param {string} url @param {string} sql @param {unknown[]} [values] */
export async function query(url, sql, values) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

function findBinaries() {
  const versions = '/usr/lib/postgresql';
  /** @type {string[]} */
  let installed = [];
  try {
    installed = readdirSync(versions).sort((one, other) => Number(other) - Number(one));
  } catch {
    // Not a Debian layout: PATH has to do.
  }
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
    ...installed.map((version) => join(versions, version, 'bin')),
  ];
  const found = folders.find((folder) => {
    try {
      for (const name of ['postgres', 'initdb']) accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new Error('No PostgreSQL server binaries (postgres, initdb) are installed.');
  return found;
}

/** PostgreSQL refuses to run as root: who it runs as then. @returns {{ uid?: number, gid?: number }} */
function unprivileged() {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, user], { stdio: 'pipe' })));
      return { uid, gid };
    } catch {
      // No such user.
    }
  }
  return { uid: 65534, gid: 65534 };
}
