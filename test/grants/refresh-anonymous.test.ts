// Grant: a guest goes on. The same session and context, a day at a time, thirty days at most.

import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { givenClient } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { ctxOf, type Service, startService, theService } from '../kit/service.ts';
import { claimsOf, type GuestToken, guest, serviceToken, signIn, tryLogin, tryRefreshGuest } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});
afterEach(() => {
  vi.useRealTimers();
});

it('success: goes on with the same session and context, in new tokens', async () => {
  const first = await guest(at, { siteCode: 'main', language: 'de' });
  const next = only<GuestToken>(await tryRefreshGuest(at, first.refreshToken));
  const [before, after] = [claimsOf(first.accessToken), claimsOf(next.accessToken)];
  expect(next).toMatchObject({ sessionId: first.sessionId, expiresIn: 3600, refreshTokenExpiresIn: 86_400 });
  expect(after).toMatchObject({ context: before.context, session_started_at: before.session_started_at });
  expect(after.jti).not.toBe(before.jti);
});

it('may be used again and again: a guest’s refresh token is not spent', async () => {
  const { refreshToken } = await guest(at);
  for (let time = 0; time < 3; time += 1) expect((await tryRefreshGuest(at, refreshToken)).errors).toEqual([]);
});

it('each refresh extends the session by a day, to thirty days after its beginning at most', async () => {
  const own = await startService({ DATABASE_URL: 'memory:' });
  try {
    const hour = 3_600_000;
    const began = Date.now();
    let { refreshToken } = await guest(own);
    vi.useFakeTimers({ toFake: ['Date'] });
    for (let passed = 20; passed < 30 * 24; passed += 20) {
      vi.setSystemTime(began + passed * hour);
      const next = only<GuestToken>(await tryRefreshGuest(own, refreshToken));
      const left = 30 * 86_400 - passed * 3600;
      expect(Math.abs(next.refreshTokenExpiresIn - Math.min(86_400, left))).toBeLessThan(30);
      refreshToken = next.refreshToken;
    }
    vi.setSystemTime(began + 30 * 24 * hour + 60_000);
    expect((await tryRefreshGuest(own, refreshToken)).code).toBe('INVALID_GRANT');
  } finally {
    vi.useRealTimers();
    await own.stop();
  }
});

it('invalid: INVALID_GRANT for text that is no token, and for tokens of every other kind', async () => {
  const { accessToken, refreshToken, saasToken } = await signIn(at);
  const { accessToken: ofGuest } = await guest(at);
  const { accessToken: ofClient } = await serviceToken(at, 'demo-crm');
  for (const token of ['', 'nonsense', 'a.b.c', accessToken, refreshToken, saasToken, ofGuest, ofClient]) {
    expect((await tryRefreshGuest(at, token)).code, token.slice(0, 20)).toBe('INVALID_GRANT');
  }
});

it('forbidden: INVALID_GRANT once a login has claimed the session, however new the guest’s token is', async () => {
  const first = await guest(at);
  const second = only<GuestToken>(await tryRefreshGuest(at, first.refreshToken));
  only(await tryLogin(at, { email: 'shopper@demo.example', anonymousToken: first.accessToken }));
  expect((await tryRefreshGuest(at, first.refreshToken)).code).toBe('INVALID_GRANT');
  expect((await tryRefreshGuest(at, second.refreshToken)).code).toBe('INVALID_GRANT');
});

it('INVALID_GRANT when the storefront has been disabled', async () => {
  const { id } = await givenClient(at, [], 'STOREFRONT');
  const { refreshToken } = await guest(at, { clientId: id });
  await at.app.modules.clients.update(ctxOf('demo'), id, { enabled: false });
  expect((await tryRefreshGuest(at, refreshToken)).code).toBe('INVALID_GRANT');
});

it('other tenant: the tokens stay of the tenant that they were of', async () => {
  const { refreshToken } = await guest(at, { tenant: 'rival', clientId: 'rival-storefront' });
  const { accessToken } = only<GuestToken>(await tryRefreshGuest(at, refreshToken));
  expect(claimsOf(accessToken).tenant).toBe('rival');
});
