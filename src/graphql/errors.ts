// How a failure is told over GraphQL: OAuthError and DomainError become codes of the catalogue, the rest is masked.
// product.md s.9, security.md cases 93 and 134. Invariant: nothing that is not declared public leaves the process;
// an unknown failure says INTERNAL_SERVER_ERROR and the request id, and is logged under that id.

import { GraphQLError } from 'graphql';
import { DomainError } from '../errors/domain-error.ts';
import { OAuthError, type OAuthErrorCode } from '../errors/oauth-error.ts';

/** Where unexpected failures are written (pino's shape). */
export interface ErrorLogger {
  error(entry: object, message: string): void;
}

/** Codes of RFC 6750 that have an older name in the catalogue. */
const catalogueNames: Partial<Record<OAuthErrorCode, string>> = {
  invalid_token: 'UNAUTHENTICATED',
  insufficient_scope: 'FORBIDDEN',
};

/** OAuth's code in the spelling of GraphQL: `invalid_grant` is `INVALID_GRANT`. */
export const graphQLCode = (code: OAuthErrorCode): string => catalogueNames[code] ?? code.toUpperCase();

/** A refusal of the HTTP request itself; `status` and `headers` are for the transport only. */
export const badRequest = (message: string, status = 400, headers: Record<string, string> = {}): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status, spec: false, headers } } });

/** What libraries call the caller's mistakes; the catalogue has one name for them. */
const otherNames = new Set([
  'BAD_REQUEST',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
]);

/** Codes that a GraphQLError may carry out of here as it is. */
const publicCodes = new Set([
  'BAD_USER_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'RATE_LIMITED',
  'OPERATION_TOO_COMPLEX',
  'SERVICE_UNAVAILABLE',
]);

/** An error of ours as GraphQL tells it; null for any other. */
export function toGraphQLError(error: unknown, at?: GraphQLError): GraphQLError | null {
  if (!(error instanceof OAuthError) && !(error instanceof DomainError)) return null;
  const extensions = {
    ...error.details,
    code: error instanceof OAuthError ? graphQLCode(error.code) : error.code,
    ...(error.reason === undefined ? {} : { reason: error.reason }),
    http: httpFor(error),
  };
  return new GraphQLError(error.message, { ...placeOf(at), extensions });
}

/** Where in the document, and in the answer. */
const placeOf = (at: GraphQLError | undefined) =>
  at
    ? { nodes: at.nodes ?? null, source: at.source ?? null, positions: at.positions ?? null, path: at.path ?? null }
    : {};

/** `spec`: clients that accept plain application/json still get 200, as GraphQL over HTTP wants it. */
function httpFor(error: OAuthError | DomainError) {
  const retryAfter = error.details.retryAfter;
  return {
    spec: true,
    status: error.status,
    ...(typeof retryAfter === 'number' && { headers: { 'Retry-After': String(Math.ceil(retryAfter)) } }),
    // RFC 6750 s.3; which of expired, revoked or forged it was is nobody's business.
    ...((error.code === 'UNAUTHENTICATED' || error.code === 'invalid_token') && {
      headers: { 'WWW-Authenticate': 'Bearer' },
    }),
  };
}

interface MaskOptions {
  readonly requestId: string;
  readonly logger: ErrorLogger;
  /** May messages of graphql-js say what the caller might have meant? Only where introspection tells it anyway. */
  readonly suggestions: boolean;
}

/** What the caller is told about any failure. Logs what the caller is not told. */
export function maskError(error: unknown, { requestId, logger, suggestions }: MaskOptions): GraphQLError {
  const at = error instanceof GraphQLError ? error : undefined;
  let cause: unknown = error;
  // Errors of resolvers arrive wrapped, one layer per executor.
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;

  const known = toGraphQLError(cause, at);
  if (known) {
    const isOutage = known.extensions.code === 'SERVICE_UNAVAILABLE';
    if (isOutage) logger.error({ requestId, path: at?.path, err: cause }, 'a dependency is down');
    return known;
  }
  // Before execution nothing has a path: then a scalar's own words about a variable are the cause, and stand in no
  // document; what wraps them does.
  const isOfVariables = at !== undefined && at.path === undefined && Boolean(at.nodes?.length);
  const said = isOfVariables ? at : cause;
  const mistake =
    cause instanceof GraphQLError && said instanceof GraphQLError
      ? callersMistake(said, at ?? cause, suggestions)
      : null;
  if (mistake) return mistake;
  logger.error({ requestId, path: at?.path, err: cause }, 'unexpected failure');
  return new GraphQLError('Something went wrong. The request id helps us find it.', {
    ...placeOf(at),
    extensions: { code: 'INTERNAL_SERVER_ERROR', requestId, http: { spec: true, status: 500 } },
  });
}

/**
 * What graphql-js and Yoga say about the request, the document or its variables. Not every GraphQLError is that: a
 * value that does not fit its scalar on the way out, or a library's own, may quote what nobody is to see.
 */
function callersMistake(error: GraphQLError, at: GraphQLError, suggestions: boolean): GraphQLError | null {
  const { code, http } = error.extensions;
  const isPublic = typeof code === 'string' && publicCodes.has(code);
  const isOfRequest = code === 'BAD_REQUEST';
  // graphql-js gives up after a hundred mistakes, and says so of no place in particular.
  const isGivingUp = error.message.startsWith('Too many validation errors');
  const isOfDocument =
    (isGivingUp || Boolean(error.source || error.nodes?.length)) &&
    (code === undefined || otherNames.has(String(code)));
  if (!isPublic && !isOfRequest && !isOfDocument) return null;
  const message = publicMessage(error.message, suggestions);
  if (isPublic) {
    const extensions = { ...error.extensions, http: http ?? { spec: true, status: 400 } };
    return new GraphQLError(message, { ...placeOf(at), extensions });
  }
  // A malformed request is 400 in every media type; a document that cannot run is 200 in plain application/json.
  const transport = { status: 400, ...http, spec: !isOfRequest && (http?.spec ?? true) };
  return new GraphQLError(message, { ...placeOf(at), extensions: { code: 'BAD_USER_INPUT', http: transport } });
}

/** What graphql-js says, as a caller may hear it: without the values that it quotes and, unless said, without guesses. */
export function publicMessage(message: string, suggestions = false): string {
  const told = withoutValues(message);
  return suggestions ? told : told.replace(/,? ?did you mean .*\?$/is, '');
}

/** graphql-js quotes what was sent, and that may be a password (case 110): names and places stay, values go. */
const quoting: readonly [RegExp, string][] = [
  [/((?:found|Unexpected) (?:Block)?String) ".*"/s, '$1'],
  [/( cannot represent [\w -]*value): .*$/s, '$1.'],
  [/(Expected value of type "[^"]+"), found .*$/s, '$1.'],
  [/Value ".*" does not exist in/s, 'Value does not exist in'],
  [/^(Variable "\$\w+") got invalid value .*( at "[\w.[\]]+"); ([^;]*)$/s, '$1 got an invalid value$2; $3'],
  [/^(Variable "\$\w+") got invalid value .*; ([^;]*)$/s, '$1 got an invalid value; $2'],
  [/^(Variable "\$\w+") got invalid value .*$/s, '$1 got an invalid value.'],
];

const longestMessage = 1_000;

/** Looks at short messages only: expressions on long ones cost too much, and what is long quotes. */
function withoutValues(message: string): string {
  if (message.length > longestMessage) {
    const [variable = 'Something in the document'] = /^Variable "\$\w{1,100}"/.exec(message) ?? [];
    return `${variable} is not valid.`;
  }
  return quoting.reduce((text, [values, rest]) => text.replace(values, rest), message);
}
