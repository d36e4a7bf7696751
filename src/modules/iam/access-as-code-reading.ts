// Reading for access as code: what a tenant has of its own, in the shape of a file, and what a file is judged by.

import type { TenantClient } from '../../database/database.ts';
import { canonicalEmail } from '../principals/email.ts';
import { byText, type Entry, normal } from './access-as-code-differences.ts';
import type { Access, AccessFile } from './access-as-code-file.ts';
import type { Facts } from './access-as-code-problems.ts';

/** By id, in the order of ids, which is the order in which they are written. */
function section<Row extends { readonly id: string }>(rows: readonly Row[], entryOf: (row: Row) => object) {
  const sorted = [...rows].sort((one, other) => byText(one.id, other.id));
  return Object.fromEntries(sorted.map((row): [string, Entry] => [row.id, normal(entryOf(row))]));
}

const orAbsent = <Value>(value: Value | null): Value | undefined => value ?? undefined;

/** What belongs to each owner. */
function belongings(pairs: readonly (readonly [owner: string, owned: string])[]) {
  const found = new Map<string, string[]>();
  for (const [owner, owned] of pairs)
    found
      .set(owner, found.get(owner) ?? [])
      .get(owner)!
      .push(owned);
  return (owner: string): string[] => found.get(owner) ?? [];
}

/** Everything of the tenant's own. What is predefined is left out. One after the other: a transaction has one connection. */
export async function readAccess(tx: TenantClient): Promise<Access> {
  const own = { where: { predefined: false } };
  const ofOwn = { where: { group: { predefined: false } } };
  const bundled = await tx.templateAccessControl.findMany();
  const given = await tx.groupAccessControl.findMany(ofOwn);
  const givenTemplates = await tx.groupTemplate.findMany(ofOwn);
  const memberships = await tx.employeeMembership.findMany({ ...ofOwn, include: { employee: true } });
  const ofTemplate = belongings(bundled.map(({ templateId, accessControlId }) => [templateId, accessControlId]));
  const ofGroup = belongings(given.map(({ groupId, accessControlId }) => [groupId, accessControlId]));
  const templatesOf = belongings(givenTemplates.map(({ groupId, templateId }) => [groupId, templateId]));
  const employeesOf = belongings(memberships.map(({ groupId, employee }) => [groupId, employee.email]));
  const access = {
    version: 1,
    customScopes: section(await tx.customScope.findMany(), ({ description }) => ({ description })),
    roles: section(await tx.role.findMany(own), ({ name, actions }) => ({ name, permissionIds: actions })),
    accessControls: section(
      await tx.accessControl.findMany(own),
      ({ name, roleId, resourceId, scopes, restrictedTo }) => ({
        name,
        ...(roleId === null ? { scopes } : { roleId, resourceId: orAbsent(resourceId) }),
        restrictedTo: orAbsent(restrictedTo),
      }),
    ),
    templates: section(await tx.accessControlTemplate.findMany(), ({ id, name }) => ({
      name,
      accessControlIds: ofTemplate(id),
    })),
    groups: section(await tx.group.findMany(own), ({ id, name, userType, legalEntityId }) => ({
      name,
      userType,
      legalEntityId: orAbsent(legalEntityId),
      accessControlIds: ofGroup(id),
      templateIds: templatesOf(id),
      ...(userType === 'EMPLOYEE' ? { employees: employeesOf(id) } : {}),
    })),
  };
  return access as unknown as Access;
}

/** What a file is judged by. */
export async function readFacts(tx: TenantClient, current: Access, file: AccessFile): Promise<Facts> {
  const predefined = { where: { predefined: true } };
  const groups = Object.entries(file.groups ?? {});
  const addresses = [...groups, ...Object.entries(current.groups)].flatMap(([, { employees = [] }]) => employees);
  const emails = [...new Set(addresses.flatMap((address) => canonicalEmail(address) ?? []))];
  const companies = [...new Set(groups.flatMap(([, { legalEntityId }]) => legalEntityId ?? []))];
  const taken = { predefined: true, id: { in: groups.map(([id]) => id) } };
  const employees = await tx.employee.findMany({ where: { email: { in: emails } } });
  const clients = await tx.client.findMany({ select: { scopes: true } });
  return {
    roles: new Map((await tx.role.findMany(predefined)).map((role) => [role.id, role])),
    accessControls: new Map((await tx.accessControl.findMany(predefined)).map((control) => [control.id, control])),
    groups: new Set((await tx.group.findMany({ where: taken, select: { id: true } })).map(({ id }) => id)),
    companies: new Set(
      (await tx.legalEntity.findMany({ where: { id: { in: companies } }, select: { id: true } })).map(({ id }) => id),
    ),
    employees: new Map(employees.map(({ email, id, enabled }) => [email, { id, enabled }])),
    scopesOfClients: new Set(clients.flatMap(({ scopes }) => scopes)),
  };
}
