// One node:http server around the route table: guards first, one place that turns errors into answers, time limits,
// and a shutdown that loses nothing (security.md section 2 "time", cases 87, 112, 119).
// Invariant: every answer, also to what is no HTTP at all, carries the security headers.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import type { Answered } from '../observability/metrics.ts';
import type { Tracing } from '../observability/tracing.ts';
import { Answer, securityHeaders } from './answer.ts';
import { authenticate, type VerifyAccessToken } from './authenticate.ts';
import { createCallerAddress } from './caller-address.ts';
import { createCors } from './cors.ts';
import { enforce, isFree } from './enforce.ts';
import { Exchange, type Serving } from './exchange.ts';
import { HttpError, noSuchPath, wrongMethod } from './http-error.ts';
import { oauthAnswer, sendText } from './oauth-response.ts';
import { admit, requestIdOf, sizes } from './request-guards.ts';
import { createRouter, type Route } from './router.ts';

/** Milliseconds. */
export interface Times {
  /** From the request's headers to its answer; streams excepted. */
  readonly request: number;
  /** How long a stopping server still takes connections and says that it isn't ready. */
  readonly notice: number;
  /** How long the rest of a refused body is let run out, so that the answer is not lost in a reset. */
  readonly linger: number;
}

/** What the server needs. */
export interface HttpServerOptions {
  readonly config: Pick<Config, 'production' | 'trustedProxies' | 'corsOrigins' | 'shutdownSeconds'>;
  readonly logger: Logger;
  readonly routes: readonly Route[];
  readonly verifyAccessToken: VerifyAccessToken;
  /** What has to be read before anything that needs knowledge is answered; null: nothing. */
  readonly missed?: () => Promise<void> | null;
  readonly onAnswered?: (answered: Answered) => void;
  readonly tracing?: Pick<Tracing, 'request'>;
  readonly times?: Partial<Times>;
}

/** A server that can be stopped without losing anything. */
export interface HttpServer {
  readonly server: Server;
  /** Resolves with the port. @throws the error of node, such as EADDRINUSE. */
  listen(port: number, host: string): Promise<number>;
  /** Not ready first, then requests finish, streams end, idle connections close. Resolves in `shutdownSeconds`. */
  drain(): Promise<void>;
}

/** What a rejected token was rejected for: short, whatever stood in the token. */
const describeCause = (cause: unknown): string => String(cause instanceof Error ? cause.message : cause).slice(0, 64);

const rawAnswer = (status: number, reason: string) =>
  [
    `HTTP/1.1 ${status} ${reason}`,
    'Connection: close',
    'Content-Length: 0',
    ...Object.entries(securityHeaders).map((header) => header.join(': ')),
    '',
    '',
  ].join('\r\n');

/** Builds the server; `listen` starts it. */
export function createHttpServer({
  config,
  logger,
  routes,
  verifyAccessToken,
  missed = () => null,
  onAnswered,
  tracing,
  times: given,
}: HttpServerOptions): HttpServer {
  const times: Times = { request: 10_000, notice: config.production ? 3_000 : 0, linger: 2_000, ...given };
  const find = createRouter(routes);
  const callerAddress = createCallerAddress(config.trustedProxies);
  const cors = createCors(config);
  const running = new Set<Exchange>();
  const sockets = new Set<Socket>();
  let draining: Promise<void> | null = null;

  const serving: Serving = {
    isDraining: () => draining !== null,
    authenticate: (req, requestId) =>
      authenticate(req, verifyAccessToken, (cause) =>
        logger.debug({ requestId, cause: describeCause(cause) }, 'bearer rejected'),
      ),
  };

  function begin(req: IncomingMessage, res: Answer): Exchange {
    const { ipAddress, fromTrustedProxy: isTrusted } = callerAddress(req);
    const requestId = requestIdOf(req, isTrusted);
    const traceparent = req.headers.traceparent as string | undefined;
    const span = tracing?.request({ method: req.method!, requestId, traceparent, isTrusted }) ?? null;
    const exchange = new Exchange(serving, req, res, { requestId, ipAddress, span });
    res.common['X-Request-Id'] = requestId;
    if (draining) res.common.Connection = 'close';
    running.add(exchange);
    res.on('close', () => finish(exchange));
    return exchange;
  }

  function finish(exchange: Exchange) {
    const { req, res, route, requestId, span, startedAt } = exchange;
    running.delete(exchange);
    if (!req.complete) {
      // A refused body: an answer followed by a reset is often never read.
      const timer = setTimeout(() => req.destroy(), times.linger).unref();
      req.once('close', () => clearTimeout(timer)).resume();
    }
    const answered: Answered = {
      method: req.method!,
      route: route?.path ?? 'unmatched',
      status: res.headersSent ? res.statusCode : 499,
      seconds: (performance.now() - startedAt) / 1000,
    };
    onAnswered?.(answered);
    span?.end(answered);
    if (logger.isLevelEnabled('debug')) logger.debug({ requestId, ...answered }, 'answered');
  }

  function refuse({ req, res, route, requestId, params }: Exchange, error: unknown) {
    const { status, headers, body } = (route?.refuse ?? oauthAnswer)(error, { requestId, req, params });
    if (status >= 500) logger.error({ requestId, route: route?.path, err: error }, 'request failed');
    if (res.headersSent || res.destroyed) return void res.destroy();
    if (body === null) return void res.writeHead(status, { ...headers, 'Content-Length': 0 }).end();
    sendText(res, status, 'application/json; charset=utf-8', JSON.stringify(body), headers);
  }

  function handle(req: IncomingMessage, res: Answer): void {
    const exchange = begin(req, res);
    if (exchange.span) exchange.span.run(() => answer(exchange));
    else answer(exchange);
  }

  function answer(exchange: Exchange): void {
    const { req, res } = exchange;
    const fail = (error: unknown) => refuse(exchange, error);
    try {
      const found = exchange.path.length <= sizes.url ? find(exchange.path) : null;
      // Until the method is known, the first route of the path says how its family speaks of errors.
      exchange.route = found?.routes[0] ?? null;
      const route = found?.routes.find((candidate) => (candidate.methods as readonly string[]).includes(req.method!));
      const allow = found?.allow ?? [];
      // A route that takes OPTIONS itself is none that browsers call.
      const answersOptions = route?.methods.includes('OPTIONS') ?? false;
      if (!answersOptions && cors(req, res, allow) === 'answered') return;
      admit(req);
      if (!found) throw noSuchPath();
      if (!route && req.method === 'OPTIONS') return void res.writeHead(204, { Allow: allow.join(', ') }).end();
      if (!route) throw wrongMethod(allow);
      exchange.route = route;
      exchange.params = found.params;
      const run = () =>
        isFree(route)
          ? route.handle(req, res, exchange)
          : enforce(route, exchange).then(() => route.handle(req, res, exchange));
      const behind = route.access.kind === 'open' ? null : missed();
      const done = behind ? behind.then(run) : run();
      done?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  const server = createServer(
    {
      ServerResponse: Answer,
      maxHeaderSize: sizes.headers,
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 5_000,
    },
    handle,
  );
  server.maxHeadersCount = sizes.headerCount;
  server.on('checkContinue', handle);
  server.on('checkExpectation', (_req: IncomingMessage, res: ServerResponse) => {
    res.writeHead(417).end();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    if (error.code === 'HPE_HEADER_OVERFLOW') socket.end(rawAnswer(431, 'Request Header Fields Too Large'));
    else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') socket.end(rawAnswer(408, 'Request Timeout'));
    else socket.end(rawAnswer(400, 'Bad Request'));
  });

  // One sweep for all, instead of a timer for each request.
  const sweep = setInterval(
    () => {
      const latest = performance.now() - times.request;
      for (const exchange of running) {
        const { req, res } = exchange;
        if (exchange.startedAt > latest || exchange.endStream) continue;
        if (res.headersSent) res.destroy();
        else if (req.complete)
          refuse(
            exchange,
            new HttpError(503, 'temporarily_unavailable', 'This took too long.', { 'Retry-After': '1' }),
          );
        else
          refuse(
            exchange,
            new HttpError(408, 'request_timeout', 'The request did not arrive in time.', { Connection: 'close' }),
          );
      }
    },
    Math.min(1_000, times.request / 4),
  ).unref();

  async function stop(): Promise<void> {
    const deadline = performance.now() + Math.max(100, config.shutdownSeconds * 1_000 - 500);
    await new Promise((resolve) => setTimeout(resolve, Math.min(times.notice, (config.shutdownSeconds * 1_000) / 2)));
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const { endStream } of running) endStream?.();
    const startedAt = performance.now();
    const tidy = setInterval(() => {
      server.closeIdleConnections();
      if (performance.now() > deadline) return server.closeAllConnections();
      // What has connected and said nothing counts as active for node.
      const busy = new Set([...running].map(({ req }) => req.socket));
      if (performance.now() - startedAt > 500) for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
    }, 50);
    await closed;
    clearInterval(tidy);
    clearInterval(sweep);
  }

  return {
    server,
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    drain: () => (draining ??= stop()),
  };
}
