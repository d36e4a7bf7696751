// Signing of whatever we sign (RFC 7515 s.7.1), with the current key of a tenant. What it says was decided before.
// By node's own crypto, on its thread pool: half of the time that the same signature costs through WebCrypto.

import { type KeyObject, sign } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { SigningKeys } from '../keys/signing-keys.ts';

/** Signs claims of a tenant as a JWT of this type. @throws SERVICE_UNAVAILABLE before the tenant's key is loaded */
export type SignToken = (tenantId: string, typ: string, claims: JWTPayload) => Promise<string>;

/** What node calls the digest of an algorithm: EdDSA has its own (RFC 8032 s.5.1). */
const digests = { ES256: 'sha256', EdDSA: null } as const;

const base64url = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');

/** The signature as JWS has it: both halves of a point, in their full length (RFC 7518 s.3.4). */
const signatureOf = (input: string, key: KeyObject, digest: string | null): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, (error, signature) =>
      error ? reject(error) : resolve(signature),
    );
  });

/** Signing for every tenant. `iss` is the same in all that we sign. */
export const createTokenSigner =
  ({ keys, issuer }: { keys: SigningKeys; issuer: string }): SignToken =>
  async (tenantId, typ, claims) => {
    const { kid, algorithm, privateKey } = keys.current(tenantId);
    const input = `${base64url({ alg: algorithm, typ, kid })}.${base64url({ ...claims, iss: issuer })}`;
    return `${input}.${(await signatureOf(input, privateKey, digests[algorithm])).toString('base64url')}`;
  };
