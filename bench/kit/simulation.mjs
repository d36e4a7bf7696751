// One simulation: a cluster of its own with the demo data, and a grown database to play on. What bench/scale.md tells of is
// made by these; each runs by itself, after `npm run build`: `node bench/simulations/NAME.mjs`.

import { endAll, limitTo, rethrow } from './cleanup.mjs';
import { startCluster } from './cluster.mjs';
import { fill } from './growth.mjs';
import { seed } from './scopeward.mjs';

const MOST_MINUTES = 10;
export const ROWS = 20_000;

/** @param {(cluster: import('./cluster.mjs').Cluster, newDatabase: (name: string) => Promise<string>) => Promise<void>} play */
export async function simulate(play) {
  const endLimit = limitTo(MOST_MINUTES);
  try {
    const cluster = await startCluster();
    await seed(await cluster.createDatabase('seeded'));
    await play(cluster, async (name) => {
      const url = await cluster.createDatabase(name, 'seeded');
      await fill(url, ROWS);
      return url;
    });
  } catch (error) {
    await rethrow(error);
  } finally {
    endLimit();
    await endAll();
  }
}

/** @param {number[]} values @param {number} [share] */
export function quantile(values, share = 0.5) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
