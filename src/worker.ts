// One of several workers behind one port (node:cluster): what it and the primary say to each other, seen from here.
// Invariant: without a primary a worker finishes what it has begun, and waits for no answer.

import cluster, { type Worker } from 'node:cluster';
import type { Metrics } from './observability/metrics.ts';
import type { Counted } from './observability/whole-metrics.ts';

/** What a worker says. */
export type ToPrimary =
  | { readonly kind: 'may I start' }
  | { readonly kind: 'started' }
  | { readonly kind: 'cannot start'; readonly sentence: string }
  | { readonly kind: 'counted'; readonly counted: Counted }
  | { readonly kind: 'metrics wanted' };

/** What a worker is told. */
export type ToWorker =
  | { readonly kind: 'start' }
  | { readonly kind: 'all started' }
  | { readonly kind: 'count' }
  | { readonly kind: 'metrics'; readonly text: string };

/** What a service needs of the other workers. */
export interface Siblings {
  /** Do others answer on the port already? */
  readonly arePresent: boolean;
  /** Resolves when this one may start: one goes first, and fills an empty database; the others would be in its way. */
  turnToStart(): Promise<void>;
  /** Says that this one has started. Resolves when all have, so that the port is ready as a whole. */
  allStarted(): Promise<void>;
  /** From now on this one's counts are in everybody's metrics, and everybody's in these. */
  addUp(own: Pick<Metrics, 'counted' | 'text'>): Pick<Metrics, 'text'>;
  /** Nobody looks after the workers any more: they have to end by themselves. */
  onPrimaryGone(run: () => void): void;
}

/** This process, if it is a worker. */
export const thisWorker: Worker | null = cluster.worker ?? null;

function say(message: ToPrimary): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

const hear = <Kind extends ToWorker['kind']>(kind: Kind, take: (message: Extract<ToWorker, { kind: Kind }>) => void) =>
  process.on('message', (message: ToWorker) => {
    if (message.kind === kind) take(message as Extract<ToWorker, { kind: Kind }>);
  });

/** Ends all of them: this one can't start, and no other could. */
export const giveUpTogether = (sentence: string): void => say({ kind: 'cannot start', sentence });

/** The others, seen from this one. Once. `workers`: how many there are. */
export function createSiblings(self: Worker, workers: number): Siblings {
  return {
    // They are numbered as they are made: the first begin together, each later one takes another's place.
    arePresent: self.id > workers,

    onPrimaryGone(run) {
      self.once('disconnect', () => {
        // Else node ends the process here and now, whatever is under way.
        self.exitedAfterDisconnect = true;
        run();
      });
    },

    turnToStart: () =>
      new Promise((resolve) => {
        hear('start', () => resolve());
        say({ kind: 'may I start' });
      }),

    allStarted: () =>
      new Promise((resolve) => {
        hear('all started', () => resolve());
        say({ kind: 'started' });
      }),

    addUp(own) {
      let waiting: ((text: string) => void)[] = [];
      hear('count', async () => say({ kind: 'counted', counted: await own.counted() }));
      hear('metrics', ({ text }) => {
        for (const answer of waiting) answer(text);
        waiting = [];
      });
      return {
        text: async () => {
          if (!process.connected) return own.text();
          return new Promise<string>((resolve) => {
            waiting.push(resolve);
            say({ kind: 'metrics wanted' });
          });
        },
      };
    },
  };
}
