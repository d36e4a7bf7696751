// The first wall alone: the pure check. Architecture s.6; security.md case 94.

import { buildSchema, getOperationAST, parse } from 'graphql';
import { expect, it } from 'vitest';
import { checkOperation, requirementsOf } from '../../src/permissions/operation-check.ts';
import { clientWith, smallSchema } from './given.ts';

const { plain } = smallSchema();

function check(query: string, scopes: string[] | null, variables: Record<string, unknown> = {}) {
  const document = parse(query);
  const operation = getOperationAST(document)!;
  return checkOperation(plain, document, operation, () => variables, scopes && clientWith(...scopes));
}

const missing = (query: string, scopes: string[] | null = [], variables = {}) => {
  const decision = check(query, scopes, variables);
  return decision.allowed ? 'allowed' : decision.authenticated ? decision.missingScopes : 'UNAUTHENTICATED';
};

it('lets a public field pass without a token, and a declared one not', () => {
  expect(missing('{ hello }', null)).toBe('allowed');
  expect(missing('{ me }', null)).toBe('UNAUTHENTICATED');
  expect(missing('{ me }', [])).toBe('allowed');
});

it('reports everything that is missing at once, and every sufficient set', () => {
  expect(check('{ groups { nodes { scopes members { totalCount } } } }', [])).toEqual({
    allowed: false,
    authenticated: true,
    requiredScopes: [
      ['iam.access_read', 'iam.group_read', 'iam.user_read'],
      ['iam.access_read', 'iam.group_read', 'iam.user_read_own'],
    ],
    missingScopes: ['iam.access_read', 'iam.group_read', 'iam.user_read'],
    faults: [],
  });
});

it.each([
  ['a named fragment', 'query { ...F } fragment F on Query { group(id: 1) { ...G } } fragment G on Group { scopes }'],
  ['an inline fragment', '{ ... on Query { ... { group(id: 1) { ... on Group { scopes } } } } }'],
  ['an alias', '{ hello: group(id: 1) { name: scopes } }'],
  ['a fragment spread twice', '{ group(id: 1) { ...G parent { ...G } } } fragment G on Group { scopes }'],
  ['__typename beside it', '{ __typename group(id: 1) { __typename scopes } }'],
])('case 94: follows %s', (_name, query) => {
  expect(missing(query)).toEqual(['iam.access_read', 'iam.group_read']);
});

it('case 94: a field of an interface needs what the interface declares and what each possible type declares', () => {
  expect(missing('{ currentPrincipal { sessions } }')).toEqual(['oauth.session_read']);
  expect(missing('{ currentPrincipal { name } }')).toEqual(['iam.user_read']);
  expect(missing('{ currentPrincipal { id } }')).toBe('allowed');
  expect(missing('{ currentPrincipal { ... on CustomerPrincipal { name } } }')).toBe('allowed');
  expect(missing('{ currentPrincipal { ... on EmployeePrincipal { ... on Principal { name } } } }')).toEqual([
    'iam.user_read',
  ]);
  expect(missing('{ currentPrincipal { ... on CustomerPrincipal { ... on Principal { name } } } }')).toBe('allowed');
});

it('case 94: a field inside a union needs what that member declares', () => {
  expect(missing('{ member { ... on Employee { salary } } }')).toEqual(['iam.user_read']);
  expect(missing('{ member { ... on Customer { id } ... on Employee { id } } }')).toBe('allowed');
});

it('case 94: a payload is checked before the mutation runs', () => {
  expect(missing('mutation { touch { scopes } }')).toEqual(['iam.access_read']);
});

it('@skip and @include count only when they decide definitely', () => {
  expect(missing('{ hello me @skip(if: true) }', null)).toBe('allowed');
  expect(missing('{ hello me @include(if: false) }', null)).toBe('allowed');
  expect(missing('{ hello me @skip(if: false) }', null)).toBe('UNAUTHENTICATED');
  const query = 'query ($yes: Boolean) { hello ... @include(if: $yes) { me } }';
  expect(missing(query, null, { yes: false })).toBe('allowed');
  expect(missing(query, null, { yes: true })).toBe('UNAUTHENTICATED');
  expect(missing(query, null, {})).toBe('UNAUTHENTICATED');
  expect(missing(query, null, { yes: null })).toBe('UNAUTHENTICATED');
  expect(missing(query, null, { yes: 'false' })).toBe('UNAUTHENTICATED');
  expect(missing('{ me @skip(if: true) @include(if: true) hello }', null)).toBe('allowed');
});

it('the same document is judged anew when a variable decides, and remembered when none does', () => {
  const document = parse('query ($yes: Boolean!) { hello me @include(if: $yes) }');
  const operation = getOperationAST(document)!;
  const one = requirementsOf(plain, document, operation, () => ({ yes: false }));
  const other = requirementsOf(plain, document, operation, () => ({ yes: true }));
  expect([one.requirements.length, other.requirements.length]).toEqual([1, 2]);
  const fixed = parse('{ hello me }');
  const again = () => requirementsOf(plain, fixed, getOperationAST(fixed)!, () => ({}));
  expect(again()).toBe(again());
});

it.each([
  ['an unknown field', '{ nothing }'],
  ['a field that is unknown on a type', '{ openGroup { nothing } }'],
  ['a fragment that is missing', '{ hello ...Gone }'],
  ['an unknown type', '{ ... on Nothing { hello } }'],
  ['a field written directly on a union', '{ member { salary } }'],
])('fails closed on %s', (_name, query) => {
  expect(missing(query, ['iam.group_read'])).toEqual([]);
});

it('case 95: a root field without access is refused whoever asks, also by way of a fragment', () => {
  const schema = buildSchema('interface Any { hidden: String } type Query implements Any { hidden: String }');
  for (const query of ['{ hidden }', '{ ...F } fragment F on Query { hidden }', '{ ... on Any { hidden } }']) {
    const document = parse(query);
    const decision = checkOperation(
      schema,
      document,
      getOperationAST(document)!,
      () => ({}),
      clientWith('iam.group_read'),
    );
    expect(decision).toMatchObject({ allowed: false, authenticated: true });
  }
});

it('lists field by field what an explanation shows: path, declaring type, access', () => {
  const document = parse(
    '{ g: group(id: 1) { members { nodes { ... on Employee { pay: salary } } } } currentPrincipal { name } }',
  );
  const { requirements } = requirementsOf(plain, document, getOperationAST(document)!, () => ({}));
  expect(requirements.map(({ path, field }) => `${path} ${field}`)).toEqual([
    'g Query.group',
    'g.members Group.members',
    'g.members.nodes.pay Employee.salary',
    'currentPrincipal Query.currentPrincipal',
    'currentPrincipal.name EmployeePrincipal.name',
  ]);
});

it('case 86: fragment cycles and fan-out cost no more than the document is long', () => {
  const fanOut = Array.from(
    { length: 24 },
    (_, at) => `fragment F${at} on Group { parent { ...F${at + 1} } other: parent { ...F${at + 1} } }`,
  );
  const query = `{ openGroup { ...F0 } } ${fanOut.join(' ')} fragment F24 on Group { scopes ...F0 }`;
  const started = performance.now();
  expect(missing(query)).toEqual(['iam.access_read']);
  expect(performance.now() - started).toBeLessThan(20);
});
