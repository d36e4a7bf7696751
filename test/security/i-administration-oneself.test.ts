// Nobody raises themself, and whoever manages the people of one company reaches no other. security.md case 99; and what
// a stale token or one that an employee holds for a customer is good for.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { companyGroup, givenControl, givenGroup, givenTemplate } from '../kit/groups.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { tryAssist } from '../kit/stories.ts';
import {
  customerToken,
  employeeToken,
  givenColleague,
  mutate,
  outcomeOf,
  rowsOfTenant,
  tryEmployeeToken,
} from './i-administration-acts.ts';

const administration = [
  'iam.access_manage',
  'iam.assignment_manage',
  'iam.group_manage',
  'iam.role_manage',
  'iam.template_manage',
  'iam.user_create',
  'iam.user_update',
];
const demo = { id: 'demo', storefront: 'demo-storefront' };

let service: Service;
beforeAll(async () => {
  service = await theService();
});

describe('case 99: oneself', () => {
  it('a delegated administrator adds neither themself nor a friend to Administrators, under no name', async () => {
    const { id: tenantId } = await givenTenant(service);
    const administrators = await givenGroup(service, { name: 'Administrators', controlIds: ['every-scope'] }, tenantId);
    const me = await givenColleague(service, tenantId, administration);
    const friend = await givenColleague(service, tenantId, []);
    const before = await rowsOfTenant(service, tenantId);
    for (const userId of [me.id, friend.id]) {
      const input = { groupId: administrators.id, userId, userType: 'EMPLOYEE' };
      expect(outcomeOf(await mutate(service, me.accessToken, 'addGroupMember', { input }))).toMatch(
        /^FORBIDDEN: ai\.agent_manage /,
      );
    }
    expect(await rowsOfTenant(service, tenantId)).toEqual(before);

    // A group of that name is another group.
    const input = { name: 'Administrators', userType: 'EMPLOYEE' };
    const { id: groupId } = only(await mutate(service, me.accessToken, 'createGroup', { input }, 'id'));
    const join = { input: { groupId, userId: me.id, userType: 'EMPLOYEE' } };
    expect(outcomeOf(await mutate(service, me.accessToken, 'addGroupMember', join))).toBe('done');
    expect((await employeeToken(service, tenantId, me.id)).scopes).toEqual(me.scopes);
  });

  it('renaming a group needs all that it gives, be it to the name of another', async () => {
    const { id: tenantId } = await givenTenant(service);
    const me = await givenColleague(service, tenantId, administration);
    const more = await givenGroup(service, { name: 'Buyers', scopes: ['order.order_manage'] }, tenantId);
    const less = await givenGroup(service, { name: 'Sellers', scopes: ['iam.group_manage'] }, tenantId);
    const rename = (id: string, name: string) =>
      mutate(service, me.accessToken, 'updateGroup', { input: { id, name } });
    const before = await rowsOfTenant(service, tenantId);
    for (const name of ['Sellers', 'buyers', 'Buyers\u200b'])
      expect([name, outcomeOf(await rename(more.id, name))]).toEqual([name, 'FORBIDDEN: order.order_manage']);
    expect(await rowsOfTenant(service, tenantId)).toEqual(before);
    expect(outcomeOf(await rename(more.id, ' Buyers '))).toBe('done');
    expect(outcomeOf(await rename(less.id, 'Buyers'))).toBe('done');
    expect((await employeeToken(service, tenantId, me.id)).scopes).toEqual(me.scopes);
  });

  it('what one’s own scopes come from is not edited into more: group, access control, template, role', async () => {
    const { id: tenantId } = await givenTenant(service);
    const ctx = ctxOf(tenantId);
    const { accessControls, roles, templates } = service.app.modules;
    const role = await roles.create(ctx, { name: 'Mine', permissionIds: ['read'] });
    const applied = { roleId: role.id, resourceId: 'order.order' };
    const byRole = await accessControls.create(ctx, { name: 'Orders', ...applied });
    const listed = await accessControls.create(ctx, { name: 'Prices', scopes: ['price.price_read'] });
    const powerful = await givenControl(service, { scopes: ['order.order_manage'] }, tenantId);
    const template = await templates.create(ctx, { name: 'Both', accessControlIds: [byRole.id, listed.id] });
    const other = await givenTemplate(service, [powerful.id], tenantId);
    const me = await givenColleague(service, tenantId, administration);
    const db = service.app.modules.database.forTenant(ctx);
    await db.groupTemplate.create({ data: { tenantId, groupId: me.groupId, templateId: template.id } });
    const { accessToken, scopes } = await employeeToken(service, tenantId, me.id);
    expect(scopes).toEqual([...administration, 'order.order_read', 'price.price_read']);

    const before = await rowsOfTenant(service, tenantId);
    for (const [name, input] of [
      ['updateRole', { id: role.id, permissionIds: ['read', 'manage'] }],
      ['updateAccessControl', { id: byRole.id, roleId: 'manager' }],
      ['updateAccessControl', { id: listed.id, scopes: ['price.price_read', 'order.order_manage'] }],
      ['updateAccessControl', { id: me.controlId, scopes: [...administration, 'order.order_manage'] }],
      ['updateGroup', { id: me.groupId, accessControlIds: [me.controlId, powerful.id] }],
      ['updateGroup', { id: me.groupId, templateIds: [template.id, other.id] }],
    ] as const) {
      const outcome = outcomeOf(await mutate(service, accessToken, name, { input }));
      expect([name, input, outcome]).toEqual([name, input, 'FORBIDDEN: order.order_manage']);
    }
    expect(await rowsOfTenant(service, tenantId)).toEqual(before);
  });

  it('a token from before a demotion does nothing more', async () => {
    const { id: tenantId } = await givenTenant(service);
    const me = await givenColleague(service, tenantId, administration);
    const { accessControls } = service.app.modules;
    await accessControls.update(ctxOf(tenantId), me.controlId, { scopes: ['iam.group_manage'] });
    const before = await rowsOfTenant(service, tenantId);
    const input = { id: me.controlId, scopes: administration };
    expect(outcomeOf(await mutate(service, me.accessToken, 'updateAccessControl', { input }))).toBe('UNAUTHENTICATED');
    expect(await rowsOfTenant(service, tenantId)).toEqual(before);
  });

  it('in one operation: what follows one’s own demotion is UNAUTHENTICATED and not done', async () => {
    const { id: tenantId } = await givenTenant(service);
    const me = await givenColleague(service, tenantId, administration);
    const answer = await graphql(
      service,
      `mutation ($less: UpdateAccessControlInput!, $group: CreateGroupInput!) {
        less: updateAccessControl(input: $less) { id }
        more: createGroup(input: $group) { id } }`,
      {
        bearer: me.accessToken,
        variables: {
          less: { id: me.controlId, scopes: ['iam.role_manage'] },
          group: { name: 'Too late', userType: 'EMPLOYEE' },
        },
      },
    );
    expect(answer.errors.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['more'], 'UNAUTHENTICATED'],
    ]);
    const groups = service.app.modules.database.forTenant({ tenantId }).group;
    expect(await groups.count({ where: { name: 'Too late' } })).toBe(0);
    expect((await employeeToken(service, tenantId, me.id)).scopes).toEqual(['iam.role_manage']);
  });
});

describe('case 99: `_own` rights reach the people of the caller’s company, and it alone', () => {
  /** An administrator of one company, and people of this and another. */
  async function givenCompanies() {
    const [own, other] = [await givenCompany(service), await givenCompany(service)];
    const admin = await givenCustomer(service, { [own.id]: 'ADMIN', [other.id]: 'BUYER' });
    return {
      own: own.id,
      other: other.id,
      adminId: admin.id,
      colleague: await givenCustomer(service, { [own.id]: null }),
      stranger: await givenCustomer(service, { [other.id]: null }),
      bearer: (await customerToken(service, demo, admin.id, own.id)).accessToken,
    };
  }

  const tryBoth = async (bearer: string, groupId: string, userId: string, userType = 'CUSTOMER') => {
    const input = { groupId, userId, userType };
    return [
      outcomeOf(await mutate(service, bearer, 'addGroupMember', { input })),
      outcomeOf(await mutate(service, bearer, 'removeGroupMember', { input })),
    ];
  };

  it('customers and groups of another company, of none, and employees are NOT_FOUND, like what is not there', async () => {
    const { own, other, adminId, bearer, colleague, stranger } = await givenCompanies();
    const buyers = await companyGroup(service, own, 'BUYER');
    const theirs = await companyGroup(service, other, 'BUYER');
    const everywhere = await givenGroup(service, { userType: 'CUSTOMER', memberIds: [colleague.id, adminId] });
    const staff = await givenColleague(service, 'demo', []);
    await service.app.modules.memberships.joinCompany(ctxOf('demo'), other, 'REQUESTER', stranger.id);
    const before = await rowsOfTenant(service, 'demo');
    for (const [groupId, userId] of [
      [buyers, stranger.id],
      [buyers, randomUUID()],
      [theirs, stranger.id],
      [theirs, colleague.id],
      [theirs, adminId],
      [everywhere.id, colleague.id],
      [everywhere.id, adminId],
      [staff.groupId, colleague.id],
      [randomUUID(), colleague.id],
    ] as const) {
      expect([groupId, userId, ...(await tryBoth(bearer, groupId, userId))]).toEqual([
        groupId,
        userId,
        'NOT_FOUND',
        'NOT_FOUND',
      ]);
    }
    for (const groupId of [staff.groupId, everywhere.id, buyers])
      for (const answer of await tryBoth(bearer, groupId, staff.id, 'EMPLOYEE'))
        expect(['NOT_FOUND', 'BAD_USER_INPUT']).toContain(answer);
    expect(await rowsOfTenant(service, 'demo')).toEqual(before);
    expect(await tryBoth(bearer, buyers, colleague.id)).toEqual(['done', 'done']);
  });

  it('the token decides for which company: with none, or as Buyer of the other, nothing is in reach', async () => {
    const { own, other, adminId, colleague, stranger } = await givenCompanies();
    const buyers = await companyGroup(service, own, 'BUYER');
    const theirs = await companyGroup(service, other, 'REQUESTER');
    for (const company of [null, other]) {
      const { accessToken } = await customerToken(service, demo, adminId, company);
      for (const [groupId, userId] of [
        [buyers, colleague.id],
        [theirs, stranger.id],
      ] as const) {
        const forbidden = expect.stringMatching(/^FORBIDDEN: iam\.assignment_/);
        expect(await tryBoth(accessToken, groupId, userId)).toEqual([forbidden, forbidden]);
      }
    }
    // Not even with the rights, where there is no company.
    await givenGroup(service, {
      userType: 'CUSTOMER',
      scopes: ['iam.assignment_create_own', 'iam.assignment_delete_own'],
      memberIds: [adminId],
    });
    const { accessToken } = await customerToken(service, demo, adminId, null);
    expect(await tryBoth(accessToken, buyers, colleague.id)).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    const clerk = await givenColleague(service, 'demo', ['iam.assignment_create_own', 'iam.assignment_delete_own']);
    expect(await tryBoth(clerk.accessToken, buyers, colleague.id)).toEqual(['NOT_FOUND', 'NOT_FOUND']);
  });

  it('a group of the own company that gives more than its administrator has is FORBIDDEN', async () => {
    const { own, bearer, colleague } = await givenCompanies();
    const more = await givenGroup(service, {
      userType: 'CUSTOMER',
      legalEntityId: own,
      scopes: ['order.order_read_le', 'customer.customer_read'],
    });
    const before = await rowsOfTenant(service, 'demo');
    const input = { groupId: more.id, userId: colleague.id, userType: 'CUSTOMER' };
    expect(outcomeOf(await mutate(service, bearer, 'addGroupMember', { input }))).toBe(
      'FORBIDDEN: customer.customer_read order.order_read_le',
    );
    expect(await rowsOfTenant(service, 'demo')).toEqual(before);
  });

  it('who is no longer of the company cannot even try', async () => {
    const { own, adminId, bearer, colleague } = await givenCompanies();
    await service.app.modules.contactAssignments.unassign(ctxOf('demo'), { customerId: adminId, legalEntityId: own });
    expect(await tryBoth(bearer, await companyGroup(service, own, 'BUYER'), colleague.id)).toEqual([
      'UNAUTHENTICATED',
      'UNAUTHENTICATED',
    ]);
  });

  it('an employee who acts for the administrator of a company has that customer’s reach, and none of the own', async () => {
    const { own, adminId, colleague, stranger } = await givenCompanies();
    const staff = await givenColleague(service, 'demo', [...administration, 'customer.assisted_buying_manage']);
    const assisted = only(await tryAssist(service, staff.accessToken, { customerId: adminId, legalEntityId: own }));
    const buyers = await companyGroup(service, own, 'BUYER');
    const everywhere = await givenGroup(service, { userType: 'CUSTOMER' });
    expect(await tryBoth(assisted.accessToken, buyers, stranger.id)).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    expect(await tryBoth(assisted.accessToken, everywhere.id, colleague.id)).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    const input = { id: staff.groupId, name: 'x' };
    expect(outcomeOf(await mutate(service, assisted.accessToken, 'updateGroup', { input }))).toBe(
      'FORBIDDEN: iam.group_manage',
    );
    await service.app.modules.employees.update(ctxOf('demo'), staff.id, { enabled: false });
    expect(await tryBoth(assisted.accessToken, buyers, colleague.id)).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect((await tryEmployeeToken(service, 'demo', staff.id)).code).toBe('INVALID_GRANT');
  });
});
