// The README of the gateways, executed: its own commands in a shell, against Scopeward, the orders service as people start
// it, and each gateway that is installed.

import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ISSUER, type Service, startService } from '../kit/service.ts';
import { gateways } from './gateways.ts';

const root = join(import.meta.dirname, '../..');
let at: Service;
let orders: ReturnType<typeof spawn>;
let said = '';

beforeAll(async () => {
  at = await startService();
  orders = spawn(process.execPath, ['--import', 'tsx', join(root, 'examples/orders-service/main.ts')], {
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

describe.each(gateways)('$title', ({ name, start }) => {
  if (!start) return it.skip(`${name} is not installed`, () => {});

  it('every command of the walk-through prints what it says', async () => {
    const service = `http://127.0.0.1:${/http:\/\/localhost:(\d+)\/graphql/.exec(said)![1]}`;
    const gateway = await start({ scopeward: at.url, service });
    const blocks = [
      ...readFileSync(join(root, 'examples/gateway/README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g),
    ];
    const script = blocks.map(([, block]) => block!).join('');
    const addressed = script.replace(
      'SCOPEWARD=http://localhost:4000 ORDERS=http://localhost:4100 SHOP=http://localhost:8080',
      `SCOPEWARD=${at.url} ORDERS=${service} SHOP=${gateway.url}`,
    );
    expect(addressed).not.toBe(script);
    try {
      const { stdout } = await promisify(execFile)('bash', ['-eu', '-c', addressed], { cwd: root, timeout: 60_000 });
      const promised = [...script.matchAll(/^# (.+)$/gm)].map(([, line]) => line!);
      expect(promised.length).toBeGreaterThan(8);
      expect(stdout.trim().split('\n').slice(-promised.length)).toEqual(promised);
      expect(said).not.toMatch(/error/i);
    } finally {
      await gateway.stop();
    }
  }, 90_000);
});
