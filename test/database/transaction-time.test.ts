// How long a transaction may take can be said, for the command line.

import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { onEachDatabase, quiet } from './databases.ts';

onEachDatabase('the time of a transaction', (configure) => {
  it('is what was said: SERVICE_UNAVAILABLE after it, and nothing of it stays', async () => {
    const database = await openDatabase(await configure(), { ...quiet, transactionMs: 300 });
    onTestFinished(() => database.close());
    await database.system().tenant.create({ data: { id: 'demo', name: 'Demo' } });
    const demo = { tenantId: 'demo' };
    const write = (id: string, ms: number) =>
      database.transaction(demo, async (tx) => {
        await tx.customScope.create({ data: { tenantId: 'demo', id, description: 'd' } });
        await delay(ms);
      });
    const began = performance.now();
    await expect(write('too.late', 4_000)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(performance.now() - began).toBeLessThan(3_500);
    await delay(100);
    expect(await database.forTenant(demo).customScope.count()).toBe(0);
  }, 30_000);
});
