// A database that is away, frozen or full: SERVICE_UNAVAILABLE in time, and well again without a restart.

import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { conflict } from '../../src/errors/domain-error.ts';
import { onEachDatabase, onPostgresql, openWithTenants, quiet } from './databases.ts';

const demo = { tenantId: 'demo' };
const unavailable = { code: 'SERVICE_UNAVAILABLE' };

/** Every way to ask. */
const asks: [string, (database: Database) => Promise<unknown>][] = [
  ['a query', (database) => database.forTenant(demo).customer.count()],
  ['tagged SQL', (database) => database.forTenant(demo).$queryRaw`SELECT 1 AS one WHERE ${'demo'} <> 'tenant_id'`],
  ['a system query', (database) => database.system().counter.findMany()],
  ['a transaction', (database) => database.transaction(demo, (tx) => tx.customer.count())],
  ['a ping', (database) => database.ping()],
];

async function expectUnavailable(database: Database, withinMs = 5_000): Promise<void> {
  const began = performance.now();
  const outcomes = await Promise.all(
    asks.map(([, ask]) =>
      ask(database).then(
        () => 'answered',
        (error) => error,
      ),
    ),
  );
  expect(performance.now() - began).toBeLessThan(withinMs);
  for (const [index, outcome] of outcomes.entries()) expect(outcome, asks[index]?.[0]).toMatchObject(unavailable);
}

const expectWell = (database: Database, timeout = 5_000) =>
  vi.waitFor(() => Promise.all(asks.map(([, ask]) => ask(database))), { timeout, interval: 100 });

onEachDatabase('errors', (configure) => {
  it('pass unchanged when they are not of the database', async () => {
    const database = await openWithTenants(await configure());
    onTestFinished(() => database.close());
    const refused = conflict('TEST', 'refused');
    await expect(database.transaction(demo, async () => Promise.reject(refused))).rejects.toBe(refused);
    const row = { tenantId: 'demo', id: 'x', description: 'd' };
    await database.forTenant(demo).customScope.create({ data: row });
    await expect(database.forTenant(demo).customScope.create({ data: row })).rejects.toMatchObject({ code: 'P2002' });
    await expect(database.transaction(demo, (tx) => tx.customScope.create({ data: row }))).rejects.toMatchObject({
      code: 'P2002',
    });
  }, 30_000);

  it('name a query outside `tx`, and a transaction inside another, instead of hanging', async () => {
    const database = await openWithTenants(await configure());
    onTestFinished(() => database.close());
    await expect(database.transaction(demo, () => database.forTenant(demo).customer.count())).rejects.toThrow(
      /only `tx`/,
    );
    await expect(
      database.transaction(demo, () => database.transaction(demo, (tx) => tx.customer.count())),
    ).rejects.toThrow(/inside a transaction/);
    expect(await database.forTenant(demo).customer.count()).toBe(0);
  }, 30_000);

  it('undo the whole transaction', async () => {
    const database = await openWithTenants(await configure());
    onTestFinished(() => database.close());
    const undone = database.transaction(demo, async (tx) => {
      await tx.customScope.create({ data: { tenantId: 'demo', id: 'x', description: 'd' } });
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    expect(await database.forTenant(demo).customScope.count()).toBe(0);
  }, 30_000);
});

onPostgresql('a conflict', (cluster) => {
  it('of statements that go straight to the driver is SERVICE_UNAVAILABLE, as of any other', async () => {
    const url = await cluster().createDatabase();
    // It looks for deadlocks sooner than it gives up waiting for a lock, which is an outage anyway.
    const soon = `${url}?options=${encodeURIComponent('-c deadlock_timeout=600ms')}`;
    const database = await openWithTenants({ kind: 'postgresql', url: soon, poolSize: 10 });
    const other = new pg.Client(url);
    await other.connect();
    onTestFinished(async () => {
      await other.end();
      await database.close();
    });
    const holds = (id: string) => other.query('SELECT 1 FROM tenants WHERE id = $1 FOR UPDATE', [id]);
    // So that it is the service that finds out.
    await other.query("SET deadlock_timeout = '10s'");
    await other.query('BEGIN');
    await holds('rival');
    // One row is locked, and then the next is waited for, by one statement.
    const both = database.system().$queryRaw`
      WITH first AS MATERIALIZED (SELECT id FROM tenants WHERE id = 'demo' FOR UPDATE)
      SELECT t.id FROM first, tenants t WHERE t.id = 'rival' FOR UPDATE OF t`;
    const refused = expect(both).rejects.toMatchObject(unavailable);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const waiting = holds('demo');
    await refused;
    await waiting;
  }, 30_000);
});

onPostgresql('an outage', (cluster) => {
  let url = '';
  const open = async () => {
    url = await cluster().createDatabase();
    const database = await openWithTenants({ kind: 'postgresql', url, poolSize: 10 });
    onTestFinished(() => database.close());
    return database;
  };

  it('case 112: absent at start, the database is opened all the same and is well within 5 s of its coming', async () => {
    url = await cluster().createDatabase();
    await cluster().shutDown();
    const database = await openDatabase({ kind: 'postgresql', url, poolSize: 10 }, quiet);
    onTestFinished(() => database.close());
    await expectUnavailable(database);
    await cluster().restart();
    await expectWell(database);
    await database.ready;
  }, 30_000);

  it('case 112: killed and restarted, all connections cut', async () => {
    const database = await open();
    await expectWell(database);
    await cluster().kill();
    await expectUnavailable(database);
    await cluster().restart();
    await expectWell(database);
    await cluster().execute(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scopeward'`,
    );
    await expectWell(database, 1_000);
  }, 30_000);

  it('case 112: a connection cut inside a transaction', async () => {
    const database = await open();
    const cut = database.transaction(demo, async (tx) => {
      await tx.customer.count();
      await cluster().execute(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scopeward'`,
      );
      await tx.customer.count();
    });
    await expect(cut).rejects.toMatchObject(unavailable);
    await expectWell(database, 1_000);
  }, 30_000);

  it('case 113: a frozen database is told of within 5 s, again and again, and is well when it thaws', async () => {
    const database = await open();
    await Promise.all(Array.from({ length: 10 }, () => expectWell(database)));
    const backends = await cluster().execute(`SELECT pid FROM pg_stat_activity WHERE application_name = 'scopeward'`);
    const pids = [cluster().pid, ...backends.rows.map(({ pid }) => pid as number)];
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    try {
      await expectUnavailable(database);
      await expectUnavailable(database);
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    await expectWell(database);
  }, 40_000);

  it('case 113: freezing in the middle of a transaction', async () => {
    const database = await open();
    let pids: number[] = [];
    const began = performance.now();
    const frozen = database.transaction(demo, async (tx) => {
      await tx.customer.count();
      const backends = await cluster().execute(`SELECT pid FROM pg_stat_activity WHERE application_name = 'scopeward'`);
      pids = backends.rows.map(({ pid }) => pid as number);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      await tx.customer.count();
    });
    try {
      await expect(frozen).rejects.toMatchObject(unavailable);
      expect(performance.now() - began).toBeLessThan(5_000);
      // The rest of the pool is made anew; the frozen connections are not met again.
      await delay(500);
      await expectWell(database, 5_000);
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
  }, 40_000);

  it('case 113: a pool exhausted by 10 transactions', async () => {
    const database = await open();
    const long = Array.from({ length: 10 }, () =>
      database.transaction(demo, (tx) => tx.$queryRaw`SELECT pg_sleep(2.7)::text, ${'demo'} AS tenant_id`),
    );
    await delay(200);
    await expectUnavailable(database);
    await Promise.all(long);
    await expectWell(database, 1_000);
  }, 30_000);

  it('a statement that takes too long, and a row that stays locked', async () => {
    const database = await open();
    await expect(database.system().$queryRaw`SELECT pg_sleep(4)::text`).rejects.toMatchObject(unavailable);
    const holder = new pg.Client(url);
    await holder.connect();
    await holder.query("BEGIN; UPDATE tenants SET name = 'locked' WHERE id = 'demo'");
    const began = performance.now();
    const waiting = database.system().tenant.update({ where: { id: 'demo' }, data: { name: 'other' } });
    await expect(waiting).rejects.toMatchObject(unavailable);
    const transaction = database.systemTransaction((tx) =>
      tx.tenant.update({ where: { id: 'demo' }, data: { name: 'other' } }),
    );
    await expect(transaction).rejects.toMatchObject(unavailable);
    expect(performance.now() - began).toBeLessThan(6_000);
    await holder.end();
  }, 30_000);

  it('two transactions that lock each other out are run again', async () => {
    const database = await open();
    const scopes = ['a', 'b'];
    await database
      .forTenant(demo)
      .customScope.createMany({ data: scopes.map((id) => ({ tenantId: 'demo', id, description: '' })) });
    const crossing = (order: string[]) =>
      database.transaction(demo, async (tx) => {
        for (const id of order) {
          await tx.customScope.updateMany({ where: { id }, data: { description: order.join() } });
          await delay(50);
        }
      });
    await Promise.all([crossing(['a', 'b']), crossing(['b', 'a'])]);
    const rows = await database.forTenant(demo).customScope.findMany();
    expect(new Set(rows.map(({ description }) => description)).size).toBe(1);
  }, 30_000);
});
