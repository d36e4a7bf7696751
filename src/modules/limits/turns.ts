// Taking turns at something that a machine can do only so often at once. Who waits holds nothing else, and neither
// the number who wait nor the time is without end.

import { serviceUnavailable } from '../../errors/domain-error.ts';

/** So many at once, so many more waiting, so long. */
export function createTurns(deps: { atOnce: number; mostWaiting: number; mostWaitingMs: number }) {
  const waiting = new Set<() => void>();
  let running = 0;

  function turn(): Promise<void> {
    if (waiting.size >= deps.mostWaiting) throw serviceUnavailable('too many wait for a turn');
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        waiting.delete(begin);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(begin);
        reject(serviceUnavailable('waited too long for a turn'));
      }, deps.mostWaitingMs);
      waiting.add(begin);
    });
  }

  return {
    /** Runs the work when its turn has come. @throws SERVICE_UNAVAILABLE when too many wait, or too long */
    async take<T>(work: () => Promise<T>): Promise<T> {
      if (running >= deps.atOnce) await turn();
      else running += 1;
      try {
        return await work();
      } finally {
        const [next] = waiting;
        if (next) next();
        else running -= 1;
      }
    },

    /** How many run. */
    running: (): number => running,

    /** How many wait. */
    waiting: (): number => waiting.size,
  };
}
