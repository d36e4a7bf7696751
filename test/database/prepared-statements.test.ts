// What PostgreSQL is asked again and again is prepared once for each connection; what is asked in ever other forms is not.

import { expect, it, onTestFinished } from 'vitest';
import { onPostgresql, openWithTenants } from './databases.ts';

onPostgresql('prepared statements', (cluster) => {
  it('what comes often is prepared; lists of ever other lengths never fill a connection', async () => {
    const url = await cluster().createDatabase();
    const database = await openWithTenants({ kind: 'postgresql', url, poolSize: 2 });
    onTestFinished(() => database.close());
    const { customer } = database.forTenant({ tenantId: 'demo' });
    const prepared = async () => {
      const rows = await database.system().$queryRaw<{ statement: string }[]>`
        SELECT statement FROM pg_prepared_statements WHERE name LIKE 'scopeward_%'`;
      return rows.map(({ statement }) => statement);
    };
    expect(await prepared()).toEqual([]);
    for (let time = 0; time < 60; time += 1) await customer.count();
    expect((await prepared()).filter((statement) => statement.includes('"customers"'))).toHaveLength(1);

    const before = (await prepared()).length;
    for (let length = 2; length < 200; length += 1)
      await customer.findMany({ where: { id: { in: Array.from({ length }, (_, index) => `id-${index}`) } } });
    expect((await prepared()).length - before).toBeLessThanOrEqual(1);
  }, 60_000);
});
