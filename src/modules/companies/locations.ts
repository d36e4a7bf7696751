// Where a legal entity has its headquarter, warehouses and offices. One may be there before it is given to its company.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { inOrder } from '../../database/in-order.ts';
import { keyset, type List } from '../../database/keyset.ts';
import { badInput, conflict, notFound } from '../../errors/domain-error.ts';
import type { Administer } from '../administration/administration.ts';
import { requireName, requireSeen } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import { chosenId } from './chosen-id.ts';
import { type Details, requireDetails } from './details.ts';

/** A location as it is stored. */
export type Location = Awaited<ReturnType<TenantClient['location']['findFirstOrThrow']>>;

/** What a location is made from. */
export interface NewLocation {
  readonly id?: string | null | undefined;
  /** Absent: nobody's yet. */
  readonly legalEntityId?: string | null | undefined;
  readonly name: string;
  readonly type: Location['type'];
  readonly city?: string | null | undefined;
  readonly countryCode?: string | null | undefined;
  readonly details?: Details;
}

const COUNTRY = /^[A-Z]{2}$/;

/** The columns of a location. @throws BAD_USER_INPUT */
function columnsOf(input: NewLocation) {
  const { type, countryCode = null } = input;
  if (countryCode !== null && !COUNTRY.test(countryCode))
    throw badInput('input.countryCode', 'Two capital letters (ISO 3166).');
  return {
    name: requireName(input.name),
    type,
    city: input.city == null ? null : requireName(input.city, 'input.city'),
    countryCode,
    details: requireDetails(input.details ?? {}),
  };
}

/** What the trail tells of one. */
const told = ({ name, type, city, countryCode }: Pick<Location, 'name' | 'type' | 'city' | 'countryCode'>) => ({
  name,
  type,
  city,
  countryCode,
});

/** Use cases of locations. */
export function createLocations(deps: { administer: Administer; database: Database }) {
  const { administer, database } = deps;

  return {
    /** The locations of each legal entity, by name. */
    async ofCompanies(ctx: Ctx, companies: readonly string[]): Promise<Location[][]> {
      const found = await database.forTenant(ctx).location.findMany({
        where: { legalEntityId: { in: [...companies] } },
        orderBy: [{ name: 'asc' }, { id: 'asc' }],
      });
      return inOrder(companies, found, ({ legalEntityId }) => legalEntityId ?? '');
    },

    /** All locations, by name. `where`: Prisma's conditions, which have to hold. */
    list(ctx: Ctx, where: object = {}): List<Location> {
      const { location } = database.forTenant(ctx);
      return {
        page(window) {
          const { where: within, ...page } = keyset(window, ['name', 'id']);
          return location.findMany({ where: { AND: [where, within] }, ...page });
        },
        count: () => location.count({ where: { AND: [where] } }),
      };
    },

    /** @throws NOT_FOUND */
    async get(ctx: Ctx, id: string): Promise<Location> {
      const found = await database.forTenant(ctx).location.findFirst({ where: { id } });
      if (!found) throw notFound('Location');
      return found;
    },

    /** @throws BAD_USER_INPUT, NOT_FOUND for the legal entity, CONFLICT `LOCATION_EXISTS` */
    async create(ctx: Ctx, input: NewLocation): Promise<Location> {
      const columns = columnsOf(input);
      const { legalEntityId = null } = input;
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        if (legalEntityId !== null && (await tx.legalEntity.count({ where: { id: legalEntityId } })) === 0)
          throw notFound('Legal entity');
        const [location] = await tx.location.createManyAndReturn({
          data: [{ tenantId, ...chosenId(input.id), legalEntityId, ...columns }],
          skipDuplicates: true,
        });
        if (!location) throw conflict('LOCATION_EXISTS', 'There is a location of that id.');
        await recordAudit(tx, change, {
          type: 'location.created',
          subject: { kind: 'location', id: location.id },
          legalEntityId,
          details: { after: told(location) },
        });
        return location;
      });
    },

    /** Changes the location of that id, or makes it: nobody's. @returns is it new? @throws as `create`, BAD_USER_INPUT
     * without a version, CONFLICT `STALE_VERSION` */
    async put(ctx: Ctx, id: string, input: NewLocation & { readonly version?: number | null | undefined }) {
      const columns = columnsOf(input);
      return administer(ctx, async (change): Promise<boolean> => {
        const { tx, tenantId } = change;
        const found = await tx.location.findFirst({ where: { id } });
        if (!found) {
          await this.create(change, { ...input, id });
          return true;
        }
        requireSeen(found, input.version);
        const location = await tx.location.update({
          where: { tenantId_id: { tenantId, id } },
          data: { ...columns, version: { increment: 1 } },
        });
        await recordAudit(tx, change, {
          type: 'location.updated',
          subject: { kind: 'location', id },
          legalEntityId: found.legalEntityId,
          details: { before: told(found), after: told(location) },
        });
        return false;
      });
    },

    /** @throws NOT_FOUND */
    delete: (ctx: Ctx, id: string): Promise<void> =>
      administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const found = await tx.location.findUnique({ where: { tenantId_id: { tenantId, id } } });
        if (!found) throw notFound('Location');
        await tx.location.delete({ where: { tenantId_id: { tenantId, id } } });
        await recordAudit(tx, change, {
          type: 'location.deleted',
          subject: { kind: 'location', id },
          legalEntityId: found.legalEntityId,
          details: { before: told(found) },
        });
      }),
  };
}

/** See `createLocations`. */
export type Locations = ReturnType<typeof createLocations>;
