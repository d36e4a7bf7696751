// Mutation.revokeToken (RFC 7009): holding a token is proof enough. The answer never tells whether it was good.

import { beforeAll, expect, it } from 'vitest';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import {
  employee,
  guest,
  isGood,
  refresh,
  serviceToken,
  signIn,
  tryRefresh,
  tryRefreshEmployee,
  tryRefreshGuest,
} from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const revoke = (token: string, bearer?: string) =>
  graphql(at, 'mutation ($token: String!) { revokeToken(input: { token: $token }) { revoked } }', {
    bearer,
    variables: { token },
  });

it('success: a refresh token ends its session and all that came of it', async () => {
  const first = await signIn(at);
  const next = await refresh(at, first.refreshToken, { legalEntityId: 'acme', branch: true });
  expect(only(await revoke(next.refreshToken))).toEqual({ revoked: true });
  for (const { accessToken } of [first, next]) expect(await isGood(at, accessToken)).toBe(false);
  for (const token of [next.refreshToken, next.branchedFrom!.refreshToken]) {
    expect((await tryRefresh(at, token)).code).toBe('INVALID_GRANT');
  }
});

it('success: an employee’s refresh token, too', async () => {
  const { accessToken, refreshToken } = await employee(at, 'catalog@demo.example');
  only(await revoke(refreshToken));
  expect(await isGood(at, accessToken)).toBe(false);
  expect((await tryRefreshEmployee(at, refreshToken)).code).toBe('INVALID_GRANT');
});

it('success: an access token ends alone', async () => {
  const { accessToken, refreshToken } = await signIn(at);
  only(await revoke(accessToken));
  expect(await isGood(at, accessToken)).toBe(false);
  const next = await refresh(at, refreshToken);
  expect(await isGood(at, next.accessToken)).toBe(true);
});

it('success: a service token ends alone, its client’s others live', async () => {
  const [one, other] = [await serviceToken(at, 'demo-crm'), await serviceToken(at, 'demo-crm')];
  only(await revoke(one.accessToken));
  expect([await isGood(at, one.accessToken), await isGood(at, other.accessToken)]).toEqual([false, true]);
});

it('success: a saas token ends alone', async () => {
  const { accessToken, saasToken } = await signIn(at);
  only(await revoke(saasToken));
  const query = 'query ($token: String!) { introspectToken(token: $token) { active } }';
  expect(only(await graphql(at, query, { bearer: accessToken, variables: { token: accessToken } })).active).toBe(true);
  const { accessToken: bearer } = await serviceToken(at);
  expect(only(await graphql(at, query, { bearer, variables: { token: saasToken } })).active).toBe(false);
});

it('success: a guest’s refresh token ends the guest’s session', async () => {
  const { accessToken, refreshToken } = await guest(at);
  only(await revoke(refreshToken));
  expect(await isGood(at, accessToken)).toBe(false);
  expect((await tryRefreshGuest(at, refreshToken)).code).toBe('INVALID_GRANT');
});

it('invalid: text that is no token, and a token a second time, get the same answer', async () => {
  const { accessToken, refreshToken } = await signIn(at);
  for (const token of ['', 'nonsense', `rt_${'x'.repeat(43)}`, accessToken, accessToken, refreshToken, refreshToken]) {
    expect(only(await revoke(token))).toEqual({ revoked: true });
  }
});

it('unauthenticated, forbidden, other tenant: no bearer is needed and none matters', async () => {
  const mallory = await signIn(at, 'mallory@rival.example');
  const { accessToken: bearer } = await guest(at);
  only(await revoke(mallory.refreshToken, bearer));
  expect(await isGood(at, mallory.accessToken)).toBe(false);
  expect(await isGood(at, bearer)).toBe(true);
});
