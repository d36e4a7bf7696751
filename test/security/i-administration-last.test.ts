// Somebody who can manage groups is always left, and can sign in. security.md case 100.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { givenControl, givenGroup, givenTemplate } from '../kit/groups.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { PASSWORD, tryEmployeeLogin } from '../kit/stories.ts';
import {
  clientToken,
  givenColleague,
  mutate,
  outcomeOf,
  rowsOfTenant,
  tryEmployeeToken,
} from './i-administration-acts.ts';

let service: Service;
beforeAll(async () => {
  service = await theService();
});

const everyScopeOf = (tenantId: string) => service.app.modules.scopes.everyScope({ tenantId });

const LAST = 'CONFLICT: LAST_ADMINISTRATOR';

/** A tenant whose one administrator is in one group, and a back end that may do everything and is no employee. */
async function givenLast(how: 'directly' | 'by role' | 'by template' | 'by every scope') {
  const tenant = await givenTenant(service);
  const { id: tenantId } = tenant;
  const ctx = ctxOf(tenantId);
  const { memberships, roles } = service.app.modules;
  const db = service.app.modules.database.forTenant(ctx);
  const role = await roles.create(ctx, { name: 'Manager', permissionIds: ['manage'] });
  const given =
    how === 'by every scope'
      ? { everyScope: true }
      : {
          scopes: ['iam.group_manage'],
          ...(how === 'by role' ? { roleId: role.id, resourceId: 'iam.group' } : {}),
        };
  const control = await givenControl(service, given, tenantId);
  const template = await givenTemplate(service, [control.id], tenantId);
  const ids = how === 'by template' ? { templateIds: [template.id] } : { controlIds: [control.id] };
  const group = await givenGroup(service, ids, tenantId);
  const first = await db.employeeMembership.findFirstOrThrow({ where: { employeeId: tenant.employee.id } });
  const member = { groupId: group.id, userId: tenant.employee.id, userType: 'EMPLOYEE' } as const;
  await memberships.add(ctx, member);
  await memberships.remove(ctx, { ...member, groupId: first.groupId });
  const { accessToken } = await clientToken(service, tenant.backend.id, tenant.backend.clientSecret);
  await service.app.modules.clientUsage.flush();

  /** Every way to lose the administrator, in an order in which each leaves something for the next. */
  const ways: [string, Record<string, unknown>][] = [
    ['updateEmployee', { input: { id: tenant.employee.id, enabled: false } }],
    ...(how === 'by role' ? [['updateRole', { input: { id: role.id, permissionIds: ['read'] } }] as const] : []),
    ['updateAccessControl', { input: { id: control.id, scopes: ['iam.group_read'] } }],
    ['updateAccessControl', { input: { id: control.id, roleId: 'viewer', resourceId: 'iam.group' } }],
    ['updateGroup', { input: { id: group.id, accessControlIds: [], templateIds: [] } }],
    ['removeGroupMember', { input: member }],
    ['deleteEmployee', { id: tenant.employee.id }],
    ...(how === 'by template' ? [['deleteAccessControlTemplate', { id: template.id }] as const] : []),
    ['deleteAccessControl', { id: control.id }],
    ['deleteGroup', { id: group.id, force: true }],
  ].filter(([name]) => how !== 'by every scope' || name !== 'updateAccessControl') as [
    string,
    Record<string, unknown>,
  ][];
  return { tenantId, tenant, accessToken, group, member, ways };
}

describe('case 100: the last one who can manage groups', () => {
  describe.each(['directly', 'by role', 'by template', 'by every scope'] as const)('%s', (how) => {
    it('is lost in no way: CONFLICT, and nothing is changed', async () => {
      const { tenantId, accessToken, ways } = await givenLast(how);
      const before = await rowsOfTenant(service, tenantId);
      for (const [name, variables] of ways) {
        const outcome = outcomeOf(await mutate(service, accessToken, name, variables));
        expect([name, variables, outcome]).toEqual([name, variables, LAST]);
      }
      expect(await rowsOfTenant(service, tenantId)).toEqual(before);
    });
  });

  it('is not replaced by somebody disabled, a customer, a client, or a group without members', async () => {
    const { tenantId, tenant, accessToken, ways } = await givenLast('directly');
    const disabled = await givenColleague(service, tenantId, ['iam.group_manage']);
    await service.app.modules.employees.update(ctxOf(tenantId), disabled.id, { enabled: false });
    await givenGroup(service, { scopes: ['iam.group_manage'] }, tenantId);
    const scopes = ['iam.group_manage'];
    await givenGroup(service, { userType: 'CUSTOMER', scopes, memberIds: [tenant.customer.id] }, tenantId);
    const restricted = await givenControl(service, { scopes, restrictedTo: 'CUSTOMER' }, tenantId);
    const almost = await givenColleague(service, tenantId, ['iam.group_read', 'iam.group_update']);
    await service.app.modules.database
      .forTenant({ tenantId })
      .groupAccessControl.create({ data: { tenantId, groupId: almost.groupId, accessControlId: restricted.id } });
    for (const [name, variables] of ways)
      expect([name, outcomeOf(await mutate(service, accessToken, name, variables))]).toEqual([name, LAST]);
  });

  it.each(['directly', 'by role', 'by template'] as const)(
    'given %s, goes in every way as soon as there is another',
    async (how) => {
      const { tenantId, accessToken, ways } = await givenLast(how);
      await givenColleague(service, tenantId, ['iam.group_manage']);
      for (const [name, variables] of ways) {
        const outcome = outcomeOf(await mutate(service, accessToken, name, variables));
        expect([name, variables, outcome]).toEqual([name, variables, 'done']);
      }
    },
  );

  it('is not shut out by so many groups that no token has room for them', async () => {
    const { id: tenantId, employee } = await givenTenant(service);
    const me = await givenColleague(service, tenantId, ['iam.assignment_manage', 'iam.group_manage']);
    const outcomes = new Set<string>();
    for (let count = 0; count < 20; count += 1) {
      const group = await givenGroup(service, {}, tenantId);
      const input = { groupId: group.id, userId: employee.id, userType: 'EMPLOYEE' };
      outcomes.add(outcomeOf(await mutate(service, me.accessToken, 'addGroupMember', { input })));
    }
    expect([...outcomes]).toEqual(['done', 'CONFLICT: TOO_MANY_GROUPS']);
    expect((await tryEmployeeLogin(service, employee.email, PASSWORD, tenantId)).code).toBeUndefined();
  });

  it('is not shut out by scopes that are defined afterwards, nor by what a group comes to give', async () => {
    const { id: tenantId, employee } = await givenTenant(service);
    const me = await givenColleague(service, tenantId, everyScopeOf(tenantId));
    const groups = [];
    for (let count = 0; count < 8; count += 1) groups.push(await givenGroup(service, {}, tenantId));
    for (const { id } of groups) {
      const input = { groupId: id, userId: employee.id, userType: 'EMPLOYEE' };
      expect(outcomeOf(await mutate(service, me.accessToken, 'addGroupMember', { input }))).toBe('done');
    }
    const outcomes = new Set<string>();
    for (let count = 0; count < 8; count += 1) {
      const input = { id: `long.${'x'.repeat(40)}_do${count}`, description: 'Of the test.' };
      outcomes.add(outcomeOf(await mutate(service, me.accessToken, 'createScope', { input })));
    }
    expect([...outcomes]).toEqual(['done', 'CONFLICT: TOO_MANY_SCOPES']);
    expect((await tryEmployeeLogin(service, employee.email, PASSWORD, tenantId)).code).toBeUndefined();
  });

  it.each(['a group', 'an access control', 'a template'] as const)(
    'nobody in many groups is shut out by %s that comes to give more',
    async (what) => {
      const { id: tenantId } = await givenTenant(service);
      const all = everyScopeOf(tenantId);
      const me = await givenColleague(service, tenantId, all);
      const little = await givenControl(service, {}, tenantId);
      const much = await givenControl(service, { scopes: all }, tenantId);
      const [small, large] = [
        await givenTemplate(service, [little.id], tenantId),
        await givenTemplate(service, [much.id], tenantId),
      ];
      const group = await givenGroup(service, { templateIds: [small.id] }, tenantId);
      const somebody = await givenColleague(service, tenantId, ['iam.group_read']);
      const others = await Promise.all(Array.from({ length: 15 }, () => givenGroup(service, {}, tenantId)));
      await service.app.modules.database.forTenant({ tenantId }).employeeMembership.createMany({
        data: [group, ...others].map(({ id: groupId }) => ({ tenantId, groupId, employeeId: somebody.id })),
      });
      const calls = {
        'a group': ['updateGroup', { input: { id: group.id, accessControlIds: [much.id] } }],
        'an access control': ['updateAccessControl', { input: { id: little.id, scopes: all } }],
        'a template': ['updateGroup', { input: { id: group.id, templateIds: [large.id] } }],
      } as const;
      const before = await rowsOfTenant(service, tenantId);
      const [name, variables] = calls[what];
      expect(outcomeOf(await mutate(service, me.accessToken, name, variables))).toBe('CONFLICT: TOO_MANY_SCOPES');
      expect(await rowsOfTenant(service, tenantId)).toEqual(before);
      expect((await tryEmployeeToken(service, tenantId, somebody.id)).code).toBeUndefined();
    },
  );
});
