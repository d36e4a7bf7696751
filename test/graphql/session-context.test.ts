// Mutation.updateSessionContext: what a visit is about, versioned, so that two writers never undo each other unnoticed.

import { beforeAll, expect, it } from 'vitest';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  type CustomerToken,
  claimsOf,
  employee,
  guest,
  isGood,
  refresh,
  serviceToken,
  signIn,
  tryAssist,
  tryLogin,
} from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const update = (bearer: string | undefined, input: object) =>
  graphql(
    at,
    `mutation ($input: UpdateSessionContextInput!) {
      updateSessionContext(input: $input) { siteCode currency language targetLocation attributes version }
    }`,
    { bearer, variables: { input } },
  );
const contextOf = async (bearer: string) => {
  const query = `{ currentPrincipal { ... on CustomerPrincipal { session { context { siteCode currency language targetLocation attributes version } } } } }`;
  return only(await graphql(at, query, { bearer })).session.context;
};
const begin = async () => {
  const { accessToken: anonymousToken } = await guest(at, { siteCode: 'main', currency: 'EUR', language: 'de' });
  return only<CustomerToken>(await tryLogin(at, { email: 'shopper@demo.example', anonymousToken }));
};

it('success: changes what is named, leaves the rest, null removes, and the version rises', async () => {
  const { accessToken } = await begin();
  const change = {
    version: 1,
    currency: 'USD',
    language: null,
    targetLocation: 'US',
    attributes: { coupon: 'X', n: 1 },
  };
  const expected = {
    siteCode: 'main',
    currency: 'USD',
    language: null,
    targetLocation: 'US',
    attributes: { coupon: 'X', n: 1 },
    version: 2,
  };
  expect(only(await update(accessToken, change))).toEqual(expected);
  expect(await contextOf(accessToken)).toEqual(expected);
});

it('success: attributes are merged key by key, null removes one', async () => {
  const { accessToken } = await begin();
  only(await update(accessToken, { version: 1, attributes: { a: 1, b: { c: [true] } } }));
  const { attributes } = only(await update(accessToken, { version: 2, attributes: { a: null, d: 'x' } }));
  expect(attributes).toEqual({ b: { c: [true] }, d: 'x' });
});

it('stays with the session through refreshes and switches of company', async () => {
  const { accessToken, refreshToken } = await signIn(at);
  only(await update(accessToken, { version: 1, siteCode: 'outlet' }));
  const acme = await refresh(at, refreshToken, { legalEntityId: 'acme' });
  expect(await contextOf(acme.accessToken)).toMatchObject({ siteCode: 'outlet', version: 2 });
});

it('grants nothing: attributes named like claims change neither token nor company', async () => {
  const { accessToken, refreshToken } = await signIn(at);
  const attributes = { legalEntityId: 'initech', session_id: 'x', scope: 'order.order_read', kind: 'employee' };
  only(await update(accessToken, { version: 1, attributes }));
  const next = await refresh(at, refreshToken);
  const { scope, jti, iat, exp, rev, ctx, ...before } = claimsOf(accessToken);
  expect(claimsOf(next.accessToken)).toMatchObject({ ...before, scope });
  expect(next.legalEntity).toBeNull();
});

it('invalid: CONFLICT STALE_VERSION for another version than the last, and nothing changes', async () => {
  const { accessToken } = await begin();
  for (const version of [0, 2, -1]) {
    const { errors } = await update(accessToken, { version, siteCode: 'other' });
    expect(errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'STALE_VERSION' });
  }
  expect(await contextOf(accessToken)).toMatchObject({ siteCode: 'main', version: 1 });
});

it('two writers at once: one has its way, the other is told', async () => {
  const { accessToken } = await begin();
  const answers = await Promise.all(['one', 'other'].map((siteCode) => update(accessToken, { version: 1, siteCode })));
  expect(answers.map(({ code }) => code ?? 'ok').sort()).toEqual(['CONFLICT', 'ok']);
  expect((await contextOf(accessToken)).version).toBe(2);
});

it.each([
  ['siteCode', 'main site'],
  ['currency', 'euro'],
  ['language', 'german!'],
  ['targetLocation', 'x'.repeat(65)],
  ['attributes', [1]],
  ['attributes', 'text'],
  ['attributes', { big: 'x'.repeat(2048) }],
])('invalid: BAD_USER_INPUT for %s that is none, as when a guest begins', async (field, value) => {
  const { accessToken } = await begin();
  const { errors } = await update(accessToken, { version: 1, [field]: value });
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: `input.${field}` });
  expect((await contextOf(accessToken)).version).toBe(1);
});

it('unauthenticated: without a bearer, and when the session has ended', async () => {
  expect((await update(undefined, { version: 1 })).code).toBe('UNAUTHENTICATED');
  const { accessToken, sessionId } = await begin();
  await at.app.modules.sessions.logout(ctxOf('demo'), sessionId);
  expect((await update(accessToken, { version: 1 })).code).toBe('UNAUTHENTICATED');
});

it('forbidden: for guests, whose context stands in the token, for clients and employees', async () => {
  const others = [await guest(at), await serviceToken(at), await employee(at, 'catalog@demo.example')];
  for (const { accessToken } of others) expect((await update(accessToken, { version: 0 })).code).toBe('FORBIDDEN');
});

it('other tenant, other sessions: changes the caller’s own session only', async () => {
  const [mine, other] = [await begin(), await signIn(at, 'mallory@rival.example')];
  only(await update(mine.accessToken, { version: 1, siteCode: 'mine' }));
  expect(await contextOf(other.accessToken)).toMatchObject({ siteCode: null, version: 1 });
});

it('an assisting employee changes the context of the assisted session, not the customer’s', async () => {
  const own = await begin();
  const support = await employee(at, 'support@demo.example');
  const assisted = only(await tryAssist(at, support.accessToken, { customerId: own.customer.id }));
  only(await update(assisted.accessToken, { version: 1, siteCode: 'phone' }));
  expect((await contextOf(own.accessToken)).siteCode).toBe('main');
  expect(await isGood(at, assisted.accessToken)).toBe(true);
});
