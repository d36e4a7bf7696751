// Making of identity assertions. A signature costs more than all else that the gateway's check does, so an assertion is
// used again for half of its life. Invariants: it never outlives the token that it was made for, and is kept with that
// token's principal only, so what is forgotten there is forgotten here.

import { randomUUID } from 'node:crypto';
import type { SigningKeys } from '../keys/signing-keys.ts';
import { subjectOf } from '../principals/callers.ts';
import type { Principal } from '../principals/principal.ts';
import { ASSERTION_SECONDS, ASSERTION_TYPE, type AssertionClaims, assertionAudience } from './identity-assertion.ts';
import type { SignToken } from './sign.ts';

interface Made {
  readonly kid: string;
  /** Seconds since the epoch. */
  readonly renewAt: number;
  readonly text: Promise<string>;
}

function identityOf(
  principal: Principal,
  withSaas: boolean,
): Omit<AssertionClaims, 'iss' | 'aud' | 'iat' | 'exp' | 'jti'> {
  const { legalEntityId = null, actorId = null } = principal.kind === 'customer' ? principal : {};
  return {
    tenant: principal.tenantId,
    kind: principal.kind,
    sub: subjectOf(principal),
    client_id: principal.clientId,
    scope: principal.scopes.join(' '),
    ...(principal.kind !== 'service' && { session_id: principal.sessionId }),
    ...(legalEntityId !== null && { legalEntityId }),
    ...(actorId !== null && { act: { sub: actorId } }),
    ...(withSaas && { saas: true }),
  };
}

/** Identity assertions. */
export function createIdentityAssertions(deps: {
  keys: SigningKeys;
  sign: SignToken;
  audience: string;
  clockToleranceSeconds: number;
}) {
  const { keys, sign, clockToleranceSeconds } = deps;
  const aud = assertionAudience(deps.audience);
  const made = { plain: new WeakMap<Principal, Made>(), withSaas: new WeakMap<Principal, Made>() };

  return {
    /**
     * The assertion of a principal whose token is good now; `withSaas`: and whose saas token was.
     * @throws SERVICE_UNAVAILABLE before the tenant's key is loaded
     */
    of(principal: Principal, withSaas: boolean): Promise<string> {
      const known = made[withSaas ? 'withSaas' : 'plain'];
      const { kid } = keys.current(principal.tenantId);
      const now = Math.floor(Date.now() / 1000);
      const last = known.get(principal);
      if (last && now < last.renewAt && last.kid === kid) return last.text;
      // The token's end as verification counts it: within the leeway it is accepted, and so is what it says.
      const exp = Math.min(now + ASSERTION_SECONDS, principal.expiresAt + clockToleranceSeconds);
      const claims = { ...identityOf(principal, withSaas), aud, iat: now, exp, jti: randomUUID() };
      const text = sign(principal.tenantId, ASSERTION_TYPE, claims);
      known.set(principal, { kid, renewAt: Math.min(now + ASSERTION_SECONDS / 2, exp), text });
      // One that could not be signed is not kept.
      text.catch(() => known.delete(principal));
      return text;
    },
  };
}

/** See `createIdentityAssertions`. */
export type IdentityAssertions = ReturnType<typeof createIdentityAssertions>;
