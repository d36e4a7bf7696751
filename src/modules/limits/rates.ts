// How often something may happen per key, counted per instance in memory: a brake on floods that costs no query.
// Each key has a bucket that fills steadily (the token-bucket algorithm); the map of buckets is bounded.

import { rateLimited } from '../../errors/domain-error.ts';

const MOST_KEYS = 100_000;

/** A limit: so many in a window, and as many at once. */
export function createRate(deps: { limit: number; windowSeconds: number }) {
  const { limit, windowSeconds } = deps;
  const perMs = limit / (windowSeconds * 1000);
  const buckets = new Map<string, { level: number; at: number }>();

  return {
    /** Counts one. What is refused is not counted: the bucket fills while a caller keeps trying.
     * @throws RATE_LIMITED with `retryAfter` in seconds */
    take(key: string): void {
      const now = performance.now();
      const bucket = buckets.get(key) ?? { level: limit, at: now };
      const level = Math.min(limit, bucket.level + (now - bucket.at) * perMs);
      buckets.delete(key);
      buckets.set(key, { level: level < 1 ? level : level - 1, at: now });
      if (buckets.size > MOST_KEYS) buckets.delete(buckets.keys().next().value!);
      if (level < 1) throw rateLimited(Math.max(1, Math.ceil((1 - level) / perMs / 1000)));
    },
  };
}

/** See `createRate`. */
export type Rate = ReturnType<typeof createRate>;
