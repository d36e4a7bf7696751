// Attempts on administration through /iam/{tenant}/…: the decisions of GraphQL, in the statuses of the platform.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenEmployee, givenTenant } from '../kit/given.ts';
import {
  administratorOf,
  everything,
  givenControl,
  givenGroup,
  givenTemplate,
  tokenWith,
  tryAddMember,
  tryCreateGroup,
  tryUpdateGroup,
} from '../kit/groups.ts';
import { type RestRequest, restClient } from '../kit/rest.ts';
import { type Service, theService } from '../kit/service.ts';
import { employee, isGood } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const client = restClient('iam');
const ask = (token: string, method: string, path: string, request: RestRequest = {}) =>
  client(at, method, `/iam/${path}`, { token, ...request });

describe('case 98: nobody hands out what they lack', () => {
  const LACKED = 'order.order_manage';
  const managing = [
    'iam.group_manage',
    'iam.access_manage',
    'iam.assignment_manage',
    'iam.user_create',
    'iam.user_update',
  ];

  it('by no write that ends in a token: 403 naming the scope, and nothing is changed', async () => {
    const token = await tokenWith(at, ...managing);
    const strong = await givenControl(at, { scopes: [LACKED] });
    const weak = await givenControl(at, { scopes: ['iam.group_manage'] });
    const template = await givenTemplate(at, [strong.id]);
    const group = await givenGroup(at, { controlIds: [weak.id] });
    const strongGroup = await givenGroup(at, { controlIds: [strong.id] });
    const { id: userId } = await givenEmployee(at);
    const names = { firstName: 'A', lastName: 'B' };
    const attempts: [string, string, object | undefined][] = [
      ['POST', 'groups', { name: 'x', accessControls: [strong.id] }],
      ['POST', 'groups', { name: 'x', templates: [template.id] }],
      ['PUT', `groups/${randomUUID()}`, { name: 'x', accessControls: [strong.id] }],
      ['PUT', `groups/${group.id}`, { name: 'x', accessControls: [weak.id, strong.id] }],
      ['PUT', `groups/${strongGroup.id}`, { name: 'renamed' }],
      ['PUT', `access-controls/${randomUUID()}`, { scopes: [LACKED] }],
      ['PUT', `access-controls/${weak.id}`, { scopes: ['iam.group_manage', LACKED] }],
      ['POST', `groups/${strongGroup.id}/users`, { userId }],
      ['PUT', `groups/${strongGroup.id}/users/EMPLOYEE/${userId}`, undefined],
      ['POST', 'users', { ...names, contactEmail: `${randomUUID()}@test.example`, groupIds: [strongGroup.id] }],
      ['PUT', `users/${userId}`, { ...names, groupIds: [strongGroup.id] }],
    ];
    const before = await everything(at);
    for (const [method, path, body] of attempts) {
      const answer = await ask(token, method, `demo/${path}`, { body });
      expect([answer.status, answer.body.message], `${method} ${path}`).toEqual([
        403,
        'You need a scope for this action.',
      ]);
      expect(answer.body.details[0], `${method} ${path}`).toContain(LACKED);
    }
    expect(await everything(at)).toEqual(before);
  });

  it('and GraphQL decides alike', async () => {
    const bearer = await tokenWith(at, ...managing);
    const strong = await givenControl(at, { scopes: [LACKED] });
    const group = await givenGroup(at, { controlIds: [strong.id] });
    const { id: userId } = await givenEmployee(at);
    for (const { code } of [
      await tryCreateGroup(at, bearer, { name: 'x', userType: 'EMPLOYEE', accessControlIds: [strong.id] }),
      await tryUpdateGroup(at, bearer, { id: group.id, name: 'renamed' }),
      await tryAddMember(at, bearer, { groupId: group.id, userId }),
    ])
      expect(code).toBe('FORBIDDEN');
  });

  it('whoever holds it does', async () => {
    const token = await tokenWith(at, ...managing, LACKED);
    const strong = await givenControl(at, { scopes: [LACKED] });
    const made = await ask(token, 'POST', 'demo/groups', { body: { name: 'x', accessControls: [strong.id] } });
    expect(made.status).toBe(201);
  });
});

it('case 99: nobody promotes oneself', async () => {
  const worker = await givenEmployee(at, ['iam.assignment_manage', 'iam.access_manage', 'iam.user_update']);
  const { accessToken: token } = await employee(at, worker.email);
  const { id: mighty } = await givenGroup(at, { scopes: ['iam.group_manage'] });
  expect((await ask(token, 'POST', `demo/groups/${mighty}/users`, { body: { userId: worker.id } })).status).toBe(403);
  const names = { firstName: 'Erin', lastName: 'Test' };
  const body = { ...names, groupIds: [worker.groupId, mighty] };
  expect((await ask(token, 'PUT', `demo/users/${worker.id}`, { body })).status).toBe(403);
});

it('case 100: the last who can manage groups stays, whichever way is tried', async () => {
  const tenant = await givenTenant(at);
  const token = await administratorOf(at, tenant);
  const { id: userId } = tenant.employee;
  const groups = (await ask(token, 'GET', `${tenant.id}/users/${userId}/groups`)).body;
  const [{ id: groupId, accessControls: controls }] = groups;
  const names = { firstName: 'Tom', lastName: 'Tenant' };
  const attempts: [string, string, object | undefined, number][] = [
    ['DELETE', `groups/${groupId}?forceDelete=true`, undefined, 400],
    ['DELETE', `groups/${groupId}/users`, undefined, 403],
    ['DELETE', `groups/${groupId}/users/${userId}`, undefined, 403],
    ['DELETE', `users/${userId}/groups`, undefined, 403],
    ['DELETE', `users/${userId}`, undefined, 403],
    ['DELETE', `access-controls/${controls[0]}`, undefined, 403],
    ['PUT', `groups/${groupId}`, { name: 'x', accessControls: [] }, 400],
    ['PUT', `access-controls/${controls[0]}`, { scopes: ['price.price_read'] }, 400],
    ['PUT', `users/${userId}`, { ...names, groupIds: [] }, 400],
  ];
  for (const [method, path, body, status] of attempts) {
    const answer = await ask(token, method, `${tenant.id}/${path}`, { body });
    expect([answer.status, answer.body.message], `${method} ${path}`).toEqual([
      status,
      'Nobody would be left who can manage groups.',
    ]);
  }
  expect(await isGood(at, token)).toBe(true);
  // By another group of the same might one may go on.
  const body = { name: 'Others', accessControls: controls };
  const other = await ask(token, 'POST', `${tenant.id}/groups`, { body });
  const moved = await ask(token, 'PUT', `${tenant.id}/users/${userId}`, {
    body: { ...names, groupIds: [other.body.id] },
  });
  expect(moved.status).toBe(204);
});

it('case 108: what nobody asked for is not taken from a body', async () => {
  const token = await tokenWith(at, 'iam.group_manage', 'iam.group_read', 'iam.user_create', 'iam.user_read');
  const extra = { tenantId: 'rival', predefined: true, role: 'ADMIN', version: 9, createdAt: '2000-01-01T00:00:00Z' };
  const { body } = await ask(token, 'POST', 'demo/groups', { body: { name: 'Plain', ...extra } });
  const read = (await ask(token, 'GET', `demo/groups/${body.id}`)).body;
  expect(read).toMatchObject({ name: { en: 'Plain' }, metadata: { version: 1 } });
  expect(read).not.toHaveProperty('code');
  expect(read.metadata.createdAt).not.toContain('2000');
  const polluting = '{"name":{"__proto__":"x","en":"Still plain"},"__proto__":{"userType":"CUSTOMER"}}';
  const response = await fetch(`${at.url}/iam/demo/groups`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: polluting,
  });
  const { id } = (await response.json()) as { id: string };
  expect((await ask(token, 'GET', `demo/groups/${id}`)).body).toMatchObject({ userType: 'EMPLOYEE' });
});
