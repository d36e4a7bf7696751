// /customer-management/{tenant}/contact-assignments…: who may act for which company, by the platform's routes.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { contactsOf, rolesOf, tryAssign, tryUnassign } from '../kit/companies.ts';
import { givenCompany, givenCustomer } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { givenControl, tokenWith } from '../kit/groups.ts';
import { type RestRequest, restClient } from '../kit/rest.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { employee, isGood, refresh, serviceToken, signIn, tryRefresh } from '../kit/stories.ts';

type Customer = Awaited<ReturnType<typeof givenCustomer>>;

let at: Service;
let admin: string;
let customer: Customer;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
  customer = await givenCustomer(at);
  const named = { firstName: 'Carla', lastName: 'Contact' };
  await at.app.modules.customers.update(ctxOf('demo'), customer.id, named);
});

const ask = restClient('legal-entities');
const all = '/customer-management/demo/contact-assignments';
const call = (method: string, rest = '', request: RestRequest = {}) =>
  ask(at, method, `${all}${rest}`, { token: admin, ...request });
const pair = (legalEntityId: string, who = customer.customerNumber) => ({
  legalEntity: { id: legalEntityId },
  customer: { id: who },
});
const newId = () => `ca-${randomUUID()}`;
const assigned = async (legalEntityId: string, details: object = {}, who?: string) =>
  (await call('POST', '', { body: { ...pair(legalEntityId, who), ...details } })).body.id as string;

async function inGraphql(legalEntityId: string) {
  const query = `query ($id: ID!) { legalEntity(id: $id) { contactAssignments(first: 10) { nodes { id type primary inherited
    customer { id } } } } }`;
  return only<any>(await graphql(at, query, { bearer: admin, variables: { id: legalEntityId } })).contactAssignments
    .nodes;
}

describe('POST and GET', () => {
  it('a contact, named by number or id, who may switch to the company; both sides are shown', async () => {
    const { id: company } = await givenCompany(at);
    const body = { ...pair(company), type: 'BILLING', primary: true, mixins: { a: { b: 1 } } };
    const made = await call('POST', '', { body });
    expect([made.status, made.body]).toEqual([201, { id: expect.any(String) }]);
    const { id } = made.body;
    expect((await call('GET', `/${id}`)).body).toEqual({
      id,
      legalEntity: {
        id: company,
        name: company,
        type: 'COMPANY',
        metadata: { version: 1, createdAt: expect.any(String) },
      },
      customer: { id: customer.id, name: 'Carla', surname: 'Contact', email: customer.email },
      type: 'BILLING',
      primary: true,
      mixins: { a: { b: 1 } },
      metadata: { version: 1, createdAt: expect.any(String) },
    });
    expect(await inGraphql(company)).toEqual([
      { id, type: 'BILLING', primary: true, inherited: false, customer: { id: customer.id } },
    ]);
    expect(await rolesOf(at, customer.id)).toContain(`${company} CONTACT`);

    const other = await givenCustomer(at);
    const second = await call('POST', '', { body: { ...pair(company, other.id), id: newId() } });
    expect((await call('GET', `/${second.body.id}`, { query: { fields: 'customer,type' } })).body).toEqual({
      customer: { id: other.id, email: other.email },
      type: 'CONTACT',
    });
    const { refreshToken } = await signIn(at, other.email);
    expect((await refresh(at, refreshToken, { legalEntityId: company })).legalEntity?.id).toBe(company);
  });

  it('the contacts above inherit it, as by GraphQL', async () => {
    const { id: top } = await givenCompany(at);
    const { id: sub } = await at.app.modules.legalEntities.create(ctxOf('demo'), { name: 'Sub', parentId: top });
    await assigned(sub);
    expect(await contactsOf(at, customer.id)).toMatchObject({ [top]: 'inherited', [sub]: 'own' });
  });

  it('409: a pair that there is, however it came about, and an id that is taken', async () => {
    const { id: company } = await givenCompany(at);
    const conflict = { code: 409, status: 'Conflict', message: 'Given resource already exists.' };
    const { id } = only(await tryAssign(at, admin, { customerId: customer.id, legalEntityId: company }));
    expect(await call('POST', '', { body: pair(company) })).toMatchObject({ status: 409, body: conflict });
    const { id: another } = await givenCompany(at);
    expect(await call('POST', '', { body: { ...pair(another), id } })).toMatchObject({ status: 409, body: conflict });
    expect(await inGraphql(another)).toEqual([]);
  });

  it.each([
    ['no customer', { legalEntity: { id: 'acme' } }, 'customer'],
    ['an unknown customer', { ...{ legalEntity: { id: 'acme' } }, customer: { id: 'nobody' } }, 'customer.id'],
    ['no company', { customer: { id: '1' } }, 'legalEntity'],
    ['an unknown type', { legalEntity: { id: 'acme' }, customer: { id: '1' }, type: 'BOSS' }, 'type'],
    ['a primary that is a text', { legalEntity: { id: 'acme' }, customer: { id: '1' }, primary: 'yes' }, 'primary'],
  ])('400: %s', async (_what, body, field) => {
    const answer = await call('POST', '', { body });
    expect(answer.status).toBe(400);
    expect(answer.body.details[0]).toMatch(new RegExp(`^${field}: `));
  });

  it('400: an unknown company, one of another tenant, and a bad id', async () => {
    for (const company of ['nobody', 'rival-co'])
      expect((await call('POST', '', { body: pair(company) })).body.details[0]).toMatch(/^legalEntity.id: /);
    const { id: company } = await givenCompany(at);
    expect((await call('POST', '', { body: { ...pair(company), id: 'a b' } })).status).toBe(400);
    expect(await inGraphql(company)).toEqual([]);
  });

  it('403: nobody gives a contact scopes that they lack (case 98)', async () => {
    const { id: company } = await givenCompany(at);
    const db = at.app.modules.database.forTenant(ctxOf('demo'));
    const { id: groupId } = await db.group.findFirstOrThrow({ where: { legalEntityId: company, role: 'CONTACT' } });
    const { id: accessControlId } = await givenControl(at, { scopes: ['order.order_manage'] });
    await db.groupAccessControl.create({ data: { tenantId: 'demo', groupId, accessControlId } });
    const token = await tokenWith(at, 'customermanagement.contactassignment_manage');
    const { status, body } = await call('POST', '', { token, body: pair(company) });
    expect([status, body.status]).toEqual([403, 'Forbidden']);
    expect(await inGraphql(company)).toEqual([]);
  });
});

describe('lists', () => {
  it('by company, customer, type and primary; counted', async () => {
    const { id: company } = await givenCompany(at);
    const other = await givenCustomer(at);
    const one = await assigned(company, { id: 'a-list-1', type: 'PRIMARY', primary: true });
    const two = await assigned(company, { id: 'a-list-2' }, other.id);
    const found = async (query: Record<string, string>) => {
      const { body, headers } = await call('GET', '', {
        query: { 'legalEntity.id': company, ...query },
        headers: { 'X-Total-Count': 'true' },
      });
      return [body.map(({ id }: { id: string }) => id), headers.get('x-total-count')];
    };
    expect(await found({})).toEqual([[one, two], '2']);
    expect(await found({ sort: 'id:desc', pageSize: '1' })).toEqual([[two], '2']);
    expect(await found({ 'customer.id': customer.customerNumber })).toEqual([[one], '1']);
    expect(await found({ 'customer.id': other.id })).toEqual([[two], '1']);
    expect(await found({ type: 'CONTACT' })).toEqual([[two], '1']);
    expect(await found({ primary: 'true' })).toEqual([[one], '1']);
    expect(
      await found({ q: `primary:false customer.id:(${customer.customerNumber},${other.customerNumber})` }),
    ).toEqual([[two], '1']);
    const asked = (pageSize: string) =>
      fewestStatements(at, () => call('GET', '', { query: { 'legalEntity.id': company, pageSize } }));
    expect((await asked('2')).length).toBe((await asked('1')).length);
  });

  it.each([
    ['primary', { primary: 'yes' }],
    ['type', { type: 'BOSS' }],
    ['q', { q: 'customer.email:x' }],
  ])('400: a bad %s', async (field, query) => {
    const { status, body } = await call('GET', '', { query });
    expect([status, body.details[0].split(':')[0]]).toEqual([400, field]);
  });
});

describe('PUT', () => {
  it('makes one under the id of the path, and changes it by its version', async () => {
    const { id: company } = await givenCompany(at);
    const id = newId();
    const put = (changed: object) => call('PUT', `/${id}`, { body: { ...pair(company), type: 'CONTACT', ...changed } });
    const made = await put({});
    expect([made.status, made.body]).toEqual([201, { id }]);
    expect((await put({ type: 'LOGISTICS', primary: true, metadata: { version: 1 } })).status).toBe(204);
    expect(await inGraphql(company)).toMatchObject([{ id, type: 'LOGISTICS', primary: true }]);
    expect((await call('GET', `/${id}`)).body.metadata.version).toBe(2);
    expect(await put({})).toMatchObject({
      status: 400,
      body: { message: 'The document version has to be provided on update operations.', resourceId: id },
    });
    expect((await put({ metadata: { version: 1 } })).status).toBe(409);
    expect(await inGraphql(company)).toMatchObject([{ type: 'LOGISTICS' }]);
  });

  it('makes an inherited assignment one of its own', async () => {
    const { id: top } = await givenCompany(at);
    const { id: sub } = await at.app.modules.legalEntities.create(ctxOf('demo'), { name: 'Sub', parentId: top });
    const cause = await assigned(sub);
    const [{ id }] = await inGraphql(top);
    const body = { ...pair(top), type: 'CONTACT', metadata: { version: 1 } };
    expect((await call('PUT', `/${id}`, { body })).status).toBe(204);
    await call('DELETE', `/${cause}`);
    expect(await contactsOf(at, customer.id)).toMatchObject({ [top]: 'own' });
  });

  it('400: another customer or company than it is of; 409: a pair that has one', async () => {
    const [{ id: company }, { id: elsewhere }] = [await givenCompany(at), await givenCompany(at)];
    const id = await assigned(company);
    const other = await givenCustomer(at);
    for (const body of [pair(elsewhere), pair(company, other.id), pair(company, 'nobody')])
      expect(
        (await call('PUT', `/${id}`, { body: { ...body, type: 'CONTACT', metadata: { version: 1 } } })).status,
      ).toBe(400);
    expect((await call('PUT', `/${newId()}`, { body: { ...pair(company), type: 'CONTACT' } })).status).toBe(409);
    expect(await inGraphql(company)).toMatchObject([{ id, customer: { id: customer.id } }]);
  });
});

describe('DELETE', () => {
  it('case 42: takes the customer out of the company, and refuses the B2B token at once', async () => {
    const { id: company } = await givenCompany(at);
    const buyer = await givenCustomer(at, { [company]: 'BUYER' });
    const plain = await signIn(at, buyer.email);
    const { accessToken, refreshToken } = await refresh(at, plain.refreshToken, { legalEntityId: company });
    expect(await isGood(at, accessToken)).toBe(true);
    const [{ id }] = await inGraphql(company);
    const { status, body } = await call('DELETE', `/${id}`);
    expect([status, body]).toEqual([204, undefined]);
    expect(await isGood(at, accessToken)).toBe(false);
    expect(await rolesOf(at, buyer.id)).toEqual([]);
    expect((await tryRefresh(at, refreshToken, { legalEntityId: company })).data?.refreshCustomerToken).toBeFalsy();
    expect((await call('DELETE', `/${id}`)).status).toBe(404);
  });

  it('404 on every route for one that GraphQL has taken away', async () => {
    const { id: company } = await givenCompany(at);
    const id = await assigned(company);
    only(await tryUnassign(at, admin, id));
    for (const method of ['GET', 'DELETE'])
      expect(await call(method, `/${id}`)).toMatchObject({ status: 404, body: { code: 404, resourceId: id } });
  });
});

it.each([
  ['GET', ''],
  ['POST', '', { legalEntity: { id: 'acme' }, customer: { id: '1' } }],
  ['GET', '/some'],
  ['PUT', '/some', { legalEntity: { id: 'acme' }, customer: { id: '1' }, type: 'CONTACT' }],
  ['DELETE', '/some'],
])(
  '%s %s: 401 without a good bearer, or with another tenant’s; 403 without the scope',
  async (method, rest, body?: object) => {
    const with_ = (token: string | undefined) => call(method, rest, { token, ...(body && { body }) });
    const { accessToken: rivals } = await serviceToken(at, 'rival-backend');
    for (const token of [undefined, 'nonsense', rivals])
      expect(await with_(token)).toMatchObject({
        status: 401,
        body: { fault: { faultstring: 'Invalid access token' } },
      });
    const poor = await tokenWith(at, 'customermanagement.legalentity_read', 'customermanagement.legalentity_manage');
    const shopper = (await signIn(at)).accessToken;
    for (const token of [poor, shopper])
      expect(await with_(token)).toMatchObject({ status: 403, body: { code: 403, status: 'Forbidden' } });
  },
);
