// Mutation.updateRole: what the access controls of a role then give, whose tokens that ends, and who may do it.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenEmployee, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { eventsOf, givenControl, givenGroup, givenTemplate, revokedBy, tokenWith } from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import {
  type EmployeeToken,
  employee,
  isGood,
  serviceToken,
  tryRefreshEmployee,
  tryServiceToken,
} from '../kit/stories.ts';

let at: Service;
let admin: EmployeeToken;
beforeAll(async () => {
  at = await theService();
  admin = await employee(at);
});

const update = (input: object, bearer: string | undefined = admin.accessToken) =>
  graphql(
    at,
    'mutation ($input: UpdateRoleInput!) { updateRole(input: $input) { id name permissions { id } version } }',
    { bearer, variables: { input } },
  );
const refusal = async (input: object, bearer?: string) => (await update(input, bearer)).errors[0]?.extensions;
const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const stored = (id: string) => db().role.findUniqueOrThrow({ where: { tenantId_id: { tenantId: 'demo', id } } });
const control = (id: string, tenantId = 'demo') =>
  db(tenantId).accessControl.findUniqueOrThrow({ where: { tenantId_id: { tenantId, id } } });
const givenRole = (actions: string[], tenantId = 'demo') =>
  db(tenantId).role.create({ data: { tenantId, name: 'Role', actions } });
const applied = (roleId: string, resourceId: string, ...scopes: string[]) =>
  givenControl(at, { roleId, resourceId, scopes });

describe('updateRole', () => {
  it('success: a new name, which ends no token, and the trail tells of before and after', async () => {
    const { id } = await givenRole(['read']);
    const { id: controlId } = await applied(id, 'order.order', 'order.order_read');
    await givenGroup(at, { controlIds: [controlId] });
    const answer = await update({ id, name: ' Renamed ' });
    expect(await revokedBy(at, () => update({ id, name: 'Renamed' }))).toEqual([]);
    expect(only(answer)).toEqual({ id, name: 'Renamed', permissions: [{ id: 'read' }], version: 2 });
    expect(await control(controlId)).toMatchObject({ scopes: ['order.order_read'], version: 1 });
    expect(await eventsOf(at, answer)).toEqual([
      {
        ...{ type: 'role.updated', outcome: 'success', legalEntityId: null },
        actor: { kind: 'employee', id: admin.employee.id },
        subject: { kind: 'role', id },
        details: { before: { name: 'Role', actions: ['read'] }, after: { name: 'Renamed', actions: ['read'] } },
      },
    ]);
  });

  it('success: every access control of it is worked out again, `read` being `view`, and no other', async () => {
    const { id } = await givenRole(['read']);
    const orders = await applied(id, 'order.order', 'order.order_read');
    const catalogs = await applied(id, 'catalog.catalog', 'catalog.catalog_view');
    const other = await applied('viewer', 'order.order', 'order.order_read');
    const answer = await update({ id, permissionIds: ['view', 'manage', 'delete', 'view'] });
    expect(only(answer)).toMatchObject({
      permissions: [{ id: 'delete' }, { id: 'manage' }, { id: 'view' }],
      version: 2,
    });
    expect([await control(orders.id), await control(catalogs.id), await control(other.id)]).toMatchObject([
      { scopes: ['order.order_delete', 'order.order_manage', 'order.order_read'], version: 2 },
      { scopes: ['catalog.catalog_delete', 'catalog.catalog_manage', 'catalog.catalog_view'], version: 2 },
      { scopes: ['order.order_read'], version: 1 },
    ]);
    expect((await eventsOf(at, answer)).map(({ type }) => type)).toEqual(['role.updated']);
  });

  it('success: ends the tokens of exactly the groups that give something else now, directly or by a template', async () => {
    const { id } = await givenRole(['read']);
    const orders = await applied(id, 'order.order', 'order.order_read');
    const prices = await applied(id, 'price.price', 'price.price_read');
    const { id: templateId } = await givenTemplate(at, [orders.id]);
    const person = await givenEmployee(at, ['country.country_read']);
    const groups = {
      direct: await givenGroup(at, { controlIds: [orders.id], memberIds: [person.id] }),
      bundled: await givenGroup(at, { templateIds: [templateId] }),
      both: await givenGroup(at, { controlIds: [orders.id, prices.id], templateIds: [templateId] }),
      hasItAnyway: await givenGroup(at, { scopes: ['order.order_delete'], controlIds: [orders.id] }),
      // Prices know no such action.
      onlyPrices: await givenGroup(at, { controlIds: [prices.id] }),
      unconcerned: await givenGroup(at, { scopes: ['order.order_read'] }),
    };
    const { accessToken, refreshToken } = await employee(at, person.email);
    const revoked = await revokedBy(at, () => update({ id, permissionIds: ['read', 'delete'] }).then(only));
    expect(revoked).toEqual([groups.direct, groups.bundled, groups.both].map((group) => `GROUP ${group.id}`).sort());
    expect(await isGood(at, accessToken)).toBe(false);
    const next = only<EmployeeToken>(await tryRefreshEmployee(at, refreshToken));
    expect(next.scopes).toEqual(['country.country_read', 'order.order_delete', 'order.order_read']);
    expect(await isGood(at, next.accessToken)).toBe(true);
  });

  it('success: actions in another order are no change for anybody', async () => {
    const { id } = await givenRole(['manage', 'read']);
    const prices = await applied(id, 'price.price', 'price.price_manage', 'price.price_read');
    await givenGroup(at, { controlIds: [prices.id] });
    expect(await revokedBy(at, () => update({ id, permissionIds: ['read', 'manage', 'read'] }).then(only))).toEqual([]);
  });

  it('success: null is absent', async () => {
    const { id } = await givenRole(['read']);
    const nothing = { name: null, permissionIds: null, version: null };
    expect(only(await update({ id, ...nothing }))).toMatchObject({ name: 'Role', permissions: [{ id: 'read' }] });
  });

  it.each([
    ['an empty name', { name: ' ' }, 'input.name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'input.name'],
    ['no action', { permissionIds: [] }, 'input.permissionIds'],
    ['an unknown action', { permissionIds: ['read', 'frobnicate'] }, 'input.permissionIds.1'],
  ])('invalid: BAD_USER_INPUT for %s, and nothing changes', async (_case, input, field) => {
    const { id } = await givenRole(['manage']);
    expect(await refusal({ id, ...input })).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(await stored(id)).toMatchObject({ name: 'Role', actions: ['manage'], version: 1 });
  });

  it('invalid: CONFLICT STALE_VERSION for what the caller has not seen; without a version nobody asks', async () => {
    const { id } = await givenRole(['read']);
    only(await update({ id, version: 1, name: 'One' }));
    for (const version of [1, 3, 0]) {
      expect(await refusal({ id, version, name: 'Lost' })).toMatchObject({ code: 'CONFLICT', reason: 'STALE_VERSION' });
    }
    expect(only(await update({ id, name: 'Two' }))).toMatchObject({ name: 'Two', version: 3 });
  });

  it('invalid: of changes at the same moment that read the same version one wins', async () => {
    const { id } = await givenRole(['read']);
    const answers = await Promise.all(['A', 'B', 'C'].map((name) => update({ id, version: 1, name })));
    expect(answers.map(({ errors }) => errors[0]?.extensions.reason ?? 'won').sort()).toEqual([
      ...['STALE_VERSION', 'STALE_VERSION', 'won'],
    ]);
    expect((await stored(id)).version).toBe(2);
  });

  it('invalid: CONFLICT PREDEFINED for those that every tenant has', async () => {
    for (const id of ['viewer', 'manager']) {
      const before = await stored(id);
      for (const input of [{ name: 'Mine' }, { permissionIds: ['delete'] }]) {
        expect(await refusal({ id, ...input })).toMatchObject({ code: 'CONFLICT', reason: 'PREDEFINED' });
      }
      expect(await stored(id)).toEqual(before);
    }
  });

  it('invalid, case 100: CONFLICT LAST_ADMINISTRATOR when nobody could manage groups any more', async () => {
    const { id: tenantId, backend, employee: person } = await givenTenant(at);
    const { accessToken } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
    const { id } = await givenRole(['manage', 'read'], tenantId);
    const given = { roleId: id, resourceId: 'iam.group', scopes: ['iam.group_manage', 'iam.group_read'] };
    const { id: controlId } = await givenControl(at, given, tenantId);
    await db(tenantId).employeeMembership.deleteMany({});
    await givenGroup(at, { controlIds: [controlId], memberIds: [person.id] }, tenantId);
    const strip = () => refusal({ id, permissionIds: ['read'] }, accessToken);
    expect(await strip()).toMatchObject({ code: 'CONFLICT', reason: 'LAST_ADMINISTRATOR' });
    expect((await control(controlId, tenantId)).scopes).toEqual(given.scopes);
    await givenGroup(at, { scopes: ['iam.group_manage'], memberIds: [person.id] }, tenantId);
    expect(await strip()).toBeUndefined();
  });

  it('unauthenticated and forbidden: needs iam.role_manage or iam.role_update; other rights on roles are not enough', async () => {
    const { id } = await givenRole(['read']);
    const query = `mutation { updateRole(input: { id: "${id}", name: "x" }) { id } }`;
    expect((await graphql(at, query)).code).toBe('UNAUTHENTICATED');
    const others = await tokenWith(at, 'iam.role_read', 'iam.role_create', 'iam.role_delete', 'iam.permission_read');
    expect(await refusal({ id, name: 'x' }, others)).toMatchObject({
      code: 'FORBIDDEN',
      requiredScopes: [['iam.role_manage'], ['iam.role_update']],
    });
    expect((await stored(id)).name).toBe('Role');
  });

  it('forbidden, case 98: nobody lets a role give what they lack, wherever it is applied; the other spelling they may', async () => {
    const { id } = await givenRole(['read']);
    const orders = await applied(id, 'order.order', 'order.order_read');
    const catalogs = await applied(id, 'catalog.catalog', 'catalog.catalog_view');
    const held = ['iam.role_update', 'iam.permission_read', 'order.order_manage', 'catalog.catalog_manage'];
    const bearer = await tokenWith(at, ...held);
    expect(await refusal({ id, permissionIds: ['read', 'manage', 'delete'] }, bearer)).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['catalog.catalog_delete', 'order.order_delete'],
    });
    expect([await stored(id), await control(orders.id), await control(catalogs.id)]).toMatchObject([
      { actions: ['read'], version: 1 },
      { scopes: ['order.order_read'], version: 1 },
      { scopes: ['catalog.catalog_view'], version: 1 },
    ]);
    only(await update({ id, permissionIds: ['read', 'manage'] }, bearer));
    expect((await control(orders.id)).scopes).toEqual(['order.order_manage', 'order.order_read']);
  });

  it('success: taking away needs no scope but that of the field', async () => {
    const { id } = await givenRole(['manage', 'read']);
    const orders = await applied(id, 'order.order', 'order.order_manage', 'order.order_read');
    await givenGroup(at, { controlIds: [orders.id] });
    only(await update({ id, permissionIds: ['read'] }, await tokenWith(at, 'iam.role_manage', 'iam.permission_read')));
    expect((await control(orders.id)).scopes).toEqual(['order.order_read']);
  });

  it('success: a role of actions that a resource does not know leaves its access controls with nothing', async () => {
    const { id } = await givenRole(['read']);
    const orders = await applied(id, 'order.order', 'order.order_read');
    only(await update({ id, permissionIds: ['introspect'] }));
    expect((await control(orders.id)).scopes).toEqual([]);
  });

  it('other tenant: NOT_FOUND as for one that there is not, and nothing changes', async () => {
    const { id } = await givenRole(['read']);
    const { accessToken } = await serviceToken(at, 'rival-backend');
    const answers = [await update({ id, name: 'Theirs' }, accessToken), await update({ id: 'no-such-role' })];
    for (const { code, errors } of answers) expect([code, errors]).toEqual(['NOT_FOUND', answers[0]!.errors]);
    expect((await stored(id)).name).toBe('Role');
  });
});
