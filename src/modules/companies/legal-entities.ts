// Legal entities: companies and their subsidiaries. Creating one creates its four predefined customer groups.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { badInput, conflict } from '../../errors/domain-error.ts';
import { createCompanyGroups } from '../iam/company-groups.ts';

/** A legal entity as it is stored. */
export type LegalEntity = Awaited<ReturnType<TenantClient['legalEntity']['findFirstOrThrow']>>;

/** What a legal entity is made from. */
export interface NewLegalEntity {
  readonly id: string;
  readonly name: string;
  readonly parentId?: string | null;
}

const LEGAL_ENTITY_ID = /^[A-Za-z0-9_-]{1,66}$/;

/** May this be the id of a legal entity at all? */
export const isLegalEntityId = (id: string): boolean => LEGAL_ENTITY_ID.test(id);

/** Use cases of legal entities. */
export function createLegalEntities(deps: { database: Database }) {
  const { database } = deps;

  return {
    /** One legal entity; null when there is none. */
    find: (ctx: { tenantId: string }, id: string): Promise<LegalEntity | null> =>
      database.forTenant(ctx).legalEntity.findUnique({ where: { tenantId_id: { tenantId: ctx.tenantId, id } } }),

    /** Makes a company, or with a parent a subsidiary. @throws BAD_USER_INPUT, CONFLICT `LEGAL_ENTITY_EXISTS` */
    async create(ctx: Ctx, input: NewLegalEntity): Promise<LegalEntity> {
      if (!isLegalEntityId(input.id))
        throw badInput('input.id', 'An id has 1 to 66 letters, digits, hyphens or underscores.');
      return database.transaction(ctx, async (tx) => {
        const { id, name, parentId = null } = input;
        const [entity] = await tx.legalEntity.createManyAndReturn({
          data: [{ tenantId: ctx.tenantId, id, name, parentId, type: parentId === null ? 'COMPANY' : 'SUBSIDIARY' }],
          skipDuplicates: true,
        });
        if (!entity) throw conflict('LEGAL_ENTITY_EXISTS', 'There is a legal entity of that id.');
        await createCompanyGroups(tx, ctx.tenantId, entity);
        return entity;
      });
    },
  };
}

/** See `createLegalEntities`. */
export type LegalEntities = ReturnType<typeof createLegalEntities>;
