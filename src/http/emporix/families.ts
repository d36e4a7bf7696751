// Errors as clients of Emporix expect them: one gateway fault for a bearer that is no good, and three families of bodies
// (reference: the platform's specifications). Invariant: the statuses and what is told are those of every other door.

import { DomainError } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { HttpError } from '../http-error.ts';
import { type Answer, type ErrorRenderer, errorHeaders, errorStatus } from '../oauth-response.ts';

/** What was thrown, in the terms of this file. */
interface Failure {
  readonly status: number;
  readonly message: string;
  /** The input that was wrong. */
  readonly field: string | null;
  /** Any of the inner lists; all of each. */
  readonly requiredScopes: readonly (readonly string[])[];
  readonly requestId: string;
  /** The `{param}` segments of the path. */
  readonly params: Readonly<Record<string, string>>;
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/** The phrase of a status. */
export const reasonOf = (status: number): string => reasons[status] ?? 'Internal Server Error';

/** An API gateway's fault. */
const fault = (faultstring: string, errorcode: string) => ({ fault: { faultstring, detail: { errorcode } } });

/** A bearer that is none, no good, or of a kind that has no business here: that a scope is missing names the scope. */
const isAboutBearer = (error: unknown): boolean =>
  error instanceof DomainError &&
  (error.code === 'UNAUTHENTICATED' || (error.code === 'FORBIDDEN' && failureOf(error).requiredScopes.length === 0));

/** A bearer or a client that is no good: the gateway's word, whatever the family. */
function faultOf(error: unknown): object | null {
  if (error instanceof OAuthError && error.code === 'invalid_client')
    return fault('Invalid ApiKey', 'oauth.v2.InvalidApiKey');
  const isBearer = error instanceof OAuthError && error.code === 'invalid_token';
  return isBearer ? fault('Invalid access token', 'oauth.v2.InvalidAccessToken') : null;
}

/** Credentials in the body or the query that are no good are a 401 here: the platform has no 400 for them. */
const statusOf = (error: unknown): number =>
  error instanceof OAuthError && error.code === 'invalid_grant' ? 401 : errorStatus(error);

function failureOf(error: unknown): Pick<Failure, 'message' | 'field' | 'requiredScopes'> {
  const isOurs = error instanceof DomainError || error instanceof OAuthError;
  const { field, requiredScopes } = isOurs ? error.details : {};
  return {
    message: isOurs || error instanceof HttpError ? error.message : 'Something went wrong.',
    field: typeof field === 'string' ? field.replace(/^input\./, '') : null,
    requiredScopes: Array.isArray(requiredScopes) ? requiredScopes : [],
  };
}

const family =
  (bodyOf: (failure: Failure) => object): ErrorRenderer =>
  (thrown, { requestId, params }): Answer => {
    const error = isAboutBearer(thrown) ? new OAuthError('invalid_token', { cause: thrown }) : thrown;
    const status = statusOf(error);
    const body = faultOf(error) ?? bodyOf({ status, requestId, params, ...failureOf(error) });
    return { status, headers: errorHeaders(error), body };
  };

/** As the platform's samples have them; the others are the status in lower case. */
const customerTypes: Readonly<Record<number, string>> = { 403: 'Forbidden', 409: 'conflict_resource' };
const typeOf = (status: number): string => customerTypes[status] ?? reasonOf(status).toLowerCase().replaceAll(' ', '_');

/** `/customer…`: `status` is a number. */
export const customerErrors = family(({ status, message, field, requestId }) => ({
  type: typeOf(status),
  status,
  message: status === 403 ? 'User not authorized.' : message,
  ...(field !== null && { details: [{ field, type: 'invalid', message }] }),
  ...(status === 500 && { moreInfo: requestId }),
}));

/** The ways to have enough, in words. */
const inWords = (scopes: readonly (readonly string[])[]): string =>
  scopes.map((all) => all.join(' and ')).join(', or ');

function iamDetails({ status, message, field, requiredScopes, requestId }: Failure): string[] {
  if (requiredScopes.length > 0) return [`Required scope(s): ${inWords(requiredScopes)}`];
  if (field !== null) return [`${field}: ${message}`];
  return status === 500 ? [`Request ${requestId}`] : [];
}

/**
 * IAM and Customer Management: `status` is a text.
 * @param resource the path's parameter that names what the route is about
 */
export const iamErrors = (resource?: string): ErrorRenderer =>
  family((failure) => {
    const { status, message, params } = failure;
    const resourceId = resource === undefined ? undefined : params[resource];
    const details = iamDetails(failure);
    return {
      ...(resourceId !== undefined && { resourceId }),
      code: status,
      status: reasonOf(status),
      message: failure.requiredScopes.length > 0 ? 'You need a scope for this action.' : message,
      ...(details.length > 0 && { details }),
    };
  });

/** `/session-context…`: no `status` at all. */
export const sessionContextErrors = family(({ status, message, params }) => ({
  code: status,
  message,
  ...(params.sessionId !== undefined && { sessionId: params.sessionId }),
}));
