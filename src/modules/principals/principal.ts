// Who is calling, as a verified access token says (RFC 9068). Types only: everything here was signed by us,
// nothing came from the request itself.

import type { RevocationKey } from '../revocations/revocation-key.ts';

/** What a guest's token says about the visit, as it was begun with. */
export interface GuestContext {
  readonly siteCode: string | null;
  readonly currency: string | null;
  readonly language: string | null;
  readonly targetLocation: string | null;
}

interface Bearer<Kind extends string> {
  readonly kind: Kind;
  readonly tenantId: string;
  /** `jti`. */
  readonly tokenId: string;
  /** `client_id`. */
  readonly clientId: string;
  /** Granted, sorted. */
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** The last revocation number that the token vouches for, and the names under which it is revoked. */
  readonly rev: number;
  readonly revocationKeys: readonly RevocationKey[];
}

/** A client acting for itself. */
export interface ServicePrincipal extends Bearer<'service'> {}

/** An employee. */
export interface EmployeePrincipal extends Bearer<'employee'> {
  readonly employeeId: string;
  readonly sessionId: string;
}

/** A guest: a session id and no row. */
export interface AnonymousPrincipal extends Bearer<'anonymous'> {
  readonly sessionId: string;
  readonly context: GuestContext;
  /** When the guest's first token was issued; seconds since the epoch. */
  readonly sessionStartedAt: number;
}

/** A customer, perhaps for a company, perhaps assisted by an employee (`act`, RFC 8693 s.4.1). */
export interface CustomerPrincipal extends Bearer<'customer'> {
  readonly customerId: string;
  readonly sessionId: string;
  readonly legalEntityId: string | null;
  readonly actorId: string | null;
}

/** Whoever holds a valid access token. */
export type Principal = ServicePrincipal | EmployeePrincipal | AnonymousPrincipal | CustomerPrincipal;

/** What an access token may stand for. */
export type PrincipalKind = Principal['kind'];
