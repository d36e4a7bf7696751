// Does what was granted satisfy what is needed? Equal strings (RFC 6749 s.3.3: case-sensitive) and two rules of
// product.md section 3: `read` and `view` as last word of the action are one permission; the wide scope satisfies `_own`.
// Invariant: nothing else satisfies anything; no patterns, no prefixes, and `_own` never satisfies the wide one.

const own = '_own';
const longestScope = 128;
const mostRemembered = 1024;

// The needed scopes of fields recur with every request. Bounded, because requested scopes are a caller's choice.
const remembered = new Map<string, readonly string[]>();

/** Does any granted scope satisfy the needed one? */
export function satisfies(granted: readonly string[] | ReadonlySet<string>, needed: string): boolean {
  if (isSet(granted)) return granted.has(needed) || satisfiersOf(needed).some((scope) => granted.has(scope));
  return granted.includes(needed) || satisfiersOf(needed).some((scope) => granted.includes(scope));
}

/**
 * The other spellings of the same permission. `_own` says whose records, not what may be done with them, so the word
 * before it is the action's last: `x.y_view_own` is `x.y_read_own`. Were it not, the wide `x.y_view` would satisfy
 * `x.y_read_own` while its own narrowing did not.
 */
export function synonymsOf(scope: string): string[] {
  let end = scope.length;
  while (isNarrowed(scope, end)) end -= own.length;
  const action = scope.slice(0, end);
  if (!lastWordFollowsName(action)) return [];
  if (action.endsWith('_read')) return [`${action.slice(0, -'read'.length)}view${scope.slice(end)}`];
  if (action.endsWith('_view')) return [`${action.slice(0, -'view'.length)}read${scope.slice(end)}`];
  return [];
}

/** Every scope that satisfies this one, beside itself. */
function satisfiersOf(needed: string): readonly string[] {
  // Longer texts are no scopes: nothing but the same text satisfies them, and they are not worth remembering.
  if (needed.length > longestScope) return [];
  let satisfiers = remembered.get(needed);
  if (satisfiers) return satisfiers;

  const found = synonymsOf(needed);
  for (let end = needed.length; isNarrowed(needed, end); ) {
    end -= own.length;
    const wide = needed.slice(0, end);
    found.push(wide, ...synonymsOf(wide));
  }
  satisfiers = found;
  if (remembered.size >= mostRemembered) remembered.delete(remembered.keys().next().value as string);
  remembered.set(needed, satisfiers);
  return satisfiers;
}

/** Does the text up to `end` end in `_own`, with something between it and the service? */
function isNarrowed(scope: string, end: number): boolean {
  const dot = scope.indexOf('.');
  return dot > 0 && end - own.length > dot + 1 && scope.endsWith(own, end);
}

/** Is there a service, and a name before the last underscore? In `x.read` nothing says that `read` is an action. */
function lastWordFollowsName(scope: string): boolean {
  const dot = scope.indexOf('.');
  return dot > 0 && scope.lastIndexOf('_') > dot + 1;
}

const isSet = (granted: readonly string[] | ReadonlySet<string>): granted is ReadonlySet<string> =>
  granted instanceof Set;
