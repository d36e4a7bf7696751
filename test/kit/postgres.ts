// A PostgreSQL cluster of the tests' own, from the server binaries that are installed: temporary folder, own
// socket, free port, trust on the loopback address only. Nothing of it is left after stop().

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);

/** The folder of the server binaries, or null: tests that need PostgreSQL are then skipped, and say so. */
export const postgresAvailable: string | null = findBinaries();

/** A running cluster. */
export interface PostgresCluster {
  readonly port: number;
  /** The postmaster, for tests that stop or freeze it. */
  readonly pid: number;
  /** Makes a database and returns its URL: empty, or a copy of `template`. */
  createDatabase(template?: string): Promise<string>;
  /** Runs SQL as superuser in the database `postgres`. */
  execute(sql: string): Promise<pg.QueryResult>;
  /** Kills the server as a crash would. */
  kill(): Promise<void>;
  /** Stops the server in order, cutting connections. */
  shutDown(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Starts a cluster. `fsync` off is faster, and survives the kill of the server, though not of the machine. */
export async function startPostgres(options: { fsync?: boolean } = {}): Promise<PostgresCluster> {
  if (!postgresAvailable) throw new Error('No PostgreSQL server binaries are installed.');
  const binaries = postgresAvailable;
  const folder = mkdtempSync(join(tmpdir(), 'scopeward-pg-'));
  const owner = await unprivileged();
  if (owner) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  const initdb = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
    '--no-instructions',
  ];
  await run(join(binaries, 'initdb'), initdb, { ...owner, cwd: folder });

  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    max_connections: 200,
    fsync: options.fsync ? 'on' : 'off',
    shared_buffers: '64MB',
  };
  const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const urlOf = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`;
  let server = await start();
  let databases = 0;

  async function start(): Promise<ChildProcess> {
    const child = spawn(join(binaries, 'postgres'), args, {
      ...owner,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr?.on('data', (chunk) => {
      log = (log + chunk).slice(-4_000);
    });
    for (let waited = 0; waited < 15_000; waited += 50) {
      if (child.exitCode !== null) throw new Error(`PostgreSQL did not start.\n${log}`);
      const client = new pg.Client(urlOf('postgres'));
      client.on('error', () => {});
      try {
        await client.connect();
        await client.end();
        return child;
      } catch {
        await delay(50);
      }
    }
    child.kill('SIGKILL');
    throw new Error(`PostgreSQL did not answer within 15 s.\n${log}`);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    // A frozen server takes no other signal.
    server.kill('SIGCONT');
    server.kill(signal);
    await exited;
  }

  async function execute(sql: string): Promise<pg.QueryResult> {
    const client = new pg.Client(urlOf('postgres'));
    client.on('error', () => {});
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end();
    }
  }

  return {
    port,
    get pid() {
      return server.pid ?? 0;
    },
    async createDatabase(template = 'template0') {
      databases += 1;
      const name = `test_${process.pid}_${databases}_${Date.now().toString(36)}`;
      await execute(`CREATE DATABASE ${name} TEMPLATE ${template}`);
      return urlOf(name);
    },
    execute,
    async kill() {
      const backends = childrenOf(server.pid ?? 0);
      await end('SIGKILL');
      // They would notice after a moment, and answer until then.
      for (const pid of backends) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Gone already.
        }
      }
    },
    shutDown: () => end('SIGINT'),
    async restart() {
      // After a SIGKILL the children take a moment to notice; until then the data stays theirs.
      for (let tries = 0; ; tries += 1) {
        try {
          server = await start();
          return;
        } catch (error) {
          if (tries === 50) throw error;
          await delay(100);
        }
      }
    },
    async stop() {
      await end('SIGQUIT');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Makes a database in a running cluster, known by the URL of any of its databases. */
export async function createDatabaseIn(clusterUrl: string, template = 'template0'): Promise<string> {
  const client = new pg.Client(clusterUrl);
  await client.connect();
  try {
    const name = `test_${process.pid}_${process.hrtime.bigint()}`;
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    const url = new URL(clusterUrl);
    url.pathname = `/${name}`;
    return url.href;
  } finally {
    await client.end();
  }
}

/** The server's own processes, where the system tells; their names are not needed. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function findBinaries(): string | null {
  const versions = '/usr/lib/postgresql';
  let installed: string[] = [];
  try {
    installed = readdirSync(versions).sort((a, b) => Number(b) - Number(a));
  } catch {
    // Not a Debian layout: PATH has to do.
  }
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...installed.map((version) => join(versions, version, 'bin')),
  ];
  const isComplete = (folder: string) => {
    try {
      for (const name of ['postgres', 'initdb']) accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return folders.find((folder) => folder !== '' && isComplete(folder)) ?? null;
}

/** PostgreSQL refuses to run as root: who it runs as then. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all(
        ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, user])).stdout)),
      );
      if (uid && gid) return { uid, gid };
    } catch {
      // No such user.
    }
  }
  return { uid: 65534, gid: 65534 };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No free port.');
  return address.port;
}
