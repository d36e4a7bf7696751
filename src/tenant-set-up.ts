// A tenant that can be worked with: signing keys, what is predefined, and a group of administrators. Told through the use
// cases, and idempotent: what is there already stays as it is. For the demo data and for operators.

import type { Modules } from './app.ts';
import type { Ctx } from './context.ts';
import { DomainError } from './errors/domain-error.ts';
import { EVERY_SCOPE_ID } from './modules/iam/predefined.ts';
import type { NewEmployee } from './modules/principals/employees.ts';
import { asOperator } from './modules/tenants/in-tenant.ts';

/** Null instead of a CONFLICT: what was to be made is there. */
export const unlessThere = async <T>(work: Promise<T>): Promise<T | null> =>
  work.catch((error: unknown) => {
    if (error instanceof DomainError && error.code === 'CONFLICT') return null;
    throw error;
  });

/** Makes the tenant with its keys and what every tenant finds ready. @throws BAD_USER_INPUT for a bad id */
export async function setUpTenant(modules: Modules, id: string, name: string, why: string): Promise<Ctx> {
  await unlessThere(modules.tenants.create({ id, name }));
  await modules.signingKeys.ensure(id);
  const ctx = asOperator(id, why);
  await modules.iamSetUp.ensurePredefined(ctx);
  return ctx;
}

/** A group of employees of that name that gives these scopes. @returns its id */
export async function ensureEmployeeGroup(
  { accessControls, administer, groups }: Modules,
  ctx: Ctx,
  name: string,
  scopes: readonly string[] | 'every',
): Promise<string> {
  return administer(ctx, async (change) => {
    const existing = await change.tx.group.findFirst({ where: { name, userType: 'EMPLOYEE' } });
    if (existing) return existing.id;
    const control =
      scopes === 'every'
        ? { id: EVERY_SCOPE_ID }
        : await accessControls.create(change, { name, scopes, restrictedTo: 'EMPLOYEE' });
    const group = await groups.create(change, { name, userType: 'EMPLOYEE', accessControlIds: [control.id] });
    return group.id;
  });
}

/** An employee with an account, in that group. */
export async function ensureEmployee(
  { employees, memberships }: Modules,
  ctx: Ctx,
  account: NewEmployee,
  groupId: string,
): Promise<void> {
  await unlessThere(employees.create(ctx, account));
  const { id } = (await employees.findByEmail(ctx, account.email))!;
  await memberships.add(ctx, { groupId, userId: id, userType: 'EMPLOYEE' });
}
