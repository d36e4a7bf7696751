// The revocations in memory: key -> newest sequence number. Asked for every token, so it does no I/O.
// Invariant: numbers become visible in commit order, so `current` means that nothing up to it was missed.

import { LONGEST_ACCESS_TOKEN_SECONDS } from '../tenants/token-life.ts';
import type { RevocationKey } from './revocation-key.ts';

/** How long an entry can matter, and is kept: the longest life of a token, and an hour. */
export const RETENTION_MS = (LONGEST_ACCESS_TOKEN_SECONDS + 3600) * 1000;

/** One entry as it is stored. */
export interface RevocationEntry extends RevocationKey {
  readonly sequence: number;
  readonly tenantId: string;
  readonly at: Date;
}

const MINUTE = 60_000;

const indexKey = (tenantId: string, { kind, key }: RevocationKey) => `${tenantId}\n${kind}\n${key}`;

/** An empty index. */
export function createRevocationIndex() {
  // Insertion order is sequence order, since a key that comes again moves to the end: pruning stops early.
  const newest = new Map<string, number>();
  const marks: { at: number; sequence: number }[] = [];
  let current = 0;

  return {
    /** The last sequence number that is known, with everything before it. */
    current: (): number => current,

    /** How many keys are held. */
    size: (): number => newest.size,

    /** Takes entries in ascending order. */
    add(entries: readonly RevocationEntry[]): void {
      for (const entry of entries) {
        const key = indexKey(entry.tenantId, entry);
        newest.delete(key);
        newest.set(key, entry.sequence);
        const last = marks.at(-1);
        if (!last || entry.at.getTime() - last.at >= MINUTE)
          marks.push({ at: entry.at.getTime(), sequence: entry.sequence });
      }
    },

    /** Everything up to this number has been added. */
    advance(sequence: number): void {
      current = Math.max(current, sequence);
    },

    /** Is an entry for one of these keys newer than `rev`? */
    isRevoked: (tenantId: string, keys: readonly RevocationKey[], rev: number): boolean =>
      keys.some((key) => (newest.get(indexKey(tenantId, key)) ?? -1) > rev),

    /** Forgets what no living token can have been issued before. */
    prune(now: number): void {
      let until = -1;
      while (marks[1] && marks[1].at < now - RETENTION_MS) until = marks.shift()!.sequence;
      for (const [key, sequence] of newest) {
        if (sequence > until) break;
        newest.delete(key);
      }
    },
  };
}

/** See `createRevocationIndex`. */
export type RevocationIndex = ReturnType<typeof createRevocationIndex>;
