// Nobody is shut out by being given too much: a token has room for so many scopes and groups, and whoever has more
// could not sign in any more. Asked of a person who joins a group, and of all members of a group that gives more.

import type { TenantClient } from '../../database/database.ts';
import { conflict } from '../../errors/domain-error.ts';
import type { Change } from '../administration/administration.ts';
import type { ScopesOf } from '../scopes/custom-scopes.ts';
import type { Entitlements, EntitlementsOf } from './entitlements.ts';

/** What a token of 8 KB has room for, scopes and groups together. A customer's carries the person as well. */
const MOST_CHARACTERS = { EMPLOYEE: 5640, CUSTOMER: 3900 };

const fits = (userType: 'EMPLOYEE' | 'CUSTOMER', { scopes, groupIds }: Entitlements): boolean =>
  scopes.join(' ').length + groupIds.join('","').length <= MOST_CHARACTERS[userType];

/** The sets of groups that members of these groups are in: as many as there are different ones. */
async function setsOfGroups(tx: TenantClient, tenantId: string, groupIds: readonly string[]): Promise<string[][]> {
  const found = await tx.$queryRaw<{ group_ids: string[] }[]>`
    SELECT DISTINCT array_agg(group_id ORDER BY group_id) AS group_ids FROM employee_memberships
    WHERE tenant_id = ${tenantId} AND employee_id IN (
      SELECT employee_id FROM employee_memberships WHERE tenant_id = ${tenantId} AND group_id = ANY(${groupIds}))
    GROUP BY employee_id
    UNION ALL
    SELECT DISTINCT array_agg(group_id ORDER BY group_id) FROM customer_memberships
    WHERE tenant_id = ${tenantId} AND customer_id IN (
      SELECT customer_id FROM customer_memberships WHERE tenant_id = ${tenantId} AND group_id = ANY(${groupIds}))
    GROUP BY customer_id`;
  return found.map(({ group_ids }) => group_ids);
}

/** Asks whether everybody's token has room for what they are given. */
export function createTokenRoom(deps: { entitlements: EntitlementsOf }) {
  const { entitlements } = deps;

  async function isThereForMembers(tx: TenantClient, ctx: ScopesOf, groupIds: readonly string[]): Promise<boolean> {
    const sets = await setsOfGroups(tx, ctx.tenantId, groupIds);
    if (sets.length === 0) return true;
    const where = { id: { in: [...new Set(sets.flat())] } };
    const found = await tx.group.findMany({ where, select: { id: true, userType: true, legalEntityId: true } });
    const given = await entitlements.givenByGroups(
      tx,
      ctx,
      found.map(({ id }) => id),
    );
    const groupsById = new Map(found.map((group, at) => [group.id, { ...group, scopes: given[at]!.scopes }]));
    return sets.every((set) => {
      const groups = set.map((id) => groupsById.get(id)!);
      const { userType } = groups[0]!;
      // Nobody acts for two companies at once.
      const companies = new Set([null, ...groups.map(({ legalEntityId }) => legalEntityId)]);
      return [...companies].every((company) => {
        const counting = groups.filter(({ legalEntityId }) => legalEntityId === null || legalEntityId === company);
        const base = userType === 'CUSTOMER' ? entitlements.ofEveryCustomer(ctx.tenantId) : [];
        const scopes = [...new Set([...base, ...counting.flatMap((group) => group.scopes)])];
        return fits(userType, { scopes, groupIds: counting.map(({ id }) => id) });
      });
    });
  }

  return {
    /** @throws CONFLICT `TOO_MANY_GROUPS` when the groups that somebody is in by now give more than there is room for */
    async requireFor(
      change: Change,
      { userId, userType }: { userId: string; userType: 'EMPLOYEE' | 'CUSTOMER' },
      legalEntityId: string | null,
    ): Promise<void> {
      const entitled =
        userType === 'EMPLOYEE'
          ? await entitlements.ofEmployee(change.tx, change, userId)
          : await entitlements.ofCustomer(change.tx, change, userId, legalEntityId);
      if (!fits(userType, entitled)) throw conflict('TOO_MANY_GROUPS', 'No token has room for all of that.');
    },

    /** @throws CONFLICT `TOO_MANY_SCOPES` when a member of these groups has more by now than there is room for */
    async requireForMembers(tx: TenantClient, ctx: ScopesOf, groupIds: readonly string[]): Promise<void> {
      if (groupIds.length > 0 && !(await isThereForMembers(tx, ctx, groupIds)))
        throw conflict('TOO_MANY_SCOPES', "A member's token would have no room for all of that.");
    },
  };
}

/** See `createTokenRoom`. */
export type TokenRoom = ReturnType<typeof createTokenRoom>;
