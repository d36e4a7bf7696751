// The public keys of one tenant (RFC 7517), from memory. Asked again after a minute behind the caller's back, after
// five before answering, and at once for a `kid` that is not known, but not again within the cool-down.
// Invariants: whatever went wrong leaves the keys that there are; only ES256 and EdDSA, one algorithm per key.

import { importJWK, type JWK } from 'jose';
import { unavailable } from './access-error.ts';
import { fetchText } from './limited-fetch.ts';

/** A key, and the only algorithm that it may be used with (RFC 8725 s.3.1). */
export interface VerificationKey {
  readonly key: CryptoKey;
  readonly algorithm: string;
}

const RENEW_MS = 60_000;
const OLD_MS = 300_000;
const COOL_DOWN_MS = 10_000;
const AFTER_FAILURE_MS = 1_000;

const keyTypes: Readonly<Record<string, string>> = { ES256: 'EC', EdDSA: 'OKP' };

async function importKeys(text: string): Promise<Map<string, VerificationKey>> {
  const keys = new Map<string, VerificationKey>();
  const { keys: listed } = JSON.parse(text) as { keys: JWK[] };
  for (const { kid, alg, kty, crv, x, y, use = 'sig' } of listed) {
    if (!kid || !alg || use !== 'sig' || keyTypes[alg] !== kty) continue;
    const jwk = { kty, ...(crv && { crv }), ...(x && { x }), ...(y && { y }) } as JWK;
    const key = await importJWK(jwk, alg).catch(() => null);
    if (key instanceof CryptoKey && !keys.has(kid)) keys.set(kid, { key, algorithm: alg });
  }
  // A service that has just begun to listen has read none yet: that is no news of keys, and would refuse everybody.
  if (keys.size === 0) throw new Error('The key set has no key that can be used.');
  return keys;
}

/** The keys of a tenant at this address. `onProblem` hears of the first failure after a success. */
export function createKeySet(deps: {
  url: string;
  tenant: string;
  stopping: AbortSignal;
  onProblem: (problem: unknown) => void;
}) {
  const url = `${deps.url}/.well-known/jwks.json?tenant=${encodeURIComponent(deps.tenant)}`;
  let keys = new Map<string, VerificationKey>();
  let etag: string | null = null;
  let hasFailed = false;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let missedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    triedAt = performance.now();
    try {
      const headers = { Accept: 'application/json', ...(etag && { 'If-None-Match': etag }) };
      const answer = await fetchText(url, { headers }, deps.stopping);
      if (answer.status === 200) {
        keys = await importKeys(answer.text);
        etag = answer.headers.get('etag');
      } else if (answer.status !== 304) throw new Error(`${url} answered ${answer.status}.`);
      answeredAt = triedAt;
      hasFailed = false;
    } catch (error) {
      if (!hasFailed && !deps.stopping.aborted) deps.onProblem(error);
      hasFailed = true;
    }
  }

  /** One at a time; after a failure not before a moment has passed. Never rejects. */
  function ask(): Promise<void> {
    if (!loading && hasFailed && performance.now() - triedAt < AFTER_FAILURE_MS) return Promise.resolve();
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  /** A `kid` is whatever a caller writes: nobody makes us ask more often than this. */
  function askForUnknown(): Promise<void> {
    const now = performance.now();
    if (!loading && !hasFailed && now - missedAt < COOL_DOWN_MS) return Promise.resolve();
    missedAt = now;
    return ask();
  }

  return {
    /** Loads them, as often as it takes. Resolves when there are any, or the end has come. */
    async loaded(): Promise<void> {
      for (;;) {
        await ask();
        if (keys.size > 0 || deps.stopping.aborted) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },

    /** The key of that `kid`; null when there is none. @throws AccessError SERVICE_UNAVAILABLE when nobody can tell */
    async find(kid: string): Promise<VerificationKey | null> {
      const age = performance.now() - answeredAt;
      if (!keys.has(kid)) await askForUnknown();
      else if (age > OLD_MS) await ask();
      else if (age > RENEW_MS) void ask();
      const known = keys.get(kid);
      if (!known && hasFailed) throw unavailable('the key is unknown, and the key set could not be read');
      return known ?? null;
    },
  };
}

/** See `createKeySet`. */
export type KeySet = ReturnType<typeof createKeySet>;
