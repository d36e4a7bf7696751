// The demo data of product.md section 10, exactly; README, GraphiQL examples and tests share it. Seeding is idempotent.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedDemo } from '../src/demo.ts';
import { builtInScopes } from '../src/modules/scopes/registry.ts';
import { only } from './kit/graphql.ts';
import { ctxOf, type Service, startService } from './kit/service.ts';
import { employee, guest, refresh, signIn, tryEmployeeLogin, tryServiceToken } from './kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await startService({ DATABASE_URL: 'memory:' });
}, 180_000);
afterAll(() => at.stop());

const db = (tenant: string) => at.app.modules.database.forTenant(ctxOf(tenant));
const emails = (rows: { email: string }[]) => rows.map(({ email }) => email).sort();
const startingWith = (...services: string[]) =>
  builtInScopes.filter((scope) => services.some((service) => scope.startsWith(`${service}.`)));

it('tenants: demo and rival', () => {
  expect(
    at.app.modules.tenants
      .all()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['demo', 'rival']);
});

describe('clients', () => {
  it('of both tenants, and no other', async () => {
    const shown = async (tenant: string) =>
      (await db(tenant).client.findMany({ orderBy: { id: 'asc' } })).map(({ id, kind }) => `${id} ${kind}`);
    expect(await shown('demo')).toEqual(['demo-backend BACKEND', 'demo-crm CUSTOM', 'demo-storefront STOREFRONT']);
    expect(await shown('rival')).toEqual(['rival-backend BACKEND', 'rival-storefront STOREFRONT']);
  });

  it.each([
    ['demo-backend', builtInScopes],
    ['rival-backend', builtInScopes],
    ['demo-crm', ['price.price_manage', 'price.price_read', 'product.product_read']],
  ])('%s has its secret and its scopes', async (id, scopes) => {
    expect(only(await tryServiceToken(at, id, `${id}-secret`)).scopes).toEqual(scopes);
  });

  it.each(['demo', 'rival'])('%s-storefront is public', async (tenant) => {
    expect((await guest(at, { tenant, clientId: `${tenant}-storefront` })).sessionId).toBeTruthy();
  });
});

describe('companies', () => {
  it('acme, acme-berlin of acme, globex, initech; umbrella in rival', async () => {
    const shown = async (tenant: string) =>
      (await db(tenant).legalEntity.findMany({ orderBy: { id: 'asc' } })).map(
        ({ id, type, parentId, enabled }) => `${id} ${type} ${parentId ?? '-'} ${enabled}`,
      );
    expect(await shown('demo')).toEqual([
      'acme COMPANY - true',
      'acme-berlin SUBSIDIARY acme true',
      'globex COMPANY - true',
      'initech COMPANY - true',
    ]);
    expect(await shown('rival')).toEqual(['umbrella COMPANY - true']);
  });

  it('each has its four predefined groups', async () => {
    for (const legalEntityId of ['acme', 'acme-berlin', 'globex', 'initech']) {
      const groups = await db('demo').group.findMany({ where: { legalEntityId }, orderBy: { role: 'asc' } });
      expect(groups.map(({ role }) => role).sort()).toEqual(['ADMIN', 'BUYER', 'CONTACT', 'REQUESTER']);
      expect(groups.every(({ predefined }) => predefined)).toBe(true);
    }
  });
});

describe('customers', () => {
  it('three of demo and one of rival', async () => {
    expect(emails(await db('demo').customer.findMany())).toEqual([
      'buyer@demo.example',
      'requester@demo.example',
      'shopper@demo.example',
    ]);
    expect(emails(await db('rival').customer.findMany())).toEqual(['mallory@rival.example']);
  });

  it.each([
    ['shopper@demo.example', 'demo', {}],
    ['buyer@demo.example', 'demo', { acme: ['ADMIN', 'CONTACT'], globex: ['BUYER', 'CONTACT'] }],
    ['requester@demo.example', 'demo', { acme: ['CONTACT', 'REQUESTER'] }],
    ['mallory@rival.example', 'rival', { umbrella: ['ADMIN', 'CONTACT'] }],
  ])('%s has the password and these companies', async (email, tenant, companies) => {
    const { customer } = await signIn(at, email);
    const assignments = await db(tenant).contactAssignment.findMany({ where: { customerId: customer.id } });
    expect(assignments.map(({ legalEntityId }) => legalEntityId).sort()).toEqual(Object.keys(companies));
    const memberships = await db(tenant).customerMembership.findMany({
      where: { customerId: customer.id },
      include: { group: true },
    });
    const held = memberships.map(({ group }) => `${group.legalEntityId} ${group.role}`).sort();
    expect(held).toEqual(Object.entries(companies).flatMap(([id, roles]) => roles.map((role) => `${id} ${role}`)));
  });

  it('the buyer may do more at acme than at globex', async () => {
    const { refreshToken } = await signIn(at);
    const acme = await refresh(at, refreshToken, { legalEntityId: 'acme' });
    const globex = await refresh(at, acme.refreshToken, { legalEntityId: 'globex' });
    expect(acme.scopes).toContain('iam.user_read_own');
    expect(globex.scopes).not.toContain('iam.user_read_own');
  });
});

describe('employees', () => {
  it('three of demo and one of rival', async () => {
    expect(emails(await db('demo').employee.findMany())).toEqual([
      'admin@demo.example',
      'catalog@demo.example',
      'support@demo.example',
    ]);
    expect(emails(await db('rival').employee.findMany())).toEqual(['admin@rival.example']);
  });

  it.each([
    ['admin@demo.example', 'Administrators', builtInScopes],
    ['admin@rival.example', 'Administrators', builtInScopes],
    ['catalog@demo.example', 'Catalog managers', startingWith('product', 'category', 'catalog')],
    [
      'support@demo.example',
      'Support',
      [
        ...startingWith('iam', 'customermanagement').filter((scope) => scope.endsWith('_read')),
        'audit.event_read',
        'customer.assisted_buying_manage',
        'customer.customer_read',
      ].sort(),
    ],
  ])('%s has the password, the group and its scopes', async (email, group, scopes) => {
    const tenant = email.endsWith('@rival.example') ? 'rival' : 'demo';
    const token = await employee(at, email);
    expect(token.scopes).toEqual(scopes);
    const memberships = await db(tenant).employeeMembership.findMany({
      where: { employeeId: token.employee.id },
      include: { group: true },
    });
    expect(memberships.map((membership) => membership.group.name)).toEqual([group]);
  });
});

describe('seeding again', () => {
  const everything = async () => {
    const system = at.app.modules.database.system();
    const tables = await system.$queryRaw<{ name: string; rows: string }[]>`
      SELECT relname AS name, (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', relname), false, true, '')))[1]::text AS rows
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname`;
    return Object.fromEntries(tables.map(({ name, rows }) => [name, Number(rows)]));
  };

  it('adds nothing, and leaves what has been changed as it is', async () => {
    const { employees, clients } = at.app.modules;
    const ctx = ctxOf('demo');
    const { id } = (await employees.findByEmail(ctx, 'catalog@demo.example'))!;
    await employees.update(ctx, id, { enabled: false });
    await clients.update(ctx, 'demo-crm', { name: 'Renamed' });
    const before = await everything();
    expect(before.customers).toBe(4);
    await seedDemo(at.app.modules);
    expect(await everything()).toEqual(before);
    expect((await tryEmployeeLogin(at, 'catalog@demo.example')).code).toBe('INVALID_GRANT');
    expect((await clients.get(ctx, 'demo-crm')).name).toBe('Renamed');
  });
});

it('without SEED_DEMO nothing is seeded', async () => {
  const empty = await startService({ DATABASE_URL: 'memory:', SEED_DEMO: 'false' });
  try {
    expect(empty.app.modules.tenants.all()).toEqual([]);
  } finally {
    await empty.stop();
  }
});
