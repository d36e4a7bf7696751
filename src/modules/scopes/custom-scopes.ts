// The scopes that there are in a tenant: the registry and what the tenant defined itself. The latter are held in
// memory and read again whenever one changes.

import type { Ctx } from '../../context.ts';
import type { ChangeFeed } from '../../database/change-feed.ts';
import type { Database, TenantClient } from '../../database/database.ts';
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

/** Whose scopes. A change under way may carry those that the tenant will have defined: memory learns of them with the
 * commit only. */
export interface ScopesOf {
  readonly tenantId: string;
  readonly customScopes?: ReadonlyMap<string, ScopeEntry>;
}

/** What a tenant defines. */
export interface NewScope {
  readonly id: string;
  readonly description: string;
}

/** A scope of the tenant's own, as the catalogue lists it. */
export const customEntry = ({ id, description }: NewScope): ScopeEntry => ({
  id,
  service: serviceOf(id),
  description,
  custom: true,
});

const builtInEntry = (id: BuiltInScope): ScopeEntry => ({
  id,
  service: serviceOf(id),
  description: registry[id].description,
  custom: false,
});
const builtIn = new Map<string, ScopeEntry>(builtInScopes.map((id) => [id, builtInEntry(id)]));
const spellings = (id: string) => [id, ...synonymsOf(id)];

/** @throws BAD_USER_INPUT */
function requireDescription(text: string): string {
  const description = text.trim();
  if (description === '' || description.length > 500)
    throw badInput('input.description', 'Say what the scope allows, in at most 500 characters.');
  return description;
}

/** Use cases of scopes. */
export function createScopeCatalogue(deps: { database: Database; changes: ChangeFeed }) {
  const { database, changes } = deps;
  let custom = new Map<string, Map<string, ScopeEntry>>();

  changes.watch('custom_scopes', async () => {
    const next = new Map<string, Map<string, ScopeEntry>>();
    for (const scope of await database.system().customScope.findMany()) {
      const own = next.get(scope.tenantId) ?? new Map<string, ScopeEntry>();
      next.set(scope.tenantId, own.set(scope.id, customEntry(scope)));
    }
    custom = next;
  });

  const ownOf = (ctx: ScopesOf) => ctx.customScopes ?? custom.get(ctx.tenantId);
  const customOf = (ctx: ScopesOf) => [...(ownOf(ctx)?.values() ?? [])];
  const find = (ctx: ScopesOf, id: string): ScopeEntry | null => builtIn.get(id) ?? ownOf(ctx)?.get(id) ?? null;

  const isKnown = (ctx: ScopesOf, id: string): boolean => spellings(id).some((spelling) => find(ctx, spelling));

  const everyScope = (ctx: ScopesOf): string[] => [...builtIn.keys(), ...customOf(ctx).map(({ id }) => id)].sort();

  /** What may be defined beside the scopes that there are. @throws BAD_USER_INPUT, CONFLICT as `define` */
  function requireDefinable(ctx: ScopesOf, scope: NewScope): NewScope {
    const { id } = scope;
    if (!isScope(id)) throw badInput('input.id', 'A scope is written service.resource_action, in printable ASCII.');
    const description = requireDescription(scope.description);
    if (spellings(id).some((spelling) => builtIn.has(spelling)))
      throw conflict('SCOPE_EXISTS', 'There is a built-in scope of that meaning.');
    if (synonymsOf(id).some((spelling) => ctx.customScopes?.has(spelling)))
      throw conflict('SCOPE_EXISTS', 'There is a scope of that meaning.');
    const length = [...new Set([...everyScope(ctx), id])].join(' ').length;
    if (length > MOST_CHARACTERS)
      throw conflict('TOO_MANY_SCOPES', 'All scopes of a tenant have to fit into one token.');
    return { id, description };
  }

  async function define(tx: TenantClient, ctx: Ctx, scope: NewScope): Promise<ScopeEntry> {
    const { id, description } = requireDefinable(ctx, scope);
    const same = await tx.customScope.count({ where: { id: { in: synonymsOf(id) } } });
    const created = await tx.customScope.createMany({
      data: [{ tenantId: ctx.tenantId, id, description }],
      skipDuplicates: true,
    });
    if (created.count === 0 || same > 0) throw conflict('SCOPE_EXISTS', 'There is a scope of that meaning.');
    await recordAudit(tx, ctx, { type: 'scope.created', subject: { kind: 'scope', id } });
    return customEntry({ id, description });
  }

  async function remove(tx: TenantClient, ctx: Ctx, id: string): Promise<void> {
    const deleted = await tx.customScope.deleteMany({ where: { id } });
    if (deleted.count === 0) throw notFound('Scope');
    // Clients and access controls may give it in its other spelling.
    const where = { scopes: { hasSome: spellings(id) } };
    const inUse = (await tx.client.count({ where })) + (await tx.accessControl.count({ where }));
    if (inUse > 0) throw conflict('SCOPE_IN_USE', 'Clients or access controls still give this scope.');
    await recordAudit(tx, ctx, { type: 'scope.deleted', subject: { kind: 'scope', id } });
  }

  return {
    /** All scopes of the tenant, sorted by id. No I/O. */
    list: (ctx: ScopesOf): ScopeEntry[] =>
      [...builtIn.values(), ...customOf(ctx)].sort((one, other) => (one.id < other.id ? -1 : 1)),

    /** One scope; null when the tenant has none of that id. No I/O. */
    find,

    /** The ids of all scopes of the tenant, sorted. No I/O. */
    everyScope,

    /** Is there such a scope in the tenant, in this spelling or another? No I/O. */
    isKnown,

    /** Sorted, without duplicates. @throws BAD_USER_INPUT naming `field` when a scope is not known here */
    requireKnown(ctx: ScopesOf, ids: readonly string[], field: string): string[] {
      const unknown = ids.filter((id) => !isKnown(ctx, id));
      if (unknown.length > 0) throw badInput(field, `Not scopes of this tenant: ${unknown.slice(0, 10).join(', ')}.`);
      return [...new Set(ids)].sort();
    },

    requireDefinable,

    /** Defines a scope in the caller's transaction. @throws BAD_USER_INPUT, CONFLICT `SCOPE_EXISTS` or `TOO_MANY_SCOPES` */
    define,

    /** Says anew what a scope allows, in the caller's transaction. @throws NOT_FOUND, BAD_USER_INPUT */
    async describe(tx: TenantClient, ctx: Ctx, scope: NewScope): Promise<void> {
      const { id } = scope;
      const description = requireDescription(scope.description);
      const where = { tenantId_id: { tenantId: ctx.tenantId, id } };
      const found = await tx.customScope.findUnique({ where });
      if (!found) throw notFound('Scope');
      await tx.customScope.update({ where, data: { description } });
      await recordAudit(tx, ctx, {
        type: 'scope.updated',
        subject: { kind: 'scope', id },
        details: { before: { description: found.description }, after: { description } },
      });
    },

    /** Removes a scope in the caller's transaction. @throws NOT_FOUND, CONFLICT `SCOPE_IN_USE` */
    remove,
  };
}

/** See `createScopeCatalogue`. */
export type ScopeCatalogue = ReturnType<typeof createScopeCatalogue>;
