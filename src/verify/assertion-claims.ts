// From a verified assertion to the caller that a service sees. Invariant: a claim of another type makes it no assertion;
// the shape below is the server's own, so a claim that is added there stops this from compiling.

import type { AssertionClaims } from '../modules/tokens/identity-assertion.ts';
import type { AssertedCaller } from './assertion.ts';
import { type Check, isCount, isString, isText, object, optional } from './claims.ts';

const KINDS: readonly unknown[] = ['service', 'employee', 'anonymous', 'customer'] satisfies AssertionClaims['kind'][];

const isAssertion = object({
  iss: isString,
  aud: isString,
  tenant: isText,
  kind: (value) => KINDS.includes(value),
  sub: isText,
  client_id: isText,
  scope: isString,
  session_id: optional(isText),
  legalEntityId: optional(isText),
  act: optional(object({ sub: isText })),
  saas: optional((value) => value === true),
  iat: isCount,
  exp: isCount,
  jti: isText,
} satisfies { [Name in keyof Required<AssertionClaims>]: Check });

/** The caller of a verified payload; null for what is not exactly that. */
export function readAssertion(payload: Readonly<Record<string, unknown>>): AssertedCaller | null {
  if (!isAssertion(payload)) return null;
  const claims = payload as unknown as AssertionClaims;
  return Object.freeze({
    kind: claims.kind,
    tenant: claims.tenant,
    id: claims.sub,
    clientId: claims.client_id,
    scopes: Object.freeze(claims.scope === '' ? [] : claims.scope.split(' ')),
    sessionId: claims.session_id ?? null,
    legalEntityId: claims.legalEntityId ?? null,
    actorId: claims.act?.sub ?? null,
    tokenId: claims.jti,
    expiresAt: new Date(claims.exp * 1000),
    hasSaas: claims.saas === true,
  });
}
