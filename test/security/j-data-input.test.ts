// Hostile values in every place of the schema where a caller puts one. security.md cases 105, 107 and 108.

import { randomBytes, randomUUID } from 'node:crypto';
import { type GraphQLNamedType, getNamedType, isInputObjectType } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { givenCustomer } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { type Service, startService } from '../kit/service.ts';
import {
  type CustomerToken,
  claimsOf,
  employee,
  guest,
  PASSWORD,
  serviceToken,
  signIn,
  tryLogin,
} from '../kit/stories.ts';
import { inputsOf, type Leaf, leavesOf, operationOf, type RootField, rootFields } from './h-graphql-operations.ts';

let service: Service;
let client: string;
let admin: string;
let address = 0;
beforeAll(async () => {
  // Every request from an address of its own: limits per address are somebody else's test.
  service = await startService({ TRUSTED_PROXIES: '127.0.0.1' });
  client = (await serviceToken(service)).accessToken;
  admin = (await employee(service)).accessToken;
});
afterAll(() => service?.stop());

const fromSomewhere = () => {
  address += 1;
  return { 'X-Forwarded-For': `10.${(address >> 16) & 255}.${(address >> 8) & 255}.${address & 255}` };
};

/** A customer who has signed in, with a guest beside: what operations need to get as far as their values. */
interface World {
  readonly email: string;
  readonly customer: CustomerToken;
  readonly customerId: string;
  readonly guestToken: string;
}
async function newWorld(): Promise<World> {
  const { email, id } = await givenCustomer(service, { acme: 'BUYER' });
  const { accessToken } = await guest(service);
  const customer = only<CustomerToken>(await tryLogin(service, { email, anonymousToken: accessToken }));
  return { email, customer, customerId: id, guestToken: (await guest(service)).accessToken };
}

/** What a well-meaning caller would send; whatever is not here stays away where it may. */
function usual(root: RootField, leaf: Leaf, world: World, version: number): unknown {
  const name = leaf.path.split('.').at(-1)!;
  const common: Record<string, unknown> = {
    tenant: 'demo',
    email: world.email,
    password: PASSWORD,
    currentPassword: PASSWORD,
    newPassword: `new ${randomUUID()}`,
    anonymousToken: world.guestToken,
    refreshToken: world.customer.refreshToken,
    clientSecret: 'demo-backend-secret',
    clientId: root.name === 'issueAnonymousToken' ? 'demo-storefront' : 'demo-backend',
    token: world.customer.accessToken,
    customerId: root.name === 'issueAssistedCustomerToken' ? world.customerId : undefined,
    reason: 'a reason',
    description: 'A scope.',
    id: `made.up_${randomBytes(4).toString('hex')}`,
    kid: 'no-such-key',
    version,
  };
  if (root.name === 'issueB2BToken' && name === 'legalEntityId') return 'acme';
  if (root.name === 'registerCustomer' && name === 'email') return `new-${randomUUID()}@test.example`;
  if (root.name === 'registerCustomer' && /^input\.(first|last)Name$/.test(leaf.path)) return 'Name';
  if (name === 'newEmail') return `new-${randomUUID()}@test.example`;
  return common[name];
}

function bearerFor({ access }: RootField, world: World): string | undefined {
  if (access.kind === 'open') return undefined;
  if (access.kind === 'scopes') return access.scopes[0]?.[0] === 'customer.assisted_buying_manage' ? admin : client;
  const kinds = access.principals ?? ['service'];
  if (kinds.includes('service')) return client;
  return kinds.includes('anonymous') ? world.guestToken : world.customer.accessToken;
}

const versionOf = async (world: World): Promise<number> => {
  const { data } = await graphql(service, '{ mySessions { current context { version } } }', {
    bearer: world.customer.accessToken,
  });
  const current = (data?.mySessions as { current: boolean; context: { version: number } }[] | undefined)?.find(
    (session) => session.current,
  );
  return current?.context.version ?? 1;
};

let world: World;
/** Sends one operation with one value replaced. A world that is used up (limits, ended sessions) is made anew. */
async function put(root: RootField, leaf: Leaf, value: unknown): Promise<Answer> {
  const send = async () => {
    const version = root.name === 'updateSessionContext' ? await versionOf(world) : 1;
    // What is public answers with things that lead to what is not.
    return graphql(service, operationOf(root, root.access.kind === 'scopes' ? 1 : 0), {
      bearer: bearerFor(root, world),
      variables: inputsOf(root.field, (each) => (each.path === leaf.path ? value : usual(root, each, world, version))),
      headers: { ...fromSomewhere(), Accept: 'application/graphql-response+json' },
    });
  };
  let answer = await send();
  // Links of letters are nobody's world: there is no better one to try them in.
  const isSpent = ['RATE_LIMITED', 'UNAUTHENTICATED', 'INVALID_GRANT'].includes(answer.code ?? '');
  if (isSpent && !['confirmCustomer', 'confirmEmailChange', 'resetPassword'].includes(root.name)) {
    world = await newWorld();
    answer = await send();
  }
  return answer;
}

/** Codes that tell a caller about a value, or that nothing of the kind is there. */
const ordinary =
  /^(BAD_USER_INPUT|INVALID_(CLIENT|GRANT|SCOPE|REQUEST)|UNAUTHENTICATED|ACCESS_DENIED|NOT_FOUND|CONFLICT|FORBIDDEN|UNAUTHORIZED_CLIENT|RATE_LIMITED)$/;
const insides = /prisma|postgres|syntax error|relation|\bSELECT\b|\bINSERT\b|P20\d\d|node_modules|stack/i;

/** Fields whose answers do not depend on what is sent: a stream is followed elsewhere. */
const asked = rootFields.filter(({ kind, field }) => kind !== 'subscription' && field.args.length > 0);
const textLeaves = asked.flatMap((root) =>
  leavesOf(root)
    .filter(({ type }) => type === 'String' || type === 'ID')
    .map((leaf) => [root.name, leaf.path, root, leaf] as const),
);

const injections: [string, string][] = [
  ['SQL', `' OR '1'='1' --`],
  ['SQL that drops', `x'); DROP TABLE sessions; --`],
  ['a comment', '/* */ -- \\'],
  ['a pattern', '%'],
  ['another pattern', '_'],
  ['a filter as text', '{"not":"x"}'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: for templates of others
  ['a template', '${process.env.KEY_ENCRYPTION_SECRET} {{7*7}} #{1}'],
  ['a path', '../../../../etc/passwd'],
  ['line feeds and escapes', 'a\r\nSet-Cookie: a=b\u001b[31m'],
  ['direction marks', '\u202eevil\u2066'],
  ['10 KB', 'x'.repeat(10_240)],
  ['10 KB that do not compress', randomBytes(5_120).toString('hex')],
  ['nothing', ''],
  ['blanks', '   '],
  ['__proto__', '__proto__'],
];
const unstorable: [string, string][] = [
  ['NUL', '\u0000'],
  ['NUL inside', 'a\u0000b'],
  ['a lone high surrogate', 'a\ud800b'],
  ['a lone low surrogate', '\udc00'],
];

describe('case 105', () => {
  beforeAll(async () => {
    world = await newWorld();
  });
  beforeEach(() => {
    service.logged.length = 0;
  });
  const failures = () =>
    service.logged.filter((line) => /unexpected failure|a dependency is down|request failed/.test(line));

  it('there are places to put texts into: every one that the schema has is tried', () => {
    const inputs = Object.values(schema.getTypeMap()).filter(
      (type) => isInputObjectType(type) && !type.name.startsWith('__'),
    );
    const used = new Set<string>();
    const use = (type: GraphQLNamedType) => {
      used.add(type.name);
      if (isInputObjectType(type)) for (const field of Object.values(type.getFields())) use(getNamedType(field.type));
    };
    for (const { field } of asked) for (const arg of field.args) use(getNamedType(arg.type));
    expect(inputs.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
    expect(textLeaves.length).toBeGreaterThan(30);
  });

  it.each(textLeaves)(
    '%s(%s): injections are mere texts: an ordinary answer, never 500',
    async (_field, _path, root, leaf) => {
      // Every place gets a third of them, and every one of them a third of the places: INJECTIONS=all for all everywhere.
      const turn = textLeaves.findIndex((place) => place.includes(leaf));
      const tried = injections.filter((_, at) => process.env.INJECTIONS === 'all' || (at + turn) % 3 === 0);
      for (const [what, text] of tried) {
        const answer = await put(root, leaf, text);
        expect([what, answer.status, answer.body]).toEqual([
          what,
          expect.any(Number),
          expect.not.stringMatching(insides),
        ]);
        expect([what, answer.status < 500, answer.code ?? 'ok']).toEqual([
          what,
          true,
          answer.code ? expect.stringMatching(ordinary) : 'ok',
        ]);
      }
      expect(failures()).toEqual([]);
    },
    60_000,
  );

  it.each(textLeaves)('%s(%s): NUL and lone surrogates are BAD_USER_INPUT', async (_field, _path, root, leaf) => {
    for (const [what, text] of unstorable) {
      const answer = await put(root, leaf, text);
      expect([what, answer.status, answer.code]).toEqual([what, 400, 'BAD_USER_INPUT']);
    }
    expect(failures()).toEqual([]);
  });

  it('NUL and lone surrogates are BAD_USER_INPUT in the document itself, too', async () => {
    for (const text of ['"\\u0000"', '"a\\u{0}b"', '"\\uD800"', `"\u0000"`, `"""\u0000"""`, '"\\uDC00x"']) {
      const answer = await graphql(service, `{ scope(id: ${text}) { id } }`, { bearer: client });
      expect([text, answer.code]).toEqual([text, 'BAD_USER_INPUT']);
    }
    const pairs = await graphql(service, '{ scope(id: "\\uD83D\\uDE00 \\u{1F600}") { id } }', { bearer: client });
    expect([pairs.errors, pairs.data]).toEqual([[], { scope: null }]);
    expect(failures()).toEqual([]);
  });

  it('the tables are all there afterwards, and nobody holds more than before', async () => {
    const tables = await service.app.modules.database.system().$queryRaw<
      { name: string }[]
    >`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`;
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['sessions', 'customers', 'custom_scopes']));
    expect((await graphql(service, '{ tenant { id } }', { bearer: client })).data).toEqual({ tenant: { id: 'demo' } });
  });

  const everyLeaf = asked.flatMap((root) => leavesOf(root).map((leaf) => [root.name, leaf.path, root, leaf] as const));
  it.each(everyLeaf)('%s(%s): a value of another type is BAD_USER_INPUT', async (_field, path, root, leaf) => {
    const others: [string, unknown][] = [
      ['an object', { not: 'x' }],
      ['a filter', { contains: '', mode: 'insensitive' }],
      ['a list of lists', [[{}]]],
    ];
    if (leaf.type === 'Int') {
      others.push(
        ['2^31', 2 ** 31],
        ['-2^31-1', -(2 ** 31) - 1],
        ['a fraction', 0.5],
        ['2^53', 2 ** 53],
        ['1e308', 1e308],
        ['a text', '1'],
      );
    }
    if (leaf.type === 'String') others.push(['a number', 7], ['true', true]);
    if (leaf.type === 'ID') others.push(['true', true], ['a fraction', 1.5]);
    if (leaf.type === 'Boolean') others.push(['a text', 'true'], ['a number', 1]);
    for (const [what, value] of leaf.type === 'JSON' ? [] : others) {
      const answer = await put(root, leaf, value);
      // A number of items may be refused for being too many, before anybody asks whether it is a number of 32 bits.
      const isSize = /^(first|last)$/.test(path) && typeof value === 'number';
      const codes = isSize ? /^(BAD_USER_INPUT|OPERATION_TOO_COMPLEX)$/ : /^BAD_USER_INPUT$/;
      expect([what, answer.status, answer.code]).toEqual([what, 400, expect.stringMatching(codes)]);
    }
    expect([path, failures()]).toEqual([path, []]);
  });

  it('numbers beyond 32 bits are BAD_USER_INPUT in the document as well', async () => {
    for (const number of ['2147483648', '-2147483649', '9'.repeat(400), '1e400', '-1e400']) {
      for (const size of [`first: ${number}`, `last: ${number}`]) {
        const answer = await graphql(service, `{ sessions(${size}) { totalCount } }`, { bearer: client });
        expect([size, answer.code]).toEqual([size, expect.stringMatching(/^(BAD_USER_INPUT|OPERATION_TOO_COMPLEX)$/)]);
      }
      const version = await graphql(
        service,
        `mutation { updateSessionContext(input: { version: ${number} }) { version } }`,
        { bearer: world.customer.accessToken },
      );
      expect([number, version.code]).toEqual([number, 'BAD_USER_INPUT']);
    }
    expect(failures()).toEqual([]);
  });

  it('an id may be written as a number, and is the text of it', async () => {
    const answer = await graphql(service, 'query ($id: ID!) { scope(id: $id) { id } }', {
      bearer: client,
      variables: { id: 7 },
    });
    expect([answer.errors, answer.data]).toEqual([[], { scope: null }]);
  });

  it('more scopes than anybody may name are refused before anything is looked up', async () => {
    for (const count of [201, 5_000]) {
      const answer = await graphql(
        service,
        'mutation ($i: IssueServiceTokenInput!) { issueServiceToken(input: $i) { scopes } }',
        {
          variables: {
            i: {
              clientId: 'demo-backend',
              clientSecret: 'demo-backend-secret',
              scopes: Array.from({ length: count }, (_, at) => `a.b_${at}`),
            },
          },
        },
      );
      expect([count, answer.code]).toEqual([count, 'INVALID_REQUEST']);
    }
  });

  it('attributes take any JSON that is plain, shallow and storable, and refuse the rest', async () => {
    const ask = async (attributes: unknown) =>
      graphql(service, 'mutation ($i: UpdateSessionContextInput!) { updateSessionContext(input: $i) { attributes } }', {
        bearer: world.customer.accessToken,
        variables: { i: { version: await versionOf(world), attributes } },
      });
    world = await newWorld();
    for (const bad of [
      { a: '\u0000' },
      { '\u0000': 1 },
      { a: ['\ud800'] },
      { '\udc00': 1 },
      { a: { b: { c: 'x\u0000' } } },
      { a: 'x'.repeat(2_048) },
      { a: 'ü'.repeat(1_021) },
      JSON.parse(`${'{"a":'.repeat(12)}1${'}'.repeat(12)}`),
      [],
      'text',
      7,
      true,
    ]) {
      const answer = await ask(bad);
      expect([JSON.stringify(bad).slice(0, 60), answer.code]).toEqual([
        JSON.stringify(bad).slice(0, 60),
        'BAD_USER_INPUT',
      ]);
    }
    const good = {
      text: 'ü \u{1f600} \\u0000',
      number: 1e21,
      list: [1, [2]],
      deep: { a: null },
      '': 'empty',
      "'; --": '%',
    };
    expect(only(await ask(good))).toEqual({ attributes: good });
    expect(failures()).toEqual([]);
  });
});

describe('case 107: cursors', () => {
  const encode = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');
  const lists = {
    sessions:
      'query ($first: Int, $last: Int, $after: String, $before: String) { list: sessions(first: $first, last: $last, after: $after, before: $before) { totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage } edges { cursor node { id } } } }',
    scopes:
      'query ($first: Int, $last: Int, $after: String, $before: String) { list: scopes(first: $first, last: $last, after: $after, before: $before) { totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage } edges { cursor node { id } } } }',
  };
  type Page = {
    totalCount: number;
    pageInfo: { startCursor: string; endCursor: string; hasNextPage: boolean; hasPreviousPage: boolean };
    edges: { cursor: string; node: { id: string } }[];
  };
  const names = Object.keys(lists) as (keyof typeof lists)[];
  const ask = (name: keyof typeof lists, variables: Record<string, unknown>, bearer = client) =>
    graphql(service, lists[name], { bearer, variables });
  beforeAll(async () => {
    for (const email of [
      'shopper@demo.example',
      'buyer@demo.example',
      'requester@demo.example',
      'mallory@rival.example',
    ])
      await signIn(service, email);
  });

  it.each(names)('%s: walked forwards and backwards by pages of two, every item comes once', async (name) => {
    const forwards: string[] = [];
    const total = only<Page>(await ask(name, { first: 1 })).totalCount;
    expect(total).toBeGreaterThan(3);
    const most = Math.min(total, 30);
    for (let after: string | undefined; forwards.length < most; ) {
      const page = only<Page>(await ask(name, { first: 2, after }));
      forwards.push(...page.edges.map(({ node }) => node.id));
      expect(page.pageInfo.hasNextPage).toBe(forwards.length < total);
      expect(page.totalCount).toBe(total);
      after = page.pageInfo.endCursor;
      if (!page.pageInfo.hasNextPage) break;
    }
    expect(new Set(forwards).size).toBe(forwards.length);
    const all = only<Page>(await ask(name, { first: 200 })).edges;
    expect(forwards).toEqual(all.slice(0, forwards.length).map(({ node }) => node.id));
    const before = all[5 % all.length]!.cursor;
    const back = only<Page>(await ask(name, { last: 2, before }));
    expect(back.edges.map(({ node }) => node.id)).toEqual(
      all.slice(Math.max(0, (5 % all.length) - 2), 5 % all.length).map(({ node }) => node.id),
    );
  });

  it.each(names)('%s: sizes that are negative, too large or both at once are BAD_USER_INPUT', async (name) => {
    for (const variables of [
      { first: -1 },
      { first: 201 },
      { last: -1 },
      { last: 201 },
      { first: 1, last: 1 },
      { first: -(2 ** 31) },
      { first: 2 ** 31 - 1 },
    ]) {
      const answer = await ask(name, variables);
      expect([variables, answer.code]).toEqual([
        variables,
        expect.stringMatching(/^(BAD_USER_INPUT|OPERATION_TOO_COMPLEX)$/),
      ]);
      expect(answer.data?.list).toBeUndefined();
    }
    expect(only<Page>(await ask(name, { first: 0 })).edges).toEqual([]);
  });

  it.each(names)('%s: what is no cursor of this list is BAD_USER_INPUT, and never 500', async (name) => {
    const good = only<Page>(await ask(name, { first: 1 })).pageInfo.endCursor;
    const other = only<Page>(await ask(names.find((each) => each !== name)!, { first: 1 })).pageInfo.endCursor;
    const key = JSON.parse(Buffer.from(good, 'base64url').toString()) as string[];
    service.logged.length = 0;
    const bad: [string, string][] = [
      ['nothing', ''],
      ['no base64', '%%%'],
      ['no JSON', Buffer.from('nothing').toString('base64url')],
      ['an object', encode({ id: 'x' })],
      ['a text', encode('x')],
      ['an empty list', encode([])],
      ['too short', encode(key.slice(1))],
      ['numbers', encode(key.map(() => 1))],
      ['null', encode(key.map(() => null))],
      ['objects', encode(key.map(() => ({ not: 'x' })))],
      ['NUL', encode(key.map(() => '\u0000'))],
      ['a lone surrogate', encode(key.map(() => '\ud800'))],
      ['half of it', good.slice(0, good.length / 2)],
      ['with more behind', `${good}${good}`],
    ];
    if (name === 'sessions') {
      bad.push(
        ['SQL in place of a moment', encode([key[0], `' OR 1=1 --`, ...key.slice(2)])],
        ['a moment beyond time', encode([key[0], '+275760-09-13T00:00:00.001Z', 'x'])],
        ['the other list’s', other],
        ['too long', encode([...key, 'x'])],
      );
    }
    for (const place of ['after', 'before']) {
      for (const [what, cursor] of bad) {
        const answer = await ask(name, { first: 1, [place]: cursor });
        expect([place, what, answer.code]).toEqual([place, what, 'BAD_USER_INPUT']);
        expect(answer.body).not.toMatch(insides);
      }
    }

    // Well-formed and still nowhere: refused, or a place in the same list.
    const all = new Set(only<Page>(await ask(name, { first: 200 })).edges.map(({ node }) => node.id));
    const nowhere = [
      other,
      encode([...key, 'x']),
      encode([key[0], "' OR 1=1 --", ...key.slice(2)]),
      encode([key[0], '2026-02-31T00:00:00.000Z', ...key.slice(2)]),
      encode([key[0], '9999-12-31T23:59:59.999Z', ...key.slice(2)]),
    ];
    for (const place of ['after', 'before']) {
      for (const cursor of nowhere) {
        const answer = await ask(name, { first: 5, [place]: cursor });
        if (answer.code) expect([cursor, answer.code]).toEqual([cursor, 'BAD_USER_INPUT']);
        else
          expect((answer.data!.list as Page).edges.every(({ node }) => name === 'scopes' || all.has(node.id))).toBe(
            true,
          );
      }
    }
    expect(service.logged.filter((line) => /unexpected failure/.test(line))).toEqual([]);
  });

  it('a cursor of another tenant, or one made up, shows nothing that the tenant does not have', async () => {
    const rival = (await serviceToken(service, 'rival-backend')).accessToken;
    const theirs = only<Page>(await ask('sessions', { first: 1 }, rival));
    const ours = new Set(only<Page>(await ask('sessions', { first: 200 })).edges.map(({ node }) => node.id));
    expect(ours.has(theirs.edges[0]!.node.id)).toBe(false);
    for (const place of ['after', 'before']) {
      for (const cursor of [
        theirs.pageInfo.endCursor,
        encode(['sessions', new Date(0).toISOString(), '']),
        encode(['sessions', new Date(4e12).toISOString(), 'z']),
      ]) {
        const { errors, data } = await ask('sessions', { first: 200, [place]: cursor });
        expect(errors).toEqual([]);
        const page = data!.list as Page;
        expect(page.edges.every(({ node }) => ours.has(node.id))).toBe(true);
        expect(page.totalCount).toBe(ours.size);
      }
    }
  });
});

describe('case 108', () => {
  const forbidden = [
    'tenantId',
    'id',
    'createdAt',
    'updatedAt',
    'passwordHash',
    'scopes',
    'enabled',
    'legalEntityId',
    'session_id',
    'groups',
    'version',
    'kind',
    '__typename',
    'constructor',
    'prototype',
  ];

  it('no input takes a field that it does not declare: BAD_USER_INPUT, and nothing is written', async () => {
    const before = await service.app.modules.database.system().auditEvent.count();
    service.logged.length = 0;
    for (const root of asked) {
      for (const arg of root.field.args) {
        const type = getNamedType(arg.type);
        if (!isInputObjectType(type)) continue;
        for (const name of forbidden) {
          if (name in type.getFields()) continue;
          const variables = inputsOf(root.field, (leaf) =>
            leaf.type === 'Int' ? 1 : leaf.type === 'Boolean' ? true : 'x',
          );
          (variables[arg.name] as Record<string, unknown>)[name] = 'x';
          const answer = await graphql(service, operationOf(root, 0), { bearer: client, variables });
          const refused = [`${root.name}.${name}`, 'BAD_USER_INPUT'];
          // Who may not call at all learns that and no more.
          expect([[`${root.name}.${name}`, answer.code]]).toEqual([
            answer.code === 'FORBIDDEN' ? [`${root.name}.${name}`, 'FORBIDDEN'] : refused,
          ]);
          const literal = await graphql(
            service,
            `mutation { ${root.name}(${arg.name}: { ${name}: 1 }) { __typename } }`,
            { bearer: client },
          );
          expect(literal.code).toBe('BAD_USER_INPUT');
        }
      }
    }
    expect(await service.app.modules.database.system().auditEvent.count()).toBe(before);
    expect(service.logged.filter((line) => /unexpected failure/.test(line))).toEqual([]);
  });

  it('names of powers are mere data among the attributes of a session: they change no token and no row beside', async () => {
    const { customer } = await newWorld();
    const { database } = service.app.modules;
    const rowOf = () =>
      database.system().session.findFirstOrThrow({
        where: { id: customer.sessionId },
        omit: { attributes: true, contextVersion: true, lastSeenAt: true },
      });
    const before = await rowOf();
    const attributes = {
      session_id: 'of-somebody-else',
      legalEntityId: 'globex',
      tenantId: 'rival',
      customerId: 'nobody',
      scopes: ['iam.scope_manage'],
      kind: 'EMPLOYEE',
      act: { sub: 'admin' },
      endedAt: null,
      expiresAt: '9999-12-31T00:00:00Z',
      tenant_id: 'rival',
      toString: 'x',
      hasOwnProperty: 'x',
    };
    const update = (change: object, version: number) =>
      graphql(
        service,
        'mutation ($i: UpdateSessionContextInput!) { updateSessionContext(input: $i) { attributes version siteCode } }',
        {
          bearer: customer.accessToken,
          variables: { i: { version, ...change } },
        },
      );
    const { endedAt: _gone, ...kept } = attributes;
    expect(only(await update({ attributes }, 1))).toEqual({ attributes: kept, version: 2, siteCode: null });
    expect(await rowOf()).toEqual(before);

    const { accessToken } = only<{ accessToken: string }>(
      await graphql(
        service,
        'mutation ($t: String!) { refreshCustomerToken(input: { refreshToken: $t }) { accessToken } }',
        {
          variables: { t: customer.refreshToken },
        },
      ),
    );
    const { iat: _iat, exp: _exp, jti: _jti, rev: _rev, ctx: _ctx, ...now } = claimsOf(accessToken);
    const { iat: _i, exp: _e, jti: _j, rev: _r, ctx: _c, ...then } = claimsOf(customer.accessToken);
    expect(now).toEqual(then);
    expect(now.tenant).toBe('demo');
    expect(now).not.toHaveProperty('legalEntityId');
  });

  it.each(['__proto__', 'constructor', 'prototype'])(
    '%s among the attributes is refused at any depth, as a variable and in the document',
    async (name) => {
      const { customer } = await newWorld();
      const send = (attributes: string) =>
        fetch(`${service.url}/graphql`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${customer.accessToken}` },
          body: `{"query":"mutation ($a: JSON) { updateSessionContext(input: { version: 1, attributes: $a }) { version } }","variables":{"a":${attributes}}}`,
        }).then((answer) => answer.text());
      for (const attributes of [`{"${name}":{"admin":true}}`, `{"a":{"${name}":1}}`, `{"a":[{"${name}":null}]}`])
        expect(JSON.parse(await send(attributes)).errors[0].extensions.code).toBe('BAD_USER_INPUT');
      for (const attributes of [`{ ${name}: { admin: true } }`, `{ a: [{ ${name}: 1 }] }`]) {
        const answer = await graphql(
          service,
          `mutation { updateSessionContext(input: { version: 1, attributes: ${attributes} }) { version } }`,
          {
            bearer: customer.accessToken,
          },
        );
        expect(answer.code).toBe('BAD_USER_INPUT');
      }
      expect(({} as { admin?: unknown }).admin).toBeUndefined();
      const { attributes } = await service.app.modules.database
        .system()
        .session.findFirstOrThrow({ where: { id: customer.sessionId } });
      expect(attributes).toEqual({});
    },
  );
});
