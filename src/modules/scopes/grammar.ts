// What a scope looks like, and how lists of them are read (RFC 6749 s.3.3): `service.anything`, case-sensitive.
// Only the text before the first dot means something; the rest is opaque (product.md section 3).
// Invariant: linear in the input, and nothing is read before its size is checked.

import { OAuthError } from '../../errors/oauth-error.ts';

const longestScope = 128;
const mostEntries = 200;
const mostCharacters = 4096;

// scope-token = 1*( %x21 / %x23-5B / %x5D-7E ): visible ASCII without quote and backslash.
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

// Emporix puts the tenant into every scope string; clients send it back. It is no permission.
const pseudoScope = 'tenant=';

/** A scope taken apart, as far as that is allowed. */
export interface ParsedScope {
  /** Before the first dot. */
  readonly service: string;
  /** After it. Opaque. */
  readonly name: string;
}

/** The parts of a well-formed scope; null for anything else. Says nothing on whether the scope exists. */
export function parseScope(text: string): ParsedScope | null {
  if (text.length > longestScope || !scopeToken.test(text) || text.startsWith(pseudoScope)) return null;
  const dot = text.indexOf('.');
  if (dot < 1 || dot === text.length - 1) return null;
  return { service: text.slice(0, dot), name: text.slice(dot + 1) };
}

/** Is it a well-formed scope? */
export const isScope = (text: string): boolean => parseScope(text) !== null;

/** The service that a well-formed scope belongs to. */
export function serviceOf(scope: string): string {
  const dot = scope.indexOf('.');
  return dot === -1 ? scope : scope.slice(0, dot);
}

/**
 * The scopes of a `scope` parameter, each once, in the order of their coming. A parameter without a value counts as
 * absent (s.3.2): the transport does not call this for it. What breaks the grammar of the list, so that nobody can
 * say where an entry ends, is `invalid_scope`; a mere stranger such as `*` is returned, and refused as not held.
 */
export function parseScopeList(text: string): string[] {
  if (text.length > mostCharacters) throw tooLarge();
  return normalizeScopes(text.split(' '));
}

/** The same for a list that came as one, as in GraphQL: each scope once, in the order of their coming. */
export function normalizeScopes(list: readonly string[]): string[] {
  if (list.length > mostEntries) throw tooLarge();
  let characters = list.length - 1;
  for (const entry of list) characters += entry.length;
  if (characters > mostCharacters) throw tooLarge();

  const entries = [...new Set(list)];
  const malformed = entries.filter((entry) => !scopeToken.test(entry));
  if (malformed.length > 0) throw new OAuthError('invalid_scope', { details: { refused: malformed.sort() } });
  return entries.filter((entry) => !isPseudoScope(entry));
}

const isPseudoScope = (entry: string) => entry.startsWith(pseudoScope) && entry.length > pseudoScope.length;

const tooLarge = () =>
  new OAuthError('invalid_request', {
    message: `At most ${mostEntries} scopes of ${mostCharacters} characters together can be named.`,
    reason: 'TOO_MANY_SCOPES',
  });
