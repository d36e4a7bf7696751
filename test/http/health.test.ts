// Guarantees of /healthz, /readyz and the key set (security.md cases 5, 112, 115; product.md section 7).

import { describe, expect, it } from 'vitest';
import { createHealthRoutes, type ReadinessCheck } from '../../src/http/routes/health.ts';
import { createWellKnownRoutes } from '../../src/http/routes/well-known.ts';
import { startServer } from './tiny-server.ts';

const ask = async (checks: readonly ReadinessCheck[], path = '/readyz') => {
  const { url } = await startServer({ routes: createHealthRoutes({ checks, patience: 50 }) });
  const answer = await fetch(url + path);
  return [answer.status, await answer.json()];
};

describe('health', () => {
  const away: ReadinessCheck = { name: 'database', check: async () => Promise.reject(new Error('away')) };
  const hanging: ReadinessCheck = { name: 'migrations', check: () => new Promise(() => {}) };
  const no: ReadinessCheck = { name: 'keys', check: () => false };
  const fine: ReadinessCheck = { name: 'revocations', check: () => true };

  it('case 112: is alive whatever else is away', async () => {
    expect(await ask([away, hanging], '/healthz')).toEqual([200, { status: 'alive' }]);
  });

  it('is ready only when every check passes', async () => {
    expect(await ask([fine, { name: 'database', check: async () => true }])).toEqual([200, { status: 'ready' }]);
  });

  it('case 112: is not ready, in bounded time, and names what fails, hangs or throws', async () => {
    const throwing: ReadinessCheck = {
      name: 'feed',
      check: () => {
        throw new Error('bug');
      },
    };
    expect(await ask([away, hanging, no, fine, throwing])).toEqual([
      503,
      { status: 'unavailable', failing: ['database', 'migrations', 'keys', 'feed'] },
    ]);
  });

  it('asks once for all who ask at the same time, and anew afterwards', async () => {
    let asked = 0;
    const slow: ReadinessCheck = {
      name: 'database',
      check: async () => {
        asked += 1;
        await new Promise((resolve) => setTimeout(resolve, 30));
        return true;
      },
    };
    const { url } = await startServer({ routes: createHealthRoutes({ checks: [slow] }) });
    await Promise.all(Array.from({ length: 10 }, () => fetch(`${url}/readyz`)));
    expect(asked).toBeLessThan(10);
    const before = asked;
    await fetch(`${url}/readyz`);
    expect(asked).toBe(before + 1);
  });
});

describe('jwks.json', () => {
  const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k1', alg: 'ES256', use: 'sig' };
  const start = (keys: Record<string, unknown>[]) =>
    startServer({ routes: createWellKnownRoutes({ publicJwks: () => ({ keys }) }) });

  it('serves the public keys, cacheable for five minutes, with an ETag that saves the next transfer', async () => {
    const { url } = await start([key]);
    const answer = await fetch(`${url}/.well-known/jwks.json`);
    expect([answer.status, answer.headers.get('cache-control'), await answer.json()]).toEqual([
      200,
      'public, max-age=300',
      { keys: [key] },
    ]);
    const again = await fetch(`${url}/.well-known/jwks.json`, {
      headers: { 'if-none-match': `W/${answer.headers.get('etag')}` },
    });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('answers HEAD without a body', async () => {
    const { url } = await start([key]);
    const answer = await fetch(`${url}/.well-known/jwks.json`, { method: 'HEAD' });
    expect([answer.status, Number(answer.headers.get('content-length')) > 50, await answer.text()]).toEqual([
      200,
      true,
      '',
    ]);
  });

  it('case 115: shows a rotation at once, under another ETag', async () => {
    const keys = [key];
    const { url } = await start(keys);
    const before = await fetch(`${url}/.well-known/jwks.json`);
    keys.push({ ...key, kid: 'k2' });
    const after = await fetch(`${url}/.well-known/jwks.json`, {
      headers: { 'if-none-match': before.headers.get('etag')! },
    });
    expect([after.status, ((await after.json()) as { keys: unknown[] }).keys.length]).toEqual([200, 2]);
  });

  it('never shows a private member, even if the set holds one', async () => {
    const { url } = await start([{ ...key, d: 'private', p: 'private', k: 'private' }]);
    expect(await (await fetch(`${url}/.well-known/jwks.json`)).text()).not.toContain('private');
  });
});
