// Grant: a guest's first tokens. Nothing is stored; id and context live in the tokens.

import { beforeAll, expect, it } from 'vitest';
import { givenClient, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, ISSUER, type Service, theService } from '../kit/service.ts';
import { claimsOf, guest, headerOf } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const tryGuest = (input: Record<string, unknown>) =>
  graphql(at, 'mutation ($input: IssueAnonymousTokenInput!) { issueAnonymousToken(input: $input) { sessionId } }', {
    variables: { input: { tenant: 'demo', clientId: 'demo-storefront', ...input } },
  });

const guestScopes = ['coupon.coupon_redeem', 'customer.consent_manage', 'customer.consent_view'];

it('success: a fresh session, the anonymous set, an hour and a day', async () => {
  const [one, other] = [await guest(at), await guest(at)];
  expect(one).toMatchObject({
    tokenType: 'Bearer',
    expiresIn: 3600,
    refreshTokenExpiresIn: 86_400,
    scopes: guestScopes,
  });
  expect(Buffer.from(one.sessionId, 'base64url')).toHaveLength(16);
  expect(one.sessionId).not.toBe(other.sessionId);
});

it('says these things and no other, and the refresh token is of a type of its own', async () => {
  const { accessToken, refreshToken, sessionId } = await guest(at, { siteCode: 'main', currency: 'EUR' });
  const claims = claimsOf(accessToken);
  const common = {
    iss: ISSUER,
    aud: ISSUER,
    sub: sessionId,
    client_id: 'demo-storefront',
    tenant: 'demo',
    session_id: sessionId,
    session_started_at: claims.iat,
    context: { siteCode: 'main', currency: 'EUR', language: null, targetLocation: null },
    iat: expect.any(Number),
    jti: expect.any(String),
    rev: expect.any(Number),
  };
  expect(headerOf(accessToken)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
  expect(headerOf(refreshToken).typ).toBe('anonymous-refresh+jwt');
  expect(claims).toEqual({ ...common, kind: 'anonymous', scope: guestScopes.join(' '), exp: claims.iat + 3600 });
  expect(claimsOf(refreshToken)).toEqual({
    ...common,
    kind: 'anonymous-refresh',
    scope: '',
    exp: claimsOf(refreshToken).iat + 86_400,
  });
});

it('costs no write: not one statement changes anything', async () => {
  await guest(at);
  const before = at.statements.length;
  await guest(at, { siteCode: 'main' });
  const writes = at.statements
    .slice(before)
    .filter((sql) => !sql.includes('INTO client_scope_usage') && /\b(insert|update|delete)\b/i.test(sql));
  expect(writes).toEqual([]);
});

it('keeps what the visit is about in the token', async () => {
  const context = { siteCode: 'main', currency: 'EUR', language: 'de-AT', targetLocation: 'AT' };
  const { accessToken } = await guest(at, context);
  const query = `{ currentPrincipal { ... on AnonymousPrincipal { context { siteCode currency language targetLocation attributes version } } } }`;
  expect(only(await graphql(at, query, { bearer: accessToken })).context).toEqual({
    ...context,
    attributes: {},
    version: 0,
  });
});

it.each([
  ['siteCode', 'main site'],
  ['currency', 'euro'],
  ['language', 'german!'],
  ['targetLocation', 'a b'],
])('invalid: a %s that is none is BAD_USER_INPUT and named', async (field, value) => {
  const answer = await tryGuest({ [field]: value });
  expect(answer.code).toBe('BAD_USER_INPUT');
  expect(answer.errors[0]?.extensions.field).toBe(`input.${field}`);
});

it('unauthenticated: the storefront’s name is all it takes', async () => {
  expect((await tryGuest({})).errors).toEqual([]);
});

it('forbidden: INVALID_CLIENT for a client that is unknown, disabled or no storefront', async () => {
  const closed = await givenClient(at, [], 'STOREFRONT');
  await at.app.modules.clients.update(ctxOf('demo'), closed.id, { enabled: false });
  for (const clientId of ['no-such-client', 'demo-backend', 'demo-crm', closed.id]) {
    expect((await tryGuest({ clientId })).code, clientId).toBe('INVALID_CLIENT');
  }
});

it('other tenant: INVALID_CLIENT for a storefront of another tenant, and for a tenant that there is not', async () => {
  expect((await tryGuest({ tenant: 'rival' })).code).toBe('INVALID_CLIENT');
  expect((await tryGuest({ tenant: 'nowhere' })).code).toBe('INVALID_CLIENT');
});

it('lives as long as the tenant says, with the scopes that the tenant says', async () => {
  const settings = {
    anonymousTokenSeconds: 60,
    anonymousRefreshSeconds: 600,
    anonymousScopes: ['coupon.coupon_redeem'],
  };
  const tenant = await givenTenant(at, settings);
  const token = await guest(at, { tenant: tenant.id, clientId: tenant.storefront });
  expect(token).toMatchObject({ expiresIn: 60, refreshTokenExpiresIn: 600, scopes: ['coupon.coupon_redeem'] });
});

it('no token outlives the guest’s session', async () => {
  const tenant = await givenTenant(at, { anonymousSessionSeconds: 300 });
  const token = await guest(at, { tenant: tenant.id, clientId: tenant.storefront });
  expect(token).toMatchObject({ expiresIn: 300, refreshTokenExpiresIn: 300 });
});
