// What a field needs, as data, and the one pure function that decides. Enforcement (before execution and at the
// field), documentation (directives) and the review table are all derived from it.
// Invariant: no database, no clock, no arguments; whatever is not declared is denied.

import type { Principal, PrincipalKind } from '../modules/principals/principal.ts';
import { satisfies } from '../modules/scopes/matching.ts';
import type { BuiltInScope } from '../modules/scopes/registry.ts';

/** What a field needs. */
export type Access =
  | { readonly kind: 'open' }
  | { readonly kind: 'authenticated'; readonly principals: readonly PrincipalKind[] | null }
  | { readonly kind: 'scopes'; readonly scopes: readonly (readonly BuiltInScope[])[] };

/** What may be asked of a caller: what a field needs, or scopes of a tenant's own, which no type knows. */
export type Need = Access | { readonly kind: 'scopes'; readonly scopes: readonly (readonly string[])[] };

/** Public, on purpose. */
export const open: Access = { kind: 'open' };

/** Any valid access token, whatever its scopes. */
export const authenticated: Access = { kind: 'authenticated', principals: null };

/** A valid access token of one of these kinds, whatever its scopes. */
export const authenticatedAs = (...principals: PrincipalKind[]): Access => ({ kind: 'authenticated', principals });

/** All of these scopes. */
export const requires = (...scopes: BuiltInScope[]): Access => ({ kind: 'scopes', scopes: [scopes] });

/** Any one of these scopes. */
export const requiresAnyOf = (...scopes: BuiltInScope[]): Access => ({
  kind: 'scopes',
  scopes: scopes.map((scope) => [scope]),
});

/** What a decision depends on of whoever asks. */
export type Caller = Pick<Principal, 'kind' | 'scopes'>;

/** What `decide` found. `missing`: the scopes of the alternative that lacks the fewest. */
export type Decision =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly authenticated: boolean;
      readonly required: readonly (readonly string[])[];
      readonly missing: readonly string[];
    };

const allowed: Decision = { allowed: true };

/** Does this caller have what is needed? */
export function decide(access: Need, principal: Caller | null): Decision {
  if (access.kind === 'open') return allowed;
  if (!principal) {
    return {
      allowed: false,
      authenticated: false,
      required: access.kind === 'scopes' ? access.scopes : [],
      missing: [],
    };
  }
  if (access.kind === 'authenticated') {
    if (!access.principals || access.principals.includes(principal.kind)) return allowed;
    return { allowed: false, authenticated: true, required: [], missing: [] };
  }
  let fewest: readonly string[] | null = null;
  for (const alternative of access.scopes) {
    const missing = alternative.filter((needed) => !satisfies(principal.scopes, needed));
    if (missing.length === 0) return allowed;
    if (!fewest || missing.length < fewest.length) fewest = missing;
  }
  return { allowed: false, authenticated: true, required: access.scopes, missing: fewest ?? [] };
}

/** The need in words, for descriptions. */
export function describeAccess(access: Access): string {
  if (access.kind === 'open') return 'Public.';
  if (access.kind === 'authenticated') {
    return access.principals
      ? `Needs an access token of a kind among: ${access.principals.join(', ')}.`
      : 'Needs any valid access token.';
  }
  return `Needs ${access.scopes.map((all) => all.map((scope) => `\`${scope}\``).join(' and ')).join(', or ')}.`;
}
