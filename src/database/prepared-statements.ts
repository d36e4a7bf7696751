// Which statements PostgreSQL prepares once for each connection, instead of parsing and planning them at each use.
// Invariant: bounded. Only what comes again and again gets a name, so that lists of ever other lengths, of which each is a
// statement of its own, fill neither our memory nor that of a connection.

/** Uses of a text before it is worth preparing. */
const USES = 20;
/** Prepared at most, each on every connection. */
const MOST_PREPARED = 200;
/** Texts that are counted at once; the one that came first is forgotten. */
const MOST_COUNTED = 2_000;

/** Names of texts, of one family for a pool: undefined for what is not prepared. */
export function createStatementNames(family: string): (sql: string) => string | undefined {
  const names = new Map<string, string>();
  const uses = new Map<string, number>();
  return (sql) => {
    const known = names.get(sql);
    if (known !== undefined || names.size >= MOST_PREPARED) return known;
    const count = (uses.get(sql) ?? 0) + 1;
    if (count < USES) {
      if (uses.size >= MOST_COUNTED && !uses.has(sql)) uses.delete(uses.keys().next().value as string);
      uses.set(sql, count);
      return undefined;
    }
    uses.delete(sql);
    const name = `${family}_${names.size + 1}`;
    names.set(sql, name);
    return name;
  };
}
