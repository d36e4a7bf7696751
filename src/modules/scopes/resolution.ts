// What a token gets: requested ∩ ceiling ∩ entitled = granted (RFC 6749 s.3.3, s.6).
// The sets are of power, not of spellings, so that whoever may do something may also ask for just that: a requested
// scope is granted as it was spelt when an entitled one satisfies it, be it as `read` = `view` or as wide over `_own`.
// Invariant: whatever is granted is satisfied by the entitled scopes and by the ceiling. Pure.

import { satisfies } from './matching.ts';

/** What is to be brought together. */
export interface ScopeResolution {
  /** Named by the caller; null: none named, all that can be had. An empty list asks for nothing and gets nothing. */
  readonly requested: readonly string[] | null;
  /** What the token may have at most, as from the grant that it continues; null: no such limit. Never left out by mistake. */
  readonly ceiling: readonly string[] | null;
  /** What the principal has now. */
  readonly entitled: readonly string[];
}

/** Both sorted, each scope once. Refused are only scopes that were named. */
export interface ResolvedScopes {
  readonly granted: string[];
  readonly refused: string[];
}

/** Works out what is granted. Refusing the whole request, or leaving out what is refused, is the caller's affair. */
export function resolveScopes({ requested, ceiling, entitled }: ScopeResolution): ResolvedScopes {
  const has = new Set(entitled);
  const limit = ceiling && new Set(ceiling);
  if (!requested) return { granted: [...meet(has, limit)].sort(), refused: [] };

  const granted: string[] = [];
  const refused: string[] = [];
  for (const scope of new Set(requested)) {
    const given = satisfies(has, scope) && (!limit || satisfies(limit, scope));
    (given ? granted : refused).push(scope);
  }
  return { granted: granted.sort(), refused: refused.sort() };
}

/** The entitled scopes within the limit, and where the limit is narrower than an entitled one, the limit's. */
function meet(entitled: ReadonlySet<string>, limit: ReadonlySet<string> | null): ReadonlySet<string> {
  if (!limit) return entitled;
  const both = new Set([...entitled].filter((scope) => satisfies(limit, scope)));
  for (const scope of limit) if (satisfies(entitled, scope) && !satisfies(both, scope)) both.add(scope);
  return both;
}
