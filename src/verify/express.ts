// `scopeward/verify/express`: middleware, for Express 4 and 5 and whatever else calls (req, res, next).
// Errors go to `next`: `refusals` answers them in JSON, and without it Express takes their status and headers.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { AccessError } from './access-error.ts';
import { requireScopes } from './caller.ts';
import { type BearerOptions, callerOf, callerOfHeader, rememberCaller, single } from './request-caller.ts';
import type { Verifier } from './verify.ts';

export { callerOf } from './request-caller.ts';

type Next = (error?: unknown) => void;
type Middleware = (req: IncomingMessage, res: ServerResponse, next: Next) => void;

const middleware =
  (step: (req: IncomingMessage) => Promise<unknown>): Middleware =>
  (req, _res, next) => {
    step(req).then(() => next(), next);
  };

/** Verifies the bearer; `callerOf(req)` knows it from then on. */
export const authenticate = (verifier: Verifier, options: BearerOptions = {}): Middleware =>
  middleware(async (req) => rememberCaller(req, await callerOfHeader(verifier, req.headers.authorization, options)));

/** Lets pass who holds all of these scopes. */
export const requires = (...scopes: readonly string[]): Middleware =>
  middleware(async (req) => requireScopes(callerOf(req), ...scopes));

/** For checkout: the header `saas-token` has to be of the same customer, session and company as the bearer. */
export const requiresSaas = (verifier: Verifier): Middleware =>
  middleware((req) => verifier.requireSaas(callerOf(req), single(req.headers['saas-token'])));

/** Error handler, after the routes: answers refusals and outages, and leaves everything else to the next one. */
export function refusals(error: unknown, _req: IncomingMessage, res: ServerResponse, next: Next): void {
  if (!(error instanceof AccessError) || res.headersSent) {
    next(error);
    return;
  }
  res.writeHead(error.status, { ...error.headers, 'Content-Type': 'application/json; charset=utf-8' });
  res.end(JSON.stringify(error.body));
}
