// The feed's waiting: for a time, with a back-off after failures, or until something moves; cut short when it stops.

const FIRST_MS = 100;
const MOST_MS = 5_000;

/** Pauses that all end at once when `stopping` aborts. */
export function createPauses(stopping: AbortSignal) {
  const waiting = new Set<() => void>();
  let wakeMoved: () => void = () => {};
  stopping.addEventListener('abort', () => {
    for (const wake of [...waiting]) wake();
  });

  function pause(milliseconds: number, begin: (wake: () => void) => void = () => {}): Promise<void> {
    if (stopping.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      waiting.add(wake);
      begin(wake);
    });
  }

  return {
    /** That long. */
    of: (milliseconds: number): Promise<void> => pause(milliseconds),

    /** 0.1 s, twice as long after each failure, 5 s at most; less by chance, so that many do not come back as one. */
    backOff: (failures: number): Promise<void> =>
      pause(Math.min(MOST_MS, FIRST_MS * 2 ** failures) * (0.5 + Math.random() / 2)),

    /** Until `moved` is called, but not longer. One may wait at a time. */
    untilMoved: (mostMilliseconds: number): Promise<void> =>
      pause(mostMilliseconds, (wake) => {
        wakeMoved = wake;
      }),

    /** Something has moved. */
    moved: (): void => wakeMoved(),
  };
}
