// Query.mySessions and sessions, Mutation.logout, logoutEverywhere and revokeSession.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenClient, givenCustomer, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import {
  employee,
  guest,
  isGood,
  serviceToken,
  signIn,
  tryRefresh,
  tryRefreshEmployee,
  tryServiceToken,
} from '../kit/stories.ts';

let at: Service;
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
});

const ask = (query: string, bearer?: string, variables = {}) => graphql(at, query, { bearer, variables });
const logout = (bearer?: string) => ask('mutation { logout { sessionsEnded } }', bearer);
const logoutEverywhere = (bearer?: string) => ask('mutation { logoutEverywhere { sessionsEnded } }', bearer);
const revoke = (id: string, bearer?: string) =>
  ask('mutation ($id: ID!) { revokeSession(id: $id) { revoked } }', bearer, { id });
const notPeople = async () => [(await guest(at)).accessToken, (await serviceToken(at, 'demo-crm')).accessToken];

describe('mySessions', () => {
  it('success: the caller’s open sessions, newest first, and which one this is', async () => {
    const { email } = await givenCustomer(at, { acme: null });
    const [first, second, ended] = [
      await signIn(at, email),
      await signIn(at, email, { legalEntityId: 'acme' }),
      await signIn(at, email),
    ];
    only(await logout(ended.accessToken));
    const query = `{ mySessions { id kind current legalEntity { id } userAgent ipAddress assisted
      createdAt lastSeenAt expiresAt context { version } } }`;
    const sessions = only(await graphql(at, query, { bearer: first.accessToken, headers: { 'User-Agent': 'a test' } }));
    const common = { kind: 'CUSTOMER', ipAddress: '127.0.0.1', assisted: false, context: { version: 1 } };
    expect(sessions).toMatchObject([
      { ...common, id: second.sessionId, current: false, legalEntity: { id: 'acme' } },
      { ...common, id: first.sessionId, current: true, legalEntity: null },
    ]);
    expect(Date.parse(sessions[1].expiresAt) - Date.parse(sessions[1].createdAt)).toBe(30 * 86_400_000);
  });

  it('success: an employee has sessions, too', async () => {
    const { email } = await givenEmployee(at);
    const { accessToken, sessionId } = await employee(at, email);
    expect(only(await ask('{ mySessions { id kind } }', accessToken))).toEqual([{ id: sessionId, kind: 'EMPLOYEE' }]);
  });

  it('unauthenticated and forbidden: for customers and employees only', async () => {
    expect((await ask('{ mySessions { id } }')).code).toBe('UNAUTHENTICATED');
    for (const bearer of await notPeople()) expect((await ask('{ mySessions { id } }', bearer)).code).toBe('FORBIDDEN');
  });
});

describe('sessions', () => {
  it('success: a customer’s or an employee’s open sessions, newest first, page by page and from the end', async () => {
    const customer = await givenCustomer(at);
    const ids = [];
    for (let i = 0; i < 5; i += 1) ids.unshift((await signIn(at, customer.email)).sessionId);
    const page = async (args: string) => {
      const query = `{ sessions(customerId: "${customer.id}", ${args}) { totalCount nodes { id } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }`;
      const { nodes, pageInfo, totalCount } = only(await ask(query, admin));
      expect(totalCount).toBe(5);
      return { ids: nodes.map(({ id }: { id: string }) => id), ...pageInfo };
    };
    const one = await page('first: 2');
    const two = await page(`first: 2, after: "${one.endCursor}"`);
    const three = await page(`first: 2, after: "${two.endCursor}"`);
    expect([...one.ids, ...two.ids, ...three.ids]).toEqual(ids);
    expect([one.hasNextPage, two.hasNextPage, three.hasNextPage]).toEqual([true, true, false]);
    expect((await page('last: 2')).ids).toEqual(ids.slice(3));
    expect((await page(`last: 2, before: "${three.startCursor}"`)).ids).toEqual(ids.slice(2, 4));
  });

  it('success: of one employee', async () => {
    const person = await givenEmployee(at);
    const { sessionId } = await employee(at, person.email);
    const query = `{ sessions(employeeId: "${person.id}") { nodes { id } } }`;
    expect(only(await ask(query, admin)).nodes).toEqual([{ id: sessionId }]);
  });

  it('invalid: BAD_USER_INPUT for too large a page, and for a cursor of another list', async () => {
    expect((await ask('{ sessions(first: 201) { totalCount } }', admin)).code).toBe('BAD_USER_INPUT');
    for (const key of [
      ['sessions', 'not a date', 'x'],
      ['sessions', '2026-01-01T00:00:00.000Z'],
      ['scopes', 'catalog.catalog_view'],
    ]) {
      const cursor = Buffer.from(JSON.stringify(key)).toString('base64url');
      const { code, errors } = await ask(`{ sessions(after: "${cursor}") { totalCount } }`, admin);
      expect([code, errors[0]?.extensions.field], key.join()).toEqual(['BAD_USER_INPUT', 'after']);
    }
  });

  it('unauthenticated and forbidden: needs oauth.session_read', async () => {
    expect((await ask('{ sessions { totalCount } }')).code).toBe('UNAUTHENTICATED');
    const { errors } = await ask('{ sessions { totalCount } }', (await signIn(at)).accessToken);
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['oauth.session_read'] });
  });

  it('other tenant: nothing of another tenant is shown or counted', async () => {
    const { customer } = await signIn(at);
    const { accessToken } = await employee(at, 'admin@rival.example');
    const query = `{ sessions(customerId: "${customer.id}") { totalCount nodes { id } } }`;
    expect(only(await ask(query, accessToken))).toEqual({ totalCount: 0, nodes: [] });
  });
});

describe('logout', () => {
  it('success: ends this session with all of its tokens, and no other', async () => {
    const [one, other] = [await signIn(at), await signIn(at)];
    expect(only(await logout(one.accessToken))).toEqual({ sessionsEnded: 1 });
    expect(await isGood(at, one.accessToken)).toBe(false);
    expect((await tryRefresh(at, one.refreshToken)).code).toBe('INVALID_GRANT');
    expect(await isGood(at, other.accessToken)).toBe(true);
    expect((await tryRefresh(at, other.refreshToken)).errors).toEqual([]);
  });

  it('success: of an employee', async () => {
    const { accessToken, refreshToken } = await employee(at, 'catalog@demo.example');
    only(await logout(accessToken));
    expect(await isGood(at, accessToken)).toBe(false);
    expect((await tryRefreshEmployee(at, refreshToken)).code).toBe('INVALID_GRANT');
  });

  it('invalid, unauthenticated: a second time the token is no good any more', async () => {
    const { accessToken } = await signIn(at);
    only(await logout(accessToken));
    expect((await logout(accessToken)).code).toBe('UNAUTHENTICATED');
    expect((await logout()).code).toBe('UNAUTHENTICATED');
  });

  it('forbidden: for guests and clients, who have not signed in', async () => {
    for (const bearer of await notPeople()) expect((await logout(bearer)).code).toBe('FORBIDDEN');
  });
});

describe('logoutEverywhere', () => {
  it('success: ends every session of the caller, and nobody else’s', async () => {
    const { email } = await givenCustomer(at);
    const mine = [await signIn(at, email), await signIn(at, email), await signIn(at, email)];
    const other = await signIn(at);
    expect(only(await logoutEverywhere(mine[0]!.accessToken))).toEqual({ sessionsEnded: 3 });
    for (const { accessToken, refreshToken } of mine) {
      expect(await isGood(at, accessToken)).toBe(false);
      expect((await tryRefresh(at, refreshToken)).code).toBe('INVALID_GRANT');
    }
    expect(await isGood(at, other.accessToken)).toBe(true);
    expect(await isGood(at, (await signIn(at, email)).accessToken)).toBe(true);
  });

  it('unauthenticated and forbidden: for customers and employees only', async () => {
    expect((await logoutEverywhere()).code).toBe('UNAUTHENTICATED');
    for (const bearer of await notPeople()) expect((await logoutEverywhere(bearer)).code).toBe('FORBIDDEN');
  });

  it('other tenant: an account of the same address elsewhere is not touched', async () => {
    const { id, email } = await givenCustomer(at);
    const other = await signIn(at, 'mallory@rival.example');
    only(await logoutEverywhere((await signIn(at, email)).accessToken));
    expect(await isGood(at, other.accessToken)).toBe(true);
    expect(id).not.toBe(other.customer.id);
  });
});

describe('revokeSession', () => {
  it('success: one’s own, and another device is signed out', async () => {
    const { email } = await givenCustomer(at);
    const [phone, laptop] = [await signIn(at, email), await signIn(at, email)];
    expect(only(await revoke(phone.sessionId, laptop.accessToken))).toEqual({ revoked: true });
    expect(await isGood(at, phone.accessToken)).toBe(false);
    expect((await tryRefresh(at, phone.refreshToken)).code).toBe('INVALID_GRANT');
    expect(await isGood(at, laptop.accessToken)).toBe(true);
    expect(only(await revoke(phone.sessionId, laptop.accessToken))).toEqual({ revoked: true });
  });

  it('success: anybody’s with oauth.session_manage, for employees and clients', async () => {
    const [one, other] = [await signIn(at), await signIn(at)];
    only(await revoke(one.sessionId, admin));
    const client = await givenClient(at, ['oauth.session_manage']);
    const { accessToken } = only(await tryServiceToken(at, client.id, client.clientSecret));
    only(await revoke(other.sessionId, accessToken));
    for (const { accessToken: ended } of [one, other]) expect(await isGood(at, ended)).toBe(false);
  });

  it('invalid, forbidden: a session of somebody else is NOT_FOUND, like one that there is not', async () => {
    const mine = await signIn(at, 'shopper@demo.example');
    const other = await signIn(at);
    const { accessToken: support } = await employee(at, 'support@demo.example');
    const { accessToken: crm } = await serviceToken(at, 'demo-crm');
    for (const bearer of [mine.accessToken, support, crm]) {
      const [foreign, missing] = [await revoke(other.sessionId, bearer), await revoke('no-such-session', bearer)];
      expect(foreign.code).toBe('NOT_FOUND');
      expect(foreign.errors).toEqual(missing.errors);
    }
    expect(await isGood(at, other.accessToken)).toBe(true);
  });

  it('unauthenticated and forbidden: without a bearer, and for guests', async () => {
    const { accessToken, sessionId } = await guest(at);
    expect((await revoke(sessionId)).code).toBe('UNAUTHENTICATED');
    expect((await revoke(sessionId, accessToken)).code).toBe('FORBIDDEN');
  });

  it('other tenant: NOT_FOUND, whatever the scopes', async () => {
    const { accessToken, sessionId } = await signIn(at, 'mallory@rival.example');
    expect((await revoke(sessionId, admin)).code).toBe('NOT_FOUND');
    expect(await isGood(at, accessToken)).toBe(true);
  });
});
