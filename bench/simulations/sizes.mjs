// What a row of each table that grows takes on the disk, with its indexes as they are when they have just been built: random
// keys fill the pages of an index by two thirds in the long run, so one that has grown takes up to half as much again.

import { query } from '../kit/cluster.mjs';
import { fill, PEOPLE, RECORDS } from '../kit/growth.mjs';
import { simulate } from '../kit/simulation.mjs';

const ROWS = 200_000;

await simulate(async (cluster) => {
  const url = await cluster.createDatabase('sizes', 'seeded');
  await fill(url, ROWS, [...PEOPLE, ...RECORDS]);
  const rows = await query(
    url,
    `SELECT relname AS name, (pg_total_relation_size(oid) / reltuples)::int AS "bytes a row",
       (pg_indexes_size(oid) / reltuples)::int AS "of them indexes"
     FROM pg_class WHERE relkind = 'r' AND reltuples >= ${ROWS / 20} ORDER BY 2 DESC`,
  );
  console.table(Object.fromEntries(rows.map(({ name, ...row }) => [name, row])));
});
