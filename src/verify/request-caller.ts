// The bearer of an HTTP request (RFC 6750 s.2.1), for the adapters: from the Authorization header only.
// Invariants: a token that is presented and not good is refused even where none is needed; what is known of a request
// is kept beside it, where no header of the caller's can reach.

import { unauthenticated } from './access-error.ts';
import type { Caller } from './caller.ts';
import type { Verifier } from './verify.ts';

/** How an adapter treats requests without a token. */
export interface BearerOptions {
  /** Let them in, as nobody. Default: 401. */
  readonly optional?: boolean;
}

/** Who calls; null for nobody, where that is allowed. @throws AccessError UNAUTHENTICATED, SERVICE_UNAVAILABLE */
export async function callerOfHeader(
  verifier: Verifier,
  authorization: string | null | undefined,
  { optional = false }: BearerOptions,
): Promise<Caller | null> {
  if (authorization && /^bearer(?: |$)/i.test(authorization)) {
    return verifier.verify(authorization.slice('bearer '.length).trim());
  }
  if (!optional) throw unauthenticated('no token', false);
  return null;
}

const callers = new WeakMap<object, Caller>();

/** Notes who made a request. */
export function rememberCaller(request: object, caller: Caller | null): void {
  if (caller) callers.set(request, caller);
}

/** Who made a request, as `authenticate` found; null for nobody. */
export const callerOf = (request: object): Caller | null => callers.get(request) ?? null;

/** The one value of a header; of several, none. */
export const single = (value: string | string[] | undefined): string | null =>
  typeof value === 'string' ? value : null;
