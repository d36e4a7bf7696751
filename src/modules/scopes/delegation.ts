// Nobody hands out what they lack (security.md case 98): asked on every write that can end in somebody's token.
// Handing out follows the same two rules as using: who holds the wide scope may give its `_own`, and `read` is `view`.
// Invariant: pure; `_own` never hands out the wide one; an unknown scope is one that nobody holds.

import type { Ctx } from '../../context.ts';
import { forbidden } from '../../errors/domain-error.ts';
import { satisfies } from './matching.ts';

/** The scopes among `given` that the holder may not hand out, sorted. Empty: go ahead. */
export function missingToDelegate(held: readonly string[], given: Iterable<string>): string[] {
  const holds = new Set(held);
  return [...new Set(given)].filter((scope) => !satisfies(holds, scope)).sort();
}

/** Asked before a change that gives scopes to anybody. @throws FORBIDDEN listing those that the caller lacks */
export function requireHeld(ctx: Ctx, given: Iterable<string>): void {
  if (ctx.credential === 'operator') return;
  const wanted = [...new Set(given)].sort();
  const missing = missingToDelegate(ctx.principal?.scopes ?? [], wanted);
  if (missing.length > 0) throw forbidden([wanted], missing);
}
