// The two scalars of the contract: DateTime (RFC 3339 s.5.6) and JSON.
// Invariant: a JSON value is bounded in depth and size and names nothing that could reach a prototype.

import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

/** A value as JSON can spell it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

const maxDepth = 10;
const maxCharacters = 16_384;
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);
const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

const refuse = (message: string): never => {
  throw new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
};

function parseDateTime(value: unknown): Date {
  if (typeof value !== 'string' || !dateTime.test(value))
    return refuse('A DateTime is written as 2026-01-31T12:00:00Z.');
  const date = new Date(value);
  // 31 February would roll over into March without this.
  const day = Number(value.slice(8, 10));
  const lastDay = new Date(Date.UTC(Number(value.slice(0, 4)), Number(value.slice(5, 7)), 0)).getUTCDate();
  if (Number.isNaN(date.getTime()) || day > lastDay) return refuse('There is no such moment.');
  return date;
}

/** A moment, always written in UTC. */
export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment in time (RFC 3339), such as `2026-01-31T12:00:00.000Z`. Answers are in UTC.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (value) => (value instanceof Date ? value : new Date(String(value))).toISOString(),
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(node.kind === Kind.STRING ? node.value : null),
});

/** The value, if it is plain, shallow and small enough; refused with BAD_USER_INPUT otherwise. */
export function boundedJson(value: unknown): JsonValue {
  let left = maxCharacters;
  const visit = (part: unknown, depth: number): JsonValue => {
    if (depth > maxDepth) return refuse(`JSON may be ${maxDepth} levels deep at most.`);
    left -= typeof part === 'string' ? part.length + 2 : 4;
    if (left < 0) return refuse(`JSON may be ${maxCharacters} characters long at most.`);
    if (part === null || typeof part === 'string' || typeof part === 'boolean') return part;
    if (typeof part === 'number') return Number.isFinite(part) ? part : refuse('JSON has no such number.');
    if (Array.isArray(part)) return part.map((item) => visit(item, depth + 1));
    if (typeof part !== 'object') return refuse('Not a JSON value.');
    const entries = Object.entries(part as object).map(([key, item]) => {
      if (forbiddenKeys.has(key)) return refuse('JSON may not use this name.');
      left -= key.length + 3;
      return [key, visit(item, depth + 1)] as const;
    });
    return Object.fromEntries(entries);
  };
  return visit(value, 0);
}

function literalToJson(node: ValueNode, variables: Readonly<Record<string, unknown>> | null | undefined): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.VARIABLE:
      return variables?.[node.name.value] ?? null;
    case Kind.LIST:
      return node.values.map((item) => literalToJson(item, variables));
    case Kind.OBJECT:
      // fromEntries defines own properties: `__proto__` stays a name, and is then refused.
      return Object.fromEntries(node.fields.map((field) => [field.name.value, literalToJson(field.value, variables)]));
  }
}

/** Any JSON value within the bounds. */
export const JsonScalar = new GraphQLScalarType<JsonValue, unknown>({
  name: 'JSON',
  description: `Any JSON value, at most ${maxDepth} levels deep and ${maxCharacters} characters long.`,
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: boundedJson,
  parseLiteral: (node, variables) => boundedJson(literalToJson(node, variables)),
});
