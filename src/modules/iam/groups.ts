// Groups of employees or customers, and what they give. product.md section 4.
// Invariant: `_own` reaches customer groups of the caller's company and nothing else; what is out of reach is not there.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { keyset, type List, matching } from '../../database/keyset.ts';
import { badInput, conflict, forbidden, notFound } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import {
  requireCurrent,
  requireEditable,
  requireEvery,
  requireFew,
  requireName,
  requireNewId,
} from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import { callers } from '../principals/callers.ts';
import { groupKey } from '../revocations/revocation-key.ts';
import { requireHeld } from '../scopes/delegation.ts';
import type { BuiltInScope } from '../scopes/registry.ts';
import type { AccessControl, AccessControls, GroupsOfType } from './access-controls.ts';
import type { Consequences } from './consequences.ts';
import type { EntitlementsOf } from './entitlements.ts';

/** A group as it is stored. */
export type Group = Awaited<ReturnType<TenantClient['group']['findFirstOrThrow']>>;

/** Which groups to list. */
export interface GroupFilter {
  readonly userType?: 'EMPLOYEE' | 'CUSTOMER' | null | undefined;
  readonly legalEntityId?: string | null | undefined;
  readonly search?: string | null | undefined;
  /** Only those that this employee or customer is in. */
  readonly memberId?: string;
  /** Further conditions, which narrow only. */
  readonly where?: { readonly AND: object[] };
}

/** What a group gives. */
interface Contents {
  readonly accessControlIds?: readonly string[] | null | undefined;
  readonly templateIds?: readonly string[] | null | undefined;
}

/** What a group is made from. */
export interface NewGroup extends Contents {
  readonly id?: string | null | undefined;
  readonly name: string;
  readonly userType: 'EMPLOYEE' | 'CUSTOMER';
  readonly legalEntityId?: string | null | undefined;
}

/** What can be changed of one. */
export interface GroupChange extends Contents {
  readonly name?: string | null | undefined;
  readonly version?: number | null | undefined;
}

/** Puts a group where it is wanted. Absent: for employees when it is made, as it is when it is there. */
export type WantedGroup = Omit<NewGroup, 'id' | 'userType'> &
  GroupChange & { readonly userType?: 'EMPLOYEE' | 'CUSTOMER' | null | undefined };

/** Groups that an employee or a customer is in. */
export const withMember = (userId: string) => ({
  OR: [{ employees: { some: { employeeId: userId } } }, { customers: { some: { customerId: userId } } }],
});

/** The groups in the caller's reach: all of them with the wide scope, else the customer groups of the own company. */
export function groupsInReach(ctx: Ctx, wide: BuiltInScope) {
  if (callers.holds(ctx, wide)) return {};
  const company = callers.company(ctx);
  return company === null ? { id: { in: [] } } : { userType: 'CUSTOMER' as const, legalEntityId: company };
}

const STAYS = 'It stays what the group was made with.';

/** Use cases of groups. */
export function createGroups(deps: {
  accessControls: AccessControls;
  administer: Administer;
  consequences: Consequences;
  database: Database;
  entitlements: EntitlementsOf;
}) {
  const { accessControls, administer, consequences, database, entitlements } = deps;
  const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

  /** Puts in place what a group gives. @throws BAD_USER_INPUT for what is not there, or for users of another type */
  async function fill(change: Change, { id: groupId, userType }: Group, { accessControlIds, templateIds }: Contents) {
    const { tx, tenantId } = change;
    if (accessControlIds != null) {
      const controls = await accessControls.requireAll(change, accessControlIds, 'input.accessControlIds');
      const isMisfit = ({ restrictedTo }: AccessControl) => restrictedTo !== null && restrictedTo !== userType;
      const misfits = controls.filter(isMisfit).map(({ id }) => id);
      // By its place, as what is not there: who manages groups need not be let read the names of access controls.
      const place = accessControlIds.findIndex((id) => misfits.includes(id));
      if (place !== -1) throw badInput(`input.accessControlIds.${place}`, 'Not for a group of this user type.');
      await tx.groupAccessControl.deleteMany({ where: { groupId } });
      await tx.groupAccessControl.createMany({
        data: controls.map(({ id }) => ({ tenantId, groupId, accessControlId: id })),
      });
    }
    if (templateIds != null) {
      const ids = requireFew(templateIds, 'input.templateIds');
      const templates = await tx.accessControlTemplate.findMany({ where: { id: { in: ids } }, select: { id: true } });
      requireEvery(templateIds, 'input.templateIds', 'template', (id) => templates.some((each) => each.id === id));
      await tx.groupTemplate.deleteMany({ where: { groupId } });
      await tx.groupTemplate.createMany({ data: ids.map((templateId) => ({ tenantId, groupId, templateId })) });
    }
  }

  /** What the trail tells of a group. */
  async function told({ tx }: Change, { id: groupId, name, userType, legalEntityId }: Group) {
    const controls = await tx.groupAccessControl.findMany({ where: { groupId } });
    const templates = await tx.groupTemplate.findMany({ where: { groupId } });
    return {
      name,
      userType,
      legalEntityId,
      accessControlIds: controls.map(({ accessControlId }) => accessControlId).sort(),
      templateIds: templates.map(({ templateId }) => templateId).sort(),
    };
  }

  async function scopesGiven(change: Change, groupId: string): Promise<string[]> {
    const [given] = await entitlements.ofGroups(change.tx, change, [groupId]);
    return given!;
  }

  return {
    /** The groups in the caller's reach, by name. */
    list(ctx: Ctx, { userType, legalEntityId, search, memberId, where: narrowed }: GroupFilter = {}): List<Group> {
      const { group } = database.forTenant(ctx);
      const reach = [
        groupsInReach(ctx, 'iam.group_read'),
        userType ? { userType } : {},
        legalEntityId ? { legalEntityId } : {},
        search ? { OR: matching(search, ['name'] as const) } : {},
        memberId === undefined ? {} : withMember(memberId),
        narrowed ?? {},
      ];
      return {
        page(window) {
          const { where, ...page } = keyset(window, ['name', 'id']);
          return group.findMany({ where: { AND: [...reach, where] }, ...page });
        },
        count: () => group.count({ where: { AND: reach } }),
      };
    },

    /** One group in the caller's reach; null when there is none of that id, or `memberId` is not in it. */
    find(ctx: Ctx, id: string, memberId?: string): Promise<Group | null> {
      const member = memberId === undefined ? {} : withMember(memberId);
      const where = { AND: [{ id }, groupsInReach(ctx, 'iam.group_read'), member] };
      return database.forTenant(ctx).group.findFirst({ where });
    },

    /** One group as something that gives access controls. @throws NOT_FOUND */
    async giving(ctx: Ctx, id: string): Promise<GroupsOfType> {
      const group = await database.forTenant(ctx).group.findUnique({ where: byId(ctx, id) });
      if (!group) throw notFound('Group');
      return { userType: group.userType, groupIds: [id] };
    },

    scopesGiven,

    /** Makes a group without members. @throws BAD_USER_INPUT, CONFLICT `ID_TAKEN`, FORBIDDEN for scopes that the caller
     * lacks */
    create(ctx: Ctx, input: NewGroup): Promise<Group> {
      const name = requireName(input.name);
      const { id, userType, legalEntityId = null } = input;
      if (legalEntityId !== null && userType !== 'CUSTOMER')
        throw badInput('input.legalEntityId', 'Only customers have groups in a company.');
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        if (id != null) await requireNewId(id, async () => (await tx.group.count({ where: { id } })) > 0);
        if (legalEntityId !== null && (await tx.legalEntity.count({ where: { id: legalEntityId } })) === 0)
          throw badInput('input.legalEntityId', 'Not a legal entity of this tenant.');
        const group = await tx.group.create({
          data: { tenantId, ...(id ? { id } : {}), name, userType, legalEntityId },
        });
        await fill(change, group, input);
        requireHeld(change, await scopesGiven(change, group.id));
        await recordAudit(tx, change, {
          type: 'group.created',
          subject: { kind: 'group', id: group.id },
          legalEntityId,
          details: { after: await told(change, group) },
        });
        return group;
      });
    },

    /**
     * Changes a group. A new name needs all that the group gives, since a provider's claims may name it.
     * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `PREDEFINED`, `STALE_VERSION` or `LAST_ADMINISTRATOR`, FORBIDDEN for
     * scopes that the caller lacks
     */
    update(ctx: Ctx, id: string, input: GroupChange): Promise<Group> {
      const name = input.name == null ? undefined : requireName(input.name);
      return administer(ctx, async (change) => {
        const { tx } = change;
        const found = await tx.group.findUnique({ where: byId(ctx, id) });
        if (!found) throw notFound('Group');
        requireEditable(found);
        requireCurrent(found, input.version);
        const before = await told(change, found);
        const group = await consequences.changingGroups(change, [id], 'group.updated', async () => {
          await fill(change, found, input);
          return tx.group.update({
            where: byId(ctx, id),
            data: { ...(name ? { name } : {}), version: { increment: 1 } },
          });
        });
        if (name !== undefined && name !== found.name) requireHeld(change, await scopesGiven(change, id));
        await recordAudit(tx, change, {
          type: 'group.updated',
          subject: { kind: 'group', id },
          legalEntityId: group.legalEntityId,
          details: { before, after: await told(change, group) },
        });
        return group;
      });
    },

    /** Makes the group of that id, or changes it; whose it is stays. @returns is it new?
     * @throws as `create` and `update` */
    put(ctx: Ctx, id: string, { userType, legalEntityId, ...input }: WantedGroup): Promise<boolean> {
      return administer(ctx, async (change) => {
        const found = await change.tx.group.findUnique({ where: byId(ctx, id) });
        if (!found) {
          await this.create(change, { ...input, id, userType: userType ?? 'EMPLOYEE', legalEntityId });
          return true;
        }
        if (userType != null && userType !== found.userType) throw badInput('input.userType', STAYS);
        if (legalEntityId != null && legalEntityId !== found.legalEntityId)
          throw badInput('input.legalEntityId', STAYS);
        await this.update(change, id, input);
        return false;
      });
    },

    /**
     * Deletes a group; with members only by `force`, which needs `iam.assignment_manage` too.
     * @throws NOT_FOUND, CONFLICT `PREDEFINED`, `GROUP_HAS_MEMBERS` or `LAST_ADMINISTRATOR`, FORBIDDEN
     */
    delete(ctx: Ctx, id: string, force: boolean): Promise<void> {
      return administer(ctx, async (change) => {
        const { tx } = change;
        const found = await tx.group.findUnique({ where: byId(ctx, id) });
        if (!found) throw notFound('Group');
        requireEditable(found);
        const members =
          (await tx.employeeMembership.count({ where: { groupId: id } })) +
          (await tx.customerMembership.count({ where: { groupId: id } }));
        if (members > 0 && !force) throw conflict('GROUP_HAS_MEMBERS', 'The group has members: delete it by force.');
        if (members > 0 && !callers.holds(ctx, 'iam.assignment_manage'))
          throw forbidden([['iam.assignment_manage']], ['iam.assignment_manage']);
        const before = { ...(await told(change, found)), members };
        await consequences.keepingAdministrator(change, () => tx.group.delete({ where: byId(ctx, id) }));
        if (members > 0) change.revoke('group.deleted', [groupKey(id)]);
        await recordAudit(tx, change, {
          type: 'group.deleted',
          subject: { kind: 'group', id },
          legalEntityId: found.legalEntityId,
          details: { before },
        });
      });
    },
  };
}

/** See `createGroups`. */
export type Groups = ReturnType<typeof createGroups>;
