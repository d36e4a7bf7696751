// Signing of whatever we sign (RFC 7515), with the current key of a tenant. What it says was decided before.

import { type JWTPayload, SignJWT } from 'jose';
import type { SigningKeys } from '../keys/signing-keys.ts';

/** Signs claims of a tenant as a JWT of this type. @throws SERVICE_UNAVAILABLE before the tenant's key is loaded */
export type SignToken = (tenantId: string, typ: string, claims: JWTPayload) => Promise<string>;

/** Signing for every tenant. `iss` is the same in all that we sign. */
export const createTokenSigner =
  (deps: { keys: SigningKeys; issuer: string }): SignToken =>
  (tenantId, typ, claims) => {
    const { kid, algorithm, privateKey } = deps.keys.current(tenantId);
    return new SignJWT({ ...claims, iss: deps.issuer })
      .setProtectedHeader({ alg: algorithm, typ, kid })
      .sign(privateKey);
  };
