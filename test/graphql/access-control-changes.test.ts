// Mutation.updateAccessControl: from a role to a list and back, whose tokens that ends, and who may do it.

import { beforeAll, describe, expect, it } from 'vitest';
import { EVERY_SCOPE_ID, predefinedAccessControls } from '../../src/modules/iam/predefined.ts';
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
    `mutation ($input: UpdateAccessControlInput!) {
      updateAccessControl(input: $input) { id name scopes everyScope restrictedTo version } }`,
    { bearer, variables: { input } },
  );
const refusal = async (input: object, bearer?: string) => (await update(input, bearer)).errors[0]?.extensions;
const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const stored = (id: string, tenantId = 'demo') =>
  db(tenantId).accessControl.findUniqueOrThrow({ where: { tenantId_id: { tenantId, id } } });
const onOrders = { roleId: 'viewer', resourceId: 'order.order', scopes: ['order.order_read'] };

describe('updateAccessControl', () => {
  it('success: a new name, which ends no token, and the trail tells of before and after', async () => {
    const { id, name } = await givenControl(at, { ...onOrders, restrictedTo: 'EMPLOYEE' });
    await givenGroup(at, { controlIds: [id] });
    let answer: Awaited<ReturnType<typeof update>>;
    const revoked = await revokedBy(at, async () => {
      answer = await update({ id, name: ' Renamed ' });
    });
    const common = { scopes: ['order.order_read'], restrictedTo: 'EMPLOYEE' };
    expect(only(answer!)).toEqual({ id, name: 'Renamed', ...common, everyScope: false, version: 2 });
    expect([revoked, await stored(id)]).toMatchObject([[], { roleId: 'viewer', resourceId: 'order.order' }]);
    const details = { ...common, roleId: 'viewer', resourceId: 'order.order' };
    expect(await eventsOf(at, answer!)).toEqual([
      {
        ...{ type: 'access_control.updated', outcome: 'success', legalEntityId: null },
        actor: { kind: 'employee', id: admin.employee.id },
        subject: { kind: 'access_control', id },
        details: { before: { name, ...details }, after: { name: 'Renamed', ...details } },
      },
    ]);
  });

  it('success: from a role to a list and back; for whom it is stays', async () => {
    const { id } = await givenControl(at, { ...onOrders, restrictedTo: 'CUSTOMER' });
    only(await update({ id, scopes: ['price.price_read', 'order.order_read', 'price.price_read'] }));
    const common = { restrictedTo: 'CUSTOMER', everyScope: false };
    const list = { ...common, scopes: ['order.order_read', 'price.price_read'], roleId: null, resourceId: null };
    expect(await stored(id)).toMatchObject({ ...list, version: 2 });
    only(await update({ id, roleId: 'manager', resourceId: 'order.order' }));
    const applied = { ...common, roleId: 'manager', resourceId: 'order.order' };
    expect(await stored(id)).toMatchObject({ ...applied, scopes: ['order.order_manage', 'order.order_read'] });
  });

  it('success: a list instead of every scope is less, ends every scope, and needs no other', async () => {
    const { id } = await givenControl(at, { everyScope: true });
    const group = await givenGroup(at, { controlIds: [id] });
    const bearer = await tokenWith(at, 'iam.access_manage');
    let answer: Awaited<ReturnType<typeof update>>;
    const revoked = await revokedBy(at, async () => {
      answer = await update({ id, scopes: ['price.price_read'] }, bearer);
    });
    expect(only(answer!)).toMatchObject({ everyScope: false, scopes: ['price.price_read'] });
    expect(revoked).toEqual([`GROUP ${group.id}`]);
  });

  it('success: of role and resource each can be changed alone', async () => {
    const { id } = await givenControl(at, onOrders);
    expect(only(await update({ id, roleId: 'manager' })).scopes).toEqual(['order.order_manage', 'order.order_read']);
    expect(only(await update({ id, resourceId: 'catalog.catalog' })).scopes).toEqual([
      ...['catalog.catalog_manage', 'catalog.catalog_view'],
    ]);
    expect(await stored(id)).toMatchObject({ roleId: 'manager', resourceId: 'catalog.catalog', version: 3 });
  });

  it('success: ends the tokens of exactly the groups that give something else now, directly or by a template', async () => {
    const { id } = await givenControl(at, { scopes: ['order.order_read'] });
    const { id: templateId } = await givenTemplate(at, [id]);
    const person = await givenEmployee(at);
    const direct = await givenGroup(at, { controlIds: [id], memberIds: [person.id] });
    const bundled = await givenGroup(at, { templateIds: [templateId] });
    const customers = await givenGroup(at, { controlIds: [id], userType: 'CUSTOMER' });
    await givenGroup(at, { controlIds: [id], scopes: ['order.order_read', 'price.price_read'] });
    await givenGroup(at, { scopes: ['order.order_read'] });
    const { accessToken, refreshToken } = await employee(at, person.email);
    const revoked = await revokedBy(at, () => update({ id, scopes: ['price.price_read'] }).then(only));
    expect(revoked).toEqual([direct, bundled, customers].map((group) => `GROUP ${group.id}`).sort());
    expect(await isGood(at, accessToken)).toBe(false);
    expect(only<EmployeeToken>(await tryRefreshEmployee(at, refreshToken)).scopes).toEqual(['price.price_read']);
  });

  it('success: a list instead of a role that gives the same ends no token', async () => {
    const { id } = await givenControl(at, onOrders);
    await givenGroup(at, { controlIds: [id] });
    expect(await revokedBy(at, () => update({ id, scopes: ['order.order_read'] }).then(only))).toEqual([]);
    expect((await stored(id)).roleId).toBeNull();
  });

  it('success: what is restricted to others gives a group nothing, so that a change of it ends no token there', async () => {
    const { id } = await givenControl(at, { scopes: ['order.order_read'], restrictedTo: 'CUSTOMER' });
    await givenGroup(at, { controlIds: [id], userType: 'EMPLOYEE' });
    expect(await revokedBy(at, () => update({ id, scopes: ['price.price_read'] }).then(only))).toEqual([]);
  });

  it('success: null is absent', async () => {
    const { id, name } = await givenControl(at, onOrders);
    const nothing = { name: null, scopes: null, roleId: null, resourceId: null, version: null };
    expect(only(await update({ id, ...nothing }))).toMatchObject({ name, scopes: ['order.order_read'] });
    expect(await stored(id)).toMatchObject(onOrders);
  });

  it.each([
    ['an empty name', { name: ' ' }, 'input.name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'input.name'],
    ['an empty list', { scopes: [] }, 'input.scopes'],
    ['an unknown scope', { scopes: ['no.such_scope'] }, 'input.scopes'],
    ['a role beside scopes', { roleId: 'viewer', scopes: ['order.order_read'] }, 'input.scopes'],
    ['a resource beside scopes', { resourceId: 'order.order', scopes: ['order.order_read'] }, 'input.scopes'],
    ['an unknown role', { roleId: 'no-such-role' }, 'input.roleId'],
    ['an unknown resource', { resourceId: 'order' }, 'input.resourceId'],
    ['a resource where the role gives nothing', { resourceId: 'brand.brand' }, 'input.roleId'],
  ])('invalid: BAD_USER_INPUT for %s, and nothing changes', async (_case, input, field) => {
    const before = await givenControl(at, onOrders);
    expect(await refusal({ id: before.id, ...input })).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(await stored(before.id)).toEqual(before);
  });

  it('invalid: BAD_USER_INPUT for half of a role on a resource instead of a list', async () => {
    const before = await givenControl(at, { scopes: ['order.order_read'] });
    for (const [half, field] of [
      [{ roleId: 'viewer' }, 'input.resourceId'],
      [{ resourceId: 'order.order' }, 'input.roleId'],
    ] as const) {
      expect(await refusal({ id: before.id, ...half })).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
    expect(await stored(before.id)).toEqual(before);
  });

  it('invalid: CONFLICT STALE_VERSION for what the caller has not seen; without a version nobody asks', async () => {
    const { id } = await givenControl(at, onOrders);
    only(await update({ id, version: 1, name: 'One' }));
    for (const version of [1, 3, 0]) {
      expect(await refusal({ id, version, name: 'Lost' })).toMatchObject({ code: 'CONFLICT', reason: 'STALE_VERSION' });
    }
    expect(only(await update({ id, name: 'Two' }))).toMatchObject({ name: 'Two', version: 3 });
  });

  it('invalid: a role that changes is a change of its access controls, too', async () => {
    const role = await db().role.create({ data: { tenantId: 'demo', name: 'Role', actions: ['read'] } });
    const { id } = await givenControl(at, { ...onOrders, roleId: role.id });
    await graphql(at, `mutation { updateRole(input: { id: "${role.id}", permissionIds: ["delete"] }) { id } }`, {
      bearer: admin.accessToken,
    });
    expect(await refusal({ id, version: 1, name: 'Lost' })).toMatchObject({ reason: 'STALE_VERSION' });
  });

  it('invalid: CONFLICT PREDEFINED for those that every tenant has', async () => {
    for (const id of [EVERY_SCOPE_ID, predefinedAccessControls[0]!.id]) {
      const before = await stored(id);
      for (const input of [{ name: 'Mine' }, { scopes: ['price.price_read'] }]) {
        expect(await refusal({ id, ...input })).toMatchObject({ code: 'CONFLICT', reason: 'PREDEFINED' });
      }
      expect(await stored(id)).toEqual(before);
    }
  });

  it('invalid, case 100: CONFLICT LAST_ADMINISTRATOR for changing or deleting what lets the last one manage groups', async () => {
    const { id: tenantId, backend, employee: person } = await givenTenant(at);
    const { accessToken } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
    const { id } = await givenControl(at, { scopes: ['iam.group_manage'] }, tenantId);
    await db(tenantId).employeeMembership.deleteMany({});
    const template = await givenTemplate(at, [id], tenantId);
    await givenGroup(at, { templateIds: [template.id], memberIds: [person.id] }, tenantId);
    const refused = { code: 'CONFLICT', reason: 'LAST_ADMINISTRATOR' };
    const remove = async () => {
      const query = `mutation { deleteAccessControl(id: "${id}") }`;
      return (await graphql(at, query, { bearer: accessToken })).errors[0]?.extensions;
    };
    expect(await refusal({ id, scopes: ['iam.group_read'] }, accessToken)).toMatchObject(refused);
    expect(await remove()).toMatchObject(refused);
    expect(await stored(id, tenantId)).toMatchObject({ scopes: ['iam.group_manage'], version: 1 });
    expect(await refusal({ id, scopes: ['iam.group_manage', 'iam.group_read'] }, accessToken)).toBeUndefined();
    await givenGroup(at, { scopes: ['iam.group_manage'], memberIds: [person.id] }, tenantId);
    expect(await refusal({ id, scopes: ['iam.group_read'] }, accessToken)).toBeUndefined();
    expect(await remove()).toBeUndefined();
  });

  it('unauthenticated and forbidden: needs iam.access_manage', async () => {
    const before = await givenControl(at, onOrders);
    const query = `mutation { updateAccessControl(input: { id: "${before.id}", name: "x" }) { id } }`;
    expect((await graphql(at, query)).code).toBe('UNAUTHENTICATED');
    const others = await tokenWith(at, 'iam.access_read', 'iam.group_manage', 'iam.role_manage', 'order.order_read');
    expect(await refusal({ id: before.id, name: 'x' }, others)).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['iam.access_manage'],
    });
    expect(await stored(before.id)).toEqual(before);
  });

  it('forbidden, case 98: nobody adds what they lack, though no group has it; taking away needs nothing more', async () => {
    const before = await givenControl(at, { scopes: ['order.order_delete', 'order.order_read'] });
    const group = await givenGroup(at, { controlIds: [before.id] });
    const { id } = before;
    const bearer = await tokenWith(at, 'iam.access_manage', 'price.price_read');
    for (const [input, missing] of [
      [{ scopes: ['order.order_read', 'price.price_manage', 'price.price_read'] }, ['price.price_manage']],
      [{ scopes: ['brand.brand_manage', 'country.country_manage'] }, ['brand.brand_manage', 'country.country_manage']],
      [{ roleId: 'manager', resourceId: 'order.order' }, ['order.order_manage']],
    ] as const) {
      expect(await refusal({ id, ...input }, bearer)).toMatchObject({ code: 'FORBIDDEN', missingScopes: missing });
    }
    const unassigned = await givenControl(at, { scopes: ['price.price_read'] });
    expect(await refusal({ id: unassigned.id, scopes: ['price.price_manage'] }, bearer)).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: ['price.price_manage'] },
    });
    expect(await stored(id)).toEqual(before);
    const revoked = await revokedBy(at, () =>
      update({ id, name: 'Less', scopes: ['order.order_read', 'price.price_read'] }, bearer).then(only),
    );
    expect([revoked, (await stored(id)).scopes]).toEqual([
      [`GROUP ${group.id}`],
      ['order.order_read', 'price.price_read'],
    ]);
  });

  it('other tenant: NOT_FOUND as for one that there is not, and a role of another tenant is none', async () => {
    const before = await givenControl(at, onOrders);
    const { accessToken } = await serviceToken(at, 'rival-backend');
    const answers = [await update({ id: before.id, name: 'x' }, accessToken), await update({ id: 'no-such-control' })];
    for (const { code, errors } of answers) expect([code, errors]).toEqual(['NOT_FOUND', answers[0]!.errors]);
    const role = await db('rival').role.create({ data: { tenantId: 'rival', name: 'Theirs', actions: ['delete'] } });
    expect(await refusal({ id: before.id, roleId: role.id })).toMatchObject({ field: 'input.roleId' });
    expect(await stored(before.id)).toEqual(before);
  });
});
