// /customerlogin/auth/anonymous/…: guests of storefronts written for Emporix.

import { beforeAll, describe, expect, it } from 'vitest';
import { restClient } from '../kit/rest.ts';
import { type Service, startService, theService } from '../kit/service.ts';
import { claimsOf, guest, isGood, signIn, tryLogin } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const ask = restClient('customer-managed');
const storefront = { tenant: 'demo', client_id: 'demo-storefront' };
const login = (query: Record<string, string> = storefront) =>
  ask(at, 'GET', '/customerlogin/auth/anonymous/login', { query });
const again = (query: Record<string, string>) =>
  ask(at, 'GET', '/customerlogin/auth/anonymous/refresh', { query: { ...storefront, ...query } });

describe('login', () => {
  it('gives a guest of the storefront tokens, in the names and seconds of the platform', async () => {
    const { status, body, headers } = await login();
    expect(status).toBe(200);
    expect(body).toEqual({
      token_type: 'Bearer',
      access_token: expect.any(String),
      expires_in: 3_600,
      refresh_token: expect.any(String),
      refresh_token_expires_in: 86_400,
      sessionId: expect.any(String),
      scope: `${claimsOf(body.access_token).scope} tenant=demo`,
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(await isGood(at, body.access_token)).toBe(true);
  });

  it('puts what the visit is about into the token, and takes the old name of the tenant', async () => {
    const { body } = await login({
      'hybris-tenant': 'demo',
      client_id: 'demo-storefront',
      siteCode: 'main',
      currency: 'EUR',
      language: 'de',
      targetLocation: 'DE',
    });
    const mine = await ask(at, 'GET', '/customerlogin/auth/anonymous/refresh', {
      query: { ...storefront, refresh_token: body.refresh_token },
    });
    expect(claimsOf(mine.body.access_token).context).toEqual({
      siteCode: 'main',
      currency: 'EUR',
      language: 'de',
      targetLocation: 'DE',
    });
  });

  it.each([
    ['unknown client', { ...storefront, client_id: 'nobody' }],
    ['unknown tenant', { ...storefront, tenant: 'nowhere' }],
    ["another tenant's client", { ...storefront, client_id: 'rival-storefront' }],
    ['no storefront', { ...storefront, client_id: 'demo-backend' }],
  ])('%s: the gateway’s fault, one for all', async (_what, query) => {
    const { status, body } = await login(query);
    expect([status, body]).toEqual([
      401,
      { fault: { faultstring: 'Invalid ApiKey', detail: { errorcode: 'oauth.v2.InvalidApiKey' } } },
    ]);
  });

  it.each([
    ['tenant', { client_id: 'demo-storefront' }],
    ['client_id', { tenant: 'demo' }],
    ['currency', { ...storefront, currency: 'x'.repeat(200) }],
  ])('tells of a bad %s', async (field, query) => {
    const { status, body } = await login(query);
    expect([status, body.type, body.status, body.details[0].field]).toEqual([400, 'bad_request', 400, field]);
  });
});

describe('refresh', () => {
  it('keeps the session, as GraphQL sees it too', async () => {
    const first = (await login()).body;
    const { status, body } = await again({ refresh_token: first.refresh_token });
    expect([status, body.sessionId, Object.keys(body)]).toEqual([200, first.sessionId, Object.keys(first)]);
    const mine = await guest(at);
    expect((await again({ refresh_token: mine.refreshToken })).body.sessionId).toBe(mine.sessionId);
  });

  it('case 135: takes the access token in the old way, here and nowhere else, and gives no refresh token for it', async () => {
    const first = (await login()).body;
    const { status, body } = await again({ anonymous_token: first.access_token });
    expect([status, body.sessionId]).toEqual([200, first.sessionId]);
    expect(body).not.toHaveProperty('refresh_token');
    expect(body).not.toHaveProperty('refresh_token_expires_in');
    expect((await again({ refresh_token: first.access_token })).status).toBe(401);
    expect((await again({ anonymous_token: first.refresh_token })).status).toBe(401);
    expect((await again({ anonymous_token: (await signIn(at)).accessToken })).status).toBe(401);
  });

  it('refuses what is of another client or tenant, and whatever a login has claimed', async () => {
    const { accessToken, refreshToken } = await guest(at);
    expect((await again({ refresh_token: refreshToken, client_id: 'demo-backend' })).status).toBe(401);
    expect((await again({ refresh_token: refreshToken, tenant: 'rival', client_id: 'rival-storefront' })).status).toBe(
      401,
    );
    await tryLogin(at, { email: 'shopper@demo.example', anonymousToken: accessToken });
    for (const spent of [{ refresh_token: refreshToken }, { anonymous_token: accessToken }]) {
      const { status, body } = await again(spent);
      expect([status, body.type, body.status]).toEqual([401, 'unauthorized', 401]);
    }
  });

  it('without any token says which is missing', async () => {
    const { status, body } = await again({});
    expect([status, body.details[0].field]).toEqual([400, 'refresh_token']);
  });
});

it('EMPORIX_COMPAT=false leaves the routes out', async () => {
  const without = await startService({ EMPORIX_COMPAT: 'false' });
  try {
    const { status, body } = await ask(without, 'GET', '/customerlogin/auth/anonymous/login', { query: storefront });
    expect([status, body.error]).toEqual([404, 'not_found']);
  } finally {
    await without.stop();
  }
});
