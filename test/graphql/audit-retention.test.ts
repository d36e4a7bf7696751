// The audit trail is append only, by the database itself, and kept for AUDIT_RETENTION_DAYS.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMaintenance } from '../../src/maintenance.ts';
import { createAttempts } from '../../src/modules/limits/attempts.ts';
import { type Service, startService } from '../kit/service.ts';

let at: Service;
beforeAll(async () => {
  at = await startService({ AUDIT_RETENTION_DAYS: '30' });
});
afterAll(() => at?.stop());

const rows = () => at.app.modules.database.system();

describe('append only', () => {
  it('the database itself refuses UPDATE and TRUNCATE, also of all tenants with everything that is theirs', async () => {
    const before = await rows().auditEvent.count();
    expect(before).toBeGreaterThan(0);
    const attempts = [
      () => rows().$executeRaw`UPDATE audit_events SET reason = 'another'`,
      () => rows().$executeRaw`UPDATE audit_events SET reason = 'another' WHERE false`,
      () => rows().$executeRaw`TRUNCATE audit_events`,
      () => rows().$executeRaw`TRUNCATE tenants CASCADE`,
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toThrow('audit_events is append only');
    expect(await rows().auditEvent.count()).toBe(before);
    expect(await rows().auditEvent.count({ where: { reason: 'another' } })).toBe(0);
  });
});

describe('retention', () => {
  const instance = () => {
    const { modules } = at.app;
    const logger = { warn: () => {} };
    return createMaintenance({ ...modules, attempts: createAttempts({ database: modules.database }), logger });
  };
  /** As if the last run had been so long ago; the service itself runs once a minute at most. */
  const lastRun = (secondsAgo: number) => rows().$executeRaw`
    INSERT INTO counters (name, value) VALUES ('maintenance', extract(epoch FROM now())::bigint - ${secondsAgo})
    ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
  const given = (count: number, age: string, tenantId = 'demo') => rows().$executeRaw`
    INSERT INTO audit_events (tenant_id, id, at, type, outcome, actor, request_id)
    SELECT ${tenantId}, gen_random_uuid()::text, now() - ${age}::interval, 'login.failed', 'refused', '{}', ${age}
    FROM generate_series(1, ${count})`;
  const left = (age: string) => rows().auditEvent.count({ where: { requestId: age } });

  it('what is older than AUDIT_RETENTION_DAYS goes, batch by batch, of all tenants; what is younger stays', async () => {
    await given(10_001, '31 days');
    await given(3, '30 days 1 minute', 'rival');
    await given(2, '29 days 23 hours');
    const others = (await rows().auditEvent.count()) - 10_004;
    await lastRun(60);
    at.statements.length = 0;
    await instance().run();
    expect(at.statements.filter((sql) => sql.includes('DELETE FROM audit_events'))).toHaveLength(3);
    expect([await left('31 days'), await left('30 days 1 minute')]).toEqual([0, 0]);
    expect(await left('29 days 23 hours')).toBe(2);
    expect(await rows().auditEvent.count()).toBe(others);
  });

  it('one instance does it at a time: of two that run at once one, and none again within the minute', async () => {
    await given(1, '40 days');
    await lastRun(60);
    at.statements.length = 0;
    await Promise.all([instance().run(), instance().run()]);
    const deletions = () => at.statements.filter((sql) => sql.includes('DELETE FROM audit_events')).length;
    expect([deletions(), await left('40 days')]).toEqual([1, 0]);
    await given(1, '41 days');
    await instance().run();
    expect([deletions(), await left('41 days')]).toEqual([1, 1]);
    await lastRun(60);
    await instance().run();
    expect(await left('41 days')).toBe(0);
  });
});
