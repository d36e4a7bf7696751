// Follows the counters that triggers raise with every change of a cached thing. Invariant: a counter counts as read
// only when its handler has finished, and `catchUp` answers from a read that began after it was called. Notifications
// make it fast, polling makes it certain, and its age tells how far it can be trusted.

import { AsyncResource } from 'node:async_hooks';
import { serviceUnavailable } from '../errors/domain-error.ts';
import type { Database } from './database.ts';

/** Something held in memory, and the counter that moves with it. */
export type WatchedCounter = 'revocations' | 'signing_keys' | 'tenants' | 'clients' | 'custom_scopes';

/** The feed of one process. */
export interface ChangeFeed {
  /** Called at start and whenever the counter has moved. If it throws, the counter counts as unread and is tried again. */
  watch(counter: WatchedCounter, handler: (value: number) => Promise<void>): void;
  /** Resolves after the first complete read, however long the database stays away; rejects when stopped before. */
  start(): Promise<void>;
  /** Resolves after a complete read that began after this call; rejects with the failure of that read. */
  catchUp(): Promise<void>;
  /** Milliseconds since the last complete read began; Infinity before the first. */
  ageMs(): number;
  /** After this process stood still (stopped, suspended, starved), the read that tells what it has missed meanwhile: it
   * settles, and never rejects. Null: nothing is missed. */
  missed(): Promise<void> | null;
  /** Ends polling and listening, and waits for the read under way. */
  stop(): Promise<void>;
}

/** The process has stood still when it did nothing for so long; milliseconds. */
const STANDSTILL_MS = 1_000;

interface Watch {
  readonly counter: WatchedCounter;
  readonly handler: (value: number) => Promise<void>;
  handled: number | undefined;
}

/** The monotonic clock goes on while a process is stopped, the other while the machine sleeps. */
const now = () => ({ monotonic: performance.now(), wall: Date.now() });

/** Creates the feed; `start` it when every watch is set. */
export function createChangeFeed(deps: {
  database: Pick<Database, 'system' | 'listen'>;
  pollMs?: number;
  logger: { warn(facts: object, message: string): void };
}): ChangeFeed {
  const { database, pollMs = 500, logger } = deps;
  const watches: Watch[] = [];
  let state: 'new' | 'running' | 'stopped' = 'new';
  let reading: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isQuiet = true;
  // Monotonic, and it goes on while the process is stopped, so a paused process finds itself old.
  let lastReadAt = Number.NEGATIVE_INFINITY;
  let heartbeat: NodeJS.Timeout | undefined;
  let lastBeat = now();
  let missed: Promise<void> | null = null;
  let unlisten: () => Promise<void> = async () => {};
  let settleStart: { resolve: () => void; reject: (error: Error) => void } | undefined;

  async function read(): Promise<void> {
    const began = performance.now();
    const rows = await database.system().$queryRaw<{ name: string; value: bigint }[]>`SELECT name, value FROM counters`;
    const values = new Map(rows.map(({ name, value }) => [name, Number(value)]));
    for (const watch of watches) {
      const value = values.get(watch.counter);
      if (value === undefined) throw new Error(`The database has no counter ${watch.counter}.`);
      if (value === watch.handled) continue;
      await watch.handler(value);
      watch.handled = value;
    }
    lastReadAt = began;
    settleStart?.resolve();
  }

  /** A read that begins now, or after the one under way; everybody who asks meanwhile shares it. */
  function readFromNow(): Promise<void> {
    if (state !== 'running') return Promise.reject(serviceUnavailable('the change feed is not running'));
    if (next) return next;
    const begin = async () => {
      await reading?.catch(() => {});
      next = undefined;
      clearTimeout(timer);
      reading = read();
      try {
        await reading;
        isQuiet = true;
      } catch (error) {
        if (isQuiet) logger.warn({ err: error }, 'The change feed could not be read; it tries again.');
        isQuiet = false;
        throw error;
      } finally {
        reading = undefined;
        if (state === 'running') timer = setTimeout(poll, pollMs).unref();
      }
    };
    next = begin();
    return next;
  }

  /** Whatever comes first after a standstill, a timer or a request, starts the read that everybody then waits for. */
  function beat(): void {
    const [before, at] = [lastBeat, now()];
    lastBeat = at;
    const stoodStill = Math.max(at.monotonic - before.monotonic, at.wall - before.wall) > STANDSTILL_MS;
    if (!stoodStill || state !== 'running') return;
    const read = readFromNow()
      .catch(() => {})
      .finally(() => {
        if (missed === read) missed = null;
      });
    missed = read;
  }

  /** Failures are told where they happen and are tried again. */
  // PGlite notifies from within the transaction that it runs: the read does not belong to it.
  const poll = AsyncResource.bind(() => void readFromNow().catch(() => {}));

  return {
    watch(counter, handler) {
      if (state !== 'new') throw new Error('Watch before the start.');
      watches.push({ counter, handler, handled: undefined });
      // What is remembered of clients and keys is renewed before the number that tokens are stamped with goes up.
      watches.sort((one, other) => Number(one.counter === 'revocations') - Number(other.counter === 'revocations'));
    },
    async start() {
      if (state !== 'new') throw new Error('A change feed starts once.');
      state = 'running';
      const first = new Promise<void>((resolve, reject) => {
        settleStart = { resolve, reject };
      });
      lastBeat = now();
      heartbeat = setInterval(beat, STANDSTILL_MS / 4).unref();
      unlisten = await database.listen('scopeward_changes', { onNotify: poll, onGap: poll });
      poll();
      await first;
    },
    catchUp: () => readFromNow(),
    ageMs: () => performance.now() - lastReadAt,
    missed() {
      beat();
      return missed;
    },
    async stop() {
      state = 'stopped';
      clearTimeout(timer);
      clearInterval(heartbeat);
      settleStart?.reject(new Error('The change feed was stopped before its first read.'));
      await unlisten();
      await Promise.allSettled([reading, next]);
    },
  };
}
