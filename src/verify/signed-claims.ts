// The signature of whatever Scopeward signs, and the claims that it proves (RFC 7519 s.7.2, RFC 8725): one key by `kid`
// with one algorithm, one issuer, one audience, one type. Invariant: what a token brings along decides nothing of that.

import { decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import { faultOf, normalizedType } from '../modules/tokens/token-text.ts';
import { AccessError, unauthenticated } from './access-error.ts';
import type { KeySet, VerificationKey } from './key-set.ts';

/** What has to be there. */
export interface Expected {
  readonly typ: string;
  readonly issuer: string;
  readonly audience: string;
  readonly tenant: string;
  readonly requiredClaims: string[];
  /** From `iat` to `exp`, at most. */
  readonly longestSeconds: number;
  readonly clockToleranceSeconds: number;
}

/** What a signature has proved, and by which key. */
export interface Signed {
  readonly payload: JWTPayload;
  readonly kid: string;
  readonly key: VerificationKey;
}

/** Why a text cannot be a token. @throws AccessError UNAUTHENTICATED */
export function requireTokenText(token: string): void {
  const fault = faultOf(token);
  if (fault) throw unauthenticated(fault);
}

async function read(keys: KeySet, token: string, expected: Expected): Promise<Signed> {
  const { kid } = decodeProtectedHeader(token);
  const key = typeof kid === 'string' ? await keys.find(kid) : null;
  if (!kid || !key) throw new Error('unknown key');
  const { issuer, audience, requiredClaims, clockToleranceSeconds: clockTolerance, longestSeconds } = expected;
  const { payload, protectedHeader } = await jwtVerify(token, key.key, {
    algorithms: [key.algorithm],
    issuer,
    audience,
    requiredClaims,
    clockTolerance,
    maxTokenAge: longestSeconds + clockTolerance,
  });
  if (normalizedType(protectedHeader.typ) !== expected.typ) throw new Error('of another type');
  if (payload.tenant !== expected.tenant) throw new Error('of another tenant');
  if (payload.exp! - payload.iat! > longestSeconds) throw new Error('lives too long');
  return { payload, kid, key };
}

/** The payload of a token that is signed and not ended. @throws AccessError UNAUTHENTICATED, SERVICE_UNAVAILABLE */
export const signedClaims = (keys: KeySet, token: string, expected: Expected): Promise<Signed> =>
  // jose throws more than its own errors (TypeError, RangeError): all of them mean that the token is not good.
  read(keys, token, expected).catch((error) => {
    throw error instanceof AccessError ? error : unauthenticated(error);
  });
