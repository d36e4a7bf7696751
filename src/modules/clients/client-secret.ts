// Client secrets: 256 random bits behind a recognisable prefix, stored as SHA-256 (they need no slow hash). Pure.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new secret, shown once. */
export const generateClientSecret = (): string => `cs_${randomBytes(32).toString('base64url')}`;

/** What is stored of a secret. */
export const digestOfSecret = (secret: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(createHash('sha256').update(secret).digest());

/** Compares in constant time. */
export const isSameDigest = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other);
