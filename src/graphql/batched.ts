// One query for all the rows of a page that ask the same: the N+1 problem, solved by DataLoader.
// Invariant: nothing is remembered, so a mutation that follows another in one operation sees what it did.

import DataLoader from 'dataloader';
import type { GraphQLContext } from './context.ts';

/**
 * A question about one key that is put to `load` for all keys of the same moment at once. `load` answers in the order
 * of the keys. Loads of one operation only are put together.
 */
export function batched<Key, Value>(
  load: (ctx: GraphQLContext, keys: readonly Key[]) => Promise<readonly Value[]>,
): (ctx: GraphQLContext, key: Key) => Promise<Value> {
  const loaders = new WeakMap<GraphQLContext, DataLoader<Key, Value>>();
  return (ctx, key) => {
    let loader = loaders.get(ctx);
    if (!loader) {
      loader = new DataLoader<Key, Value>((keys) => load(ctx, keys), { cache: false });
      loaders.set(ctx, loader);
    }
    return loader.load(key);
  };
}
