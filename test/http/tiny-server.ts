// A real server on a free port around handlers of the test's own, and a raw socket for what no client would send.

import { connect } from 'node:net';
import { createSchema, createYoga, processRegularResult, Repeater } from 'graphql-yoga';
import { onTestFinished } from 'vitest';
import type { RequestContext } from '../../src/context.ts';
import { OAuthError } from '../../src/errors/oauth-error.ts';
import { readBody } from '../../src/http/request-guards.ts';
import { checkedBy, type Route } from '../../src/http/router.ts';
import type { GraphqlEngine } from '../../src/http/routes/graphql.ts';
import { createHttpServer, type HttpServerOptions } from '../../src/http/server.ts';
import type { Principal } from '../../src/modules/principals/principal.ts';
import { createLogger } from '../../src/observability/logger.ts';

/** Who the token `good` speaks for. */
export const somebody: Principal = {
  kind: 'service',
  tenantId: 'demo',
  tokenId: 'token-1',
  clientId: 'demo-backend',
  scopes: ['iam.group_read'],
  issuedAt: 0,
  expiresAt: 4_000_000_000,
  rev: 0,
  revocationKeys: [],
};

type Given = { routes: readonly Route[] } & Partial<Omit<HttpServerOptions, 'config'>> & {
    config?: Partial<HttpServerOptions['config']>;
  };

/** Starts a server that ends with the test. */
export async function startServer({ config, ...given }: Given) {
  const lines: string[] = [];
  const http = createHttpServer({
    config: { production: false, trustedProxies: [], corsOrigins: [], shutdownSeconds: 5, ...config },
    logger: createLogger({ level: 'debug', write: (line) => lines.push(line) }),
    verifyAccessToken: async (token) => {
      if (token === 'good') return somebody;
      throw new OAuthError('invalid_token');
    },
    ...given,
  });
  const port = await http.listen(0, '127.0.0.1');
  onTestFinished(() => {
    http.server.closeAllConnections();
    http.server.close();
  });
  return { http, port, url: `http://127.0.0.1:${port}`, log: () => lines.join('') };
}

/** Sends bytes as they are; resolves with all that came back once the server closes or falls silent. */
export function raw(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => {
      for (const part of parts) socket.write(part);
    });
    socket.on('data', (data) => {
      received += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.setTimeout(400, () => socket.destroy());
    socket.on('close', () => resolve(received));
  });
}

/** Answers with what the server understood of the request. */
export const echo: Route = {
  methods: ['GET', 'POST'],
  path: '/echo/{word}',
  access: checkedBy('nobody'),
  async handle(req, res, call) {
    const body = req.method === 'POST' ? await readBody(req, res) : null;
    const context = await call.authenticate();
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify({ ...context, params: call.params, query: call.query, bytes: body?.length ?? null }));
  },
};

/** A small GraphQL engine of the shape that the real one has. `ended` counts streams whose source was told to stop. */
export function tinyEngine() {
  const seen = { ended: 0, calls: [] as string[] };
  const yoga = createYoga<{ requestContext: RequestContext }>({
    schema: createSchema<{ requestContext: RequestContext }>({
      typeDefs: `
        type Query { hello(name: String): String requestId: String boom: String }
        type Mutation { change: String }
        type Subscription { ticks: Int }`,
      resolvers: {
        Query: {
          hello: (_root, { name }) => `hello ${name ?? 'you'}`,
          requestId: (_root, _args, context) => context.requestContext.requestId,
          boom: () => {
            throw new Error('select * from secrets');
          },
        },
        Mutation: {
          change: () => {
            seen.calls.push('change');
            return 'changed';
          },
        },
        Subscription: {
          ticks: {
            subscribe: () =>
              new Repeater<{ ticks: number }>(async (push, stop) => {
                void push({ ticks: 1 });
                await stop;
                seen.ended += 1;
              }),
          },
        },
      },
    }),
    cors: false,
    multipart: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    batching: false,
    maxRequestBodySize: false,
  });
  const { fetchAPI, getResultForParams } = yoga;
  const engine: GraphqlEngine = {
    yoga,
    async post(body, requestContext, accept) {
      seen.calls.push('post');
      const request = new fetchAPI.Request('http://localhost/graphql', { method: 'POST' });
      type Post = Parameters<typeof getResultForParams>;
      try {
        const result = await getResultForParams({ params: body as Post[0]['params'], request }, {
          requestContext,
        } as Post[1]);
        const response = processRegularResult(result as Parameters<typeof processRegularResult>[0], fetchAPI, accept!);
        return {
          status: response.status,
          headers: { 'Content-Type': response.headers.get('content-type')! },
          body: await response.text(),
        };
      } catch (error) {
        const body = JSON.stringify({ errors: [{ message: (error as Error).message }] });
        return { status: 400, headers: { 'Content-Type': `${accept}; charset=utf-8` }, body };
      }
    },
  };
  return { engine, seen };
}
