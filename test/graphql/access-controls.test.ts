// Query.accessControls and accessControl, Mutation.createAccessControl. Changing and deleting one:
// access-control-changes.test.ts and delete-access-control.test.ts.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { EVERY_SCOPE_ID, predefinedAccessControls } from '../../src/modules/iam/predefined.ts';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { eventsOf, givenControl, tokenWith } from '../kit/groups.ts';
import { readPages } from '../kit/pages.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { type EmployeeToken, employee, serviceToken, tryServiceToken } from '../kit/stories.ts';

let at: Service;
let admin: EmployeeToken;
let rival: string;
beforeAll(async () => {
  at = await theService();
  admin = await employee(at);
  rival = (await serviceToken(at, 'rival-backend')).accessToken;
});

const FIELDS = 'id name role { id } resource { id service name } scopes everyScope restrictedTo predefined version';
const ask = (query: string, bearer: string | undefined, variables = {}) => graphql(at, query, { bearer, variables });
const create = (input: object, bearer: string | undefined = admin.accessToken, fields = FIELDS) =>
  ask(`mutation ($input: CreateAccessControlInput!) { createAccessControl(input: $input) { ${fields} } }`, bearer, {
    input: { name: 'Control', ...input },
  });
const remove = (id: string, bearer: string | undefined = admin.accessToken) =>
  ask('mutation ($id: ID!) { deleteAccessControl(id: $id) }', bearer, { id });
const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const refusal = ({ errors }: Answer) => errors[0]?.extensions;

describe('accessControls', () => {
  it('success: predefined ones and the tenant’s own, by name and id, from either end', async () => {
    const { id: tenantId, backend } = await givenTenant(at);
    const names = Array.from({ length: 40 }, (_, i) => `Same ${i % 2}`);
    await db(tenantId).accessControl.createMany({
      data: names.map((name) => ({ tenantId, name, scopes: ['price.price_read'] })),
    });
    const { accessToken } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
    const read = (backwards: boolean) =>
      readPages(at, accessToken, 'accessControls', { size: 30, fields: 'id name predefined', backwards });
    const { nodes, totals } = await read(false);
    const count = predefinedAccessControls.length + 1 + 40 + 1;
    expect([nodes.length, new Set(nodes.map(({ id }) => id)).size, new Set(totals)]).toEqual([
      ...[count, count, new Set([count])],
    ]);
    const own = nodes.filter(({ name }) => name.startsWith('Same'));
    expect(own).toEqual(own.toSorted((one, other) => (one.name + one.id < other.name + other.id ? -1 : 1)));
    expect(nodes.filter(({ predefined }) => predefined).map(({ id }) => id)).toEqual(
      expect.arrayContaining([EVERY_SCOPE_ID, ...predefinedAccessControls.map(({ id }) => id)]),
    );
    expect((await read(true)).nodes).toEqual(nodes);
  });

  it('success: a page with roles, permissions and resources costs two statements and two looks at the scopes, of whatever size', async () => {
    for (const resourceId of ['order.order', 'price.price', 'country.country']) {
      for (const roleId of ['viewer', 'manager']) await givenControl(at, { roleId, resourceId, name: '! page' });
    }
    for (const first of [2, 6]) {
      const query = `{ accessControls(first: ${first}) { nodes { name role { permissions { id } } resource { id } } } }`;
      const statements = await fewestStatements(at, async () => {
        const catalogue = vi.spyOn(at.app.modules.scopes, 'list');
        const { nodes } = only(await ask(query, admin.accessToken));
        expect(catalogue.mock.calls.length).toBe(2);
        catalogue.mockRestore();
        expect(nodes).toHaveLength(first);
        expect(nodes[0]).toMatchObject({ name: '! page', resource: { id: expect.any(String) } });
      });
      expect(statements).toHaveLength(2);
    }
    await db().accessControl.deleteMany({ where: { name: '! page' } });
  });

  it('invalid: BAD_USER_INPUT for too large a page and for a cursor of another kind', async () => {
    const { endCursor } = only(await ask('{ scopes(first: 1) { pageInfo { endCursor } } }', rival)).pageInfo;
    for (const [args, field] of [
      ['first: 201', 'first'],
      [`after: "${endCursor}"`, 'after'],
    ]) {
      const answer = await ask(`{ accessControls(${args}) { totalCount } }`, admin.accessToken);
      expect(refusal(answer)).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
  });

  it('unauthenticated and forbidden: needs iam.access_read, and what it leads to needs its own', async () => {
    const query = (fields: string) => `{ accessControls(first: 1) { nodes { ${fields} } } }`;
    expect((await ask(query('id'), undefined)).code).toBe('UNAUTHENTICATED');
    const reader = await tokenWith(at, 'iam.access_read');
    expect((await ask(query('id name scopes everyScope restrictedTo predefined version'), reader)).errors).toEqual([]);
    for (const [fields, missing] of [
      ['role { id }', 'iam.role_read'],
      ['resource { id }', 'iam.resource_read'],
    ] as const) {
      const answer = await ask(query(fields), reader);
      expect(refusal(answer)).toMatchObject({ code: 'FORBIDDEN', missingScopes: [missing] });
    }
    const others = await tokenWith(at, 'iam.access_manage', 'iam.role_read', 'iam.template_read');
    expect(refusal(await ask(query('id'), others))).toMatchObject({ missingScopes: ['iam.access_read'] });
  });

  it('other tenant: its access controls are neither shown nor counted', async () => {
    const { id } = await givenControl(at, { scopes: ['price.price_read'] });
    const seen = await readPages(at, rival, 'accessControls', { size: 200 });
    expect(seen.nodes).not.toContainEqual({ id });
    expect(seen.totals).toEqual([await db('rival').accessControl.count()]);
  });
});

describe('accessControl', () => {
  const QUERY = `query ($id: ID!) { accessControl(id: $id) { ${FIELDS} } }`;

  it('success: a list, a role on a resource, every scope: what each gives, sorted', async () => {
    const list = await givenControl(at, { scopes: ['price.price_read', 'order.order_read'] });
    const all = only(await ask(QUERY, admin.accessToken, { id: EVERY_SCOPE_ID }));
    expect(all).toMatchObject({ everyScope: true, predefined: true, restrictedTo: 'EMPLOYEE', role: null });
    expect(all.scopes).toEqual(at.app.modules.scopes.everyScope(ctxOf('demo')));
    expect(all.scopes).toEqual(expect.arrayContaining([...builtInScopes]));
    expect(only(await ask(QUERY, admin.accessToken, { id: list.id }))).toEqual({
      ...{ id: list.id, name: list.name, role: null, resource: null, restrictedTo: null, version: 1 },
      ...{ scopes: ['order.order_read', 'price.price_read'], everyScope: false, predefined: false },
    });
    const { id } = only(await create({ roleId: 'manager', resourceId: 'iam.group' }));
    expect(only(await ask(QUERY, admin.accessToken, { id }))).toMatchObject({
      role: { id: 'manager' },
      resource: { id: 'iam.group', service: 'iam', name: 'group' },
      scopes: ['iam.group_manage', 'iam.group_read'],
    });
  });

  it('invalid, other tenant: null for one that there is not, and for one of another tenant', async () => {
    const { id } = await givenControl(at, { scopes: ['price.price_read'] });
    for (const missing of [id, 'no-such-control', ''])
      expect(only(await ask(QUERY, rival, { id: missing }))).toBeNull();
  });

  it('unauthenticated and forbidden: needs iam.access_read', async () => {
    const query = `{ accessControl(id: "${EVERY_SCOPE_ID}") { id } }`;
    expect((await ask(query, undefined)).code).toBe('UNAUTHENTICATED');
    expect((await ask(query, await tokenWith(at, 'iam.access_manage'))).code).toBe('FORBIDDEN');
    expect(only(await ask(query, await tokenWith(at, 'iam.access_read')))).toEqual({ id: EVERY_SCOPE_ID });
  });
});

describe('createAccessControl', () => {
  it('success: of a list, each scope once and as it is spelt, also in the other spelling; and the trail says who made what', async () => {
    const scopes = ['price.price_read', 'catalog.catalog_read', 'price.price_read'];
    const answer = await create({ name: ' Prices ', scopes, restrictedTo: 'CUSTOMER' });
    const control = only(answer);
    const given = { name: 'Prices', scopes: ['catalog.catalog_read', 'price.price_read'], restrictedTo: 'CUSTOMER' };
    expect(control).toEqual({
      ...{ ...given, id: expect.any(String), role: null, resource: null },
      ...{ everyScope: false, predefined: false, version: 1 },
    });
    expect(await eventsOf(at, answer)).toEqual([
      {
        ...{ type: 'access_control.created', outcome: 'success', legalEntityId: null },
        actor: { kind: 'employee', id: admin.employee.id },
        subject: { kind: 'access_control', id: control.id },
        details: { after: { ...given, roleId: null, resourceId: null } },
      },
    ]);
  });

  it('success: of a role on a resource: its actions there, in the registry’s spelling', async () => {
    const made = only(await create({ roleId: 'manager', resourceId: 'catalog.catalog' }));
    expect(made).toMatchObject({ role: { id: 'manager' }, resource: { id: 'catalog.catalog' }, restrictedTo: null });
    expect(made.scopes).toEqual(['catalog.catalog_manage', 'catalog.catalog_view']);
  });

  it('success: of the tenant’s own scope, by list and by role; and then the scope cannot be deleted', async () => {
    const resourceId = `shop.thing${randomUUID().slice(0, 8)}`;
    const scope = `${resourceId}_read`;
    const { scopeDefinitions } = at.app.modules;
    await scopeDefinitions.create(ctxOf('demo'), { id: scope, description: 'A test' });
    // Whoever has every scope has this one with the next token.
    expect(refusal(await create({ scopes: [scope] }))).toMatchObject({ code: 'FORBIDDEN', missingScopes: [scope] });
    const { accessToken } = await serviceToken(at);
    for (const source of [{ scopes: [scope.replace('_read', '_view')] }, { roleId: 'viewer', resourceId }]) {
      const made = only(await create(source, accessToken));
      expect(made.scopes).toEqual(source.scopes ?? [scope]);
      const refused = await ask('mutation ($id: ID!) { deleteScope(id: $id) }', admin.accessToken, { id: scope });
      expect(refusal(refused)).toMatchObject({ code: 'CONFLICT', reason: 'SCOPE_IN_USE' });
      only(await remove(made.id));
    }
    only(await ask('mutation ($id: ID!) { deleteScope(id: $id) }', admin.accessToken, { id: scope }));
    expect(refusal(await create({ roleId: 'viewer', resourceId }))).toMatchObject({ field: 'input.resourceId' });
  });

  const either = { roleId: 'viewer', resourceId: 'order.order' };
  it.each([
    ['an empty name', { name: ' ', ...either }, 'input.name'],
    ['a name of 101 characters', { name: 'x'.repeat(101), ...either }, 'input.name'],
    ['neither a role nor scopes', {}, 'input.roleId'],
    ['both', { ...either, scopes: ['order.order_read'] }, 'input.scopes'],
    ['a role beside scopes', { roleId: 'viewer', scopes: ['order.order_read'] }, 'input.scopes'],
    ['a resource beside scopes', { resourceId: 'order.order', scopes: ['order.order_read'] }, 'input.scopes'],
    ['a role without a resource', { roleId: 'viewer' }, 'input.resourceId'],
    ['a resource without a role', { resourceId: 'order.order' }, 'input.roleId'],
    ['an empty list', { scopes: [] }, 'input.scopes'],
    ['an unknown scope', { scopes: ['order.order_read', 'no.such_scope'] }, 'input.scopes'],
    ['a pattern', { scopes: ['order.*'] }, 'input.scopes'],
    ['an unknown role', { roleId: 'no-such-role', resourceId: 'order.order' }, 'input.roleId'],
    ['an unknown resource', { roleId: 'viewer', resourceId: 'order' }, 'input.resourceId'],
    ['a role that gives nothing there', { roleId: 'viewer', resourceId: 'brand.brand' }, 'input.roleId'],
  ])('invalid: BAD_USER_INPUT for %s, and nothing is made', async (_case, input, field) => {
    const before = await db().accessControl.count();
    const answer = await create(input);
    expect(refusal(answer)).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect([await db().accessControl.count(), await eventsOf(at, answer)]).toEqual([before, []]);
  });

  it('unauthenticated and forbidden: needs iam.access_manage; reading is not enough', async () => {
    const input = '{ name: "x", scopes: ["price.price_read"] }';
    const query = `mutation { createAccessControl(input: ${input}) { id } }`;
    expect((await ask(query, undefined)).code).toBe('UNAUTHENTICATED');
    const others = await tokenWith(at, 'iam.access_read', 'iam.role_manage', 'iam.template_manage', 'price.price_read');
    expect(refusal(await ask(query, others))).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['iam.access_manage'],
    });
  });

  it('forbidden, case 98: nobody puts in what they lack, by list or by role; the narrower and the other spelling they may', async () => {
    const held = ['iam.access_manage', 'order.order_read', 'customer.customer_read', 'catalog.catalog_view'];
    const bearer = await tokenWith(at, ...held);
    const before = await db().accessControl.count();
    const scopes = ['price.price_read', 'order.order_read', 'customer.customer_manage_own', 'order.order_manage'];
    expect(refusal(await create({ scopes }, bearer, 'id'))).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['customer.customer_manage_own', 'order.order_manage', 'price.price_read'],
    });
    const source = { roleId: 'manager', resourceId: 'order.order' };
    expect(refusal(await create(source, bearer, 'id'))).toMatchObject({ missingScopes: ['order.order_manage'] });
    expect(await db().accessControl.count()).toBe(before);
    const may = ['catalog.catalog_read', 'customer.customer_read_own', 'order.order_read'];
    expect(only(await create({ scopes: may }, bearer, 'scopes'))).toEqual({ scopes: may });
    const narrow = await tokenWith(at, 'iam.access_manage', 'customer.customer_read_own');
    expect(refusal(await create({ scopes: ['customer.customer_read'] }, narrow, 'id'))?.code).toBe('FORBIDDEN');
  });

  it('other tenant: it is made in the caller’s, whose roles, resources and scopes alone it can have', async () => {
    const resourceId = `shop.thing${randomUUID().slice(0, 8)}`;
    await at.app.modules.scopeDefinitions.create(ctxOf('demo'), { id: `${resourceId}_read`, description: 'A test' });
    const role = await db().role.create({ data: { tenantId: 'demo', name: 'Own', actions: ['read'] } });
    for (const [source, field] of [
      [{ roleId: role.id, resourceId: 'order.order' }, 'input.roleId'],
      [{ roleId: 'viewer', resourceId }, 'input.resourceId'],
      [{ scopes: [`${resourceId}_read`] }, 'input.scopes'],
    ] as const) {
      expect(refusal(await create(source, rival))).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
    await at.app.modules.scopeDefinitions.delete(ctxOf('demo'), `${resourceId}_read`);
    const { id } = only(await create({ scopes: ['price.price_read'] }, rival));
    const counts = [db('rival'), db()].map((tenant) => tenant.accessControl.count({ where: { id } }));
    expect(await Promise.all(counts)).toEqual([1, 0]);
    only(await remove(id, rival));
  });
});
