// From `node dist/main.js` to ready: on a PostgreSQL with everything in it, and the very first time with the embedded
// database, which is made, migrated and filled with the demo data.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onEnd } from '../kit/cleanup.mjs';
import { startScopeward } from '../kit/scopeward.mjs';

/** @param {() => ReturnType<typeof startScopeward>} start @returns {import('../kit/lab.mjs').Side} */
const timed = (start) => ({
  async measure() {
    const began = performance.now();
    const server = await start();
    const milliseconds = performance.now() - began;
    await server.stop();
    return { milliseconds };
  },
});

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'from the command to ready',
  async sides(lab) {
    const { databaseUrl } = await lab.scopeward();
    const folder = mkdtempSync(join(tmpdir(), 'scopeward-bench-start-'));
    onEnd(() => rmSync(folder, { recursive: true, force: true }));
    let starts = 0;
    return {
      'database ready': timed(() => startScopeward(databaseUrl)),
      'first start, embedded': timed(() => {
        starts += 1;
        const env = { NODE_ENV: 'development', ISSUER: 'http://localhost', LOG_LEVEL: 'warn' };
        return startScopeward(`file:${join(folder, String(starts))}`, { env });
      }),
    };
  },
  times: { warmUp: 1, seconds: 1, rounds: 3 },
  targets: [
    { of: 'database ready', figure: 'milliseconds', atMost: 1_500 },
    { of: 'first start, embedded', figure: 'milliseconds', atMost: 5_000 },
  ],
};
