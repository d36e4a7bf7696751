// Roles speak of actions and resources, scopes do not. For people who build roles, and for nothing else, a scope is
// taken apart: `iam.group_read` is the action `read` on the resource `iam.group`. Pure.
// Invariant: put together again the parts are the scope; whether a token may do something never depends on them.

import type { ScopeEntry } from '../scopes/custom-scopes.ts';
import { synonymsOf } from '../scopes/matching.ts';

/** An action that roles can allow. Its id is its name. */
export interface Permission {
  readonly id: string;
  readonly action: string;
  readonly description: string;
}

/** Something that roles can be applied to. Its id is `service.name`. */
export interface Resource {
  readonly id: string;
  readonly service: string;
  readonly name: string;
  readonly description: string;
}

/** The first of these words begins the action: what follows qualifies it, as in `read_own`. */
const verbs =
  /^(.+?)_((?:calculate|create|delete|edit|introspect|manage|match|own|post|publish|read|readascustomer|redeem|trigger|unpublish|update|updateascustomer|view)(?:_.+)?)$/;
const lastWord = /^(.+)_([^_]+)$/;

function takeApart({ id, service }: ScopeEntry): { service: string; name: string; action: string } | null {
  const rest = id.slice(service.length + 1);
  const [, name, action] = verbs.exec(rest) ?? lastWord.exec(rest) ?? [];
  return name && action ? { service, name, action } : null;
}

const byId = <Item extends { readonly id: string }>(items: Iterable<Item>): Item[] =>
  [...items].sort((one, other) => (one.id < other.id ? -1 : 1));

/** Every action that some scope of the tenant ends in, sorted. */
export function permissionsOf(scopes: readonly ScopeEntry[]): Permission[] {
  const found = new Map<string, Permission>();
  for (const scope of scopes) {
    const { action } = takeApart(scope) ?? {};
    if (!action || found.has(action)) continue;
    found.set(action, { id: action, action, description: `On a resource it gives scopes such as ${scope.id}.` });
  }
  return byId(found.values());
}

/** Every resource that some scope of the tenant is about, sorted. */
export function resourcesOf(scopes: readonly ScopeEntry[]): Resource[] {
  const found = new Map<string, Resource>();
  for (const scope of scopes) {
    const parts = takeApart(scope);
    if (!parts) continue;
    const { service, name } = parts;
    const id = `${service}.${name}`;
    if (!found.has(id)) found.set(id, { id, service, name, description: `What scopes such as ${scope.id} are about.` });
  }
  return byId(found.values());
}

/** What a role's actions give on a resource: the scopes among them that there are, `read` being `view`. */
export function scopesOfRole(
  actions: readonly string[],
  resourceId: string,
  isScope: (scope: string) => boolean,
): string[] {
  const given = actions.flatMap((action) => {
    const scope = `${resourceId}_${action}`;
    return [scope, ...synonymsOf(scope)].find(isScope) ?? [];
  });
  return [...new Set(given)].sort();
}
