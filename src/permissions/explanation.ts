// Why an operation is allowed or not, field by field, and the fewest scopes that would do. security.md case 129.
// Invariants: pure; the verdict is that of `decide` and `decideAll`, which enforcement asks too; the minimal scopes
// suffice for all that scopes can decide, and none of them is spare.

import type { PrincipalKind } from '../modules/principals/principal.ts';
import { satisfies } from '../modules/scopes/matching.ts';
import { type Access, type Caller, decide, describeAccess } from './access.ts';
import { allOf, decideAll, type OperationRequirements } from './operation-check.ts';

/** Through what somebody holds scopes, in words: a group and its access control, a client, a predefined set. */
interface ScopeSource {
  readonly source: string;
  readonly scopes: readonly string[];
}

/** Whose access is explained. */
export interface Holder {
  /** Null: nobody in particular. */
  readonly kind: PrincipalKind | null;
  /** False: there is no token for them, so that only what is open is allowed. */
  readonly mayHaveToken: boolean;
  /** What the token carries. */
  readonly scopes: readonly string[];
  readonly sources: readonly ScopeSource[];
}

/** A scope that is held, and through what. */
export interface ScopeGrant {
  readonly scope: string;
  readonly source: string;
}

/** What one need comes to. */
interface ExplainedNeed {
  readonly needs: string;
  readonly requires: readonly (readonly string[])[];
  readonly allowed: boolean;
  readonly missing: readonly string[];
  readonly grantedBy: readonly ScopeGrant[];
}

/** One selected field that declares what it needs. */
export interface FieldAccess extends ExplainedNeed {
  readonly path: string;
  /** `Type.field`. */
  readonly field: string;
}

/** What running the operation would come to. */
export interface AccessExplanation {
  readonly allowed: boolean;
  readonly mayHaveToken: boolean;
  readonly fields: readonly FieldAccess[];
  readonly minimalScopes: readonly string[];
}

/** Explains what an operation needs to whoever holds something, or nothing. */
export function explain(operation: OperationRequirements, holder: Holder): AccessExplanation {
  const { requirements, needs, faults } = operation;
  const explained = new Map(needs.map((access) => [access, explainNeed(access, holder)]));
  return {
    allowed: decideAll(needs, faults, callerOf(holder)).allowed,
    mayHaveToken: holder.mayHaveToken,
    fields: requirements.map(({ path, field, access }) => ({ path, field, ...explained.get(access)! })),
    minimalScopes: minimalScopes(needs, holder.kind),
  };
}

const callerOf = ({ kind, mayHaveToken, scopes }: Holder): Caller | null =>
  kind !== null && mayHaveToken ? { kind, scopes } : null;

const alternativesOf = (access: Access) => (access.kind === 'scopes' ? access.scopes : []);

function explainNeed(access: Access, holder: Holder): ExplainedNeed {
  const decision = decide(access, callerOf(holder));
  const requires = alternativesOf(access);
  return {
    needs: describeAccess(access),
    requires,
    allowed: decision.allowed,
    missing: decision.allowed ? [] : decision.missing,
    grantedBy: grantsOf(requires.flat(), holder),
  };
}

/** The held scopes that serve for one of these, each with whatever gives it; sorted. */
function grantsOf(needed: readonly string[], { scopes, sources }: Holder): ScopeGrant[] {
  const serving = scopes.filter((held) => needed.some((scope) => satisfies([held], scope)));
  return [...new Set(serving)]
    .sort()
    .flatMap((scope) => sourcesOf(scope, sources).map((source) => ({ scope, source })));
}

/** A token may have been asked for a narrower scope than its holder has: then what gives the wider one is the source. */
function sourcesOf(scope: string, sources: readonly ScopeSource[]): string[] {
  const exact = sources.filter((source) => source.scopes.includes(scope));
  const found = exact.length > 0 ? exact : sources.filter((source) => satisfies(source.scopes, scope));
  return [...new Set(found.map(({ source }) => source))].sort();
}

/**
 * Scopes that together suffice for all needs, sorted, without a spare one. As few as can be found; of equally few a
 * customer's are the `_own` ones, and anybody else's those declared first. Needs that no scope can meet are left out.
 */
export function minimalScopes(needs: readonly Access[], kind: PrincipalKind | null): readonly string[] {
  const asked = needs.map(alternativesOf).filter((alternatives) => alternatives.length > 0);
  const suffices = (scopes: readonly string[]) =>
    asked.every((alternatives) => alternatives.some((all) => all.every((scope) => satisfies(scopes, scope))));
  const candidates = allOf(kind === 'customer' ? asked.map(ownFirst) : asked);
  const [first = [], ...others] = candidates.map((candidate) => withoutSpare(candidate, suffices));
  return others.reduce((fewest, scopes) => (scopes.length < fewest.length ? scopes : fewest), first);
}

function ownFirst(alternatives: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const isOwn = (all: readonly string[]) => Number(all.some((scope) => scope.endsWith('_own')));
  return alternatives.toSorted((one, other) => isOwn(other) - isOwn(one));
}

function withoutSpare(scopes: readonly string[], suffices: (scopes: readonly string[]) => boolean): readonly string[] {
  let kept = scopes;
  for (const scope of scopes) {
    const without = kept.filter((other) => other !== scope);
    if (suffices(without)) kept = without;
  }
  return kept;
}
