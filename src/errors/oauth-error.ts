// Failures of grants, tokens and client authentication, in exactly the codes of RFC 6749 s.4.1.2.1 and s.5.2,
// RFC 6750 s.3.1 and RFC 8693 s.2.2.2. Invariant: `message`, `reason` and `details` are public; `cause` is for the log.

const statusByCode = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  access_denied: 403,
  invalid_token: 401,
  insufficient_scope: 403,
  invalid_target: 400,
} as const;

/** A registered OAuth error code. */
export type OAuthErrorCode = keyof typeof statusByCode;

interface OAuthErrorOptions {
  /** Public sentence for a person; one for every cause, where telling causes apart would help an attacker. */
  message?: string;
  /** Public, for machines: narrower than the code. */
  reason?: string;
  /** Public facts, such as the refused scopes. */
  details?: Record<string, unknown>;
  /** Private: what really happened, for log and audit. */
  cause?: unknown;
}

const messageByCode: Record<OAuthErrorCode, string> = {
  invalid_request: 'The request is malformed.',
  invalid_client: 'The client is unknown, disabled or failed to authenticate.',
  invalid_grant: 'The credentials or the token presented are not valid.',
  unauthorized_client: 'The client may not use this grant.',
  unsupported_grant_type: 'This grant type is not supported.',
  invalid_scope: 'A requested scope is unknown, malformed or not granted to the client.',
  access_denied: 'The company is not one that the customer may act for.',
  invalid_token: 'A valid access token is needed.',
  insufficient_scope: 'The access token lacks a scope.',
  invalid_target: 'The requested audience or resource is not served here.',
};

/** An OAuth failure that the caller is told about. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode;
  readonly status: number;
  readonly reason: string | undefined;
  readonly details: Record<string, unknown>;

  constructor(code: OAuthErrorCode, options: OAuthErrorOptions = {}) {
    super(options.message ?? messageByCode[code], { cause: options.cause });
    this.name = 'OAuthError';
    this.code = code;
    this.status = statusByCode[code];
    this.reason = options.reason;
    this.details = options.details ?? {};
  }
}
