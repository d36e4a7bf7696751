// What reaches the GraphQL engine of the running service, and what of a failure leaves it.
// security.md cases 87, 89, 91, 92, 93 and 134.

import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { graphql } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { type Service, startService } from '../kit/service.ts';
import { serviceToken, signIn } from '../kit/stories.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());
beforeEach(() => {
  service.statements.length = 0;
  service.logged.length = 0;
});

interface Raw {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** A request as node sends it: nothing is added but what is said. `parts` go out chunked. */
function send(
  at: Service,
  options: {
    method?: string;
    path?: string;
    headers?: Record<string, string>;
    body?: Buffer | string;
    parts?: Buffer[];
  },
): Promise<Raw> {
  const { hostname, port } = new URL(at.url);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        path: options.path ?? '/graphql',
        method: options.method ?? 'POST',
        headers: options.headers ?? {},
      },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (chunk) => {
          body += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body }));
        answer.on('error', reject);
      },
    );
    sent.on('error', reject);
    for (const part of options.parts ?? []) sent.write(part);
    sent.end(options.body);
  });
}

const json = { 'Content-Type': 'application/json' };
const documentOf = (bytes: number) => {
  const head = '{"query":"{ __typename } #';
  return Buffer.from(`${head}${'x'.repeat(bytes - head.length - 2)}"}`);
};
/** What every refusal from before GraphQL has in common. */
function expectRefusal(answer: Raw, status: number) {
  expect(answer.status, answer.body).toBe(status);
  const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
  const parsed = JSON.parse(isStream ? /^data: (\{.*\})$/m.exec(answer.body)![1]! : answer.body);
  expect(parsed).not.toHaveProperty('data');
  expect(parsed.errors).toHaveLength(1);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  expect(answer.body).not.toMatch(/Unexpected|position|JSON\.parse|SyntaxError|node_modules/);
}

describe('case 87', () => {
  it('100 000 bytes are read and one more is 413: by length, chunked in one piece, chunked in many', async () => {
    const [fits, over] = [documentOf(100_000), documentOf(100_001)];
    const pieces = (whole: Buffer) =>
      Array.from({ length: Math.ceil(whole.length / 9_000) }, (_, at) => whole.subarray(at * 9_000, (at + 1) * 9_000));
    const byLength = (body: Buffer) =>
      send(service, { headers: { ...json, 'Content-Length': String(body.length) }, body });
    const chunked = (...parts: Buffer[]) =>
      send(service, { headers: { ...json, 'Transfer-Encoding': 'chunked' }, parts });
    for (const answer of [await byLength(fits), await chunked(fits), await chunked(...pieces(fits))]) {
      expect([answer.status, answer.body]).toEqual([200, '{"data":{"__typename":"Query"}}']);
    }
    for (const answer of [await byLength(over), await chunked(over), await chunked(...pieces(over))])
      expectRefusal(answer, 413);
  });

  it('20 MB of query are 413 without being read: the answer comes before they are sent', async () => {
    const { hostname, port } = new URL(service.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
        if (text.includes('\r\n\r\n')) {
          resolve(text);
          socket.destroy();
        }
      });
      socket.on('error', reject);
      socket.write(
        `POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${20 * 1024 * 1024}\r\n\r\n{"query":"`,
      );
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    const whole = Buffer.concat([
      Buffer.from('{"query":"{ __typename } #'),
      Buffer.alloc(20 * 1024 * 1024, 'x'),
      Buffer.from('"}'),
    ]);
    expectRefusal(
      await send(service, { headers: { ...json, 'Content-Length': String(whole.length) }, body: whole }),
      413,
    );
  });

  it.each(['gzip', 'deflate', 'br', 'gzip, identity', 'x-unknown'])(
    'a body in %s is 415 and never unpacked',
    async (encoding) => {
      const body = gzipSync('{"query":"{ __typename }"}');
      expectRefusal(await send(service, { headers: { ...json, 'Content-Encoding': encoding }, body }), 415);
    },
  );

  it.each([
    'application/json; charset=utf-7',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/json; charset=utf-8; charset=utf-7',
    'application/json; boundary=x',
    'application/jsonx',
    'application/graphql+json',
  ])('%s is 415', async (type) => {
    const body = type.includes('utf-16')
      ? Buffer.from('{"query":"{ __typename }"}', 'utf16le')
      : '{"query":"{ __typename }"}';
    expectRefusal(await send(service, { headers: { 'Content-Type': type }, body }), 415);
  });

  it.each([
    ['variables that are an array', '{"query":"{ __typename }","variables":[]}'],
    ['variables that are a text', '{"query":"{ __typename }","variables":"{}"}'],
    ['variables that are a number', '{"query":"{ __typename }","variables":0}'],
    ['extensions that name a persisted query', '{"query":"{ __typename }","extensions":{"persistedQuery":{}}}'],
    ['__proto__ at the top', '{"query":"{ __typename }","__proto__":{"admin":true}}'],
    ['__proto__ among the variables', '{"query":"{ __typename }","variables":{"__proto__":{"admin":true}}}'],
    ['__proto__ deep in the variables', '{"query":"{ __typename }","variables":{"a":[{"b":{"__proto__":1}}]}}'],
    ['__proto__ spelled with an escape', '{"query":"{ __typename }","variables":{"\\u005f_proto__":1}}'],
    ['trailing junk', '{"query":"{ __typename }"} x'],
    ['two objects', '{"query":"{ __typename }"}{"query":"{ __typename }"}'],
    ['a comma too much', '{"query":"{ __typename }",}'],
    ['a byte order mark', '\ufeff{"query":"{ __typename }"}'],
    ['nothing', ''],
    ['null', 'null'],
    ['a text', '"{ __typename }"'],
    ['no query', '{}'],
    ['a query that is an object', '{"query":{"__typename":true}}'],
    ['a query that is a list', '{"query":["{ __typename }"]}'],
    ['an operation name that is an object', '{"query":"{ __typename }","operationName":{}}'],
  ])('%s is 400, in the words of neither parser', async (_name, body) => {
    for (const accept of ['application/json', 'application/graphql-response+json', 'text/event-stream']) {
      const answer = await send(service, { headers: { ...json, Accept: accept }, body });
      expectRefusal(answer, 400);
    }
    expect(service.statements.filter((sql) => !/counters/.test(sql))).toEqual([]);
  });

  it('a body that is not UTF-8 is 400', async () => {
    const body = Buffer.concat([
      Buffer.from('{"query":"{ __typename } #'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}'),
    ]);
    expectRefusal(await send(service, { headers: json, body }), 400);
  });

  it('JSON nested as deep as a body can hold is 400 and stops nobody', async () => {
    const deep = `{"query":"{ __typename }","variables":{"a":${'['.repeat(49_000)}${']'.repeat(49_000)}}}`;
    const answer = await send(service, { headers: json, body: deep });
    expect([200, 400]).toContain(answer.status);
    expect(answer.body).not.toContain('INTERNAL');
    const { accessToken } = await signIn(service);
    const query = 'mutation ($v: JSON) { updateSessionContext(input: { version: 1, attributes: $v }) { version } }';
    const body = `{"query":${JSON.stringify(query)},"variables":{"v":${'['.repeat(49_000)}${']'.repeat(49_000)}}}`;
    const used = await send(service, { headers: { ...json, Authorization: `Bearer ${accessToken}` }, body });
    expect(JSON.parse(used.body).errors[0].extensions.code).toBe('BAD_USER_INPUT');
  });

  it('nothing of a refused body is ever in an object’s prototype', () => {
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });
});

describe('case 91', () => {
  const mutation =
    'mutation { issueAnonymousToken(input: { tenant: "demo", clientId: "demo-storefront" }) { sessionId } }';

  it('a mutation by GET is 405 and names the way, whatever is accepted, and none runs', async () => {
    for (const accept of ['application/json', 'application/graphql-response+json', 'text/event-stream', '*/*']) {
      const answer = await send(service, {
        method: 'GET',
        path: `/graphql?query=${encodeURIComponent(mutation)}`,
        headers: { Accept: accept },
      });
      expect([accept, answer.status, answer.headers.allow]).toEqual([accept, 405, 'POST']);
      expect(answer.body).not.toContain('sessionId"');
    }
  });

  it.each([
    ['text/plain', JSON.stringify({ query: mutation })],
    ['application/x-www-form-urlencoded', `query=${encodeURIComponent(mutation)}`],
    [
      'multipart/form-data; boundary=x',
      `--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${JSON.stringify({ query: mutation })}\r\n--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--x--\r\n`,
    ],
    ['application/graphql', mutation],
    ['text/plain; application/json', JSON.stringify({ query: mutation })],
    ['application/json, text/plain', JSON.stringify({ query: mutation })],
    ['', JSON.stringify({ query: mutation })],
  ])('POST as %s is 415 and runs nothing', async (type, body) => {
    const answer = await send(service, { headers: type === '' ? {} : { 'Content-Type': type }, body });
    expectRefusal(answer, 415);
  });
});

describe('case 92: browsers on other origins', () => {
  const origins = [
    'https://evil.example',
    'null',
    'https://sub.shop.example',
    'http://shop.example',
    'https://shop.example:8443',
    'https://shop.example.evil.example',
    'https://SHOP.example',
    'https://shop.example/',
  ];
  const preflight = (at: Service, origin: string) =>
    fetch(`${at.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization',
      },
    });
  const post = (at: Service, origin: string) =>
    fetch(`${at.url}/graphql`, {
      method: 'POST',
      headers: { ...json, Origin: origin },
      body: '{"query":"{ __typename }"}',
    });
  const grants = (answer: Response) => [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'));

  it('only a listed origin is let in, spelled exactly, and never with credentials', async () => {
    const listed = await startService({ CORS_ORIGINS: 'https://shop.example' });
    try {
      for (const origin of origins) {
        expect([origin, grants(await preflight(listed, origin)), grants(await post(listed, origin))]).toEqual([
          origin,
          [],
          [],
        ]);
      }
      const [asked, answered] = [
        await preflight(listed, 'https://shop.example'),
        await post(listed, 'https://shop.example'),
      ];
      for (const answer of [asked, answered]) {
        expect(answer.headers.get('access-control-allow-origin')).toBe('https://shop.example');
        expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
        expect(answer.headers.get('vary')).toMatch(/\borigin\b/i);
      }
    } finally {
      await listed.stop();
    }
  });

  it('development lets every origin in and mirrors none, never with credentials', async () => {
    for (const answer of [
      await preflight(service, 'https://evil.example'),
      await post(service, 'https://evil.example'),
    ]) {
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
    }
  });
});

describe.skipIf(!inject('postgresUrl'))('case 89: the production profile', () => {
  let production: Service;
  beforeAll(async () => {
    production = await startService({
      NODE_ENV: 'production',
      DATABASE_URL: await createDatabaseIn(inject('postgresUrl')!),
      KEY_ENCRYPTION_SECRET: 'a secret of this test alone, 32 characters and more',
    });
  });
  afterAll(() => production?.stop());

  it.each([
    '{ __schema { queryType { name } } }',
    '{ __type(name: "Query") { name fields { name } } }',
    '{ a: __type(name: "Mutation") { name } }',
    'query { ...F } fragment F on Query { __schema { types { name } } }',
    '{ ... on Query { ... { __schema { directives { name } } } } }',
    '{ currentPrincipal { id } __schema { description } }',
    '{ __schema @include(if: true) { queryType { name } } }',
    'query ($yes: Boolean = false) { __schema @include(if: $yes) { queryType { name } } __typename }',
    '{ __schema @skip(if: true) { queryType { name } } __typename }',
  ])('introspection is refused: %s', async (query) => {
    const { data, code, body } = await graphql(production, query);
    expect([data, code]).toEqual([undefined, 'BAD_USER_INPUT']);
    expect(body).not.toMatch(/AnonymousPrincipal|"fields"|requiresScopes/);
  });

  it('says __typename, which every client asks for', async () => {
    expect((await graphql(production, '{ __typename currentPrincipal { __typename } }')).data).toEqual({
      __typename: 'Query',
      currentPrincipal: null,
    });
  });

  it.each([
    '{ currentPrincipl { id } }',
    '{ currentPrincipal { idd } }',
    '{ currentPrincipal { ... on CustomerPrincipall { id } } }',
    '{ currentPrincipal { customer } }',
    'mutation { issueServiceTokn(input: {}) { scopes } }',
    'mutation { issueServiceToken(inpt: {}) { scopes } }',
    'mutation { issueServiceToken(input: { clientIdd: "x" }) { scopes } }',
    'query ($x: SessionContex) { __typename }',
    'query ($input: IssueServiceTokenInput!) { __typename }',
    '{ __typename @includ(if: true) }',
    '{ sessions(frist: 1) { totalCount } }',
    'mutation { updateSessionContext(input: 7) { version } }',
  ])('nothing is suggested: %s', async (query) => {
    const { body, errors } = await graphql(production, query, { variables: { input: { clientIdd: 'x' } } });
    expect(errors.length).toBeGreaterThan(0);
    expect(body).not.toMatch(/did you mean|perhaps|suggest/i);
  });

  it('a wrong value of an enum or input is not answered with the right ones', async () => {
    const { body } = await graphql(
      production,
      'mutation ($i: IssueServiceTokenInput!) { issueServiceToken(input: $i) { scopes } }',
      {
        variables: { i: { clientIdd: 'x', clientSecret: 'y' } },
      },
    );
    expect(body).not.toMatch(/did you mean/i);
  });

  it.each([
    '/graphql',
    '/',
    '/graphql/',
    '/graphiql',
    '/playground',
    '/graphql/ui/start.js',
    '/index.html',
    '/favicon.ico',
  ])('there is no page at %s', async (path) => {
    for (const accept of ['text/html', 'text/html,application/xhtml+xml,*/*;q=0.8']) {
      const answer = await fetch(`${production.url}${path}`, { headers: { Accept: accept } });
      const text = await answer.text();
      expect([404, 406]).toContain(answer.status);
      expect(answer.headers.get('content-type')).not.toContain('html');
      expect(text).not.toMatch(/https?:\/\/|<script|<html|yoga|graphiql/i);
    }
  });

  it('no answer names another host, a version or what it is made with', async () => {
    for (const path of ['/graphql', '/nowhere', '/healthz', '/readyz', '/.well-known/oauth-authorization-server']) {
      const answer = await fetch(`${production.url}${path}`, { headers: { Host: 'evil.example' } });
      const text = await answer.text();
      const hosts = [...text.matchAll(/https?:\/\/[^/"\s]+/g)].map(([host]) => host);
      expect([path, hosts.filter((host) => host !== production.config.issuer)]).toEqual([path, []]);
      expect(answer.headers.has('x-powered-by')).toBe(false);
      expect(answer.headers.get('server')).toBeNull();
    }
  });

  it('case 92: no origin at all is let in', async () => {
    for (const origin of ['https://evil.example', 'null', production.config.issuer]) {
      for (const method of ['OPTIONS', 'POST']) {
        const answer = await fetch(`${production.url}/graphql`, {
          method,
          headers: { ...json, Origin: origin, 'Access-Control-Request-Method': 'POST' },
          ...(method === 'POST' && { body: '{"query":"{ __typename }"}' }),
        });
        expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
      }
    }
  });
});

describe('case 93 and 134: failures inside', () => {
  const told = { message: 'Something went wrong. The request id helps us find it.' };

  describe('in a database that has lost a column', () => {
    let broken: Service;
    let client: string;
    let customer: string;
    beforeAll(async () => {
      broken = await startService();
      client = (await serviceToken(broken)).accessToken;
      customer = (await signIn(broken)).accessToken;
      await broken.app.modules.database.system().$executeRaw`ALTER TABLE sessions RENAME user_agent TO hidden_name`;
    });
    afterAll(() => broken?.stop());
    const ask = (query: string, bearer: string) =>
      graphql(broken, query, { bearer, headers: { Accept: 'application/graphql-response+json' } });
    const words = /user_agent|hidden_name|prisma|P20\d\d|select|stack|\.ts\b/i;

    it('a statement that fails says INTERNAL_SERVER_ERROR with the request id and nothing else; the log has it', async () => {
      broken.logged.length = 0;
      const answer = await ask('{ sessions { nodes { id } } }', client);
      const requestId = answer.headers.get('x-request-id');
      expect([answer.status, answer.data]).toEqual([500, null]);
      expect(answer.errors).toEqual([
        {
          ...told,
          locations: expect.anything(),
          path: ['sessions'],
          extensions: { code: 'INTERNAL_SERVER_ERROR', requestId },
        },
      ]);
      expect(answer.body).not.toMatch(words);
      const logged = broken.logged.filter((line) => line.includes(requestId!)).join('\n');
      expect(logged).toContain('unexpected failure');
      expect(logged).toContain('P2022');
      expect(broken.logged.join('\n')).not.toMatch(/eyJ[\w-]{10,}/);
    });

    it('beside data the status is 200, and as little is told', async () => {
      const answer = await ask(
        '{ tenant { id } currentPrincipal { id ... on CustomerPrincipal { session { id } } } }',
        customer,
      );
      expect([answer.status, answer.data]).toEqual([200, { tenant: { id: 'demo' }, currentPrincipal: null }]);
      expect(answer.errors).toMatchObject([told]);
      expect(Object.keys(answer.errors[0]!.extensions).sort()).toEqual(['code', 'requestId']);
      expect(answer.body).not.toMatch(words);
    });

    it('a mutation that fails has changed nothing, and the process serves on', async () => {
      const { body, code } = await ask(
        'mutation { updateSessionContext(input: { version: 1 }) { version } }',
        customer,
      );
      expect(code).toBe('INTERNAL_SERVER_ERROR');
      expect(body).not.toMatch(words);
      expect((await fetch(`${broken.url}/healthz`)).status).toBe(200);
      expect((await ask('{ __typename }', customer)).data).toEqual({ __typename: 'Query' });
    });
  });

  it('a database that is gone is SERVICE_UNAVAILABLE, 503 with Retry-After or 200 by media type, never a refusal', async () => {
    const own = await startService();
    const { accessToken } = await serviceToken(own);
    await own.app.modules.database.close();
    try {
      const ask = (accept: string, query: string) =>
        graphql(own, query, { bearer: accessToken, headers: { Accept: accept } });
      const preferred = await ask('application/graphql-response+json', '{ sessions { totalCount } }');
      expect([preferred.status, preferred.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
      const plain = await ask('application/json', '{ sessions { totalCount } }');
      expect([plain.status, plain.code]).toEqual([200, 'SERVICE_UNAVAILABLE']);
      expect(preferred.body + plain.body).not.toMatch(/pglite|closed|prisma|stack/i);
      // What a scope decides is decided without a database, as before.
      expect((await graphql(own, '{ sessions { totalCount } }')).code).toBe('UNAUTHENTICATED');
      const login = await graphql(
        own,
        'mutation { issueServiceToken(input: { clientId: "demo-crm", clientSecret: "demo-crm-secret" }) { scopes } }',
      );
      expect(login.code).toBe('SERVICE_UNAVAILABLE');
      expect((await fetch(`${own.url}/healthz`)).status).toBe(200);
    } finally {
      await own.app.http.drain();
    }
  });

  it('a promise that nobody waits for is logged, without its secrets, and the process serves on', async () => {
    // Its words come by the environment: the stack names this very line.
    const preload =
      "process.on('SIGUSR2', () => { Promise.reject(new Error(process.env.LEFT_ALONE)); Promise.reject('no error at all'); })";
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--import', `data:text/javascript,${encodeURIComponent(preload)}`, 'src/main.ts'],
      {
        cwd: join(import.meta.dirname, '../..'),
        env: {
          ...process.env,
          NODE_ENV: 'test',
          DATABASE_URL: 'memory:',
          PORT: '0',
          LOG_LEVEL: 'info',
          ISSUER: 'http://localhost:4000',
          LEFT_ALONE: 'SELECT 1; password=hush-hush-hush Bearer eyJhbGciOiJub25lIn0.e30.',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
    const until = async (pattern: RegExp) => {
      const deadline = Date.now() + 50_000;
      for (;;) {
        const found = pattern.exec(output);
        if (found) return found;
        if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${pattern} never came:\n${output}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    try {
      const [, port] = await until(/"port":(\d+)/);
      await until(/"ready"/);
      child.kill('SIGUSR2');
      await until(/unhandled rejection[\s\S]*unhandled rejection/);
      const answer = await graphql({ url: `http://127.0.0.1:${port}` }, '{ __typename }');
      expect(answer.data).toEqual({ __typename: 'Query' });
      expect(child.exitCode).toBeNull();
      expect(output).not.toMatch(/hush-hush|eyJhbGci/);
    } finally {
      child.kill('SIGKILL');
    }
  }, 60_000);
});
