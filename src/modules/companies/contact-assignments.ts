// Contact assignments: which customer may act for which legal entity. What a company switch is checked against.
// Invariant: a company that is unknown, of another tenant, disabled or not the customer's gives one and the same
// refusal, for the same work.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Administer } from '../administration/administration.ts';
import { recordAudit } from '../audit/audit.ts';
import { joinContacts } from '../iam/company-groups.ts';
import { membershipKey } from '../revocations/revocation-key.ts';
import type { Revocations } from '../revocations/revocations.ts';
import { isLegalEntityId, type LegalEntity } from './legal-entities.ts';

/** As what a customer is a contact; a plain one unless said. */
export interface ContactRole {
  readonly type?: 'PRIMARY' | 'BILLING' | 'LOGISTICS' | 'CONTACT';
  readonly primary?: boolean;
}

/** Use cases of contact assignments. */
export function createContactAssignments(deps: {
  administer: Administer;
  database: Database;
  revocations: Revocations;
}) {
  const { administer, database, revocations } = deps;

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

    /** Assigns a customer to a legal entity and to its Contact group. Assigning twice is the same as once. */
    async assign(ctx: Ctx, customerId: string, legalEntityId: string, as: ContactRole = {}): Promise<void> {
      await administer(ctx, async (change) => {
        const { tx } = change;
        const made = await tx.contactAssignment.createMany({
          data: [{ tenantId: ctx.tenantId, customerId, legalEntityId, ...as }],
          skipDuplicates: true,
        });
        await joinContacts(tx, ctx.tenantId, legalEntityId, customerId);
        if (made.count === 0) return;
        const subject = { kind: 'customer', id: customerId } as const;
        await recordAudit(tx, change, { type: 'contact.assigned', subject, legalEntityId });
      });
    },

    /** Takes a customer out of a legal entity and of its groups: tokens for it are refused at once. */
    async unassign(ctx: Ctx, customerId: string, legalEntityId: string): Promise<void> {
      await database.transaction(ctx, async (tx) => {
        const { count } = await tx.contactAssignment.deleteMany({ where: { customerId, legalEntityId } });
        await tx.customerMembership.deleteMany({ where: { customerId, group: { legalEntityId } } });
        if (count > 0) {
          const subject = { kind: 'customer', id: customerId } as const;
          await recordAudit(tx, ctx, { type: 'contact.unassigned', subject, legalEntityId });
        }
        await revocations.record(tx, ctx, [membershipKey(legalEntityId, customerId)], 'contact.unassigned');
      });
      await revocations.felt();
    },
  };
}

/** See `createContactAssignments`. */
export type ContactAssignments = ReturnType<typeof createContactAssignments>;
