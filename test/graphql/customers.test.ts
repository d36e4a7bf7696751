// Query.customers and customer: all of them, or with `_own` those of the company that the caller acts for.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenCustomerGroup, givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { tokenWith } from '../kit/groups.ts';
import { readPages } from '../kit/pages.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import {
  type CustomerToken,
  employee,
  guest,
  serviceToken,
  signIn,
  tryAssist,
  tryLogin,
  tryRefresh,
  tryServiceToken,
} from '../kit/stories.ts';

let at: Service;
let admin: string;
let rival: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
  rival = (await serviceToken(at, 'rival-backend')).accessToken;
});

const FIND = `query ($search: String, $legalEntityId: ID) {
  customers(search: $search, legalEntityId: $legalEntityId, first: 200) { totalCount nodes { id email } } }`;
const ONE = 'query ($id: ID!) { customer(id: $id) { id email customerNumber firstName lastName enabled } }';
const ask = (query: string, bearer: string | undefined, variables = {}) => graphql(at, query, { bearer, variables });
const refusal = ({ errors }: Answer) => errors[0]?.extensions;
const needed = { code: 'FORBIDDEN', requiredScopes: [['customer.customer_read'], ['customer.customer_read_own']] };
/** The addresses found, which is also how many are counted. */
async function find(bearer: string, variables = {}): Promise<string[]> {
  const { nodes, totalCount } = only(await ask(FIND, bearer, variables));
  expect(totalCount).toBe(nodes.length);
  return nodes.map(({ email }: { email: string }) => email);
}
/** Two companies: an Admin of the one, a colleague, somebody of both, and strangers. */
async function givenCompanies() {
  const [ours, theirs] = [await givenCompany(at), await givenCompany(at)];
  const boss = await givenCustomer(at, { [ours.id]: 'ADMIN' });
  const colleague = await givenCustomer(at, { [ours.id]: null });
  const both = await givenCustomer(at, { [ours.id]: 'BUYER', [theirs.id]: 'REQUESTER' });
  const stranger = await givenCustomer(at, { [theirs.id]: 'BUYER' });
  const signedIn = await signIn(at, boss.email, { legalEntityId: ours.id });
  const people = [boss, colleague, both].map(({ email }) => email).sort();
  return { ours, theirs, boss, colleague, both, stranger, signedIn, people, bearer: signedIn.accessToken };
}

describe('customers', () => {
  it('success: finds text in address, name or number, in whatever case, and takes % _ and \\ for themselves', async () => {
    const { id: tenantId, backend } = await givenTenant(at);
    const { customer } = at.app.modules.database.forTenant({ tenantId });
    await customer.deleteMany({});
    await customer.createMany({
      data: [
        { email: 'a_b%c@shop.example', customerNumber: '20000001', firstName: 'Ann', lastName: null },
        { email: 'axb@shop.example', customerNumber: '20000002', firstName: null, lastName: '100%' },
        { email: 'axbc@home.example', customerNumber: '30000001', firstName: 'Back\\slash', lastName: 'Under_score' },
        { email: 'zoe@home.example', customerNumber: '30000002', firstName: "O'Neil", lastName: 'ZED' },
      ].map((row) => ({ tenantId, ...row })),
    });
    const { accessToken } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
    const names = async (search: string | null) =>
      (await find(accessToken, { search })).map((email) => email.split('@')[0]);
    expect(await names('HOME.example')).toEqual(['axbc', 'zoe']);
    expect(await names('ann')).toEqual(['a_b%c']);
    expect(await names('zed')).toEqual(['zoe']);
    expect(await names('00001')).toEqual(['a_b%c', 'axbc']);
    expect(await names('20000002')).toEqual(['axb']);
    expect(await names('%')).toEqual(['a_b%c', 'axb']);
    expect(await names('A_B')).toEqual(['a_b%c']);
    expect(await names('r_s')).toEqual(['axbc']);
    expect(await names('\\')).toEqual(['axbc']);
    expect(await names('null')).toEqual([]);
    expect([await names(''), await names(null)].map(({ length }) => length)).toEqual([4, 4]);
  });

  it('success: of one company, and within it what is searched', async () => {
    const { ours, theirs, both, stranger, people } = await givenCompanies();
    expect(await find(admin, { legalEntityId: ours.id })).toEqual(people);
    expect(await find(admin, { legalEntityId: theirs.id })).toEqual([both.email, stranger.email].sort());
    expect(await find(admin, { legalEntityId: theirs.id, search: both.customerNumber })).toEqual([both.email]);
    expect(await find(admin, { legalEntityId: ours.id, search: stranger.email })).toEqual([]);
    expect(await find(admin, { legalEntityId: 'no-such-company' })).toEqual([]);
  });

  it('success: with _own those of the caller’s company only, whatever is asked for', async () => {
    const { ours, theirs, both, stranger, people, bearer } = await givenCompanies();
    expect(await find(bearer)).toEqual(people);
    expect(await find(bearer, { legalEntityId: ours.id })).toEqual(people);
    expect(await find(bearer, { legalEntityId: theirs.id })).toEqual([both.email]);
    for (const search of [stranger.email, stranger.customerNumber]) expect(await find(bearer, { search })).toEqual([]);
    expect(await find(bearer, { search: both.email.toUpperCase() })).toEqual([both.email]);
  });

  it('success: with _own and without a company, nobody: neither for customers nor for clients and employees', async () => {
    const { id, email } = await givenCustomer(at, { acme: null });
    await givenCustomerGroup(at, ['customer.customer_read_own'], id);
    expect(await find((await signIn(at, email)).accessToken)).toEqual([]);
    expect((await find((await signIn(at, email, { legalEntityId: 'acme' })).accessToken)).length).toBeGreaterThan(0);
    const client = await tokenWith(at, 'customer.customer_read_own');
    expect([await find(client), await find(client, { legalEntityId: 'acme' })]).toEqual([[], []]);
  });

  it('success: the company is that of the token: another after a switch, none after leaving, also for who assists', async () => {
    const { ours, theirs, boss, both, stranger, signedIn, people } = await givenCompanies();
    await at.app.modules.contactAssignments.assign(ctxOf('demo'), boss.id, theirs.id);
    await at.app.modules.memberships.joinCompany(ctxOf('demo'), theirs.id, 'ADMIN', boss.id);
    const switched = only<CustomerToken>(await tryRefresh(at, signedIn.refreshToken, { legalEntityId: theirs.id }));
    expect(await find(switched.accessToken)).toEqual([boss.email, both.email, stranger.email].sort());
    const left = only<CustomerToken>(await tryRefresh(at, switched.refreshToken, { legalEntityId: null }));
    expect(refusal(await ask(FIND, left.accessToken))).toMatchObject(needed);
    const assisted = only(await tryAssist(at, admin, { customerId: boss.id, legalEntityId: ours.id }));
    expect(await find(assisted.accessToken)).toEqual(people);
  });

  it('invalid: BAD_USER_INPUT for too large a page and for a cursor of another kind', async () => {
    const { endCursor } = only(await ask('{ roles(first: 1) { pageInfo { endCursor } } }', admin)).pageInfo;
    for (const [args, field] of [
      ['first: 201', 'first'],
      [`after: "${endCursor}"`, 'after'],
    ]) {
      const answer = await ask(`{ customers(${args}) { totalCount } }`, admin);
      expect(refusal(answer)).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
  });

  it('unauthenticated and forbidden: needs customer.customer_read, or _own of it', async () => {
    expect((await ask(FIND, undefined)).code).toBe('UNAUTHENTICATED');
    const buyer = (await signIn(at, 'buyer@demo.example', { legalEntityId: 'globex' })).accessToken;
    const others = await tokenWith(at, 'customer.customer_manage', 'customer.customer_manage_own', 'iam.user_read');
    for (const bearer of [buyer, others, (await guest(at)).accessToken]) {
      expect(refusal(await ask(FIND, bearer))).toMatchObject(needed);
    }
    const support = (await employee(at, 'support@demo.example')).accessToken;
    expect(await find(support, { search: 'shopper@demo' })).toEqual(['shopper@demo.example']);
  });

  it('other tenant: its customers are neither shown, found nor counted', async () => {
    const { email } = await givenCustomer(at, { acme: null });
    for (const variables of [{ search: email }, { legalEntityId: 'acme' }]) {
      expect(await find(rival, variables)).toEqual([]);
    }
    const { customer } = at.app.modules.database.forTenant({ tenantId: 'rival' });
    expect((await find(rival)).length).toBe(await customer.count());
  });
});

describe('case 96: 1 000 customers of mixed owners', () => {
  let tenantId: string;
  let backend: string;
  let boss: string;
  const emails = (owner: (i: number) => boolean) =>
    Array.from({ length: 1000 }, (_, i) => i)
      .filter(owner)
      .map((i) => `p${String(i).padStart(4, '0')}@shop.example`);
  const isOurs = (i: number) => i % 3 === 0 || i % 10 === 0;

  beforeAll(async () => {
    const tenant = await givenTenant(at);
    tenantId = tenant.id;
    const { contactAssignments, database, legalEntities, memberships } = at.app.modules;
    const ctx = ctxOf(tenantId);
    await legalEntities.create(ctx, { id: 'others', name: 'Others' });
    await memberships.joinCompany(ctx, 'company', 'ADMIN', tenant.customer.id);
    await contactAssignments.assign(ctx, tenant.customer.id, 'others');
    const db = database.forTenant(ctx);
    await db.customer.createMany({
      data: emails(() => true).map((email, i) => ({
        ...{ tenantId, id: `c-${i}`, email, customerNumber: String(20_000_000 + i) },
        lastName: i % 2 ? 'Odd' : 'Even',
      })),
    });
    const everybody = Array.from({ length: 1000 }, (_, i) => ({ tenantId, customerId: `c-${i}` }));
    await db.contactAssignment.createMany({
      data: [
        ...everybody.filter((_, i) => isOurs(i)).map((row) => ({ ...row, legalEntityId: 'company' })),
        ...everybody.filter((_, i) => i % 3 === 1).map((row) => ({ ...row, legalEntityId: 'others' })),
      ],
    });
    const { accessToken: anonymousToken } = await guest(at, { tenant: tenantId, clientId: tenant.storefront });
    const login = { email: tenant.customer.email, anonymousToken, legalEntityId: 'company' };
    boss = only<CustomerToken>(await tryLogin(at, login)).accessToken;
    backend = only(await tryServiceToken(at, tenant.backend.id, tenant.backend.clientSecret)).accessToken;
  });

  it('only the visible are shown, each once, and every page counts the visible', async () => {
    const own = [`customer@${tenantId}.example`, ...emails(isOurs)];
    for (const [bearer, visible] of [
      [boss, own],
      [backend, [`customer@${tenantId}.example`, ...emails(() => true)]],
    ] as const) {
      for (const backwards of [false, true]) {
        const { nodes, totals } = await readPages(at, bearer, 'customers', { size: 150, fields: 'email', backwards });
        expect(nodes.map(({ email }) => email)).toEqual(visible);
        expect(new Set(totals)).toEqual(new Set([visible.length]));
      }
    }
  });

  it('a search and a filter count the visible, too, and page info tells of no hidden one', async () => {
    const both = emails((i) => isOurs(i) && i % 3 === 1);
    const others = await readPages(at, boss, 'customers', {
      size: 7,
      fields: 'email',
      args: ', legalEntityId: "others"',
    });
    expect(others.nodes.map(({ email }) => email)).toEqual([`customer@${tenantId}.example`, ...both]);
    expect(new Set(others.totals)).toEqual(new Set([both.length + 1]));
    const odd = await readPages(at, boss, 'customers', { size: 200, fields: 'email', args: ', search: "odd"' });
    expect([odd.nodes.length, odd.totals[0]]).toEqual(Array(2).fill(emails((i) => isOurs(i) && i % 2 === 1).length));
    // 1 is of others and 2 of nobody: between two visible ones there is nothing to see.
    const page = only(
      await ask(
        '{ customers(search: "p000", first: 1) { totalCount nodes { email } pageInfo { hasNextPage } } }',
        boss,
      ),
    );
    const visible = emails((i) => isOurs(i) && i < 10);
    expect(page).toEqual({
      ...{ totalCount: visible.length, nodes: [{ email: visible[0] }], pageInfo: { hasNextPage: true } },
    });
    expect(only(await ask(FIND, boss, { search: 'p0001@' }))).toEqual({ totalCount: 0, nodes: [] });
  });

  it('a full page with its count costs two statements, and nobody counts what nobody asked for', async () => {
    for (const bearer of [boss, backend]) {
      const full = `{ customers(first: 200, search: "shop", legalEntityId: "company") { totalCount nodes { id email } } }`;
      const counted = await fewestStatements(at, async () => {
        expect(only(await ask(full, bearer)).nodes).toHaveLength(200);
      });
      expect(counted).toHaveLength(2);
      const query = '{ customers(first: 200) { nodes { id } pageInfo { hasNextPage } } }';
      const uncounted = await fewestStatements(at, async () => void only(await ask(query, bearer)));
      expect(uncounted).toHaveLength(1);
      expect(uncounted.join()).not.toMatch(/count\(/i);
    }
  });
});

describe('customer', () => {
  it('success: one customer, by number, names and address', async () => {
    const { id, email, customerNumber } = await givenCustomer(at);
    const shown = { id, email, customerNumber, firstName: null, lastName: null, enabled: true };
    expect(only(await ask(ONE, admin, { id }))).toEqual(shown);
    expect(customerNumber).toMatch(/^\d{8}$/);
  });

  it('success: with _own those of the caller’s company, also oneself; others look like none at all', async () => {
    const { boss, colleague, both, stranger, bearer } = await givenCompanies();
    for (const { id } of [boss, colleague, both]) expect(only(await ask(ONE, bearer, { id }))).toMatchObject({ id });
    for (const id of [stranger.id, 'no-such-customer', '']) expect(only(await ask(ONE, bearer, { id }))).toBeNull();
    const client = await tokenWith(at, 'customer.customer_read_own');
    expect(only(await ask(ONE, client, { id: boss.id }))).toBeNull();
  });

  it('success: nobody any more once unassigned', async () => {
    const { ours, colleague, bearer } = await givenCompanies();
    await at.app.modules.contactAssignments.unassign(ctxOf('demo'), {
      customerId: colleague.id,
      legalEntityId: ours.id,
    });
    expect(only(await ask(ONE, bearer, { id: colleague.id }))).toBeNull();
  });

  it('forbidden: what leads on to groups needs its own scope; with _own only the groups of the company are there', async () => {
    const { ours, both, bearer } = await givenCompanies();
    await givenCustomerGroup(at, ['order.order_read'], both.id);
    const query = `{ customer(id: "${both.id}") { groups { role } } }`;
    const reader = await tokenWith(at, 'customer.customer_read');
    expect(refusal(await ask(query, reader))).toMatchObject({
      ...{ code: 'FORBIDDEN', requiredScopes: [['iam.group_read'], ['iam.group_read_own']] },
    });
    const groups = `{ customer(id: "${both.id}") { groups { id role } } }`;
    const own = only(await ask(groups, bearer)).groups;
    expect(own.map(({ role }: { role: string }) => role).sort()).toEqual(['BUYER', 'CONTACT']);
    const db = at.app.modules.database.forTenant({ tenantId: 'demo' });
    const ids = own.map(({ id }: { id: string }) => id);
    expect(await db.group.count({ where: { id: { in: ids }, legalEntityId: ours.id } })).toBe(2);
    expect(only(await ask(groups, admin)).groups).toHaveLength(5);
  });

  it('invalid, other tenant: null for one that there is not, and for one of another tenant', async () => {
    const { id } = await givenCustomer(at);
    for (const missing of [id, randomUUID()]) expect(only(await ask(ONE, rival, { id: missing }))).toBeNull();
  });

  it('unauthenticated and forbidden: needs customer.customer_read, or _own of it', async () => {
    const { id, email } = await givenCustomer(at);
    expect((await ask(ONE, undefined, { id })).code).toBe('UNAUTHENTICATED');
    const itself = (await signIn(at, email)).accessToken;
    for (const bearer of [itself, await tokenWith(at, 'customer.customer_manage')]) {
      expect(refusal(await ask(ONE, bearer, { id }))).toMatchObject(needed);
    }
  });
});
