// Query.legalEntities and Query.legalEntity, and what leads on from a legal entity.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { administratorOf, tokenWith } from '../kit/groups.ts';
import { readPages } from '../kit/pages.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { employee, refresh, signIn } from '../kit/stories.ts';

let at: Service;
let support: string;
beforeAll(async () => {
  at = await theService();
  support = (await employee(at, 'support@demo.example')).accessToken;
});

const one = (bearer: string | undefined, id: string, fields = 'id') =>
  graphql(at, `query ($id: ID!) { legalEntity(id: $id) { ${fields} } }`, { bearer, variables: { id } });

/** Somebody of a company, with a token for it. */
async function memberOf(company: string, role: 'ADMIN' | 'BUYER' = 'BUYER') {
  const customer = await givenCustomer(at, { [company]: role });
  const { refreshToken } = await signIn(at, customer.email);
  return { ...customer, token: await refresh(at, refreshToken, { legalEntityId: company }) };
}

describe('legalEntity', () => {
  it('success: what it is, where it stands and who belongs to it', async () => {
    const fields = `id name type enabled parent { id name } subsidiaries { id } accountLimit { value } locations { name }
      customerGroups { role } contactAssignments(first: 200) { totalCount nodes { type primary inherited customer { email }
      legalEntity { id } } }`;
    const acme = only<any>(await one(support, 'acme', fields));
    expect(acme).toMatchObject({
      id: 'acme',
      name: 'ACME',
      type: 'COMPANY',
      enabled: true,
      parent: null,
      subsidiaries: expect.arrayContaining([{ id: 'acme-berlin' }]),
      accountLimit: null,
      locations: [],
      customerGroups: [{ role: 'ADMIN' }, { role: 'BUYER' }, { role: 'CONTACT' }, { role: 'REQUESTER' }],
    });
    const buyer = acme.contactAssignments.nodes.find(({ customer }: any) => customer.email === 'buyer@demo.example');
    expect(buyer).toEqual({
      type: 'CONTACT',
      primary: false,
      inherited: false,
      customer: { email: 'buyer@demo.example' },
      legalEntity: { id: 'acme' },
    });
    expect(only(await one(support, 'acme-berlin', 'type parent { id }'))).toEqual({
      type: 'SUBSIDIARY',
      parent: { id: 'acme' },
    });
  });

  it('null for an unknown one, for one of another tenant, and with `_own` for one that is not the caller’s', async () => {
    for (const id of ['nothing', 'umbrella', '']) expect(only(await one(support, id))).toBeNull();
    const { token } = await memberOf((await givenCompany(at)).id);
    expect(only(await one(token.accessToken, 'acme'))).toBeNull();
  });

  it('with `_own`: parent, subsidiaries and account limit of what the caller is assigned to, and no more', async () => {
    const { legalEntities, contactAssignments } = at.app.modules;
    const parent = await givenCompany(at);
    const ours = await legalEntities.create(ctxOf('demo'), {
      name: 'Ours',
      parentId: parent.id,
      accountLimit: { currency: 'EUR', value: '2500' },
    });
    const below = await legalEntities.create(ctxOf('demo'), { name: 'Below', parentId: ours.id });
    const fields = 'id parent { id } subsidiaries { id } accountLimit { currency value }';
    const member = await memberOf(ours.id);
    const seen = only(await one(member.token.accessToken, ours.id, fields));
    expect(seen).toEqual({
      id: ours.id,
      // By inheritance a contact of the parent too.
      parent: { id: parent.id },
      subsidiaries: [],
      accountLimit: { currency: 'EUR', value: '2500.00' },
    });
    await contactAssignments.unassign(ctxOf('demo'), { customerId: member.id, legalEntityId: parent.id });
    const after = only(await one(member.token.accessToken, ours.id, fields));
    expect(after).toMatchObject({ parent: null, subsidiaries: [] });
    expect(only(await one(support, ours.id, fields))).toMatchObject({
      parent: { id: parent.id },
      subsidiaries: [{ id: below.id }],
    });
  });

  it('unauthenticated and forbidden: it, and each field that leads on', async () => {
    expect((await one(undefined, 'acme')).code).toBe('UNAUTHENTICATED');
    expect((await one(await tokenWith(at, 'price.price_read'), 'acme')).code).toBe('FORBIDDEN');
    const bearer = await tokenWith(at, 'customermanagement.legalentity_read');
    for (const [field, scope] of [
      ['customerGroups { id }', 'iam.group_read'],
      ['contactAssignments { totalCount }', 'customermanagement.contactassignment_read'],
      ['locations { id }', 'customermanagement.location_read'],
    ] as const) {
      const answer = await one(bearer, 'acme', field);
      expect([field, answer.code, answer.errors[0]?.extensions.missingScopes]).toEqual([field, 'FORBIDDEN', [scope]]);
    }
    const contacts = await tokenWith(
      at,
      'customermanagement.legalentity_read',
      'customermanagement.contactassignment_read',
    );
    const answer = await one(contacts, 'acme', 'contactAssignments { nodes { customer { email } } }');
    expect(answer.errors[0]?.extensions.missingScopes).toEqual(['customer.customer_read']);
  });
});

describe('legalEntities', () => {
  it('success: by name, a page at a time, back and forth, with the total when asked', async () => {
    const tenant = await givenTenant(at);
    const admin = await administratorOf(at, tenant);
    for (const name of ['Gamma', 'Alpha', 'Beta', 'Alpha'])
      await at.app.modules.legalEntities.create(ctxOf(tenant.id), { name });
    const names = ['Alpha', 'Alpha', 'Beta', 'Company', 'Gamma'];
    for (const backwards of [false, true]) {
      const read = await readPages(at, admin, 'legalEntities', { size: 2, fields: 'name id', backwards });
      expect(read.nodes.map(({ name }) => name)).toEqual(names);
      expect(new Set(read.nodes.map(({ id }) => id)).size).toBe(5);
      expect(new Set(read.totals)).toEqual(new Set([5]));
    }
  });

  it('search in name and id as plain text, and filters by type and state', async () => {
    const tenant = await givenTenant(at);
    const admin = await administratorOf(at, tenant);
    const { legalEntities } = at.app.modules;
    await legalEntities.create(ctxOf(tenant.id), { id: 'one', name: '100% Ltd' });
    await legalEntities.create(ctxOf(tenant.id), { id: 'two', name: 'Branch', parentId: 'one', enabled: false });
    const ids = async (args: string) =>
      only<any>(await graphql(at, `{ legalEntities(${args}) { nodes { id } } }`, { bearer: admin })).nodes.map(
        ({ id }: any) => id,
      );
    expect(await ids('search: "ltd"')).toEqual(['one']);
    expect(await ids('search: "0%"')).toEqual(['one']);
    expect(await ids('search: "TWO"')).toEqual(['two']);
    expect(await ids('search: "_"')).toEqual([]);
    expect(await ids('type: SUBSIDIARY')).toEqual(['two']);
    expect(await ids('enabled: true')).toEqual(['one', 'company']);
    expect(await ids('enabled: false, type: COMPANY')).toEqual([]);
  });

  it('with `_own`: those that the caller is assigned to, acting for a company or not', async () => {
    const [first, second] = [await givenCompany(at), await givenCompany(at)];
    const customer = await givenCustomer(at, { [first.id]: 'ADMIN', [second.id]: null });
    const plain = await signIn(at, customer.email);
    const query = '{ legalEntities { totalCount nodes { id } } }';
    const expected = {
      totalCount: 2,
      nodes: [first, second].map(({ id }) => ({ id })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    };
    expect(only(await graphql(at, query, { bearer: plain.accessToken }))).toEqual(expected);
    const { accessToken } = await refresh(at, plain.refreshToken, { legalEntityId: first.id });
    expect(only(await graphql(at, query, { bearer: accessToken }))).toEqual(expected);
    // An employee, a client and a guest are assigned to nothing.
    const own = await tokenWith(at, 'customermanagement.legalentity_read_own');
    expect(only(await graphql(at, query, { bearer: own }))).toEqual({ totalCount: 0, nodes: [] });
  });

  it('a company’s customers, groups, contacts, places and tree cost the same statements for 2 and for 40', async () => {
    const tenant = await givenTenant(at);
    const admin = await administratorOf(at, tenant);
    const { contactAssignments, legalEntities } = at.app.modules;
    const query = `query ($first: Int) { legalEntities(first: $first) { nodes { id parent { id } subsidiaries { id }
      accountLimit { value } locations { id } customerGroups { role scopes } contactAssignments(first: 5) { nodes { type
      customer { email legalEntities { id } contactAssignments { type } } legalEntity { name } } } } } }`;
    const counted = async (first: number) =>
      (await fewestStatements(at, async () => only(await graphql(at, query, { bearer: admin, variables: { first } }))))
        .length;
    const two = await counted(2);
    for (let count = 0; count < 40; count += 1) {
      const accountLimit = { currency: 'EUR', value: '1' };
      const { id } = await legalEntities.create(ctxOf(tenant.id), {
        name: `C ${count}`,
        parentId: 'company',
        accountLimit,
      });
      await contactAssignments.assign(ctxOf(tenant.id), tenant.customer.id, id);
    }
    expect(await counted(41)).toBeLessThanOrEqual(two + 2);
    expect(two).toBeLessThanOrEqual(12);
  });

  it('unauthenticated, forbidden, and of another tenant', async () => {
    const query = '{ legalEntities { nodes { id } } }';
    expect((await graphql(at, query)).code).toBe('UNAUTHENTICATED');
    expect((await graphql(at, query, { bearer: await tokenWith(at, 'price.price_read') })).code).toBe('FORBIDDEN');
    const rival = (await employee(at, 'admin@rival.example')).accessToken;
    const theirs = only<any>(await graphql(at, query, { bearer: rival })).nodes.map(({ id }: any) => id);
    expect(theirs).toContain('umbrella');
    expect(theirs).not.toContain('acme');
  });
});

describe('a customer’s companies', () => {
  it('with the wide scope all of them; with `_own` those that the caller shares', async () => {
    const [ours, theirs] = [await givenCompany(at), await givenCompany(at)];
    const boss = await memberOf(ours.id, 'ADMIN');
    const colleague = await givenCustomer(at, { [ours.id]: null, [theirs.id]: 'ADMIN' });
    const query = 'query ($id: ID!) { customer(id: $id) { legalEntities { id } } }';
    const ask = async (bearer: string) =>
      only<any>(await graphql(at, query, { bearer, variables: { id: colleague.id } })).legalEntities.map(
        ({ id }: any) => id,
      );
    expect((await ask(support)).sort()).toEqual([ours.id, theirs.id].sort());
    expect(await ask(boss.token.accessToken)).toEqual([ours.id]);
    const contacts = 'query ($id: ID!) { customer(id: $id) { contactAssignments { type legalEntity { id } } } }';
    const denied = await graphql(at, contacts, { bearer: boss.token.accessToken, variables: { id: colleague.id } });
    expect(denied.code).toBe('FORBIDDEN');
    const seen = only<any>(await graphql(at, contacts, { bearer: support, variables: { id: colleague.id } }));
    expect(seen.contactAssignments.map(({ legalEntity }: any) => legalEntity.id)).toEqual([ours.id, theirs.id].sort());
  });

  it('a mutation’s answer tells no more than a query: `id` is enough for whoever only manages', async () => {
    const bearer = await tokenWith(at, 'customermanagement.legalentity_manage');
    const query =
      'mutation ($input: CreateLegalEntityInput!) { createLegalEntity(input: $input) { id parent { id } } }';
    const variables = { input: { id: `le-${randomUUID()}`, name: 'X' } };
    expect((await graphql(at, query, { bearer, variables })).code).toBe('FORBIDDEN');
    expect((await graphql(at, query.replace(' parent { id }', ''), { bearer, variables })).errors).toEqual([]);
  });
});
