// The scopes that there are in a tenant: the registry and what the tenant defined itself. The latter are held in
// memory and read again whenever one changes.

import type { Ctx } from '../../context.ts';
import type { ChangeFeed } from '../../database/change-feed.ts';
import type { Database } from '../../database/database.ts';
import { badInput, conflict, notFound } from '../../errors/domain-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { isScope, serviceOf } from './grammar.ts';
import { synonymsOf } from './matching.ts';
import { type BuiltInScope, builtInScopes, registry } from './registry.ts';

/** All scopes of a tenant, joined, have at most so many characters: who has every one gets a token within 8 KB. */
const MOST_CHARACTERS = 5600;

/** A scope with its text. */
export interface ScopeEntry {
  readonly id: string;
  readonly service: string;
  readonly description: string;
  readonly custom: boolean;
}

const builtInEntry = (id: BuiltInScope): ScopeEntry => ({
  id,
  service: serviceOf(id),
  description: registry[id].description,
  custom: false,
});
const builtIn = new Map<string, ScopeEntry>(builtInScopes.map((id) => [id, builtInEntry(id)]));

/** Use cases of scopes. */
export function createScopeCatalogue(deps: { database: Database; changes: ChangeFeed }) {
  const { database, changes } = deps;
  let custom = new Map<string, Map<string, ScopeEntry>>();

  changes.watch('custom_scopes', async () => {
    const next = new Map<string, Map<string, ScopeEntry>>();
    for (const { tenantId, id, description } of await database.system().customScope.findMany()) {
      const own = next.get(tenantId) ?? new Map<string, ScopeEntry>();
      next.set(tenantId, own.set(id, { id, service: serviceOf(id), description, custom: true }));
    }
    custom = next;
  });

  const customOf = (ctx: { tenantId: string }) => [...(custom.get(ctx.tenantId)?.values() ?? [])];
  const spellings = (id: string) => [id, ...synonymsOf(id)];
  const find = (ctx: { tenantId: string }, id: string): ScopeEntry | null =>
    builtIn.get(id) ?? custom.get(ctx.tenantId)?.get(id) ?? null;

  const everyScope = (ctx: { tenantId: string }): string[] =>
    [...builtIn.keys(), ...customOf(ctx).map(({ id }) => id)].sort();

  return {
    /** All scopes of the tenant, sorted by id. No I/O. */
    list: (ctx: { tenantId: string }): ScopeEntry[] =>
      [...builtIn.values(), ...customOf(ctx)].sort((one, other) => (one.id < other.id ? -1 : 1)),

    /** One scope; null when the tenant has none of that id. No I/O. */
    find,

    /** The ids of all scopes of the tenant, sorted. No I/O. */
    everyScope,

    /** Sorted, without duplicates. @throws BAD_USER_INPUT naming `field` when a scope is not known here */
    requireKnown(ctx: { tenantId: string }, ids: readonly string[], field: string): string[] {
      const unknown = ids.filter((id) => !spellings(id).some((spelling) => find(ctx, spelling)));
      if (unknown.length > 0) throw badInput(field, `Not scopes of this tenant: ${unknown.slice(0, 10).join(', ')}.`);
      return [...new Set(ids)].sort();
    },

    /** Defines a scope. @throws BAD_USER_INPUT, CONFLICT `SCOPE_EXISTS` or `TOO_MANY_SCOPES` */
    async create(ctx: Ctx, scope: { id: string; description: string }): Promise<ScopeEntry> {
      const { id } = scope;
      const description = scope.description.trim();
      if (!isScope(id)) throw badInput('input.id', 'A scope is written service.resource_action, in printable ASCII.');
      if (description === '' || description.length > 500) {
        throw badInput('input.description', 'Say what the scope allows, in at most 500 characters.');
      }
      if (spellings(id).some((spelling) => builtIn.has(spelling))) {
        throw conflict('SCOPE_EXISTS', 'There is a built-in scope of that meaning.');
      }
      const length = [...everyScope(ctx), id].join(' ').length;
      if (length > MOST_CHARACTERS)
        throw conflict('TOO_MANY_SCOPES', 'All scopes of a tenant have to fit into one token.');
      await database.transaction(ctx, async (tx) => {
        const same = await tx.customScope.count({ where: { id: { in: synonymsOf(id) } } });
        const created = await tx.customScope.createMany({
          data: [{ tenantId: ctx.tenantId, id, description }],
          skipDuplicates: true,
        });
        if (created.count === 0 || same > 0) throw conflict('SCOPE_EXISTS', 'There is a scope of that meaning.');
        await recordAudit(tx, ctx, { type: 'scope.created', subject: { kind: 'scope', id } });
      });
      await changes.catchUp();
      return { id, description, service: serviceOf(id), custom: true };
    },

    /** Removes a scope that the tenant defined. @throws NOT_FOUND, CONFLICT `SCOPE_IN_USE` */
    async delete(ctx: Ctx, id: string): Promise<void> {
      await database.transaction(ctx, async (tx) => {
        const deleted = await tx.customScope.deleteMany({ where: { id } });
        if (deleted.count === 0) throw notFound('Scope');
        // Clients and access controls may give it in its other spelling.
        const where = { scopes: { hasSome: spellings(id) } };
        const inUse = (await tx.client.count({ where })) + (await tx.accessControl.count({ where }));
        if (inUse > 0) throw conflict('SCOPE_IN_USE', 'Clients or access controls still give this scope.');
        await recordAudit(tx, ctx, { type: 'scope.deleted', subject: { kind: 'scope', id } });
      });
      await changes.catchUp();
    },
  };
}

/** See `createScopeCatalogue`. */
export type ScopeCatalogue = ReturnType<typeof createScopeCatalogue>;
