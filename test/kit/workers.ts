// Several workers behind one port, for tests: who there are, and doors that lead to one of them only.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServiceProcess } from './process.ts';

/** The lines of the log that say this, as data. */
export const logged = ({ output }: Pick<ServiceProcess, 'output'>, msg: string): Record<string, any>[] =>
  output()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith(`"msg":"${msg}"}`))
    .map((line) => JSON.parse(line));

/** Number and process of every worker that was ever started. */
export const workersOf = (at: Pick<ServiceProcess, 'output'>): { worker: number; pid: number }[] =>
  logged(at, 'worker started').map(({ worker, pid }) => ({ worker, pid }));

/** One that has ended and that nobody has asked after yet (a zombie) doesn't. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // Ended just now, or not Linux, where somebody asks.
    return process.platform !== 'linux';
  }
}

/** An address that passes everything on over one connection. */
export interface Door {
  readonly url: string;
  /** The worker at the other end. */
  readonly worker: number;
  close(): void;
}

/** Opens one connection, so one worker answers. The service has to log at level debug. */
export async function openDoor(at: ServiceProcess): Promise<Door> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const server = createServer((req, res) => {
    const { method, url, headers } = req;
    const passedOn = request(at.url + url, { agent, method, headers }, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(res);
    });
    passedOn.on('error', () => res.destroy());
    req.pipe(passedOn);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    worker: await answeredBy(at, await fetch(`${url}/healthz`)),
    close() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

/** Which worker has given this answer. */
async function answeredBy(at: ServiceProcess, { headers }: Response): Promise<number> {
  const requestId = headers.get('x-request-id');
  for (const deadline = performance.now() + 5_000; performance.now() < deadline; ) {
    const line = logged(at, 'answered').find((one) => one.requestId === requestId);
    if (line) return line.worker;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`No line of the log tells who answered ${requestId}.`);
}

/** Doors to as many different workers. */
export async function openDoors(at: ServiceProcess, count: number): Promise<Door[]> {
  const doors = new Map<number, Door>();
  for (let tries = 0; doors.size < count; tries += 1) {
    if (tries === 20 * count) throw new Error(`Only the workers ${[...doors.keys()]} answer.`);
    const door = await openDoor(at);
    if (doors.has(door.worker)) door.close();
    else doors.set(door.worker, door);
  }
  return [...doors.values()];
}
