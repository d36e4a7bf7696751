// Grant: an employee acts for a customer (`act`, RFC 8693 s.4.1), with the customer's scopes and never more.

import { beforeAll, expect, it } from 'vitest';
import { givenCustomer, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { givenGroup } from '../kit/groups.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  type CustomerToken,
  claimsOf,
  type EmployeeToken,
  employee,
  guest,
  headerOf,
  isGood,
  PASSWORD,
  refresh,
  serviceToken,
  signIn,
  tryAssist,
  tryRefresh,
} from '../kit/stories.ts';

let at: Service;
let support: EmployeeToken;
beforeAll(async () => {
  at = await theService();
  support = await employee(at, 'support@demo.example');
});

const assist = async (input: Record<string, unknown>) =>
  only<CustomerToken>(await tryAssist(at, support.accessToken, input));

it('success: the customer’s own scopes, the employee in act, a quarter of an hour, no refresh token', async () => {
  const own = await signIn(at, 'shopper@demo.example');
  const token = await assist({ customerId: own.customer.id });
  expect(token).toMatchObject({
    expiresIn: 900,
    refreshToken: '',
    refreshTokenExpiresIn: 0,
    scopes: own.scopes,
    legalEntity: null,
    customer: { id: own.customer.id },
  });
  expect(claimsOf(token.accessToken)).toMatchObject({
    kind: 'customer',
    sub: own.customer.id,
    act: { sub: support.employee.id },
    tenant: 'demo',
  });
  expect(headerOf(token.accessToken).typ).toBe('at+jwt');
  expect((await tryRefresh(at, token.refreshToken)).code).toBe('INVALID_GRANT');
});

it('never more than the customer has, however much the employee has; in a company what the customer has there', async () => {
  const admin = await employee(at);
  const own = await signIn(at);
  const acme = await refresh(at, own.refreshToken, { legalEntityId: 'acme' });
  const token = only<CustomerToken>(
    await tryAssist(at, admin.accessToken, { customerId: own.customer.id, legalEntityId: 'acme' }),
  );
  expect(token.scopes).toEqual(acme.scopes);
  expect(token.legalEntity?.id).toBe('acme');
});

it('is a session of its own: the customer sees it, and that it is assisted', async () => {
  const own = await signIn(at, (await givenCustomer(at)).email);
  const token = await assist({ customerId: own.customer.id });
  expect(token.sessionId).not.toBe(own.sessionId);
  const query = '{ mySessions { id assisted } }';
  expect(only(await graphql(at, query, { bearer: own.accessToken }))).toEqual(
    expect.arrayContaining([
      { id: own.sessionId, assisted: false },
      { id: token.sessionId, assisted: true },
    ]),
  );
});

it('is told to the audit trail, with the reason', async () => {
  const { id } = await givenCustomer(at);
  await assist({ customerId: id, reason: ' Called about an order ' });
  const [event] = await at.app.modules.database
    .forTenant(ctxOf('demo'))
    .auditEvent.findMany({ where: { type: 'token.assisted', subjectId: id } });
  expect(event).toMatchObject({ reason: 'Called about an order', actorId: support.employee.id });
});

it('case 128: the account stays the customer’s own business: no password, address or name, no sessions of others', async () => {
  const own = await signIn(at, (await givenCustomer(at)).email);
  const { accessToken: bearer } = await assist({ customerId: own.customer.id });
  const attempts = [
    'mutation { changePassword(input: { currentPassword: "demo-password-1", newPassword: "another password" }) { sessionsEnded } }',
    `mutation { requestEmailChange(input: { newEmail: "new@test.example", password: "${PASSWORD}" }) { acknowledged } }`,
    `mutation { updateCustomer(input: { id: "${own.customer.id}", firstName: "X" }) { id } }`,
    `mutation { updateCustomer(input: { id: "${own.customer.id}", enabled: false }) { id } }`,
    `mutation { deleteCustomer(id: "${own.customer.id}") }`,
    'mutation { logoutEverywhere { sessionsEnded } }',
    `mutation { revokeSession(id: "${own.sessionId}") { revoked } }`,
    '{ mySessions { id } }',
  ];
  for (const query of attempts) expect((await graphql(at, query, { bearer })).code, query).toBe('FORBIDDEN');
  expect(await isGood(at, own.accessToken)).toBe(true);
});

it('ends when the employee is disabled, and the customer’s own session goes on', async () => {
  const helper = await givenEmployee(at, ['customer.assisted_buying_manage']);
  const { accessToken } = await employee(at, helper.email);
  const own = await signIn(at, (await givenCustomer(at)).email);
  const token = only<CustomerToken>(await tryAssist(at, accessToken, { customerId: own.customer.id }));
  await at.app.modules.employees.update(ctxOf('demo'), helper.id, { enabled: false });
  expect(await isGood(at, token.accessToken)).toBe(false);
  expect(await isGood(at, own.accessToken)).toBe(true);
});

it('ends when the employee’s group loses the right to assist, the saas token too, and the customer’s own session goes on', async () => {
  const helper = await givenEmployee(at, []);
  const group = await givenGroup(at, { scopes: ['customer.assisted_buying_manage'], memberIds: [helper.id] });
  const { accessToken } = await employee(at, helper.email);
  const own = await signIn(at, (await givenCustomer(at)).email);
  const token = only<CustomerToken>(await tryAssist(at, accessToken, { customerId: own.customer.id }));
  expect(await isGood(at, token.accessToken)).toBe(true);
  await at.app.modules.groups.update(ctxOf('demo'), group.id, { accessControlIds: [] });
  expect(await isGood(at, token.accessToken)).toBe(false);
  const backend = await serviceToken(at);
  const query = 'query ($token: String!) { introspectToken(token: $token) { active } }';
  const variables = { token: token.saasToken };
  expect(only(await graphql(at, query, { bearer: backend.accessToken, variables }))).toEqual({ active: false });
  expect(await isGood(at, own.accessToken)).toBe(true);
});

it('ends when the customer is disabled', async () => {
  const { id } = await givenCustomer(at);
  const { accessToken } = await assist({ customerId: id });
  await at.app.modules.customers.update(ctxOf('demo'), id, { enabled: false });
  expect(await isGood(at, accessToken)).toBe(false);
});

it('invalid: BAD_USER_INPUT without a reason, or with one of more than 500 characters', async () => {
  const { id } = await givenCustomer(at);
  for (const reason of ['', '   ', 'x'.repeat(501)]) {
    const answer = await tryAssist(at, support.accessToken, { customerId: id, reason });
    expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', 'input.reason']);
  }
});

it('NOT_FOUND for a customer that is unknown or disabled; ACCESS_DENIED for a company that is not the customer’s', async () => {
  const disabled = await givenCustomer(at);
  await at.app.modules.customers.update(ctxOf('demo'), disabled.id, { enabled: false });
  for (const customerId of ['nobody', disabled.id]) {
    expect((await tryAssist(at, support.accessToken, { customerId })).code).toBe('NOT_FOUND');
  }
  const { id } = await givenCustomer(at);
  const answer = await tryAssist(at, support.accessToken, { customerId: id, legalEntityId: 'acme' });
  expect(answer.code).toBe('ACCESS_DENIED');
});

it('unauthenticated: UNAUTHENTICATED without a bearer', async () => {
  const { id } = await givenCustomer(at);
  expect((await tryAssist(at, undefined, { customerId: id })).code).toBe('UNAUTHENTICATED');
});

it('forbidden: without the scope, and with it for anybody but an employee', async () => {
  const { id } = await givenCustomer(at);
  const answer = await tryAssist(at, (await employee(at, 'catalog@demo.example')).accessToken, { customerId: id });
  expect(answer.code).toBe('FORBIDDEN');
  expect(answer.errors[0]?.extensions.missingScopes).toEqual(['customer.assisted_buying_manage']);
  const others = [await serviceToken(at), await guest(at), await assist({ customerId: id })];
  for (const { accessToken } of others) {
    expect((await tryAssist(at, accessToken, { customerId: id })).code).toBe('FORBIDDEN');
  }
});

it('other tenant: a customer of another tenant is NOT_FOUND', async () => {
  const { customer } = await signIn(at, 'mallory@rival.example');
  expect((await tryAssist(at, support.accessToken, { customerId: customer.id })).code).toBe('NOT_FOUND');
});
