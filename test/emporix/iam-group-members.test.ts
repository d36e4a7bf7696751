// /iam/{tenant}/groups/{groupId}/users… and users/{userId}/groups…: who is in which group, and what follows.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenCustomerGroup, givenEmployee } from '../kit/given.ts';
import { graphql } from '../kit/graphql.ts';
import { companyGroup, eventsOf, givenGroup } from '../kit/groups.ts';
import { type RestRequest, restClient } from '../kit/rest.ts';
import { type Service, theService } from '../kit/service.ts';
import { employee, isGood, refresh, serviceToken, signIn } from '../kit/stories.ts';

let at: Service;
/** Every scope. */
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await serviceToken(at)).accessToken;
});

const client = restClient('iam');
const ask = (method: string, path: string, request: RestRequest = {}) =>
  client(at, method, `/iam/demo${path}`, { token: admin, ...request });
const usersOf = (groupId: string, path = '') => `/groups/${groupId}/users${path}`;
const membersOf = async (groupId: string): Promise<string[]> =>
  (await ask('GET', usersOf(groupId))).body.map(({ userId }: { userId: string }) => userId);

/** A company, its Admin with a token for it, and a colleague who is a contact. */
async function givenTeam() {
  const company = await givenCompany(at);
  const boss = await givenCustomer(at, { [company.id]: 'ADMIN' });
  const colleague = await givenCustomer(at, { [company.id]: null });
  const { refreshToken } = await signIn(at, boss.email);
  const { accessToken } = await refresh(at, refreshToken, { legalEntityId: company.id });
  const group = (role: string) => companyGroup(at, company.id, role);
  return { company, boss, colleague, bossToken: accessToken, group };
}

describe('putting somebody into a group', () => {
  it('takes an employee unless a type is said, and answers 201 again to whoever asks again', async () => {
    const { id: userId } = await givenEmployee(at);
    const { id: groupId } = await givenGroup(at);
    const body = { userId };
    const first = await ask('POST', usersOf(groupId), { body });
    expect([first.status, first.body]).toEqual([201, { id: `${groupId}:${userId}` }]);
    expect((await ask('POST', usersOf(groupId), { body })).status).toBe(201);
    const { body: members } = await ask('GET', usersOf(groupId));
    expect(members).toEqual([{ id: `${groupId}:${userId}`, groupId, userId, userType: 'EMPLOYEE' }]);
  });

  it('by PUT says whether it was new', async () => {
    const { id: userId } = await givenCustomer(at);
    const { id: groupId } = await givenGroup(at, { userType: 'CUSTOMER' });
    const put = () => ask('PUT', usersOf(groupId, `/customer/${userId}`));
    const first = await put();
    expect([first.status, first.body]).toEqual([201, { id: `${groupId}:${userId}` }]);
    expect((await put()).status).toBe(204);
    expect(await membersOf(groupId)).toEqual([userId]);
  });

  it('refuses other types, strangers, and groups that there are not', async () => {
    const { id: userId } = await givenEmployee(at);
    const { id: groupId } = await givenGroup(at);
    const post = (body: object, group = groupId) => ask('POST', usersOf(group), { body });
    expect((await post({ userId, userType: 'CUSTOMER' })).status).toBe(400);
    expect((await post({ userId, userType: 'VENDOR' })).body.details[0]).toMatch(/^userType: /);
    expect((await post({})).body.details[0]).toMatch(/^userId: /);
    expect((await post({ userId: 'nobody' })).body).toMatchObject({ code: 404, message: 'User not found.' });
    expect((await post({ userId }, 'nobody')).body).toMatchObject({ resourceId: 'nobody', code: 404 });
    expect((await ask('PUT', usersOf(groupId, `/VENDOR/${userId}`))).status).toBe(400);
    expect((await ask('PUT', usersOf(groupId, '/EMPLOYEE/nobody'))).status).toBe(404);
    expect(await membersOf(groupId)).toEqual([]);
  });

  it('keeps one role per company, in the words that storefronts look for', async () => {
    const { colleague, group } = await givenTeam();
    const body = { userId: colleague.id, userType: 'CUSTOMER' };
    expect((await ask('POST', usersOf(await group('BUYER')), { body })).status).toBe(201);
    for (const second of [
      await ask('POST', usersOf(await group('REQUESTER')), { body }),
      await ask('PUT', usersOf(await group('ADMIN'), `/CUSTOMER/${colleague.id}`)),
    ]) {
      expect([second.status, second.body.code]).toEqual([400, 400]);
      expect(second.body.message).toMatch(/^Cannot assign customer to more than one predefined functional group/);
    }
    const stranger = await givenCustomer(at);
    const refused = await ask('POST', usersOf(await group('BUYER')), {
      body: { userId: stranger.id, userType: 'CUSTOMER' },
    });
    expect([refused.status, refused.body.message]).toEqual([400, 'Assign the customer to the company first.']);
  });
});

describe('taking somebody out', () => {
  it('is felt at once by the token of whoever is taken out, in GraphQL too', async () => {
    const { colleague, company, group } = await givenTeam();
    await ask('POST', usersOf(await group('BUYER')), { body: { userId: colleague.id, userType: 'CUSTOMER' } });
    const { refreshToken } = await signIn(at, colleague.email);
    const { accessToken } = await refresh(at, refreshToken, { legalEntityId: company.id });
    expect(await isGood(at, accessToken)).toBe(true);
    const out = await ask('DELETE', usersOf(await group('BUYER'), `/${colleague.id}`));
    expect([out.status, out.body]).toEqual([204, undefined]);
    expect(await isGood(at, accessToken)).toBe(false);
    expect((await ask('GET', '/users/me/scopes', { token: accessToken })).status).toBe(401);
    expect((await eventsOf(at, out as any)).map(({ type }) => type)).toEqual(['group.member_removed']);
    expect((await ask('DELETE', usersOf(await group('BUYER'), `/${colleague.id}`))).status).toBe(204);
  });

  it('of all: empties the group and ends what its members had by it', async () => {
    const one = await givenEmployee(at, ['iam.group_read']);
    const { accessToken } = await employee(at, one.email);
    const emptied = await ask('DELETE', usersOf(one.groupId));
    expect(emptied.status).toBe(204);
    expect(await membersOf(one.groupId)).toEqual([]);
    expect(await isGood(at, accessToken)).toBe(false);
    expect(await eventsOf(at, emptied as any)).toMatchObject([{ type: 'group.emptied', details: { members: 1 } }]);
    expect((await ask('DELETE', usersOf('nobody'))).status).toBe(204);
  });

  it('from all: leaves nobody else alone in their groups', async () => {
    const customer = await givenCustomer(at);
    const other = await givenCustomer(at);
    const { id: groupId } = await givenCustomerGroup(at, ['order.order_read'], customer.id);
    await ask('PUT', usersOf(groupId, `/CUSTOMER/${other.id}`));
    const { accessToken } = await signIn(at, customer.email);
    expect((await ask('DELETE', `/users/${customer.id}/groups`)).status).toBe(204);
    expect(await membersOf(groupId)).toEqual([other.id]);
    expect((await ask('GET', `/users/${customer.id}/groups`)).body).toEqual([]);
    expect(await isGood(at, accessToken)).toBe(false);
    expect((await ask('DELETE', '/users/nobody/groups')).status).toBe(204);
  });
});

describe('an Admin with a token for the company', () => {
  it('sees and changes the team, by the narrow scopes', async () => {
    const { boss, colleague, bossToken: token, group } = await givenTeam();
    const buyers = await group('BUYER');
    const body = { userId: colleague.id, userType: 'CUSTOMER' };
    expect((await ask('POST', usersOf(buyers), { token, body })).status).toBe(201);
    const seen = await ask('GET', usersOf(await group('CONTACT')), { token, headers: { 'X-Total-Count': 'true' } });
    expect(seen.body.map(({ userId }: any) => userId).sort()).toEqual([boss.id, colleague.id].sort());
    expect(seen.headers.get('x-total-count')).toBe('2');
    expect((await ask('DELETE', usersOf(buyers, `/${colleague.id}`), { token })).status).toBe(204);
    expect(await membersOf(buyers)).toEqual([]);
  });

  it('case 99: reaches nobody and no group of another company', async () => {
    const { colleague, bossToken: token, group } = await givenTeam();
    const theirs = await givenTeam();
    const foreign = await theirs.group('BUYER');
    await ask('POST', usersOf(foreign), { body: { userId: theirs.colleague.id, userType: 'CUSTOMER' } });
    const join = (groupId: string, userId: string) =>
      ask('POST', usersOf(groupId), { token, body: { userId, userType: 'CUSTOMER' } });
    expect((await join(foreign, colleague.id)).status).toBe(404);
    expect((await join(await group('BUYER'), theirs.colleague.id)).status).toBe(404);
    expect((await ask('GET', usersOf(foreign), { token })).status).toBe(404);
    for (const userId of [theirs.colleague.id, 'nobody'])
      expect((await ask('DELETE', usersOf(foreign, `/${userId}`), { token })).status).toBe(403);
    expect(await membersOf(foreign)).toEqual([theirs.colleague.id]);
    expect((await ask('DELETE', usersOf(await group('BUYER')), { token })).status).toBe(403);
  });

  it('may not do so with a token for nobody, nor for a company where the role is another', async () => {
    const { boss, colleague, group } = await givenTeam();
    const { accessToken: token } = await signIn(at, boss.email);
    const body = { userId: colleague.id, userType: 'CUSTOMER' };
    expect((await ask('POST', usersOf(await group('BUYER')), { token, body })).status).toBe(403);
  });
});

describe('the groups of somebody', () => {
  it('are listed, and found one by one', async () => {
    const one = await givenEmployee(at);
    const { id: other } = await givenGroup(at);
    const { body, headers } = await ask('GET', `/users/${one.id}/groups`, { headers: { 'X-Total-Count': 'true' } });
    expect(body.map(({ id }: any) => id)).toEqual([one.groupId]);
    expect(headers.get('x-total-count')).toBe('1');
    expect((await ask('GET', `/users/${one.id}/groups/${one.groupId}`)).body.id).toBe(one.groupId);
    expect((await ask('GET', `/users/${one.id}/groups/${other}`)).status).toBe(404);
    expect((await ask('GET', '/users/nobody/groups')).body).toEqual([]);
  });

  it('pages members by number, in the order of their ids', async () => {
    const people = await Promise.all([1, 2, 3, 4, 5].map(() => givenCustomer(at)));
    const memberIds = people.map(({ id }) => id).sort();
    const { id } = await givenGroup(at, { userType: 'CUSTOMER', memberIds });
    const page = async (pageNumber: string) =>
      (await ask('GET', usersOf(id), { query: { pageNumber, pageSize: '2' } })).body.map(({ userId }: any) => userId);
    expect([await page('1'), await page('2'), await page('3')]).toEqual([
      memberIds.slice(0, 2),
      memberIds.slice(2, 4),
      memberIds.slice(4),
    ]);
  });

  it('case 109: nothing of another tenant is reached by its id', async () => {
    const { id: rivalGroup } = await givenGroup(at, {}, 'rival');
    const { id: userId } = await givenEmployee(at);
    expect((await ask('GET', `/groups/${rivalGroup}`)).status).toBe(404);
    expect((await ask('GET', usersOf(rivalGroup))).status).toBe(404);
    expect((await ask('POST', usersOf(rivalGroup), { body: { userId } })).status).toBe(404);
    await ask('DELETE', `/groups/${rivalGroup}`, { query: { forceDelete: 'true' } });
    const { accessToken: bearer } = await employee(at, 'admin@rival.example');
    const { data } = await graphql(at, 'query ($id: ID!) { group(id: $id) { id } }', {
      bearer,
      variables: { id: rivalGroup },
    });
    expect(data?.group).toEqual({ id: rivalGroup });
  });
});
