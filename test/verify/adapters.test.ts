// The adapters, in real servers: one and the same story told by Express, Fastify and graphql-yoga.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { createSchema, createYoga, Repeater } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as forExpress from '../../src/verify/express.ts';
import * as forFastify from '../../src/verify/fastify.ts';
import { requireScopes, type Verifier } from '../../src/verify/verify.ts';
import { useVerifier, type VerifiedContext } from '../../src/verify/yoga.ts';
import { givenClient, givenCustomer } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import { type CustomerToken, guest, refresh, signIn, tryServiceToken } from '../kit/stories.ts';
import { beginVerifier, closeVerifiers, givenLine, givenVerifier, revoke } from './given.ts';

let at: Service;
let verifier: Verifier;
let neverReady: Verifier;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  at = await theService();
  verifier = await givenVerifier(at);
  const line = await givenLine(at.url);
  line.down();
  closing.push(line.close);
  neverReady = await beginVerifier(at, { url: line.url });
});
afterAll(async () => {
  closeVerifiers();
  for (const close of closing) await close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Routes: /me for anybody with a token, /orders with `order.order_read`, /checkout with a saas token. */
async function expressApp(using: Verifier, options = {}, isBare = false): Promise<string> {
  const app = express();
  app.use(forExpress.authenticate(using, options));
  app.get('/me', (req, res) => void res.json(forExpress.callerOf(req)));
  app.get('/orders', forExpress.requires('order.order_read'), (_req, res) => void res.json([]));
  app.post('/checkout', forExpress.requiresSaas(using), (_req, res) => void res.json('done'));
  app.get('/thrown', (req, res) => void res.json(requireScopes(forExpress.callerOf(req), 'order.order_read')));
  app.get('/broken', () => {
    throw new Error('a bug');
  });
  if (!isBare) app.use(forExpress.refusals);
  return listen(createServer(app));
}

async function fastifyApp(using: Verifier, options = {}): Promise<string> {
  const app = fastify();
  app.addHook('onRequest', forFastify.authenticate(using, options));
  app.get('/me', async (request) => forFastify.callerOf(request) ?? 'null');
  app.get('/orders', { preHandler: forFastify.requires('order.order_read') }, async () => []);
  app.post('/checkout', { preHandler: forFastify.requiresSaas(using) }, async () => 'done');
  app.get('/thrown', async (request) => requireScopes(forFastify.callerOf(request), 'order.order_read'));
  app.get('/broken', async () => {
    throw new Error('a bug');
  });
  closing.push(() => app.close());
  return app.listen({ port: 0, host: '127.0.0.1' });
}

const clientToken = async (...scopes: string[]): Promise<string> => {
  const client = await givenClient(at, scopes);
  return only(await tryServiceToken(at, client.id, client.clientSecret)).accessToken;
};

async function ask(url: string, bearer?: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(url, {
    method,
    headers: { ...(bearer !== undefined && { Authorization: `Bearer ${bearer}` }), ...headers },
  });
  const body = await response.text();
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    retryAfter: response.headers.get('retry-after'),
    body: response.headers.get('content-type')?.includes('json') ? JSON.parse(body) : body,
  };
}

describe.each([
  ['Express', expressApp],
  ['Fastify', fastifyApp],
])('%s', (_name, start) => {
  let url: string;
  let customer: CustomerToken;
  beforeAll(async () => {
    url = await start(verifier);
    const { email } = await givenCustomer(at, { acme: 'BUYER' });
    customer = await signIn(at, email, { legalEntityId: 'acme' });
  });

  it('a good token: the caller is known, company included', async () => {
    const { status, body } = await ask(`${url}/me`, customer.accessToken);
    expect([status, body.id, body.legalEntityId]).toEqual([200, customer.customer.id, 'acme']);
    expect((await ask(`${url}/orders`, await clientToken('order.order_view'))).status).toBe(200);
    // Case 127: a saas token where none is asked for is not looked at.
    expect((await ask(`${url}/me`, customer.accessToken, { 'saas-token': 'garbage' })).status).toBe(200);
  });

  it('no token: 401, and a challenge without an error', async () => {
    expect(await ask(`${url}/me`)).toMatchObject({ status: 401, challenge: 'Bearer' });
    expect((await ask(`${url}/me`, undefined, { Authorization: 'Basic YTpi' })).status).toBe(401);
  });

  it('a bad token, however spelt: 401 `invalid_token`', async () => {
    for (const bearer of ['garbage', '', customer.saasToken, `${customer.accessToken}x`, 'x'.repeat(9_000)]) {
      expect(await ask(`${url}/me`, bearer)).toMatchObject({
        status: 401,
        challenge: 'Bearer error="invalid_token"',
      });
    }
  });

  it('a scope that is missing, before the route or thrown in it: 403 that names it', async () => {
    for (const path of ['/orders', '/thrown']) {
      expect(await ask(url + path, customer.accessToken)).toMatchObject({
        status: 403,
        challenge: 'Bearer error="insufficient_scope", scope="order.order_read"',
      });
    }
  });

  it('checkout asks for the saas token beside the bearer', async () => {
    const checkout = (headers: Record<string, string>) => ask(`${url}/checkout`, customer.accessToken, headers, 'POST');
    const another = await signIn(at, customer.customer.email, { legalEntityId: 'acme' });
    expect((await checkout({ 'saas-token': customer.saasToken })).status).toBe(200);
    expect((await checkout({})).status).toBe(403);
    expect((await checkout({ 'saas-token': another.saasToken })).status).toBe(403);
    expect((await ask(`${url}/checkout`, undefined, { 'saas-token': customer.saasToken }, 'POST')).status).toBe(401);
  });

  it('an outage: 503 and when to come again, never 401', async () => {
    const cut = await start(neverReady);
    expect(await ask(`${cut}/me`, customer.accessToken)).toMatchObject({
      status: 503,
      retryAfter: '1',
      challenge: null,
    });
  });

  it('optional: nobody comes in as nobody, a bad token does not, and what needs a scope still does', async () => {
    const open = await start(verifier, { optional: true });
    expect((await ask(`${open}/me`)).status).toBe(200);
    expect((await ask(`${open}/me`, 'garbage')).status).toBe(401);
    expect(await ask(`${open}/orders`)).toMatchObject({ status: 401, challenge: 'Bearer' });
  });

  it('other errors are left alone', async () => {
    expect((await ask(`${url}/broken`, customer.accessToken)).status).toBe(500);
  });
});

it('Express: `refusals` says it in JSON as RFC 6749 does; without it the status and the challenge are the same', async () => {
  const token = await clientToken('product.product_read');
  const expected = { status: 403, challenge: 'Bearer error="insufficient_scope", scope="order.order_read"' };
  const [dressed, bare] = [await expressApp(verifier), await expressApp(verifier, {}, true)];
  expect(await ask(`${dressed}/orders`, token)).toMatchObject({
    ...expected,
    body: { error: 'insufficient_scope', error_description: 'The access token does not allow this.' },
  });
  expect(await ask(`${bare}/orders`, token)).toMatchObject(expected);
});

describe('graphql-yoga', () => {
  let executed = 0;
  async function yogaApp(using: Verifier, options = {}) {
    const yoga = createYoga<object, VerifiedContext>({
      logging: false,
      plugins: [useVerifier(using, options)],
      schema: createSchema<VerifiedContext>({
        typeDefs: /* GraphQL */ `
          type Query { me: String orders: [String!] broken: String }
          type Mutation { checkout: String }
          type Subscription { ticks: Int orders: Int }
        `,
        resolvers: {
          Query: {
            me: (_root, _args, { caller }) => {
              executed += 1;
              return caller && `${caller.kind} ${caller.legalEntityId}`;
            },
            orders: (_root, _args, { caller }) => {
              requireScopes(caller, 'order.order_read');
              return [];
            },
            broken: () => {
              throw new Error('a bug, with a secret in it');
            },
          },
          Mutation: {
            checkout: async (_root, _args, { caller, saasToken }) => {
              await using.requireSaas(caller, saasToken);
              return 'done';
            },
          },
          Subscription: {
            ticks: {
              subscribe: () =>
                new Repeater<{ ticks: number }>((push, stop) => {
                  let ticks = 0;
                  const timer = setInterval(() => push({ ticks: ++ticks }), 20);
                  stop.then(() => clearInterval(timer));
                }),
            },
            orders: {
              subscribe: (_root: unknown, _args: unknown, { caller }: VerifiedContext) => {
                requireScopes(caller, 'order.order_read');
                return new Repeater<{ orders: number }>(() => {});
              },
            },
          },
        },
      }),
    });
    return { url: await listen(createServer(yoga)) };
  }

  const b2b = async () => {
    const { email } = await givenCustomer(at, { acme: 'BUYER' });
    return signIn(at, email, { legalEntityId: 'acme' });
  };

  it('a good token: resolvers know the caller', async () => {
    const app = await yogaApp(verifier);
    expect(only(await graphql(app, '{ me }', { bearer: (await b2b()).accessToken }))).toBe('customer acme');
  });

  it('no token, a bad one, or nobody knows: nothing is executed', async () => {
    const { accessToken: bearer } = await b2b();
    const before = executed;
    const accept = { Accept: 'application/graphql-response+json' };
    const app = await yogaApp(verifier);
    for (const [url, token, code, status, header] of [
      [app, undefined, 'UNAUTHENTICATED', 401, { 'www-authenticate': 'Bearer' }],
      [app, 'garbage', 'UNAUTHENTICATED', 401, { 'www-authenticate': 'Bearer error="invalid_token"' }],
      [await yogaApp(neverReady), bearer, 'SERVICE_UNAVAILABLE', 503, { 'retry-after': '1' }],
    ] as const) {
      const answer = await graphql(url, '{ me }', { bearer: token, headers: accept });
      expect([answer.code, answer.status, answer.data ?? null]).toEqual([code, status, null]);
      expect(Object.fromEntries(answer.headers)).toMatchObject(header);
      expect((await graphql(url, '{ me }', { bearer: token })).code).toBe(code);
    }
    expect(executed).toBe(before);
  });

  it('a scope that is missing is FORBIDDEN with its name, beside what is allowed', async () => {
    const app = await yogaApp(verifier);
    const answer = await graphql(app, '{ me orders }', { bearer: (await b2b()).accessToken });
    expect(answer.data).toEqual({ me: 'customer acme', orders: null });
    expect(answer.errors).toEqual([
      expect.objectContaining({
        message: 'The access token does not allow this.',
        path: ['orders'],
        extensions: {
          code: 'FORBIDDEN',
          requiredScopes: [['order.order_read']],
          missingScopes: ['order.order_read'],
        },
      }),
    ]);
    expect(only(await graphql(app, '{ orders }', { bearer: await clientToken('order.order_read') }))).toEqual([]);
  });

  it('checkout asks for the saas token beside the bearer', async () => {
    const app = await yogaApp(verifier);
    const { accessToken: bearer, saasToken, refreshToken } = await b2b();
    const checkout = (headers: Record<string, string>) => graphql(app, 'mutation { checkout }', { bearer, headers });
    expect(only(await checkout({ 'saas-token': saasToken }))).toBe('done');
    const left = await refresh(at, refreshToken, { legalEntityId: null });
    for (const headers of [{}, { 'saas-token': left.saasToken }]) {
      const { code, errors } = await checkout(headers);
      expect([code, errors[0]!.extensions.reason]).toEqual(['FORBIDDEN', 'SAAS_TOKEN_REQUIRED']);
    }
  });

  it('optional: nobody comes in as nobody, a bad token does not', async () => {
    const app = await yogaApp(verifier, { optional: true });
    expect((await graphql(app, '{ me }')).data).toEqual({ me: null });
    expect((await graphql(app, '{ orders }')).code).toBe('UNAUTHENTICATED');
    expect((await graphql(app, '{ me }', { bearer: 'garbage' })).code).toBe('UNAUTHENTICATED');
  });

  it('other errors stay masked', async () => {
    const app = await yogaApp(verifier);
    const { body, code } = await graphql(app, '{ broken }', { bearer: (await guest(at)).accessToken });
    expect(code).toBe('INTERNAL_SERVER_ERROR');
    expect(body).not.toContain('secret');
  });

  it('a subscription is refused like anything else, and delivers nothing after its token has ended', async () => {
    const app = await yogaApp(verifier);
    const follow = (query: string, bearer: string) =>
      fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: 'text/event-stream',
          Authorization: `Bearer ${bearer}`,
        },
        body: JSON.stringify({ query }),
      });
    const { accessToken } = await guest(at);
    expect(await (await follow('subscription { orders }', accessToken)).text()).toContain('"code":"FORBIDDEN"');

    const ended = await clientToken('product.product_read');
    const stream = await follow('subscription { ticks }', ended);
    const events: { data?: { ticks: number }; errors?: { extensions: { code: string } }[] }[] = [];
    let revoked = 0;
    let text = '';
    for await (const chunk of stream.body!) {
      text += Buffer.from(chunk).toString();
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [data] = /\{.*\}/.exec(text.slice(0, end)) ?? [];
        text = text.slice(end + 2);
        if (data) events.push(JSON.parse(data));
      }
      if (events.length >= 3 && revoked === 0) {
        revoked = performance.now();
        await revoke(at, ended);
      }
      if (events.at(-1)?.errors || (revoked > 0 && performance.now() - revoked > 5_000)) break;
    }
    expect(events[0]).toEqual({ data: { ticks: 1 } });
    expect(events.at(-1)!.errors![0]!.extensions.code).toBe('UNAUTHENTICATED');
    expect(events.at(-1)!.data ?? null).toBeNull();
    expect(performance.now() - revoked).toBeLessThan(1_000);
  });
});
