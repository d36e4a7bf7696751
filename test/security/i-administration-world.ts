// A small tenant for random sequences of administration, made anew by rows and under the same ids for each; what everybody
// in it is entitled to, read from the rows in plain JavaScript.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { defaultCustomerScopes } from '../../src/modules/scopes/predefined-sets.ts';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { ctxOf, type Service } from '../kit/service.ts';

/** What `givenTenant` makes. */
export interface Tenant {
  readonly id: string;
  readonly storefront: string;
  readonly customer: { readonly id: string };
}

/** Stands for every scope, those that are defined later included. */
export const EVERYTHING = 'everything, whatever comes';

const administration = [
  'customer.customer_manage',
  'iam.access_manage',
  'iam.assignment_manage',
  'iam.group_manage',
  'iam.role_manage',
  'iam.scope_manage',
  'iam.template_manage',
  'iam.user_create',
  'iam.user_delete',
  'iam.user_update',
  'oauth.client_manage',
];
/** What is given and taken. */
export const others = [
  'catalog.catalog_view',
  'customer.customer_read',
  'customer.customer_read_own',
  'iam.group_manage',
  'order.order_manage',
  'order.order_read',
  'price.price_manage',
  'price.price_read',
];
const digest = (secret: string) => new Uint8Array(createHash('sha256').update(secret).digest());
/** The secret of every client at the beginning. */
export const SECRET = 'a secret of this test';

/** Who has what at the beginning. */
export interface Beginning {
  readonly employees: readonly (readonly string[])[];
  readonly controls: readonly (readonly string[])[];
  readonly clients: readonly (readonly string[])[];
}

const someOf = (pool: readonly string[]) => fc.subarray([...pool], { minLength: 1 });
const delegated = fc
  .tuple(fc.boolean(), someOf(administration), fc.subarray(others))
  .map(([isFull, some, more]) => [...new Set([...(isFull ? administration : some), ...more])]);

/** Random beginnings. */
export const beginnings: fc.Arbitrary<Beginning> = fc.record({
  employees: fc.array(delegated, { minLength: 4, maxLength: 4 }),
  controls: fc.array(someOf(others), { minLength: 4, maxLength: 4 }),
  clients: fc.tuple(delegated, someOf(others)),
});

/** Puts the tenant back to a beginning: with an administrator who may do everything, and does nothing. */
export async function begin({ app }: Service, tenant: Tenant, beginning: Beginning): Promise<void> {
  const { id: tenantId } = tenant;
  const { changes, contactAssignments, database, memberships } = app.modules;
  const db = database.forTenant({ tenantId });
  await db.group.deleteMany({ where: { predefined: false } });
  await db.accessControlTemplate.deleteMany({});
  await db.accessControl.deleteMany({ where: { predefined: false } });
  await db.role.deleteMany({ where: { predefined: false } });
  await db.employee.deleteMany({});
  await db.customer.deleteMany({ where: { id: { not: tenant.customer.id } } });
  await db.customerMembership.deleteMany({});
  await db.customer.updateMany({ data: { enabled: true } });
  await db.customScope.deleteMany({});
  await db.client.deleteMany({ where: { kind: 'CUSTOM' } });

  const names = { firstName: 'E', lastName: 'M' };
  await db.role.createMany({ data: ['r0', 'r1'].map((id) => ({ tenantId, id, name: id, actions: ['read'] })) });
  const control = (id: string, scopes: readonly string[], more = {}) => ({
    tenantId,
    id,
    name: id,
    scopes: [...scopes],
    ...more,
  });
  await db.accessControl.createMany({
    data: [
      ...beginning.controls.map((scopes, at) =>
        control(`x${at}`, scopes, at === 3 ? { restrictedTo: 'CUSTOMER' } : {}),
      ),
      control('x8', ['order.order_read'], { roleId: 'r0', resourceId: 'order.order' }),
      control('x9', ['price.price_read'], { roleId: 'r1', resourceId: 'price.price' }),
      ...beginning.employees.map((scopes, at) => control(`y${at}`, scopes)),
    ],
  });
  await db.accessControlTemplate.createMany({ data: ['t0', 't1'].map((id) => ({ tenantId, id, name: id })) });
  await db.templateAccessControl.createMany({
    data: [
      ['t0', 'x0'],
      ['t0', 'x8'],
      ['t1', 'x1'],
      ['t1', 'x3'],
    ].map(([templateId, accessControlId]) => ({
      tenantId,
      templateId: templateId!,
      accessControlId: accessControlId!,
    })),
  });
  const staff = beginning.employees.map((_, at) => `e${at}`);
  await db.employee.createMany({
    data: [...staff, 'e7', 'e8', 'e9'].map((id) => ({
      tenantId,
      id,
      email: `${id}@test.example`,
      enabled: id !== 'e9',
      ...names,
    })),
  });
  await db.customer.create({ data: { tenantId, id: 'c1', customerNumber: 'c1', email: 'c1@test.example' } });
  await db.group.createMany({
    data: [
      ...staff.map((_, at) => ({ tenantId, id: `h${at}`, name: `h${at}`, userType: 'EMPLOYEE' as const })),
      { tenantId, id: 'h7', name: 'h7', userType: 'EMPLOYEE' as const },
      { tenantId, id: 'g0', name: 'g0', userType: 'EMPLOYEE' as const },
      { tenantId, id: 'g1', name: 'g1', userType: 'EMPLOYEE' as const },
      { tenantId, id: 'g2', name: 'g2', userType: 'CUSTOMER' as const },
      { tenantId, id: 'g3', name: 'g3', userType: 'CUSTOMER' as const, legalEntityId: 'company' },
    ],
  });
  const links = [
    ...staff.map((_, at) => [`h${at}`, `y${at}`]),
    ['h7', 'every-scope'],
    ['g0', 'x0'],
    ['g1', 'x9'],
    ['g2', 'x2'],
    ['g3', 'x3'],
  ];
  await db.groupAccessControl.createMany({
    data: links.map(([groupId, accessControlId]) => ({
      tenantId,
      groupId: groupId!,
      accessControlId: accessControlId!,
    })),
  });
  await db.groupTemplate.createMany({
    data: [
      { tenantId, groupId: 'g1', templateId: 't0' },
      { tenantId, groupId: 'g2', templateId: 't1' },
    ],
  });
  await db.employeeMembership.createMany({
    data: [
      ...staff.map((id, at) => ({ tenantId, groupId: `h${at}`, employeeId: id })),
      { tenantId, groupId: 'h7', employeeId: 'e7' },
      { tenantId, groupId: 'g1', employeeId: 'e8' },
      { tenantId, groupId: 'g0', employeeId: 'e9' },
    ],
  });
  await contactAssignments.assign(ctxOf(tenantId), tenant.customer.id, 'company');
  await contactAssignments.assign(ctxOf(tenantId), 'c1', 'company');
  await memberships.joinCompany(ctxOf(tenantId), 'company', 'ADMIN', tenant.customer.id);
  const clients = beginning.clients.map((scopes, at) => ({
    tenantId,
    id: `${tenantId}-k${at}`,
    name: `k${at}`,
    kind: 'CUSTOM' as const,
    scopes: [...scopes],
    enabled: at === 0,
  }));
  await db.client.createMany({ data: clients });
  await db.clientSecret.createMany({
    data: clients.map(({ id }) => ({ tenantId, clientId: id, digest: digest(SECRET) })),
  });
  await changes.catchUp();
}

/** What there is, by kind, in an order that does not depend on chance. */
export type Rows = Awaited<ReturnType<typeof read>>;

/** Reads all rows that decide who may do what. */
export async function read({ app }: Service, tenantId: string) {
  const db = app.modules.database.forTenant({ tenantId });
  const byId = <Row extends { id: string }>(rows: Row[]) =>
    rows.sort((one, other) => Number(one.id.length > 9) - Number(other.id.length > 9) || (one.id < other.id ? -1 : 1));
  return {
    groups: byId(await db.group.findMany()),
    controls: byId(await db.accessControl.findMany()),
    templates: byId(await db.accessControlTemplate.findMany()),
    roles: byId(await db.role.findMany()),
    employees: byId(await db.employee.findMany()),
    customers: byId(await db.customer.findMany()),
    clients: byId(await db.client.findMany({ where: { kind: 'CUSTOM' } })),
    scopes: byId(await db.customScope.findMany()),
    ofGroups: await db.groupAccessControl.findMany(),
    groupTemplates: await db.groupTemplate.findMany(),
    ofTemplates: await db.templateAccessControl.findMany(),
    staff: await db.employeeMembership.findMany(),
    shoppers: await db.customerMembership.findMany(),
  };
}

/** What everybody may do: employees and clients who are enabled, customers for themselves and for the company. */
export function entitlementsIn(rows: Rows): Map<string, ReadonlySet<string>> {
  const everything = [EVERYTHING, ...builtInScopes, ...rows.scopes.map(({ id }) => id)];
  const givenBy = (groupId: string): string[] => {
    const group = rows.groups.find(({ id }) => id === groupId)!;
    const templates = rows.groupTemplates.filter((row) => row.groupId === groupId).map(({ templateId }) => templateId);
    const ids = [
      ...rows.ofGroups.filter((row) => row.groupId === groupId),
      ...rows.ofTemplates.filter((row) => templates.includes(row.templateId)),
    ].map(({ accessControlId }) => accessControlId);
    return rows.controls
      .filter(({ id, restrictedTo }) => ids.includes(id) && (restrictedTo === null || restrictedTo === group.userType))
      .flatMap(({ everyScope, scopes }) => (everyScope ? everything : scopes));
  };
  const all = new Map<string, ReadonlySet<string>>();
  for (const { id, enabled } of rows.employees) {
    const groups = enabled ? rows.staff.filter(({ employeeId }) => employeeId === id) : [];
    all.set(`employee ${id}`, new Set(groups.flatMap(({ groupId }) => givenBy(groupId))));
  }
  for (const { id, enabled } of rows.customers) {
    for (const company of new Set([null, ...rows.groups.map(({ legalEntityId }) => legalEntityId)])) {
      const groups = rows.shoppers
        .filter(({ customerId }) => enabled && customerId === id)
        .map(({ groupId }) => rows.groups.find((group) => group.id === groupId)!)
        .filter(({ legalEntityId }) => legalEntityId === null || legalEntityId === company);
      const scopes = [...defaultCustomerScopes, ...groups.flatMap((group) => givenBy(group.id))];
      all.set(`customer ${id} for ${company}`, new Set(scopes));
    }
  }
  for (const { id, enabled, everyScope, scopes } of rows.clients)
    all.set(`client ${id}`, new Set(enabled ? (everyScope ? everything : scopes) : []));
  return all;
}
