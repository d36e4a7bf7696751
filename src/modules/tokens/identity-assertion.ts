// The gateway's statement to the services behind it (header `X-Identity-Assertion`): who a request speaks for, as the
// other headers say it, signed. Pure: scopeward/verify ships it, so that both sides mean the same.
// Invariant: type and audience are its own, so it is no bearer token anywhere, and no token of ours is an assertion.

/** `typ` of an assertion's header (RFC 8725 s.3.11). */
export const ASSERTION_TYPE = 'identity-assertion+jwt';

/** Seconds that an assertion is good for, at most. */
export const ASSERTION_SECONDS = 60;

/** `aud` of the assertions of an installation whose tokens have this audience (RFC 8725 s.3.9). */
export const assertionAudience = (audience: string): string => `${audience}#behind-the-gateway`;

/** What an assertion says. Absent members: there is none. */
export interface AssertionClaims {
  readonly iss: string;
  readonly aud: string;
  readonly tenant: string;
  /** What the bearer of the request is. */
  readonly kind: 'service' | 'employee' | 'anonymous' | 'customer';
  /** The customer, employee or client; a guest's is the session. */
  readonly sub: string;
  readonly client_id: string;
  /** Granted, separated by blanks. */
  readonly scope: string;
  readonly session_id?: string;
  /** The company that the customer acts for. */
  readonly legalEntityId?: string;
  /** The employee who acts for the customer (RFC 8693 s.4.1). */
  readonly act?: { readonly sub: string };
  /** The `saas-token` beside the bearer was asked for, and was the customer's. */
  readonly saas?: true;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
}
