// Employees' accounts as an administrator sees to them: with their groups, and never without the last who can manage
// groups. Invariant: who lets somebody in, anew or again, holds all that the person gets by it.

import type { Ctx } from '../../context.ts';
import { badInput, forbidden } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { requireFew } from '../administration/editing.ts';
import { callers } from '../principals/callers.ts';
import type { Employee, EmployeeChange, Employees, NewEmployee } from '../principals/employees.ts';
import { requireHeld } from '../scopes/delegation.ts';
import type { Consequences } from './consequences.ts';
import type { EntitlementsOf } from './entitlements.ts';
import type { Memberships } from './memberships.ts';

/** Use cases of employees' accounts. */
export function createEmployeeAccounts(deps: {
  administer: Administer;
  consequences: Consequences;
  employees: Employees;
  entitlements: EntitlementsOf;
  memberships: Memberships;
}) {
  const { administer, consequences, employees, entitlements, memberships } = deps;

  const requireMayAssign = (ctx: Ctx) => {
    if (!callers.holds(ctx, 'iam.assignment_manage'))
      throw forbidden([['iam.assignment_manage']], ['iam.assignment_manage']);
  };

  /** Joining first: whoever administers by another group from now on has been somebody who does all the time. */
  async function moveTo(change: Change, userId: string, groupIds: readonly string[]): Promise<void> {
    const present = await change.tx.employeeMembership.findMany({ where: { employeeId: userId } });
    const had = present.map(({ groupId }) => groupId);
    const joined = groupIds.filter((groupId) => !had.includes(groupId));
    const left = had.filter((groupId) => !groupIds.includes(groupId));
    if (joined.length + left.length > 0) requireMayAssign(change);
    for (const groupId of joined) await memberships.add(change, { groupId, userId, userType: 'EMPLOYEE' });
    for (const groupId of left) await memberships.remove(change, { groupId, userId });
  }

  return {
    /** Makes an account, in groups from the start if `groupIds` says so, which needs `iam.assignment_manage` too.
     * @throws BAD_USER_INPUT, CONFLICT `EMAIL_TAKEN` or `TOO_MANY_GROUPS`, NOT_FOUND, FORBIDDEN for scopes that the caller
     * lacks */
    async create(
      ctx: Ctx,
      input: NewEmployee & { groupIds?: readonly string[] | null | undefined },
    ): Promise<Employee> {
      const groupIds = requireFew(input.groupIds ?? [], 'input.groupIds');
      if (groupIds.length > 0) requireMayAssign(ctx);
      const account = await employees.prepare(input);
      return administer(ctx, async (change) => {
        const ofCustomers = await change.tx.group.findFirst({ where: { id: { in: groupIds }, userType: 'CUSTOMER' } });
        if (ofCustomers)
          throw badInput(`input.groupIds.${input.groupIds!.indexOf(ofCustomers.id)}`, 'Not a group of employees.');
        const employee = await employees.insert(change, account);
        for (const groupId of groupIds) {
          await memberships.add(change, { groupId, userId: employee.id, userType: 'EMPLOYEE' });
        }
        return employee;
      });
    },

    /** Changes names, or disables and enables; `groupIds`: and puts into these groups instead of the present ones,
     * which needs `iam.assignment_manage` too. @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `STALE_VERSION`,
     * `TOO_MANY_GROUPS` or `LAST_ADMINISTRATOR`, FORBIDDEN when the account gives scopes that the caller lacks and is
     * enabled, or for scopes of a new group */
    update(
      ctx: Ctx,
      id: string,
      { groupIds, ...input }: EmployeeChange & { groupIds?: readonly string[] | null | undefined },
    ): Promise<Employee> {
      return administer(ctx, async (change) => {
        if (groupIds) await moveTo(change, id, requireFew(groupIds, 'input.groupIds'));
        const isEnabling =
          input.enabled === true && (await change.tx.employee.count({ where: { id, enabled: false } })) > 0;
        if (isEnabling) requireHeld(change, (await entitlements.ofEmployee(change.tx, change, id)).scopes);
        return consequences.keepingAdministrator(change, () => employees.update(change, id, input));
      });
    },

    /** Deletes an account. @throws NOT_FOUND, CONFLICT `LAST_ADMINISTRATOR` */
    delete: (ctx: Ctx, id: string): Promise<void> =>
      administer(ctx, (change) => consequences.keepingAdministrator(change, () => employees.delete(change, id))),
  };
}

/** See `createEmployeeAccounts`. */
export type EmployeeAccounts = ReturnType<typeof createEmployeeAccounts>;
