// Operations generated from the schema that is served, so that what is added later is tested without being listed.

import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { schema } from '../../src/graphql/schema.ts';
import type { Access } from '../../src/permissions/access.ts';
import { accessOf } from '../../src/permissions/operation-check.ts';

/** A field of a root type. */
export interface RootField {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly name: string;
  readonly field: GraphQLField<unknown, unknown>;
  readonly access: Access;
}

/** Every field of Query, Mutation and Subscription. */
export const rootFields: readonly RootField[] = (['query', 'mutation', 'subscription'] as const).flatMap((kind) =>
  Object.values(schema.getRootType(kind as never)!.getFields()).map((field) => ({
    kind,
    name: field.name,
    field,
    access: accessOf(field)!,
  })),
);

/** A place where a caller puts a scalar: `input.email` of `issueCustomerToken`. */
export interface Leaf {
  readonly path: string;
  readonly type: string;
}

/** What is at a leaf; `undefined` leaves it out. */
export type ValueAt = (leaf: Leaf) => unknown;

/** Every scalar among the arguments of a field. */
export function leavesOf({ field }: RootField): Leaf[] {
  const found: Leaf[] = [];
  inputsOf(field, (leaf) => void found.push(leaf));
  return found;
}

/** The variables of `operationOf`. */
export const inputsOf = (field: GraphQLField<unknown, unknown>, valueAt: ValueAt): Record<string, unknown> =>
  Object.fromEntries(
    field.args
      .map((arg) => [arg.name, inputOf(arg.type, arg.name, valueAt)] as const)
      .filter(([, value]) => value !== undefined),
  );

function inputOf(type: GraphQLInputType, path: string, valueAt: ValueAt): unknown {
  if (isNonNullType(type)) return inputOf(type.ofType, path, valueAt);
  if (isListType(type)) {
    const item = inputOf(type.ofType, path, valueAt);
    return item === undefined ? undefined : [item];
  }
  if (isInputObjectType(type)) {
    const entries = Object.values(type.getFields()).map(
      (field) => [field.name, inputOf(field.type, `${path}.${field.name}`, valueAt)] as const,
    );
    const given = entries.filter(([, value]) => value !== undefined);
    // An input inside of another may stay away; one that is an argument may be without fields.
    return given.length === 0 && path.includes('.') ? undefined : Object.fromEntries(given);
  }
  return valueAt({ path, type: isEnumType(type) ? 'enum' : type.name });
}

/** The field with all of its arguments as variables, selecting everything below down to `depth`. */
export function operationOf({ kind, field }: RootField, depth = 3): string {
  const declared = field.args.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const passed = field.args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  return `${kind} Generated${declared && `(${declared})`} { ${field.name}${passed && `(${passed})`} ${selectionOf(field.type, depth)} }`;
}

/** Everything that can be selected of a type without arguments. Aliased per member of a union or interface. */
export function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  const parts = ['__typename'];
  if (isObjectType(named) || isInterfaceType(named)) parts.push(...fieldsOf(named, depth));
  if (isAbstractType(named)) {
    for (const member of schema.getPossibleTypes(named)) {
      const already = isInterfaceType(named) ? named.getFields() : {};
      const own = fieldsOf(member, depth, (name) => !(name in already));
      if (own.length > 0) parts.push(`... on ${member.name} { ${own.join(' ')} }`);
    }
  }
  return `{ ${parts.join(' ')} }`;
}

function fieldsOf(type: GraphQLNamedType, depth: number, wanted: (name: string) => boolean = () => true): string[] {
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields())
    .filter((field) => wanted(field.name) && !field.args.some((arg) => isNonNullType(arg.type)))
    .filter((field) => depth > 0 || isLeafType(getNamedType(field.type)))
    .map((field) => `${field.name} ${selectionOf(field.type, depth - 1)}`.trim());
}

/** A way to a field that declares scopes. */
export interface ProtectedPath {
  readonly query: string;
  /** `Type.field`, or several where an interface could be several types. */
  readonly field: string;
  /** One alternative that the field asks for. */
  readonly scopes: readonly string[];
  /** What the way there asks for. */
  readonly others: readonly string[];
}

/**
 * Every way of up to `steps` fields from a root to a field that declares scopes: plain, by alias, by fragment and by
 * inline fragment; those of exactly `steps` fields in one of these, in turn. Mandatory arguments are given as `argument` says.
 */
export function pathsToProtectedFields(steps: number, argument: (type: GraphQLInputType) => string): ProtectedPath[] {
  const found: ProtectedPath[] = [];
  let longest = 0;
  const scopesOf = (field: GraphQLField<unknown, unknown>): readonly string[] => {
    const access = accessOf(field);
    return access?.kind === 'scopes' ? access.scopes[0]! : [];
  };

  function walk(
    type: GraphQLNamedType,
    left: number,
    wrap: (inner: string, fragments: string) => string,
    held: readonly string[],
  ): void {
    if (isUnionType(type) || isInterfaceType(type)) {
      for (const member of schema.getPossibleTypes(type)) {
        walk(member, left, (inner, more) => wrap(`... on ${member.name} { ${inner} }`, more), held);
      }
    }
    if (!(isObjectType(type) || isInterfaceType(type)) || left === 0) return;
    for (const field of Object.values(type.getFields())) {
      const args = field.args
        .filter((arg) => isNonNullType(arg.type))
        .map((arg) => `${arg.name}: ${argument(arg.type)}`)
        .join(', ');
      const called = `${field.name}${args && `(${args})`}`;
      const result = getNamedType(field.type);
      const leaf = isLeafType(result) ? '' : ' { __typename }';
      const scopes = scopesOf(field);
      if (scopes.length > 0 && !scopes.every((scope) => held.includes(scope))) {
        const shapes: [string, string][] = [
          [`${called}${leaf}`, ''],
          [`x: ${called}${leaf}`, ''],
          [`... { ... on ${type.name} { x: ${called}${leaf} } }`, ''],
          ['...P', ` fragment P on ${type.name} { ...Q } fragment Q on ${type.name} { y: ${called}${leaf} }`],
          [`${type.name === 'Subscription' ? '' : '__typename '}${called} @include(if: true)${leaf}`, ''],
        ];
        // The longest paths are most of all: each in one shape, in turn.
        const asked = left > 1 ? shapes : [shapes[longest++ % shapes.length]!];
        for (const [inner, fragments] of asked) {
          found.push({ query: wrap(inner, fragments), field: `${type.name}.${field.name}`, scopes, others: held });
        }
      }
      if (!isLeafType(result)) {
        const here = (inner: string, more: string) => wrap(`${called} { ${inner} }`, more);
        walk(result, left - 1, here, [...new Set([...held, ...scopes])]);
      }
    }
  }

  for (const kind of ['query', 'mutation', 'subscription'] as const) {
    const root = schema.getRootType(kind as never);
    if (root) walk(root, steps, (inner, fragments) => `${kind} { ${inner} }${fragments}`, []);
  }
  return found;
}
