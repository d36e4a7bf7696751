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

/** Everything of the tenant's own. What is predefined is left out. */
export async function readAccess(tx: TenantClient): Promise<Access> {
  const own = { where: { predefined: false } };
  const controls = { accessControls: { select: { accessControlId: true } } };
  const templates = await tx.accessControlTemplate.findMany({ include: controls });
  const groups = await tx.group.findMany({
    ...own,
    include: {
      ...controls,
      templates: { select: { templateId: true } },
      employees: { select: { employee: { select: { email: true } } } },
    },
  });
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
    templates: section(templates, ({ name, accessControls }) => ({
      name,
      accessControlIds: accessControls.map(({ accessControlId }) => accessControlId),
    })),
    groups: section(groups, ({ name, userType, legalEntityId, accessControls, templates: bundles, employees }) => ({
      name,
      userType,
      legalEntityId: orAbsent(legalEntityId),
      accessControlIds: accessControls.map(({ accessControlId }) => accessControlId),
      templateIds: bundles.map(({ templateId }) => templateId),
      ...(userType === 'EMPLOYEE' ? { employees: employees.map(({ employee }) => employee.email) } : {}),
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
