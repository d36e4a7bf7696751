// Query.tenant: the caller's.

import { beforeAll, expect, it } from 'vitest';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import { employee, guest, serviceToken, signIn } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const ask = (bearer?: string) => graphql(at, '{ tenant { id name } }', { bearer });

it('success: for every kind of caller, also without any scope', async () => {
  const callers = [
    await guest(at),
    await signIn(at),
    await employee(at, 'catalog@demo.example'),
    await serviceToken(at, 'demo-crm', ['price.price_read']),
  ];
  for (const { accessToken } of callers)
    expect(only(await ask(accessToken))).toEqual({ id: 'demo', name: 'Demo shop' });
});

it('invalid, unauthenticated: UNAUTHENTICATED without a good token', async () => {
  const { refreshToken, saasToken } = await signIn(at);
  for (const bearer of [undefined, 'nonsense', refreshToken, saasToken]) {
    expect((await ask(bearer)).code).toBe('UNAUTHENTICATED');
  }
});

it('forbidden: there is no way to name another tenant', async () => {
  const { accessToken: bearer } = await serviceToken(at);
  const { data, errors } = await graphql(at, '{ tenant(id: "rival") { id } }', { bearer });
  expect(data ?? null).toBeNull();
  expect(errors[0]?.message).toMatch(/unknown argument/i);
});

it('other tenant: is the one that the token is of', async () => {
  const { accessToken } = await serviceToken(at, 'rival-backend');
  expect(only(await ask(accessToken))).toEqual({ id: 'rival', name: 'Rival shop' });
});
