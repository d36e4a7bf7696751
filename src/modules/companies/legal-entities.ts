// Legal entities: companies and their subsidiaries. Creating one creates its four predefined customer groups.
// Invariants: the tree has no cycles; who disables or deletes a company ends every token for it.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { inOrder } from '../../database/in-order.ts';
import { keyset, type List, matching } from '../../database/keyset.ts';
import { badInput, conflict, notFound } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { requireCurrent, requireName } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import { createCompanyGroups } from '../iam/company-groups.ts';
import { callers } from '../principals/callers.ts';
import { membershipKey } from '../revocations/revocation-key.ts';
import { chosenId } from './chosen-id.ts';
import { type Details, requireDetails } from './details.ts';
import { ancestorsOf, descendantsOf } from './hierarchy.ts';
import type { InheritedContacts } from './inherited-contacts.ts';
import { type Money, requireMoney } from './money.ts';

/** A legal entity as it is stored. */
export type LegalEntity = Awaited<ReturnType<TenantClient['legalEntity']['findFirstOrThrow']>>;

type LegalEntityType = LegalEntity['type'];

/** What a legal entity is made from. */
export interface NewLegalEntity {
  /** Chosen by the service unless said. */
  readonly id?: string | null | undefined;
  readonly name: string;
  readonly type?: LegalEntityType | null | undefined;
  readonly parentId?: string | null | undefined;
  readonly accountLimit?: Money | null | undefined;
  readonly enabled?: boolean;
  readonly details?: Details;
}

/** What can be changed of one; absent: stays. Null takes the parent or the limit away. */
export interface LegalEntityChange {
  readonly name?: string | null | undefined;
  readonly parentId?: string | null | undefined;
  readonly enabled?: boolean | null | undefined;
  readonly accountLimit?: Money | null | undefined;
  readonly details?: Details;
  readonly version?: number | null | undefined;
}

/** Which legal entities to list. */
export interface LegalEntityFilter {
  readonly search?: string | null | undefined;
  readonly type?: LegalEntityType | null | undefined;
  readonly enabled?: boolean | null | undefined;
  /** Prisma's conditions, which all have to hold. */
  readonly where?: object;
}

/** COMPANY or SUBSIDIARY, as the parent says. @throws BAD_USER_INPUT where the type says otherwise */
export function typeOf(type: LegalEntityType | null | undefined, parentId: string | null): LegalEntityType {
  const found = parentId === null ? 'COMPANY' : 'SUBSIDIARY';
  if (type != null && type !== found)
    throw badInput('input.parentId', 'A subsidiary has a parent, and a company has none.');
  return found;
}

/** With the `_own` scope: those that the caller is assigned to. */
function companiesInReach(ctx: Ctx) {
  if (callers.holds(ctx, 'customermanagement.legalentity_read')) return {};
  const customerId = ctx.principal?.kind === 'customer' ? ctx.principal.customerId : '';
  return { contactAssignments: { some: { customerId } } };
}

const limitOf = (limit: Money | null) => {
  const { currency = null, value = null } = limit ? requireMoney(limit, 'input.accountLimit') : {};
  return { accountLimitCurrency: currency, accountLimitValue: value };
};

/** What the trail tells of one. */
const told = ({ name, type, parentId, enabled, accountLimitCurrency, accountLimitValue }: LegalEntity) => ({
  name,
  type,
  parentId,
  enabled,
  accountLimit: accountLimitValue === null ? null : `${accountLimitValue} ${accountLimitCurrency}`,
});

/** Use cases of legal entities. */
export function createLegalEntities(deps: {
  administer: Administer;
  database: Database;
  inheritedContacts: InheritedContacts;
}) {
  const { administer, database, inheritedContacts } = deps;
  const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

  async function requireParent({ tx }: Change, parentId: string): Promise<void> {
    if ((await tx.legalEntity.count({ where: { id: parentId } })) === 0)
      throw badInput('input.parentId', 'Not a legal entity of this tenant.');
  }

  const above = async ({ tx, tenantId }: Change, id: string) => (await ancestorsOf(tx, tenantId, [id])).get(id)!;

  /**
   * Contacts who inherited across the old place do so across the new one, or no longer. Nobody is let in but between
   * the company with what is below it, and what is above it only now.
   * @param before what was above it
   */
  async function movedContacts(change: Change, id: string, before: readonly string[]) {
    const { tx, tenantId } = change;
    const inside = new Set([id, ...(await descendantsOf(tx, tenantId, [id])).get(id)!]);
    const gained = new Set((await above(change, id)).filter((company) => !before.includes(company)));
    const crossing = await tx.contactAssignment.findMany({
      where: {
        OR: [
          { legalEntityId: { in: [...inside] }, cause: { legalEntityId: { notIn: [...inside] } } },
          { legalEntityId: { notIn: [...inside] }, cause: { legalEntityId: { in: [...inside] } } },
        ],
      },
    });
    const ended = await inheritedContacts.settle(change, crossing);
    const causes = await tx.contactAssignment.findMany({
      where: { legalEntityId: { in: [...inside, ...gained] }, causeId: null },
    });
    const isNew = (from: string, to: string) =>
      (inside.has(from) && gained.has(to)) || (gained.has(from) && inside.has(to));
    const made = await inheritedContacts.spread(change, causes, isNew);
    return { contactsByInheritance: { ended: ended.length, made: made.length } };
  }

  return {
    /** The legal entities in the caller's reach, by name. `search`: with this text in name or id. */
    list(ctx: Ctx, { search, type, enabled, where: also = {} }: LegalEntityFilter = {}): List<LegalEntity> {
      const { legalEntity } = database.forTenant(ctx);
      const reach = [
        companiesInReach(ctx),
        type ? { type } : {},
        enabled == null ? {} : { enabled },
        search ? { OR: matching(search, ['name', 'id'] as const) } : {},
        also,
      ];
      return {
        page(window) {
          const { where, ...page } = keyset(window, ['name', 'id']);
          return legalEntity.findMany({ where: { AND: [...reach, where] }, ...page });
        },
        count: () => legalEntity.count({ where: { AND: reach } }),
      };
    },

    /** One legal entity, whoever asks; null when there is none. */
    find: (ctx: { tenantId: string }, id: string): Promise<LegalEntity | null> =>
      database.forTenant(ctx).legalEntity.findUnique({ where: byId(ctx, id) }),

    /** Many, in the order of their ids: with the `_own` scope only those that the caller is assigned to; null for others. */
    async inReach(ctx: Ctx, ids: readonly string[]): Promise<(LegalEntity | null)[]> {
      const where = { AND: [{ id: { in: [...new Set(ids)] } }, companiesInReach(ctx)] };
      const found = await database.forTenant(ctx).legalEntity.findMany({ where });
      const entities = new Map(found.map((entity) => [entity.id, entity]));
      return ids.map((id) => entities.get(id) ?? null);
    },

    /** The subsidiaries of each that are in the caller's reach, by name. */
    async subsidiariesOf(ctx: Ctx, ids: readonly string[]): Promise<LegalEntity[][]> {
      const found = await database.forTenant(ctx).legalEntity.findMany({
        where: { AND: [{ parentId: { in: [...ids] } }, companiesInReach(ctx)] },
        orderBy: [{ name: 'asc' }, { id: 'asc' }],
      });
      return inOrder(ids, found, ({ parentId }) => parentId ?? '');
    },

    /** The companies of each customer that are in the caller's reach, by name. */
    async ofCustomers(ctx: Ctx, customerIds: readonly string[]): Promise<LegalEntity[][]> {
      const found = await database.forTenant(ctx).contactAssignment.findMany({
        where: { customerId: { in: [...customerIds] }, legalEntity: companiesInReach(ctx) },
        include: { legalEntity: true },
        orderBy: [{ legalEntity: { name: 'asc' } }, { legalEntityId: 'asc' }],
      });
      return inOrder(customerIds, found, ({ customerId }) => customerId).map((own) =>
        own.map(({ legalEntity }) => legalEntity),
      );
    },

    /** Makes a company, or with a parent a subsidiary, and its four groups.
     * @throws BAD_USER_INPUT, CONFLICT `LEGAL_ENTITY_EXISTS` */
    async create(ctx: Ctx, input: NewLegalEntity): Promise<LegalEntity> {
      const name = requireName(input.name);
      const { parentId = null, enabled = true } = input;
      const id = chosenId(input.id);
      const type = typeOf(input.type, parentId);
      const limit = limitOf(input.accountLimit ?? null);
      const details = requireDetails(input.details ?? {});
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        if (parentId !== null) await requireParent(change, parentId);
        const [entity] = await tx.legalEntity.createManyAndReturn({
          data: [{ tenantId, ...id, name, parentId, type, enabled, ...limit, details }],
          skipDuplicates: true,
        });
        if (!entity) throw conflict('LEGAL_ENTITY_EXISTS', 'There is a legal entity of that id.');
        await createCompanyGroups(tx, tenantId, entity);
        const moved = parentId === null ? {} : await movedContacts(change, entity.id, []);
        await recordAudit(tx, change, {
          type: 'legal_entity.created',
          subject: { kind: 'legal_entity', id: entity.id },
          legalEntityId: entity.id,
          details: { after: told(entity), ...moved },
        });
        return entity;
      });
    },

    /** Changes one. Disabling it ends every token for it; moving it, those that came by inheritance across its old place.
     * @throws NOT_FOUND, BAD_USER_INPUT also for a parent that is below it, CONFLICT `STALE_VERSION` */
    async update(ctx: Ctx, id: string, input: LegalEntityChange): Promise<LegalEntity> {
      const name = input.name == null ? undefined : requireName(input.name);
      const limit = input.accountLimit === undefined ? {} : limitOf(input.accountLimit);
      const details = input.details && requireDetails(input.details);
      const { parentId, enabled, version } = input;
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const found = await tx.legalEntity.findUnique({ where: byId(ctx, id) });
        if (!found) throw notFound('Legal entity');
        requireCurrent(found, version);
        const moves = parentId !== undefined && parentId !== found.parentId;
        if (moves && parentId !== null) {
          await requireParent(change, parentId);
          const below = (await descendantsOf(tx, tenantId, [id])).get(id)!;
          if (parentId === id || below.includes(parentId))
            throw badInput('input.parentId', 'A legal entity cannot be below itself.');
        }
        const before = moves ? await above(change, id) : [];
        const entity = await tx.legalEntity.update({
          where: byId(ctx, id),
          data: {
            ...(name === undefined ? {} : { name }),
            ...(enabled == null ? {} : { enabled }),
            ...(moves ? { parentId, type: typeOf(null, parentId) } : {}),
            ...limit,
            ...(details === undefined ? {} : { details }),
            version: { increment: 1 },
          },
        });
        const moved = moves ? await movedContacts(change, id, before) : {};
        if (found.enabled && !entity.enabled) change.revoke('legal_entity.disabled', [membershipKey(id)]);
        await recordAudit(tx, change, {
          type: 'legal_entity.updated',
          subject: { kind: 'legal_entity', id },
          legalEntityId: id,
          details: { before: told(found), after: told(entity), ...moved, ...(details && { changed: ['details'] }) },
        });
        return entity;
      });
    },

    /** Deletes one with its groups, memberships, contacts and locations; the trail says how many. Every token for it is
     * refused from then on. @throws NOT_FOUND, CONFLICT `HAS_SUBSIDIARIES` */
    async delete(ctx: Ctx, id: string): Promise<void> {
      await administer(ctx, async (change) => {
        const { tx } = change;
        const found = await tx.legalEntity.findUnique({ where: byId(ctx, id) });
        if (!found) throw notFound('Legal entity');
        if ((await tx.legalEntity.count({ where: { parentId: id } })) > 0)
          throw conflict('HAS_SUBSIDIARIES', 'Delete its subsidiaries first, or give them another parent.');
        const removed = {
          contacts: await tx.contactAssignment.count({ where: { legalEntityId: id } }),
          groups: await tx.group.count({ where: { legalEntityId: id } }),
          locations: await tx.location.count({ where: { legalEntityId: id } }),
        };
        const causes = await tx.contactAssignment.findMany({ where: { legalEntityId: id, causeId: null } });
        const lost = new Set(causes.map((cause) => cause.id));
        const elsewhere = await tx.contactAssignment.findMany({ where: { causeId: { in: [...lost] } } });
        const ended = await inheritedContacts.settle(change, elsewhere, lost);
        await tx.legalEntity.delete({ where: byId(ctx, id) });
        change.revoke('legal_entity.deleted', [membershipKey(id)]);
        await recordAudit(tx, change, {
          type: 'legal_entity.deleted',
          subject: { kind: 'legal_entity', id },
          legalEntityId: id,
          details: { before: told(found), removed: { ...removed, contactsElsewhere: ended.length } },
        });
      });
    },
  };
}

/** See `createLegalEntities`. */
export type LegalEntities = ReturnType<typeof createLegalEntities>;
