// Client.lastUsedAt and unusedScopes (case 58): who asks for too much is seen, and noting it costs no request anything.

import { EventEmitter, once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { givenClient, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { postgresAvailable, startPostgres } from '../kit/postgres.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { type EmployeeToken, employee, guest, PASSWORD, tryEmployeeLogin, tryServiceToken } from '../kit/stories.ts';

interface Seen {
  lastUsedAt: string | null;
  unusedScopes: string[];
}

let at: Service;
let admin: string;
beforeAll(async () => {
  // Nothing is written by itself: ten seconds pass when a test says so.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  at = await startService();
  admin = (await employee(at)).accessToken;
}, 180_000);
afterAll(async () => {
  await at.stop();
  vi.useRealTimers();
});

const three = ['order.order_read', 'price.price_read', 'product.product_read'];
const flush = (service = at) => service.app.modules.clientUsage.flush();
const see = async (id: string, service = at, bearer = admin): Promise<Seen> =>
  only(
    await graphql(service, 'query ($id: ID!) { client(id: $id) { lastUsedAt unusedScopes } }', {
      bearer,
      variables: { id },
    }),
  );
const rowsOf = async (id: string, service = at) => {
  const where = { clientId: id };
  const rows = await service.app.modules.database.forTenant({ tenantId: 'demo' }).clientScopeUsage.findMany({ where });
  return Object.fromEntries(rows.map(({ scope, lastUsedAt }) => [scope, lastUsedAt.getTime()]));
};
const age = (id: string, hours: number) =>
  at.app.modules.database.system()
    .$executeRaw`UPDATE client_scope_usage SET last_used_at = last_used_at - make_interval(hours => ${hours}) WHERE client_id = ${id}`;
const statementsSince = (before: number, service = at) =>
  service.statements.slice(before).filter((sql) => !/counters/.test(sql));
/** A client, and how it asks for a token. */
async function clientWith(scopes: readonly string[], service = at) {
  const { id, clientSecret } = await givenClient(service, scopes);
  return { id, ask: (named?: readonly string[]) => tryServiceToken(service, id, clientSecret, named) };
}

describe('what is seen', () => {
  it('a new client was never used, and all of its scopes are unused', async () => {
    const { id } = await clientWith(three);
    expect(await see(id)).toEqual({ lastUsedAt: null, unusedScopes: three });
  });

  it('case 58: those that were asked for are used, the others are not; at once, and after they were written', async () => {
    const { id, ask } = await clientWith(three);
    const before = Date.now();
    only(await ask(['price.price_read']));
    only(await ask(['price.price_read', 'product.product_read']));
    expect(await rowsOf(id)).toEqual({});
    const seen = await see(id);
    expect(seen.unusedScopes).toEqual(['order.order_read']);
    expect(Date.parse(seen.lastUsedAt!)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(seen.lastUsedAt!)).toBeLessThanOrEqual(Date.now());
    await flush();
    expect(Object.keys(await rowsOf(id)).sort()).toEqual(['', 'price.price_read', 'product.product_read']);
    expect(await see(id)).toEqual(seen);
  });

  it('case 58: naming none is asking for all (RFC 6749 s.3.3)', async () => {
    const { id, ask } = await clientWith(three);
    only(await ask());
    expect((await see(id)).unusedScopes).toEqual([]);
  });

  it('another spelling, and the `_own` of a wide scope, use the one that the client has', async () => {
    const scopes = ['catalog.catalog_view', 'customer.customer_read', 'iam.group_read', 'iam.group_read_own'];
    const { id, ask } = await clientWith(scopes);
    only(await ask(['catalog.catalog_read', 'customer.customer_read_own', 'iam.group_read_own']));
    await flush();
    expect((await see(id)).unusedScopes).toEqual(['iam.group_read']);
  });

  it('of every scope, all that were not asked for are unused', async () => {
    const { id, ask } = await clientWith([]);
    await at.app.modules.clients.update(ctxOf('demo'), id, { everyScope: true });
    only(await ask(three));
    const { unusedScopes } = await see(id);
    expect(unusedScopes).toEqual(builtInScopes.filter((scope) => !three.includes(scope)));
  });

  it('a scope that was not asked for during 90 days is unused; asked for again it is not', async () => {
    const { id, ask } = await clientWith(three);
    only(await ask());
    await flush();
    await age(id, 90 * 24 - 2);
    only(await ask(['price.price_read']));
    await flush();
    expect((await see(id)).unusedScopes).toEqual([]);
    await age(id, 3);
    expect((await see(id)).unusedScopes).toEqual(['order.order_read', 'product.product_read']);
    only(await ask(['order.order_read']));
    expect((await see(id)).unusedScopes).toEqual(['product.product_read']);
  });

  it('a storefront is used when a guest begins', async () => {
    const { id } = await givenClient(at, [], 'STOREFRONT');
    expect((await see(id)).lastUsedAt).toBeNull();
    await guest(at, { clientId: id });
    const seen = await see(id);
    expect(seen).toEqual({ lastUsedAt: expect.any(String), unusedScopes: [] });
    await flush();
    expect(await see(id)).toEqual(seen);
  });

  it('what was refused is no use', async () => {
    const { id, ask } = await clientWith(three);
    expect((await ask(['customer.customer_read'])).code).toBe('INVALID_SCOPE');
    expect((await tryServiceToken(at, id, 'wrong')).code).toBe('INVALID_CLIENT');
    expect(await see(id)).toEqual({ lastUsedAt: null, unusedScopes: three });
  });

  it('200 clients with lastUsedAt and unusedScopes cost a page, a count and one look at their usage', async () => {
    const tenant = await givenTenant(at);
    const db = at.app.modules.database.forTenant({ tenantId: tenant.id });
    const ids = Array.from({ length: 198 }, (_, i) => `${tenant.id}-${i}`);
    await db.client.createMany({
      data: ids.map((id) => ({ tenantId: tenant.id, id, name: id, kind: 'CUSTOM' as const, scopes: three })),
    });
    only(await tryServiceToken(at, tenant.backend.id, tenant.backend.clientSecret, three));
    await flush();
    const login = only<EmployeeToken>(await tryEmployeeLogin(at, tenant.employee.email, PASSWORD, tenant.id));
    const before = at.statements.length;
    const query = '{ clients(first: 200) { totalCount nodes { id lastUsedAt unusedScopes } } }';
    const { totalCount, nodes } = only(await graphql(at, query, { bearer: login.accessToken }));
    expect(statementsSince(before)).toHaveLength(3);
    expect([totalCount, nodes.length]).toEqual([200, 200]);
    const used = nodes.filter(({ lastUsedAt }: Seen) => lastUsedAt !== null);
    expect(used).toMatchObject([{ id: tenant.backend.id }]);
    expect(used[0].unusedScopes).not.toEqual(expect.arrayContaining(three));
  }, 60_000);
});

describe('what is written', () => {
  it('nothing with a request; every ten seconds one statement per tenant, however many tokens there were', async () => {
    const [one, other] = [await clientWith(three), await clientWith(three)];
    const rival = () => guest(at, { tenant: 'rival', clientId: 'rival-storefront' });
    const all = () => Promise.all([one.ask(), other.ask(['price.price_read']), guest(at), rival()]);
    await all();
    await flush();
    const before = at.statements.length;
    for (let i = 0; i < 50; i += 1) await all();
    vi.advanceTimersByTime(9_999);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(statementsSince(before)).toEqual([]);
    vi.advanceTimersByTime(1);
    await expect.poll(() => statementsSince(before).length, { timeout: 5_000 }).toBe(2);
    for (const sql of statementsSince(before)) expect(sql).toContain('INSERT INTO client_scope_usage');
    await flush();
    vi.advanceTimersByTime(10_000);
    await flush();
    expect(statementsSince(before)).toHaveLength(2);
  });

  it('a scope that was written within the hour is left alone, the client’s own moment is not', async () => {
    const { id, ask } = await clientWith(three);
    only(await ask());
    await flush();
    const first = await rowsOf(id);
    await new Promise((resolve) => setTimeout(resolve, 5));
    only(await ask());
    await flush();
    const { '': moment, ...scopes } = await rowsOf(id);
    expect(moment).toBeGreaterThan(first['']!);
    expect({ ...scopes, '': first[''] }).toEqual(first);
    await age(id, 2);
    only(await ask(['price.price_read']));
    await flush();
    const later = await rowsOf(id);
    expect(later['price.price_read']).toBeGreaterThan(first['price.price_read']!);
    expect(later['order.order_read']).toBeLessThan(first['order.order_read']!);
  });

  it('a moment never goes back, whichever instance writes first', async () => {
    const { id, ask } = await clientWith(three);
    only(await ask());
    await flush();
    await age(id, -1);
    const ahead = await rowsOf(id);
    only(await ask());
    await flush();
    expect(await rowsOf(id)).toEqual(ahead);
    expect((await see(id)).lastUsedAt).toBe(new Date(ahead['']!).toISOString());
  });

  it('a client that was deleted meanwhile is left out, and the others are written', async () => {
    const [one, other] = [await clientWith(three), await clientWith(three)];
    only(await one.ask());
    only(await other.ask());
    await at.app.modules.clients.delete(ctxOf('demo'), one.id);
    await flush();
    expect(await rowsOf(one.id)).toEqual({});
    expect(Object.keys(await rowsOf(other.id))).toHaveLength(4);
  });

  it('a last time at the stop: the next start knows', async () => {
    const root = mkdtempSync(join(tmpdir(), 'scopeward-usage-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    cpSync(inject('templateFolder'), join(root, 'data'), { recursive: true });
    const DATABASE_URL = `file:${join(root, 'data')}`;
    const first = await startService({ DATABASE_URL });
    const { id, ask } = await clientWith(three, first);
    only(await ask(['price.price_read']));
    await first.stop();
    const second = await startService({ DATABASE_URL });
    onTestFinished(() => second.stop());
    const { accessToken } = await employee(second);
    expect(await see(id, second, accessToken)).toEqual({
      lastUsedAt: expect.any(String),
      unusedScopes: ['order.order_read', 'product.product_read'],
    });
  }, 60_000);
});

describe.skipIf(!postgresAvailable)('on a PostgreSQL of its own (skipped without server binaries)', () => {
  it('an outage fails no request and loses nothing', async () => {
    const cluster = await startPostgres();
    onTestFinished(() => cluster.stop());
    const service = await startService({ DATABASE_URL: await cluster.createDatabase() });
    onTestFinished(() => service.stop());
    const { id, ask } = await clientWith(three, service);
    only(await ask(['price.price_read']));
    await cluster.shutDown();
    await expect(flush(service)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    const latest = Date.now();
    only(await ask(['order.order_read']));
    await expect(flush(service)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    await cluster.restart();
    await expect.poll(() => flush(service).then(() => 'written'), { timeout: 10_000 }).toBe('written');
    const rows = await rowsOf(id, service);
    expect(Object.keys(rows).sort()).toEqual(['', 'order.order_read', 'price.price_read']);
    expect(rows['']).toBeGreaterThanOrEqual(latest);
  }, 120_000);

  it('a client whose deletion is under way is waited for and left out, and the others are written', async () => {
    const cluster = await startPostgres();
    onTestFinished(() => cluster.stop());
    const service = await startService({ DATABASE_URL: await cluster.createDatabase() });
    onTestFinished(() => service.stop());
    const [gone, other] = [await clientWith(three, service), await clientWith(three, service)];
    only(await gone.ask());
    only(await other.ask());
    const commit = new EventEmitter();
    const deleted = once(commit, 'deleted');
    const deletion = service.app.modules.database.transaction({ tenantId: 'demo' }, async (tx) => {
      await tx.client.deleteMany({ where: { id: gone.id } });
      const due = once(commit, 'due');
      commit.emit('deleted');
      await due;
    });
    await deleted;
    const flushed = flush(service).then(() => 'written');
    const early = new Promise((resolve) => setTimeout(resolve, 200, 'waiting'));
    expect(await Promise.race([flushed, early])).toBe('waiting');
    commit.emit('due');
    await deletion;
    expect(await flushed).toBe('written');
    expect(await rowsOf(gone.id, service)).toEqual({});
    expect(Object.keys(await rowsOf(other.id, service))).toHaveLength(4);
  }, 120_000);
});
