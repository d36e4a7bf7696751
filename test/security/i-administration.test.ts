// Nobody hands out what they lack, on any write that can end in a token. security.md cases 98 and 103.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { givenControl, givenGroup, givenTemplate } from '../kit/groups.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { PASSWORD } from '../kit/stories.ts';
import {
  clientToken,
  employeeToken,
  givenColleague,
  mutate,
  mutations,
  outcomeOf,
  rowsOfTenant,
} from './i-administration-acts.ts';

const administration = [
  'iam.access_manage',
  'iam.assignment_manage',
  'iam.group_manage',
  'iam.role_manage',
  'iam.template_manage',
  'iam.user_create',
  'iam.user_update',
  'oauth.client_manage',
];
const MINE = 'price.price_read';
const THEIRS = 'order.order_manage';

/** All mutations that cannot end in more than the caller has, and why. Everything else is tried below. */
const reviewed: Record<string, string> = {
  changePassword: 'the account has what it had',
  createRole: 'gives nothing until an access control applies it',
  createScope: 'nobody has it but who has every scope, by the meaning of that',
  deleteAccessControl: 'takes',
  deleteAccessControlTemplate: 'takes',
  deleteClient: 'takes',
  deleteEmployee: 'takes',
  deleteGroup: 'takes',
  deleteRole: 'no access control applies it',
  deleteScope: 'nobody has it',
  issueAnonymousToken: 'the set of guests',
  issueAssistedCustomerToken: 'what the customer has: case 128',
  issueB2BToken: 'what the customer has there',
  issueCustomerToken: 'what the customer has',
  issueEmployeeToken: 'what the employee has',
  issueSaasToken: 'no scopes',
  issueServiceToken: 'what the client has',
  logout: 'takes',
  logoutEverywhere: 'takes',
  refreshAnonymousToken: 'the set of guests',
  refreshCustomerToken: 'what the customer has',
  refreshEmployeeToken: 'what the employee has',
  registerCustomer: 'the set of customers',
  removeGroupMember: 'takes',
  retireSigningKey: 'takes',
  revokeSession: 'takes',
  revokeToken: 'takes',
  rotateSigningKey: 'signs what is entitled anyway',
  updateSessionContext: 'no scopes',
};

interface World {
  readonly tenantId: string;
  readonly mine: string;
  readonly theirs: string;
  readonly unused: string;
  readonly role: string;
  readonly byRole: string;
  readonly template: string;
  readonly group: string;
  readonly powerful: string;
  readonly customers: string;
  readonly disabled: string;
  readonly ownEmployee: string;
  readonly customer: string;
  readonly client: string;
  readonly ownClient: string;
  readonly disabledClient: string;
}

let service: Service;
beforeAll(async () => {
  service = await theService();
});

async function givenWorld(me: { tenantId: string; id: string; customerId: string }): Promise<World> {
  const { tenantId } = me;
  const ctx = ctxOf(tenantId);
  const { clients, roles } = service.app.modules;
  const db = service.app.modules.database.forTenant(ctx);
  const control = async (given: Parameters<typeof givenControl>[1]) =>
    (await givenControl(service, given, tenantId)).id;
  const mine = await control({ scopes: [MINE] });
  const theirs = await control({ scopes: [THEIRS] });
  const role = (await roles.create(ctx, { name: 'Reader', permissionIds: ['read'] })).id;
  const byRole = await control({ roleId: role, resourceId: 'order.order', scopes: ['order.order_read'] });
  const template = (await givenTemplate(service, [theirs], tenantId)).id;
  const names = { firstName: 'D', lastName: 'E' };
  const away = await db.employee.create({ data: { tenantId, email: 'away@test.example', enabled: false, ...names } });
  const powerful = await givenGroup(service, { controlIds: [theirs], memberIds: [away.id] }, tenantId);
  const client = async (id: string, scopes: string[]) =>
    (await clients.register(ctx, { id: `${tenantId}-${id}`, name: id, kind: 'CUSTOM', scopes })).client.id;
  const disabledClient = await client('disabled', [THEIRS]);
  await clients.update(ctx, disabledClient, { enabled: false });
  return {
    tenantId,
    mine,
    theirs,
    unused: await control({ scopes: [MINE] }),
    role,
    byRole,
    template,
    group: (await givenGroup(service, { controlIds: [mine, byRole] }, tenantId)).id,
    powerful: powerful.id,
    customers: (await givenGroup(service, { userType: 'CUSTOMER', scopes: [THEIRS] }, tenantId)).id,
    disabled: away.id,
    ownEmployee: me.id,
    customer: me.customerId,
    client: await client('theirs', [MINE, THEIRS]),
    ownClient: await client('mine', [MINE]),
    disabledClient,
  };
}

type Attempt = readonly [variables: Record<string, unknown>, missing?: 'every scope'];
const input = (given: Record<string, unknown>): Attempt => [{ input: given }];
const person = { email: 'new@test.example', firstName: 'N', lastName: 'E', password: PASSWORD };

/** Every way to put `order.order_manage` somewhere, in an order in which somebody who has it can take them all. */
const attempts = (w: World): Record<string, readonly Attempt[]> => ({
  createAccessControl: [
    input({ name: 'x', scopes: [THEIRS] }),
    input({ name: 'x', scopes: [MINE, THEIRS], restrictedTo: 'CUSTOMER' }),
    input({ name: 'x', roleId: 'manager', resourceId: 'order.order' }),
  ],
  updateAccessControl: [
    input({ id: w.unused, scopes: [MINE, THEIRS] }),
    input({ id: w.unused, roleId: 'manager', resourceId: 'order.order' }),
    input({ id: w.mine, scopes: [MINE, THEIRS] }),
    input({ id: w.byRole, roleId: 'manager' }),
    input({ id: w.byRole, scopes: [THEIRS] }),
    // As it was, for the role below.
    input({ id: w.byRole, roleId: w.role, resourceId: 'order.order' }),
  ],
  updateRole: [input({ id: w.role, permissionIds: ['read', 'manage'] })],
  createAccessControlTemplate: [input({ name: 'x', accessControlIds: [w.unused, w.theirs] })],
  createGroup: [
    input({ name: 'x', userType: 'EMPLOYEE', accessControlIds: [w.theirs] }),
    input({ name: 'x', userType: 'CUSTOMER', accessControlIds: [w.theirs] }),
    input({ name: 'x', userType: 'EMPLOYEE', templateIds: [w.template] }),
    [{ input: { name: 'x', userType: 'EMPLOYEE', accessControlIds: ['every-scope'] } }, 'every scope'],
  ],
  updateGroup: [
    input({ id: w.group, accessControlIds: [w.mine, w.theirs] }),
    input({ id: w.group, templateIds: [w.template] }),
    input({ id: w.powerful, name: 'As in a claim' }),
    [{ input: { id: w.group, accessControlIds: ['every-scope'] } }, 'every scope'],
  ],
  addGroupMember: [
    input({ groupId: w.powerful, userId: w.ownEmployee, userType: 'EMPLOYEE' }),
    input({ groupId: w.customers, userId: w.customer, userType: 'CUSTOMER' }),
  ],
  createEmployee: [input({ ...person, groupIds: [w.group, w.powerful] })],
  updateEmployee: [input({ id: w.disabled, firstName: 'F', enabled: true })],
  createClient: [
    input({ name: 'x', kind: 'CUSTOM', scopes: [MINE, THEIRS] }),
    [{ input: { name: 'x', kind: 'BACKEND', scopes: [], everyScope: true } }, 'every scope'],
  ],
  updateClient: [
    input({ id: w.ownClient, scopes: [MINE, THEIRS] }),
    input({ id: w.disabledClient, enabled: true }),
    [{ input: { id: w.ownClient, everyScope: true } }, 'every scope'],
  ],
  rotateClientSecret: [[{ id: w.client }], [{ id: w.client, keepPreviousFor: 60 }]],
});

describe('case 98', () => {
  it('every mutation that can end in a token is tried, or has been reviewed', () => {
    const tried = Object.keys(attempts({} as World));
    expect([...tried, ...Object.keys(reviewed)].sort()).toEqual(mutations);
  });

  it('what the caller lacks is FORBIDDEN, listed, and changes no row, to an employee and to a client', async () => {
    const tenant = await givenTenant(service);
    const { id: tenantId } = tenant;
    const me = await givenColleague(service, tenantId, [...administration, MINE, 'order.order_read']);
    const secret = 'a secret of this test';
    const client = { id: `${tenantId}-me`, name: 'me', kind: 'CUSTOM', scopes: me.scopes } as const;
    await service.app.modules.clients.register(ctxOf(tenantId), { ...client, clientSecret: secret });
    const world = await givenWorld({ tenantId, id: me.id, customerId: tenant.customer.id });
    const bearers = [me.accessToken, (await clientToken(service, client.id, secret)).accessToken];
    const admin = await employeeToken(service, tenantId, tenant.employee.id);
    const lacking = admin.scopes.filter((scope) => !me.scopes.includes(scope));

    await service.app.modules.clientUsage.flush();
    const before = await rowsOfTenant(service, tenantId);
    for (const [name, ways] of Object.entries(attempts(world))) {
      for (const [variables, missing = THEIRS] of ways) {
        const isAsBefore = name === 'updateAccessControl' && ways.at(-1)![0] === variables;
        for (const bearer of isAsBefore ? [] : bearers) {
          const outcome = outcomeOf(await mutate(service, bearer, name, variables));
          const wanted = missing === THEIRS ? THEIRS : lacking.join(' ');
          expect([name, variables, outcome]).toEqual([name, variables, `FORBIDDEN: ${wanted}`]);
        }
      }
    }
    expect(await rowsOfTenant(service, tenantId)).toEqual(before);

    // It was for the scope alone: who has it does all of it.
    for (const [name, ways] of Object.entries(attempts(world))) {
      for (const [variables] of ways) {
        const outcome = outcomeOf(await mutate(service, admin.accessToken, name, variables));
        expect([name, variables, outcome]).toEqual([name, variables, 'done']);
      }
    }
  });

  it('who has all scopes that there are by name gives them, and only who may give every one gives what is still to come', async () => {
    const { id: tenantId } = await givenTenant(service);
    const all = service.app.modules.scopes.everyScope({ tenantId });
    const [low, high] = [
      await givenColleague(service, tenantId, ['iam.group_manage', 'oauth.client_manage']),
      await givenColleague(service, tenantId, all),
    ];
    const group = await givenGroup(service, { scopes: all }, tenantId);
    const { client } = await service.app.modules.clients.register(ctxOf(tenantId), {
      name: 'All by name',
      kind: 'CUSTOM',
      scopes: all,
    });
    const lacking = all.filter((scope) => !low.scopes.includes(scope));
    const before = await rowsOfTenant(service, tenantId);
    for (const [name, variables] of [
      ['updateGroup', { input: { id: group.id, accessControlIds: ['every-scope'] } }],
      ['updateClient', { input: { id: client.id, everyScope: true } }],
    ] as const) {
      expect(outcomeOf(await mutate(service, low.accessToken, name, variables))).toBe(
        `FORBIDDEN: ${lacking.join(' ')}`,
      );
      expect(await rowsOfTenant(service, tenantId)).toEqual(before);
      expect(outcomeOf(await mutate(service, high.accessToken, name, variables))).toBe('done');
      Object.assign(before, await rowsOfTenant(service, tenantId));
    }
  });
});

describe('case 103: a list whose second item is not mine is refused whole', () => {
  it('by scopes that I lack', async () => {
    const tenant = await givenTenant(service);
    const { id: tenantId } = tenant;
    const me = await givenColleague(service, tenantId, [...administration, MINE, 'order.order_read']);
    const w = await givenWorld({ tenantId, id: me.id, customerId: tenant.customer.id });
    const mineByTemplate = (await givenTemplate(service, [w.mine], tenantId)).id;
    const lists: [string, Record<string, unknown>][] = [
      ['createAccessControl', { name: 'x', scopes: [MINE, THEIRS] }],
      ['updateAccessControl', { id: w.unused, scopes: [MINE, THEIRS] }],
      ['createAccessControlTemplate', { name: 'x', accessControlIds: [w.mine, w.theirs] }],
      ['createGroup', { name: 'x', userType: 'EMPLOYEE', accessControlIds: [w.mine, w.theirs] }],
      ['createGroup', { name: 'x', userType: 'EMPLOYEE', templateIds: [mineByTemplate, w.template] }],
      ['updateGroup', { id: w.group, accessControlIds: [w.mine, w.theirs] }],
      ['updateGroup', { id: w.group, templateIds: [mineByTemplate, w.template] }],
      ['updateRole', { id: w.role, permissionIds: ['read', 'manage'] }],
      ['createEmployee', { ...person, groupIds: [w.group, w.powerful] }],
      ['createClient', { name: 'x', kind: 'CUSTOM', scopes: [MINE, THEIRS] }],
      ['updateClient', { id: w.ownClient, scopes: [MINE, THEIRS] }],
    ];
    const before = await rowsOfTenant(service, tenantId);
    for (const [name, variables] of lists) {
      const outcome = outcomeOf(await mutate(service, me.accessToken, name, { input: variables }));
      expect([name, outcome]).toEqual([name, `FORBIDDEN: ${THEIRS}`]);
      expect(await rowsOfTenant(service, tenantId)).toEqual(before);
      // The first item alone is mine.
      const [field] = Object.entries(variables).find(([, value]) => Array.isArray(value))!;
      const alone = { ...variables, [field]: (variables[field] as string[]).slice(0, 1) };
      const done = only(await mutate(service, me.accessToken, name, { input: alone }));
      expect(done).toBeTruthy();
      Object.assign(before, await rowsOfTenant(service, tenantId));
    }
  });

  it('by being another tenant’s', async () => {
    const [own, other] = [await givenTenant(service), await givenTenant(service)];
    const admin = await employeeToken(service, own.id, own.employee.id);
    const worlds = [];
    for (const { id: tenantId, employee, customer } of [own, other])
      worlds.push(await givenWorld({ tenantId, id: employee.id, customerId: customer.id }));
    const [w, theirs] = worlds as [World, World];
    const foreign = `only.there_${other.id.replaceAll('-', '')}`;
    await service.app.modules.scopes.create(ctxOf(other.id), { id: foreign, description: 'There.' });
    const lists: [string, Record<string, unknown>, string][] = [
      ['createAccessControl', { name: 'x', scopes: [MINE, foreign] }, 'BAD_USER_INPUT'],
      ['updateAccessControl', { id: w.unused, scopes: [MINE, foreign] }, 'BAD_USER_INPUT'],
      ['createAccessControlTemplate', { name: 'x', accessControlIds: [w.mine, theirs.mine] }, 'BAD_USER_INPUT'],
      ['createGroup', { name: 'x', userType: 'EMPLOYEE', accessControlIds: [w.mine, theirs.mine] }, 'BAD_USER_INPUT'],
      [
        'createGroup',
        { name: 'x', userType: 'EMPLOYEE', templateIds: [w.template, theirs.template] },
        'BAD_USER_INPUT',
      ],
      ['updateGroup', { id: w.group, accessControlIds: [w.mine, theirs.mine] }, 'BAD_USER_INPUT'],
      ['updateGroup', { id: w.group, templateIds: [w.template, theirs.template] }, 'BAD_USER_INPUT'],
      ['updateRole', { id: w.role, permissionIds: ['read', foreign.split('_').at(-1)] }, 'BAD_USER_INPUT'],
      ['createEmployee', { ...person, groupIds: [w.group, theirs.group] }, 'NOT_FOUND'],
      ['createClient', { name: 'x', kind: 'CUSTOM', scopes: [MINE, foreign] }, 'BAD_USER_INPUT'],
      ['updateClient', { id: w.ownClient, scopes: [MINE, foreign] }, 'BAD_USER_INPUT'],
    ];
    const before = [await rowsOfTenant(service, own.id), await rowsOfTenant(service, other.id)];
    for (const [name, variables, code] of lists) {
      const outcome = outcomeOf(await mutate(service, admin.accessToken, name, { input: variables }));
      expect([name, outcome]).toEqual([name, code]);
    }
    expect([await rowsOfTenant(service, own.id), await rowsOfTenant(service, other.id)]).toEqual(before);
  });
});
