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

  /** A change of its own, so that the last way to manage groups can stay: a refused change leaves nothing behind. */
  async function leave(ctx: Ctx, providerId: string, groupId: string, userId: string): Promise<void> {
    try {
      await administer(ctx, async (change) => {
        const where = { groupId, employeeId: userId, providerId };
        if ((await change.tx.employeeMembership.count({ where })) > 0)
          await memberships.remove(change, { groupId, userId, userType: 'EMPLOYEE' });
      });
    } catch (error) {
      if (!(error instanceof DomainError && error.reason === 'LAST_ADMINISTRATOR')) throw error;
    }
  }

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
      const operator: Ctx = { ...ctx, principal: null, credential: 'operator' };
      // Nobody joins before they have left: a token has room for so many groups only.
      for (const groupId of before.over) await leave(operator, providerId, groupId, employeeId);
      if (before.missing.length === 0) return;
      await administer(operator, async (change) => {
        // Once more, now that nobody else changes them.
        const { missing } = await differences(change.tx, providerId, employeeId, names);
        for (const groupId of missing) {
          await memberships.add(change, { groupId, userId: employeeId, userType: 'EMPLOYEE' });
          await change.tx.employeeMembership.updateMany({ where: { groupId, employeeId }, data: { providerId } });
        }
      });
    },

    /** Ends every membership that the provider's claims made. @returns how many */
    async endAll(change: Change, providerId: string): Promise<number> {
      const made = await change.tx.employeeMembership.findMany({ where: { providerId } });
      // It follows from what the caller may do, whoever may see to groups otherwise.
      const following: Change = { ...change, credential: 'operator' };
      for (const { groupId, employeeId } of made)
        await memberships.remove(following, { groupId, userId: employeeId, userType: 'EMPLOYEE' });
      return made.length;
    },
  };
}

/** See `createGroupsByClaim`. */
export type GroupsByClaim = ReturnType<typeof createGroupsByClaim>;
