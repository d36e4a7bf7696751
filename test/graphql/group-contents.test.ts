// What leads on from a group, each with a requirement of its own: a page of groups is no way around one.
// product.md section 3.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCustomer, givenEmployee, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { administratorOf, givenControl, givenGroup, givenTemplate, tokenWith } from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { employee } from '../kit/stories.ts';

let at: Service;
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
});

describe('what leads on from a group', () => {
  const needs: Record<string, readonly [selection: string, ...scopes: string[]]> = {
    accessControls: ['accessControls { id }', 'iam.access_read'],
    'role of an access control': ['accessControls { role { id } }', 'iam.access_read', 'iam.role_read'],
    'resource of an access control': ['accessControls { resource { id } }', 'iam.access_read', 'iam.resource_read'],
    templates: ['templates { id }', 'iam.template_read'],
    'access controls of a template': ['templates { accessControls { id } }', 'iam.template_read', 'iam.access_read'],
    scopes: ['scopes', 'iam.access_read'],
    legalEntity: ['legalEntity { id }', 'customermanagement.legalentity_read'],
    members: ['members { nodes { __typename } }', 'iam.user_read'],
    'how many members': ['members { totalCount }', 'iam.user_read'],
    memberCount: ['memberCount', 'iam.user_read'],
    'scopes of a member': ['members { nodes { ... on Employee { scopes } } }', 'iam.user_read', 'iam.scope_read'],
  };

  for (const [title, [selection, ...scopes]] of Object.entries(needs)) {
    it(`${title}: FORBIDDEN before anything is read unless ${scopes.join(' and ')} is held, too`, async () => {
      const group = await givenGroup(at);
      const query = `query ($id: ID!) { group(id: $id) { id ${selection} } }`;
      const ask = (bearer: string) => graphql(at, query, { bearer, variables: { id: group.id } });
      for (const lacking of scopes) {
        const bearer = await tokenWith(at, 'iam.group_read', ...scopes.filter((scope) => scope !== lacking));
        const statements = await fewestStatements(at, async () => {
          const { code, errors, data } = await ask(bearer);
          expect([code, errors[0]?.extensions.missingScopes, data]).toEqual(['FORBIDDEN', [lacking], undefined]);
        });
        expect(statements).toEqual([]);
      }
      expect(only(await ask(await tokenWith(at, 'iam.group_read', ...scopes)))).toMatchObject({ id: group.id });
    });
  }

  it('access controls and templates are shown by name, what they give once', async () => {
    const mark = randomUUID();
    const control = (n: string, scopes: string[]) => givenControl(at, { name: `${n} ${mark}`, scopes });
    const b = await control('b', ['order.order_read']);
    const a = await control('a', ['price.price_read', 'order.order_read']);
    const c = await control('c', ['order.order_read', 'cart.cart_manage']);
    const template = await givenTemplate(at, [c.id, a.id]);
    const group = await givenGroup(at, { controlIds: [b.id, a.id], templateIds: [template.id] });
    const query = `query ($id: ID!) { group(id: $id) {
      accessControls { id } templates { id name accessControls { id scopes } } scopes } }`;
    expect(only(await graphql(at, query, { bearer: admin, variables: { id: group.id } }))).toEqual({
      accessControls: [{ id: a.id }, { id: b.id }],
      templates: [
        {
          id: template.id,
          name: template.name,
          accessControls: [
            { id: a.id, scopes: ['order.order_read', 'price.price_read'] },
            { id: c.id, scopes: ['cart.cart_manage', 'order.order_read'] },
          ],
        },
      ],
      scopes: ['cart.cart_manage', 'order.order_read', 'price.price_read'],
    });
  });

  it('employees and customers stand in one page of groups, each with their own fields', async () => {
    const search = randomUUID();
    const [person, customer] = [await givenEmployee(at), await givenCustomer(at)];
    await givenGroup(at, { name: `1 ${search}`, memberIds: [person.id] });
    await givenGroup(at, { name: `2 ${search}`, userType: 'CUSTOMER', memberIds: [customer.id] });
    await givenGroup(at, { name: `3 ${search}` });
    const query = `query ($search: String!) { groups(search: $search) { nodes { userType memberCount members {
      totalCount nodes { __typename ... on Employee { id firstName } ... on Customer { id customerNumber } } } } } }`;
    expect(only(await graphql(at, query, { bearer: admin, variables: { search } })).nodes).toEqual([
      {
        userType: 'EMPLOYEE',
        memberCount: 1,
        members: { totalCount: 1, nodes: [{ __typename: 'Employee', id: person.id, firstName: 'Erin' }] },
      },
      {
        userType: 'CUSTOMER',
        memberCount: 1,
        members: {
          totalCount: 1,
          nodes: [{ __typename: 'Customer', id: customer.id, customerNumber: customer.customerNumber }],
        },
      },
      { userType: 'EMPLOYEE', memberCount: 0, members: { totalCount: 0, nodes: [] } },
    ]);
  });
});

describe('Group.members', () => {
  const ids = Array.from({ length: 120 }, (_, n) => `member-${String(n).padStart(3, '0')}`);
  let token: string;
  let groupId: string;
  beforeAll(async () => {
    const tenant = await givenTenant(at);
    token = await administratorOf(at, tenant);
    const data = ids.map((id, n) => ({
      tenantId: tenant.id,
      id,
      email: `${n}@test.example`,
      customerNumber: String(10_000_000 + n),
    }));
    await at.app.modules.database.forTenant({ tenantId: tenant.id }).customer.createMany({ data: data.reverse() });
    groupId = (await givenGroup(at, { userType: 'CUSTOMER', memberIds: ids }, tenant.id)).id;
    await givenGroup(at, { userType: 'CUSTOMER', memberIds: ids.slice(0, 7), name: 'Seven' }, tenant.id);
  });
  const PAGE = `query ($id: ID!, $first: Int, $last: Int, $after: String, $before: String) { group(id: $id) {
    members(first: $first, last: $last, after: $after, before: $before) {
      totalCount nodes { ... on Customer { id } } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } }`;
  const ask = (variables: object) => graphql(at, PAGE, { bearer: token, variables: { id: groupId, ...variables } });
  const page = async (variables: object) => only(await ask(variables)).members;
  const idsOf = ({ nodes }: { nodes: { id: string }[] }) => nodes.map(({ id }) => id);

  it('page by page, onwards and back, every one is shown once, by id, and all are counted', async () => {
    const [onwards, back] = [[] as any[], [] as any[]];
    do onwards.push(await page({ after: onwards.at(-1)?.pageInfo.endCursor }));
    while (onwards.at(-1).pageInfo.hasNextPage);
    expect(onwards.map(({ nodes }) => nodes.length)).toEqual([50, 50, 20]);
    expect([onwards.flatMap(idsOf), onwards[0].totalCount]).toEqual([ids, 120]);
    do back.unshift(await page({ last: 49, before: back[0]?.pageInfo.startCursor }));
    while (back[0].pageInfo.hasPreviousPage);
    expect(back.map(({ nodes }) => nodes.length)).toEqual([22, 49, 49]);
    expect(back.flatMap(idsOf)).toEqual(ids);
  });

  it('two windows on the members of a page of groups are two pages of each', async () => {
    const query = `{ groups(userType: CUSTOMER, search: "e") { nodes { name
      head: members(first: 2) { nodes { ... on Customer { id } } }
      tail: members(last: 2) { nodes { ... on Customer { id } } pageInfo { hasPreviousPage } } } } }`;
    const { nodes } = only(await graphql(at, query, { bearer: token }));
    const seven = nodes.find(({ name }: { name: string }) => name === 'Seven');
    expect([idsOf(seven.head), idsOf(seven.tail)]).toEqual([ids.slice(0, 2), ids.slice(5, 7)]);
    expect(seven.tail.pageInfo.hasPreviousPage).toBe(true);
    for (const { name, head, tail } of nodes) {
      if (name !== 'Seven')
        expect([head.nodes.length, tail.nodes.length]).toEqual(/^group-/.test(name) ? [2, 2] : [0, 0]);
    }
  });

  it('case 107: BAD_USER_INPUT for a size beyond the bounds and for what is no cursor of this list', async () => {
    for (const size of [{ first: -1 }, { first: 201 }, { last: 201 }, { first: 1, last: 1 }])
      expect([size, (await ask(size)).code]).toEqual([size, 'BAD_USER_INPUT']);
    const others = '{ groups(first: 1) { pageInfo { endCursor } } customers(first: 1) { pageInfo { endCursor } } }';
    const { data } = await graphql(at, others, { bearer: token });
    const wrong: unknown[] = [];
    for (const cursor of ['', 'x', data!.groups.pageInfo.endCursor, data!.customers.pageInfo.endCursor]) {
      for (const place of ['after', 'before']) {
        const { code } = await ask({ [place]: cursor });
        if (code !== 'BAD_USER_INPUT') wrong.push([place, Buffer.from(cursor, 'base64url').toString(), code]);
      }
    }
    expect(wrong).toEqual([]);
  });
});
