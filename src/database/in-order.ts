// What was loaded for many at once, given back to each. Pure.

/** The rows that belong to each of `ids`, in their order. */
export function inOrder<Row>(ids: readonly string[], rows: readonly Row[], ownerOf: (row: Row) => string): Row[][] {
  const owned = new Map<string, Row[]>(ids.map((id) => [id, []]));
  for (const row of rows) owned.get(ownerOf(row))?.push(row);
  return ids.map((id) => owned.get(id)!);
}
