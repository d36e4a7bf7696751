// The schema of the migrations, and what triggers and checks promise, on both databases.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { diffSchema } from '../../prisma/diff.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { onEachDatabase, onPostgresql, openWithTenants, quiet } from './databases.ts';
import { rowsOf } from './rows.ts';

const demo = { tenantId: 'demo' };
const revocation = { tenantId: 'demo', kind: 'TOKEN', key: 'k', reason: 'r' } as const;

it('the migrations lead to the schema', async () => {
  expect(await diffSchema()).toBe('');
}, 60_000);

onPostgresql('the migrations', (cluster) => {
  it('lead to the same tables, keys, indexes, triggers and functions on both databases', async () => {
    const url = await cluster().createDatabase();
    const embedded = await openDatabase({ kind: 'memory' }, quiet);
    const remote = await openDatabase({ kind: 'postgresql', url, poolSize: 2 }, quiet);
    try {
      const expected = await describeSchema(remote);
      expect(expected.length).toBeGreaterThan(300);
      expect(await describeSchema(embedded)).toEqual(expected);
    } finally {
      await Promise.all([embedded.close(), remote.close()]);
    }
  }, 60_000);
});

/** What the catalogue says of the schema. NOT NULL is read from the columns: 18 also lists it as a constraint. */
function describeSchema(database: Database): Promise<unknown[]> {
  return database.system().$queryRaw`
    SELECT text FROM (
      SELECT concat_ws(' ', 'column', table_name, column_name, data_type, udt_name, is_nullable, column_default) AS text
        FROM information_schema.columns WHERE table_schema = 'public'
      UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
      UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
      UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT concat_ws(' ', 'enum', enumtypid::regtype::text, enumlabel, enumsortorder) FROM pg_enum
    ) AS facts ORDER BY text COLLATE "C"`;
}

onEachDatabase('the schema', (configure) => {
  let database: Database;
  const counters = async () => {
    const rows = await database.system().counter.findMany();
    return Object.fromEntries(rows.map(({ name, value }) => [name, Number(value)]));
  };
  const moved = async (change: () => Promise<unknown>) => {
    const before = await counters();
    await change();
    const after = await counters();
    return Object.keys(after).filter((name) => after[name] !== before[name]);
  };

  beforeAll(async () => {
    database = await openWithTenants(await configure());
  }, 60_000);
  afterAll(() => database?.close());

  it('numbers revocations one by one, also in bulk', async () => {
    const client = database.forTenant(demo);
    const first = await client.revocation.create({ data: revocation });
    const next = await client.revocation.createManyAndReturn({ data: [revocation, revocation] });
    expect(next.map(({ sequence }) => sequence - first.sequence)).toEqual([1n, 2n]);
    expect((await counters()).revocations).toBe(Number(first.sequence) + 2);
  });

  it('raises the counter of what has changed', async () => {
    const client = database.forTenant(demo);
    const rows = rowsOf('demo');
    expect(await moved(() => client.client.create({ data: rows.Client as never }))).toEqual(['clients']);
    expect(await moved(() => client.clientSecret.create({ data: rows.ClientSecret as never }))).toEqual(['clients']);
    expect(await moved(() => client.clientSecret.deleteMany())).toEqual(['clients']);
    expect(await moved(() => client.signingKey.create({ data: rows.SigningKey as never }))).toEqual(['signing_keys']);
    expect(await moved(() => client.signingKey.updateMany({ data: { distrusted: true } }))).toEqual(['signing_keys']);
    expect(await moved(() => client.revocation.create({ data: revocation }))).toEqual(['revocations']);
    expect(await moved(() => database.system().tenant.update({ where: { id: 'demo' }, data: { name: 'D' } }))).toEqual([
      'tenants',
    ]);
    expect(await moved(() => client.customer.create({ data: rows.Customer as never }))).toEqual([]);
  });

  it('does not number what is rolled back', async () => {
    const before = await counters();
    const undone = database.transaction(demo, async (tx) => {
      await tx.revocation.create({ data: revocation });
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    expect(await counters()).toEqual(before);
  });

  it('refuses to alter an audit event', async () => {
    const client = database.forTenant(demo);
    await client.auditEvent.create({ data: rowsOf('demo').AuditEvent as never });
    await expect(client.auditEvent.updateMany({ data: { reason: 'other' } })).rejects.toThrow(
      'audit_events is append only',
    );
    await expect(client.$executeRaw`UPDATE audit_events SET reason = 'x' WHERE tenant_id = ${'demo'}`).rejects.toThrow(
      'append only',
    );
  });

  it('refuses a session or an external identity of nobody, of two, or of the wrong kind', async () => {
    const { Session: session } = rowsOf('demo');
    for (const data of [{ customerId: null }, { kind: 'EMPLOYEE' }, { employeeId: 'x' }]) {
      await expect(
        database.forTenant(demo).session.create({ data: { ...session, clientId: null, ...data } as never }),
      ).rejects.toThrow('sessions_one_principal');
    }
    const { ExternalIdentity: identity } = rowsOf('demo');
    await expect(
      database.forTenant(demo).externalIdentity.create({ data: { ...identity, customerId: null } as never }),
    ).rejects.toThrow('external_identities_one_principal');
  });

  it('refuses a group with a role outside a company, and a second current signing key', async () => {
    const client = database.forTenant(demo);
    const { Group: group, SigningKey: key } = rowsOf('demo');
    await expect(client.group.create({ data: { ...group, legalEntityId: null } as never })).rejects.toThrow(
      'groups_role_in_company',
    );
    await expect(client.signingKey.create({ data: { ...key, id: 'second' } as never })).rejects.toMatchObject({
      code: 'P2002',
    });
    await client.signingKey.create({ data: { ...key, id: 'third', status: 'NEXT' } as never });
  });
});
