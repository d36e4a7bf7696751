// Guarantees of the HTTP edge, on real sockets (security.md section 2, cases 12, 15, 82, 87, 91, 112).

import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { serviceUnavailable } from '../../src/errors/domain-error.ts';
import { checkedBy, createRouter, type Route } from '../../src/http/router.ts';
import { createGraphqlRoutes } from '../../src/http/routes/graphql.ts';
import { requires } from '../../src/permissions/access.ts';
import { echo, raw, startServer, tinyEngine } from './tiny-server.ts';

const startGraphql = async (given: Partial<Parameters<typeof startServer>[0]> = {}) => {
  const { engine, seen } = tinyEngine();
  const server = await startServer({
    routes: [...createGraphqlRoutes({ graphql: engine, page: null }), echo],
    ...given,
  });
  const post = (
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ) => fetch(`${server.url}/graphql`, { method: 'POST', headers, body });
  return { ...server, post, seen };
};

const json = JSON.stringify({ query: '{ hello }' });
const padded = (bytes: number) => {
  const empty = JSON.stringify({ query: '{ hello }', variables: { pad: '' } });
  return JSON.stringify({ query: '{ hello }', variables: { pad: 'x'.repeat(bytes - empty.length) } });
};

describe('bodies', () => {
  it('case 87: takes a body of 100 KB and refuses one byte more with 413, by length and chunked', async () => {
    const { post, port } = await startGraphql();
    expect((await post(padded(100_000))).status).toBe(200);
    const refused = await post(padded(100_001));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toEqual({
      errors: [{ message: 'The request body is too large.', extensions: { code: 'INVALID_REQUEST' } }],
    });
    const chunk = 'x'.repeat(50_000);
    const head =
      'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    const sized = `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
    expect(await raw(port, head, sized, sized, '1\r\nx\r\n0\r\n\r\n')).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('case 87: refuses 20 MB of query at once, and the answer is not lost in a reset', async () => {
    const { post } = await startGraphql();
    const started = performance.now();
    expect((await post(padded(20_000_000))).status).toBe(413);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('case 87: never decompresses: gzip is 415', async () => {
    const { post } = await startGraphql();
    const answer = await post(new Uint8Array(gzipSync(json)), {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    });
    expect(answer.status).toBe(415);
  });

  it('gives leave to send a body only when it is going to read it (RFC 9110 s.10.1.1)', async () => {
    const { port } = await startGraphql();
    const head = (length: number) =>
      `POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
    expect(await raw(port, head(200_000))).toMatch(/^HTTP\/1\.1 413 /);
    expect(await raw(port, head(json.length), json)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
  });

  it.each([
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['Application/JSON; Charset="UTF-8"', 200],
    ['application/json; charset=utf-7', 415],
    ['application/json, text/plain', 415],
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/graphql', 415],
    ['text/plain; application/json', 415],
    ['', 415],
  ])('case 91: answers a POST of "%s" with %i', async (contentType, status) => {
    const { port, seen } = await startGraphql();
    const type = contentType && `Content-Type: ${contentType}\r\n`;
    const answer = await raw(
      port,
      `POST /graphql HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${type}Content-Length: ${json.length}\r\n\r\n${json}`,
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(seen.calls).toEqual(status === 200 ? ['post'] : []);
  });

  it.each([
    ['trailing junk', '{"query":"{ hello }"} x'],
    ['a batch', '[{"query":"{ hello }"}]'],
    ['variables that are a list', '{"query":"{ hello }","variables":[]}'],
    ['an unknown member', '{"query":"{ hello }","__proto__":{"a":1}}'],
    ['nothing', ''],
  ])('case 87: refuses %s with 400', async (_what, body) => {
    const { post } = await startGraphql();
    const answer = await post(body);
    expect(answer.status).toBe(400);
  });

  it('case 93: does not repeat the words of the JSON parser', async () => {
    const { post } = await startGraphql();
    const answer = await post('{"query": my-password}');
    expect(await answer.json()).toEqual({
      errors: [{ message: 'The request body is not JSON.', extensions: { code: 'INVALID_REQUEST' } }],
    });
  });

  it('refuses a body that is not UTF-8 with 400', async () => {
    const { post } = await startGraphql();
    expect((await post(new Uint8Array([0x22, 0xff, 0x22]))).status).toBe(400);
  });
});

describe('URL, headers, methods', () => {
  it('refuses a URL above 8 KB with 414 and headers above 16 KB with 431', async () => {
    const { port, url } = await startGraphql();
    expect((await fetch(`${url}/graphql?query=${'x'.repeat(8_200)}`)).status).toBe(414);
    const answer = await raw(port, `GET /echo/a HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain("Content-Security-Policy: default-src 'none'");
  });

  it('answers an unknown path with 404 and an unknown method with 405 and Allow', async () => {
    const { url } = await startGraphql();
    const missing = await fetch(`${url}/nowhere`);
    expect([missing.status, await missing.json()]).toEqual([
      404,
      { error: 'not_found', error_description: 'There is nothing here.' },
    ]);
    const wrong = await fetch(`${url}/graphql`, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST, GET, OPTIONS']);
    expect((await fetch(`${url}/echo/%ff`)).status).toBe(404);
    expect((await fetch(`${url}/echo/`)).status).toBe(404);
  });

  it('case 91: refuses a mutation by GET with 405 and runs nothing', async () => {
    const { url, seen } = await startGraphql();
    const answer = await fetch(`${url}/graphql?query=mutation{change}`);
    expect([answer.status, seen.calls]).toEqual([405, []]);
  });

  it.each(['/graphql', '/nowhere', '/echo/a'])('puts the security headers on every answer: %s', async (path) => {
    const { url } = await startGraphql();
    const { headers } = await fetch(url + path);
    expect(
      Object.fromEntries(
        ['cache-control', 'x-content-type-options', 'referrer-policy', 'content-security-policy'].map((name) => [
          name,
          headers.get(name),
        ]),
      ),
    ).toEqual({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('puts them on answers to what is no HTTP, too', async () => {
    const { port } = await startGraphql();
    expect(await raw(port, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*X-Content-Type-Options: nosniff/);
  });

  it('case 82: no Host and no absolute URL of the caller becomes part of an answer', async () => {
    const { port } = await startGraphql();
    const query = '/graphql?query={hello}';
    const answer = await raw(
      port,
      `GET http://evil.example${query} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nX-Forwarded-Host: evil.example\r\n\r\n`,
    );
    expect(answer).toContain('hello you');
    expect(answer).not.toContain('evil');
  });

  it('answers 408 or 503 when a request takes longer than its time', async () => {
    const stuck: Route = {
      methods: ['GET'],
      path: '/stuck',
      access: checkedBy('nobody'),
      handle: () => new Promise(() => {}),
    };
    const { url, port } = await startServer({ routes: [stuck, echo], times: { request: 80 } });
    const answer = await fetch(`${url}/stuck`);
    expect([answer.status, await answer.json()]).toMatchObject([503, { error: 'temporarily_unavailable' }]);
    expect(await raw(port, 'POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')).toMatch(
      /^HTTP\/1\.1 408 /,
    );
  });

  it('refuses a route table in which two routes answer the same request', () => {
    expect(() => createRouter([echo, echo])).toThrow('Two routes answer GET /echo/{word}.');
    expect(() => createRouter([echo, { ...echo, methods: ['PUT'], path: '/echo/{other}' }])).toThrow('differ in names');
  });
});

describe('bearer tokens', () => {
  const ask = async (headers: Record<string, string>, path = '/echo/a') => {
    const { url } = await startServer({ routes: [echo] });
    const answer = await fetch(url + path, { headers });
    return {
      status: answer.status,
      challenge: answer.headers.get('www-authenticate'),
      body: (await answer.json()) as Record<string, unknown>,
    };
  };

  it('takes a bearer in the Authorization header, in any case of the scheme', async () => {
    expect((await ask({ authorization: 'bEARER good' })).body).toMatchObject({
      credential: 'accepted',
      principal: { clientId: 'demo-backend' },
    });
  });

  it.each(['Bearer bad', 'Bearer', 'Bearer a b', 'Bearer "good"'])('calls %s rejected', async (authorization) => {
    expect((await ask({ authorization })).body).toMatchObject({ credential: 'rejected', principal: null });
  });

  it('case 15: ignores a token in query or form', async () => {
    expect((await ask({}, '/echo/a?access_token=good')).body).toMatchObject({ credential: 'none' });
    const { url } = await startServer({ routes: [echo] });
    const form = await fetch(`${url}/echo/a`, { method: 'POST', body: new URLSearchParams({ access_token: 'good' }) });
    expect(await form.json()).toMatchObject({ credential: 'none', bytes: 17 });
  });

  it('case 15: refuses two Authorization headers with 400 INVALID_REQUEST', async () => {
    const { port } = await startGraphql();
    const answer = await raw(
      port,
      `POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer good\r\naUTHORIZATION: Bearer good\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"INVALID_REQUEST"/);
  });

  it('case 12: refuses a token above 8 KB with 401 and never hands it to the verifier', async () => {
    let verified = 0;
    const { url, port } = await startServer({
      routes: [echo],
      verifyAccessToken: async () => {
        verified += 1;
        throw new Error('must not be called');
      },
    });
    const started = performance.now();
    const answer = await fetch(`${url}/echo/a`, { headers: { authorization: `Bearer ${'e'.repeat(9_000)}` } });
    expect([answer.status, await answer.json()]).toMatchObject([401, { error: 'invalid_token' }]);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="scopeward", error="invalid_token"/);
    expect(
      await raw(port, `GET /echo/a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${'e'.repeat(64_000)}\r\n\r\n`),
    ).toMatch(/^HTTP\/1\.1 431 /);
    expect(verified).toBe(0);
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  it('case 112: an outage of the verifier is 503 with Retry-After, never 401', async () => {
    const { post } = await startGraphql({
      verifyAccessToken: async () => {
        throw serviceUnavailable(new Error('database away'));
      },
    });
    const answer = await post(json, { 'content-type': 'application/json', authorization: 'Bearer good' });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] });
  });

  it('refuses a route that needs a scope: 401 without token, 403 with the scopes that are missing', async () => {
    const guarded: Route = { ...echo, path: '/guarded', access: requires('iam.group_manage') };
    const { url } = await startServer({ routes: [guarded] });
    const without = await fetch(`${url}/guarded`);
    expect([without.status, await without.json()]).toMatchObject([401, { error: 'invalid_token' }]);
    const lacking = await fetch(`${url}/guarded`, { headers: { authorization: 'Bearer good' } });
    expect([lacking.status, lacking.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer realm="scopeward", error="insufficient_scope", scope="iam.group_manage"',
    ]);
  });

  it('an unexpected failure says the request id and nothing else, and is logged under it', async () => {
    const broken: Route = {
      ...echo,
      path: '/broken',
      handle: async () => Promise.reject(new Error('select secret from table')),
    };
    const { url, log } = await startServer({ routes: [broken] });
    const answer = await fetch(`${url}/broken`);
    const id = answer.headers.get('x-request-id');
    expect([answer.status, await answer.json()]).toEqual([
      500,
      { error: 'server_error', error_description: 'Something went wrong.', request_id: id },
    ]);
    expect(log()).toContain(id);
  });
});

describe("the caller's address", () => {
  const seenBy = async (trustedProxies: readonly string[] | null, headers: Record<string, string>) => {
    const { url } = await startServer({ routes: [echo], config: { trustedProxies } });
    return (await (await fetch(`${url}/echo/a`, { headers })).json()) as {
      ipAddress: string | null;
      requestId: string;
    };
  };

  it.each([
    ['nobody said whether there is a proxy', null, '203.0.113.9', null],
    ['there is no proxy', [], '203.0.113.9', '127.0.0.1'],
    ['the peer is no trusted proxy', ['10.0.0.0/8'], '203.0.113.9', '127.0.0.1'],
    ['the peer is trusted', ['127.0.0.0/8'], '203.0.113.9', '203.0.113.9'],
    ['the caller wrote entries of its own', ['127.0.0.1'], '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['two proxies are trusted', ['127.0.0.1', '10.0.0.0/8'], '1.1.1.1, 203.0.113.9, 10.1.1.1', '203.0.113.9'],
    ['an entry carries a port', ['127.0.0.1'], '203.0.113.9:4711', '203.0.113.9'],
    ['an entry is IPv6', ['127.0.0.1'], '2001:DB8:0:0::1', '2001:db8::1'],
    ['an entry is IPv4 inside IPv6', ['127.0.0.1'], '::ffff:203.0.113.9', '203.0.113.9'],
    ['an entry is nonsense', ['127.0.0.1'], '203.0.113.9, unknown', '127.0.0.1'],
    ['there is no header', ['127.0.0.1'], '', '127.0.0.1'],
  ])('when %s', async (_what, trusted, forwarded, expected) => {
    expect((await seenBy(trusted, forwarded ? { 'x-forwarded-for': forwarded } : {})).ipAddress).toBe(expected);
  });

  it('takes a request id from a trusted proxy only, and only a harmless one', async () => {
    const given = { 'x-request-id': 'request-0815-abc' };
    expect((await seenBy(['127.0.0.1'], given)).requestId).toBe('request-0815-abc');
    expect((await seenBy([], given)).requestId).not.toBe('request-0815-abc');
    expect((await seenBy(['127.0.0.1'], { 'x-request-id': 'a b<script>' })).requestId).toMatch(/^[\w-]{36}$/);
  });
});

describe('GraphQL over HTTP', () => {
  it.each([
    ['application/json', 'application/json; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json; charset=utf-8'],
    ['application/json, application/graphql-response+json', 'application/json; charset=utf-8'],
  ])('answers Accept %s with %s, the short way', async (accept, expected) => {
    const { post, seen } = await startGraphql();
    const answer = await post(json, { 'content-type': 'application/json', accept });
    expect([answer.headers.get('content-type'), await answer.json(), seen.calls]).toEqual([
      expected,
      { data: { hello: 'hello you' } },
      ['post'],
    ]);
  });

  it('hands the request context to the resolvers on both ways', async () => {
    const { post, url } = await startGraphql();
    for (const answer of [await post('{"query":"{ requestId }"}'), await fetch(`${url}/graphql?query={requestId}`)]) {
      expect(await answer.json()).toEqual({ data: { requestId: answer.headers.get('x-request-id') } });
    }
  });

  it.each(['POST', 'GET'])(
    'streams a subscription as Server-Sent Events over %s and stops its source when the reader goes',
    async (method) => {
      const { url, seen } = await startGraphql({ times: { request: 60 } });
      const reader = new AbortController();
      const answer = await fetch(method === 'GET' ? `${url}/graphql?query=subscription{ticks}` : `${url}/graphql`, {
        method,
        signal: reader.signal,
        headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
        ...(method === 'POST' && { body: '{"query":"subscription { ticks }"}' }),
      });
      expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
        200,
        'text/event-stream',
        'no-store',
      ]);
      const events = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      while (!text.includes('"ticks":1')) text += (await events.read()).value;
      // Longer than a plain request may take: streams have no time limit.
      await new Promise((resolve) => setTimeout(resolve, 120));
      expect(seen.ended).toBe(0);
      reader.abort();
      await expect.poll(() => seen.ended).toBe(1);
    },
  );
});
