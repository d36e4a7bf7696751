// Where a legal entity has its headquarter, warehouses and offices.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { inOrder } from '../../database/in-order.ts';
import { badInput, notFound } from '../../errors/domain-error.ts';
import type { Administer } from '../administration/administration.ts';
import { requireName } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';

/** A location as it is stored. */
export type Location = Awaited<ReturnType<TenantClient['location']['findFirstOrThrow']>>;

/** What a location is made from. */
export interface NewLocation {
  readonly legalEntityId: string;
  readonly name: string;
  readonly type: Location['type'];
  readonly city?: string | null | undefined;
  readonly countryCode?: string | null | undefined;
}

const COUNTRY = /^[A-Z]{2}$/;

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

    /** @throws BAD_USER_INPUT, NOT_FOUND for the legal entity */
    async create(ctx: Ctx, input: NewLocation): Promise<Location> {
      const name = requireName(input.name);
      const city = input.city == null ? null : requireName(input.city, 'input.city');
      const { legalEntityId, type, countryCode = null } = input;
      if (countryCode !== null && !COUNTRY.test(countryCode))
        throw badInput('input.countryCode', 'Two capital letters (ISO 3166).');
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        if ((await tx.legalEntity.count({ where: { id: legalEntityId } })) === 0) throw notFound('Legal entity');
        const location = await tx.location.create({ data: { tenantId, legalEntityId, name, type, city, countryCode } });
        await recordAudit(tx, change, {
          type: 'location.created',
          subject: { kind: 'location', id: location.id },
          legalEntityId,
          details: { after: { name, type, city, countryCode } },
        });
        return location;
      });
    },

    /** @throws NOT_FOUND */
    delete: (ctx: Ctx, id: string): Promise<void> =>
      administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const found = await tx.location.findUnique({ where: { tenantId_id: { tenantId, id } } });
        if (!found) throw notFound('Location');
        await tx.location.delete({ where: { tenantId_id: { tenantId, id } } });
        const { legalEntityId, name, type, city, countryCode } = found;
        await recordAudit(tx, change, {
          type: 'location.deleted',
          subject: { kind: 'location', id },
          legalEntityId,
          details: { before: { name, type, city, countryCode } },
        });
      }),
  };
}

/** See `createLocations`. */
export type Locations = ReturnType<typeof createLocations>;
