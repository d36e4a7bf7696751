// /graphql: JSON posts take the short way into the pipeline (parse, limits, checks, masking), streams and GET go
// through the engine's HTTP layer (GraphQL over HTTP; security.md cases 87 and 91). Invariant: what runs was one
// application/json body within the limits, and no part of the caller's Host or URL becomes part of anything.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { RequestContext } from '../../context.ts';
import { DomainError } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import type { Description } from '../description.ts';
import { HttpError, malformed, noSuchPath } from '../http-error.ts';
import { type ErrorRenderer, errorHeaders, errorStatus, sendText } from '../oauth-response.ts';
import { readText, requireContentType } from '../request-guards.ts';
import { type Call, checkedBy, type Route } from '../router.ts';
import { sendResponse } from './fetch-response.ts';

/** The GraphQL side, as `createGraphQLHandler` makes it. */
export interface GraphqlEngine {
  /** One parsed body, one answer; never called for what may be a subscription. */
  post(
    body: unknown,
    requestContext: RequestContext,
    accept: string | undefined,
  ): Promise<{
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }>;
  /** Everything else: GET, Server-Sent Events, media types that `post` does not speak. */
  readonly yoga: {
    readonly fetchAPI: { readonly Request: typeof Request };
    fetch(request: Request, context: { requestContext: RequestContext }): Response | Promise<Response>;
  };
}

const OWN_URL = 'http://localhost/graphql';
const PLAIN = 'application/json';
const RESPONSE = 'application/graphql-response+json';

const result = z
  .object({
    data: z.record(z.string(), z.unknown()).nullable().optional(),
    errors: z
      .array(
        z.object({
          message: z.string(),
          path: z.array(z.union([z.string(), z.number()])).optional(),
          extensions: z.object({ code: z.string() }).optional(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'GraphqlResult', description: 'A result of GraphQL; `extensions.code` says what an error is.' });

const answers: Description['answers'] = {
  200: { text: 'The result. Of a subscription, a stream of results (text/event-stream).', schema: result },
  default: { text: 'Nothing ran: malformed, refused, or the service cannot answer.', schema: result },
};
const byBearer = { tag: 'GraphQL', authentication: ['none', 'bearer'], answers } as const;

const operating: Description = {
  ...byBearer,
  summary: 'Run one operation (GraphQL over HTTP)',
  body: {
    type: PLAIN,
    schema: z
      .object({
        query: z.string(),
        operationName: z.string().nullable().optional(),
        variables: z.record(z.string(), z.unknown()).nullable().optional(),
      })
      .meta({ id: 'GraphqlRequest' }),
  },
};

const asking: Description = {
  ...byBearer,
  summary: 'Run one query or subscription, outside production; to browsers, the explorer where it is on',
  parameters: [
    { name: 'query', in: 'query', text: 'The document.' },
    { name: 'operationName', in: 'query', text: 'Which operation of it.' },
    { name: 'variables', in: 'query', text: 'A JSON object.' },
  ],
};

/** What a single result would be sent as, the first that fits, as Yoga has it; null: leave it to Yoga. */
function resultType(accept: string | undefined): typeof PLAIN | typeof RESPONSE | null {
  if (accept === undefined || accept === PLAIN) return PLAIN;
  for (const range of accept.toLowerCase().split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    if (parameters.some((parameter) => parameter.startsWith('charset=') && parameter !== 'charset=utf-8')) continue;
    if (type === RESPONSE) return RESPONSE;
    if (type === PLAIN || type === 'application/*' || type === '*/*') return PLAIN;
  }
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would repeat what was sent.
    throw malformed('The request body is not JSON.');
  }
}

/** May this body hold a subscription? Only a document with the keyword can; those are streams. */
const mayBeStream = (body: unknown): boolean => {
  const query = (body as { query?: unknown } | null)?.query;
  return typeof query === 'string' && query.includes('subscription');
};

function codeOf(error: unknown, status: number): string {
  if (error instanceof DomainError) return error.code;
  if (error instanceof OAuthError) return error.code === 'invalid_token' ? 'UNAUTHENTICATED' : error.code.toUpperCase();
  if (status === 404) return 'NOT_FOUND';
  if (status === 503) return 'SERVICE_UNAVAILABLE';
  return status >= 500 ? 'INTERNAL_SERVER_ERROR' : 'INVALID_REQUEST';
}

/** Refusals from before GraphQL, in GraphQL's form and with the codes of its catalogue. */
export const graphqlAnswer: ErrorRenderer = (error, { requestId, req }) => {
  const status = errorStatus(error);
  const isOurs = error instanceof HttpError || error instanceof OAuthError || error instanceof DomainError;
  const extensions = {
    ...(error instanceof DomainError && error.details),
    code: codeOf(error, status),
    ...(status >= 500 && { requestId }),
  };
  const type = resultType(req.headers.accept) ?? PLAIN;
  return {
    status,
    headers: { ...errorHeaders(error), 'Content-Type': `${type}; charset=utf-8` },
    body: { errors: [{ message: isOurs ? error.message : 'Something went wrong.', extensions }] },
  };
};

/** `page`: GraphiQL, where it is switched on. */
export function createGraphqlRoutes(deps: {
  graphql: GraphqlEngine;
  page: ((res: ServerResponse) => void) | null;
}): Route[] {
  const { graphql, page } = deps;
  // Taken once: each look-up on Yoga goes through a Proxy and binds anew.
  const { fetch, fetchAPI } = graphql.yoga;

  async function throughYoga(req: IncomingMessage, res: ServerResponse, call: Call, body?: string) {
    const requestContext = await call.authenticate();
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    const request = new fetchAPI.Request(call.query === '' ? OWN_URL : `${OWN_URL}?${call.query}`, {
      method: req.method!,
      headers: req.headers as Record<string, string>,
      signal: gone.signal,
      ...(body !== undefined && { body }),
    });
    try {
      await sendResponse(res, call, await fetch(request, { requestContext }));
    } catch (error) {
      // Nobody is left to be told, and an aborted operation is no failure of ours.
      if (!gone.signal.aborted) throw error;
    }
  }

  const access = checkedBy('the access of each field');
  return [
    {
      methods: ['POST'],
      path: '/graphql',
      access,
      describes: operating,
      refuse: graphqlAnswer,
      async handle(req, res, call) {
        requireContentType(req, PLAIN);
        const [requestContext, text] = await Promise.all([call.authenticate(), readText(req, res)]);
        const body = parseJson(text);
        const type = resultType(req.headers.accept);
        if (type === null || mayBeStream(body)) return throughYoga(req, res, call, text);
        const answer = await graphql.post(body, requestContext, type);
        // By now the client may be gone, or told that it took too long.
        if (!res.headersSent && !res.destroyed) sendText(res, answer.status, type, answer.body, answer.headers);
      },
    },
    {
      methods: ['GET'],
      path: '/graphql',
      access,
      describes: asking,
      refuse: graphqlAnswer,
      async handle(req, res, call) {
        if (!req.headers.accept?.includes('text/html')) return throughYoga(req, res, call);
        if (!page) throw noSuchPath();
        page(res);
      },
    },
  ];
}
