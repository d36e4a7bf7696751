import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const TIMED = 'test/**/*.timed.test.ts';

export default defineConfig({
  // Two copies of graphql ("another module or realm") unless everybody gets this one.
  // And the examples get the package's entry points as they are, not as they were last built.
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: 'graphql/index.js' },
      { find: /^scopeward\/verify$/, replacement: join(import.meta.dirname, 'src/verify/verify.ts') },
      { find: /^scopeward\/verify\/(\w+)$/, replacement: join(import.meta.dirname, 'src/verify/$1.ts') },
    ],
  },
  test: {
    // What measures time has the machine for itself, after all others.
    projects: [
      { extends: true, test: { name: 'behaviour', include: ['test/**/*.test.ts'], exclude: [TIMED] } },
      { extends: true, test: { name: 'time', include: [TIMED], maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
    globalSetup: [
      'test/kit/build-global-setup.ts',
      'test/kit/postgres-global-setup.ts',
      'test/kit/template-global-setup.ts',
    ],
    // One service per worker, shared by its files: starting one costs a second.
    pool: 'forks',
    isolate: false,
    // One more than the usual two cores: much of the time a test waits, for a database that is away, say.
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    server: { deps: { inline: [/graphql-yoga/, /@pothos/, /@graphql-tools/, /@envelop/] } },
  },
});
