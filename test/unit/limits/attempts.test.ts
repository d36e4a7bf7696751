import { randomUUID } from 'node:crypto';
import { expect, inject, it } from 'vitest';
import { createAttempts } from '../../../src/modules/limits/attempts.ts';
import { openWithTenants } from '../../database/databases.ts';
import { createDatabaseIn } from '../../kit/postgres.ts';
import { ctxOf, theService } from '../../kit/service.ts';

const service = await theService();
const { database } = service.app.modules;
const attempts = createAttempts({ database });
const ctx = (ipAddress: string | null = null, tenantId = 'demo') => ({ ...ctxOf(tenantId), ipAddress });
const account = () => `${randomUUID()}@test.example`;
const countOf = async (id: Uint8Array<ArrayBuffer>) =>
  (await database.forTenant(ctx()).attempt.findFirst({ where: { id } }))?.count ?? 0;

it('an attempt that was withdrawn does not count, neither for the account nor for the address', async () => {
  const who = account();
  const address = '2001:db8:aa:1::7';
  for (let tries = 0; tries < 120; tries += 1) {
    await attempts.withdraw(ctx(address), await attempts.begin(ctx(address), 'customer', who));
  }
  const last = await attempts.begin(ctx(address), 'customer', who);
  expect(await countOf(last.account)).toBe(1);
  expect(await countOf(last.address!)).toBe(1);
});

it('withdrawing or succeeding twice never counts below zero', async () => {
  const attempt = await attempts.begin(ctx('2001:db8:aa:2::7'), 'customer', account());
  await attempts.withdraw(ctx(), attempt);
  await attempts.withdraw(ctx(), attempt);
  await attempts.succeeded(ctx(), attempt);
  expect([await countOf(attempt.account), await countOf(attempt.address!)]).toEqual([0, 0]);
});

it('a success resets the account and gives the address one attempt back', async () => {
  const [who, address] = [account(), '2001:db8:aa:3::7'];
  for (let tries = 0; tries < 4; tries += 1) await attempts.begin(ctx(address), 'customer', who);
  const attempt = await attempts.begin(ctx(address), 'customer', who);
  await attempts.succeeded(ctx(), attempt);
  expect([await countOf(attempt.account), await countOf(attempt.address!)]).toEqual([0, 4]);
});

it('accounts are counted per kind of user and per tenant', async () => {
  const who = account();
  for (let tries = 0; tries < 10; tries += 1) await attempts.begin(ctx(), 'customer', who);
  await expect(attempts.begin(ctx(), 'customer', who)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await attempts.begin(ctx(), 'employee', who);
  await attempts.begin(ctx(null, 'rival'), 'customer', who);
});

it('without a known address only the account counts', async () => {
  const attempt = await attempts.begin(ctx(), 'customer', account());
  expect(attempt.address).toBeNull();
  expect(await countOf(attempt.account)).toBe(1);
});

const postgresUrl = inject('postgresUrl');
// The clock of PGlite is that of this process, so this cannot be seen there.
const title = 'pruning forgets windows that are over by the clock of the database, and keeps the others';
it.skipIf(!postgresUrl)(postgresUrl ? title : `${title} (no PostgreSQL server installed)`, async () => {
  const url = await createDatabaseIn(postgresUrl!);
  const own = await openWithTenants({ kind: 'postgresql', url, poolSize: 2 });
  const { begin, prune } = createAttempts({ database: own });
  const [over, live] = [await begin(ctx(), 'customer', account()), await begin(ctx(), 'customer', account())];
  await own.forTenant(ctx()).$executeRaw`
    UPDATE attempts SET window_start = now() - interval '31 minutes' WHERE tenant_id = ${'demo'} AND id = ${over.account}`;
  const clock = Date.now;
  // This process runs an hour fast.
  Date.now = () => clock() + 3_600_000;
  try {
    expect(await prune()).toBe(1);
  } finally {
    Date.now = clock;
  }
  const left = await own.forTenant(ctx()).attempt.findMany();
  expect(left.map(({ id }) => Buffer.from(id))).toEqual([Buffer.from(live.account)]);
  await own.close();
});
