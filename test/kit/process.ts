// The real service as a process of its own, for tests that kill, stop or freeze it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ISSUER } from './service.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A service in a process of its own. */
export interface ServiceProcess {
  /** Where it listens. */
  readonly url: string;
  readonly pid: number;
  /** Everything that it has said so far, on both streams. */
  output(): string;
  /** The status of `/readyz`; 0 when nobody answers. */
  readiness(): Promise<number>;
  /** Resolves when it is ready. @throws Error showing its output, when it ends or takes too long */
  ready(withinMs?: number): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  readonly exited: Promise<Exit>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

const entrance = join(import.meta.dirname, '../../dist/main.js');

/** Starts the compiled `src/main.ts`; does not wait for it. `env`: as in .env.example. */
export function spawnProcess(env: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, [entrance], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_ENV: 'test',
      PORT: '0',
      ISSUER,
      TRUSTED_PROXIES: 'none',
      GRAPHIQL: 'false',
      LOG_LEVEL: 'info',
      SHUTDOWN_SECONDS: '5',
      WORKERS: '1',
      ...env,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const exited = once(child, 'exit').then(([code, signal]): Exit => ({ code, signal }));
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    isOver,
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    async kill() {
      if (isOver()) return;
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Starts the service and waits until it listens, ready or not. Whoever starts it kills it. */
export async function startProcess(env: Record<string, string>): Promise<ServiceProcess> {
  const { isOver, ...child } = spawnProcess(env);
  const until = async (isThere: () => Promise<boolean> | boolean, withinMs: number, what: string) => {
    const deadline = performance.now() + withinMs;
    while (!(await isThere())) {
      if (isOver()) throw new Error(`The service ended before it was ${what}.\n${child.output()}`);
      if (performance.now() > deadline) {
        await child.kill();
        throw new Error(`The service was not ${what} within ${withinMs} ms.\n${child.output()}`);
      }
      await delay(20);
    }
  };
  const portOf = () => /"port":(\d+),"msg":"listening"/.exec(child.output())?.[1];
  await until(() => portOf() !== undefined, 90_000, 'listening');
  const url = `http://127.0.0.1:${portOf()}`;
  const readiness = () =>
    fetch(`${url}/readyz`).then(
      ({ status }) => status,
      () => 0,
    );
  return {
    ...child,
    url,
    readiness,
    ready: (withinMs = 60_000) => until(async () => (await readiness()) === 200, withinMs, 'ready'),
  };
}
