// The second wall alone: graphql-shield's tree, executed by graphql-js without Yoga and without the first check.
// Architecture s.6 and s.10; security.md s.4 (graphql-shield), cases 94, 95, 97 and 134.

import { execute, type GraphQLSchema, parse, subscribe } from 'graphql';
import { expect, it } from 'vitest';
import type { Principal } from '../../src/modules/principals/principal.ts';
import { requires } from '../../src/permissions/access.ts';
import { applyRuleTree, deriveRuleTree } from '../../src/permissions/rule-tree.ts';
import { clientWith, codeOf, contextOf, smallBuilder, smallSchema } from './given.ts';

const run = async (schema: GraphQLSchema, query: string, principal: Principal | null) =>
  execute({ schema, document: parse(query), contextValue: contextOf(principal) });

it.each([
  ['a root field', '{ groups { totalCount } }', ['iam.group_read']],
  ['an object field behind an alias', '{ openGroup { name: scopes } }', ['iam.access_read']],
  ['a field inherited from an interface', '{ currentPrincipal { sessions } }', ['oauth.session_read']],
  ['a member of a union', '{ member { ... on Employee { salary } } }', ['iam.user_read']],
  ['a payload', 'mutation { touch { scopes } }', ['iam.access_read']],
  ['a connection inside an object', '{ openGroup { members { nodes { __typename } } } }', ['iam.user_read']],
])('case 94: %s is refused with what is missing', async (_name, query, missingScopes) => {
  const { guarded } = smallSchema();
  expect(codeOf(await run(guarded, query, null))).toBe('UNAUTHENTICATED');
  const refused = await run(guarded, query, clientWith());
  expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes });
  expect(codeOf(await run(guarded, query, clientWith(...missingScopes)))).toBe('ok');
});

it('case 95: a root field whose declaration was bypassed is FORBIDDEN, even to the mightiest', async () => {
  const { plain, ran } = smallSchema();
  delete (plain.getQueryType()!.getFields().hello!.extensions as { access?: unknown }).access;
  expect(codeOf(await run(applyRuleTree(plain), '{ hello }', clientWith('iam.group_read')))).toBe('FORBIDDEN');
  expect(ran).toEqual([]);
});

it('case 97: the source of a subscription does not start without the scope', async () => {
  const { guarded, ran } = smallSchema();
  const follow = (principal: Principal | null) =>
    subscribe({ schema: guarded, document: parse('subscription { revocations }'), contextValue: contextOf(principal) });
  expect(codeOf((await follow(null)) as object)).toBe('UNAUTHENTICATED');
  expect(codeOf((await follow(clientWith())) as object)).toBe('FORBIDDEN');
  expect(ran).toEqual([]);
  const stream = (await follow(clientWith('oauth.revocation_read'))) as AsyncGenerator;
  expect(ran).toEqual(['source of revocations']);
  await stream.return(undefined);
});

it('case 134: a rule that fails is a failure, not a refusal and not an answer', async () => {
  const { builder, ran } = smallBuilder();
  const broken = requires('iam.group_read');
  builder.queryField('broken', (t) => t.string({ access: broken, resolve: () => `${ran.push('broken')} secret` }));
  const schema = builder.toSchema();
  const guarded = applyRuleTree(schema);
  (broken as { scopes: unknown }).scopes = null;
  const result = await run(guarded, '{ broken }', clientWith('iam.group_read'));
  expect(result.data).toBeNull();
  expect(result.errors?.[0]?.originalError).toBeInstanceOf(TypeError);
  expect(ran).toEqual([]);
});

it('case 93: what a resolver throws never becomes the value of its field, even if it is no Error', async () => {
  const { guarded } = smallSchema();
  const result = await run(guarded, '{ fail(how: "text") }', null);
  expect(result.data).toEqual({ fail: null });
  expect(result.errors).toHaveLength(1);
});

it('wraps only fields with a rule, and shares one rule among fields with one requirement', () => {
  const { plain, guarded } = smallSchema();
  const resolver = (schema: GraphQLSchema, type: string, field: string) =>
    (schema.getType(type) as ReturnType<GraphQLSchema['getQueryType']>)!.getFields()[field]!.resolve;
  expect(resolver(guarded, 'Group', 'parent')).toBe(resolver(plain, 'Group', 'parent'));
  expect(resolver(guarded, 'Group', 'name')).toBe(resolver(plain, 'Group', 'name'));
  expect(resolver(guarded, 'Group', 'scopes')).not.toBe(resolver(plain, 'Group', 'scopes'));
  const tree = deriveRuleTree(plain);
  expect(tree.EmployeePrincipal!.name).toBe(tree.Employee!.salary);
  expect(tree.EmployeePrincipal!.name).toMatchObject({ name: 'Needs `iam.user_read`.', cache: 'no_cache' });
});

it('never remembers an answer for another caller', async () => {
  const { guarded } = smallSchema();
  const context = contextOf(clientWith('iam.group_read'));
  const document = parse('{ groups { totalCount } }');
  expect(codeOf(await execute({ schema: guarded, document, contextValue: context }))).toBe('ok');
  (context as { principal: unknown }).principal = null;
  expect(codeOf(await execute({ schema: guarded, document, contextValue: context }))).toBe('UNAUTHENTICATED');
});
