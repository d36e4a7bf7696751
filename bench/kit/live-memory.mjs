// Preloaded into the service by --import, with --expose-gc: at SIGUSR2 it collects what nobody holds and says what is left.

import { setTimeout as delay } from 'node:timers/promises';

process.on('SIGUSR2', async () => {
  const { gc } = /** @type {{ gc: () => void }} */ (/** @type {unknown} */ (globalThis));
  for (let time = 0; time < 3; time += 1) {
    gc();
    await delay(100);
  }
  const { heapUsed, external } = process.memoryUsage();
  console.log(`live memory: ${heapUsed + external}`);
});
