// One query for all the rows of a page that ask the same: the N+1 problem, solved by DataLoader.
// Invariant: nothing is remembered, so a mutation that follows another in one operation sees what it did.

import DataLoader from 'dataloader';
import type { PageWindow } from '../database/keyset.ts';
import type { GraphQLContext } from './context.ts';

/** A page of a nested list: whose, and from where. */
export interface PageOf {
  readonly id: string;
  readonly window: PageWindow;
}

/** Pages of a nested list. All parents of a page are asked for the same window: one load. Aliases may ask for others: one
 * load each. `load` answers in the order of the ids. */
export const batchedPages = <Row>(
  load: (ctx: GraphQLContext, ids: readonly string[], window: PageWindow) => Promise<readonly Row[][]>,
): ((ctx: GraphQLContext, asked: PageOf) => Promise<Row[]>) =>
  batched<PageOf, Row[]>(async (ctx, asked) => {
    const loads = new Map<string, { window: PageWindow; ids: Set<string> }>();
    for (const { id, window } of asked) {
      const key = JSON.stringify(window);
      loads.set(key, { window, ids: (loads.get(key)?.ids ?? new Set()).add(id) });
    }
    const pages = new Map<string, Row[]>();
    for (const [key, { window, ids }] of loads) {
      const loaded = await load(ctx, [...ids], window);
      [...ids].forEach((id, at) => void pages.set(`${id} ${key}`, loaded[at]!));
    }
    return asked.map(({ id, window }) => pages.get(`${id} ${JSON.stringify(window)}`)!);
  });

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
