// Mutation.registerCustomer: a guest makes an account, and signs in with the same anonymous token.

import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import { type CustomerToken, employee, guest, serviceToken, signIn, tryLogin } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const PASSWORD = 'correct horse battery';
const newEmail = () => `new-${randomUUID()}@test.example`;
const register = (bearer: string | undefined, input: object = {}) =>
  graphql(
    at,
    `mutation ($input: RegisterCustomerInput!) {
      registerCustomer(input: $input) { id customerNumber email firstName lastName enabled }
    }`,
    { bearer, variables: { input: { email: newEmail(), password: PASSWORD, ...input } } },
  );

it('success: an account, and a login that keeps the guest’s session', async () => {
  const visitor = await guest(at);
  const email = newEmail();
  const customer = only(await register(visitor.accessToken, { email, firstName: 'Nora', lastName: 'New' }));
  expect(customer).toEqual({
    id: expect.any(String),
    customerNumber: expect.stringMatching(/^\d{8}$/),
    email,
    firstName: 'Nora',
    lastName: 'New',
    enabled: true,
  });
  const login = { email, password: PASSWORD, anonymousToken: visitor.accessToken };
  const token = only<CustomerToken>(await tryLogin(at, login));
  expect(token).toMatchObject({ sessionId: visitor.sessionId, customer: { id: customer.id } });
});

it('success: an address has one spelling, in which it is found again', async () => {
  const visitor = await guest(at);
  const email = newEmail();
  expect(only(await register(visitor.accessToken, { email: ` ${email.toUpperCase()} ` })).email).toBe(email);
  const login = { email: email.toUpperCase(), password: PASSWORD, anonymousToken: visitor.accessToken };
  expect((await tryLogin(at, login)).errors).toEqual([]);
});

it('invalid: CONFLICT EMAIL_TAKEN for an address that has an account, in whatever spelling', async () => {
  const { accessToken } = await guest(at);
  for (const email of ['shopper@demo.example', 'SHOPPER@Demo.Example']) {
    const { errors } = await register(accessToken, { email });
    expect(errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'EMAIL_TAKEN' });
  }
});

it.each([
  ['email', 'nobody'],
  ['email', 'mıke@test.example'],
  ['email', `${'x'.repeat(65)}@test.example`],
  ['password', 'too short'],
  ['password', 'x'.repeat(257)],
  ['password', 'password123'],
])('invalid: BAD_USER_INPUT for the %s %s', async (field, value) => {
  const { errors } = await register((await guest(at)).accessToken, { [field]: value });
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: `input.${field}` });
});

it('gives nothing by itself: the new customer is in no group and no company', async () => {
  const email = newEmail();
  only(await register((await guest(at)).accessToken, { email }));
  const { accessToken: anonymousToken } = await guest(at);
  const { scopes } = only<CustomerToken>(await tryLogin(at, { email, password: PASSWORD, anonymousToken }));
  expect(scopes).toEqual((await signIn(at, 'shopper@demo.example')).scopes);
});

it('unauthenticated and forbidden: for guests only', async () => {
  expect((await register(undefined)).code).toBe('UNAUTHENTICATED');
  for (const { accessToken } of [await signIn(at), await serviceToken(at), await employee(at)]) {
    expect((await register(accessToken)).code).toBe('FORBIDDEN');
  }
});

it('other tenant: the account is of the guest’s tenant; the same address may have one in each', async () => {
  const { accessToken } = await guest(at, { tenant: 'rival', clientId: 'rival-storefront' });
  const email = newEmail();
  only(await register(accessToken, { email }));
  const { accessToken: anonymousToken } = await guest(at);
  expect((await tryLogin(at, { email, password: PASSWORD, anonymousToken })).code).toBe('INVALID_GRANT');
  expect((await register(anonymousToken, { email })).errors).toEqual([]);
});
