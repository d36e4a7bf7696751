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
  const { customers, contactAssignments, groups } = app.modules;
  const customer = await customers.register(ctx, { email, password: PASSWORD });
  for (const [company, role] of Object.entries(companies)) {
    await contactAssignments.assign(ctx, customer.id, company);
    if (role) await groups.joinCompany(ctx, company, role, customer.id);
  }
  return customer;
}

/** An employee of the tenant `demo` in one group with these scopes. */
export async function givenEmployee({ app }: Service, scopes: readonly string[] = []) {
  const ctx = ctxOf('demo');
  const { employees, groups } = app.modules;
  const employee = await employees.create(ctx, {
    email: `employee-${randomUUID()}@test.example`,
    firstName: 'Erin',
    lastName: 'Test',
    password: PASSWORD,
  });
  const groupId = await groups.ensureForEmployees(ctx, `group-${randomUUID()}`, scopes);
  await groups.addEmployee(ctx, groupId, employee.id);
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
