// What follows when groups come to give something else: nobody has given what they lack, tokens of the groups that
// changed are refused, no member's token has no room for it, and somebody is left who can manage groups. product.md sections 3 and 4, security.md case 100.
// Invariant: a group is revoked if and only if the scopes that it gives have changed.

import { conflict } from '../../errors/domain-error.ts';
import type { Change } from '../administration/administration.ts';
import { groupKey } from '../revocations/revocation-key.ts';
import { requireHeld } from '../scopes/delegation.ts';
import type { EntitlementsOf } from './entitlements.ts';
import type { TokenRoom } from './token-room.ts';

/** Refuses what would lock everybody out. */
export const lastAdministrator = () => conflict('LAST_ADMINISTRATOR', 'Nobody would be left who can manage groups.');

/** A change that is one of several, which are judged together. */
interface Part extends Change {
  readonly isPart: true;
}

const isPart = (change: Change): change is Part => 'isPart' in change;

/** Frames around changes. Both run inside `administer`, so nothing can come between their looks. */
export function createConsequences(deps: { entitlements: EntitlementsOf; tokenRoom: TokenRoom }) {
  const { entitlements, tokenRoom } = deps;

  /** @throws CONFLICT `LAST_ADMINISTRATOR` when `work` takes the last enabled employee's right to manage groups */
  async function keepingAdministrator<T>(change: Change, work: () => Promise<T>): Promise<T> {
    if (isPart(change)) return work();
    const { tx, tenantId } = change;
    const hadOne = await entitlements.haveAdministrator(tx, tenantId);
    const done = await work();
    if (hadOne && !(await entitlements.haveAdministrator(tx, tenantId))) {
      throw lastAdministrator();
    }
    return done;
  }

  async function changingGroups<T>(
    change: Change,
    groupIds: readonly string[],
    reason: string,
    work: () => Promise<T>,
  ): Promise<T> {
    if (isPart(change)) return work();
    const { tx } = change;
    const before = await entitlements.givenByGroups(tx, change, groupIds);
    const done = await keepingAdministrator(change, work);
    const after = await entitlements.givenByGroups(tx, change, groupIds);
    const gained = new Set<string>();
    const grown: string[] = [];
    const changed: string[] = [];
    groupIds.forEach((id, at) => {
      const [gave, gives] = [before[at]!, after[at]!];
      const had = new Set(gave.scopes);
      const more = gives.scopes.filter((scope) => !had.has(scope));
      // Every scope is more than all that there are: what is defined later comes with it.
      for (const scope of gives.everyScope && !gave.everyScope ? gives.scopes : more) gained.add(scope);
      if (more.length > 0) grown.push(id);
      if (more.length > 0 || gives.scopes.length !== had.size) changed.push(id);
    });
    requireHeld(change, gained);
    await tokenRoom.requireForMembers(tx, change, grown);
    change.revoke(reason, changed.map(groupKey));
    return done;
  }

  return {
    keepingAdministrator,

    /** Around a change of what these groups give. @throws FORBIDDEN for scopes that the caller lacks,
     * CONFLICT `LAST_ADMINISTRATOR` or `TOO_MANY_SCOPES` */
    changingGroups,

    /** Around several changes, which are told apart from others by the change that `work` is given: what comes out is
     * what counts. Each group is revoked once at most, and the administrator may have been another in between.
     * @throws as `changingGroups` */
    together: <T>(
      change: Change,
      groupIds: readonly string[],
      reason: string,
      work: (part: Change) => Promise<T>,
    ): Promise<T> => changingGroups(change, groupIds, reason, () => work({ ...change, isPart: true } as Part)),

    /** Around a change of what these access controls give, to whichever groups. @throws as `changingGroups` */
    async changingControls<T>(change: Change, controlIds: readonly string[], reason: string, work: () => Promise<T>) {
      if (isPart(change)) return work();
      const { tx, tenantId } = change;
      const groups = await tx.$queryRaw<{ group_id: string }[]>`
        SELECT group_id FROM group_access_controls
        WHERE tenant_id = ${tenantId} AND access_control_id = ANY(${controlIds})
        UNION
        SELECT gt.group_id FROM template_access_controls tac
        JOIN group_templates gt ON gt.tenant_id = tac.tenant_id AND gt.template_id = tac.template_id
        WHERE tac.tenant_id = ${tenantId} AND tac.access_control_id = ANY(${controlIds})`;
      const groupIds = groups.map(({ group_id }) => group_id);
      return changingGroups(change, groupIds, reason, work);
    },
  };
}

/** See `createConsequences`. */
export type Consequences = ReturnType<typeof createConsequences>;
