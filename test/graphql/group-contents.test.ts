// What leads on from a group, each with a requirement of its own: a page of groups is no way around one.
// product.md section 3.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCustomer, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { givenControl, givenGroup, givenTemplate, tokenWith } from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
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
      const ask = async (...held: string[]) => {
        const bearer = await tokenWith(at, 'iam.group_read', ...held);
        at.statements.length = 0;
        return graphql(at, query, { bearer, variables: { id: group.id } });
      };
      for (const lacking of scopes) {
        const { code, errors, data } = await ask(...scopes.filter((scope) => scope !== lacking));
        expect([code, errors[0]?.extensions.missingScopes, data]).toEqual(['FORBIDDEN', [lacking], undefined]);
        expect(at.statements.filter((sql) => !/counters/.test(sql) && sql !== 'SELECT 1')).toEqual([]);
      }
      expect(only(await ask(...scopes))).toMatchObject({ id: group.id });
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
