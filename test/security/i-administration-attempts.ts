// All ways to hand out `order.order_manage`, and a tenant to try them in: security.md cases 98 and 103. A mutation that is
// added to the schema is either here, with every way, or reviewed as one that cannot end in more than its caller has.

import { givenControl, givenGroup, givenTemplate } from '../kit/groups.ts';
import { ctxOf, type Service } from '../kit/service.ts';
import { PASSWORD } from '../kit/stories.ts';

/** What a delegated administrator has. */
export const administration = [
  'customer.customer_manage',
  'iam.access_manage',
  'iam.assignment_manage',
  'iam.group_manage',
  'iam.role_manage',
  'iam.template_manage',
  'iam.user_create',
  'iam.user_update',
  'oauth.client_manage',
];
/** What the caller of these tests has beside, */
export const MINE = 'price.price_read';
/** and what the caller lacks. */
export const THEIRS = 'order.order_manage';

/** All mutations that cannot end in more than the caller has, and why. Everything else is tried below. */
export const reviewed: Record<string, string> = {
  assignContact: 'what every contact has; FORBIDDEN where that is more: case 103 of companies',
  changePassword: 'the account has what it had',
  confirmCustomer: 'the account has what every customer has',
  confirmEmailChange: 'the account has what it had',
  createIdentityProvider: 'FORBIDDEN without all that its people can have: test/sso/identity-providers.test.ts',
  createLegalEntity: 'groups without members',
  createLocation: 'no scopes',
  createRole: 'gives nothing until an access control applies it',
  createScope: 'nobody has it but who has every scope, by the meaning of that',
  deleteAccessControl: 'takes',
  deleteAccessControlTemplate: 'takes',
  deleteClient: 'takes',
  deleteCustomer: 'takes',
  deleteEmployee: 'takes',
  deleteGroup: 'takes',
  deleteIdentityProvider: 'takes',
  deleteLegalEntity: 'takes',
  deleteLocation: 'no scopes',
  deleteRole: 'no access control applies it',
  deleteScope: 'nobody has it',
  exchangeToken: 'what the person has',
  issueAnonymousToken: 'the set of guests',
  issueAssistedCustomerToken: 'what the customer has: case 128',
  issueB2BToken: 'what the customer has there',
  issueCustomerToken: 'what the customer has',
  issueEmployeeToken: 'what the employee has',
  issueSaasToken: 'no scopes',
  issueSsoToken: 'what the person has',
  issueServiceToken: 'what the client has',
  logout: 'takes',
  logoutEverywhere: 'takes',
  refreshAnonymousToken: 'the set of guests',
  refreshCustomerToken: 'what the customer has',
  refreshEmployeeToken: 'what the employee has',
  registerCustomer: 'the set of customers; a company of one’s own gives nothing until an employee enables it',
  removeGroupMember: 'takes',
  requestEmailChange: 'the account has what it had',
  requestPasswordReset: 'sends a letter to the owner',
  resetPassword: 'the account has what it had',
  retireSigningKey: 'takes',
  revokeSession: 'takes',
  revokeToken: 'takes',
  rotateSigningKey: 'signs what is entitled anyway',
  startSso: 'gives nothing',
  unassignContact: 'takes',
  unlinkExternalIdentity: 'takes',
  updateIdentityProvider: 'FORBIDDEN without all that its people can have: test/sso/identity-providers.test.ts',
  updateLegalEntity: 'its members have what its groups give',
  updateSessionContext: 'no scopes',
};

/** The ids of what is there. */
export interface World {
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
  readonly disabledCustomer: string;
  readonly ownEmployee: string;
  readonly customer: string;
  readonly client: string;
  readonly ownClient: string;
  readonly disabledClient: string;
}

/** Makes what the attempts need. `me` is who tries. */
export async function givenWorld(
  service: Service,
  me: { tenantId: string; id: string; customerId: string },
): Promise<World> {
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
  const number = '10000001';
  const gone = await db.customer.create({
    data: { tenantId, email: 'gone@test.example', customerNumber: number, enabled: false },
  });
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
    customers: (await givenGroup(service, { userType: 'CUSTOMER', scopes: [THEIRS], memberIds: [gone.id] }, tenantId))
      .id,
    disabled: away.id,
    disabledCustomer: gone.id,
    ownEmployee: me.id,
    customer: me.customerId,
    client: await client('theirs', [MINE, THEIRS]),
    ownClient: await client('mine', [MINE]),
    disabledClient,
  };
}

/** Variables, and what is missing where it is more than `order.order_manage`. */
export type Attempt = readonly [variables: Record<string, unknown>, missing?: 'every scope'];
const input = (given: Record<string, unknown>): Attempt => [{ input: given }];
/** A new employee. */
export const person = { email: 'new@test.example', firstName: 'N', lastName: 'E', password: PASSWORD };

/** Every way to put `order.order_manage` somewhere, in an order in which somebody who has it can take them all. */
export const attempts = (w: World): Record<string, readonly Attempt[]> => ({
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
  updateCustomer: [input({ id: w.disabledCustomer, firstName: 'F', enabled: true })],
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
