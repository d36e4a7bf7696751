// Mutation.changePassword: the owner proves the old one, and every other session ends.

import { beforeAll, expect, it } from 'vitest';
import { givenCustomer, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import {
  employee,
  guest,
  isGood,
  PASSWORD,
  serviceToken,
  signIn,
  tryEmployeeLogin,
  tryLogin,
  tryRefresh,
} from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const NEW = 'an entirely new one';
const change = (bearer: string | undefined, input: object = {}) =>
  graphql(at, 'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { sessionsEnded } }', {
    bearer,
    variables: { input: { currentPassword: PASSWORD, newPassword: NEW, ...input } },
  });
const login = async (email: string, password: string) => {
  const { accessToken: anonymousToken } = await guest(at);
  return tryLogin(at, { email, password, anonymousToken });
};

it('success: the new password is good and the old one is not; the other sessions end, this one goes on', async () => {
  const { email } = await givenCustomer(at);
  const [mine, phone, laptop] = [await signIn(at, email), await signIn(at, email), await signIn(at, email)];
  expect(only(await change(mine.accessToken))).toEqual({ sessionsEnded: 2 });
  for (const { accessToken, refreshToken } of [phone, laptop]) {
    expect(await isGood(at, accessToken)).toBe(false);
    expect((await tryRefresh(at, refreshToken)).code).toBe('INVALID_GRANT');
  }
  expect(await isGood(at, mine.accessToken)).toBe(true);
  expect((await tryRefresh(at, mine.refreshToken)).errors).toEqual([]);
  expect((await login(email, PASSWORD)).code).toBe('INVALID_GRANT');
  expect((await login(email, NEW)).errors).toEqual([]);
});

it('success: an employee', async () => {
  const { email } = await givenEmployee(at);
  const [mine, other] = [await employee(at, email), await employee(at, email)];
  expect(only(await change(mine.accessToken))).toEqual({ sessionsEnded: 1 });
  expect([await isGood(at, mine.accessToken), await isGood(at, other.accessToken)]).toEqual([true, false]);
  expect((await tryEmployeeLogin(at, email, NEW)).errors).toEqual([]);
});

it.each([
  ['of 9 characters', 'x'.repeat(9)],
  ['of 257', 'x'.repeat(257)],
  ['that attackers try first', 'password123'],
])('invalid: BAD_USER_INPUT for a new password %s, and the old one stays', async (_case, newPassword) => {
  const { email } = await givenCustomer(at);
  const { accessToken } = await signIn(at, email);
  const { errors } = await change(accessToken, { newPassword });
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.newPassword' });
  expect((await login(email, PASSWORD)).errors).toEqual([]);
});

it('invalid: INVALID_GRANT for a wrong current password, and nothing changes', async () => {
  const { email } = await givenCustomer(at);
  const [mine, other] = [await signIn(at, email), await signIn(at, email)];
  expect((await change(mine.accessToken, { currentPassword: 'not the password' })).code).toBe('INVALID_GRANT');
  expect(await isGood(at, other.accessToken)).toBe(true);
  expect((await login(email, PASSWORD)).errors).toEqual([]);
});

it('guessing the current password is limited like logins', async () => {
  const { email } = await givenCustomer(at);
  const { accessToken } = await signIn(at, email);
  const codes = [];
  for (let i = 0; i < 11; i += 1) codes.push((await change(accessToken, { currentPassword: `guess ${i}` })).code);
  expect(codes.at(-1)).toBe('RATE_LIMITED');
  expect((await change(accessToken)).code).toBe('RATE_LIMITED');
});

it('unauthenticated and forbidden: for customers and employees only', async () => {
  expect((await change(undefined)).code).toBe('UNAUTHENTICATED');
  for (const { accessToken } of [await guest(at), await serviceToken(at)]) {
    expect((await change(accessToken)).code).toBe('FORBIDDEN');
  }
});

it('other tenant: an account of the same address elsewhere keeps its password', async () => {
  await givenCustomer(at, {}, 'twin@rival.example');
  const { modules } = at.app;
  const rival = { tenantId: 'rival' };
  const email = 'twin@rival.example';
  const twin = await modules.customers.findByEmail({ tenantId: 'demo' }, email);
  expect(await modules.customers.findByEmail(rival, email)).toBeNull();
  const { accessToken: anonymousToken } = await guest(at);
  const { accessToken } = only(await tryLogin(at, { email, anonymousToken }));
  const before = await modules.customers.findByEmail(rival, 'mallory@rival.example');
  only(await change(accessToken));
  expect(await modules.customers.findByEmail(rival, 'mallory@rival.example')).toEqual(before);
  expect((await modules.customers.get({ tenantId: 'demo' }, twin!.id)).passwordHash).not.toBe(twin!.passwordHash);
});
