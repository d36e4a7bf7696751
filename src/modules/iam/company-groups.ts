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

/** Puts a new contact into the company's Contact group, in the transaction that assigns the contact. */
export async function joinContacts(tx: TenantClient, tenantId: string, legalEntityId: string, customerId: string) {
  const group = await tx.group.findFirstOrThrow({ where: { legalEntityId, role: 'CONTACT' } });
  await tx.customerMembership.createMany({ data: [{ tenantId, groupId: group.id, customerId }], skipDuplicates: true });
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
