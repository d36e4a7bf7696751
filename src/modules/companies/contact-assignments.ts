// Contact assignments: which customer may act for which legal entity. What a company switch is checked against.
// Invariant: a company that is unknown, of another tenant, disabled or not the customer's gives one and the same
// refusal, for the same work.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { Prisma } from '../../database/generated/client.ts';
import { inOrder } from '../../database/in-order.ts';
import type { PageWindow } from '../../database/keyset.ts';
import { notFound } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { recordAudit } from '../audit/audit.ts';
import { joinContacts } from '../iam/company-groups.ts';
import type { EntitlementsOf } from '../iam/entitlements.ts';
import { requireHeld } from '../scopes/delegation.ts';
import type { ContactAssignment, InheritedContacts } from './inherited-contacts.ts';
import { isLegalEntityId, type LegalEntity } from './legal-entities.ts';

/** What an assignment says beside who and where. */
export interface ContactDetails {
  readonly type?: ContactAssignment['type'] | null | undefined;
  readonly primary?: boolean | null | undefined;
}

/** One assignment: by its id, or by who and where, which is there once at most. */
export type WhichContact = { readonly id: string } | { readonly customerId: string; readonly legalEntityId: string };

/** Use cases of contact assignments. */
export function createContactAssignments(deps: {
  administer: Administer;
  database: Database;
  entitlements: EntitlementsOf;
  inheritedContacts: InheritedContacts;
}) {
  const { administer, database, entitlements, inheritedContacts } = deps;

  /** @throws FORBIDDEN when contacts get scopes that the caller lacks, and that not every customer has */
  async function requireDelegable(change: Change, legalEntityId: string): Promise<void> {
    const contacts = await change.tx.group.findFirstOrThrow({ where: { legalEntityId, role: 'CONTACT' } });
    const [given] = await entitlements.ofGroups(change.tx, change, [contacts.id]);
    const everybodys = new Set(entitlements.ofEveryCustomer(change.tenantId));
    requireHeld(
      change,
      given!.filter((scope) => !everybodys.has(scope)),
    );
  }

  const told = (change: Change, type: 'assigned' | 'unassigned' | 'updated', one: ContactAssignment, also: string[]) =>
    recordAudit(change.tx, change, {
      type: `contact.${type}`,
      subject: { kind: 'customer', id: one.customerId },
      legalEntityId: one.legalEntityId,
      details: { type: one.type, primary: one.primary, ...(also.length > 0 ? { byInheritance: also } : {}) },
    });

  return {
    /** The enabled company, if this customer is assigned to it, as of now. @throws ACCESS_DENIED */
    async requireAssigned(db: TenantClient, customerId: string, legalEntityId: string): Promise<LegalEntity> {
      const company = await db.legalEntity.findFirst({
        where: {
          id: isLegalEntityId(legalEntityId) ? legalEntityId : '-',
          enabled: true,
          contactAssignments: { some: { customerId } },
        },
      });
      if (!company) throw new OAuthError('access_denied', { cause: 'not assigned to an enabled company of that id' });
      return company;
    },

    /** Tells the trail of a refused switch. The refusal itself has undone its transaction. */
    recordRefusal: (ctx: Ctx, customerId: string, legalEntityId: string): Promise<void> =>
      recordAudit(database.forTenant(ctx), ctx, {
        type: 'company.switch_refused',
        outcome: 'refused',
        actor: { kind: 'customer', id: customerId },
        subject: { kind: 'customer', id: customerId },
        details: { legalEntityId: isLegalEntityId(legalEntityId) ? legalEntityId : 'malformed' },
      }),

    /** The enabled companies that a customer may act for, by name. */
    async companiesOf(ctx: { tenantId: string }, customerId: string): Promise<LegalEntity[]> {
      const assignments = await database.forTenant(ctx).contactAssignment.findMany({
        where: { customerId, legalEntity: { enabled: true } },
        include: { legalEntity: true },
        orderBy: [{ legalEntity: { name: 'asc' } }, { legalEntityId: 'asc' }],
      });
      return assignments.map(({ legalEntity }) => legalEntity);
    },

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

    /**
     * Assigns a customer to a legal entity and to its Contact group, and by inheritance where the tenant's setting says.
     * Who is assigned already stays, with `details` changed; an inherited assignment becomes one of its own.
     * @throws NOT_FOUND for the customer or the company, FORBIDDEN for scopes that the caller lacks
     */
    assign(
      ctx: Ctx,
      customerId: string,
      legalEntityId: string,
      details: ContactDetails = {},
    ): Promise<ContactAssignment> {
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        if ((await tx.customer.count({ where: { id: customerId } })) === 0) throw notFound('Customer');
        if ((await tx.legalEntity.count({ where: { id: legalEntityId } })) === 0) throw notFound('Legal entity');
        await requireDelegable(change, legalEntityId);
        const found = await tx.contactAssignment.findFirst({ where: { customerId, legalEntityId } });
        const { type, primary } = details;
        const given = {
          causeId: null,
          type: type ?? found?.type ?? 'CONTACT',
          primary: primary ?? found?.primary ?? false,
        };
        if (found && found.causeId === null && found.type === given.type && found.primary === given.primary)
          return found;
        const assignment = found
          ? await tx.contactAssignment.update({ where: { tenantId_id: { tenantId, id: found.id } }, data: given })
          : await tx.contactAssignment.create({ data: { tenantId, customerId, legalEntityId, ...given } });
        await joinContacts(tx, tenantId, [assignment]);
        const inherited = await inheritedContacts.spread(change, [assignment]);
        await told(
          change,
          found ? 'updated' : 'assigned',
          assignment,
          inherited.map((each) => each.legalEntityId),
        );
        return assignment;
      });
    },

    /** Whoever registers a company becomes its primary contact. Nobody's leave is needed: the company has just been made,
     * disabled, and gives nothing before somebody who may has enabled it. */
    async assignFounder(change: Change, customerId: string, legalEntityId: string): Promise<void> {
      const { tx, tenantId } = change;
      const assignment = await tx.contactAssignment.create({
        data: { tenantId, customerId, legalEntityId, type: 'PRIMARY', primary: true },
      });
      await joinContacts(tx, tenantId, [assignment]);
      await told(change, 'assigned', assignment, []);
    },

    /** Takes a customer out of a legal entity and of its groups, and out of those that came by inheritance only: tokens
     * for them are refused at once. @throws NOT_FOUND */
    unassign(ctx: Ctx, which: WhichContact): Promise<ContactAssignment> {
      return administer(ctx, async (change) => {
        const { tx } = change;
        const found = await tx.contactAssignment.findFirst({ where: which });
        if (!found) throw notFound('Contact assignment');
        const inherited = await tx.contactAssignment.findMany({ where: { causeId: found.id } });
        const ended = await inheritedContacts.settle(change, inherited, new Set([found.id]));
        await inheritedContacts.end(change, [found]);
        await told(
          change,
          'unassigned',
          found,
          ended.map((each) => each.legalEntityId),
        );
        return found;
      });
    },
  };
}

/** See `createContactAssignments`. */
export type ContactAssignments = ReturnType<typeof createContactAssignments>;
