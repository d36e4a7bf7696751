// What travels with a request into every use case. Types only.

import type { Principal } from './modules/principals/principal.ts';

/** A request before its tenant is known: what the transport saw. */
export interface RequestContext {
  readonly requestId: string;
  /** The caller's address by the rules of TRUSTED_PROXIES; null where it cannot be told. */
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
  /** Who the bearer token speaks for; null without one, or with one that is not good. */
  readonly principal: Principal | null;
  /** `rejected`: a bearer token was presented and is not good. `operator`: no request at all, but somebody who has the
   * process and its database: the command line, the demo data, maintenance. No transport ever says so. */
  readonly credential: 'none' | 'rejected' | 'accepted' | 'operator';
}

/** A request within its tenant. First argument of every use case. */
export interface Ctx extends RequestContext {
  readonly tenantId: string;
}
