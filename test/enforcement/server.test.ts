// Both walls behind Yoga, and what the caller is told. security.md cases 87 to 91, 93 to 95, 97 and 134; product.md s.9.

import { type GraphQLSchema, getNamedType, isInterfaceType, isObjectType, isUnionType } from 'graphql';
import { expect, it } from 'vitest';
import { serviceUnavailable } from '../../src/errors/domain-error.ts';
import { OAuthError } from '../../src/errors/oauth-error.ts';
import { maskError } from '../../src/graphql/errors.ts';
import { open, requires } from '../../src/permissions/access.ts';
import { accessOf } from '../../src/permissions/operation-check.ts';
import { applyRuleTree } from '../../src/permissions/rule-tree.ts';
import { clientWith, codeOf, requestOf, serverOf, smallBuilder, smallSchema } from './given.ts';

const preferred = { accept: 'application/graphql-response+json' };

it('a refused operation has run nothing, not even its public fields', async () => {
  const { guarded, ran } = smallSchema();
  const server = serverOf(guarded);
  const refused = await server.ask('mutation { issueCustomerToken createGroup { id } }', clientWith());
  expect(refused).toEqual({
    errors: [
      {
        message: 'The access token does not allow this.',
        extensions: { code: 'FORBIDDEN', requiredScopes: [['iam.group_manage']], missingScopes: ['iam.group_manage'] },
      },
    ],
  });
  expect(ran).toEqual([]);
  expect(codeOf(await server.ask('mutation { touch { scopes } }', clientWith()))).toBe('FORBIDDEN');
  expect(ran).toEqual([]);
});

it('each wall holds where the other is missing', async () => {
  const query = '{ groups { totalCount } }';
  const first = smallSchema();
  expect(codeOf(await serverOf(first.plain).ask(query, clientWith()))).toBe('FORBIDDEN');
  const skipped = '{ groups @include(if: true) { totalCount } }';
  expect(codeOf(await serverOf(first.guarded).ask(skipped, clientWith()))).toBe('FORBIDDEN');
  expect(first.ran).toEqual([]);
});

it('@include by variable: coerced, with its default', async () => {
  const { guarded } = smallSchema();
  const server = serverOf(guarded);
  const query = 'query ($all: Boolean = false) { hello me @include(if: $all) }';
  expect(codeOf(await server.ask(query))).toBe('ok');
  expect(codeOf(await server.ask(query, null, { all: true }))).toBe('UNAUTHENTICATED');
  expect(codeOf(await server.ask(query, null, { all: false }))).toBe('ok');
  expect(codeOf(await server.ask('query ($all: Boolean = true) { hello me @include(if: $all) }'))).toBe(
    'UNAUTHENTICATED',
  );
  expect(codeOf(await server.ask('query ($all: Boolean!) { hello me @include(if: $all) }'))).toBe('UNAUTHENTICATED');
  expect(codeOf(await server.ask('query ($all: Boolean!) { hello me @include(if: $all) }', clientWith(), {}))).toBe(
    'BAD_USER_INPUT',
  );
});

it('refusals are 401 and 403 in application/graphql-response+json, 200 in application/json', async () => {
  const server = serverOf(smallSchema().guarded);
  const status = async (query: string, principal: ReturnType<typeof clientWith> | null, headers = {}) =>
    (await server.fetch({ query }, principal, headers)).status;
  expect(await status('{ me }', null, preferred)).toBe(401);
  expect(await status('{ groups { totalCount } }', clientWith(), preferred)).toBe(403);
  expect(await status('{ me }', null, { accept: 'application/json' })).toBe(200);
  expect(await status('{ groups { totalCount } }', clientWith(), { accept: 'application/json' })).toBe(200);
  expect(await status('{ nothing }', null, preferred)).toBe(400);
  expect(await status('{ hello fail(how: "sql") }', null, preferred)).toBe(200);
});

it.each(['sql', 'prisma', 'text', 'none', 'rejection', 'outage', 'graphql'])(
  'case 93: a resolver that throws (%s) says INTERNAL_SERVER_ERROR and the request id, nothing else',
  async (how) => {
    const server = serverOf(smallSchema().guarded);
    const answer = await server.ask(`{ fail(how: "${how}") }`);
    expect(answer.errors?.[0]?.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', requestId: 'r1' });
    expect(JSON.stringify(answer)).not.toMatch(/secret|SELECT|P2002|stack/);
    expect(server.logged).toMatchObject([{ requestId: 'r1' }]);
  },
);

it('case 93: bad JSON does not repeat the parser’s words', async () => {
  const server = serverOf(smallSchema().guarded);
  for (const body of ['{"query": secret}', 'secret', 'null', '7', '{"query":"{ hello }"} trailing secret', '']) {
    const response = await server.fetch(body, null);
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).not.toMatch(/secret|Unexpected|position/);
    expect(codeOf(JSON.parse(text))).toBe('BAD_USER_INPUT');
  }
  const get = await server.yoga.fetch(
    'http://localhost/graphql?query={hello}&variables=secret',
    {},
    { requestContext: requestOf(null) },
  );
  expect([get.status, await get.text()]).toEqual([400, expect.not.stringContaining('secret')]);
});

it('case 134: a rule that fails serves nothing and is no refusal; an outage is 503', async () => {
  for (const [failure, code, status] of [
    [new Error('secret'), 'INTERNAL_SERVER_ERROR', 500],
    [serviceUnavailable(new Error('secret')), 'SERVICE_UNAVAILABLE', 503],
  ] as const) {
    const { builder, ran } = smallBuilder();
    const broken = requires('iam.group_read');
    builder.queryField('broken', (t) => t.string({ access: broken, resolve: () => `${ran.push('broken')} served` }));
    const schema = applyRuleTree(builder.toSchema());
    Object.defineProperty(broken, 'scopes', {
      get: () => {
        throw failure;
      },
    });
    const server = serverOf(schema);
    const response = await server.fetch({ query: '{ broken }' }, clientWith('iam.group_read'), preferred);
    const text = await response.text();
    expect([response.status, codeOf(JSON.parse(text))]).toEqual([status, code]);
    expect(text).not.toMatch(/secret|served/);
    expect(ran).toEqual([]);
  }
});

it('errors are told in the catalogue’s codes', () => {
  const logger = { error: () => {} };
  const told = (error: unknown) => maskError(error, { requestId: 'r1', logger, suggestions: false }).extensions;
  expect(told(new OAuthError('invalid_token'))).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(told(new OAuthError('insufficient_scope'))).toMatchObject({ code: 'FORBIDDEN' });
  expect(told(new OAuthError('invalid_scope', { reason: 'NOT_GRANTED', details: { refused: ['a.b'] } }))).toMatchObject(
    {
      code: 'INVALID_SCOPE',
      reason: 'NOT_GRANTED',
      refused: ['a.b'],
    },
  );
  expect(told(new OAuthError('invalid_grant', { details: { code: 'FORGED' } }))).toMatchObject({
    code: 'INVALID_GRANT',
  });
});

it('case 89: no suggestions where introspection is off', async () => {
  const { guarded } = smallSchema();
  const ask = (introspection: boolean) => serverOf(guarded, { introspection }).ask('{ hell openGroup { nam } }');
  expect(JSON.stringify(await ask(true))).toContain('Did you mean');
  expect(JSON.stringify(await ask(false))).not.toContain('Did you mean');
});

it('case 88: batches and persisted operations are refused with 400', async () => {
  const server = serverOf(smallSchema().guarded);
  const extensions = { persistedQuery: { version: 1, sha256Hash: 'x' } };
  for (const body of [[{ query: '{ hello }' }], [], { extensions }, { query: '{ hello }', extensions }]) {
    const response = await server.fetch(body, null);
    expect([response.status, codeOf((await response.json()) as object)]).toEqual([400, 'BAD_USER_INPUT']);
  }
});

it('case 87: variables that are an array, and __proto__, are refused with 400', async () => {
  const server = serverOf(smallSchema().guarded);
  for (const body of [
    '{"query":"{ hello }","variables":[]}',
    '{"query":"{ hello }","variables":"x"}',
    '{"query":"{ hello }","variables":{"a":{"__proto__":{"admin":true}}}}',
    '{"query":"{ hello }","__proto__":{}}',
    '{"query":7}',
    '{}',
  ]) {
    expect((await server.fetch(body, null)).status).toBe(400);
  }
  expect(codeOf(await server.ask('{ json(value: { __proto__: 1 }) }'))).toBe('BAD_USER_INPUT');
});

it('case 91: mutations by GET are 405, other content types 415', async () => {
  const { guarded, ran } = smallSchema();
  const server = serverOf(guarded);
  const get = await server.yoga.fetch(
    'http://localhost/graphql?query=mutation{issueCustomerToken}',
    {},
    { requestContext: requestOf(null) },
  );
  expect(get.status).toBe(405);
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/graphql',
    'text/plain; application/json',
    'application/json; charset=utf-7',
    'application/graphql+json',
  ];
  for (const type of types) {
    const body = type.includes('urlencoded')
      ? 'query={hello}'
      : type === 'application/graphql'
        ? '{ hello }'
        : '{"query":"{ hello }"}';
    expect([type, (await server.fetch(body, null, { 'content-type': type })).status]).toEqual([type, 415]);
  }
  expect(ran).toEqual([]);
});

it('case 95: each root field is protected or on the public list; one added without is FORBIDDEN', async () => {
  const { guarded } = smallSchema();
  const roots = [guarded.getQueryType()!, guarded.getMutationType()!, guarded.getSubscriptionType()!];
  const isPublic = roots.flatMap((root) =>
    Object.values(root.getFields())
      .filter((field) => accessOf(field)?.kind === 'open')
      .map((field) => field.name),
  );
  expect(isPublic.sort().join(' ')).toBe(
    'currentPrincipal fail hello issueCustomerToken issueSsoToken json member never openGroup refreshCustomerToken signingKeys touch',
  );
  delete (guarded.getQueryType()!.getFields().hello!.extensions as { access?: unknown }).access;
  const server = serverOf(guarded);
  expect(codeOf(await server.ask('{ hello }', clientWith('iam.group_read')))).toBe('FORBIDDEN');
});

it('case 94: on every path of up to four steps, a protected field is refused to who lacks its scope', async () => {
  const { guarded, ran } = smallSchema();
  const server = serverOf(guarded);
  const paths = pathsToProtectedFields(guarded, 4);
  expect(paths.length).toBeGreaterThan(60);
  for (const { query, scope, others } of paths) {
    ran.length = 0;
    const answer = await server.ask(query, clientWith(...others));
    expect([query, codeOf(answer)]).toEqual([query, 'FORBIDDEN']);
    expect([query, answer.errors![0]!.extensions.missingScopes]).toEqual([query, [scope]]);
    expect([query, ran]).toEqual([query, []]);
    expect([query, codeOf(await server.ask(query, clientWith(scope, ...others)))]).toEqual([query, 'ok']);
  }
});

it('an operation beyond its time is SERVICE_UNAVAILABLE', async () => {
  const server = serverOf(smallSchema().guarded, { timeout: 20 });
  const response = await server.fetch({ query: '{ never }' }, null, preferred);
  expect([response.status, codeOf((await response.json()) as object)]).toEqual([503, 'SERVICE_UNAVAILABLE']);
});

it('the short way for parsed bodies gives the same answers as Yoga’s HTTP layer', async () => {
  const server = serverOf(smallSchema().guarded);
  const bodies = [
    { query: '{ hello }' },
    { query: '{ hello fail(how: "sql") }' },
    { query: '{ me }' },
    { query: '{ groups { totalCount } }' },
    { query: '{ nothing }' },
    { query: '{' },
    { query: 'query A { hello } query B { hello }' },
    { query: 'query ($a: Int!) { hello }' },
    { query: '{ hello }', variables: [] },
    { query: '{ a: hello b: hello }', unexpected: 1 },
    { query: '{ groups(first: 201) { totalCount } }' },
    [],
    {},
    { query: `{ ${'hello '.repeat(11)} }` },
  ];
  for (const body of bodies) {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const long = await server.fetch(body, clientWith(), { accept });
      const short = await server.post(body, requestOf(clientWith()), accept);
      expect([body, accept, short.status, JSON.parse(short.body)]).toEqual([
        body,
        accept,
        long.status,
        await long.json(),
      ]);
      expect(short.headers['Content-Type']).toBe(long.headers.get('content-type'));
    }
  }
});

it('resolvers see our context only, and no tenant without a principal', async () => {
  const { builder } = smallBuilder();
  let seen: object = {};
  builder.queryField('look', (t) =>
    t.string({
      access: open,
      resolve: (_root, _args, ctx) => {
        seen = ctx;
        return ctx.tenantId;
      },
    }),
  );
  const server = serverOf(applyRuleTree(builder.toSchema()));
  expect(codeOf(await server.ask('{ look }'))).toBe('UNAUTHENTICATED');
  expect(Object.keys(seen)).not.toContain('request');
  expect((await server.ask('{ look }', clientWith())).data).toEqual({ look: 't1' });
});

/** Every way to a field that needs one scope, as an operation; `others`: what the way there needs. */
function pathsToProtectedFields(schema: GraphQLSchema, steps: number) {
  const found: { query: string; scope: string; others: string[] }[] = [];
  const scopesOf = (field: Parameters<typeof accessOf>[0]) => {
    const access = accessOf(field);
    return access?.kind === 'scopes' ? access.scopes[0]! : [];
  };
  const walk = (typeName: string, left: number, wrap: (inner: string) => string, held: string[]) => {
    const type = schema.getType(typeName);
    if (isUnionType(type) || isInterfaceType(type)) {
      for (const possible of schema.getPossibleTypes(type)) {
        walk(possible.name, left, (inner) => wrap(`... on ${possible.name} { ${inner} }`), held);
      }
    }
    if (!(isObjectType(type) || isInterfaceType(type)) || left === 0) return;
    for (const field of Object.values(type.getFields())) {
      if (field.name === 'fail' || field.name === 'never') continue;
      const args = field.args.some((arg) => arg.name === 'id') ? '(id: "1")' : '';
      const result = getNamedType(field.type);
      const isComposite = isObjectType(result) || isInterfaceType(result) || isUnionType(result);
      const here = (inner: string) => wrap(`x: ${field.name}${args}${inner ? ` { ${inner} }` : ''}`);
      const scopes = scopesOf(field);
      const scope = scopes[0];
      if (scope && !held.includes(scope)) {
        found.push({ query: here(isComposite ? '__typename' : ''), scope, others: held });
        found.push({
          query: `${here(isComposite ? '...P' : '')}${isComposite ? ` fragment P on ${result.name} { __typename }` : ''}`,
          scope,
          others: held,
        });
      }
      if (isComposite) walk(result.name, left - 1, here, [...new Set([...held, ...scopes])]);
    }
  };
  walk('Query', steps, (inner) => `{ ${inner} }`, []);
  walk('Mutation', steps, (inner) => `mutation { ${inner} }`, []);
  return found;
}
