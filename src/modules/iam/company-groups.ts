// The four customer groups that every company is created with, and who may be in which.
// Invariant: in one company a customer is at most one of Admin, Buyer and Requester.

import type { TenantClient } from '../../database/database.ts';
import { conflict } from '../../errors/domain-error.ts';
import { b2bGroupAccessControls } from './predefined.ts';

/** What a customer can be in a company. */
export type B2BRole = 'ADMIN' | 'BUYER' | 'REQUESTER' | 'CONTACT';

const names: Record<B2BRole, string> = { ADMIN: 'Admin', BUYER: 'Buyer', REQUESTER: 'Requester', CONTACT: 'Contact' };
const roles = Object.keys(names) as B2BRole[];

/** Makes the groups of a new company, in the transaction that makes the company. */
export async function createCompanyGroups(
  tx: TenantClient,
  tenantId: string,
  company: { id: string; name: string },
): Promise<void> {
  const groups = await tx.group.createManyAndReturn({
    data: roles.map((role) => ({
      tenantId,
      name: `${company.name} ${names[role]}`,
      userType: 'CUSTOMER' as const,
      role,
      legalEntityId: company.id,
      predefined: true,
    })),
  });
  await tx.groupAccessControl.createMany({
    data: groups.flatMap(({ id, role }) =>
      b2bGroupAccessControls[role!].map((accessControlId) => ({ tenantId, groupId: id, accessControlId })),
    ),
  });
}

/** Puts new contacts into the Contact groups of their companies, in the transaction that assigns them. */
export async function joinContacts(
  tx: TenantClient,
  tenantId: string,
  contacts: readonly { readonly customerId: string; readonly legalEntityId: string }[],
): Promise<void> {
  const customerIds = contacts.map(({ customerId }) => customerId);
  const companies = contacts.map(({ legalEntityId }) => legalEntityId);
  await tx.$executeRaw`
    INSERT INTO customer_memberships (tenant_id, group_id, customer_id)
    SELECT g.tenant_id, g.id, contact.customer_id
    FROM unnest(${customerIds}::text[], ${companies}::text[]) AS contact (customer_id, legal_entity_id)
    JOIN groups g ON g.tenant_id = ${tenantId} AND g.legal_entity_id = contact.legal_entity_id AND g.role = 'CONTACT'
    ON CONFLICT DO NOTHING`;
}

/** Makes the founder of a new company its Admin, in the transaction that makes the company. */
export async function joinAdmins(tx: TenantClient, tenantId: string, legalEntityId: string, customerId: string) {
  const group = await tx.group.findFirstOrThrow({ where: { legalEntityId, role: 'ADMIN' } });
  await tx.customerMembership.createMany({ data: [{ tenantId, groupId: group.id, customerId }] });
}

/** @throws CONFLICT `ROLE_TAKEN` for a second one of Admin, Buyer, Requester */
export async function requireRoleFree(
  tx: TenantClient,
  group: { readonly id: string; readonly legalEntityId: string | null; readonly role: B2BRole | null },
  customerId: string,
): Promise<void> {
  const { legalEntityId, role } = group;
  if (legalEntityId === null || role === null || role === 'CONTACT') return;
  const other = await tx.customerMembership.count({
    where: {
      customerId,
      group: { legalEntityId, role: { in: ['ADMIN', 'BUYER', 'REQUESTER'] }, id: { not: group.id } },
    },
  });
  if (other > 0)
    throw conflict('ROLE_TAKEN', 'In one company a customer is at most one of Admin, Buyer and Requester.');
}
