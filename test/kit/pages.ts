// Reading a list as a client does: page by page, by the cursors that the answers give.

import { graphql, only } from './graphql.ts';
import type { Service } from './service.ts';

interface Reading {
  readonly size: number;
  /** What to select of each node. */
  readonly fields?: string;
  /** Further arguments, as they stand in the document: `search: "x"`. */
  readonly args?: string;
  /** Back from the end instead of onwards from the start. */
  readonly backwards?: boolean;
}

/** Every node of a list in its order, with the sizes of the pages and what each page said of the total. */
export async function readPages<Node = any>(
  at: Pick<Service, 'url'>,
  bearer: string,
  list: string,
  { size, fields = 'id', args = '', backwards = false }: Reading,
): Promise<{ nodes: Node[]; sizes: number[]; totals: number[] }> {
  const nodes: Node[] = [];
  const sizes: number[] = [];
  const totals: number[] = [];
  const [amount, place] = backwards ? ['last', 'before'] : ['first', 'after'];
  for (let cursor: string | null = null; ; ) {
    const query = `query ($cursor: String) { ${list}(${amount}: ${size}, ${place}: $cursor ${args}) {
      totalCount nodes { ${fields} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
    const page: any = only(await graphql(at, query, { bearer, variables: { cursor } }));
    if (backwards) nodes.unshift(...page.nodes);
    else nodes.push(...page.nodes);
    sizes.push(page.nodes.length);
    totals.push(page.totalCount);
    cursor = backwards ? page.pageInfo.startCursor : page.pageInfo.endCursor;
    if (!(backwards ? page.pageInfo.hasPreviousPage : page.pageInfo.hasNextPage)) return { nodes, sizes, totals };
  }
}
