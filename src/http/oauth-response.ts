// Answers in JSON, and every thrown error as the body of RFC 6749 s.5.2 with the challenges of RFC 6750 s.3.
// Invariant: an outage is 503, never 401 or 403; what is not one of our errors says nothing but the request id.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError, type DomainErrorCode } from '../errors/domain-error.ts';
import { OAuthError } from '../errors/oauth-error.ts';
import { HttpError } from './http-error.ts';

/** What is sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** As JSON; null: nothing at all. */
  readonly body: unknown;
}

/** Turns what was thrown into an answer; each family of endpoints has its own. */
export type ErrorRenderer = (
  error: unknown,
  request: { requestId: string; req: IncomingMessage; params: Readonly<Record<string, string>> },
) => Answer;

/** Sends a text of a known type. */
export function sendText(
  res: ServerResponse,
  status: number,
  contentType: string,
  text: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  res.writeHead(status, { 'Content-Type': contentType, ...headers, 'Content-Length': Buffer.byteLength(text) });
  res.end(text);
}

/** Sends JSON. */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers?: Readonly<Record<string, string>>,
): void {
  sendText(res, status, 'application/json; charset=utf-8', JSON.stringify(body), headers);
}

/** Our catalogue in the words of RFC 6749 s.4.1.2.1, s.5.2 and RFC 6750 s.3.1, where they have one. */
const oauthCodes = {
  UNAUTHENTICATED: 'invalid_token',
  FORBIDDEN: 'insufficient_scope',
  NOT_FOUND: 'not_found',
  CONFLICT: 'conflict',
  BAD_USER_INPUT: 'invalid_request',
  RATE_LIMITED: 'rate_limited',
  OPERATION_TOO_COMPLEX: 'invalid_request',
  SERVICE_UNAVAILABLE: 'temporarily_unavailable',
} as const satisfies Record<DomainErrorCode, string>;

const REALM = 'realm="scopeward"';

/** WWW-Authenticate for a code; undefined where none belongs. Only texts of ours go in. */
function challenge(code: string, requiredScopes: unknown): string | undefined {
  if (code === 'invalid_client') return `Basic ${REALM}, charset="UTF-8"`;
  if (code === 'invalid_token')
    return `Bearer ${REALM}, error="invalid_token", error_description="A valid access token is needed."`;
  if (code !== 'insufficient_scope') return undefined;
  const [first] = Array.isArray(requiredScopes) ? requiredScopes : [];
  const scope = Array.isArray(first) ? `, scope="${first.join(' ')}"` : '';
  return `Bearer ${REALM}, error="insufficient_scope"${scope}`;
}

/** Headers that belong to an error whatever its body looks like: challenges, Retry-After, Allow. */
export function errorHeaders(error: unknown): Record<string, string> {
  if (error instanceof HttpError) return { ...error.headers };
  if (!(error instanceof DomainError || error instanceof OAuthError)) return {};
  const code = error instanceof OAuthError ? error.code : oauthCodes[error.code];
  const wanted = challenge(code, error.details.requiredScopes);
  const { retryAfter } = error.details;
  return {
    ...(wanted && { 'WWW-Authenticate': wanted }),
    ...(typeof retryAfter === 'number' && { 'Retry-After': String(Math.ceil(retryAfter)) }),
    ...(code === 'temporarily_unavailable' && { 'Retry-After': '1' }),
  };
}

/** The status of whatever was thrown: 500 for what is not ours. */
export const errorStatus = (error: unknown): number =>
  error instanceof HttpError || error instanceof OAuthError || error instanceof DomainError ? error.status : 500;

/** An error as RFC 6749 s.5.2 has it. */
export const oauthAnswer: ErrorRenderer = (error, { requestId }) => {
  const status = errorStatus(error);
  const headers = errorHeaders(error);
  if (error instanceof HttpError || error instanceof OAuthError) {
    return { status, headers, body: { error: error.code, error_description: error.message } };
  }
  if (error instanceof DomainError) {
    return { status, headers, body: { error: oauthCodes[error.code], error_description: error.message } };
  }
  return {
    status,
    headers,
    body: { error: 'server_error', error_description: 'Something went wrong.', request_id: requestId },
  };
};
