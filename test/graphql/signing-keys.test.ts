// Query.signingKeys, Mutation.rotateSigningKey and retireSigningKey: next, current, retired. Nothing breaks meanwhile.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, startService } from '../kit/service.ts';
import {
  employee,
  guest,
  headerOf,
  isGood,
  serviceToken,
  signIn,
  tryRefresh,
  tryRefreshGuest,
} from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await startService({ DATABASE_URL: 'memory:' });
}, 180_000);
afterAll(() => at.stop());

interface Key {
  kid: string;
  status: string;
  algorithm: string;
  retiresAt: string | null;
}
const keyFields = 'kid status algorithm retiresAt';
// A retired key takes the caller's own token along, so each step gets a new one.
const asAdmin = async () => (await serviceToken(at)).accessToken;
const list = async (bearer?: string): Promise<Key[]> =>
  only(await graphql(at, `{ signingKeys { ${keyFields} } }`, { bearer: bearer ?? (await asAdmin()) }));
const tryRotate = (bearer?: string) => graphql(at, `mutation { rotateSigningKey { ${keyFields} } }`, { bearer });
const tryRetire = (kid: string, bearer?: string) =>
  graphql(at, `mutation ($kid: ID!) { retireSigningKey(kid: $kid, reason: "A test") { ${keyFields} } }`, {
    bearer,
    variables: { kid },
  });
const withStatus = (keys: Key[], status: string) => keys.filter((key) => key.status === status).map(({ kid }) => kid);
const published = async (): Promise<string[]> => {
  const response = await fetch(`${at.url}/.well-known/jwks.json`);
  const { keys } = (await response.json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
};

describe('signingKeys', () => {
  it('success: one current and one next, both published, and never a private part', async () => {
    const answer = await graphql(at, `{ signingKeys { ${keyFields} createdAt } }`, { bearer: await asAdmin() });
    const keys = only<Key[]>(answer);
    expect(keys.map(({ status }) => status).sort()).toEqual(['CURRENT', 'NEXT']);
    expect(keys.map(({ algorithm }) => algorithm)).toEqual(['ES256', 'ES256']);
    expect(await published()).toEqual(expect.arrayContaining(keys.map(({ kid }) => kid)));
    const jwks = await (await fetch(`${at.url}/.well-known/jwks.json`)).text();
    expect(jwks).not.toMatch(/"d"|sealed/);
  });

  it('unauthenticated and forbidden: needs oauth.key_read, and managing takes oauth.key_manage', async () => {
    const { accessToken } = await signIn(at);
    const reader = await serviceToken(at, 'demo-backend', ['oauth.key_read']);
    const [{ kid }] = (await list(reader.accessToken)) as [Key];
    expect((await graphql(at, '{ signingKeys { kid } }')).code).toBe('UNAUTHENTICATED');
    expect((await graphql(at, '{ signingKeys { kid } }', { bearer: accessToken })).code).toBe('FORBIDDEN');
    for (const attempt of [tryRotate, (bearer?: string) => tryRetire(kid, bearer)]) {
      expect((await attempt()).code).toBe('UNAUTHENTICATED');
      expect((await attempt(reader.accessToken)).code).toBe('FORBIDDEN');
    }
  });

  it('other tenant: each tenant has its own', async () => {
    const rival = await list((await employee(at, 'admin@rival.example')).accessToken);
    const demo = await list();
    expect(rival).toHaveLength(2);
    expect(demo.map(({ kid }) => kid)).not.toEqual(expect.arrayContaining(rival.map(({ kid }) => kid)));
    expect((await tryRetire(rival[0]!.kid, await asAdmin())).code).toBe('NOT_FOUND');
  });
});

describe('rotateSigningKey', () => {
  it('success: the next key signs, a new next is published, and what the old one signed stays good', async () => {
    const before = await list();
    const [customer, visitor] = [await signIn(at), await guest(at)];
    const current = only<Key>(await tryRotate(await asAdmin()));
    expect([current.kid]).toEqual(withStatus(before, 'NEXT'));
    const after = await list();
    expect(withStatus(after, 'CURRENT')).toEqual([current.kid]);
    expect(withStatus(after, 'RETIRED')).toEqual(withStatus(before, 'CURRENT'));
    expect(withStatus(after, 'NEXT')).toHaveLength(1);
    expect(await published()).toEqual(expect.arrayContaining(after.map(({ kid }) => kid)));

    expect(headerOf((await guest(at)).accessToken).kid).toBe(current.kid);
    expect(await isGood(at, customer.accessToken)).toBe(true);
    expect((await tryRefresh(at, customer.refreshToken)).errors).toEqual([]);
    expect((await tryRefreshGuest(at, visitor.refreshToken)).errors).toEqual([]);
  });

  it('the retired key stays published until the last token that it signed has expired: a day and a minute', async () => {
    const before = Date.now();
    only(await tryRotate(await asAdmin()));
    const latest = Math.max(...(await list()).map(({ retiresAt }) => Date.parse(retiresAt ?? '0')));
    expect((latest - before) / 1000).toBeGreaterThan(86_400);
    expect((latest - before) / 1000).toBeLessThan(86_400 + 120);
  });

  it('invalid: two rotations at once leave one current key and one next', async () => {
    const bearer = await asAdmin();
    await Promise.all([tryRotate(bearer), tryRotate(bearer)]);
    const keys = await list();
    expect(withStatus(keys, 'CURRENT')).toHaveLength(1);
    expect(withStatus(keys, 'NEXT')).toHaveLength(1);
    expect(await isGood(at, (await guest(at)).accessToken)).toBe(true);
  });
});

describe('retireSigningKey', () => {
  it('success: whatever the key signed is refused at once; another signs, and opaque refresh tokens go on', async () => {
    const customer = await signIn(at);
    const visitor = await guest(at);
    const [kid] = withStatus(await list(), 'CURRENT');
    const retired = only<Key>(await tryRetire(kid!, await asAdmin()));
    expect(retired).toMatchObject({ kid, status: 'RETIRED' });
    expect(await published()).not.toContain(kid);
    expect(await isGood(at, customer.accessToken)).toBe(false);
    expect((await tryRefreshGuest(at, visitor.refreshToken)).code).toBe('INVALID_GRANT');
    const next = only(await tryRefresh(at, customer.refreshToken));
    expect(await isGood(at, next.accessToken)).toBe(true);
    expect(withStatus(await list(), 'NEXT')).toHaveLength(1);
  });

  it('success: a next key is replaced', async () => {
    const [kid] = withStatus(await list(), 'NEXT');
    only(await tryRetire(kid!, await asAdmin()));
    const [replaced, ...rest] = withStatus(await list(), 'NEXT');
    expect(rest).toEqual([]);
    expect(replaced).not.toBe(kid);
  });

  it('invalid: NOT_FOUND for a key that there is not', async () => {
    expect((await tryRetire('no-such-key', await asAdmin())).code).toBe('NOT_FOUND');
  });
});

it('tenants are apart: a rotation in one leaves the other’s keys and tokens alone', async () => {
  const mallory = await signIn(at, 'mallory@rival.example');
  const [before] = [headerOf(mallory.accessToken).kid];
  only(await tryRotate(await asAdmin()));
  expect(await isGood(at, mallory.accessToken)).toBe(true);
  expect(headerOf((await signIn(at, 'mallory@rival.example')).accessToken).kid).toBe(before);
});
