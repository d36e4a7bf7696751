// What the groups and templates of a page are made of: for many at once, one statement each.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { inOrder } from '../../database/in-order.ts';
import type { AccessControl } from './access-controls.ts';
import type { EntitlementsOf } from './entitlements.ts';
import { type Group, groupsInReach } from './groups.ts';
import type { Template } from './templates.ts';

const ownerOf = ({ owner }: { readonly owner: string }) => owner;

/** Use cases of looking into groups and templates. */
export function createContents(deps: { database: Database; entitlements: EntitlementsOf }) {
  const { database, entitlements } = deps;

  return {
    /** The access controls that each group has directly, by name. */
    async accessControlsOfGroups(ctx: Ctx, groupIds: readonly string[]): Promise<AccessControl[][]> {
      const rows = await database.forTenant(ctx).$queryRaw<(AccessControl & { owner: string })[]>`
        SELECT given.group_id AS owner, ac.tenant_id AS "tenantId", ac.id, ac.name, ac.role_id AS "roleId",
          ac.resource_id AS "resourceId", ac.scopes, ac.every_scope AS "everyScope",
          ac.restricted_to::text AS "restrictedTo", ac.predefined, ac.version
        FROM group_access_controls given
        JOIN access_controls ac ON ac.tenant_id = given.tenant_id AND ac.id = given.access_control_id
        WHERE given.tenant_id = ${ctx.tenantId} AND given.group_id = ANY(${groupIds}) ORDER BY ac.name, ac.id`;
      return inOrder(groupIds, rows, ownerOf);
    },

    /** The templates of each group, by name. */
    async templatesOfGroups(ctx: Ctx, groupIds: readonly string[]): Promise<Template[][]> {
      const rows = await database.forTenant(ctx).$queryRaw<(Template & { owner: string })[]>`
        SELECT given.group_id AS owner, t.tenant_id AS "tenantId", t.id, t.name FROM group_templates given
        JOIN access_control_templates t ON t.tenant_id = given.tenant_id AND t.id = given.template_id
        WHERE given.tenant_id = ${ctx.tenantId} AND given.group_id = ANY(${groupIds}) ORDER BY t.name, t.id`;
      return inOrder(groupIds, rows, ownerOf);
    },

    /** The access controls that each template bundles, by name. */
    async accessControlsOfTemplates(ctx: Ctx, templateIds: readonly string[]): Promise<AccessControl[][]> {
      const rows = await database.forTenant(ctx).templateAccessControl.findMany({
        where: { templateId: { in: [...templateIds] } },
        include: { accessControl: true },
        orderBy: [{ accessControl: { name: 'asc' } }, { accessControlId: 'asc' }],
      });
      return inOrder(
        templateIds,
        rows.map(({ templateId, accessControl }) => ({ ...accessControl, owner: templateId })),
        ownerOf,
      );
    },

    /** The groups of each company that are in the caller's reach, by name. */
    async groupsOfCompanies(ctx: Ctx, companies: readonly string[]): Promise<Group[][]> {
      const rows = await database.forTenant(ctx).group.findMany({
        where: { AND: [{ legalEntityId: { in: [...companies] } }, groupsInReach(ctx, 'iam.group_read')] },
        orderBy: [{ name: 'asc' }, { id: 'asc' }],
      });
      return inOrder(companies, rows, ({ legalEntityId }) => legalEntityId ?? '');
    },

    /** What each group gives its members, through access controls and templates. */
    scopesOfGroups: (ctx: Ctx, groupIds: readonly string[]): Promise<string[][]> =>
      entitlements.ofGroups(database.forTenant(ctx), ctx, groupIds),

    /** What each employee is entitled to. */
    scopesOfEmployees: (ctx: Ctx, employeeIds: readonly string[]): Promise<string[][]> =>
      entitlements.ofEmployees(database.forTenant(ctx), ctx, employeeIds),
  };
}

/** See `createContents`. */
export type Contents = ReturnType<typeof createContents>;
