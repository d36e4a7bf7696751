// Making and loading the key pairs that sign tokens (RFC 7517, RFC 7518 s.3.4, RFC 8037 s.3.1).

import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';

/** The algorithms that we sign with. */
export type SigningAlgorithm = 'ES256' | 'EdDSA';

/** A pair ready to be stored: the private part still has to be sealed. */
export interface FreshKeyPair {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
}

/** A new pair; its `kid` is the RFC 7638 thumbprint. One that a command line would take for an option is not used. */
export async function makeKeyPair(algorithm: SigningAlgorithm): Promise<FreshKeyPair> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const bare = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(bare);
  if (kid.startsWith('-')) return makeKeyPair(algorithm);
  const publicJwk = { ...bare, kid, alg: algorithm, use: 'sig' };
  return { kid, algorithm, publicJwk, privateJwk: await exportJWK(pair.privateKey) };
}

/** A private key for node's own crypto. */
export const importPrivateKey = (jwk: JWK): KeyObject => createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' });

/** A key for the algorithm that was stored beside it, whatever a token's header says. */
export async function importKey(jwk: JWK, algorithm: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new TypeError('A symmetric key cannot sign or verify tokens.');
  return key;
}
