// What a whole operation needs, found before anything runs: the first wall. Architecture s.6; security.md case 94.
// Invariants: pure; linear (each fragment once per parent type, however often it is spread); fails closed on whatever
// it does not know; a field on an interface or union needs what every type that could stand there declares.

import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getVariableValues,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { type DomainError, forbidden, unauthenticated } from '../errors/domain-error.ts';
import { type Access, type Caller, type Decision, decide } from './access.ts';

/** What a field of the built schema declares; undefined: nothing. */
export const accessOf = (field: { readonly extensions: object } | undefined): Access | undefined =>
  (field?.extensions as { access?: Access } | undefined)?.access;

/** One selected field that declares what it needs. */
export interface Requirement {
  /** Response keys, joined by dots; a fragment's fields at the place of its first spread. */
  readonly path: string;
  /** `Type.field`; several for one path where an interface or union could be several types. */
  readonly field: string;
  readonly access: Access;
}

/** What an operation needs. */
export interface OperationRequirements {
  readonly requirements: readonly Requirement[];
  /** Why the operation is refused whoever asks: unknown fields, missing fragments, undeclared root fields. */
  readonly faults: readonly string[];
  /** Does a variable decide about @skip or @include? Then this holds for these variables only. */
  readonly dependsOnVariables: boolean;
  /** The different needs among `requirements`. */
  readonly needs: readonly Access[];
}

/** What is missing, all of it at once. */
export type OperationDecision =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly authenticated: boolean;
      /** Any of these lists suffices for the whole operation, all of its scopes. */
      readonly requiredScopes: readonly (readonly string[])[];
      readonly missingScopes: readonly string[];
      readonly faults: readonly string[];
    };

/** May this caller run this operation? `variables` are coerced, defaults applied; asked for only if they decide. */
export function checkOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: () => Readonly<Record<string, unknown>>,
  principal: Caller | null,
): OperationDecision {
  const { needs, faults } = requirementsOf(schema, document, operation, variables);
  return decideAll(needs, faults, principal);
}

/** The variables of an operation, coerced when they are asked for; none where they do not fit. */
export const coercedVariables =
  (
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    given: Readonly<Record<string, unknown>> | null | undefined,
  ) =>
  (): Readonly<Record<string, unknown>> =>
    // What does not fit decides nothing; execution will say what is wrong with it.
    getVariableValues(schema, operation.variableDefinitions ?? [], { ...given }).coerced ?? {};

const allowed: OperationDecision = { allowed: true };

/** All needs against one caller. */
export function decideAll(
  needs: readonly Access[],
  faults: readonly string[],
  principal: Caller | null,
): OperationDecision {
  const refusals: Extract<Decision, { allowed: false }>[] = [];
  for (const access of needs) {
    const decision = decide(access, principal);
    if (!decision.allowed) refusals.push(decision);
  }
  if (refusals.length === 0 && faults.length === 0) return allowed;
  return {
    allowed: false,
    authenticated: faults.length > 0 || refusals.every((refusal) => refusal.authenticated),
    requiredScopes: allOf(refusals.map((refusal) => refusal.required)),
    missingScopes: [...new Set(refusals.flatMap((refusal) => refusal.missing))].sort(),
    faults,
  };
}

/** The refusal as an error: UNAUTHENTICATED, or FORBIDDEN with everything that is missing. */
export function refusalOf(decision: Exclude<OperationDecision, { allowed: true }>): DomainError {
  return decision.authenticated ? forbidden(decision.requiredScopes, decision.missingScopes) : unauthenticated();
}

const mostAlternatives = 32;

/** Several needs, each any-of-all-of, as one any-of-all-of. Past 32 alternatives a sufficient few stand for all. */
export function allOf(needs: readonly (readonly (readonly string[])[])[]): readonly (readonly string[])[] {
  let combined: (readonly string[])[] = [[]];
  for (const alternatives of needs) {
    if (alternatives.length === 0) continue;
    const offered = combined.length * alternatives.length > mostAlternatives ? alternatives.slice(0, 1) : alternatives;
    combined = withoutSupersets(combined.flatMap((one) => offered.map((two) => [...new Set([...one, ...two])].sort())));
  }
  return combined.filter((alternative) => alternative.length > 0);
}

function withoutSupersets(alternatives: (readonly string[])[]): (readonly string[])[] {
  return alternatives.filter((mine, at) =>
    alternatives.every((other, index) => {
      if (index === at || !other.every((scope) => mine.includes(scope))) return true;
      return other.length === mine.length && index > at;
    }),
  );
}

const remembered = new WeakMap<GraphQLSchema, WeakMap<OperationDefinitionNode, OperationRequirements>>();

/** The needs of an operation; remembered per document where no variable decides. */
export function requirementsOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: () => Readonly<Record<string, unknown>>,
): OperationRequirements {
  let ofSchema = remembered.get(schema);
  if (!ofSchema) {
    ofSchema = new WeakMap();
    remembered.set(schema, ofSchema);
  }
  const known = ofSchema.get(operation);
  if (known) return known;
  const found = collect(schema, document, operation, variables);
  if (!found.dependsOnVariables) ofSchema.set(operation, found);
  return found;
}

/** Where a selection stands: `declared` is the type it is written against, `bound` the narrowest type known to hold. */
interface Place {
  readonly declared: GraphQLNamedType;
  readonly bound: GraphQLNamedType;
  readonly path: string;
}

function collect(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: () => Readonly<Record<string, unknown>>,
): OperationRequirements {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const requirements = new Map<string, Requirement>();
  const faults = new Set<string>();
  const visited = new Set<string>();
  let dependsOnVariables = false;

  const roots = new Set<GraphQLNamedType | null | undefined>([
    schema.getQueryType(),
    schema.getMutationType(),
    schema.getSubscriptionType(),
  ]);
  const root = schema.getRootType(operation.operation);
  if (root) visitSelections(operation.selectionSet, { declared: root, bound: root, path: '' });
  else faults.add(`There is no ${operation.operation} type.`);

  const needs = [...new Set([...requirements.values()].map((requirement) => requirement.access))];
  return { requirements: [...requirements.values()], faults: [...faults], dependsOnVariables, needs };

  function visitSelections(selections: SelectionSetNode, place: Place): void {
    for (const selection of selections.selections) {
      if (isLeftOut(selection)) continue;
      if (selection.kind === Kind.FIELD) visitField(selection, place);
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition?.name.value;
        const inside = condition === undefined ? place : narrow(place, condition);
        if (inside) visitSelections(selection.selectionSet, inside);
      } else visitSpread(selection.name.value, place);
    }
  }

  function visitSpread(name: string, place: Place): void {
    const fragment = fragments.get(name);
    if (!fragment) return void faults.add(`Fragment ${name} is missing.`);
    const inside = narrow(place, fragment.typeCondition.name.value);
    if (!inside) return;
    const key = `${name} ${inside.bound.name}`;
    if (visited.has(key)) return;
    visited.add(key);
    visitSelections(fragment.selectionSet, inside);
  }

  /** The place inside a type condition. What a document may rightly name is for validation; in doubt it is kept. */
  function narrow(place: Place, condition: string): Place | null {
    const declared = schema.getType(condition);
    if (!declared || !isCompositeType(declared)) {
      faults.add(`Type ${condition} is unknown.`);
      return null;
    }
    return { declared, bound: isWithin(place.bound, declared) ? place.bound : declared, path: place.path };
  }

  function isWithin(inner: GraphQLNamedType, outer: GraphQLNamedType): boolean {
    if (inner === outer) return true;
    if (!isAbstractType(outer)) return false;
    return isObjectType(inner) || isInterfaceType(inner) ? schema.isSubType(outer, inner) : false;
  }

  function visitField(node: FieldNode, place: Place): void {
    const name = node.name.value;
    if (name === '__typename') return;
    // Introspection says what the schema is, never what is in it; whether it is on is decided elsewhere.
    if (place.declared === schema.getQueryType() && (name === '__schema' || name === '__type')) return;

    const responseKey = node.alias?.value ?? name;
    const path = place.path ? `${place.path}.${responseKey}` : responseKey;
    const { declared, bound } = place;
    const field = isObjectType(declared) || isInterfaceType(declared) ? declared.getFields()[name] : undefined;
    if (!field) return void faults.add(`Field ${declared.name}.${name} is unknown.`);

    for (const type of new Set([declared as GraphQLObjectType, ...possibleTypes(bound)])) {
      const access = accessOf(type.getFields()[name]);
      if (access) requirements.set(`${path} ${type.name}`, { path, field: `${type.name}.${name}`, access });
      else if (roots.has(type)) faults.add(`Field ${type.name}.${name} has no access.`);
    }

    if (!node.selectionSet) return;
    const result = getNamedType(field.type);
    const narrower = isObjectType(bound) ? bound.getFields()[name]?.type : undefined;
    visitSelections(node.selectionSet, { declared: result, bound: narrower ? getNamedType(narrower) : result, path });
  }

  function possibleTypes(type: GraphQLNamedType): readonly GraphQLObjectType[] {
    if (isObjectType(type)) return [type];
    return isAbstractType(type) ? schema.getPossibleTypes(type) : [];
  }

  /** Only a definite answer leaves a selection out: in doubt it is selected. */
  function isLeftOut(selection: SelectionNode): boolean {
    let leftOut = false;
    for (const directive of selection.directives ?? []) {
      const name = directive.name.value;
      if (name !== 'skip' && name !== 'include') continue;
      const condition = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
      let value: unknown;
      if (condition?.kind === Kind.BOOLEAN) value = condition.value;
      else if (condition?.kind === Kind.VARIABLE) {
        dependsOnVariables = true;
        value = variables()[condition.name.value];
      }
      if (value === (name === 'skip')) leftOut = true;
    }
    return leftOut;
  }
}
