// Roles: named sets of actions, which an access control applies to a resource.
// Invariant: what the access controls of a role give is worked out again in the change of the role.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { keyset, type List } from '../../database/keyset.ts';
import { badInput, conflict, notFound } from '../../errors/domain-error.ts';
import type { Administer } from '../administration/administration.ts';
import { requireCurrent, requireEditable, requireEvery, requireName } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import type { ScopeCatalogue } from '../scopes/custom-scopes.ts';
import { requireHeld } from '../scopes/delegation.ts';
import { permissionsOf, scopesOfRole } from './actions.ts';
import type { Consequences } from './consequences.ts';

/** A role as it is stored. */
export type Role = Awaited<ReturnType<TenantClient['role']['findFirstOrThrow']>>;

/** What can be changed of one. */
export interface RoleChange {
  readonly name?: string | null | undefined;
  readonly permissionIds?: readonly string[] | null | undefined;
  readonly version?: number | null | undefined;
}

/** Use cases of roles. */
export function createRoles(deps: {
  administer: Administer;
  consequences: Consequences;
  database: Database;
  scopes: ScopeCatalogue;
}) {
  const { administer, consequences, database, scopes } = deps;
  const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

  function requireActions(ctx: Ctx, ids: readonly string[]): string[] {
    const known = new Set(permissionsOf(scopes.list(ctx)).map(({ id }) => id));
    if (ids.length === 0) throw badInput('input.permissionIds', 'A role needs at least one permission.');
    requireEvery(ids, 'input.permissionIds', 'permission', (id) => known.has(id));
    return [...new Set(ids)].sort();
  }

  return {
    /** All roles, by name. */
    list(ctx: Ctx): List<Role> {
      const { role } = database.forTenant(ctx);
      return { page: (window) => role.findMany(keyset(window, ['name', 'id'])), count: () => role.count() };
    },

    /** One role; null when the tenant has none of that id. */
    find: (ctx: Ctx, id: string): Promise<Role | null> =>
      database.forTenant(ctx).role.findUnique({ where: byId(ctx, id) }),

    /** Many, in the order of their ids. */
    async ofIds(ctx: Ctx, ids: readonly string[]): Promise<(Role | null)[]> {
      const found = await database.forTenant(ctx).role.findMany({ where: { id: { in: [...new Set(ids)] } } });
      return ids.map((id) => found.find((role) => role.id === id) ?? null);
    },

    /** Makes a role, which gives nothing yet. @throws BAD_USER_INPUT */
    create(
      ctx: Ctx,
      input: { id?: string; name: string; permissionIds: readonly string[]; predefined?: boolean },
    ): Promise<Role> {
      const name = requireName(input.name);
      const actions = requireActions(ctx, input.permissionIds);
      const { id, predefined = false } = input;
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const role = await tx.role.create({ data: { tenantId, ...(id ? { id } : {}), name, actions, predefined } });
        await recordAudit(tx, change, {
          type: 'role.created',
          subject: { kind: 'role', id: role.id },
          details: { after: { name, actions } },
        });
        return role;
      });
    },

    /** Changes a role and what its access controls give. @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `PREDEFINED`,
     * `STALE_VERSION` or `LAST_ADMINISTRATOR`, FORBIDDEN for scopes that the caller lacks */
    update(ctx: Ctx, id: string, input: RoleChange): Promise<Role> {
      const name = input.name == null ? undefined : requireName(input.name);
      const actions = input.permissionIds == null ? undefined : requireActions(ctx, input.permissionIds);
      return administer(ctx, async (change) => {
        const { tx } = change;
        const found = await tx.role.findUnique({ where: byId(ctx, id) });
        if (!found) throw notFound('Role');
        requireEditable(found);
        requireCurrent(found, input.version);
        const controls = actions ? await tx.accessControl.findMany({ where: { roleId: id } }) : [];
        const controlIds = controls.map((control) => control.id);
        const isScope = (scope: string) => scopes.find(change, scope) !== null;
        const worked = controls.map((control) => {
          const given = scopesOfRole(actions!, control.resourceId!, isScope);
          return { control, given, added: given.filter((scope) => !control.scopes.includes(scope)) };
        });
        requireHeld(
          change,
          worked.flatMap(({ added }) => added),
        );
        const role = await consequences.changingControls(change, controlIds, 'role.updated', async () => {
          for (const { control, given } of worked) {
            await tx.accessControl.update({
              where: byId(ctx, control.id),
              data: { scopes: given, version: { increment: 1 } },
            });
          }
          return tx.role.update({
            where: byId(ctx, id),
            data: { ...(name ? { name } : {}), ...(actions ? { actions } : {}), version: { increment: 1 } },
          });
        });
        await recordAudit(tx, change, {
          type: 'role.updated',
          subject: { kind: 'role', id },
          details: {
            before: { name: found.name, actions: found.actions },
            after: { name: role.name, actions: role.actions },
          },
        });
        return role;
      });
    },

    /** Deletes a role that no access control applies. @throws NOT_FOUND, CONFLICT `PREDEFINED` or `ROLE_IN_USE` */
    delete(ctx: Ctx, id: string): Promise<void> {
      return administer(ctx, async (change) => {
        const { tx } = change;
        const found = await tx.role.findUnique({ where: byId(ctx, id) });
        if (!found) throw notFound('Role');
        requireEditable(found);
        if ((await tx.accessControl.count({ where: { roleId: id } })) > 0)
          throw conflict('ROLE_IN_USE', 'Access controls still apply this role.');
        await tx.role.delete({ where: byId(ctx, id) });
        await recordAudit(tx, change, {
          type: 'role.deleted',
          subject: { kind: 'role', id },
          details: { before: { name: found.name, actions: found.actions } },
        });
      });
    },
  };
}

/** See `createRoles`. */
export type Roles = ReturnType<typeof createRoles>;
