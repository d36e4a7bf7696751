// What a password's hash costs in tests: a third of all the time that they took, and nothing that most of them are about.

/** For tests about something else. */
export const QUICK = { memoryKiB: 1_024 } as const;

/** As in production: for tests of time and queues, and of races for a hash. */
export const REAL = {} as const;
