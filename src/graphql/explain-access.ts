// Query.explainAccess: the check without the operation. contract.graphql; security.md cases 88 and 129.
// Invariants: the document passes the same limits and the same validation as one that is to run, and is then only
// looked at: no resolver runs and nothing is written. The command line calls `explainOperation` as the field does.

import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getLocation,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  specifiedRules,
  validate,
} from 'graphql';
import type { Ctx } from '../context.ts';
import { badInput } from '../errors/domain-error.ts';
import { authenticated } from '../permissions/access.ts';
import { type AccessExplanation, explain, type FieldAccess, type ScopeGrant } from '../permissions/explanation.ts';
import { coercedVariables, type OperationRequirements, requirementsOf } from '../permissions/operation-check.ts';
import { builder } from './builder.ts';
import type { Services } from './context.ts';
import { checkDocumentLimits, parseWithinLimits } from './document-limits.ts';
import { publicMessage } from './errors.ts';
import type { JsonValue } from './scalars.ts';

/** What is to be explained, and to whom. */
export interface ExplainRequest {
  readonly operation: string;
  readonly variables?: JsonValue | undefined;
  /** Which operation, where the document has several. */
  readonly operationName?: string | null | undefined;
  /** Absent: the caller. */
  readonly principal?: string | null | undefined;
  /** For a customer as `principal`: the company acted for. */
  readonly legalEntityId?: string | null | undefined;
}

/**
 * Would this operation be allowed, and why?
 * @throws BAD_USER_INPUT, OPERATION_TOO_COMPLEX, and for another principal what `tokenPreviews.ofPrincipal` throws
 */
export async function explainOperation(
  schema: GraphQLSchema,
  services: Pick<Services, 'documentOptions' | 'tokenPreviews'>,
  ctx: Ctx,
  request: ExplainRequest,
): Promise<AccessExplanation> {
  const { principal = null, legalEntityId = null } = request;
  if (principal === null && legalEntityId !== null) {
    throw badInput('legalEntityId', 'The token says which company the caller acts for. Name a customer as principal.');
  }
  const requirements = readRequirements(schema, services.documentOptions, request);
  const { tokenPreviews } = services;
  const holder = await (principal === null
    ? tokenPreviews.ofCaller(ctx)
    : tokenPreviews.ofPrincipal(ctx, principal, legalEntityId));
  return explain(requirements, holder);
}

function readRequirements(
  schema: GraphQLSchema,
  options: Services['documentOptions'],
  { operation: source, variables: given = null, operationName = null }: ExplainRequest,
): OperationRequirements {
  if (!isVariables(given)) throw badInput('variables', 'Variables are an object, by name.');
  const document = parseOperation(source);
  checkDocumentLimits(schema, document, given ?? {}, options);
  const rules = options.introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const [mistake] = validate(schema, document, rules);
  if (mistake) throw refused(mistake);
  const operation = getOperationAST(document, operationName);
  if (!operation) throw badInput('operationName', 'Name one operation of the document.');
  return requirementsOf(schema, document, operation, coercedVariables(schema, operation, given));
}

const isVariables = (value: JsonValue): value is { readonly [name: string]: JsonValue } | null =>
  typeof value === 'object' && !Array.isArray(value);

function parseOperation(source: string): DocumentNode {
  try {
    return parseWithinLimits(source);
  } catch (error) {
    throw error instanceof GraphQLError ? refused(error) : error;
  }
}

/** Where in the document, and what: never with guesses at names, wherever introspection is on or off. */
function refused({ message, source, positions }: GraphQLError) {
  const at = source && positions?.[0] !== undefined ? getLocation(source, positions[0]) : null;
  const told = publicMessage(message).replace(/^Syntax Error: /, '');
  return badInput('operation', at ? `Line ${at.line}, column ${at.column}: ${told}` : told);
}

const ScopeGrantType = builder.objectRef<ScopeGrant>('ScopeGrant').implement({
  description: 'A scope that is held, and through what.',
  fields: (t) => ({
    scope: t.exposeString('scope', { description: 'The scope as the token carries it.' }),
    source: t.exposeString('source', {
      description:
        'Such as `group Support > template Readers > access control IAM_USERS_VIEWER`, `client demo-crm` or ' +
        '`predefined set for customers`, as it is now.',
    }),
  }),
});

const FieldAccessType = builder.objectRef<FieldAccess>('FieldAccess').implement({
  description: 'One selected field that declares what it needs, and what that comes to.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Where it stands in the answer: response keys, joined by dots.' }),
    field: t.exposeString('field', {
      description: '`Type.field`: one entry for each type that could stand there, where several could.',
    }),
    allowed: t.exposeBoolean('allowed', { description: 'Is what the field needs there?' }),
    needs: t.exposeString('needs', { description: 'What the field needs, in words.' }),
    requires: t.field({
      type: t.listRef(t.listRef('String')),
      description: 'Any of these lists suffices, all of its scopes. Empty: no scope is needed.',
      resolve: ({ requires }) => requires.map((all) => [...all]),
    }),
    missing: t.stringList({
      description: 'The scopes that are missing for the list that lacks the fewest.',
      resolve: ({ missing }) => [...missing],
    }),
    grantedBy: t.field({
      type: [ScopeGrantType],
      description: 'The scopes that serve for this field, each with everything that gives it.',
      resolve: ({ grantedBy }) => [...grantedBy],
    }),
  }),
});

const AccessExplanationType = builder.objectRef<AccessExplanation>('AccessExplanation').implement({
  description: 'Why an operation would be allowed or refused. What single records add to that is not foreseen.',
  fields: (t) => ({
    allowed: t.exposeBoolean('allowed', { description: 'Would it be run?' }),
    mayHaveToken: t.exposeBoolean('mayHaveToken', {
      description:
        'Is there a token for the principal at all? Not for a disabled one, nor for a client without scopes: only ' +
        'what is public is allowed then.',
    }),
    fields: t.field({
      type: [FieldAccessType],
      description: 'Every selected field that declares what it needs.',
      resolve: ({ fields }) => [...fields],
    }),
    minimalScopes: t.stringList({
      description:
        'Scopes that suffice for the whole operation, none of them to spare, sorted. Which kind of token it needs ' +
        'besides, the fields say.',
      resolve: ({ minimalScopes }) => [...minimalScopes],
    }),
  }),
});

builder.queryField('explainAccess', (t) =>
  t.field({
    type: AccessExplanationType,
    description:
      'Would this operation be allowed, field by field, and through what? It is never run. Errors: BAD_USER_INPUT, ' +
      'OPERATION_TOO_COMPLEX, FORBIDDEN, NOT_FOUND, ACCESS_DENIED.',
    access: authenticated,
    args: {
      operation: t.arg.string({ required: true, description: 'The document, within the limits of any other.' }),
      variables: t.arg({
        type: 'JSON',
        description: 'Its variables, as an object: they decide about `@skip` and `@include`.',
      }),
      operationName: t.arg.string({ description: 'Which operation, where the document has several.' }),
      principal: t.arg.id({
        description:
          'For whom, instead of the caller: an employee, a customer or a client of the tenant, of a storefront its ' +
          'guests, with a token issued now. Needs `iam.access_read`. An id alone, or `employee:`, `customer:` or ' +
          '`client:` before it, where ids of several kinds are the same.',
      }),
      legalEntityId: t.arg.id({ description: 'For a customer as `principal`: the company acted for.' }),
    },
    resolve: (_root, args, ctx, { schema }) => explainOperation(schema, ctx.services, ctx, args),
  }),
);
