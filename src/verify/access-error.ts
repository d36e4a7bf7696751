// What a service answers when it does not do as asked: a closed family of three, told by status, header and body as
// RFC 6750 s.3 has it, and by `extensions` as GraphQL has it. Invariant: an outage is 503, never 401 or 403, and
// nobody is told why a token is not good.

/** The codes of Scopeward's own catalogue that a verifier can answer. */
export type AccessErrorCode = 'UNAUTHENTICATED' | 'FORBIDDEN' | 'SERVICE_UNAVAILABLE';

const wire = {
  UNAUTHENTICATED: { status: 401, error: 'invalid_token', message: 'A valid access token is needed.' },
  FORBIDDEN: { status: 403, error: 'insufficient_scope', message: 'The access token does not allow this.' },
  SERVICE_UNAVAILABLE: {
    status: 503,
    error: 'temporarily_unavailable',
    message: 'The service cannot answer right now. Try again.',
  },
} as const;

/** Public facts beside the code. */
export interface AccessErrorDetails {
  /** All of an inner list are needed, any of the lists suffices. */
  readonly requiredScopes?: readonly (readonly string[])[];
  readonly missingScopes?: readonly string[];
  /** For machines: narrower than the code. */
  readonly reason?: 'WRONG_KIND' | 'COMPANY_REQUIRED' | 'SAAS_TOKEN_REQUIRED';
}

/** A refusal, or an outage. Express and Fastify answer with its `status` and `headers` by themselves. */
export class AccessError extends Error {
  readonly code: AccessErrorCode;
  /** Of the HTTP answer. */
  readonly status: number;
  /** Of the HTTP answer: the challenge, or when to come again. */
  readonly headers: Readonly<Record<string, string>>;
  readonly details: AccessErrorDetails;

  constructor(
    code: AccessErrorCode,
    options: { details?: AccessErrorDetails; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(wire[code].message, { cause: options.cause });
    this.name = 'AccessError';
    this.code = code;
    this.status = wire[code].status;
    this.headers = options.headers ?? {};
    this.details = options.details ?? {};
  }

  /** The JSON body (RFC 6749 s.5.2). */
  get body(): { error: string; error_description: string } {
    return { error: wire[this.code].error, error_description: this.message };
  }
}

/** No token, or one that is not good now. Without one the challenge has no error code (RFC 6750 s.3.1). */
export const unauthenticated = (cause: unknown, isPresented = true) =>
  new AccessError('UNAUTHENTICATED', {
    cause,
    headers: { 'WWW-Authenticate': isPresented ? 'Bearer error="invalid_token"' : 'Bearer' },
  });

/** The token is good and does not suffice. Scopes are quoted only as a service's own code has them. */
export function forbidden(details: AccessErrorDetails): AccessError {
  const [first] = details.requiredScopes ?? [];
  const scope = first ? `, scope="${first.join(' ')}"` : '';
  const headers = { 'WWW-Authenticate': `Bearer error="insufficient_scope"${scope}` };
  return new AccessError('FORBIDDEN', { details, headers });
}

/** It can't be told whether the token is good. */
export const unavailable = (cause: unknown) =>
  new AccessError('SERVICE_UNAVAILABLE', { cause, headers: { 'Retry-After': '1' } });
