// Employees' groups by what a provider claims: set at each login, and taken away when the claim goes. Invariant: only
// memberships that a claim made are touched; who was put into a group by somebody stays there.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { DomainError } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import type { Memberships } from '../iam/memberships.ts';

/** Keeping memberships in step with claims. */
export function createGroupsByClaim(deps: { administer: Administer; database: Database; memberships: Memberships }) {
  const { administer, database, memberships } = deps;

  /** The groups to join, and those to leave. A name that several groups have names none. */
  async function differences(db: TenantClient, providerId: string, employeeId: string, names: readonly string[]) {
    const named = await db.group.findMany({ where: { userType: 'EMPLOYEE', name: { in: [...names] } } });
    const wanted = named.filter(({ name }) => named.filter((other) => other.name === name).length === 1);
    const current = await db.employeeMembership.findMany({ where: { employeeId } });
    const isWanted = (id: string) => wanted.some((group) => group.id === id);
    return {
      missing: wanted.map(({ id }) => id).filter((id) => !current.some(({ groupId }) => groupId === id)),
      over: current
        .filter((each) => each.providerId === providerId && !isWanted(each.groupId))
        .map((each) => each.groupId),
    };
  }

  /** Takes somebody out of a group; false: it is the last way to manage groups, and stays. */
  const leave = async (change: Change, groupId: string, userId: string): Promise<boolean> => {
    try {
      await memberships.remove(change, { groupId, userId, userType: 'EMPLOYEE' });
      return true;
    } catch (error) {
      if (error instanceof DomainError && error.reason === 'LAST_ADMINISTRATOR') return false;
      throw error;
    }
  };

  return {
    /**
     * Puts an employee into the groups that the claim names, and takes them out of those that it named before.
     * @param ctx of the login, which is nobody's yet: what follows is done by the service itself
     * @param names null: the provider claims no groups, and nothing is touched
     */
    async settle(ctx: Ctx, providerId: string, employeeId: string, names: readonly string[] | null): Promise<void> {
      if (names === null) return;
      const before = await differences(database.forTenant(ctx), providerId, employeeId, names);
      if (before.missing.length === 0 && before.over.length === 0) return;
      await administer({ ...ctx, principal: null, credential: 'operator' }, async (change) => {
        // Once more, now that nobody else changes them.
        const { missing, over } = await differences(change.tx, providerId, employeeId, names);
        for (const groupId of missing) {
          await memberships.add(change, { groupId, userId: employeeId, userType: 'EMPLOYEE' });
          await change.tx.employeeMembership.updateMany({ where: { groupId, employeeId }, data: { providerId } });
        }
        for (const groupId of over) await leave(change, groupId, employeeId);
      });
    },

    /** Ends every membership that the provider's claims made. @returns how many */
    async endAll(change: Change, providerId: string): Promise<number> {
      const made = await change.tx.employeeMembership.findMany({ where: { providerId } });
      for (const { groupId, employeeId } of made)
        await memberships.remove(change, { groupId, userId: employeeId, userType: 'EMPLOYEE' });
      return made.length;
    },
  };
}

/** See `createGroupsByClaim`. */
export type GroupsByClaim = ReturnType<typeof createGroupsByClaim>;
