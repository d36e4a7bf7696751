// READMEs of examples, executed: the orders service as people start it, and the commands of a README in a shell.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';
import { ISSUER, type Service } from './service.ts';

const examples = join(import.meta.dirname, '../../examples');

/** The orders service, on a free port. */
export interface OrdersService {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything that it has said, on both streams. */
  said(): string;
}

/** Starts it and waits until it is ready. Whoever starts it kills it. */
export async function startOrders(at: Pick<Service, 'url'>): Promise<OrdersService> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(examples, 'orders-service/main.ts')], {
    cwd: join(examples, '..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, SCOPEWARD_URL: at.url, SCOPEWARD_ISSUER: ISSUER, PORT: '0' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  await vi.waitFor(() => expect(said).toContain('Ready'), { timeout: 30_000 });
  const [, port] = /http:\/\/localhost:(\d+)\/graphql/.exec(said)!;
  return { url: `http://127.0.0.1:${port}`, child, said: () => said };
}

/** Runs the commands of `examples/{name}/README.md`, and holds what they print against what it says that they do.
 * @param addresses the README's line of addresses, and the one to have in its place */
export async function walkThrough(name: string, addresses: readonly [readme: string, ours: string]): Promise<void> {
  const blocks = [...readFileSync(join(examples, name, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)];
  const script = blocks.map(([, block]) => block!).join('');
  const addressed = script.replace(...addresses);
  expect(addressed).not.toBe(script);
  const options = { cwd: join(examples, '..'), timeout: 60_000 };
  const { stdout } = await promisify(execFile)('bash', ['-eu', '-c', addressed], options);
  const promised = [...script.matchAll(/^# (.+)$/gm)].map(([, line]) => line!);
  expect(promised.length).toBeGreaterThan(8);
  expect(stdout.trim().split('\n').slice(-promised.length)).toEqual(promised);
}
