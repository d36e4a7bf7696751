// The second wall: a graphql-shield tree derived from what the fields declare. Architecture s.6 and s.10.
// Invariants: root types deny what is not declared; only fields with a rule are wrapped; rules are pure, uncached and
// named after their requirement; no chain, race, or, not. The only file that loads graphql-shield and -middleware.

import { createRequire } from 'node:module';
import { GraphQLError, type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import type * as Middleware from 'graphql-middleware';
import type * as Shield from 'graphql-shield';
import type { Ctx } from '../context.ts';
import { forbidden, unauthenticated } from '../errors/domain-error.ts';
import { type Access, type Decision, decide, describeAccess } from './access.ts';
import { accessOf } from './operation-check.ts';

// CommonJS on purpose: shield's ES modules do not load on Node >= 23.
const load = createRequire(import.meta.url);
const { deny, rule, shield } = load('graphql-shield') as typeof Shield;
const { applyMiddleware } = load('graphql-middleware') as typeof Middleware;

type Rule = ReturnType<ReturnType<typeof rule>>;
type FieldMiddlewares = Record<string, Record<string, GraphQLFieldResolver<unknown, unknown>>>;

/** A root field without `access`: refused whoever asks. */
const undeclared: Decision = { allowed: false, authenticated: true, required: [], missing: [] };

/** The schema with every declared field behind its rule, and every undeclared root field behind a refusal. */
export function applyRuleTree(schema: GraphQLSchema): GraphQLSchema {
  const tree = deriveRuleTree(schema);
  const generator = shield(tree, {
    fallbackRule: deny,
    allowExternalErrors: true,
    // Without it shield returns what a resolver throws as the field's value (harmful if that is no Error), and turns
    // a failing rule into a refusal. Thrown on instead, both end in errors.ts, which masks what is not public.
    debug: true,
    fallbackError: () => refusal(undeclared),
  }) as unknown as { generate(schema: GraphQLSchema): FieldMiddlewares };

  const guarded = applyMiddleware(schema, onlyDeclared(generator.generate(schema), tree));
  guardSubscriptions(guarded);
  return guarded;
}

/** Rules by type and field: one object per distinct requirement. */
export function deriveRuleTree(schema: GraphQLSchema): Record<string, Record<string, Rule>> {
  const roots = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
  const rules = new Map<string, Rule>();
  const tree: Record<string, Record<string, Rule>> = {};
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    const fields: Record<string, Rule> = {};
    for (const field of Object.values(type.getFields())) {
      const access = accessOf(field);
      if (access) fields[field.name] = ruleFor(access, rules);
      else if (roots.has(type)) fields[field.name] = deny as unknown as Rule;
    }
    if (Object.keys(fields).length > 0) tree[type.name] = fields;
  }
  return tree;
}

function ruleFor(access: Access, rules: Map<string, Rule>): Rule {
  const name = describeAccess(access);
  let known = rules.get(name);
  if (!known) {
    known = rule(name, { cache: 'no_cache' })((_parent, _args, ctx: Ctx) => {
      // A context without a principal member is a mistake of ours, not a guest.
      const decision = decide(access, ctx.principal ?? null);
      return decision.allowed || refusal(decision);
    });
    rules.set(name, known);
  }
  return known;
}

/** Shield wraps every field of a type; the ones without a rule run bare, or wide lists cost five times as much. */
function onlyDeclared(all: FieldMiddlewares, tree: Record<string, Record<string, Rule>>): FieldMiddlewares {
  const kept: FieldMiddlewares = {};
  for (const [type, rules] of Object.entries(tree)) {
    kept[type] = Object.fromEntries(Object.keys(rules).map((field) => [field, all[type]![field]!]));
  }
  return kept;
}

/** graphql-middleware leaves `subscribe` alone where there is a `resolve`, so the source would start before the rule. */
function guardSubscriptions(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    const access = accessOf(field);
    const start = field.subscribe;
    if (!start) continue;
    const guarded: GraphQLFieldResolver<unknown, Ctx> = (parent, args, ctx, info) => {
      if (!access) throw refusal(undeclared);
      const decision = decide(access, ctx.principal ?? null);
      if (!decision.allowed) throw refusal(decision);
      return start(parent, args, ctx, info);
    };
    field.subscribe = guarded;
  }
}

/** A GraphQLError with a code of its own, so that it stays a refusal even where nothing translates errors. */
function refusal(decision: Decision): GraphQLError {
  const error =
    decision.allowed || decision.authenticated
      ? forbidden(decision.allowed ? [] : decision.required, decision.allowed ? [] : decision.missing)
      : unauthenticated();
  return new GraphQLError(error.message, { originalError: error, extensions: { code: error.code, ...error.details } });
}
