// The other end of `startScript`: what our own child processes are made of.

import { once } from 'node:events';
import { performance } from 'node:perf_hooks';

// Whoever started us is gone.
process.on('disconnect', () => process.exit());

/**
 * Takes the set-up, says what `begin` returns, and answers every later message by `answer`.
 * @param {(setup: any) => Promise<{ ready?: object, answer?: (message: any) => Promise<object> }>} begin
 */
export function script(begin) {
  const tell = (/** @type {object} */ message) => process.send?.(message);
  const fail = (/** @type {unknown} */ error) => tell({ error: error instanceof Error ? error.stack : String(error) });
  process.once('message', async (setup) => {
    try {
      const { ready = {}, answer } = await begin(setup);
      if (answer) process.on('message', (message) => answer(message).then(tell, fail));
      tell(ready);
    } catch (error) {
      fail(error);
    }
  });
}

/** Listens on a free port. @param {import('node:http').Server} server @returns {Promise<{ url: string }>} */
export async function listening(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}` };
}

/**
 * Runs one operation over and over, so many at once, batch by batch. `batch` makes the next batch outside the clock.
 * @param {{ atOnce: number, batch: () => Promise<(() => unknown)[]> }} work
 * @returns {(message: { seconds: number }) => Promise<object>} answers a run
 */
export const repeating =
  ({ atOnce, batch }) =>
  async ({ seconds }) => {
    let operations = 0;
    let elapsed = 0;
    let cpu = 0;
    while (elapsed < seconds * 1_000) {
      const operationsNow = await batch();
      const cpuBefore = process.cpuUsage();
      const began = performance.now();
      let next = 0;
      const worker = async () => {
        while (next < operationsNow.length && elapsed + performance.now() - began < seconds * 1_000) {
          await operationsNow[next++]?.();
          operations += 1;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      elapsed += performance.now() - began;
      const used = process.cpuUsage(cpuBefore);
      cpu += used.user + used.system;
    }
    return { perSecond: (operations / elapsed) * 1_000, cpuMicroseconds: cpu / operations };
  };
