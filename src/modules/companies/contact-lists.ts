// Contact assignments, read: from the side of the customers, of the companies, and all of a tenant.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { Prisma } from '../../database/generated/client.ts';
import { inOrder } from '../../database/in-order.ts';
import { keyset, type List, type PageWindow } from '../../database/keyset.ts';
import { notFound } from '../../errors/domain-error.ts';
import type { Customer } from '../principals/customers.ts';
import type { ContactAssignment } from './inherited-contacts.ts';
import type { LegalEntity } from './legal-entities.ts';

/** An assignment with both its sides. */
export type ContactInFull = ContactAssignment & {
  readonly customer: Pick<Customer, 'customerNumber' | 'firstName' | 'lastName' | 'email'>;
  readonly legalEntity: LegalEntity;
};

const inFull = {
  customer: { select: { customerNumber: true, firstName: true, lastName: true, email: true } },
  legalEntity: true,
} as const;

/** Lists of contact assignments. */
export function createContactLists({ database }: { database: Database }) {
  return {
    /** A customer's assignments to the enabled companies, which are what the customer may act for, by name. */
    openTo: (
      ctx: { tenantId: string },
      customerId: string,
    ): Promise<(ContactAssignment & { legalEntity: LegalEntity })[]> =>
      database.forTenant(ctx).contactAssignment.findMany({
        where: { customerId, legalEntity: { enabled: true } },
        include: { legalEntity: true },
        orderBy: [{ legalEntity: { name: 'asc' } }, { legalEntityId: 'asc' }],
      }),

    /** The assignments of each customer, by company. */
    async ofCustomers(ctx: Ctx, customerIds: readonly string[]): Promise<ContactAssignment[][]> {
      const rows = await database.forTenant(ctx).contactAssignment.findMany({
        where: { customerId: { in: [...customerIds] } },
        orderBy: [{ customerId: 'asc' }, { legalEntityId: 'asc' }],
      });
      return inOrder(customerIds, rows, ({ customerId }) => customerId);
    },

    /** A page of the assignments to each company, by id, in the order of the companies. */
    async pages(ctx: Ctx, companies: readonly string[], { after, before, limit, inverted }: PageWindow) {
      const order = inverted ? Prisma.sql`DESC` : Prisma.sql`ASC`;
      const rows = await database.forTenant(ctx).$queryRaw<ContactAssignment[]>`
        SELECT page.tenant_id AS "tenantId", page.id, page.customer_id AS "customerId",
          page.legal_entity_id AS "legalEntityId", page.type::text, page."primary", page.cause_id AS "causeId",
          page.details, page.version, page.created_at AS "createdAt"
        FROM unnest(${companies}::text[]) WITH ORDINALITY AS wanted (id, place)
        CROSS JOIN LATERAL (
          SELECT * FROM contact_assignments ca
          WHERE ca.tenant_id = ${ctx.tenantId} AND ca.legal_entity_id = wanted.id
            ${after ? Prisma.sql`AND ca.id > ${after[0]}` : Prisma.empty}
            ${before ? Prisma.sql`AND ca.id < ${before[0]}` : Prisma.empty}
          ORDER BY ca.id ${order} LIMIT ${limit}
        ) page
        ORDER BY wanted.place, page.id ${order}`;
      return inOrder(companies, rows, ({ legalEntityId }) => legalEntityId);
    },

    /** How many are assigned to each company. */
    async counts(ctx: Ctx, companies: readonly string[]): Promise<number[]> {
      const rows = await database.forTenant(ctx).contactAssignment.groupBy({
        by: ['legalEntityId'],
        where: { legalEntityId: { in: [...companies] } },
        _count: true,
      });
      const counts = new Map(rows.map(({ legalEntityId, _count }) => [legalEntityId, _count]));
      return companies.map((id) => counts.get(id) ?? 0);
    },

    /** All assignments, in the order of their ids. `where`: Prisma's conditions, which have to hold. */
    list(ctx: Ctx, where: object = {}): List<ContactInFull> {
      const { contactAssignment } = database.forTenant(ctx);
      return {
        page(window) {
          const { where: within, ...page } = keyset(window, ['id']);
          return contactAssignment.findMany({ where: { AND: [where, within] }, include: inFull, ...page });
        },
        count: () => contactAssignment.count({ where: { AND: [where] } }),
      };
    },

    /** @throws NOT_FOUND */
    async get(ctx: Ctx, id: string): Promise<ContactInFull> {
      const found = await database.forTenant(ctx).contactAssignment.findFirst({ where: { id }, include: inFull });
      if (!found) throw notFound('Contact assignment');
      return found;
    },
  };
}
