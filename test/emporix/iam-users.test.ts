// /iam/{tenant}/users…: people and what they have; users/me: whoever asks.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenCustomerGroup, givenEmployee } from '../kit/given.ts';
import { givenControl, givenGroup, tokenWith } from '../kit/groups.ts';
import { type RestRequest, restClient } from '../kit/rest.ts';
import { type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { claimsOf, employee, guest, isGood, refresh, serviceToken, signIn } from '../kit/stories.ts';

let at: Service;
/** Every scope. */
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await serviceToken(at)).accessToken;
});

const client = restClient('iam');
const ask = (method: string, path: string, request: RestRequest = {}) =>
  client(at, method, `/iam/demo/users${path}`, { token: admin, ...request });
const withMarker = (scopes: readonly string[]) => [...scopes, 'tenant=demo'].join(' ');

describe('people', () => {
  it('are shown with their groups, in full where the query wants them', async () => {
    const one = await givenEmployee(at);
    const document = {
      id: one.id,
      firstName: 'Erin',
      lastName: 'Test',
      contactEmail: one.email,
      backofficeUserNumber: one.id,
      preferredSite: '',
      preferredCurrency: '',
      preferredLanguage: '',
      department: '',
      validFrom: one.createdAt.toISOString(),
      isAccountLocked: false,
      status: 'ACTIVE',
      groupIds: [one.groupId],
    };
    expect((await ask('GET', `/${one.id}`)).body).toEqual(document);
    expect((await ask('GET', `/${one.id}`, { query: { expand: 'groups' } })).body).toEqual({
      ...document,
      groups: [{ id: one.groupId, name: { en: expect.any(String) }, userType: 'EMPLOYEE' }],
    });
    expect((await ask('GET', '/nobody')).body).toMatchObject({ resourceId: 'nobody', code: 404 });
  });

  it('show their groups to whoever may read groups', async () => {
    const one = await givenEmployee(at);
    const token = await tokenWith(at, 'iam.user_read');
    expect((await ask('GET', `/${one.id}`, { token })).body.groupIds).toEqual([]);
  });

  it('are listed by type: employees unless said, customers with the roles that storefronts look for', async () => {
    const { id } = await givenCompany(at);
    const buyer = await givenCustomer(at, { [id]: 'BUYER' });
    const query = { userType: 'customer', expand: 'groups', pageSize: '1000' };
    const { body, headers } = await ask('GET', '', { query, headers: { 'X-Total-Count': 'true' } });
    expect(headers.get('x-total-count')).toBe(String(body.length));
    const found = body.find((each: any) => each.id === buyer.id);
    expect(found.groups.map(({ code }: any) => code).sort()).toEqual(['B2B_BUYER', 'CONTACT']);
    const one = await givenEmployee(at);
    const employees = (await ask('GET', '', { query: { pageSize: '1000' } })).body.map((each: any) => each.id);
    expect([employees.includes(one.id), employees.includes(buyer.id)]).toEqual([true, false]);
    expect((await ask('GET', '', { query: { userType: 'VENDOR' } })).body.details[0]).toMatch(/^userType: /);
  });

  it('are listed with groups by as many statements for many as for one', async () => {
    const list = (pageSize: string) => () =>
      ask('GET', '', { query: { userType: 'CUSTOMER', expand: 'groups', pageSize } });
    await givenCustomer(at, { acme: null });
    await givenCustomer(at, { globex: null });
    const [one, many] = [await fewestStatements(at, list('1')), await fewestStatements(at, list('100'))];
    expect(many).toHaveLength(one.length);
  });

  it('are made without a password, changed with their groups, and deleted', async () => {
    const [first, second] = [await givenGroup(at), await givenGroup(at)];
    const contactEmail = `rest-${randomUUID()}@test.example`;
    const rest = { preferredSite: 'main', preferredCurrency: 'EUR', preferredLanguage: 'en', department: 'IT' };
    const body = { firstName: 'Ann', lastName: 'One', contactEmail, groupIds: [first.id], ...rest };
    const made = await ask('POST', '', { body });
    expect(made.status).toBe(201);
    const path = `/${made.body.id}`;
    expect((await ask('GET', path)).body).toMatchObject({ contactEmail, groupIds: [first.id], department: '' });
    expect((await ask('POST', '', { body })).status).toBe(400);
    const changed = await ask('PUT', path, {
      body: { ...rest, firstName: 'Bea', lastName: 'One', groupIds: [second.id] },
    });
    expect([changed.status, changed.body]).toEqual([204, undefined]);
    expect((await ask('GET', path)).body).toMatchObject({ firstName: 'Bea', groupIds: [second.id] });
    expect((await ask('DELETE', path)).status).toBe(204);
    expect((await ask('GET', path)).status).toBe(404);
    expect((await ask('DELETE', path)).status).toBe(204);
  });

  it.each([
    ['POST', '', { firstName: 'A', lastName: 'B', groupIds: [] }, 400],
    ['POST', '', { firstName: 'A', lastName: 'B', contactEmail: 'none', groupIds: [] }, 400],
    ['POST', '', { firstName: 'A', lastName: 'B', contactEmail: 'a-b@test.example', groupIds: ['nobody'] }, 404],
    ['PUT', '/nobody', { firstName: 'A', lastName: 'B', groupIds: [] }, 404],
    ['PUT', '/nobody', { firstName: 'A' }, 400],
  ])('%s %s refuses %j with %i', async (method, path, body, status) => {
    expect((await ask(method, path, { body })).status).toBe(status);
  });

  it('are moved between groups by whoever may assign them only', async () => {
    const one = await givenEmployee(at);
    const { id } = await givenGroup(at);
    const token = await tokenWith(at, 'iam.user_update', 'iam.user_create');
    const names = { firstName: 'Erin', lastName: 'Test' };
    const refused = await ask('PUT', `/${one.id}`, { token, body: { ...names, groupIds: [id] } });
    expect([refused.status, refused.body.details]).toEqual([403, ['Required scope(s): iam.assignment_manage']]);
    const same = { ...names, groupIds: [one.groupId] };
    expect((await ask('PUT', `/${one.id}`, { token, body: same })).status).toBe(204);
    const account = { ...names, contactEmail: `x-${id}@test.example`, groupIds: [id] };
    expect((await ask('POST', '', { token, body: account })).status).toBe(403);
  });

  it('of vendors are none', async () => {
    const { body, headers } = await ask('GET', '/vendors/v', { headers: { 'X-Total-Count': 'true' } });
    expect([body, headers.get('x-total-count')]).toEqual([[], '0']);
  });
});

describe('what somebody has', () => {
  it('is what the next token would have; of nobody nothing', async () => {
    const one = await givenEmployee(at, ['price.price_read', 'price.price_manage']);
    const scopes = async (id: string) => (await ask('GET', `/${id}/scopes`)).body;
    expect(await scopes(one.id)).toEqual({
      userId: one.id,
      scopes: withMarker(['price.price_manage', 'price.price_read']),
    });
    const customer = await givenCustomer(at, { acme: 'ADMIN' });
    const { scopes: own } = await signIn(at, customer.email);
    expect((await scopes(customer.id)).scopes).toBe(withMarker(own));
    expect(await scopes('nobody')).toEqual({ userId: 'nobody', scopes: 'tenant=demo' });
  });

  it('is shown by access controls, of a resource too, and by permissions on it', async () => {
    const given = { roleId: 'manager', resourceId: 'price.price', scopes: ['price.price_manage', 'price.price_read'] };
    const control = await givenControl(at, given);
    const { id: userId } = await givenEmployee(at, ['order.order_read']);
    await givenGroup(at, { controlIds: [control.id], memberIds: [userId] });
    const controls = async (path = '') => (await ask('GET', `/${userId}/access-controls${path}`)).body;
    expect((await controls()).flatMap(({ scopes }: any) => scopes).sort()).toEqual(
      ['order.order_read', ...given.scopes].sort(),
    );
    expect((await controls('/price.price')).map(({ id }: any) => id)).toEqual([control.id]);
    expect(await controls('/order.order')).toEqual([]);
    const permissions = await ask('GET', `/${userId}/permissions/price.price`);
    expect(permissions.body.map(({ code }: any) => code)).toEqual(['manage', 'read']);
    expect((await ask('GET', '/nobody/access-controls')).status).toBe(404);
    expect((await ask('GET', '/nobody/permissions/price.price')).body).toEqual([]);
  });
});

describe('me', () => {
  it('has the scopes of the very token, whoever holds it', async () => {
    const { id } = await givenCompany(at);
    const customer = await givenCustomer(at, { [id]: 'ADMIN' });
    const alone = await signIn(at, customer.email);
    const forCompany = await refresh(at, alone.refreshToken, { legalEntityId: id });
    const worker = await employee(at, (await givenEmployee(at, ['price.price_read'])).email);
    for (const token of [alone, forCompany, worker, await guest(at), await serviceToken(at)]) {
      const { sub, scope } = claimsOf(token.accessToken);
      const { status, body } = await ask('GET', '/me/scopes', { token: token.accessToken });
      expect([status, body]).toEqual([200, { userId: sub, scopes: withMarker(scope.split(' ')) }]);
    }
    const { body } = await ask('GET', '/me/scopes', { token: forCompany.accessToken });
    expect(body.scopes.split(' ')).toContain('iam.assignment_create_own');
  });

  it('without any scope has the marker alone', async () => {
    const { accessToken: token } = await employee(at, (await givenEmployee(at)).email);
    expect((await ask('GET', '/me/scopes', { token })).body.scopes).toBe('tenant=demo');
  });

  it('is shown with all own groups, though the token may read no groups', async () => {
    const one = await givenEmployee(at, ['price.price_read']);
    const { accessToken: token } = await employee(at, one.email);
    const { body } = await ask('GET', '/me', { token, query: { expand: 'groups' } });
    expect([body.id, body.groupIds, body.groups.length]).toEqual([one.id, [one.groupId], 1]);
    const customer = await givenCustomer(at, { acme: 'BUYER' });
    const mine = await ask('GET', '/me', { token: (await signIn(at, customer.email)).accessToken });
    expect([mine.body.id, mine.body.groupIds.length, mine.body.firstName]).toEqual([customer.id, 2, '']);
    for (const { accessToken } of [await guest(at), await serviceToken(at)])
      expect((await ask('GET', '/me', { token: accessToken })).status).toBe(401);
  });

  it('has access controls by the groups that count for the token', async () => {
    const { id } = await givenCompany(at);
    const customer = await givenCustomer(at, { [id]: 'ADMIN' });
    await givenCustomerGroup(at, ['order.order_read'], customer.id);
    const scopesBy = async (token: string) =>
      (await ask('GET', '/me/access-controls', { token })).body.flatMap(({ scopes }: any) => scopes).sort();
    const alone = await signIn(at, customer.email);
    expect(await scopesBy(alone.accessToken)).toEqual(['order.order_read']);
    const forCompany = await refresh(at, alone.refreshToken, { legalEntityId: id });
    expect(await scopesBy(forCompany.accessToken)).toContain('iam.assignment_create_own');
    const worker = await employee(at, (await givenEmployee(at, ['price.price_read'])).email);
    expect(await scopesBy(worker.accessToken)).toEqual(['price.price_read']);
    expect(await scopesBy((await guest(at)).accessToken)).toEqual([]);
    expect(await scopesBy(admin)).toEqual([]);
  });

  it('is nobody any more once the account is deleted', async () => {
    const one = await givenEmployee(at);
    const { accessToken: token } = await employee(at, one.email);
    await ask('DELETE', `/${one.id}`);
    expect(await isGood(at, token)).toBe(false);
    expect((await ask('GET', '/me', { token })).status).toBe(401);
  });
});
