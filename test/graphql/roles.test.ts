// Query.roles, role, permissions and resources, Mutation.createRole and deleteRole. Changing one: role-changes.test.ts.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { permissionsOf, resourcesOf } from '../../src/modules/iam/actions.ts';
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
let stranger: string;
beforeAll(async () => {
  at = await theService();
  admin = await employee(at);
  rival = (await serviceToken(at, 'rival-backend')).accessToken;
  stranger = (await serviceToken(at, 'demo-crm')).accessToken;
});

const ask = (query: string, bearer: string | undefined, variables = {}) => graphql(at, query, { bearer, variables });
const create = (input: object, bearer: string | undefined = admin.accessToken) =>
  ask(
    `mutation ($input: CreateRoleInput!) { createRole(input: $input) { id name permissions { id } predefined version } }`,
    bearer,
    { input: { name: 'Reader', permissionIds: ['read'], ...input } },
  );
const remove = (id: string, bearer: string | undefined = admin.accessToken) =>
  ask('mutation ($id: ID!) { deleteRole(id: $id) }', bearer, { id });
const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const refusal = ({ errors }: Answer) => errors[0]?.extensions;
/** A scope that `demo` defines, while `work` is done. */
async function withScope(work: (scope: { id: string; resource: string; action: string }) => Promise<void>) {
  const mark = randomUUID().slice(0, 8);
  const [resource, action] = [`shop.thing${mark}`, `do${mark}`];
  const id = `${resource}_${action}`;
  await at.app.modules.scopeDefinitions.create(ctxOf('demo'), { id, description: 'A test' });
  await work({ id, resource, action });
  await at.app.modules.scopeDefinitions.delete(ctxOf('demo'), id);
}
/** Without a bearer, with other scopes, and with `needed` alone. */
async function needs(query: string, needed: string) {
  expect((await ask(query, undefined)).code).toBe('UNAUTHENTICATED');
  expect(refusal(await ask(query, stranger))).toMatchObject({ code: 'FORBIDDEN', missingScopes: [needed] });
  expect((await ask(query, await tokenWith(at, needed))).errors).toEqual([]);
}

describe('roles', () => {
  it('success: predefined ones and the tenant’s own, by name and id, from either end', async () => {
    const tenant = await givenTenant(at);
    const { id: tenantId, backend } = tenant;
    const data = Array.from({ length: 30 }, (_, i) => ({ tenantId, name: `role ${i % 3}`, actions: ['read'] }));
    await db(tenantId).role.createMany({ data });
    const { accessToken } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
    const read = (backwards: boolean) =>
      readPages(at, accessToken, 'roles', { size: 7, fields: 'id name predefined', backwards });
    const { nodes, sizes, totals } = await read(false);
    expect([sizes, new Set(totals)]).toEqual([[7, 7, 7, 7, 4], new Set([32])]);
    expect(nodes.filter(({ predefined }) => predefined)).toEqual([
      { id: 'manager', name: 'Manager', predefined: true },
      { id: 'viewer', name: 'Viewer', predefined: true },
    ]);
    const own = nodes.filter(({ predefined }) => !predefined);
    expect(own).toEqual(own.toSorted((one, other) => (`${one.name} ${one.id}` < `${other.name} ${other.id}` ? -1 : 1)));
    expect(new Set(own.map(({ id }) => id)).size).toBe(30);
    expect((await read(true)).nodes).toEqual(nodes);
  });

  it('success: a page costs one statement, and one look at the scopes for all its permissions; the count another', async () => {
    const { nodes } = only(await ask('{ roles(first: 200) { nodes { id } } }', admin.accessToken));
    expect(nodes.length).toBeGreaterThan(1);
    for (const [selection, count] of [
      ['nodes { id permissions { id } }', 1],
      ['totalCount nodes { id permissions { id } }', 2],
    ] as const) {
      const statements = await fewestStatements(at, async () => {
        const catalogue = vi.spyOn(at.app.modules.scopes, 'list');
        only(await ask(`{ roles(first: 200) { ${selection} } }`, admin.accessToken));
        expect(catalogue.mock.calls.length).toBe(1);
        catalogue.mockRestore();
      });
      expect(statements).toHaveLength(count);
    }
  });

  it('invalid: BAD_USER_INPUT for too large a page and for a cursor of another kind', async () => {
    const { endCursor } = only(await ask('{ scopes(first: 1) { pageInfo { endCursor } } }', stranger)).pageInfo;
    for (const [args, field] of [
      ['first: 201', 'first'],
      [`after: "${endCursor}"`, 'after'],
      [`before: "${endCursor}"`, 'before'],
    ]) {
      const answer = await ask(`{ roles(${args}) { totalCount } }`, admin.accessToken);
      expect(refusal(answer)).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
  });

  it('unauthenticated and forbidden: needs iam.role_read, and their permissions iam.permission_read', async () => {
    await needs('{ roles { totalCount nodes { id name } } }', 'iam.role_read');
    const reader = await tokenWith(at, 'iam.role_read');
    expect(refusal(await ask('{ roles { nodes { permissions { id } } } }', reader))).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['iam.permission_read'],
    });
  });

  it('other tenant: its roles are neither shown nor counted', async () => {
    const { id } = only(await create({}));
    const seen = await readPages(at, rival, 'roles', { size: 200 });
    expect(seen.nodes).not.toContainEqual({ id });
    expect(seen.totals).toEqual([await db('rival').role.count()]);
    only(await remove(id));
  });
});

describe('role', () => {
  const QUERY =
    'query ($id: ID!) { role(id: $id) { id name permissions { id action description } predefined version } }';

  it('success: one role with the actions that it allows, sorted', async () => {
    const manager = only(await ask(QUERY, admin.accessToken, { id: 'manager' }));
    expect(manager).toMatchObject({ id: 'manager', name: 'Manager', predefined: true, version: 1 });
    expect(manager.permissions.map(({ id }: { id: string }) => id)).toEqual(['manage', 'read', 'view']);
    for (const { id, action, description } of manager.permissions)
      expect([action, description]).toEqual([id, expect.stringContaining(`_${id}`)]);
  });

  it('invalid, other tenant: null for one that there is not, and for one of another tenant', async () => {
    const { id } = only(await create({}));
    expect(only(await ask(QUERY, rival, { id }))).toBeNull();
    for (const missing of ['no-such-role', '']) expect(only(await ask(QUERY, rival, { id: missing }))).toBeNull();
    only(await remove(id));
  });

  it('unauthenticated and forbidden: needs iam.role_read', () =>
    needs('{ role(id: "viewer") { id } }', 'iam.role_read'));
});

describe.each([
  ['permissions', permissionsOf, 'action', 'iam.permission_read'],
  ['resources', resourcesOf, 'resource', 'iam.resource_read'],
] as const)('%s', (list, partsOf, part, scope) => {
  const fields = list === 'permissions' ? 'id action description' : 'id service name description';

  it('success: all that some scope of the tenant is made of, sorted, from either end', async () => {
    const all = partsOf(at.app.modules.scopes.list(ctxOf('demo')));
    for (const backwards of [false, true]) {
      const { nodes, totals } = await readPages(at, admin.accessToken, list, { size: 20, fields, backwards });
      expect(nodes).toEqual(all);
      expect(new Set(totals)).toEqual(new Set([all.length]));
    }
  });

  it('success, other tenant: a scope that the tenant defines brings its own, in no other tenant and no longer', async () => {
    const idsOf = async (bearer: string) =>
      (await readPages(at, bearer, list, { size: 200 })).nodes.map(({ id }) => id as string);
    const before = await idsOf(rival);
    let own = '';
    await withScope(async (defined) => {
      own = defined[part];
      expect(await idsOf(admin.accessToken)).toContain(own);
      expect(await idsOf(rival)).toEqual(before);
    });
    expect(await idsOf(admin.accessToken)).not.toContain(own);
  });

  it('invalid: BAD_USER_INPUT for too large a page and for what is no cursor', async () => {
    for (const args of ['first: 201', 'last: -1', 'first: 1, last: 1', 'after: "x"', 'before: "WzFd"']) {
      expect([args, (await ask(`{ ${list}(${args}) { totalCount } }`, admin.accessToken)).code]).toEqual([
        args,
        'BAD_USER_INPUT',
      ]);
    }
  });

  it(`unauthenticated and forbidden: needs ${scope}`, () =>
    needs(`{ ${list}(first: 3) { nodes { ${fields} } } }`, scope));
});

describe('createRole', () => {
  it('success: its actions each once, and the trail says who made what', async () => {
    const answer = await create({ name: ' Reader ', permissionIds: ['view', 'read', 'view'] });
    const role = only(answer);
    expect(role).toEqual({
      ...{ id: expect.any(String), name: 'Reader', predefined: false, version: 1 },
      permissions: [{ id: 'read' }, { id: 'view' }],
    });
    expect(await eventsOf(at, answer)).toEqual([
      {
        ...{ type: 'role.created', outcome: 'success', legalEntityId: null },
        actor: { kind: 'employee', id: admin.employee.id },
        subject: { kind: 'role', id: role.id },
        details: { after: { name: 'Reader', actions: ['read', 'view'] } },
      },
    ]);
    only(await remove(role.id));
  });

  it('success: of an action that only the tenant’s own scope ends in; a role gives nobody anything by itself', async () => {
    await withScope(async ({ action }) => {
      const maker = await tokenWith(at, 'iam.role_create', 'iam.permission_read');
      const { id, permissions } = only(await create({ permissionIds: [action, 'manage'] }, maker));
      expect(permissions).toEqual([{ id: action }, { id: 'manage' }]);
      only(await remove(id));
    });
  });

  it.each([
    ['an empty name', { name: ' ' }, 'input.name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'input.name'],
    ['no action', { permissionIds: [] }, 'input.permissionIds'],
    ['an unknown action', { permissionIds: ['read', 'frobnicate'] }, 'input.permissionIds.1'],
    ['a scope', { permissionIds: ['iam.group_read'] }, 'input.permissionIds.0'],
    ['a pattern', { permissionIds: ['*'] }, 'input.permissionIds.0'],
  ])('invalid: BAD_USER_INPUT for %s, and nothing is made', async (_case, input, field) => {
    const before = await db().role.count();
    const answer = await create(input);
    expect(refusal(answer)).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect([await db().role.count(), await eventsOf(at, answer)]).toEqual([before, []]);
  });

  it('unauthenticated and forbidden: needs iam.role_manage or iam.role_create; other rights on roles are not enough', async () => {
    const input = '{ name: "x", permissionIds: ["read"] }';
    expect((await ask(`mutation { createRole(input: ${input}) { id } }`, undefined)).code).toBe('UNAUTHENTICATED');
    const before = await db().role.count();
    const others = await tokenWith(at, 'iam.role_read', 'iam.role_update', 'iam.role_delete', 'iam.permission_read');
    expect(refusal(await create({}, others))).toMatchObject({
      code: 'FORBIDDEN',
      requiredScopes: [['iam.role_manage'], ['iam.role_create']],
    });
    expect(await db().role.count()).toBe(before);
  });

  it('other tenant: it is made in the caller’s, whose actions alone it can have', async () => {
    await withScope(async ({ action }) => {
      expect(refusal(await create({ permissionIds: [action] }, rival))).toMatchObject({ code: 'BAD_USER_INPUT' });
    });
    const { id } = only(await create({}, rival));
    expect([await db('rival').role.count({ where: { id } }), await db().role.count({ where: { id } })]).toEqual([1, 0]);
    only(await remove(id, rival));
  });
});

describe('deleteRole', () => {
  it('success: it is gone, and the trail keeps what it was', async () => {
    const { id } = only(await create({ permissionIds: ['manage'] }));
    const remover = await tokenWith(at, 'iam.role_delete');
    const answer = await remove(id, remover);
    expect(only(answer)).toBe(id);
    expect(await db().role.count({ where: { id } })).toBe(0);
    expect(await eventsOf(at, answer)).toMatchObject([
      {
        ...{ type: 'role.deleted', actor: { kind: 'client' }, subject: { kind: 'role', id } },
        details: { before: { name: 'Reader', actions: ['manage'] } },
      },
    ]);
  });

  it('invalid: CONFLICT ROLE_IN_USE while an access control applies it', async () => {
    const { id } = only(await create({}));
    const control = await givenControl(at, { roleId: id, resourceId: 'order.order', scopes: ['order.order_read'] });
    expect(refusal(await remove(id))).toMatchObject({ code: 'CONFLICT', reason: 'ROLE_IN_USE' });
    expect(await db().role.count({ where: { id } })).toBe(1);
    await db().accessControl.delete({ where: { tenantId_id: { tenantId: 'demo', id: control.id } } });
    expect(only(await remove(id))).toBe(id);
  });

  it('invalid: CONFLICT PREDEFINED for those that every tenant has', async () => {
    for (const id of ['viewer', 'manager']) {
      expect(refusal(await remove(id))).toMatchObject({ code: 'CONFLICT', reason: 'PREDEFINED' });
      expect(await db().role.count({ where: { id } })).toBe(1);
    }
  });

  it('invalid, other tenant: NOT_FOUND in the same words for one that is gone, never was, or is not the caller’s', async () => {
    const [{ id }, { id: foreign }] = [only(await create({})), only(await create({}, rival))];
    only(await remove(id));
    const answers = [await remove(id), await remove('no-such-role'), await remove(foreign)];
    for (const { code, errors } of answers) expect([code, errors]).toEqual(['NOT_FOUND', answers[0]!.errors]);
    expect(only(await remove(foreign, rival))).toBe(foreign);
  });

  it('unauthenticated and forbidden: needs iam.role_manage or iam.role_delete; other rights on roles are not enough', async () => {
    const { id } = only(await create({}));
    expect((await graphql(at, `mutation { deleteRole(id: "${id}") }`)).code).toBe('UNAUTHENTICATED');
    const others = await tokenWith(at, 'iam.role_read', 'iam.role_update', 'iam.role_create');
    expect(refusal(await remove(id, others))).toMatchObject({
      code: 'FORBIDDEN',
      requiredScopes: [['iam.role_manage'], ['iam.role_delete']],
    });
    expect(only(await remove(id, await tokenWith(at, 'iam.role_manage')))).toBe(id);
  });
});
