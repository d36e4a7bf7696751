// Access controls: a role applied to a resource, or an explicit list of scopes; perhaps for one type of user only.
// Invariant: `scopes` is what one gives, whichever of the two it is, and only scopes that there are.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { keyset, type List } from '../../database/keyset.ts';
import { badInput, notFound } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import {
  requireCurrent,
  requireEditable,
  requireEvery,
  requireFew,
  requireName,
  requireNewId,
} from '../administration/editing.ts';
import { type AuditDetails, recordAudit } from '../audit/audit.ts';
import type { ScopeCatalogue } from '../scopes/custom-scopes.ts';
import { requireHeld } from '../scopes/delegation.ts';
import { resourcesOf, scopesOfRole } from './actions.ts';
import type { Consequences } from './consequences.ts';

/** An access control as it is stored. */
export type AccessControl = Awaited<ReturnType<TenantClient['accessControl']['findFirstOrThrow']>>;

/** What one gives: a role on a resource, or scopes. */
interface Source {
  readonly roleId?: string | null | undefined;
  readonly resourceId?: string | null | undefined;
  readonly scopes?: readonly string[] | null | undefined;
}

/** What one is made from. */
export interface NewAccessControl extends Source {
  readonly id?: string;
  readonly name: string;
  readonly restrictedTo?: 'EMPLOYEE' | 'CUSTOMER' | null | undefined;
}

/** What can be changed of one. */
export interface AccessControlChange extends Source {
  readonly name?: string | null | undefined;
  readonly version?: number | null | undefined;
}

/** Puts one where it is wanted. Without a name a new one is called by its id. */
export type WantedAccessControl = AccessControlChange & Pick<NewAccessControl, 'restrictedTo'>;

/** Groups that are all of one type. */
export interface GroupsOfType {
  readonly userType: 'EMPLOYEE' | 'CUSTOMER';
  readonly groupIds: readonly string[];
}

/** Which access controls to list. */
export interface AccessControlFilter {
  /** Only those that one of these groups gives its members, by itself or by a template. */
  readonly givenBy?: GroupsOfType;
  /** Further conditions, which narrow only. */
  readonly where?: { readonly AND: object[] };
}

/** As the view `group_grants`: a template may bundle what is for users of the other type. */
function givenBy({ userType, groupIds }: GroupsOfType) {
  const some = { groupId: { in: [...groupIds] } };
  return {
    AND: [
      { OR: [{ restrictedTo: null }, { restrictedTo: userType }] },
      { OR: [{ groups: { some } }, { templates: { some: { template: { groups: { some } } } } }] },
    ],
  };
}

const EITHER = 'Name either a role and a resource, or scopes.';

const told = ({ name, roleId, resourceId, scopes, restrictedTo }: AccessControl): AuditDetails => ({
  name,
  roleId,
  resourceId,
  scopes,
  restrictedTo,
});

/** Use cases of access controls. */
export function createAccessControls(deps: {
  administer: Administer;
  consequences: Consequences;
  database: Database;
  scopes: ScopeCatalogue;
}) {
  const { administer, consequences, database, scopes } = deps;
  const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

  /** The columns that say what one gives. @throws BAD_USER_INPUT */
  async function resolve(change: Change, { roleId, resourceId, scopes: listed }: Source) {
    if (listed != null) {
      if (roleId != null || resourceId != null) throw badInput('input.scopes', EITHER);
      if (listed.length === 0) throw badInput('input.scopes', 'An access control gives at least one scope.');
      const known = scopes.requireKnown(change, listed, 'input.scopes');
      return { roleId: null, resourceId: null, scopes: known, everyScope: false };
    }
    if (roleId == null || resourceId == null)
      throw badInput(roleId == null ? 'input.roleId' : 'input.resourceId', EITHER);
    const role = await change.tx.role.findUnique({ where: byId(change, roleId) });
    if (!role) throw badInput('input.roleId', 'Not a role of this tenant.');
    if (!resourcesOf(scopes.list(change)).some(({ id }) => id === resourceId))
      throw badInput('input.resourceId', 'Not a resource of this tenant.');
    const given = scopesOfRole(role.actions, resourceId, (scope) => scopes.find(change, scope) !== null);
    if (given.length === 0) throw badInput('input.roleId', 'The role has no action that this resource knows.');
    return { roleId, resourceId, scopes: given, everyScope: false };
  }

  const scopesOf = (control: AccessControl): string[] =>
    control.everyScope ? scopes.everyScope(control) : [...control.scopes].sort();

  async function requireOne({ tx }: Change, ctx: Ctx, id: string): Promise<AccessControl> {
    const found = await tx.accessControl.findUnique({ where: byId(ctx, id) });
    if (!found) throw notFound('Access control');
    requireEditable(found);
    return found;
  }

  return {
    /** Access controls, by name. */
    list(ctx: Ctx, filter: AccessControlFilter = {}): List<AccessControl> {
      const { accessControl } = database.forTenant(ctx);
      const wanted = [filter.givenBy ? givenBy(filter.givenBy) : {}, filter.where ?? {}];
      return {
        page(window) {
          const { where, ...page } = keyset(window, ['name', 'id']);
          return accessControl.findMany({ where: { AND: [...wanted, where] }, ...page });
        },
        count: () => accessControl.count({ where: { AND: wanted } }),
      };
    },

    /** One access control; null when the tenant has none of that id. */
    find: (ctx: Ctx, id: string): Promise<AccessControl | null> =>
      database.forTenant(ctx).accessControl.findUnique({ where: byId(ctx, id) }),

    /** These, each once. @throws BAD_USER_INPUT naming `field` when one is not there */
    async requireAll({ tx }: Change, ids: readonly string[], field: string): Promise<AccessControl[]> {
      const found = await tx.accessControl.findMany({ where: { id: { in: requireFew(ids, field) } } });
      requireEvery(ids, field, 'access control', (id) => found.some((control) => control.id === id));
      return found;
    },

    /** All scopes that one gives, sorted. No I/O. */
    scopesOf,

    /** Makes one, which nobody has yet. @throws BAD_USER_INPUT, CONFLICT `ID_TAKEN`, FORBIDDEN for scopes that the
     * caller lacks */
    create(ctx: Ctx, input: NewAccessControl): Promise<AccessControl> {
      const name = requireName(input.name);
      const { id, restrictedTo = null } = input;
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        if (id != null) await requireNewId(id, async () => (await tx.accessControl.count({ where: { id } })) > 0);
        const given = await resolve(change, input);
        requireHeld(change, given.scopes);
        const control = await tx.accessControl.create({
          data: { tenantId, ...(id ? { id } : {}), name, restrictedTo, ...given },
        });
        await recordAudit(tx, change, {
          type: 'access_control.created',
          subject: { kind: 'access_control', id: control.id },
          details: { after: told(control) },
        });
        return control;
      });
    },

    /** Changes one, for every group that has it. @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `PREDEFINED`,
     * `STALE_VERSION` or `LAST_ADMINISTRATOR`, FORBIDDEN for scopes that the caller lacks */
    update(ctx: Ctx, id: string, input: AccessControlChange): Promise<AccessControl> {
      const name = input.name == null ? undefined : requireName(input.name);
      return administer(ctx, async (change) => {
        const found = await requireOne(change, ctx, id);
        requireCurrent(found, input.version);
        const { roleId, resourceId, scopes: listed } = input;
        const isGiven = roleId != null || resourceId != null || listed != null;
        const source =
          listed != null ? input : { roleId: roleId ?? found.roleId, resourceId: resourceId ?? found.resourceId };
        const given = isGiven ? await resolve(change, source) : {};
        const control = await consequences.changingControls(change, [id], 'access_control.updated', () =>
          change.tx.accessControl.update({
            where: byId(ctx, id),
            data: { ...(name ? { name } : {}), ...given, version: { increment: 1 } },
          }),
        );
        const had = new Set(scopesOf(found));
        requireHeld(
          change,
          scopesOf(control).filter((scope) => !had.has(scope)),
        );
        await recordAudit(change.tx, change, {
          type: 'access_control.updated',
          subject: { kind: 'access_control', id },
          details: { before: told(found), after: told(control) },
        });
        return control;
      });
    },

    /** Makes the one of that id, or changes it; whom it is for stays. @returns is it new?
     * @throws as `create` and `update` */
    put(ctx: Ctx, id: string, { restrictedTo, ...input }: WantedAccessControl): Promise<boolean> {
      return administer(ctx, async (change) => {
        const found = await change.tx.accessControl.findUnique({ where: byId(ctx, id) });
        if (!found) {
          await this.create(change, { ...input, id, name: input.name ?? id, restrictedTo });
          return true;
        }
        if (restrictedTo != null && restrictedTo !== found.restrictedTo)
          throw badInput('input.restrictedTo', 'It stays what the access control was made with.');
        await this.update(change, id, input);
        return false;
      });
    },

    /** Deletes one and takes it from every group. @throws NOT_FOUND, CONFLICT `PREDEFINED` or `LAST_ADMINISTRATOR` */
    delete(ctx: Ctx, id: string): Promise<void> {
      return administer(ctx, async (change) => {
        const found = await requireOne(change, ctx, id);
        await consequences.changingControls(change, [id], 'access_control.deleted', () =>
          change.tx.accessControl.delete({ where: byId(ctx, id) }),
        );
        await recordAudit(change.tx, change, {
          type: 'access_control.deleted',
          subject: { kind: 'access_control', id },
          details: { before: told(found) },
        });
      });
    },
  };
}

/** See `createAccessControls`. */
export type AccessControls = ReturnType<typeof createAccessControls>;
