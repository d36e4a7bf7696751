// The revocations in memory: key -> newest sequence number. Asked for every token, so it does no I/O.
// Invariant: numbers become visible in commit order, so `current` means that nothing up to it was missed.

import { LONGEST_ACCESS_TOKEN_SECONDS } from '../tenants/token-life.ts';
import type { RevocationKey, RevocationKind } from './revocation-key.ts';

/** How long an entry can matter, and is kept: the longest life of a token, and an hour. */
export const RETENTION_MS = (LONGEST_ACCESS_TOKEN_SECONDS + 3600) * 1000;

/** One entry as it is stored. */
export interface RevocationEntry extends RevocationKey {
  readonly sequence: number;
  readonly tenantId: string;
  readonly at: Date;
}

const MINUTE = 60_000;

/** An empty index. */
export function createRevocationIndex() {
  // By tenant and kind, so that a key is held as it is: a million take 70 MB. In each, insertion order is sequence order,
  // since a key that comes again moves to the end: pruning stops early.
  const newest = new Map<string, Map<RevocationKind, Map<string, number>>>();
  const marks: { at: number; sequence: number }[] = [];
  let current = 0;

  function sequencesOf(tenantId: string, kind: RevocationKind): Map<string, number> {
    const kinds = newest.get(tenantId) ?? new Map<RevocationKind, Map<string, number>>();
    const sequences = kinds.get(kind) ?? new Map<string, number>();
    newest.set(tenantId, kinds.set(kind, sequences));
    return sequences;
  }

  return {
    /** The last sequence number that is known, with everything before it. */
    current: (): number => current,

    /** How many keys are held. */
    size(): number {
      let size = 0;
      for (const kinds of newest.values()) for (const sequences of kinds.values()) size += sequences.size;
      return size;
    },

    /** Takes entries in ascending order. */
    add(entries: readonly RevocationEntry[]): void {
      for (const entry of entries) {
        const sequences = sequencesOf(entry.tenantId, entry.kind);
        sequences.delete(entry.key);
        sequences.set(entry.key, entry.sequence);
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
    isRevoked(tenantId: string, keys: readonly RevocationKey[], rev: number): boolean {
      const kinds = newest.get(tenantId);
      return kinds !== undefined && keys.some(({ kind, key }) => (kinds.get(kind)?.get(key) ?? -1) > rev);
    },

    /** Forgets what no living token can have been issued before. */
    prune(now: number): void {
      let until = -1;
      while (marks[1] && marks[1].at < now - RETENTION_MS) until = marks.shift()!.sequence;
      for (const kinds of newest.values()) {
        for (const sequences of kinds.values()) {
          for (const [key, sequence] of sequences) {
            if (sequence > until) break;
            sequences.delete(key);
          }
        }
      }
    },
  };
}

/** See `createRevocationIndex`. */
export type RevocationIndex = ReturnType<typeof createRevocationIndex>;
