// The `fields` parameter: which fields of an answer a client wants. Pure.

import type { Query } from './emporix-route.ts';

/** Leaves of a body what the request asks for: everything, unless it names fields. */
export function shownBy(query: Pick<Query, 'value'>): (body: object) => object {
  const fields = query.value('fields');
  if (fields === undefined) return (body) => body;
  // A path within a field shows the field.
  const names = new Set(fields.split(',').map((field) => field.trim().split('.')[0]));
  return (body) => Object.fromEntries(Object.entries(body).filter(([name]) => names.has(name)));
}
