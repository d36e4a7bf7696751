// Query.employees and employee, with what leads on from them. Making and changing accounts: create-employee.test.ts and employee-changes.test.ts.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenEmployee, givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { givenControl, givenGroup, givenTemplate, tokenWith } from '../kit/groups.ts';
import { readPages } from '../kit/pages.ts';
import { type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { employee, serviceToken, signIn, tryServiceToken } from '../kit/stories.ts';

let at: Service;
let admin: string;
let rival: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
  rival = (await serviceToken(at, 'rival-backend')).accessToken;
});

const ask = (query: string, bearer: string | undefined, variables = {}) => graphql(at, query, { bearer, variables });
const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const refusal = ({ errors }: Answer) => errors[0]?.extensions;

interface Person {
  readonly email: string;
  readonly firstName?: string;
  readonly lastName?: string;
}

/** A tenant with these employees only, and a token of its back end. */
async function tenantOf(people: readonly Person[]) {
  const { id: tenantId, backend } = await givenTenant(at);
  await db(tenantId).employee.deleteMany({});
  await db(tenantId).employee.createMany({
    data: people.map((person, i) => ({ tenantId, id: `e-${i}`, firstName: 'Erin', lastName: 'Test', ...person })),
  });
  const { accessToken } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
  return { tenantId, bearer: accessToken as string };
}

const FIND = 'query ($search: String) { employees(search: $search, first: 200) { totalCount nodes { email } } }';

describe('employees', () => {
  it('success: by mail address, page by page, and from the end', async () => {
    const emails = Array.from({ length: 120 }, (_, i) => `p${String((i * 7) % 120).padStart(3, '0')}@staff.example`);
    const { bearer } = await tenantOf(emails.map((email) => ({ email })));
    const read = (backwards: boolean) =>
      readPages(at, bearer, 'employees', { size: 50, fields: 'email firstName lastName enabled version', backwards });
    const { nodes, sizes, totals } = await read(false);
    expect([sizes, totals]).toEqual([
      [50, 50, 20],
      [120, 120, 120],
    ]);
    expect(nodes.map(({ email }) => email)).toEqual(emails.toSorted());
    expect(nodes[0]).toMatchObject({ firstName: 'Erin', lastName: 'Test', enabled: true, version: 1 });
    const back = await read(true);
    expect([back.nodes, back.sizes]).toEqual([nodes, [50, 50, 20]]);
  });

  it('success: finds text in address or names, in whatever case, and takes % _ and \\ for themselves', async () => {
    const { bearer } = await tenantOf([
      { email: 'a_b%c@staff.example', firstName: 'Ann' },
      { email: 'axb@staff.example', firstName: 'Bob', lastName: '100%' },
      { email: 'axbc@shop.example', firstName: 'Back\\slash', lastName: 'Under_score' },
      { email: 'zoe@shop.example', firstName: 'ZOË', lastName: "O'Neil" },
    ]);
    const find = async (search: string | null) => {
      const { nodes, totalCount } = only(await ask(FIND, bearer, { search }));
      expect(totalCount).toBe(nodes.length);
      return nodes.map(({ email }: Person) => email.split('@')[0]);
    };
    expect(await find('SHOP.example')).toEqual(['axbc', 'zoe']);
    expect(await find('ann')).toEqual(['a_b%c']);
    expect(await find('%')).toEqual(['a_b%c', 'axb']);
    expect(await find('A_B')).toEqual(['a_b%c']);
    expect(await find('r_s')).toEqual(['axbc']);
    expect(await find('\\')).toEqual(['axbc']);
    expect(await find("o'n")).toEqual(['zoe']);
    expect(await find('ZOË')).toEqual(['zoe']);
    expect(await find('erin')).toEqual([]);
    expect([await find(''), await find(null)].map(({ length }) => length)).toEqual([4, 4]);
  });

  it('success: pages of what was found, its count too', async () => {
    const people = Array.from({ length: 30 }, (_, i) => ({ email: `p${i}@${i % 3 ? 'staff' : 'shop'}.example` }));
    const { bearer } = await tenantOf(people);
    for (const backwards of [false, true]) {
      const found = await readPages(at, bearer, 'employees', { size: 4, args: ', search: "@SHOP."', backwards });
      expect([found.nodes.length, found.sizes, new Set(found.totals)]).toEqual([10, [4, 4, 2], new Set([10])]);
    }
  });

  it('invalid: BAD_USER_INPUT for too large a page and for a cursor of another kind', async () => {
    const { endCursor } = only(await ask('{ roles(first: 1) { pageInfo { endCursor } } }', admin)).pageInfo;
    for (const [args, field] of [
      ['first: 201', 'first'],
      ['last: 201', 'last'],
      [`after: "${endCursor}"`, 'after'],
      ['before: "no cursor"', 'before'],
    ]) {
      const answer = await ask(`{ employees(${args}) { totalCount } }`, admin);
      expect(refusal(answer)).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
  });

  it('unauthenticated and forbidden: needs iam.user_read; neither the own company’s nor changing is enough', async () => {
    expect((await ask(FIND, undefined)).code).toBe('UNAUTHENTICATED');
    const others = await tokenWith(
      at,
      'iam.user_read_own',
      'iam.user_update',
      'iam.group_read',
      'customer.customer_read',
    );
    const buyer = (await signIn(at, 'buyer@demo.example', { legalEntityId: 'acme' })).accessToken;
    for (const bearer of [others, buyer]) {
      expect(refusal(await ask(FIND, bearer))).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['iam.user_read'] });
    }
    expect((await ask(FIND, await tokenWith(at, 'iam.user_read'))).errors).toEqual([]);
  });

  it('other tenant: its employees are neither shown, found nor counted, also by a cursor of there', async () => {
    const { bearer } = await tenantOf([{ email: 'only@demo.example' }]);
    expect(only(await ask(FIND, bearer))).toEqual({ totalCount: 1, nodes: [{ email: 'only@demo.example' }] });
    expect(only(await ask(FIND, bearer, { search: 'admin' })).totalCount).toBe(0);
    const { startCursor } = only(await ask('{ employees { pageInfo { startCursor } } }', admin)).pageInfo;
    const page = only(await ask(`{ employees(after: "${startCursor}") { nodes { email } } }`, bearer));
    expect(page.nodes).toEqual([{ email: 'only@demo.example' }]);
  });
});

describe('Employee.groups and Employee.scopes', () => {
  const QUERY = `query ($first: Int) { employees(first: $first) { nodes {
    id scopes groups { id name accessControls { id } scopes } } } }`;

  it('success: the groups by name, and all that they give, once, directly or by templates', async () => {
    const { tenantId, bearer } = await tenantOf([{ email: 'a@staff.example' }, { email: 'b@staff.example' }]);
    const control = await givenControl(at, { scopes: ['price.price_read', 'order.order_read'] }, tenantId);
    const forCustomers = { scopes: ['brand.brand_manage'], restrictedTo: 'CUSTOMER' as const };
    const notTheirs = await givenControl(at, forCustomers, tenantId);
    const template = await givenTemplate(at, [control.id], tenantId);
    const memberIds = ['e-0'];
    await givenGroup(at, { name: 'B', templateIds: [template.id], memberIds }, tenantId);
    await givenGroup(
      at,
      { name: 'A', scopes: ['country.country_read'], controlIds: [control.id], memberIds },
      tenantId,
    );
    await givenGroup(at, { name: 'C', controlIds: [notTheirs.id], memberIds: ['e-0', 'e-1'] }, tenantId);
    const { nodes } = only(await ask('{ employees { nodes { id scopes groups { name } } } }', bearer));
    expect(nodes).toEqual([
      {
        ...{ id: 'e-0', groups: [{ name: 'A' }, { name: 'B' }, { name: 'C' }] },
        scopes: ['country.country_read', 'order.order_read', 'price.price_read'],
      },
      { id: 'e-1', groups: [{ name: 'C' }], scopes: [] },
    ]);
  });

  it('success: are what the next token allows', async () => {
    const person = await givenEmployee(at, ['order.order_read', 'country.country_read']);
    const query = `{ employee(id: "${person.id}") { scopes groups { id } } }`;
    const shown = only(await ask(query, admin));
    expect(shown.groups).toEqual([{ id: person.groupId }]);
    expect(shown.scopes).toEqual((await employee(at, person.email)).scopes);
  });

  it('success: the same few statements for 10 employees as for 100', async () => {
    const { tenantId, bearer } = await tenantOf(
      Array.from({ length: 100 }, (_, i) => ({ email: `p${i}@staff.example` })),
    );
    for (let i = 0; i < 7; i += 1) {
      const memberIds = Array.from({ length: 100 }, (_, n) => `e-${n}`).filter((_, n) => n % (i + 1) === 0);
      await givenGroup(at, { scopes: ['price.price_read', 'order.order_read'], memberIds }, tenantId);
    }
    const costs: number[] = [];
    for (const first of [10, 100]) {
      const statements = await fewestStatements(at, async () => {
        const { nodes } = only(await ask(QUERY, bearer, { first }));
        expect(nodes).toHaveLength(first);
        expect(nodes.filter(({ groups }: { groups: object[] }) => groups.length > 1).length).toBeGreaterThan(first / 3);
      });
      costs.push(statements.length);
    }
    expect(costs[1]).toBe(costs[0]);
    expect(costs[1]).toBeLessThanOrEqual(6);
  });

  it('forbidden: each needs its own scope, also where somebody is reached on another way', async () => {
    const reader = await tokenWith(at, 'iam.user_read');
    for (const [field, missing] of [
      ['groups { id }', 'iam.group_read'],
      ['scopes', 'iam.scope_read'],
    ] as const) {
      const answers = [
        await ask(`{ employees { nodes { ${field} } } }`, reader),
        await ask(`{ currentPrincipal { id } employee(id: "x") { ...on Employee { aliased: ${field} } } }`, reader),
      ];
      for (const answer of answers) {
        expect(refusal(answer)).toMatchObject({ code: 'FORBIDDEN', missingScopes: [missing] });
      }
    }
  });
});

describe('employee', () => {
  const QUERY = 'query ($id: ID!) { employee(id: $id) { id email firstName lastName enabled version } }';

  it('success: one employee', async () => {
    const { id, email } = await givenEmployee(at);
    expect(only(await ask(QUERY, admin, { id }))).toEqual({
      ...{ id, email, firstName: 'Erin', lastName: 'Test', enabled: true, version: 1 },
    });
  });

  it('invalid, other tenant: null for one that there is not, and for one of another tenant', async () => {
    const { id } = await givenEmployee(at);
    for (const missing of [id, 'no-such-employee', ''])
      expect(only(await ask(QUERY, rival, { id: missing }))).toBeNull();
  });

  it('unauthenticated and forbidden: needs iam.user_read', async () => {
    const { id } = await givenEmployee(at);
    expect((await ask(QUERY, undefined, { id })).code).toBe('UNAUTHENTICATED');
    const others = await tokenWith(at, 'iam.user_read_own', 'iam.user_update');
    expect(refusal(await ask(QUERY, others, { id }))).toMatchObject({ missingScopes: ['iam.user_read'] });
  });
});
