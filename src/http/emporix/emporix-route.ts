// What the routes have in common that storefronts and consoles written for Emporix call: the tenant in the path, JSON in
// and out, and the platform's error bodies. Each is a thin line to the use case that GraphQL calls.
// Invariant: the tenant is the bearer's and never the path's word; the server has held the one against the other.

import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { Ctx, RequestContext } from '../../context.ts';
import { isStorable } from '../../database/storable.ts';
import { badInput, unauthenticated } from '../../errors/domain-error.ts';
import type { Access } from '../../permissions/access.ts';
import { malformed } from '../http-error.ts';
import { type Answer, type ErrorRenderer, sendJson } from '../oauth-response.ts';
import { readParameters } from '../parameters.ts';
import { readText, requireContentType } from '../request-guards.ts';
import type { Method, Route } from '../router.ts';
import { emporixDescription, type Says } from './described.ts';

/** A request as a route gets it. */
export interface EmporixRequest<Context extends RequestContext = Ctx> {
  readonly ctx: Context;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingMessage['headers'];
  /** The JSON of the body, as `schema` has it; what it does not name is dropped. @throws BAD_USER_INPUT, HttpError */
  body<Schema extends z.ZodType>(schema: Schema): Promise<z.output<Schema>>;
}

/** The parameters of a URL, each said once at most. */
export interface Query {
  /** Absent, and without a value, are one. */
  value(name: string): string | undefined;
  /** @throws BAD_USER_INPUT without a value */
  need(name: string): string;
}

/** What a route answers; a body that is `undefined` is none. */
export interface EmporixAnswer {
  readonly status: Answer['status'];
  readonly headers?: Answer['headers'];
  readonly body?: unknown;
}

/** One line of the table. */
export interface EmporixRoute<Context extends RequestContext> {
  readonly method: Method;
  readonly path: string;
  readonly access: Access;
  readonly errors: ErrorRenderer;
  /** For /openapi.json. */
  readonly says?: Says;
  answer(request: EmporixRequest<Context>): Promise<EmporixAnswer>;
}

/** @throws HttpError `invalid_request` for a parameter that is sent twice, or holds NUL */
function parseQuery(text: string): Query {
  const parameters = readParameters(text);
  const value = (name: string) => parameters.get(name) || undefined;
  return {
    value,
    need(name) {
      const found = value(name);
      if (found === undefined) throw badInput(name, 'The parameter is missing.');
      return found;
    },
  };
}

/** @throws HttpError `invalid_request` for what is not JSON, or holds a text that no database keeps */
function parseJson(text: string): unknown {
  let isFit = true;
  const look = (key: string, value: unknown) => {
    isFit &&= isStorable(key) && (typeof value !== 'string' || isStorable(value));
    return value;
  };
  try {
    const parsed: unknown = JSON.parse(text, look);
    if (isFit) return parsed;
  } catch {
    throw malformed('The request body is not JSON.');
  }
  throw malformed('The request body holds NUL, or half a character.');
}

/** What was given, as `schema` has it. @throws BAD_USER_INPUT */
export function checked<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw badInput(first!.path.join('.'), first!.message);
}

/** @throws UNAUTHENTICATED without a bearer */
function inTenant(context: RequestContext): Ctx {
  if (!context.principal) throw unauthenticated();
  return { ...context, tenantId: context.principal.tenantId };
}

const route = <Context extends RequestContext>(
  { method, path, access, errors, says, answer }: EmporixRoute<Context>,
  contextOf: (context: RequestContext, params: Readonly<Record<string, string>>, req: IncomingMessage) => Context,
): Route => ({
  methods: [method],
  path,
  access,
  describes: emporixDescription(says),
  refuse: errors,
  async handle(req, res, call) {
    const { params } = call;
    if (!Object.values(params).every(isStorable)) throw malformed('The path holds NUL, or half a character.');
    const { status, headers, body } = await answer({
      ctx: contextOf(await call.authenticate(), params, req),
      params,
      query: parseQuery(call.query),
      headers: req.headers,
      async body(schema) {
        requireContentType(req, 'application/json');
        return checked(schema, parseJson(await readText(req, res)));
      },
    });
    // By now the client may be gone, or told that it took too long.
    if (res.headersSent || res.destroyed) return;
    if (body === undefined) res.writeHead(status, headers).end();
    else sendJson(res, status, body, headers);
  },
});

/** A route below `/…/{tenant}/…`. */
export const tenantRoute = (line: EmporixRoute<Ctx>): Route =>
  route(line, (context, params, req) => {
    const ctx = inTenant(context);
    const named = req.headers['emporix-tenant'];
    if (named !== undefined && named !== params.tenant)
      throw malformed('Tenant in the header is not matching with the one provided in the URI.');
    return ctx;
  });

/** A route that is asked before there is a token; its query names the tenant. */
export const publicRoute = (line: EmporixRoute<RequestContext>): Route => route(line, (context) => context);
