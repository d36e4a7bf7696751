// Companies in one piece, as consoles of the platform read and write them: each with its groups and its locations.
// Invariant: groups and locations that a profile does not speak of stay; a group is never taken away by leaving it out.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { inOrder } from '../../database/in-order.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { requireEvery, requireFew, requireSeen } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import { ancestorsOf } from './hierarchy.ts';
import { type LegalEntities, type LegalEntity, type NewLegalEntity, typeOf } from './legal-entities.ts';
import type { Location, Locations } from './locations.ts';

/** What a company is to be like. */
export interface CompanyProfile extends Omit<NewLegalEntity, 'enabled'> {
  /** Its locations: these and no others. Absent: those that it has. */
  readonly locationIds?: readonly string[] | undefined;
  /** Groups that it has; others cannot be given to it. */
  readonly groupIds?: readonly string[] | undefined;
}

type Group = Awaited<ReturnType<TenantClient['group']['findFirstOrThrow']>>;

/** A company in one piece. */
export interface WholeCompany {
  readonly entity: LegalEntity;
  /** Null also where the caller may not see it. */
  readonly parentId: string | null;
  readonly groups: readonly Group[];
  readonly locations: readonly Location[];
}

/** Use cases of whole companies. */
export function createCompanyProfiles(deps: {
  administer: Administer;
  database: Database;
  legalEntities: LegalEntities;
  locations: Locations;
}) {
  const { administer, database, legalEntities, locations } = deps;

  async function requireGroups({ tx }: Change, legalEntityId: string, { groupIds }: CompanyProfile): Promise<void> {
    if (!groupIds?.length) return;
    const ids = requireFew(groupIds, 'input.customerGroups');
    const found = await tx.group.findMany({ where: { id: { in: ids }, legalEntityId }, select: { id: true } });
    const own = new Set(found.map(({ id }) => id));
    requireEvery(groupIds, 'input.customerGroups', 'group of this legal entity', (id) => own.has(id));
  }

  /** A location belongs to one company at most: what another has is not taken from it. */
  async function settleLocations(change: Change, legalEntityId: string, { locationIds }: CompanyProfile) {
    if (!locationIds) return;
    const { tx } = change;
    const ids = requireFew(locationIds, 'input.entitiesAddresses');
    const within = { OR: [{ legalEntityId }, { legalEntityId: null }] };
    const found = await tx.location.findMany({ where: { id: { in: ids }, ...within }, select: { id: true } });
    const free = new Set(found.map(({ id }) => id));
    const what = 'location without another legal entity';
    requireEvery(locationIds, 'input.entitiesAddresses', what, (id) => free.has(id));
    const taken = await tx.location.updateManyAndReturn({
      where: { legalEntityId, id: { notIn: ids } },
      data: { legalEntityId: null, version: { increment: 1 } },
    });
    const given = await tx.location.updateManyAndReturn({
      where: { legalEntityId: null, id: { in: ids } },
      data: { legalEntityId, version: { increment: 1 } },
    });
    if (taken.length + given.length === 0) return;
    await recordAudit(tx, change, {
      type: 'legal_entity.updated',
      subject: { kind: 'legal_entity', id: legalEntityId },
      legalEntityId,
      details: { locations: { given: given.map(({ id }) => id), taken: taken.map(({ id }) => id) } },
    });
  }

  async function settle(change: Change, legalEntityId: string, profile: CompanyProfile): Promise<void> {
    await requireGroups(change, legalEntityId, profile);
    await settleLocations(change, legalEntityId, profile);
  }

  return {
    /** Each with what belongs to it; a fixed number of queries, however many they are. */
    async whole(ctx: Ctx, entities: readonly LegalEntity[]): Promise<WholeCompany[]> {
      const ids = entities.map(({ id }) => id);
      const parentIds = entities.flatMap(({ parentId }) => parentId ?? []);
      const [groups, places, parents] = await Promise.all([
        database.forTenant(ctx).group.findMany({
          where: { legalEntityId: { in: ids } },
          orderBy: [{ name: 'asc' }, { id: 'asc' }],
        }),
        locations.ofCompanies(ctx, ids),
        legalEntities.inReach(ctx, parentIds),
      ]);
      const seen = new Set(parents.map((parent) => parent?.id));
      const grouped = inOrder(ids, groups, ({ legalEntityId }) => legalEntityId ?? '');
      return entities.map((entity, index) => ({
        entity,
        parentId: seen.has(entity.parentId ?? '') ? entity.parentId : null,
        groups: grouped[index]!,
        locations: places[index]!,
      }));
    },

    /** A company and those above it, up to the top; empty when there is none of that id. */
    async lineage(ctx: Ctx, id: string): Promise<LegalEntity[]> {
      const db = database.forTenant(ctx);
      const above = (await ancestorsOf(db, ctx.tenantId, [id])).get(id)!;
      const found = await db.legalEntity.findMany({ where: { id: { in: [id, ...above] } } });
      const entities = new Map(found.map((entity) => [entity.id, entity]));
      const line: LegalEntity[] = [];
      for (let next = entities.get(id); next; next = entities.get(next.parentId ?? '')) {
        line.push(next);
        entities.delete(next.id);
      }
      return line;
    },

    /** Makes a company, or a subsidiary. @throws as `LegalEntities.create`, BAD_USER_INPUT for groups, for none is its own yet */
    create: (ctx: Ctx, profile: CompanyProfile): Promise<LegalEntity> =>
      administer(ctx, async (change) => {
        const entity = await legalEntities.create(change, profile);
        await settle(change, entity.id, profile);
        return entity;
      }),

    /** Makes the company of that id what the profile says, or makes it. @returns is it new? @throws as `create` and
     * `LegalEntities.update`, BAD_USER_INPUT also without a version */
    put(ctx: Ctx, id: string, profile: CompanyProfile & { readonly version?: number | null | undefined }) {
      return administer(ctx, async (change): Promise<boolean> => {
        const found = await change.tx.legalEntity.findFirst({ where: { id } });
        if (!found) {
          await this.create(change, { ...profile, id });
          return true;
        }
        requireSeen(found, profile.version);
        const { name, type, parentId = null, accountLimit = null, details = {} } = profile;
        typeOf(type, parentId);
        await legalEntities.update(change, id, { name, parentId, accountLimit, details });
        await settle(change, id, profile);
        return false;
      });
    },
  };
}

/** See `createCompanyProfiles`. */
export type CompanyProfiles = ReturnType<typeof createCompanyProfiles>;
