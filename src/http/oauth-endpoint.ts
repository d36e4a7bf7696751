// What the endpoints of OAuth have in common (RFC 6749 s.2.3.1, s.3.2, s.5.2): a form, a client that presents itself, and
// answers that nobody keeps. Invariant: nothing is read from the URL, and nothing counts that was said twice.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { RequestContext } from '../context.ts';
import { OAuthError } from '../errors/oauth-error.ts';
import type { ClientCredentials } from '../modules/grants/grant.ts';
import type { Describes } from './description.ts';
import { malformed } from './http-error.ts';
import { type ErrorRenderer, oauthAnswer, sendJson } from './oauth-response.ts';
import { readParameters } from './parameters.ts';
import { readText, requireContentType } from './request-guards.ts';
import { type Call, checkedBy, type Route } from './router.ts';

const FORM = 'application/x-www-form-urlencoded';
const MOST_CLIENT_ID_CHARACTERS = 256;

/** RFC 6749 s.5.1 asks for both, of old caches too. */
const NOT_KEPT = { 'Cache-Control': 'no-store', Pragma: 'no-cache' } as const;

/** The parameters of a request. */
export interface Form {
  /** As it was sent, the empty text included; undefined: it was not sent. */
  given(name: string): string | undefined;
  /** Without a value is as if it had not been sent (RFC 6749 s.3.2). */
  value(name: string): string | undefined;
  /** @throws HttpError `invalid_request` without a value */
  need(name: string): string;
}

/** A request as its endpoint gets it. */
export interface OauthRequest {
  readonly form: Form;
  readonly context: RequestContext;
  /** Whoever presented itself, not yet believed; null: nobody did. */
  readonly presented: ClientCredentials | null;
}

/** The parameters of a body. @throws HttpError `invalid_request` for one that comes twice (s.3.2), or holds NUL */
export function parseForm(text: string): Form {
  const parameters = readParameters(text);
  const value = (name: string) => parameters.get(name) || undefined;
  return {
    given: (name) => parameters.get(name),
    value,
    need(name) {
      const found = value(name);
      if (found === undefined) throw malformed(`The parameter ${name} is missing.`);
      return found;
    },
  };
}

const failed = (cause: string) => new OAuthError('invalid_client', { cause });

/** One half of the pair that Basic carries: encoded as a form's value (s.2.3.1). */
function decodeHalf(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw failed('not form-encoded');
  }
}

/** @throws OAuthError `invalid_client` for what is no pair of an id and a secret, or not of this scheme */
function readBasic(header: string): ClientCredentials {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined) throw failed('no Basic credentials');
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0) throw failed('no colon');
  return { clientId: decodeHalf(pair.slice(0, colon)), clientSecret: decodeHalf(pair.slice(colon + 1)) };
}

/**
 * Whoever presents itself: by Basic, by the body, or by `client_id` alone.
 * @throws HttpError `invalid_request` for more than one method at once (s.2.3); OAuthError `invalid_client` for credentials
 * that cannot be any, and for an assertion, which is not offered (RFC 7523)
 */
export function presentedIn(authorization: string | undefined, form: Form): ClientCredentials | null {
  const clientId = form.value('client_id');
  const secret = form.value('client_secret');
  const hasAssertion =
    form.given('client_assertion') !== undefined || form.given('client_assertion_type') !== undefined;
  const methods = [authorization !== undefined, secret !== undefined, hasAssertion].filter(Boolean).length;
  if (methods > 1) throw malformed('The client authenticates in more than one way.');
  if (hasAssertion) throw failed('assertions are not offered');

  const basic = authorization === undefined ? null : readBasic(authorization);
  if (basic && clientId !== undefined && clientId !== basic.clientId) throw malformed('Two clients are named.');
  if (!basic && clientId === undefined) {
    if (secret !== undefined) throw malformed('The parameter client_id is missing.');
    return null;
  }
  const presented = basic ?? { clientId: clientId!, clientSecret: secret ?? null };
  // No client is called so, and what is looked up is remembered.
  if (presented.clientId.length > MOST_CLIENT_ID_CHARACTERS || presented.clientId.includes('\0'))
    throw failed('no such id');
  return presented;
}

/** As s.5.2 has it: 400 for all but a failed client, and texts of its characters. */
const refusal: ErrorRenderer = (error, request) => {
  const { status, headers, body } = oauthAnswer(error, request);
  const { error_description: text, ...rest } = body as { error: string; error_description: string };
  return {
    status: error instanceof OAuthError && error.code === 'access_denied' ? 400 : status,
    headers: { ...headers, ...NOT_KEPT },
    body: { ...rest, error_description: text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'") },
  };
};

/** Sends what nobody may keep; null: nothing but the status (RFC 7009 s.2.2). */
export function sendOauth(res: ServerResponse, body: unknown): void {
  // By now the client may be gone, or told that it took too long.
  if (res.headersSent || res.destroyed) return;
  if (body === null) res.writeHead(200, { ...NOT_KEPT, 'Content-Length': 0 }).end();
  else sendJson(res, 200, body, NOT_KEPT);
}

async function readRequest(req: IncomingMessage, res: ServerResponse, call: Call): Promise<OauthRequest> {
  requireContentType(req, FORM);
  // A URL ends up in logs and histories (RFC 6749 s.2.3.1, RFC 9700 s.4.3).
  if (call.query !== '') throw malformed('Parameters belong into the body, never into the URL.');
  const form = parseForm(await readText(req, res));
  const presented = presentedIn(req.headers.authorization, form);
  return { form, presented, context: await call.authenticate() };
}

/** What the endpoints take. */
export const formOf = (schema: z.ZodType) => ({ type: FORM, schema });

/** By which clients say who they are, in the body (RFC 6749 s.2.3.1). */
export const clientFields = {
  client_id: z.string().optional(),
  client_secret: z.string().optional().describe('Better sent by Basic.'),
};

/** An endpoint: what `answer` returns is sent as JSON, and null as an empty body. */
export const oauthEndpoint = (
  path: string,
  access: string,
  describes: Describes,
  answer: (request: OauthRequest) => Promise<object | null>,
): Route => ({
  methods: ['POST'],
  path,
  access: checkedBy(access),
  describes,
  refuse: refusal,
  async handle(req, res, call) {
    sendOauth(res, await answer(await readRequest(req, res, call)));
  },
});
