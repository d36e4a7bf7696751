// Counting what a request asks of the database, while the service now and then has work of its own.

import type { Service } from './service.ts';

/** Following counters, noting the use of clients, asking whether the database is there; and a transaction's brackets. */
const ownWork = /"?counters"?|client_scope_usage|^(BEGIN|COMMIT|ROLLBACK|SELECT 1$)/;

/** The SQL of what `run` does, of three times the shortest: maintenance that comes in between can only add to it. */
export async function fewestStatements(at: Service, run: () => Promise<unknown>): Promise<string[]> {
  let fewest: string[] | null = null;
  for (let round = 0; round < 3 && fewest?.length !== 0; round += 1) {
    at.statements.length = 0;
    await run();
    const found = at.statements.filter((sql) => !ownWork.test(sql));
    if (!fewest || found.length < fewest.length) fewest = found;
  }
  return fewest ?? [];
}
