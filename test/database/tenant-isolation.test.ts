// Tenant isolation, generated over all models and operations, on both databases.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database, TenantClient } from '../../src/database/database.ts';
import { TenantIsolationError } from '../../src/database/foreign-tenant.ts';
import { Prisma } from '../../src/database/generated/client.ts';
import { onEachDatabase, openWithTenants, quiet } from './databases.ts';
import { keyOf, rowsOf } from './rows.ts';

type TenantModel = keyof ReturnType<typeof rowsOf>;
type Operations = Record<string, (args?: unknown) => Promise<unknown>>;

const demo = { tenantId: 'demo' };
const models = Object.keys(rowsOf('demo')) as TenantModel[];
// Revocations are found by their number, which is not known beforehand.
const keyed = models.filter((model) => model !== 'Revocation');
const of = (client: unknown, model: string) =>
  (client as Record<string, Operations>)[model[0]?.toLowerCase() + model.slice(1)] as Required<Operations>;

onEachDatabase('tenant isolation', (configure) => {
  let database: Database;
  let client: TenantClient;
  const statements: string[] = [];
  const allOf = (model: string) => of(database.system(), model).findMany?.({ where: { tenantId: 'rival' } });

  beforeAll(async () => {
    database = await openWithTenants(await configure(), { ...quiet, onQuery: (sql) => statements.push(sql) });
    client = database.forTenant(demo);
    for (const tenantId of ['demo', 'rival']) {
      for (const [model, data] of Object.entries(rowsOf(tenantId)))
        await of(database.system(), model).create?.({ data });
    }
  }, 60_000);
  afterAll(() => database?.close());

  it('knows every model of the schema', () => {
    expect([...models, 'Tenant', 'Counter'].sort()).toEqual(Object.keys(Prisma.ModelName).sort());
  });

  describe.each(models)('%s', (model) => {
    it('case 109: reads rows of its own tenant only, and every statement names the tenant', async () => {
      statements.length = 0;
      const { findMany, findFirst, findFirstOrThrow, count, groupBy, aggregate } = of(
        client,
        model,
      ) as Required<Operations>;
      const own = { tenantId: 'demo' };
      expect(await findMany?.()).toMatchObject([own]);
      expect(await findMany?.({ where: { OR: [{ tenantId: 'demo' }, {}] } })).toMatchObject([own]);
      expect(await findFirst?.({ orderBy: { tenantId: 'desc' } })).toMatchObject(own);
      expect(await findFirstOrThrow?.({ orderBy: { tenantId: 'desc' } })).toMatchObject(own);
      expect(await count?.()).toBe(1);
      expect(await aggregate?.({ _count: true })).toEqual({ _count: 1 });
      expect(await groupBy?.({ by: ['tenantId'] })).toEqual([own]);
      expect(statements.length).toBeGreaterThanOrEqual(7);
      expect(statements.filter((sql) => !/WHERE.*"tenant_id" = \$/.test(sql))).toEqual([]);
    });

    it('refuses a filter, a cursor or data of another tenant', async () => {
      const operations = of(client, model);
      const foreign = { where: { tenantId: 'rival' } };
      const row = rowsOf('rival')[model];
      for (const name of ['findMany', 'findFirst', 'findFirstOrThrow', 'count', 'deleteMany'] as const) {
        await expect(operations[name]?.(foreign), name).rejects.toThrow(TenantIsolationError);
        await expect(operations[name]?.({ where: { NOT: foreign.where } }), name).rejects.toThrow(TenantIsolationError);
        await expect(operations[name]?.({ where: undefined }), name).rejects.toThrow(/undefined/);
        await expect(operations[name]?.({ where: { tenantId: undefined } }), name).rejects.toThrow();
      }
      await expect(operations.findMany?.({ cursor: { id: 'x' } })).rejects.toThrow(TenantIsolationError);
      await expect(operations.create?.({ data: row })).rejects.toThrow(TenantIsolationError);
      await expect(operations.createMany?.({ data: [row] })).rejects.toThrow(TenantIsolationError);
      await expect(operations.createManyAndReturn?.({ data: [row] })).rejects.toThrow(TenantIsolationError);
      for (const name of ['updateMany', 'updateManyAndReturn'] as const) {
        await expect(operations[name]?.({ data: { tenantId: 'rival' } }), name).rejects.toThrow(TenantIsolationError);
        await expect(operations[name]?.({ data: { tenantId: { set: 'rival' } } }), name).rejects.toThrow(
          TenantIsolationError,
        );
        await expect(operations[name]?.({ ...foreign, data: {} }), name).rejects.toThrow(TenantIsolationError);
      }
      await expect(
        operations.create?.({ data: { ...row, tenantId: 'demo', tenant: { connect: { id: 'rival' } } } }),
      ).rejects.toThrow();
    });
  });

  describe.each(keyed)('%s', (model) => {
    it('refuses the key of another tenant in every unique operation, and finds its own', async () => {
      const operations = of(client, model);
      const where = keyOf(model, rowsOf('rival')[model]);
      const create = rowsOf('demo')[model];
      for (const name of ['findUnique', 'findUniqueOrThrow', 'delete', 'update', 'upsert'] as const) {
        const args =
          name === 'update' ? { where, data: {} } : name === 'upsert' ? { where, create, update: {} } : { where };
        await expect(operations[name]?.(args), name).rejects.toThrow(TenantIsolationError);
      }
      expect(await operations.findUnique?.({ where: keyOf(model, create) })).toMatchObject({ tenantId: 'demo' });
    });
  });

  it.each(['Client', 'SigningKey', 'RefreshToken'] as const)(
    'finds no %s of another tenant by its global id',
    async (model) => {
      const { id } = rowsOf('rival')[model];
      expect(await of(client, model).findUnique?.({ where: { id } })).toBeNull();
      await expect(of(client, model).delete?.({ where: { id } })).rejects.toMatchObject({ code: 'P2025' });
      await expect(of(client, model).findMany?.({ cursor: { id } })).rejects.toThrow(TenantIsolationError);
    },
  );

  it('refuses nested writes that would take over a row of another tenant', async () => {
    const foreign = { tenantId_id: { tenantId: 'rival', id: 'x' } };
    const own = { where: { tenantId_id: { tenantId: 'demo', id: 'x' } } };
    const session = of(client, 'Session');
    await expect(
      session.update?.({ ...own, data: { client: { connect: { id: 'client-of-rival' } } } }),
    ).rejects.toThrow(TenantIsolationError);
    await expect(session.update?.({ ...own, data: { tenant: { connect: { id: 'rival' } } } })).rejects.toThrow(
      TenantIsolationError,
    );
    const customer = of(client, 'Customer');
    for (const operation of ['connect', 'set', 'delete', 'disconnect'] as const) {
      await expect(
        customer.update?.({ ...own, data: { sessions: { [operation]: foreign } } }),
        operation,
      ).rejects.toThrow(TenantIsolationError);
    }
    await expect(
      customer.update?.({ ...own, data: { sessions: { create: { id: 'y', tenantId: 'rival' } } } }),
    ).rejects.toThrow(TenantIsolationError);
    await expect(customer.findMany?.({ include: { sessions: { where: { tenantId: 'rival' } } } })).rejects.toThrow(
      TenantIsolationError,
    );
  });

  it('follows relations within the tenant', async () => {
    const [customer] = await client.customer.findMany({
      include: { sessions: { include: { client: true } }, tenant: true },
    });
    expect(customer).toMatchObject({
      tenant: { id: 'demo' },
      sessions: [{ tenantId: 'demo', client: { id: 'client-of-demo' } }],
    });
  });

  it('case 106: refuses undefined anywhere in a filter, in tenant and system clients', async () => {
    for (const each of [client, database.system()]) {
      const { findMany, deleteMany, findFirst } = of(each, 'Customer');
      for (const where of [
        { id: undefined },
        { email: { equals: undefined } },
        { OR: [{ id: undefined }] },
        { sessions: { some: { id: undefined } } },
      ]) {
        for (const operation of [findMany, deleteMany, findFirst])
          await expect(operation?.({ where })).rejects.toThrow(/undefined/);
      }
    }
  });

  it('lets a tenant read its own tenant only, and no counters', async () => {
    expect(await client.tenant.findMany()).toMatchObject([{ id: 'demo' }]);
    expect(await client.tenant.count()).toBe(1);
    await expect(client.tenant.findUnique({ where: { id: 'rival' } })).rejects.toThrow(TenantIsolationError);
    await expect(client.tenant.update({ where: { id: 'demo' }, data: { name: 'x' } })).rejects.toThrow(
      TenantIsolationError,
    );
    await expect(client.tenant.deleteMany()).rejects.toThrow(TenantIsolationError);
    await expect(client.counter.findMany()).rejects.toThrow(TenantIsolationError);
  });

  it('case 105: runs tagged SQL with the tenant in it only, and no unsafe SQL', async () => {
    expect(await client.$queryRaw`SELECT id FROM customers WHERE tenant_id = ${'demo'}`).toEqual([{ id: 'x' }]);
    await expect(client.$queryRaw`SELECT id FROM customers`).rejects.toThrow(TenantIsolationError);
    await expect(client.$queryRaw`SELECT id FROM customers WHERE tenant_id = ${'rival'}`).rejects.toThrow(
      TenantIsolationError,
    );
    await expect(client.$executeRaw`DELETE FROM customers WHERE id = ${'demo'}`).rejects.toThrow(TenantIsolationError);
    for (const each of [client, database.system()]) {
      for (const name of ['$queryRawUnsafe', '$executeRawUnsafe']) {
        await expect((each as unknown as Operations)[name]?.('SELECT 1')).rejects.toThrow(/tagged template/);
      }
    }
  });

  it('holds inside a transaction', async () => {
    await database.transaction(demo, async (tx) => {
      expect(await tx.customer.count()).toBe(1);
      await expect(tx.customer.count({ where: { tenantId: 'rival' } })).rejects.toThrow(TenantIsolationError);
    });
  });

  it('refuses a client without a tenant', () => {
    for (const tenantId of ['', undefined]) {
      expect(() => database.forTenant({ tenantId: tenantId as string })).toThrow(TenantIsolationError);
    }
  });

  it('changes and deletes nothing of another tenant', async () => {
    const before = Object.fromEntries(await Promise.all(models.map(async (model) => [model, await allOf(model)])));
    // Children first, so that cascades hide nothing.
    for (const model of models.toReversed()) {
      const operations = of(client, model);
      if (model !== 'AuditEvent')
        expect(await operations.updateMany?.({ data: { tenantId: 'demo' } })).toEqual({ count: 1 });
      expect(await operations.deleteMany?.()).toEqual({ count: 1 });
    }
    expect(Object.fromEntries(await Promise.all(models.map(async (model) => [model, await allOf(model)])))).toEqual(
      before,
    );
  });
});
