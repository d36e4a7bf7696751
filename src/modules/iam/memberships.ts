// Who belongs to which group. Joining shows with the next token; leaving is felt at once.
// Invariants: nobody puts anybody into a group that gives more than they hold themselves; into a group of a company
// come only its contacts; with `_own` scopes a caller reaches groups and customers of the own company only.

import type { Ctx } from '../../context.ts';
import type { TenantClient } from '../../database/database.ts';
import { badInput, conflict, notFound } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { recordAudit } from '../audit/audit.ts';
import { callers } from '../principals/callers.ts';
import { groupKey, membershipKey, principalKey } from '../revocations/revocation-key.ts';
import { requireHeld } from '../scopes/delegation.ts';
import { type B2BRole, requireRoleFree } from './company-groups.ts';
import type { Consequences } from './consequences.ts';
import { type Group, type Groups, groupsInReach, withMember } from './groups.ts';
import type { TokenRoom } from './token-room.ts';

/** A person and a group. */
export interface Membership {
  readonly groupId: string;
  readonly userId: string;
  readonly userType: 'EMPLOYEE' | 'CUSTOMER';
}

/** Who is to leave which group. Without a type: whatever its members are. */
export type Leaving = Omit<Membership, 'userType'> & Partial<Membership>;

/** Use cases of membership. */
export function createMemberships(deps: {
  administer: Administer;
  consequences: Consequences;
  groups: Groups;
  tokenRoom: TokenRoom;
}) {
  const { administer, consequences, groups, tokenRoom } = deps;

  async function requireGroup(
    change: Change,
    { groupId, userType }: Pick<Leaving, 'groupId' | 'userType'>,
  ): Promise<Group> {
    const reach = groupsInReach(change, 'iam.assignment_manage');
    const group = await change.tx.group.findFirst({ where: { AND: [{ id: groupId }, reach] } });
    if (!group) throw notFound('Group');
    if (userType !== undefined && group.userType !== userType)
      throw badInput('input.userType', 'The group is for users of the other type.');
    return group;
  }

  const isContact = async (tx: TenantClient, customerId: string, legalEntityId: string): Promise<boolean> =>
    (await tx.contactAssignment.count({ where: { customerId, legalEntityId } })) > 0;

  /** @throws NOT_FOUND also for a customer of another company, to whom such callers are strangers */
  async function requirePerson(change: Change, { userId, userType }: Membership): Promise<void> {
    const { tx } = change;
    const isThere =
      userType === 'EMPLOYEE'
        ? (await tx.employee.count({ where: { id: userId } })) > 0
        : (await tx.customer.count({ where: { id: userId } })) > 0;
    const isInReach =
      callers.holds(change, 'iam.assignment_manage') || (await isContact(tx, userId, callers.company(change) ?? ''));
    if (!isThere || !isInReach) throw notFound('User');
  }

  const subjectOf = ({ userId, userType }: Membership) =>
    ({ kind: userType === 'EMPLOYEE' ? 'employee' : 'customer', id: userId }) as const;

  return {
    /**
     * Puts somebody into a group; who is in it stays. @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `NOT_A_CONTACT`,
     * `ROLE_TAKEN` or `TOO_MANY_GROUPS`, FORBIDDEN for scopes that the caller lacks
     */
    async add(ctx: Ctx, membership: Membership): Promise<Group> {
      return (await this.join(ctx, membership)).group;
    },

    /** The same. `isNew`: was the person not in it? @throws as `add` */
    join(ctx: Ctx, membership: Membership): Promise<{ group: Group; isNew: boolean }> {
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const { groupId, userId, userType } = membership;
        const group = await requireGroup(change, membership);
        await requirePerson(change, membership);
        const { legalEntityId } = group;
        if (legalEntityId !== null && !(await isContact(tx, userId, legalEntityId)))
          throw conflict('NOT_A_CONTACT', 'Assign the customer to the company first.');
        requireHeld(change, await groups.scopesGiven(change, groupId));
        if (userType === 'CUSTOMER') await requireRoleFree(tx, group, userId);
        const { count } =
          userType === 'EMPLOYEE'
            ? await tx.employeeMembership.createMany({
                data: [{ tenantId, groupId, employeeId: userId }],
                skipDuplicates: true,
              })
            : await tx.customerMembership.createMany({
                data: [{ tenantId, groupId, customerId: userId }],
                skipDuplicates: true,
              });
        if (count > 0) {
          await tokenRoom.requireFor(change, membership, legalEntityId);
          await recordAudit(tx, change, {
            type: 'group.member_added',
            subject: subjectOf(membership),
            legalEntityId,
            details: { groupId, group: group.name },
          });
        }
        return { group, isNew: count > 0 };
      });
    },

    /** Takes somebody out of a group: their tokens are refused at once, those of a company's group for that company.
     * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `LAST_ADMINISTRATOR` */
    remove(ctx: Ctx, leaving: Leaving): Promise<Group> {
      return administer(ctx, async (change) => {
        const { tx } = change;
        const { groupId, userId } = leaving;
        const group = await requireGroup(change, leaving);
        const { legalEntityId, userType } = group;
        const membership = { groupId, userId, userType };
        await requirePerson(change, membership);
        const { count } =
          userType === 'EMPLOYEE'
            ? await consequences.keepingAdministrator(change, () =>
                tx.employeeMembership.deleteMany({ where: { groupId, employeeId: userId } }),
              )
            : await tx.customerMembership.deleteMany({ where: { groupId, customerId: userId } });
        if (count === 0) throw notFound('Member');
        const subject = subjectOf(membership);
        change.revoke('group.member_removed', [
          legalEntityId === null ? principalKey(subject.kind, userId) : membershipKey(legalEntityId, userId),
        ]);
        await recordAudit(tx, change, {
          type: 'group.member_removed',
          subject,
          legalEntityId,
          details: { groupId, group: group.name },
        });
        return group;
      });
    },

    /** Takes everybody out of a group: what they had by it is refused at once. @throws NOT_FOUND, CONFLICT
     * `LAST_ADMINISTRATOR` */
    removeAll(ctx: Ctx, groupId: string): Promise<void> {
      return administer(ctx, async (change) => {
        const { tx } = change;
        const { name, legalEntityId } = await requireGroup(change, { groupId });
        const gone = await consequences.keepingAdministrator(change, async () => [
          await tx.employeeMembership.deleteMany({ where: { groupId } }),
          await tx.customerMembership.deleteMany({ where: { groupId } }),
        ]);
        const members = gone.reduce((sum, { count }) => sum + count, 0);
        if (members === 0) return;
        change.revoke('group.emptied', [groupKey(groupId)]);
        await recordAudit(tx, change, {
          type: 'group.emptied',
          subject: { kind: 'group', id: groupId },
          legalEntityId,
          details: { group: name, members },
        });
      });
    },

    /** Takes somebody out of every group. @throws NOT_FOUND, CONFLICT `LAST_ADMINISTRATOR` */
    removeEverywhere(ctx: Ctx, userId: string): Promise<void> {
      return administer(ctx, async (change) => {
        const groups = await change.tx.group.findMany({ where: withMember(userId), select: { id: true } });
        for (const { id: groupId } of groups) await this.remove(change, { groupId, userId });
      });
    },

    /** Makes a contact Admin, Buyer or Requester of a company. @throws as `add` */
    joinCompany(ctx: Ctx, legalEntityId: string, role: B2BRole, customerId: string): Promise<Group> {
      return administer(ctx, async (change) => {
        const group = await change.tx.group.findFirst({ where: { legalEntityId, role } });
        if (!group) throw notFound('Group');
        return this.add(change, { groupId: group.id, userId: customerId, userType: 'CUSTOMER' });
      });
    },
  };
}

/** See `createMemberships`. */
export type Memberships = ReturnType<typeof createMemberships>;
