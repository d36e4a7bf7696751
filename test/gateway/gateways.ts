// The gateways of examples/gateway, run as their README says but for the ports; and one of our own that does what Caddy
// 2.10 does with empty answers. Where a binary is missing its tests say that they are skipped; with GATEWAYS=required
// they fail.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identityHeaders } from '../../src/http/identity-headers.ts';

const examples = join(import.meta.dirname, '../../examples/gateway');

/** A gateway that runs. */
export interface Gateway {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Where the gateway asks, and where it leads to. */
export interface Behind {
  readonly scopeward: string;
  readonly service: string;
}

/** How a gateway of the examples is started. `edit`: changes the configuration first. */
export type StartGateway = (behind: Behind, edit?: (text: string) => string) => Promise<Gateway>;

function binaryOf(name: string): string | null {
  const found = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'].find((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined && process.env.GATEWAYS === 'required')
    throw new Error(`GATEWAYS=required, and ${name} is not installed.`);
  return found === undefined ? null : join(found, name);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function whenListening(port: number, child: ChildProcess, said: () => string): Promise<void> {
  for (let waited = 0; waited < 10_000 && child.exitCode === null; waited += 20) {
    const socket = connect(port, '127.0.0.1');
    const isThere = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error')]).catch(
      () => false,
    );
    socket.destroy();
    if (isThere === true) return;
    await delay(20);
  }
  child.kill('SIGKILL');
  throw new Error(`The gateway did not start.\n${said()}`);
}

async function start(
  file: string,
  command: (folder: string) => [string, ...string[]],
  { scopeward, service }: Behind,
  edit: (text: string) => string,
): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'scopeward-gateway-'));
  cpSync(examples, folder, { recursive: true });
  const port = await freePort();
  const addresses: Record<string, string> = {
    '127.0.0.1:4000': new URL(scopeward).host,
    '127.0.0.1:4100': new URL(service).host,
    ':8080': `:${port}`,
  };
  const text = readFileSync(join(folder, file), 'utf8');
  writeFileSync(
    join(folder, file),
    edit(text).replace(/127\.0\.0\.1:4[01]00|:8080/g, (address) => addresses[address]!),
  );
  const [binary, ...args] = command(folder);
  const child = spawn(binary, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Caddy keeps what it wants to keep there.
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  await whenListening(port, child, () => output);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      const exited = child.exitCode === null ? once(child, 'exit') : null;
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const same = (text: string) => text;
const nginx = binaryOf('nginx');
const caddy = binaryOf('caddy');

/** nginx as root would have its workers be somebody who may not read the folder. */
const asRoot = process.getuid?.() === 0 ? ['-g', 'user root;'] : [];

/** nginx, or null where it is not installed. */
export const startNginx: StartGateway | null = nginx
  ? (behind, edit = same) =>
      start(
        'nginx.conf',
        (folder) => [nginx, '-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf'), ...asRoot],
        behind,
        edit,
      )
  : null;

/** Caddy, or null where it is not installed. */
export const startCaddy: StartGateway | null = caddy
  ? (behind, edit = same) =>
      start(
        'Caddyfile',
        (folder) => [caddy, 'run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
        behind,
        edit,
      )
  : null;

/** Every gateway of the examples that runs here, and how its suite is called. */
export const gateways: readonly { name: string; title: string; start: StartGateway | null }[] = [
  { name: 'nginx', title: startNginx ? 'nginx' : 'nginx (not installed)', start: startNginx },
  { name: 'Caddy', title: startCaddy ? 'Caddy' : 'Caddy (not installed)', start: startCaddy },
];

/** What the service behind a gateway has got. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Names as they came, with their values. */
  readonly raw: readonly (readonly [name: string, value: string])[];
  readonly bodyLength: number;
}

/** A service that remembers what it was asked. */
export async function startEcho() {
  const received: Received[] = [];
  const server = createServer((req, res) => {
    let bodyLength = 0;
    req.on('data', (chunk: Buffer) => {
      bodyLength += chunk.length;
    });
    req.on('end', () => {
      const raw = req.rawHeaders.flatMap((name, index) =>
        index % 2 === 0 ? [[name, req.rawHeaders[index + 1]!] as const] : [],
      );
      received.push({ method: req.method!, url: req.url!, headers: req.headers, raw, bodyLength });
      res.end('served');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Takes what has come since the last time. */
    taken: () => received.splice(0),
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const send = (url: string, method: string, headers: IncomingHttpHeaders) =>
  new Promise<{ status: number; headers: IncomingHttpHeaders }>((resolve, reject) => {
    request(url, { method, headers }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode!, headers: answer.headers });
    })
      .on('error', reject)
      .end();
  });

/** A gateway that copies what the check says, but skips what is empty, as Caddy did from 2.9.1 to 2.11.1. */
export async function startSkipping({ scopeward, service }: Behind, options: { query: string; deletes: boolean }) {
  const names = identityHeaders.map((name) => name.toLowerCase());
  const spelt = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const server = createServer(async (req, res) => {
    const headers = { ...req.headers };
    if (options.deletes)
      for (const name of Object.keys(headers)) if (names.map(spelt).includes(spelt(name))) delete headers[name];
    const check = await send(`${scopeward}/forward-auth?${options.query}`, 'GET', headers);
    if (check.status !== 200) return void res.writeHead(check.status).end();
    for (const name of names) if (check.headers[name]) headers[name] = check.headers[name];
    const { status } = await send(service + req.url, req.method!, headers);
    res.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  } satisfies Gateway;
}

/** A request as it is written, so that nothing of it is tidied up. @returns the status, and the answer's text */
export function ask(
  { port }: Pick<Gateway, 'port'>,
  target: string,
  headers: readonly string[] = [],
  method = 'GET',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      const named = headers.some((header) => /^connection:/i.test(header)) ? [] : ['Connection: close'];
      socket.write([`${method} ${target} HTTP/1.1`, 'Host: shop.test', ...headers, ...named, '', ''].join('\r\n'));
    });
    socket.setEncoding('latin1');
    socket.setTimeout(5_000, () => socket.destroy(new Error(`No answer to ${method} ${target}.`)));
    socket.on('data', (chunk) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]), text }));
  });
}

/** `Authorization` for `ask`. */
export const bearer = (token: string): string => `Authorization: Bearer ${token}`;
