// Pages of a list by keyset: a cursor names the sort key of a row, and the index is entered there, so page 10 000 costs
// what page 1 does. Pure.

import { badInput } from '../errors/domain-error.ts';

/** What a use case needs to know to load one page. Cursors are decoded to the sort key of the row they name. */
export interface PageWindow {
  /** Only rows after this key; null: from the start. */
  readonly after: readonly string[] | null;
  /** Only rows before this key; null: to the end. */
  readonly before: readonly string[] | null;
  /** How many rows to load: one more than the page, which tells whether there is another. */
  readonly limit: number;
  /** Load in the opposite order, nearest to `before` first (for `last`). */
  readonly inverted: boolean;
  /** Rows to pass over first, for pages by number; each costs as much as one that is read. */
  readonly skip?: number;
}

type Direction = 'asc' | 'desc';
type Value = string | Date;

/**
 * Prisma's arguments for one page in the order of `columns`, the last of which is unique. `read` turns the texts of a
 * cursor into values of the columns.
 */
export function keyset<Column extends string>(
  { after, before, limit, inverted, skip = 0 }: PageWindow,
  columns: readonly Column[],
  direction: Direction = 'asc',
  read: (key: readonly string[], name: 'after' | 'before') => readonly Value[] = (key) => key,
) {
  const isAscending = direction === 'asc';
  const beyond = (name: 'after' | 'before', key: readonly string[] | null, ascending: boolean) =>
    key ? [pastKey(columns, read(key, name), ascending ? 'gt' : 'lt')] : [];
  const order: Direction = isAscending === inverted ? 'desc' : 'asc';
  return {
    where: { AND: [...beyond('after', after, isAscending), ...beyond('before', before, !isAscending)] },
    orderBy: columns.map((column) => ({ [column]: order }) as Record<Column, Direction>),
    take: limit,
    ...(skip > 0 && { skip }),
  };
}

/** (a, b) > (x, y), told as a >= x and (a > x or (b > y)): the first part is what lets an index begin there. */
function pastKey(columns: readonly string[], values: readonly Value[], comparison: 'gt' | 'lt'): object {
  const [column, ...others] = columns;
  const [value, ...rest] = values;
  if (others.length === 0) return { [column!]: { [comparison]: value } };
  return {
    [column!]: { [`${comparison}e`]: value },
    OR: [{ [column!]: { [comparison]: value } }, pastKey(others, rest, comparison)],
  };
}

/** The moment that a cursor names. @throws BAD_USER_INPUT when it is none, as in a cursor of another list */
export function momentOf(text: string, name: 'after' | 'before'): Date {
  const moment = new Date(text);
  if (!(moment.getTime() >= 0 && moment.toISOString() === text)) throw badInput(name, 'Not a cursor of this list.');
  return moment;
}

/** Text to be found as it is, by `contains`: LIKE's own signs lose their meaning. */
export const literally = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** Prisma's conditions for a text in any of these columns, in whatever case; for `OR`. */
export const matching = <Column extends string>(text: string, columns: readonly Column[]) =>
  columns.map(
    (column) =>
      ({ [column]: { contains: literally(text), mode: 'insensitive' } }) as {
        [Name in Column]?: { contains: string; mode: 'insensitive' };
      },
  );

/** A list that is read a page at a time, and counted only when somebody asks. */
export interface List<Row> {
  page(window: PageWindow): Promise<Row[]>;
  count(): Promise<number>;
}
