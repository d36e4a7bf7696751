// Legal entities: companies and their subsidiaries. Creating one creates its four predefined customer groups.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { badInput, conflict } from '../../errors/domain-error.ts';
import type { Administer } from '../administration/administration.ts';
import { recordAudit } from '../audit/audit.ts';
import { createCompanyGroups } from '../iam/company-groups.ts';
import { callers } from '../principals/callers.ts';

/** A legal entity as it is stored. */
export type LegalEntity = Awaited<ReturnType<TenantClient['legalEntity']['findFirstOrThrow']>>;

/** What a legal entity is made from. */
export interface NewLegalEntity {
  readonly id: string;
  readonly name: string;
  readonly parentId?: string | null;
  /** Absent: yes. */
  readonly enabled?: boolean;
}

const LEGAL_ENTITY_ID = /^[A-Za-z0-9_-]{1,66}$/;

/** May this be the id of a legal entity at all? */
export const isLegalEntityId = (id: string): boolean => LEGAL_ENTITY_ID.test(id);

/** Use cases of legal entities. */
export function createLegalEntities(deps: { administer: Administer; database: Database }) {
  const { administer, database } = deps;

  return {
    /** One legal entity; null when there is none. */
    find: (ctx: { tenantId: string }, id: string): Promise<LegalEntity | null> =>
      database.forTenant(ctx).legalEntity.findUnique({ where: { tenantId_id: { tenantId: ctx.tenantId, id } } }),

    /** Many, in the order of their ids: with the `_own` scope only those that the caller is assigned to; null for others. */
    async inReach(ctx: Ctx, ids: readonly string[]): Promise<(LegalEntity | null)[]> {
      const { principal } = ctx;
      const customerId = principal?.kind === 'customer' ? principal.customerId : '';
      const reach = callers.holds(ctx, 'customermanagement.legalentity_read')
        ? {}
        : { contactAssignments: { some: { customerId } } };
      const where = { AND: [{ id: { in: [...new Set(ids)] } }, reach] };
      const found = await database.forTenant(ctx).legalEntity.findMany({ where });
      return ids.map((id) => found.find((entity) => entity.id === id) ?? null);
    },

    /** Makes a company, or with a parent a subsidiary. @throws BAD_USER_INPUT, CONFLICT `LEGAL_ENTITY_EXISTS` */
    async create(ctx: Ctx, input: NewLegalEntity): Promise<LegalEntity> {
      if (!isLegalEntityId(input.id))
        throw badInput('input.id', 'An id has 1 to 66 letters, digits, hyphens or underscores.');
      return administer(ctx, async (change) => {
        const { tx } = change;
        const { id, name, parentId = null, enabled = true } = input;
        const [entity] = await tx.legalEntity.createManyAndReturn({
          data: [
            { tenantId: ctx.tenantId, id, name, parentId, enabled, type: parentId === null ? 'COMPANY' : 'SUBSIDIARY' },
          ],
          skipDuplicates: true,
        });
        if (!entity) throw conflict('LEGAL_ENTITY_EXISTS', 'There is a legal entity of that id.');
        await createCompanyGroups(tx, ctx.tenantId, entity);
        await recordAudit(tx, change, {
          type: 'legal_entity.created',
          subject: { kind: 'legal_entity', id },
          legalEntityId: id,
          details: { after: { name, parentId, enabled } },
        });
        return entity;
      });
    },
  };
}

/** See `createLegalEntities`. */
export type LegalEntities = ReturnType<typeof createLegalEntities>;
