// Query.currentPrincipal: what a token shows of its holder. Public, needs no scope, and leads no further.

import { beforeAll, expect, it } from 'vitest';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import { claimsOf, employee, guest, isGood, refresh, serviceToken, signIn, tryAssist } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const fields = `__typename id kind tenant { id name } scopes expiresAt
  ... on ServicePrincipal { client { id name kind scopes enabled } }
  ... on EmployeePrincipal { employee { id email enabled } session { id kind current } }
  ... on AnonymousPrincipal { sessionId context { version } }
  ... on CustomerPrincipal {
    customer { id email customerNumber } session { id kind current legalEntity { id } }
    legalEntity { id name } legalEntities { id name } actor { id }
  }`;
const whoAmI = async (bearer?: string) => only(await graphql(at, `{ currentPrincipal { ${fields} } }`, { bearer }));
const endOf = (token: string) => new Date(claimsOf(token).exp * 1000).toISOString();
const demo = { id: 'demo', name: 'Demo shop' };

it('success: a client', async () => {
  const { accessToken, scopes } = await serviceToken(at, 'demo-crm', ['price.price_read']);
  expect(await whoAmI(accessToken)).toEqual({
    __typename: 'ServicePrincipal',
    id: 'demo-crm',
    kind: 'SERVICE',
    tenant: demo,
    scopes,
    expiresAt: endOf(accessToken),
    client: {
      id: 'demo-crm',
      name: 'Demo CRM',
      kind: 'CUSTOM',
      scopes: ['price.price_manage', 'price.price_read', 'product.product_read'],
      enabled: true,
    },
  });
});

it('success: an employee', async () => {
  const { accessToken, employee: person, scopes, sessionId } = await employee(at, 'support@demo.example');
  expect(await whoAmI(accessToken)).toEqual({
    __typename: 'EmployeePrincipal',
    id: person.id,
    kind: 'EMPLOYEE',
    tenant: demo,
    scopes,
    expiresAt: endOf(accessToken),
    employee: { id: person.id, email: 'support@demo.example', enabled: true },
    session: { id: sessionId, kind: 'EMPLOYEE', current: true },
  });
});

it('success: a guest', async () => {
  const { accessToken, sessionId, scopes } = await guest(at);
  expect(await whoAmI(accessToken)).toEqual({
    __typename: 'AnonymousPrincipal',
    id: sessionId,
    kind: 'ANONYMOUS',
    tenant: demo,
    scopes,
    expiresAt: endOf(accessToken),
    sessionId,
    context: { version: 0 },
  });
});

it('success: a customer, with the companies to offer by name, and the one acted for', async () => {
  const plain = await signIn(at);
  const expected = {
    __typename: 'CustomerPrincipal',
    id: plain.customer.id,
    kind: 'CUSTOMER',
    tenant: demo,
    scopes: plain.scopes,
    expiresAt: endOf(plain.accessToken),
    customer: { ...plain.customer, customerNumber: expect.stringMatching(/^\d{8}$/) },
    session: { id: plain.sessionId, kind: 'CUSTOMER', current: true, legalEntity: null },
    legalEntity: null,
    legalEntities: [
      { id: 'acme', name: 'ACME' },
      { id: 'globex', name: 'Globex' },
    ],
    actor: null,
  };
  expect(await whoAmI(plain.accessToken)).toEqual(expected);
  const acme = await refresh(at, plain.refreshToken, { legalEntityId: 'acme' });
  expect(await whoAmI(acme.accessToken)).toMatchObject({
    id: plain.customer.id,
    session: { id: plain.sessionId, legalEntity: { id: 'acme' } },
    legalEntity: { id: 'acme', name: 'ACME' },
    legalEntities: expected.legalEntities,
  });
});

it('success: a customer whom an employee acts for', async () => {
  const support = await employee(at, 'support@demo.example');
  const { customer } = await signIn(at, 'shopper@demo.example');
  const { accessToken } = only(await tryAssist(at, support.accessToken, { customerId: customer.id }));
  expect(await whoAmI(accessToken)).toMatchObject({ id: customer.id, actor: { id: support.employee.id } });
});

it('invalid, unauthenticated: null without a token, and with one that is not good', async () => {
  const { saasToken, refreshToken } = await signIn(at);
  for (const bearer of [undefined, 'nonsense', saasToken, refreshToken]) expect(await whoAmI(bearer)).toBeNull();
});

it('forbidden: does not lead on to others without the scope', async () => {
  const { accessToken } = await guest(at);
  const query = '{ currentPrincipal { id } sessions { totalCount } }';
  const answer = await graphql(at, query, { bearer: accessToken });
  expect([answer.code, answer.data ?? null]).toEqual(['FORBIDDEN', null]);
});

it('other tenant: shows the tenant that the token is of', async () => {
  const { accessToken } = await signIn(at, 'mallory@rival.example');
  expect(await whoAmI(accessToken)).toMatchObject({ tenant: { id: 'rival' }, legalEntities: [{ id: 'umbrella' }] });
  expect(await isGood(at, accessToken)).toBe(true);
});
