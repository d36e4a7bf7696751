// The change feed of two instances, and the order in which revocations become visible.

import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { createChangeFeed, type WatchedCounter } from '../../src/database/change-feed.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { onEachDatabase, onPostgresql, openWithTenants, quiet } from './databases.ts';

const demo = { tenantId: 'demo' };
const revoke = (database: Database) =>
  database.forTenant(demo).revocation.create({ data: { tenantId: 'demo', kind: 'TOKEN', key: 'k', reason: 'r' } });

/** A feed that notes what its handlers were told. */
function follow(database: Database, counters: WatchedCounter[] = ['revocations'], pollMs?: number) {
  const seen: Partial<Record<WatchedCounter, number[]>> = {};
  const feed = createChangeFeed({ database, logger: quiet.logger, ...(pollMs && { pollMs }) });
  for (const counter of counters) {
    seen[counter] = [];
    feed.watch(counter, async (value) => void seen[counter]?.push(value));
  }
  onTestFinished(() => feed.stop());
  return { feed, seen, last: () => seen.revocations?.at(-1) };
}

async function open(config: Config['database'], another?: true): Promise<Database> {
  const database = another ? await openDatabase(config, quiet) : await openWithTenants(config);
  onTestFinished(() => database.close());
  return database;
}

onEachDatabase('the change feed', (configure) => {
  it('runs every handler once at start, then the one whose counter has moved', async () => {
    const database = await open(await configure());
    const { feed, seen } = follow(database, ['revocations', 'tenants', 'clients', 'signing_keys']);
    expect(feed.ageMs()).toBe(Number.POSITIVE_INFINITY);
    await feed.start();
    expect(seen).toEqual({ revocations: [0], tenants: [1], clients: [0], signing_keys: [0] });
    await revoke(database);
    await vi.waitFor(() => expect(seen.revocations).toEqual([0, 1]), 1_000);
    expect([seen.tenants, seen.clients]).toEqual([[1], [0]]);
    expect(feed.ageMs()).toBeLessThan(1_500);
  }, 30_000);

  it('catchUp answers from a read that began after it was called, shared among callers', async () => {
    const database = await open(await configure());
    const { feed, last } = follow(database, ['revocations'], 60_000);
    await feed.start();
    for (let round = 1; round <= 20; round += 1) {
      await revoke(database);
      await Promise.all([feed.catchUp(), feed.catchUp(), feed.catchUp()]);
      expect(last()).toBe(round);
    }
  }, 30_000);

  it('tries a failed handler again, with the counter still unread', async () => {
    const database = await open(await configure());
    const feed = createChangeFeed({ database, pollMs: 50, logger: quiet.logger });
    const told: number[] = [];
    feed.watch('revocations', async (value) => {
      told.push(value);
      if (told.length < 3) throw new Error('not yet');
    });
    onTestFinished(() => feed.stop());
    await feed.start();
    expect(told).toEqual([0, 0, 0]);
  }, 30_000);
});

onPostgresql('the change feed over two instances', (cluster) => {
  const configure = async () => ({ kind: 'postgresql', url: await cluster().createDatabase(), poolSize: 5 }) as const;

  it('case 117: what one instance writes the other one has read within a second', async () => {
    const config = await configure();
    const [writer, reader] = [await open(config), await open(config, true)];
    const { feed, last } = follow(reader, ['revocations'], 60_000);
    await feed.start();
    // Polling is off: it is the notification that is seen here.
    for (let round = 1; round <= 10; round += 1) {
      await revoke(writer);
      await vi.waitFor(() => expect(last()).toBe(round), { timeout: 1_000, interval: 5 });
    }
  });

  it('case 125: polling keeps the second when notifications are lost, and listening resumes', async () => {
    const config = await configure();
    const database = await open(config);
    const polled = follow(database);
    await polled.feed.start();
    const listened = follow(database, ['revocations'], 60_000);
    await listened.feed.start();
    await cluster().execute(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scopeward-listen'`,
    );
    await revoke(database);
    await vi.waitFor(() => expect(polled.last()).toBe(1), { timeout: 1_000, interval: 5 });
    // The gap itself causes a read, and notifications come again after it.
    await vi.waitFor(() => expect(listened.last()).toBe(1), { timeout: 1_000, interval: 5 });
    await revoke(database);
    await vi.waitFor(() => expect(listened.last()).toBe(2), { timeout: 1_000, interval: 5 });
  });

  it('case 125: polling alone keeps the second when the channel is silently dead', async () => {
    const config = await configure();
    const database = await open(config);
    await database.system().$executeRaw`
      CREATE OR REPLACE FUNCTION raise_counter(counter_name text) RETURNS bigint LANGUAGE sql
      AS 'UPDATE counters SET value = value + 1 WHERE name = counter_name RETURNING value'`;
    const { feed, last } = follow(database);
    await feed.start();
    for (let round = 1; round <= 3; round += 1) {
      await revoke(database);
      await vi.waitFor(() => expect(last()).toBe(round), { timeout: 1_000, interval: 5 });
    }
  });

  it('grows old while the database is away, and catches up by itself', async () => {
    const config = await configure();
    const database = await open(config);
    const { feed, last } = follow(database);
    await feed.start();
    await cluster().kill();
    await expect(feed.catchUp()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await delay(1_200);
    expect(feed.ageMs()).toBeGreaterThan(1_200);
    await cluster().restart();
    await vi.waitFor(() => expect(feed.ageMs()).toBeLessThan(1_000), 5_000);
    await revoke(database);
    await vi.waitFor(() => expect(last()).toBe(1), 1_000);
  }, 30_000);

  it('case 121: no reader sees a number before every lower one', async () => {
    const config = await configure();
    const database = await open(config);
    const insert = `INSERT INTO revocations (tenant_id, kind, key, reason) VALUES ('demo', 'TOKEN', $1, 'r') RETURNING sequence`;
    const [first, second] = [new pg.Client(config.url), new pg.Client(config.url)];
    await Promise.all([first.connect(), second.connect()]);
    await first.query('BEGIN');
    expect((await first.query(insert, ['first'])).rows).toEqual([{ sequence: '1' }]);
    let isSecondDone = false;
    const waiting = second.query(insert, ['second']).then(({ rows }) => {
      isSecondDone = true;
      return rows;
    });
    await delay(200);
    expect(isSecondDone).toBe(false);
    expect(await database.system().revocation.count()).toBe(0);
    await first.query('COMMIT');
    expect(await waiting).toEqual([{ sequence: '2' }]);
    await Promise.all([first.end(), second.end()]);
  });

  it('case 121: 20 writers and a reader: the reader never finds a gap', async () => {
    const database = await open(await configure());
    let isWriting = true;
    const writers = Promise.all(
      Array.from({ length: 20 }, async () => {
        for (let round = 0; round < 20; round += 1) await revoke(database);
      }),
    ).finally(() => {
      isWriting = false;
    });
    while (isWriting) {
      const [state] = await database.system().$queryRaw<{ count: bigint; max: bigint }[]>`
        SELECT count(*), coalesce(max(sequence), 0) AS max FROM revocations`;
      expect(state?.count).toBe(state?.max);
    }
    await writers;
    expect(await database.system().revocation.count()).toBe(400);
  }, 30_000);
});
