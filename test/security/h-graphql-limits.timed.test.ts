// How much one operation may ask of the running service. security.md cases 83 to 86, 88 and 90.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { graphql } from '../kit/graphql.ts';
import { type Service, startService } from '../kit/service.ts';
import { PASSWORD, serviceToken } from '../kit/stories.ts';
import { documents, times } from './h-graphql-documents.ts';

let service: Service;
let everything: string;
beforeAll(async () => {
  service = await startService();
  everything = (await serviceToken(service)).accessToken;
});
afterAll(() => service?.stop());

/** Statements of requests: the service itself asks for changes now and then. */
const ownWork = /"?counters"?/;
const statementsOfRequests = () => service.statements.filter((sql) => !ownWork.test(sql) && sql !== 'SELECT 1');
beforeEach(() => {
  service.statements.length = 0;
  service.logged.length = 0;
});

const send = (query: string, rest: object = {}) =>
  fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${everything}` },
    body: JSON.stringify({ query, ...rest }),
  });

it.each(documents)(
  'case %i: %s is OPERATION_TOO_COMPLEX within 20 ms over HTTP; no query runs, nothing is logged',
  async (_case, _name, query) => {
    // What the document costs beyond a request that costs nothing, the two in turns: the machine may be busy.
    let [fastest, idle] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let round = 0; round < 12 && (round < 2 || fastest - idle >= 20); round += 1) {
      const startedAt = performance.now();
      await graphql(service, '{ __typename }', { bearer: everything });
      const between = performance.now();
      const answer = await graphql(service, query, { bearer: everything });
      fastest = Math.min(fastest, performance.now() - between);
      idle = Math.min(idle, between - startedAt);
      expect(answer.code, answer.body.slice(0, 500)).toBe('OPERATION_TOO_COMPLEX');
      expect(answer.data).toBeUndefined();
      expect(answer.body.length).toBeLessThan(1_000);
    }
    expect(fastest - idle).toBeLessThan(20);
    expect(statementsOfRequests()).toEqual([]);
    expect(service.logged.filter((line) => !line.includes('"answered"'))).toEqual([]);
  },
);

it('case 83: each limit is a line: what is just within it is answered', async () => {
  const fine = [
    `{ currentPrincipal { ${times(14, (at) => `a${at}: id`)} b: id } }`,
    `{ ${times(10, (at) => `t${at}: tenant { id }`)} }`,
    `{ tenant { ${times(10, () => 'id @include(if: true)')} } }`,
  ];
  for (const query of fine) expect((await graphql(service, query, { bearer: everything })).errors).toEqual([]);
});

describe('case 85: /healthz answers with a p99 below 50 ms', () => {
  it.each(['10 000 repeated fields (19 KB)', '150 times 60 inline fragments (98 KB)'])(
    'while 20 documents of %s are judged, each within 100 ms',
    { retry: 1 },
    async (name) => {
      const query = documents.find(([, each]) => each === name)![2];
      const run = async () => {
        const health: number[] = [];
        let judging = true;
        const probing = (async () => {
          while (judging || health.length < 100) {
            const startedAt = performance.now();
            expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
            health.push(performance.now() - startedAt);
          }
        })();
        const took = [];
        for (let batch = 0; batch < 5; batch += 1) {
          const startedAt = performance.now();
          await Promise.all(Array.from({ length: 4 }, async () => (await send(query)).text()));
          took.push((performance.now() - startedAt) / 4);
        }
        judging = false;
        await probing;
        health.sort((one, other) => one - other);
        return { p99: health[Math.ceil(health.length * 0.99) - 1]!, slowest: Math.max(...took) };
      };
      await run();
      let measured = await run();
      // Time on a shared machine: once more before it counts.
      if (measured.p99 >= 50 || measured.slowest >= 100) measured = await run();
      expect(measured.slowest).toBeLessThan(100);
      expect(measured.p99).toBeLessThan(50);
    },
  );

  it('values that are made to be searched slowly are refused within 100 ms, and are not repeated', async () => {
    const parts = [
      'Did you mean ',
      ' cannot represent ',
      'Value "',
      ' at "a"; ',
      'found String "',
      'got invalid value ',
      'x@',
      'password=',
      ' ',
    ];
    for (const part of parts) {
      const value = part.repeat(Math.floor(90_000 / JSON.stringify(JSON.stringify(part)).length));
      const requests: [string, object][] = [
        ['query ($v: Int) { scopes(first: $v) { totalCount } }', { v: value }],
        ['query ($v: Boolean) { scopes(heldByMe: $v) { totalCount } }', { v: { [value]: value.slice(0, 100) } }],
        [`{ scopes(first: ${JSON.stringify(value)}) { totalCount } }`, {}],
        [JSON.stringify(value), {}],
      ];
      for (const [query, variables] of requests) {
        let fastest = Number.POSITIVE_INFINITY;
        for (let round = 0; round < 4 && (round < 1 || fastest >= 100); round += 1) {
          const startedAt = performance.now();
          const answer = await graphql(service, query, {
            bearer: everything,
            variables: variables as Record<string, unknown>,
          });
          fastest = Math.min(fastest, performance.now() - startedAt);
          expect([part, query.slice(0, 50), answer.code]).toEqual([part, query.slice(0, 50), 'BAD_USER_INPUT']);
          expect(answer.body.length).toBeLessThan(2_000);
        }
        expect([part, query.slice(0, 50), fastest < 100]).toEqual([part, query.slice(0, 50), true]);
      }
    }
  });

  it('a document with more mistakes than anybody counts is BAD_USER_INPUT, and no fault of ours', async () => {
    const { code, errors, body } = await graphql(service, `{ currentPrincipal { ${'nothing '.repeat(300)}} }`);
    expect([code, errors.length > 50]).toEqual(['BAD_USER_INPUT', true]);
    expect(body).not.toContain('INTERNAL_SERVER_ERROR');
  });

  it('a document of 999 tokens, the most that is validated, is judged within 100 ms', async () => {
    const shapes = [
      `{ currentPrincipal { ${'...{id}'.repeat(240)} } }`,
      `{ currentPrincipal { ${times(240, (at) => `...on ${at % 2 ? 'CustomerPrincipal' : 'EmployeePrincipal'}{id}`)} } }`,
      `{ currentPrincipal { ${'id '.repeat(980)} } }`,
      `{ ${times(120, (at) => `...F${at}`)} } ${times(120, (at) => `fragment F${at} on Query{__typename}`)}`,
    ];
    for (const query of shapes) {
      let fastest = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 3; round += 1) {
        const startedAt = performance.now();
        await (await send(query)).text();
        fastest = Math.min(fastest, performance.now() - startedAt);
      }
      expect([query.slice(0, 60), fastest < 100]).toEqual([query.slice(0, 60), true]);
    }
  });
});

describe('case 88', () => {
  it.each([
    ['a batch of one', [{ query: '{ __typename }' }]],
    ['a batch of ten', Array.from({ length: 10 }, () => ({ query: '{ __typename }' }))],
    ['an empty batch', []],
    ['a batch of logins', Array.from({ length: 10 }, () => ({ query: 'mutation { logout { sessionsEnded } }' }))],
    ['a hash alone', { extensions: { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } } }],
    [
      'a document to be stored under its hash',
      { query: '{ __typename }', extensions: { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } } },
    ],
    ['an id of a stored document', { id: 'stored', documentId: 'stored' }],
  ])('%s is refused with 400, in both media types, and runs nothing', async (_name, body) => {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const answer = await fetch(`${service.url}/graphql`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: accept, Authorization: `Bearer ${everything}` },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      expect([accept, answer.status]).toEqual([accept, 400]);
      expect(JSON.parse(text)).not.toHaveProperty('data');
      expect(JSON.parse(text).errors[0].extensions.code).toBe('BAD_USER_INPUT');
    }
    expect(statementsOfRequests()).toEqual([]);
  });

  it('a refused hash is not stored: asking by it again finds nothing', async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'f'.repeat(64) } };
    await (await send('{ __typename }', { extensions })).text();
    const again = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ extensions }),
    });
    expect(again.status).toBe(400);
    const byGet = await fetch(`${service.url}/graphql?extensions=${encodeURIComponent(JSON.stringify(extensions))}`);
    expect([byGet.status, (await byGet.json()) as object]).toEqual([
      400,
      expect.not.objectContaining({ data: expect.anything() }),
    ]);
  });
});

describe('case 90: one credential a request', () => {
  const login = (alias: string, password: string) =>
    `${alias}: issueCustomerToken(input: { email: "buyer@demo.example", password: "${password}" }) { sessionId }`;
  const employee = (alias: string) =>
    `${alias}: issueEmployeeToken(input: { tenant: "demo", email: "admin@demo.example", password: "${PASSWORD}" }) { sessionId }`;
  const refresh = (alias: string) =>
    `${alias}: refreshCustomerToken(input: { refreshToken: "rt_${alias}" }) { sessionId }`;
  const service_ = (alias: string) =>
    `${alias}: issueServiceToken(input: { clientId: "demo-backend", clientSecret: "demo-backend-secret" }) { expiresIn }`;

  it.each([
    ['two logins', `mutation { ${login('a', 'x')} ${login('b', PASSWORD)} }`],
    ['logins of two kinds', `mutation { ${login('a', 'x')} ${employee('b')} }`],
    [
      'two by one fragment',
      `mutation { ...A ...B } fragment A on Mutation { ${employee('a')} } fragment B on Mutation { ${employee('b')} }`,
    ],
    ['two in inline fragments', `mutation { ... { ${employee('a')} } ... on Mutation { ${employee('b')} } }`],
    ['four refreshes', `mutation { ${['a', 'b', 'c', 'd'].map(refresh).join(' ')} }`],
    ['50 refreshes', `mutation { ${times(50, (at) => refresh(`a${at}`))} }`],
    [
      'a login that is skipped, and one that is not',
      `mutation { ${employee('a').replace(/\{ sessionId \}$/, '@skip(if: true) { sessionId }')} ${employee('b')} }`,
    ],
    ['two clients', `mutation { ${service_('a')} ${service_('b')} }`],
    [
      'a login and a registration',
      `mutation { ${employee('a')} registerCustomer(input: { email: "a@b.example", password: "a good password" }) { id } }`,
    ],
    [
      'a login and a change of password',
      `mutation { ${employee('a')} changePassword(input: { currentPassword: "${PASSWORD}", newPassword: "another password" }) { sessionsEnded } }`,
    ],
    [
      'a login and somebody to assist',
      `mutation { ${employee('a')} issueAssistedCustomerToken(input: { customerId: "x", reason: "x" }) { sessionId } }`,
    ],
    [
      'a login in the other operation of the document',
      `mutation One { ${employee('a')} } mutation Two { ${employee('a')} ${employee('b')} }`,
    ],
  ])('%s in one request: OPERATION_TOO_COMPLEX, and not one attempt ran or was counted', async (_name, query) => {
    const { database } = service.app.modules;
    const trail = () => database.system().auditEvent.count();
    const [attempts, events, sessions] = [
      await database.system().attempt.findMany(),
      await trail(),
      await database.system().session.count(),
    ];
    service.statements.length = 0;
    const answer = await graphql(service, query, {
      operationName: query.includes('One') ? 'One' : (undefined as never),
    });
    expect(answer.code).toBe('OPERATION_TOO_COMPLEX');
    expect(answer.data).toBeUndefined();
    expect(statementsOfRequests()).toEqual([]);
    expect(await database.system().attempt.findMany()).toEqual(attempts);
    expect([await trail(), await database.system().session.count()]).toEqual([events, sessions]);
  });

  it('one credential beside other mutations is within the limits', async () => {
    const answer = await graphql(service, `mutation { ${employee('a')} }`);
    expect(answer.errors).toEqual([]);
  });
});
