// Who is calling, as a verified token says, and what a service asks of a caller. Pure.
// Invariant: scopes compare by the rules of modules/scopes/matching.ts, the very ones of Scopeward itself.

import { satisfies } from '../modules/scopes/matching.ts';
import { type AccessError, forbidden, unauthenticated } from './access-error.ts';

/** What a bearer can be. */
export type CallerKind = 'service' | 'employee' | 'anonymous' | 'customer';

/** Whoever holds the token. */
export interface Caller {
  readonly kind: CallerKind;
  readonly tenant: string;
  /** `sub`: of the customer, employee or client; a guest's is the session. */
  readonly id: string;
  /** The client that the token was given to. */
  readonly clientId: string;
  /** Granted, sorted. */
  readonly scopes: readonly string[];
  /** The visit; null for a service. */
  readonly sessionId: string | null;
  /** The company that a customer acts for; null for anybody else, and for customers who act for themselves. */
  readonly legalEntityId: string | null;
  /** The employee who acts for the customer (RFC 8693 s.4.1). */
  readonly actorId: string | null;
  /** `jti`. */
  readonly tokenId: string;
  readonly expiresAt: Date;
}

/** Does the caller hold all of these scopes? `read` and `view` are one, and the wide scope satisfies its `_own`. */
export const hasScopes = (caller: Caller, ...scopes: readonly string[]): boolean =>
  scopes.every((scope) => satisfies(caller.scopes, scope));

/** The caller, who holds all of these scopes. @throws AccessError UNAUTHENTICATED for nobody, FORBIDDEN */
export function requireScopes(caller: Caller | null, ...scopes: readonly string[]): Caller {
  const someone = requireCaller(caller);
  const missingScopes = scopes.filter((scope) => !satisfies(someone.scopes, scope));
  if (missingScopes.length > 0) throw forbidden({ requiredScopes: [[...scopes]], missingScopes });
  return someone;
}

/** The caller, of one of these kinds. @throws AccessError UNAUTHENTICATED for nobody, FORBIDDEN `WRONG_KIND` */
export function requireKind(caller: Caller | null, ...kinds: readonly CallerKind[]): Caller {
  const someone = requireCaller(caller);
  if (!kinds.includes(someone.kind)) throw forbidden({ reason: 'WRONG_KIND' });
  return someone;
}

/** The caller, who acts for a company. @throws AccessError UNAUTHENTICATED for nobody, FORBIDDEN `COMPANY_REQUIRED` */
export function requireCompany(caller: Caller | null): Caller & { readonly legalEntityId: string } {
  const someone = requireCaller(caller);
  if (someone.legalEntityId === null) throw forbidden({ reason: 'COMPANY_REQUIRED' });
  return someone as Caller & { readonly legalEntityId: string };
}

/** Anybody with a good token. @throws AccessError UNAUTHENTICATED for nobody */
export function requireCaller(caller: Caller | null): Caller {
  if (caller === null) throw unauthenticated('no token', false);
  return caller;
}

/** No saas token, or not the caller's. */
export const saasRequired = (): AccessError => forbidden({ reason: 'SAAS_TOKEN_REQUIRED' });
