// Contacts by inheritance: who is assigned to a subsidiary becomes a contact of the companies above it, or the other way
// round, as the tenant has it. Invariant: an inherited assignment makes a Contact and nothing more, and goes when its
// last cause goes; what it gave is refused from then on.

import type { TenantClient } from '../../database/database.ts';
import type { Change } from '../administration/administration.ts';
import { joinContacts } from '../iam/company-groups.ts';
import { membershipKey } from '../revocations/revocation-key.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { reachOf } from './hierarchy.ts';

/** A contact assignment as it is stored. */
export type ContactAssignment = Awaited<ReturnType<TenantClient['contactAssignment']['findFirstOrThrow']>>;

/** Keeps inherited assignments in step with those that cause them. All run inside `administer`. */
export function createInheritedContacts(deps: { tenants: Tenants }) {
  const reach = ({ tx, tenantId }: Change, companies: readonly string[]) =>
    reachOf(tx, tenantId, deps.tenants.get({ tenantId }).settings.contactPropagation, [...new Set(companies)]);

  async function end(change: Change, assignments: readonly ContactAssignment[]): Promise<void> {
    if (assignments.length === 0) return;
    const { tx, tenantId } = change;
    const customerIds = assignments.map(({ customerId }) => customerId);
    const companies = assignments.map(({ legalEntityId }) => legalEntityId);
    await tx.$executeRaw`
      DELETE FROM customer_memberships m USING groups g,
        unnest(${customerIds}::text[], ${companies}::text[]) AS gone (customer_id, legal_entity_id)
      WHERE m.tenant_id = ${tenantId} AND g.tenant_id = ${tenantId} AND g.id = m.group_id
        AND m.customer_id = gone.customer_id AND g.legal_entity_id = gone.legal_entity_id`;
    await tx.contactAssignment.deleteMany({ where: { id: { in: assignments.map(({ id }) => id) } } });
    change.revoke(
      'contact.unassigned',
      assignments.map(({ customerId, legalEntityId }) => membershipKey(legalEntityId, customerId)),
    );
  }

  return {
    end,

    /** Spreads assignments to where they reach. Who is assigned there already stays as they are. @returns what is new
     * @param isNew only from the first company to the second; what was taken away elsewhere does not come back */
    async spread(
      change: Change,
      causes: readonly ContactAssignment[],
      isNew: (from: string, to: string) => boolean = () => true,
    ): Promise<ContactAssignment[]> {
      const { tx, tenantId } = change;
      const found = await reach(
        change,
        causes.map(({ legalEntityId }) => legalEntityId),
      );
      const made = await tx.contactAssignment.createManyAndReturn({
        data: causes.flatMap(({ id: causeId, customerId, legalEntityId }) =>
          found
            .get(legalEntityId)!
            .filter((target) => isNew(legalEntityId, target))
            .map((target) => ({ tenantId, customerId, legalEntityId: target, causeId })),
        ),
        skipDuplicates: true,
      });
      await joinContacts(tx, tenantId, made);
      return made;
    },

    /** Looks for another cause of each, and ends those that have none. `lost`: causes that count no longer. */
    async settle(
      change: Change,
      inherited: readonly ContactAssignment[],
      lost: ReadonlySet<string> = new Set(),
    ): Promise<ContactAssignment[]> {
      if (inherited.length === 0) return [];
      const { tx, tenantId } = change;
      const customerIds = [...new Set(inherited.map(({ customerId }) => customerId))];
      const own = await tx.contactAssignment.findMany({ where: { customerId: { in: customerIds }, causeId: null } });
      const causes = own.filter(({ id }) => !lost.has(id));
      const found = await reach(
        change,
        causes.map(({ legalEntityId }) => legalEntityId),
      );
      const causeOf = new Map<string, string>(
        causes.flatMap(({ id, customerId, legalEntityId }) =>
          found.get(legalEntityId)!.map((target) => [`${customerId} ${target}`, id] as const),
        ),
      );
      const key = ({ customerId, legalEntityId }: ContactAssignment) => `${customerId} ${legalEntityId}`;
      const kept = inherited.filter((each) => causeOf.has(key(each)));
      await tx.$executeRaw`
        UPDATE contact_assignments ca SET cause_id = kept.cause_id
        FROM unnest(${kept.map(({ id }) => id)}::text[], ${kept.map((each) => causeOf.get(key(each))!)}::text[]) AS kept (id, cause_id)
        WHERE ca.tenant_id = ${tenantId} AND ca.id = kept.id`;
      const orphans = inherited.filter((each) => !causeOf.has(key(each)));
      await end(change, orphans);
      return orphans;
    },
  };
}

/** See `createInheritedContacts`. */
export type InheritedContacts = ReturnType<typeof createInheritedContacts>;
