// The one way to page through a list: Relay connections over keysets. contract.graphql, security.md s.2.
// Invariant: a page has 50 items unless said and 200 at most; asking for more is refused, not quietly cut down.

import '@pothos/plugin-relay';
import type { List, PageWindow } from '../database/keyset.ts';
import { isStorable } from '../database/storable.ts';
import { badInput } from '../errors/domain-error.ts';

type ConnectionArguments = PothosSchemaTypes.DefaultConnectionArguments;

/** Items on a page when the caller does not say. */
export const defaultPageSize = 50;

/** The most that a caller may ask for. */
export const maxPageSize = 200;

interface PageOptions<Row> {
  /** The sort key that names the row, such as `[row.name, row.id]`; texts only, the last one unique. */
  readonly keyOf: (row: Row) => readonly string[];
  /** Names the list in its cursors, so that those of another list are refused, whatever they are made of. */
  readonly list: string;
  /** How many texts the sort key has. */
  readonly keyParts: number;
  /** Asked only when the operation selects `totalCount`. */
  readonly totalCount: () => number | Promise<number>;
}

/** One page of a list: checks the arguments, has the rows loaded, and puts edges, cursors and page info around them. */
export async function connectionOf<Row>(
  args: ConnectionArguments,
  options: PageOptions<Row>,
  load: (window: PageWindow) => Promise<readonly Row[]>,
) {
  const { first, last } = args;
  if (first != null && last != null) throw badInput('last', 'Ask for the first or for the last items, not for both.');
  checkSize('first', first);
  checkSize('last', last);
  const after = decodeCursor('after', args.after, options);
  const before = decodeCursor('before', args.before, options);
  const size = first ?? last ?? defaultPageSize;
  const inverted = last != null;

  const loaded = await load({ after, before, limit: size + 1, inverted });
  const page = loaded.slice(0, size);
  const hasMore = loaded.length > size;
  if (inverted) page.reverse();
  const edges = page.map((node) => ({ node, cursor: encodeCursor([options.list, ...options.keyOf(node)]) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: inverted ? before !== null : hasMore,
      hasPreviousPage: inverted ? hasMore : after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: options.totalCount,
  };
}

function checkSize(name: 'first' | 'last', size: number | null | undefined): void {
  if (size != null && (size < 0 || size > maxPageSize)) throw badInput(name, `Between 0 and ${maxPageSize}.`);
}

/** The name of a list and a sort key in it, as an opaque text. */
export const encodeCursor = (key: readonly string[]): string => Buffer.from(JSON.stringify(key)).toString('base64url');

function decodeCursor(
  name: 'after' | 'before',
  cursor: string | null | undefined,
  { list, keyParts }: { readonly list: string; readonly keyParts: number },
): readonly string[] | null {
  if (cursor == null) return null;
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const isPart = (part: unknown) => typeof part === 'string' && isStorable(part);
    if (Array.isArray(parts) && parts[0] === list && parts.length === keyParts + 1 && parts.every(isPart))
      return parts.slice(1);
  } catch {
    // Whatever is wrong with it, it is not one of ours.
  }
  throw badInput(name, 'Not a cursor of this list.');
}

/** A page of a list in the order of its names. */
export const connectionByName = <Row extends { readonly name: string; readonly id: string }>(
  list: string,
  args: ConnectionArguments,
  { page, count }: List<Row>,
) => connectionOf(args, { list, keyOf: ({ name, id }: Row) => [name, id], keyParts: 2, totalCount: count }, page);

/** A page of a list of accounts, in the order of their mail addresses, which are unique. */
export const connectionByEmail = <Row extends { readonly email: string }>(
  list: string,
  args: ConnectionArguments,
  { page, count }: List<Row>,
) => connectionOf(args, { list, keyOf: ({ email }: Row) => [email], keyParts: 1, totalCount: count }, page);

/** A page of a list that is in memory anyway; rows in the ascending order of their keys, each a single text. */
export function connectionOfArray<Row>(
  list: string,
  args: ConnectionArguments,
  rows: readonly Row[],
  keyOf: (row: Row) => string,
) {
  const options: PageOptions<Row> = { list, keyOf: (row) => [keyOf(row)], keyParts: 1, totalCount: () => rows.length };
  return connectionOf<Row>(args, options, async ({ after, before, limit, inverted }) => {
    const isBetween = (key: string) => (!after || key > after[0]!) && (!before || key < before[0]!);
    const between = rows.filter((row) => isBetween(keyOf(row)));
    return (inverted ? between.reverse() : between).slice(0, limit);
  });
}
