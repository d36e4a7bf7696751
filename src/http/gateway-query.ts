// What a gateway's configuration asks of a request at /forward-auth: the query of the check, which no caller has a hand in.
// Invariant: what is not understood exactly is a fault, and a fault refuses everybody: a slip of the pen must never be a
// wider check (security.md case 130).

import { isScope } from '../modules/scopes/grammar.ts';
import { authenticated, type Need } from '../permissions/access.ts';

/** What the bearer has to have. */
export interface GatewayCheck {
  /** All of these. */
  readonly needs: readonly Need[];
  /** And the `saas-token` beside it. */
  readonly saas: boolean;
  /** Requests without a bearer pass, as nobody's. */
  readonly optional: boolean;
}

/** The query, or what is wrong with it, in words for the operator. */
export type GatewayQuery = { readonly check: GatewayCheck } | { readonly fault: string };

/** Parameters that take one value, and are given once. */
const SWITCHES: Readonly<Record<string, string>> = { saas: 'required', optional: 'true' };

/** Names are quoted in the log; whatever looks like more than one is not. */
const quoted = (name: string) => (/^[\w-]{1,32}$/.test(name) ? `"${name}"` : 'of no proper name');

/** Reads a query, as it came, without the question mark. */
export function readGatewayQuery(query: string): GatewayQuery {
  const lists: { [name in 'scope' | 'any']: string[][] } = { scope: [], any: [] };
  const switches = new Set<string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'scope' || name === 'any') {
      const scopes = value.split(/[ ,]/);
      if (!scopes.every(isScope)) return { fault: `"${name}" has a value that is no list of scopes` };
      lists[name].push(scopes);
    } else if (Object.hasOwn(SWITCHES, name)) {
      if (value !== SWITCHES[name]) return { fault: `"${name}" can be "${SWITCHES[name]}" and nothing else` };
      if (switches.has(name)) return { fault: `"${name}" is given more than once` };
      switches.add(name);
    } else return { fault: `there is no parameter ${quoted(name)}` };
  }
  // Any of these and any of those, or any of all? Nobody has to guess.
  if (lists.any.length > 1) return { fault: '"any" is given more than once' };

  const needs: Need[] = [authenticated];
  if (lists.scope.length > 0) needs.push({ kind: 'scopes', scopes: [lists.scope.flat()] });
  for (const any of lists.any) needs.push({ kind: 'scopes', scopes: any.map((scope) => [scope]) });
  return { check: { needs, saas: switches.has('saas'), optional: switches.has('optional') } };
}
