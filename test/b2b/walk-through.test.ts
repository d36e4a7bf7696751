// The README of the orders service, executed: its own commands in a shell, against both services as people start them.

import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ISSUER, type Service, startService } from '../kit/service.ts';

const root = join(import.meta.dirname, '../..');
const example = join(root, 'examples/orders-service');
let at: Service;
let orders: ReturnType<typeof spawn>;
let said = '';

beforeAll(async () => {
  at = await startService();
  orders = spawn(process.execPath, ['--import', 'tsx', join(example, 'main.ts')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, SCOPEWARD_URL: at.url, SCOPEWARD_ISSUER: ISSUER, PORT: '0' },
  });
  for (const stream of [orders.stdout, orders.stderr]) stream?.on('data', (text) => (said += text));
  await vi.waitFor(() => expect(said).toContain('Ready'), { timeout: 30_000 });
}, 120_000);
afterAll(async () => {
  orders?.kill('SIGKILL');
  await at?.stop();
});

it('every command of the walk-through prints what it says', async () => {
  const blocks = [...readFileSync(join(example, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)];
  const script = blocks.map(([, block]) => block!).join('');
  const addressed = script.replace(
    'SCOPEWARD=http://localhost:4000 ORDERS=http://localhost:4100',
    `SCOPEWARD=${at.url} ORDERS=${/http:\/\/localhost:\d+(?=\/graphql)/.exec(said)![0]}`,
  );
  expect(addressed).not.toBe(script);
  const { stdout } = await promisify(execFile)('bash', ['-eu', '-c', addressed], { cwd: root, timeout: 60_000 });
  const promised = [...script.matchAll(/^# (.+)$/gm)].map(([, line]) => line!);
  expect(promised.length).toBeGreaterThan(8);
  expect(stdout.trim().split('\n').slice(-promised.length)).toEqual(promised);
  expect(said).not.toMatch(/error/i);
}, 90_000);

it('the service ends when it is told to', async () => {
  const ended = new Promise((resolve) => orders.once('exit', (code) => resolve(code)));
  orders.kill('SIGTERM');
  expect(await ended).toBe(0);
});
