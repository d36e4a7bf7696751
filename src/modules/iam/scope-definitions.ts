// What a tenant adds to the scopes that there are, and takes away. A scope of the tenant's own is at once given by every
// group that gives all scopes.

import type { Ctx } from '../../context.ts';
import type { Administer } from '../administration/administration.ts';
import type { NewScope, ScopeCatalogue, ScopeEntry } from '../scopes/custom-scopes.ts';
import type { TokenRoom } from './token-room.ts';

/** Use cases of a tenant's own scopes. */
export function createScopeDefinitions(deps: { administer: Administer; scopes: ScopeCatalogue; tokenRoom: TokenRoom }) {
  const { administer, scopes, tokenRoom } = deps;
  return {
    /** Defines a scope. @throws BAD_USER_INPUT, CONFLICT `SCOPE_EXISTS` or `TOO_MANY_SCOPES` */
    create(ctx: Ctx, scope: NewScope): Promise<ScopeEntry> {
      return administer(ctx, async (change) => {
        const { tx, tenantId } = change;
        const created = await scopes.define(tx, change, scope);
        const groups = await tx.$queryRaw<{ group_id: string }[]>`
          SELECT DISTINCT group_id FROM group_grants WHERE tenant_id = ${tenantId} AND every_scope`;
        const customScopes = new Map([...change.customScopes, [created.id, created]]);
        const groupIds = groups.map(({ group_id }) => group_id);
        await tokenRoom.requireForMembers(tx, { tenantId, customScopes }, groupIds);
        return created;
      });
    },

    /** Defines a scope, or says anew what it allows. Without a description a new one is described by its id.
     * @returns is it new? @throws as `create` */
    put(ctx: Ctx, id: string, description: string | undefined): Promise<boolean> {
      return administer(ctx, async (change) => {
        if (!change.customScopes.has(id)) {
          await this.create(change, { id, description: description ?? id });
          return true;
        }
        if (description !== undefined) await scopes.describe(change.tx, change, { id, description });
        return false;
      });
    },

    /** Removes a scope that the tenant defined. @throws NOT_FOUND, CONFLICT `SCOPE_IN_USE` */
    delete: (ctx: Ctx, id: string): Promise<void> => administer(ctx, (change) => scopes.remove(change.tx, change, id)),
  };
}

/** See `createScopeDefinitions`. */
export type ScopeDefinitions = ReturnType<typeof createScopeDefinitions>;
