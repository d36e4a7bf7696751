// Failures that are not OAuth's: a closed family with the codes of the product's error catalogue.
// Invariant: `message`, `reason` and `details` are public; `cause` is for the log. What a caller may not
// see is the same NOT_FOUND as what is not there.

const statusByCode = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  BAD_USER_INPUT: 400,
  RATE_LIMITED: 429,
  OPERATION_TOO_COMPLEX: 400,
  SERVICE_UNAVAILABLE: 503,
} as const;

/** A code of the error catalogue beside OAuth's. */
export type DomainErrorCode = keyof typeof statusByCode;

interface DomainErrorOptions {
  /** Public, for machines: narrower than the code, in capitals. */
  reason?: string;
  /** Public facts, such as `field`, `retryAfter` (seconds), `missingScopes`. */
  details?: Record<string, unknown>;
  /** Private: what really happened, for log and audit. */
  cause?: unknown;
}

/** A failure that the caller is told about. */
export class DomainError extends Error {
  readonly code: DomainErrorCode;
  readonly status: number;
  readonly reason: string | undefined;
  readonly details: Record<string, unknown>;

  constructor(code: DomainErrorCode, message: string, options: DomainErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'DomainError';
    this.code = code;
    this.status = statusByCode[code];
    this.reason = options.reason;
    this.details = options.details ?? {};
  }
}

/** No token, or one that is not good now: one text for every cause. */
export const unauthenticated = (cause?: unknown) =>
  new DomainError('UNAUTHENTICATED', 'A valid access token is needed.', { cause });

/** The scopes do not suffice. `requiredScopes`: any of the inner lists, all of each. */
export const forbidden = (requiredScopes: readonly (readonly string[])[], missingScopes: readonly string[]) =>
  new DomainError('FORBIDDEN', 'The access token does not allow this.', { details: { requiredScopes, missingScopes } });

/** Missing, or not for the caller to know of. */
export const notFound = (what: string) => new DomainError('NOT_FOUND', `${what} not found.`);

/** A value that breaks a rule; `field` is its path in the input. */
export const badInput = (field: string, message: string) =>
  new DomainError('BAD_USER_INPUT', message, { details: { field } });

/** The state does not allow it. */
export const conflict = (reason: string, message: string, details: Record<string, unknown> = {}) =>
  new DomainError('CONFLICT', message, { reason, details });

/** Too many tries. `retryAfter` in seconds. */
export const rateLimited = (retryAfter: number) =>
  new DomainError('RATE_LIMITED', 'Too many requests. Try again later.', { details: { retryAfter } });

/** Something that we depend on is down; never dressed up as a denial. */
export const serviceUnavailable = (cause?: unknown) =>
  new DomainError('SERVICE_UNAVAILABLE', 'The service cannot answer right now. Try again.', { cause });
