// How much one operation may ask for. security.md s.2 and cases 83 to 90. Invariants: decided before validation and
// before any resolver; the lexer stops at the token limit; linear (each fragment is measured once, its measure added
// wherever it is spread), so neither cycles nor fan-out cost more than reading the document.

import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  type ValueNode,
  visit,
} from 'graphql';
import { isStorable } from '../database/storable.ts';
import { DomainError } from '../errors/domain-error.ts';
import { badRequest } from './errors.ts';
import { defaultPageSize } from './pagination.ts';

/** What production allows. */
export const documentLimits = {
  tokens: 1_000,
  depth: 12,
  connectionDepth: 3,
  aliases: 15,
  directives: 10,
  queryFields: 10,
  mutations: 5,
  credentialMutations: 1,
  listItems: 5_000,
} as const;

/** What is measured; sums over fragments, the maximum for depth. */
type Measure = Record<
  Exclude<keyof typeof documentLimits, 'tokens' | 'connectionDepth' | 'queryFields' | 'mutations'>,
  number
> & {
  rootFields: number;
};

const tooComplex = (reason: string, message: string) => new DomainError('OPERATION_TOO_COMPLEX', message, { reason });

/** Mutations that try a secret: more than one of them in a request would be guessing behind the rate limits' back. */
const isCredentialMutation = (name: string): boolean =>
  /^(?:issue|refresh)(?:[A-Z]|$)/.test(name) || otherCredentialMutations.has(name);
const otherCredentialMutations = new Set([
  'exchangeToken',
  'startSso',
  'registerCustomer',
  'changePassword',
  'requestPasswordReset',
  'resetPassword',
  'requestEmailChange',
  'confirmCustomer',
  'confirmEmailChange',
]);

/** Reads a document, at most 1 000 tokens of it. */
export function parseWithinLimits(source: string): DocumentNode {
  try {
    const document = parse(source, { maxTokens: documentLimits.tokens });
    // Only an escape can spell what the request itself was searched for.
    if (source.includes('\\u')) visit(document, { StringValue: ({ value }) => refuseUnstorable(value) });
    return document;
  } catch (error) {
    // graphql-js has no other sign of it than the sentence.
    if (error instanceof Error && error.message.includes('Parsing aborted')) {
      throw tooComplex('TOKENS', `An operation may have ${documentLimits.tokens} tokens at most.`);
    }
    throw error;
  }
}

function refuseUnstorable(text: string): void {
  if (!isStorable(text)) throw badRequest('The document holds NUL, or half a character.');
}

/** What a document is judged by, beside the limits. */
export interface DocumentOptions {
  /** With introspection on, `__schema` and `__type` may be as deep as GraphiQL's own query. */
  readonly introspection: boolean;
}

/** Page sizes with which a document was found to be within the limits; an empty text where none is a variable. */
interface Passed {
  readonly sizeVariables: readonly string[];
  readonly sizes: Set<string>;
}
const withinLimits = new WeakMap<GraphQLSchema, WeakMap<DocumentNode, Passed>>();
const mostRememberedSizes = 64;

/**
 * Throws OPERATION_TOO_COMPLEX if any operation of the document is beyond a limit. `variables` as sent: they may name
 * page sizes.
 */
export function checkDocumentLimits(
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
  options: DocumentOptions,
): void {
  let ofSchema = withinLimits.get(schema);
  if (!ofSchema) {
    ofSchema = new WeakMap();
    withinLimits.set(schema, ofSchema);
  }
  const passed = ofSchema.get(document);
  if (passed?.sizes.has(sizesOf(passed.sizeVariables, variables))) return;

  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const sizeVariables = new Set<string>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const found = checkOperation(schema, definition, fragments, variables, options);
    for (const name of found) sizeVariables.add(name);
  }
  const now = passed ?? { sizeVariables: [...sizeVariables], sizes: new Set() };
  if (!passed) ofSchema.set(document, now);
  if (now.sizes.size < mostRememberedSizes) now.sizes.add(sizesOf(now.sizeVariables, variables));
}

/** What the sizes came from: numbers as they are, null and absent apart. */
const sizesOf = (names: readonly string[], variables: Readonly<Record<string, unknown>>): string =>
  names.map((name) => (typeof variables[name] === 'number' ? variables[name] : typeof variables[name])).join();

function checkOperation(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Readonly<Record<string, unknown>>,
  options: DocumentOptions,
): ReadonlySet<string> {
  const measurer = new Measurer(schema, operation, fragments, variables, options);
  const found = measurer.measure(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined);
  found.directives += operation.directives?.length ?? 0;
  const { rootFields, ...measured } = found;
  for (const [name, value] of Object.entries(measured) as [keyof typeof measured, number][]) {
    if (value > documentLimits[name]) throw tooComplex(reasons[name], sentences[name](documentLimits[name]));
  }
  const mostRootFields = operation.operation === 'mutation' ? documentLimits.mutations : documentLimits.queryFields;
  if (rootFields > mostRootFields)
    throw tooComplex('ROOT_FIELDS', `At most ${mostRootFields} fields at the root of a ${operation.operation}.`);
  return measurer.sizeVariables;
}

const reasons = {
  depth: 'DEPTH',
  aliases: 'ALIASES',
  directives: 'DIRECTIVES',
  credentialMutations: 'CREDENTIAL_MUTATIONS',
  listItems: 'LIST_ITEMS',
} satisfies Record<Exclude<keyof Measure, 'rootFields'>, string>;

const sentences = {
  depth: (most) => `An operation may be ${most} levels deep at most; a connection counts as three.`,
  aliases: (most) => `An operation may use ${most} aliases at most.`,
  directives: (most) => `An operation may use ${most} directives at most.`,
  credentialMutations: (most) => `A request may try ${most} credential at most.`,
  listItems: (most) => `An operation may ask for ${most} list items at most, counted by page sizes.`,
} satisfies Record<keyof typeof reasons, (most: number) => string>;

const nothing = (): Measure => ({
  depth: 0,
  aliases: 0,
  directives: 0,
  credentialMutations: 0,
  listItems: 0,
  rootFields: 0,
});

class Measurer {
  /** The variables that name page sizes. */
  readonly sizeVariables = new Set<string>();
  readonly #measured = new Map<string, Measure | 'being measured'>();
  readonly #schema: GraphQLSchema;
  readonly #operation: OperationDefinitionNode;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #options: DocumentOptions;

  constructor(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    variables: Readonly<Record<string, unknown>>,
    options: DocumentOptions,
  ) {
    this.#schema = schema;
    this.#operation = operation;
    this.#fragments = fragments;
    this.#variables = variables;
    this.#options = options;
  }

  /** `type`: what the selections are written against; undefined where the document names what is not there. */
  measure(selections: SelectionSetNode, type: GraphQLNamedType | undefined): Measure {
    const total = nothing();
    for (const selection of selections.selections) {
      total.directives += selection.directives?.length ?? 0;
      if (selection.kind === Kind.FIELD) add(total, this.#field(selection, type));
      else if (selection.kind === Kind.FRAGMENT_SPREAD) add(total, this.#fragment(selection.name.value));
      else {
        const condition = selection.typeCondition?.name.value;
        add(
          total,
          this.measure(selection.selectionSet, condition === undefined ? type : this.#schema.getType(condition)),
        );
      }
    }
    return total;
  }

  #fragment(name: string): Measure {
    const known = this.#measured.get(name);
    if (known === 'being measured') throw tooComplex('FRAGMENT_CYCLE', 'A fragment may not contain itself.');
    if (known) return known;
    const fragment = this.#fragments.get(name);
    if (!fragment) return nothing();
    this.#measured.set(name, 'being measured');
    const measure = this.measure(fragment.selectionSet, this.#schema.getType(fragment.typeCondition.name.value));
    measure.directives += fragment.directives?.length ?? 0;
    this.#measured.set(name, measure);
    return measure;
  }

  #field(node: FieldNode, type: GraphQLNamedType | undefined): Measure {
    const name = node.name.value;
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
    const result = field && getNamedType(field.type);
    const inside = node.selectionSet ? this.measure(node.selectionSet, result) : nothing();
    // Whatever a selection is nested in, its root fields are those of the operation only.
    inside.rootFields = 1;
    inside.credentialMutations = this.#operation.operation === 'mutation' && isCredentialMutation(name) ? 1 : 0;
    if (node.alias) inside.aliases += 1;
    if (this.#options.introspection && (name === '__schema' || name === '__type')) {
      inside.depth = 0;
      return inside;
    }
    if (isConnection(result)) {
      inside.depth += documentLimits.connectionDepth;
      const size = this.#pageSize(node);
      inside.listItems = size + size * inside.listItems;
    } else if (!isConnectionPart(type, name)) inside.depth += 1;
    return inside;
  }

  /** The larger of `first` and `last`; null is as good as absent, so it means the default page. */
  #pageSize(node: FieldNode): number {
    let size: number | null = null;
    for (const argument of node.arguments ?? []) {
      if (argument.name.value !== 'first' && argument.name.value !== 'last') continue;
      const given = this.#intOf(argument.value);
      if (given !== null) size = Math.max(size ?? 0, given);
    }
    return size ?? defaultPageSize;
  }

  #intOf(value: ValueNode): number | null {
    if (value.kind === Kind.INT) return Number(value.value);
    if (value.kind !== Kind.VARIABLE) return null;
    const name = value.name.value;
    this.sizeVariables.add(name);
    // An explicit null overrules the default value (GraphQL s.6.1.2).
    const given = this.#variables[name];
    if (given !== undefined) return typeof given === 'number' && Number.isFinite(given) ? given : null;
    const definition = this.#operation.variableDefinitions?.find(({ variable }) => variable.name.value === name);
    return definition?.defaultValue?.kind === Kind.INT ? Number(definition.defaultValue.value) : null;
  }
}

/** Sums saturate: a fan-out of 2^2000 is just too much. */
function add(total: Measure, more: Measure): void {
  const depth = Math.max(total.depth, more.depth);
  for (const name of Object.keys(total) as (keyof Measure)[]) total[name] = Math.min(total[name] + more[name], 1e9);
  total.depth = depth;
}

const isConnection = (type: GraphQLNamedType | undefined): boolean =>
  isObjectType(type) && type.name.endsWith('Connection') && 'edges' in type.getFields();

/** edges, nodes and node are paid for by the connection. */
const isConnectionPart = (type: GraphQLNamedType | undefined, field: string): boolean =>
  (isConnection(type) && (field === 'edges' || field === 'nodes')) ||
  (field === 'node' && isObjectType(type) && type.name.endsWith('Edge'));
