// Seeds told as stories: people and companies of a test's own, made through the use cases.

import { randomUUID } from 'node:crypto';
import type { B2BRole } from '../../src/modules/iam/company-groups.ts';
import { ctxOf, type Service } from './service.ts';
import { PASSWORD } from './stories.ts';

/** A customer of the tenant `demo`, assigned to companies; a role there where one is given. */
export async function givenCustomer(
  { app }: Service,
  companies: Partial<Record<string, B2BRole | null>> = {},
  email = `customer-${randomUUID()}@test.example`,
) {
  const ctx = ctxOf('demo');
  const { customers, contactAssignments, memberships } = app.modules;
  const customer = await customers.register(ctx, { email, password: PASSWORD });
  for (const [company, role] of Object.entries(companies)) {
    await contactAssignments.assign(ctx, customer.id, company);
    if (role) await memberships.joinCompany(ctx, company, role, customer.id);
  }
  return customer;
}

/** An employee of the tenant `demo` in one group with these scopes. */
export async function givenEmployee({ app }: Pick<Service, 'app'>, scopes: readonly string[] = []) {
  const ctx = ctxOf('demo');
  const { employees, memberships } = app.modules;
  const employee = await employees.create(ctx, {
    email: `employee-${randomUUID()}@test.example`,
    firstName: 'Erin',
    lastName: 'Test',
    password: PASSWORD,
  });
  const { id: groupId } = await givenEmployeeGroup({ app }, scopes);
  await memberships.add(ctx, { groupId: groupId, userId: employee.id, userType: 'EMPLOYEE' });
  return { ...employee, groupId };
}

/** A company of the tenant `demo`. */
export function givenCompany({ app }: Service, id = `company-${randomUUID()}`) {
  return app.modules.legalEntities.create(ctxOf('demo'), { id, name: id });
}

/** A client of the tenant `demo` with its secret. */
export async function givenClient(
  { app }: Service,
  scopes: readonly string[],
  kind: 'CUSTOM' | 'STOREFRONT' = 'CUSTOM',
) {
  const id = `client-${randomUUID()}`;
  const { clientSecret } = await app.modules.clients.register(ctxOf('demo'), { id, name: id, kind, scopes });
  return { id, clientSecret: clientSecret ?? '' };
}

/** A group of employees that gives these scopes, known or not; by SQL, for it is what a test begins with. */
export async function givenEmployeeGroup(
  { app }: Pick<Service, 'app'>,
  scopes: readonly string[] | 'every',
  tenantId = 'demo',
) {
  const db = app.modules.database.forTenant({ tenantId });
  const name = `group-${randomUUID()}`;
  const group = await db.group.create({ data: { tenantId, name, userType: 'EMPLOYEE' } });
  const given = scopes === 'every' ? { scopes: [], everyScope: true } : { scopes: [...scopes] };
  const control = await db.accessControl.create({ data: { tenantId, name, restrictedTo: 'EMPLOYEE', ...given } });
  await db.groupAccessControl.create({ data: { tenantId, groupId: group.id, accessControlId: control.id } });
  return { ...group, accessControlId: control.id };
}

/** A group of customers of the tenant `demo` that belongs to no company, with this customer as its member. */
export async function givenCustomerGroup({ app }: Service, scopes: readonly string[], customerId: string) {
  const tenantId = 'demo';
  const db = app.modules.database.forTenant(ctxOf(tenantId));
  const name = `group-${randomUUID()}`;
  const group = await db.group.create({ data: { tenantId, name, userType: 'CUSTOMER' } });
  const control = await db.accessControl.create({ data: { tenantId, name, scopes: [...scopes] } });
  await db.groupAccessControl.create({ data: { tenantId, groupId: group.id, accessControlId: control.id } });
  await db.customerMembership.create({ data: { tenantId, groupId: group.id, customerId } });
  return group;
}

/** A tenant of the test's own, with these settings: a storefront, a back end, a customer and an employee. */
export async function givenTenant({ app }: Service, settings: Record<string, unknown> = {}) {
  const {
    tenants,
    signingKeys,
    clients,
    customers,
    employees,
    iamSetUp,
    legalEntities,
    contactAssignments,
    memberships,
  } = app.modules;
  const id = `t-${randomUUID().slice(0, 12)}`;
  const ctx = ctxOf(id);
  await tenants.create({ id, name: id, settings });
  await signingKeys.ensure(id);
  await iamSetUp.ensurePredefined(ctx);
  await clients.register(ctx, { id: `${id}-storefront`, name: 'Storefront', kind: 'STOREFRONT', scopes: [] });
  const clientSecret = 'a secret for this test only';
  const backend = { id: `${id}-backend`, name: 'Back end', kind: 'BACKEND', scopes: [], everyScope: true } as const;
  await clients.register(ctx, { ...backend, clientSecret });
  const company = await legalEntities.create(ctx, { id: 'company', name: 'Company' });
  const customer = await customers.register(ctx, { email: `customer@${id}.example`, password: PASSWORD });
  await contactAssignments.assign(ctx, customer.id, company.id);
  const names = { firstName: 'Tom', lastName: 'Tenant' };
  const employee = await employees.create(ctx, { email: `employee@${id}.example`, password: PASSWORD, ...names });
  const { id: groupId } = await givenEmployeeGroup({ app }, 'every', id);
  await memberships.add(ctx, { groupId: groupId, userId: employee.id, userType: 'EMPLOYEE' });
  return { id, storefront: `${id}-storefront`, backend: { id: backend.id, clientSecret }, customer, employee };
}

/** Makes every use of a refresh token of the session so old that no retry is due any more. */
export const givenOldUses = ({ app }: Service, sessionId: string) =>
  app.modules.database.system()
    .$executeRaw`UPDATE refresh_tokens SET spent_at = spent_at - interval '1 hour' WHERE session_id = ${sessionId}`;
