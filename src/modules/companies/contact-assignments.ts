// Contact assignments: which customer may act for which legal entity. What a company switch is checked against.
// Invariant: a company that is unknown, of another tenant, disabled or not the customer's gives one and the same
// refusal, for the same work.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { badInput, conflict, notFound } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { requireSeen } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import { joinContacts } from '../iam/company-groups.ts';
import type { EntitlementsOf } from '../iam/entitlements.ts';
import { namedBy } from '../principals/customers.ts';
import { requireHeld } from '../scopes/delegation.ts';
import { chosenId, isChosenId } from './chosen-id.ts';
import { createContactLists } from './contact-lists.ts';
import { type Details, requireDetails } from './details.ts';
import type { ContactAssignment, InheritedContacts } from './inherited-contacts.ts';
import type { LegalEntity } from './legal-entities.ts';

/** What an assignment says beside who and where. */
export interface ContactDetails {
  readonly type?: ContactAssignment['type'] | null | undefined;
  readonly primary?: boolean | null | undefined;
  readonly details?: Details;
}

/** An assignment that is to be there, perhaps under an id of choice. */
export interface NewContact extends ContactDetails {
  readonly id?: string | null | undefined;
  /** A customer's id or number. */
  readonly customerId: string;
  readonly legalEntityId: string;
}

/** One assignment: by its id, or by who and where, which is there once at most. */
export type WhichContact = { readonly id: string } | { readonly customerId: string; readonly legalEntityId: string };

/** One refusal for every reason. */
export const notAssigned = () =>
  new OAuthError('access_denied', { cause: 'not assigned to an enabled company of that id' });

/** The columns that were given. */
const given = ({ type, primary, details }: ContactDetails) => ({
  ...(type != null && { type }),
  ...(primary != null && { primary }),
  ...(details && { details: requireDetails(details) }),
});

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

  /** The customer's id. @throws BAD_USER_INPUT for a side that is not there, FORBIDDEN */
  async function requireSides(change: Change, { customerId, legalEntityId }: NewContact): Promise<string> {
    const { tx } = change;
    const customer = await tx.customer.findFirst({ where: namedBy(customerId), select: { id: true } });
    if (!customer) throw badInput('input.customer.id', 'Not a customer of this tenant.');
    if ((await tx.legalEntity.count({ where: { id: legalEntityId } })) === 0)
      throw badInput('input.legalEntity.id', 'Not a legal entity of this tenant.');
    await requireDelegable(change, legalEntityId);
    return customer.id;
  }

  async function spread(change: Change, type: 'assigned' | 'updated', assignment: ContactAssignment) {
    await joinContacts(change.tx, change.tenantId, [assignment]);
    const inherited = await inheritedContacts.spread(change, [assignment]);
    const also = inherited.map((each) => each.legalEntityId);
    await told(change, type, assignment, also);
    return assignment;
  }

  async function make(change: Change, { id, customerId, legalEntityId, ...details }: NewContact) {
    const { tx, tenantId } = change;
    const [assignment] = await tx.contactAssignment.createManyAndReturn({
      data: [{ tenantId, ...chosenId(id), customerId, legalEntityId, ...given(details) }],
      skipDuplicates: true,
    });
    if (!assignment) throw conflict('CONTACT_EXISTS', 'There is an assignment of that id, or of that customer there.');
    return spread(change, 'assigned', assignment);
  }

  /** An inherited assignment becomes one of its own. */
  async function alter(change: Change, { id }: ContactAssignment, details: ContactDetails) {
    const { tx, tenantId } = change;
    const assignment = await tx.contactAssignment.update({
      where: { tenantId_id: { tenantId, id } },
      data: { causeId: null, ...given(details), version: { increment: 1 } },
    });
    return spread(change, 'updated', assignment);
  }

  return {
    ...createContactLists({ database }),

    /** The enabled company, if this customer is assigned to it, as of now. @throws ACCESS_DENIED */
    async requireAssigned(db: TenantClient, customerId: string, legalEntityId: string): Promise<LegalEntity> {
      const company = await db.legalEntity.findFirst({
        where: {
          id: isChosenId(legalEntityId) ? legalEntityId : '-',
          enabled: true,
          contactAssignments: { some: { customerId } },
        },
      });
      if (!company) throw notAssigned();
      return company;
    },

    /** Tells the trail of a refused switch. The refusal itself has undone its transaction. */
    recordRefusal: (ctx: Ctx, customerId: string, legalEntityId: string): Promise<void> =>
      recordAudit(database.forTenant(ctx), ctx, {
        type: 'company.switch_refused',
        outcome: 'refused',
        actor: { kind: 'customer', id: customerId },
        subject: { kind: 'customer', id: customerId },
        details: { legalEntityId: isChosenId(legalEntityId) ? legalEntityId : 'malformed' },
      }),

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
        const { tx } = change;
        if ((await tx.customer.count({ where: { id: customerId } })) === 0) throw notFound('Customer');
        if ((await tx.legalEntity.count({ where: { id: legalEntityId } })) === 0) throw notFound('Legal entity');
        await requireDelegable(change, legalEntityId);
        const found = await tx.contactAssignment.findFirst({ where: { customerId, legalEntityId } });
        if (!found) return make(change, { customerId, legalEntityId, ...details });
        const { type, primary } = { ...found, ...given(details) };
        const isSame = found.causeId === null && found.type === type && found.primary === primary;
        return isSame ? found : alter(change, found, details);
      });
    },

    /** Assigns somebody who is not assigned yet, otherwise as `assign`. @throws CONFLICT `CONTACT_EXISTS`,
     * BAD_USER_INPUT for a customer or company that is not there, FORBIDDEN */
    create: (ctx: Ctx, input: NewContact): Promise<ContactAssignment> =>
      administer(ctx, async (change) => make(change, { ...input, customerId: await requireSides(change, input) })),

    /** Changes the assignment of that id, or makes it. @returns is it new?
     * @throws as `create`, BAD_USER_INPUT without a version, or for another customer or company than it is of */
    put(ctx: Ctx, id: string, input: NewContact & { readonly version?: number | null | undefined }): Promise<boolean> {
      return administer(ctx, async (change) => {
        const found = await change.tx.contactAssignment.findFirst({ where: { id } });
        if (!found) {
          await this.create(change, { ...input, id });
          return true;
        }
        requireSeen(found, input.version);
        const customerId = await requireSides(change, input);
        if (customerId !== found.customerId || input.legalEntityId !== found.legalEntityId)
          throw badInput('input.legalEntity.id', 'An assignment stays with its customer and company.');
        await alter(change, found, input);
        return false;
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
