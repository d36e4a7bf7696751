// Follows `Subscription.revocations`. The stream makes it fast: an entry is felt when it is committed. Asking for
// `latestRevocation` every few seconds makes it certain: a stream can be dead without anybody being told, and an answer
// that names nothing newer than what was received proves that, when it was asked, nothing had been missed.
// Invariants: its age counts from such a proof and from nothing else; a resumed stream misses nothing and repeats nothing.

import { createRevocationIndex, type RevocationEntry } from '../modules/revocations/revocation-index.ts';
import type { RevocationKey, RevocationKind } from '../modules/revocations/revocation-key.ts';
import { eventsOf } from './event-stream.ts';
import { createPauses } from './pauses.ts';
import { dataOf, type GraphQLAnswer, isUnauthenticated, type ScopewardApi, ScopewardError } from './scopeward-api.ts';

/** An entry of the feed, as it is told to whoever wants to hear. */
export interface Revocation {
  /** Ascending; tokens whose `rev` is below it are refused. */
  readonly sequence: number;
  readonly kind: RevocationKind;
  /** What is revoked: an id, as `RevocationKind` in the schema says. */
  readonly key: string;
}

const FOLLOW = 'subscription ($after: Int!) { revocations(after: $after) { sequence at kind key } }';

/** Three questions may go unanswered before it counts as stale. */
const MOST_POLL_MS = 5_000;
/** How long a stream may be behind the database without moving; longer each time that a new one is no better. */
const PATIENCE_MS = 1_000;
const MOST_PATIENCE_MS = 30_000;
const LIVED_MS = 5_000;
const SHUT_OUT = new Set(['INVALID_CLIENT', 'INVALID_SCOPE', 'FORBIDDEN']);

type Entry = Omit<RevocationEntry, 'tenantId' | 'at'> & { readonly at: string };

/** The feed of one tenant. It runs from now on, until `stopping`. */
export function createRevocationFeed(deps: {
  api: ScopewardApi;
  tenant: string;
  staleAfterMs: number;
  stopping: AbortSignal;
  onRevocation: (entry: Revocation) => void;
  onProblem: (problem: unknown) => void;
}) {
  const { api, tenant, stopping } = deps;
  const index = createRevocationIndex();
  const pauses = createPauses(stopping);
  const pollMs = Math.min(MOST_POLL_MS, deps.staleAfterMs / 4);
  let last = 0;
  let freshAt = Number.NEGATIVE_INFINITY;
  let connection = new AbortController();
  let patienceMs = PATIENCE_MS;
  let isWell = true;
  let becameReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    becameReady = resolve;
  });

  const isStale = () => performance.now() - freshAt > deps.staleAfterMs;

  function tell(problem: unknown): void {
    // Whoever is refused as a client is not going to hear of anything any more: that is no silence to wait for.
    if (problem instanceof ScopewardError && SHUT_OUT.has(problem.code)) freshAt = Number.NEGATIVE_INFINITY;
    if (isWell && !stopping.aborted) deps.onProblem(problem);
    isWell = false;
  }

  function take({ sequence, at, kind, key }: Entry): void {
    if (sequence <= last) return;
    last = sequence;
    index.add([{ sequence, at: new Date(at), kind, key, tenantId: tenant }]);
    deps.onRevocation({ sequence, kind, key });
    pauses.moved();
  }

  /** Reads one stream to its end. */
  function followOnce(): Promise<void> {
    connection = new AbortController();
    return api.withToken(async (bearer) => {
      const request = api.request(FOLLOW, { after: last }, bearer, 'text/event-stream');
      stopping.throwIfAborted();
      for await (const event of eventsOf(api.endpoint, request, connection)) {
        take(dataOf(JSON.parse(event) as GraphQLAnswer<{ revocations: Entry }>).revocations);
      }
    });
  }

  async function follow(): Promise<void> {
    for (let failures = 0; !stopping.aborted; failures += 1) {
      const began = performance.now();
      try {
        await followOnce();
      } catch (error) {
        const after = startingOver(error);
        // What is no longer kept, no living token needs; what is known stays, since it can only refuse.
        if (after !== null) last = Math.max(last, after);
        else if (!connection.signal.aborted && !isUnauthenticated(error)) tell(error);
      }
      if (performance.now() - began > LIVED_MS) failures = 0;
      await pauses.backOff(failures);
    }
  }

  /** Has everything up to this number been received, now or while entries keep coming? */
  async function hasReached(sequence: number): Promise<boolean> {
    while (last < sequence) {
      const before = last;
      await pauses.untilMoved(patienceMs);
      if (last === before || stopping.aborted) return false;
    }
    return true;
  }

  async function poll(): Promise<void> {
    for (let failures = 0; !stopping.aborted; ) {
      const began = performance.now();
      try {
        if (await hasReached(await api.latestRevocation())) {
          freshAt = Math.max(freshAt, began);
          if (!isStale()) becameReady();
          isWell = true;
          patienceMs = PATIENCE_MS;
        } else {
          connection.abort();
          patienceMs = Math.min(MOST_PATIENCE_MS, patienceMs * 2);
        }
        failures = 0;
        index.prune(Date.now());
      } catch (error) {
        tell(error);
        failures += 1;
      }
      if (failures > 0 || isStale()) await pauses.backOff(failures);
      else await pauses.of(pollMs);
    }
  }

  stopping.addEventListener('abort', () => connection.abort());
  void follow();
  void poll();

  return {
    /** Resolves when it has been complete for the first time. */
    ready,

    /** Has nobody been able to prove for too long that it is complete? No I/O. */
    isStale,

    /** Does an entry for one of these keys refuse a token of that `rev`? No I/O. */
    isRevoked: (keys: readonly RevocationKey[], rev: number): boolean => index.isRevoked(tenant, keys, rev),
  };
}

/** See `createRevocationFeed`. */
export type RevocationFeed = ReturnType<typeof createRevocationFeed>;

/** Where to start over, if that is what Scopeward says; else null. */
function startingOver(error: unknown): number | null {
  if (!(error instanceof ScopewardError) || error.extensions.reason !== 'REVOCATIONS_PRUNED') return null;
  const { after } = error.extensions;
  return typeof after === 'number' ? after : null;
}
