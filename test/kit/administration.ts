// What can be administrated in a tenant, one of each; and for every argument by which an administrator can name one:
// how to ask, and what is answered when nothing of that name is there. For tests about what is another tenant's.

import { randomUUID } from 'node:crypto';
import { type Answer, graphql } from './graphql.ts';
import { ctxOf, type Service } from './service.ts';

const CALLBACK = 'https://shop.example/callback';

/** The ids of what a tenant has. */
export interface Things {
  readonly client: string;
  readonly company: string;
  readonly contact: string;
  readonly control: string;
  readonly customer: string;
  readonly employee: string;
  readonly group: string;
  readonly identity: string;
  readonly location: string;
  readonly permission: string;
  readonly provider: string;
  readonly resource: string;
  readonly role: string;
  readonly template: string;
  /** Whose they are. */
  readonly tenant: string;
}

/** Makes one of each, of names that are its own. */
export async function givenThings({ app }: Pick<Service, 'app'>, tenantId: string): Promise<Things> {
  const ctx = ctxOf(tenantId);
  const {
    accessControls,
    clients,
    contactAssignments,
    customers,
    employees,
    groups,
    legalEntities,
    locations,
    roles,
    scopeDefinitions,
    templates,
  } = app.modules;
  const mark = randomUUID().slice(0, 8);
  const name = `Of ${tenantId} ${mark}`;
  await scopeDefinitions.create(ctx, { id: `of.${tenantId}${mark}_do${mark}`, description: 'A thing of the test.' });
  const role = await roles.create(ctx, { name, permissionIds: ['read'] });
  const control = await accessControls.create(ctx, { name, scopes: ['price.price_read'] });
  const template = await templates.create(ctx, { name, accessControlIds: [control.id] });
  const group = await groups.create(ctx, { name, userType: 'EMPLOYEE', accessControlIds: [control.id] });
  const password = 'a password of this test';
  const employee = await employees.create(ctx, { email: `${mark}@staff.example`, firstName: name, lastName: name });
  const customer = await customers.register(ctx, { email: `${mark}@shop.example`, password });
  const company = await legalEntities.create(ctx, { id: `c-${mark}`, name });
  const contact = await contactAssignments.assign(ctx, customer.id, company.id);
  const location = await locations.create(ctx, { legalEntityId: company.id, name, type: 'OFFICE' });
  const db = app.modules.database.forTenant(ctx);
  const provider = await db.identityProvider.create({
    data: {
      tenantId,
      name,
      issuer: `https://${mark}.example`,
      clientId: 'c',
      // Nobody is to ask it anything.
      enabled: false,
      userTypes: ['CUSTOMER'],
      redirectUris: [CALLBACK],
    },
  });
  const identity = await db.externalIdentity.create({
    data: {
      tenantId,
      providerId: provider.id,
      issuer: provider.issuer,
      subject: mark,
      userType: 'CUSTOMER',
      customerId: customer.id,
    },
  });
  const { client } = await clients.register(ctx, {
    id: `cl-${mark}`,
    name,
    kind: 'CUSTOM',
    scopes: ['price.price_read'],
  });
  return {
    client: client.id,
    company: company.id,
    contact: contact.id,
    control: control.id,
    customer: customer.id,
    employee: employee.id,
    group: group.id,
    identity: identity.id,
    location: location.id,
    provider: provider.id,
    permission: `do${mark}`,
    resource: `of.${tenantId}${mark}`,
    role: role.id,
    template: template.id,
    tenant: tenantId,
  };
}

/** One argument that names something. */
export interface Naming {
  /** What it names. */
  readonly names: keyof Things;
  readonly ask: (value: string, own: Things) => readonly [query: string, variables: Record<string, unknown>];
  /** The answer when nothing of that name is there. */
  readonly missing: object;
}

const refused = (code: string) => ({ errors: [{ extensions: { code } }] });

/** `field(id:)` of a query. */
const found = (field: string, names: keyof Things): Naming => ({
  names,
  ask: (id) => [`query ($id: ID!) { found: ${field}(id: $id) { id } }`, { id }],
  missing: { data: { found: null } },
});

/** A filter of a list. */
const filtered = (field: string, argument: string, names: keyof Things): Naming => ({
  names,
  ask: (id) => [`query ($id: ID) { list: ${field}(${argument}: $id) { totalCount nodes { id } } }`, { id }],
  missing: { data: { list: { totalCount: 0, nodes: [] } } },
});

/** `field(id:)` of a mutation. */
const removed = (field: string, names: keyof Things, selection = ''): Naming => ({
  names,
  ask: (id) => [`mutation ($id: ID!) { ${field}(id: $id) ${selection} }`, { id }],
  missing: refused('NOT_FOUND'),
});

/** A field of a mutation's input; `rest`: what else the input needs. */
const given = (
  field: string,
  names: keyof Things,
  code: 'NOT_FOUND' | 'BAD_USER_INPUT' | 'INVALID_GRANT',
  input: (value: string, own: Things) => Record<string, unknown>,
  selection = '{ id }',
): Naming => ({
  names,
  ask: (value, own) => [
    `mutation ($input: ${field[0]!.toUpperCase()}${field.slice(1)}Input!) { ${field}(input: $input) ${selection} }`,
    { input: input(value, own) },
  ],
  missing: refused(code),
});

const member = (field: string, change: (value: string, own: Things) => object): Omit<Naming, 'names'> => ({
  ask: (value, own) => [
    `mutation ($input: GroupMemberInput!) { ${field}(input: $input) { id } }`,
    { input: { groupId: own.group, userId: own.employee, userType: 'EMPLOYEE', ...change(value, own) } },
  ],
  missing: refused('NOT_FOUND'),
});

const person = { email: 'nobody-yet@staff.example', firstName: 'N', lastName: 'Y' };

/** By `field.argument`, every argument of administration that names something. */
export const namings: Readonly<Record<string, Naming>> = {
  'accessControl.id': found('accessControl', 'control'),
  'client.id': found('client', 'client'),
  'customer.id': found('customer', 'customer'),
  'employee.id': found('employee', 'employee'),
  'legalEntity.id': found('legalEntity', 'company'),
  'group.id': found('group', 'group'),
  'role.id': found('role', 'role'),
  'auditEvents.actorId': filtered('auditEvents', 'actorId', 'employee'),
  'auditEvents.subjectId': filtered('auditEvents', 'subjectId', 'group'),
  'explainAccess.principal': {
    names: 'employee',
    ask: (id) => [
      'query ($id: ID!) { explainAccess(operation: "{ __typename }", principal: $id) { allowed } }',
      { id },
    ],
    missing: refused('NOT_FOUND'),
  },
  'explainAccess.legalEntityId': {
    names: 'company',
    ask: (id, own) => [
      'query ($id: ID!, $c: ID!) { explainAccess(operation: "{ __typename }", principal: $c, legalEntityId: $id) { allowed } }',
      { id, c: own.customer },
    ],
    missing: refused('ACCESS_DENIED'),
  },
  'customers.legalEntityId': filtered('customers', 'legalEntityId', 'company'),
  'groups.legalEntityId': filtered('groups', 'legalEntityId', 'company'),
  'deleteAccessControl.id': removed('deleteAccessControl', 'control'),
  'deleteAccessControlTemplate.id': removed('deleteAccessControlTemplate', 'template'),
  'deleteClient.id': removed('deleteClient', 'client'),
  'deleteCustomer.id': removed('deleteCustomer', 'customer'),
  'deleteEmployee.id': removed('deleteEmployee', 'employee'),
  'deleteGroup.id': removed('deleteGroup', 'group'),
  'deleteRole.id': removed('deleteRole', 'role'),
  'deleteIdentityProvider.id': removed('deleteIdentityProvider', 'provider'),
  'unlinkExternalIdentity.id': removed('unlinkExternalIdentity', 'identity'),
  'deleteLegalEntity.id': removed('deleteLegalEntity', 'company'),
  'deleteLocation.id': removed('deleteLocation', 'location'),
  'unassignContact.id': removed('unassignContact', 'contact'),
  'rotateClientSecret.id': removed('rotateClientSecret', 'client', '{ client { id } }'),
  'updateAccessControl.id': given('updateAccessControl', 'control', 'NOT_FOUND', (id) => ({ id, name: 'Theirs' })),
  'updateClient.id': given('updateClient', 'client', 'NOT_FOUND', (id) => ({ id, name: 'Theirs' })),
  'updateCustomer.id': given('updateCustomer', 'customer', 'NOT_FOUND', (id) => ({ id, firstName: 'Theirs' })),
  'updateEmployee.id': given('updateEmployee', 'employee', 'NOT_FOUND', (id) => ({ id, firstName: 'Theirs' })),
  'updateGroup.id': given('updateGroup', 'group', 'NOT_FOUND', (id) => ({ id, name: 'Theirs' })),
  'updateLegalEntity.id': given('updateLegalEntity', 'company', 'NOT_FOUND', (id) => ({ id, name: 'Theirs' })),
  'updateLegalEntity.parentId': given('updateLegalEntity', 'company', 'BAD_USER_INPUT', (parentId, own) => ({
    id: own.company,
    parentId,
  })),
  'createLegalEntity.parentId': given('createLegalEntity', 'company', 'BAD_USER_INPUT', (parentId) => ({
    name: 'x',
    parentId,
  })),
  'assignContact.customerId': given('assignContact', 'customer', 'NOT_FOUND', (customerId, own) => ({
    customerId,
    legalEntityId: own.company,
  })),
  'assignContact.legalEntityId': given('assignContact', 'company', 'NOT_FOUND', (legalEntityId, own) => ({
    customerId: own.customer,
    legalEntityId,
  })),
  'createLocation.legalEntityId': given('createLocation', 'company', 'NOT_FOUND', (legalEntityId) => ({
    legalEntityId,
    name: 'x',
    type: 'OFFICE',
  })),
  'updateIdentityProvider.id': given('updateIdentityProvider', 'provider', 'NOT_FOUND', (id) => ({
    id,
    name: 'Theirs',
  })),
  'startSso.provider': given(
    'startSso',
    'provider',
    'NOT_FOUND',
    (provider, { tenant }) => ({ tenant, provider, userType: 'CUSTOMER', redirectUri: CALLBACK }),
    '{ state }',
  ),
  'exchangeToken.provider': given(
    'exchangeToken',
    'provider',
    'INVALID_GRANT',
    (provider, { tenant }) => ({ tenant, provider, userType: 'CUSTOMER', subjectToken: 'of somebody' }),
    '{ __typename }',
  ),
  'updateRole.id': given('updateRole', 'role', 'NOT_FOUND', (id) => ({ id, name: 'Theirs' })),
  'createAccessControl.roleId': given('createAccessControl', 'role', 'BAD_USER_INPUT', (roleId) => ({
    name: 'x',
    roleId,
    resourceId: 'price.price',
  })),
  'createAccessControl.resourceId': given('createAccessControl', 'resource', 'BAD_USER_INPUT', (resourceId, own) => ({
    name: 'x',
    roleId: own.role,
    resourceId,
  })),
  'updateAccessControl.roleId': given('updateAccessControl', 'role', 'BAD_USER_INPUT', (roleId, own) => ({
    id: own.control,
    roleId,
    resourceId: 'price.price',
  })),
  'updateAccessControl.resourceId': given('updateAccessControl', 'resource', 'BAD_USER_INPUT', (resourceId, own) => ({
    id: own.control,
    roleId: own.role,
    resourceId,
  })),
  'createAccessControlTemplate.accessControlIds': given(
    'createAccessControlTemplate',
    'control',
    'BAD_USER_INPUT',
    (id, own) => ({ name: 'x', accessControlIds: [own.control, id] }),
  ),
  'createEmployee.groupIds': given('createEmployee', 'group', 'NOT_FOUND', (id, own) => ({
    ...person,
    groupIds: [own.group, id],
  })),
  'createGroup.accessControlIds': given('createGroup', 'control', 'BAD_USER_INPUT', (id, own) => ({
    name: 'x',
    userType: 'EMPLOYEE',
    accessControlIds: [own.control, id],
  })),
  'createGroup.templateIds': given('createGroup', 'template', 'BAD_USER_INPUT', (id, own) => ({
    name: 'x',
    userType: 'EMPLOYEE',
    templateIds: [own.template, id],
  })),
  'createGroup.legalEntityId': given('createGroup', 'company', 'BAD_USER_INPUT', (legalEntityId) => ({
    name: 'x',
    userType: 'CUSTOMER',
    legalEntityId,
  })),
  'createRole.permissionIds': given('createRole', 'permission', 'BAD_USER_INPUT', (id) => ({
    name: 'x',
    permissionIds: ['read', id],
  })),
  'updateGroup.accessControlIds': given('updateGroup', 'control', 'BAD_USER_INPUT', (id, own) => ({
    id: own.group,
    accessControlIds: [own.control, id],
  })),
  'updateGroup.templateIds': given('updateGroup', 'template', 'BAD_USER_INPUT', (id, own) => ({
    id: own.group,
    templateIds: [own.template, id],
  })),
  'updateRole.permissionIds': given('updateRole', 'permission', 'BAD_USER_INPUT', (id, own) => ({
    id: own.role,
    permissionIds: ['read', id],
  })),
  'addGroupMember.groupId': { names: 'group', ...member('addGroupMember', (groupId) => ({ groupId })) },
  'addGroupMember.userId': { names: 'employee', ...member('addGroupMember', (userId) => ({ userId })) },
  'removeGroupMember.groupId': { names: 'group', ...member('removeGroupMember', (groupId) => ({ groupId })) },
  'removeGroupMember.userId': { names: 'employee', ...member('removeGroupMember', (userId) => ({ userId })) },
};

/** Asks as the administrator of `own`. */
export function askNaming(
  service: Pick<Service, 'url'>,
  bearer: string,
  naming: Naming,
  value: string,
  own: Things,
): Promise<Answer> {
  const [query, variables] = naming.ask(value, own);
  return graphql(service, query, { bearer, variables });
}
