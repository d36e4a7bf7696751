// How much one operation may ask for. security.md s.2 and cases 83 to 90.

import { getIntrospectionQuery } from 'graphql';
import { describe, expect, it } from 'vitest';
import { checkDocumentLimits, parseWithinLimits } from '../../src/graphql/document-limits.ts';
import { clientWith, codeOf, serverOf, smallSchema } from './given.ts';

const { guarded, ran } = smallSchema();
const server = serverOf(guarded);
const times = (count: number, part: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => part(at)).join(' ');
const nested = (levels: number) => `{ openGroup ${'{ parent '.repeat(levels - 2)} { id } ${'} '.repeat(levels - 2)} }`;
const fanOut = (levels: number) =>
  `{ openGroup { ...F0 } } ${times(levels, (at) => `fragment F${at} on Group { ...F${at + 1} parent { ...F${at + 1} } }`)} fragment F${levels} on Group { a: id b: id }`;

const tooComplex: [string, string, string][] = [
  ['case 83', 'depth 13', nested(13)],
  ['case 83', 'depth 4 000', nested(4_000)],
  ['case 83', 'depth 20 000', nested(20_000)],
  ['case 83', '20 000 nested list literals', `{ json(value: ${'['.repeat(20_000)}${']'.repeat(20_000)}) }`],
  [
    'case 83',
    'five connections inside one another',
    '{ groups { nodes { members { nodes { ... on Customer { id } } } parent { parent { parent { members { edges { node { ... on Customer { id } } } } } } } } } }',
  ],
  ['case 84', '5 000 aliases', `{ ${times(5_000, (at) => `a${at}: hello`)} }`],
  ['case 84', '16 aliases', `{ openGroup { ${times(16, (at) => `a${at}: id`)} } }`],
  ['case 84', 'one field 10 000 times', `{ ${times(10_000, () => 'hello')} }`],
  ['case 84', '20 000 unknown directives', `{ hello ${times(20_000, () => '@aa')} }`],
  ['case 84', '11 directives', `{ hello ${times(11, () => '@skip(if: false)')} }`],
  ['case 84', '1 000 root fields', `{ ${times(1_000, () => 'signingKeys')} }`],
  [
    'case 84',
    '11 root fields through fragments',
    `{ ...A ...A ...A } fragment A on Query { hello me customersOnly signingKeys }`,
  ],
  ['case 85', '10 000 repeated fields', `{ openGroup { ${times(10_000, () => 'id')} } }`],
  [
    'case 85',
    '150 times 60 inline fragments',
    `{ openGroup { ${times(150, () => `... on Group { ${times(60, () => '... on Group { id }')} }`)} } }`,
  ],
  [
    'case 86',
    'a fragment that contains itself',
    '{ openGroup { ...A } } fragment A on Group { parent { ...B } } fragment B on Group { ...A }',
  ],
  ['case 86', 'a 24-level double fan-out', fanOut(24)],
  [
    'case 86',
    'a deep fragment named __schema',
    `{ openGroup { ...__schema } } fragment __schema on Group ${nested(14).slice(12, -2)}`,
  ],
  ['case 90', 'two issues by alias', 'mutation { a: issueCustomerToken b: issueCustomerToken }'],
  ['case 90', 'two issues by fragment', 'mutation { ...A ...A } fragment A on Mutation { issueCustomerToken }'],
  ['case 90', 'an issue and a refresh', 'mutation { issueCustomerToken refreshCustomerToken }'],
  ['case 90', '50 single sign-on callbacks', `mutation { ${times(50, (at) => `a${at}: issueSsoToken`)} }`],
  [
    'case 90',
    'credentials in a fragment behind @skip',
    'mutation { touch { id } ...A ...B } fragment A on Mutation { issueCustomerToken @skip(if: true) } fragment B on Mutation { refreshCustomerToken }',
  ],
  ['limits', 'six mutations', `mutation { ${times(6, (at) => `a${at}: touch { id }`)} }`],
  [
    'limits',
    '200 times 50 list items',
    '{ groups(first: 200) { nodes { members(first: 50) { nodes { __typename } } } } }',
  ],
];

it.each(tooComplex)(
  '%s: %s is OPERATION_TOO_COMPLEX within 20 ms, and no resolver runs',
  async (_case, _name, query) => {
    ran.length = 0;
    const everything = clientWith('iam.group_read', 'iam.user_read', 'iam.access_read', 'iam.group_manage');
    let fastest = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) {
      const started = performance.now();
      expect(codeOf(await server.ask(query, everything))).toBe('OPERATION_TOO_COMPLEX');
      fastest = Math.min(fastest, performance.now() - started);
    }
    expect(fastest).toBeLessThan(20);
    expect(ran).toEqual([]);
    expect(server.logged).toEqual([]);
  },
);

it.each([
  ['depth 12', nested(12)],
  ['15 aliases', `{ openGroup { ${times(15, (at) => `a${at}: id`)} } }`],
  [
    '10 directives',
    `{ hello ${times(1, () => '@skip(if: false)')} ${times(9, (at) => `a${at}: hello @skip(if: false)`)} }`,
  ],
  ['five mutations', `mutation { ${times(5, (at) => `a${at}: touch { id }`)} }`],
  ['one credential', 'mutation { issueCustomerToken touch { id } }'],
  [
    'two connections deep',
    '{ groups(first: 50) { nodes { members(first: 50) { edges { node { ... on Customer { id } } } } } } }',
  ],
  ['the same fragment twice', '{ openGroup { ...A parent { ...A } } } fragment A on Group { id name }'],
])('%s is within the limits', async (_name, query) => {
  expect(codeOf(await server.ask(query, clientWith('iam.group_read', 'iam.user_read')))).toBe('ok');
});

describe('page sizes', () => {
  const query = 'query ($size: Int = 10) { groups(first: $size) { nodes { members(first: 50) { totalCount } } } }';
  const check = (variables: Record<string, unknown>) => () =>
    checkDocumentLimits(guarded, document, variables, { introspection: false });
  const document = parseWithinLimits(query);

  it('count as variables say, anew for each request', () => {
    expect(check({})).not.toThrow();
    expect(check({ size: 200 })).toThrow(
      expect.objectContaining({ code: 'OPERATION_TOO_COMPLEX', reason: 'LIST_ITEMS' }),
    );
    expect(check({ size: 20 })).not.toThrow();
    expect(check({ size: null })).not.toThrow();
    expect(check({ size: 200 })).toThrow();
  });

  it('mean the default page where they are null, whatever the default value or the other argument says', () => {
    const refused =
      (query: string, variables = {}) =>
      () =>
        checkDocumentLimits(guarded, parseWithinLimits(query), variables, { introspection: false });
    const inside = '{ nodes { members(first: 120) { totalCount } } }';
    expect(refused(`query ($size: Int = 0) { groups(first: $size) ${inside} }`)).not.toThrow();
    expect(refused(`query ($size: Int = 0) { groups(first: $size) ${inside} }`, { size: null })).toThrow();
    expect(refused(`{ groups(first: null, last: 200) ${inside} }`)).toThrow();
    expect(refused(`{ groups(first: null) ${inside} }`)).toThrow();
  });

  it('above 200 are refused, not cut down', async () => {
    const refused = await server.ask('{ groups(first: 201) { totalCount } }', clientWith('iam.group_read'));
    expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'first' });
  });
});

it('case 85: 999 tokens of repeated fields and fragments are judged within 100 ms', async () => {
  const query = `{ openGroup { ${times(150, () => '... on Group { id }')} } }`;
  const started = performance.now();
  await server.ask(query);
  expect(performance.now() - started).toBeLessThan(100);
});

it('GraphiQL’s introspection query is within the limits where introspection is on, and refused where it is off', async () => {
  const open = serverOf(guarded, { introspection: true });
  expect(
    codeOf(
      await open.ask(
        getIntrospectionQuery({
          inputValueDeprecation: true,
          schemaDescription: true,
          specifiedByUrl: true,
          directiveIsRepeatable: true,
          oneOf: true,
        }),
      ),
    ),
  ).toBe('ok');
  expect(codeOf(await server.ask('{ __schema { queryType { name } } }'))).toBe('BAD_USER_INPUT');
  expect(codeOf(await server.ask('{ __type(name: "Group") { name } }'))).toBe('BAD_USER_INPUT');
  expect(codeOf(await server.ask('{ __typename }'))).toBe('ok');
});
