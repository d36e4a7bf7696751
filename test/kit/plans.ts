// What PostgreSQL plans for the statements that the service really sends: recorded at the driver with their values, and
// explained both ways that a prepared statement can be planned, for these values and for any.

import pg from 'pg';
import { vi } from 'vitest';

/** A statement as it was sent. */
export interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** One look at a table. */
export interface Scan {
  readonly relation: string;
  /** The index that is entered; null: the whole table is read. */
  readonly index: string | null;
  /** Is the index entered for more than all of a tenant, or left after a page? */
  readonly isNarrow: boolean;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Records what is sent to a database by this process until `end` is called. */
export function recordStatements(databaseName: string) {
  const sent = new Map<string, Sent>();
  const query = pg.Client.prototype.query as (this: pg.Client, ...args: unknown[]) => unknown;
  const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
    const [first, second] = args;
    const { text, values } = typeof first === 'string' ? { text: first, values: second } : (first as Sent);
    if (this.database === databaseName && /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)/i.test(text))
      sent.set(text, { text, values: (values ?? second ?? []) as unknown[] });
    return query.apply(this, args) as undefined;
  });
  return {
    /** What was sent since the last call, each text once. */
    take(): Sent[] {
      const taken = [...sent.values()];
      sent.clear();
      return taken;
    },
    end: () => spy.mockRestore(),
  };
}

/** Plans of a statement: for its values, and for any. */
export async function scansOf(client: pg.Client, { text, values }: Sent): Promise<[custom: Scan[], generic: Scan[]]> {
  const custom = await client.query({ text: `EXPLAIN (FORMAT JSON) ${text}`, values: [...values] });
  await client.query(`SET plan_cache_mode = force_generic_plan; PREPARE explained AS ${text}`);
  try {
    const nulls = values.length > 0 ? `(${values.map(() => 'NULL').join()})` : '';
    const generic = await client.query(`EXPLAIN (FORMAT JSON) EXECUTE explained${nulls}`);
    return [scansIn(custom.rows[0]['QUERY PLAN'][0].Plan), scansIn(generic.rows[0]['QUERY PLAN'][0].Plan)];
  } finally {
    await client.query('DEALLOCATE explained; RESET plan_cache_mode');
  }
}

/** A condition `(tenant_id = …)`, in whatever brackets, and nothing else. */
const TENANT_ONLY = /^\(*\w*\.?tenant_id = [^=<>]*$/;

function scansIn(node: PlanNode, isLimited = false, heap?: string): Scan[] {
  const { 'Node Type': type, Plans: plans = [] } = node;
  const relation = node['Relation Name'] ?? heap;
  // A limit ends what is below it early, unless everything has to be read before the first row is known.
  const isEndedEarly = type === 'Limit' || (isLimited && !/Sort|Aggregate|Hash|Bitmap/.test(type));
  const isOfBitmap = /^Bitmap/.test(type);
  const below = plans.flatMap((plan) => scansIn(plan, isEndedEarly, isOfBitmap ? relation : undefined));
  // Rows that have been found are fetched by their place.
  if (relation === undefined || !/Scan$/.test(type) || /^(Tid|Bitmap Heap) Scan$/.test(type)) return below;
  const index = node['Index Name'] ?? null;
  const conditions = node['Index Cond']?.split(' AND ') ?? [];
  const isNarrow = index !== null && (isEndedEarly || conditions.some((condition) => !TENANT_ONLY.test(condition)));
  return [...below, { relation, index, isNarrow }];
}
