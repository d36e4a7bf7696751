// `scopeward/verify/fastify`: hooks. Fastify answers what they throw with the error's status, headers and code.

import type { IncomingHttpHeaders } from 'node:http';
import { requireScopes } from './caller.ts';
import { type BearerOptions, callerOf, callerOfHeader, rememberCaller, single } from './request-caller.ts';
import type { Verifier } from './verify.ts';

export { callerOf } from './request-caller.ts';

/** What is asked of Fastify's request. */
interface Request {
  readonly headers: IncomingHttpHeaders;
}
type Hook = (request: Request) => Promise<void>;

/** `onRequest`: verifies the bearer; `callerOf(request)` knows it from then on. */
export const authenticate =
  (verifier: Verifier, options: BearerOptions = {}): Hook =>
  async (request) =>
    rememberCaller(request, await callerOfHeader(verifier, request.headers.authorization, options));

/** `preHandler`: lets pass who holds all of these scopes. */
export const requires =
  (...scopes: readonly string[]): Hook =>
  async (request) =>
    void requireScopes(callerOf(request), ...scopes);

/** `preHandler`, for checkout: `saas-token` has to be of the same customer, session and company as the bearer. */
export const requiresSaas =
  (verifier: Verifier): Hook =>
  (request) =>
    verifier.requireSaas(callerOf(request), single(request.headers['saas-token']));
