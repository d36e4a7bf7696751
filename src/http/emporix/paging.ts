// Lists as the platform pages through them: numbered pages, and a total in a header for whoever asks.

import type { List } from '../../database/keyset.ts';
import { badInput } from '../../errors/domain-error.ts';
import type { EmporixAnswer, EmporixRequest, Query } from './emporix-route.ts';

/** Consoles ask for all access controls at once. */
const LARGEST_PAGE = 1_000;
/** Rows that may be skipped: whoever wants more filters, or reads by the cursors of GraphQL. */
const FURTHEST = 100_000;

function positive(query: Query, name: string, fallback: number): number {
  const text = query.value(name);
  if (text === undefined) return fallback;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw badInput(name, 'A whole number from 1.');
  return Number(text);
}

/** In which order: `name`, `name:asc` or `name:desc`, where `name` is what the list is in the order of anyway. */
function isDescending(query: Query, column: string): boolean {
  const sort = query.value('sort');
  if (sort === undefined) return false;
  const [, name, direction = 'asc'] = /^([\w.]+)(?::(asc|desc))?$/i.exec(sort) ?? [];
  if (name !== column && name !== `${column}.en`) throw badInput('sort', `This list is sorted by ${column} only.`);
  return direction.toLowerCase() === 'desc';
}

/** A list that is in memory anyway, in its order. */
export const listOf = <Row>(rows: readonly Row[]): List<Row> => ({
  page: async ({ inverted, limit, skip = 0 }) => (inverted ? rows.toReversed() : rows).slice(skip, skip + limit),
  count: async () => rows.length,
});

/**
 * One page of a list, and `X-Total-Count` if the request asks for it by that header.
 * @param pageSize rows on a page when the caller does not say
 * @param column what the list is sorted by
 * @param toWire a row as clients know it
 * @param pageToWire all rows of a page at once, for what has to be looked up besides
 * @throws BAD_USER_INPUT
 */
export async function pageAnswer<Row>(
  { query, headers }: Pick<EmporixRequest, 'query' | 'headers'>,
  { page, count }: List<Row>,
  {
    pageSize,
    column,
    ...wire
  }: { pageSize: number; column: string } & (
    | { toWire: (row: Row) => unknown }
    | { pageToWire: (rows: readonly Row[]) => Promise<readonly unknown[]> }
  ),
): Promise<EmporixAnswer> {
  const number = positive(query, 'pageNumber', 1);
  const limit = positive(query, 'pageSize', pageSize);
  if (limit > LARGEST_PAGE) throw badInput('pageSize', `At most ${LARGEST_PAGE}.`);
  const skip = (number - 1) * limit;
  if (skip > FURTHEST) throw badInput('pageNumber', 'Too far: narrow the list by filters.');
  const isCounted = String(headers['x-total-count']).toLowerCase() === 'true';
  const [rows, total] = await Promise.all([
    page({ after: null, before: null, inverted: isDescending(query, column), limit, skip }),
    isCounted ? count() : null,
  ]);
  return {
    status: 200,
    ...(total !== null && { headers: { 'X-Total-Count': String(total) } }),
    body: 'toWire' in wire ? rows.map(wire.toWire) : await wire.pageToWire(rows),
  };
}
