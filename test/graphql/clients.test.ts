// Query.clients and client, Mutation.createClient and deleteClient. Changing one: client-changes.test.ts; secrets:
// client-secrets.test.ts; usage: client-usage.test.ts.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { givenClient, givenEmployee, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  type EmployeeToken,
  employee,
  guest,
  isGood,
  PASSWORD,
  serviceToken,
  signIn,
  tryEmployeeLogin,
  tryRefresh,
  tryRefreshGuest,
  tryServiceToken,
} from '../kit/stories.ts';

let at: Service;
let admin: EmployeeToken;
let support: string;
let reader: string;
beforeAll(async () => {
  at = await theService();
  admin = await employee(at);
  reader = (await employee(at, (await givenEmployee(at, ['oauth.client_read'])).email)).accessToken;
  support = (await employee(at, 'support@demo.example')).accessToken;
});

const ask = (query: string, bearer: string | undefined, variables = {}) => graphql(at, query, { bearer, variables });
const create = (input: object, bearer: string | undefined = admin.accessToken) =>
  ask(
    `mutation ($input: CreateClientInput!) { createClient(input: $input) {
      clientSecret client { id name kind scopes everyScope enabled version lastUsedAt unusedScopes } } }`,
    bearer,
    { input: { name: 'Test', kind: 'CUSTOM', scopes: [], ...input } },
  );
const remove = (id: string, bearer: string | undefined = admin.accessToken) =>
  ask('mutation ($id: ID!) { deleteClient(id: $id) }', bearer, { id });
const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const trail = async (id: string) =>
  (await db().auditEvent.findMany({ where: { subjectId: id }, orderBy: { at: 'asc' } })).map(
    ({ type, actor, details }) => ({ type, actor, details }),
  );
/** A tenant with clients of these names only, and its administrator. */
async function tenantWith(names: readonly string[]) {
  const tenant = await givenTenant(at);
  await db(tenant.id).client.deleteMany({});
  await db(tenant.id).client.createMany({
    data: names.map((name) => ({ tenantId: tenant.id, id: `c-${randomUUID()}`, name, kind: 'CUSTOM' as const })),
  });
  const login = await tryEmployeeLogin(at, tenant.employee.email, PASSWORD, tenant.id);
  return { ...tenant, bearer: only<EmployeeToken>(login).accessToken };
}
const FIND = 'query ($search: String) { clients(search: $search, first: 200) { totalCount nodes { name } } }';

describe('clients', () => {
  it('success: by name and id, page by page, and from the end', async () => {
    const names = Array.from({ length: 120 }, (_, i) => `Client ${String(Math.floor(i / 2)).padStart(3, '0')}`);
    const { bearer } = await tenantWith(names);
    const page = async (args: string) => {
      const query = `{ clients(${args}) { totalCount nodes { id name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
      return only(await ask(query, bearer));
    };
    const seen: { id: string; name: string }[] = [];
    for (let args = 'first: 50', more = true; more; ) {
      const { nodes, pageInfo, totalCount } = await page(args);
      expect(totalCount).toBe(120);
      seen.push(...nodes);
      args = `first: 50, after: "${pageInfo.endCursor}"`;
      more = pageInfo.hasNextPage;
    }
    expect(seen.map(({ name }) => name)).toEqual(names);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(120);
    const last = await page('last: 30');
    expect(last.nodes).toEqual(seen.slice(90));
    expect((await page(`last: 30, before: "${last.pageInfo.startCursor}"`)).nodes).toEqual(seen.slice(60, 90));
  });

  it('success: finds text in name or id, in whatever case, and takes % and _ for themselves', async () => {
    const { bearer, id: tenantId } = await tenantWith(['50 % off', '50 off', 'a_b', 'aXb', 'back\\slash']);
    const find = async (search: string) => {
      const { nodes, totalCount } = only(await ask(FIND, bearer, { search }));
      expect(totalCount).toBe(nodes.length);
      return nodes.map(({ name }: { name: string }) => name);
    };
    expect(await find('OFF')).toEqual(['50 % off', '50 off']);
    expect(await find('%')).toEqual(['50 % off']);
    expect(await find('A_B')).toEqual(['a_b']);
    expect(await find('\\')).toEqual(['back\\slash']);
    expect(await find('')).toHaveLength(5);
    const { id, name } = (await db(tenantId).client.findFirst({ where: { name: 'aXb' } }))!;
    expect(await find(id.slice(2).toUpperCase())).toEqual([name]);
  });

  it('invalid: BAD_USER_INPUT for too large a page and for a cursor of another list', async () => {
    const cursor = Buffer.from('["one part"]').toString('base64url');
    for (const [args, field] of [
      ['first: 201', 'first'],
      [`after: "${cursor}"`, 'after'],
    ]) {
      const { errors } = await ask(`{ clients(${args}) { totalCount } }`, admin.accessToken);
      expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
  });

  it('unauthenticated and forbidden: needs oauth.client_read, and so do usage and scopes of one’s own', async () => {
    expect((await ask(FIND, undefined)).code).toBe('UNAUTHENTICATED');
    const refused = { code: 'FORBIDDEN', missingScopes: ['oauth.client_read'] };
    expect((await ask(FIND, support)).errors[0]?.extensions).toMatchObject(refused);
    const { accessToken } = await serviceToken(at, 'demo-crm');
    const own = (fields: string) =>
      ask(`{ currentPrincipal { ... on ServicePrincipal { client { ${fields} } } } }`, accessToken);
    expect(only(await own('id everyScope')).client).toEqual({ id: 'demo-crm', everyScope: false });
    for (const field of ['lastUsedAt', 'unusedScopes']) {
      expect((await own(field)).errors[0]?.extensions).toMatchObject(refused);
    }
  });

  it('other tenant: its clients are neither shown nor counted', async () => {
    const { bearer } = await tenantWith(['Only one']);
    expect(only(await ask(FIND, bearer))).toEqual({ totalCount: 1, nodes: [{ name: 'Only one' }] });
    expect(only(await ask(FIND, bearer, { search: 'demo' })).totalCount).toBe(0);
  });
});

describe('client', () => {
  const QUERY = 'query ($id: ID!) { client(id: $id) { id name kind scopes everyScope enabled version } }';

  it('success: one client, with what it may ask for', async () => {
    const scopes = ['price.price_manage', 'price.price_read', 'product.product_read'];
    const common = { everyScope: false, enabled: true };
    expect(only(await ask(QUERY, admin.accessToken, { id: 'demo-crm' }))).toMatchObject({
      ...{ id: 'demo-crm', kind: 'CUSTOM', scopes, ...common },
    });
    const backend = only(await ask(QUERY, admin.accessToken, { id: 'demo-backend' }));
    expect(backend).toMatchObject({ id: 'demo-backend', kind: 'BACKEND', everyScope: true });
    expect(backend.scopes).toEqual(expect.arrayContaining([...builtInScopes]));
  });

  it('invalid, other tenant: null for one that there is not, and for one of another tenant', async () => {
    for (const id of ['no-such-client', 'rival-backend', '']) {
      expect(only(await ask(QUERY, admin.accessToken, { id })), id).toBeNull();
    }
  });

  it('unauthenticated and forbidden: needs oauth.client_read', async () => {
    expect((await ask(QUERY, undefined, { id: 'demo-crm' })).code).toBe('UNAUTHENTICATED');
    expect((await ask(QUERY, support, { id: 'demo-crm' })).code).toBe('FORBIDDEN');
  });
});

describe('createClient', () => {
  it('success: its secret is shown this once, is good at once, and is stored and told nowhere', async () => {
    const { client, clientSecret } = only(
      await create({ name: ' ERP ', scopes: ['product.product_read', 'price.price_read', 'price.price_read'] }),
    );
    const scopes = ['price.price_read', 'product.product_read'];
    const given = { name: 'ERP', kind: 'CUSTOM', scopes, everyScope: false, enabled: true };
    expect(client).toEqual({
      ...{ ...given, id: expect.stringMatching(/^cl_[\w-]{22}$/), version: 1 },
      ...{ lastUsedAt: null, unusedScopes: scopes },
    });
    expect(clientSecret).toMatch(/^cs_[\w-]{43}$/);
    expect(only(await tryServiceToken(at, client.id, clientSecret)).scopes).toEqual(scopes);
    const actor = { kind: 'employee', id: admin.employee.id };
    const events = await trail(client.id);
    expect(events).toEqual([{ type: 'client.created', actor, details: { after: given } }]);
    expect(JSON.stringify(events)).not.toContain(clientSecret);
    const [secret, ...others] = await db().clientSecret.findMany({ where: { clientId: client.id } });
    expect(others).toEqual([]);
    expect(Buffer.from(secret!.digest).toString()).not.toContain(clientSecret);
  });

  it('success: a storefront is public: its secret is empty, none is stored, and guests may begin', async () => {
    const { client, clientSecret } = only(await create({ kind: 'STOREFRONT' }));
    expect(clientSecret).toBe('');
    expect(await db().clientSecret.count({ where: { clientId: client.id } })).toBe(0);
    expect(await isGood(at, (await guest(at, { clientId: client.id })).accessToken)).toBe(true);
    expect((await tryServiceToken(at, client.id, '')).code).toBe('INVALID_CLIENT');
  });

  it('success: every scope, those included that are defined later', async () => {
    const { client, clientSecret } = only(await create({ kind: 'BACKEND', everyScope: true }));
    expect(client.everyScope).toBe(true);
    const id = `shop.thing${randomUUID().slice(0, 8)}_manage`;
    await at.app.modules.scopeDefinitions.create(ctxOf('demo'), { id, description: 'A test' });
    expect(only(await tryServiceToken(at, client.id, clientSecret, [id])).scopes).toEqual([id]);
    await at.app.modules.scopeDefinitions.delete(ctxOf('demo'), id);
  });

  it.each([
    ['an empty name', { name: ' ' }, 'input.name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'input.name'],
    ['an unknown scope', { scopes: ['price.price_read', 'no.such_scope'] }, 'input.scopes'],
    ['a pattern', { scopes: ['price.*'] }, 'input.scopes'],
    ['every scope and a list', { scopes: ['price.price_read'], everyScope: true }, 'input.everyScope'],
    ['a storefront with scopes', { kind: 'STOREFRONT', scopes: ['price.price_read'] }, 'input.scopes'],
    ['a storefront with every scope', { kind: 'STOREFRONT', everyScope: true }, 'input.everyScope'],
  ])('invalid: BAD_USER_INPUT for %s, and nothing is made', async (_case, input, field) => {
    const before = await db().client.count();
    expect((await create(input)).errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(await db().client.count()).toBe(before);
  });

  it('unauthenticated and forbidden: needs oauth.client_manage; reading is not enough', async () => {
    const input = '{ name: "x", kind: CUSTOM, scopes: [] }';
    const { code } = await graphql(at, `mutation { createClient(input: ${input}) { clientSecret } }`);
    expect(code).toBe('UNAUTHENTICATED');
    const { errors } = await create({}, reader);
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['oauth.client_manage'] });
  });

  it('forbidden, case 98: nobody gives a client what they lack; the narrower and the other spelling they may', async () => {
    const held = ['catalog.catalog_view', 'customer.customer_read', 'iam.group_read_own', 'oauth.client_manage'];
    const person = await givenEmployee(at, [...held, 'oauth.client_read']);
    const { accessToken } = await employee(at, person.email);
    const refusal = async (input: object) => (await create(input, accessToken)).errors[0]?.extensions;
    const before = await db().client.count();
    expect(
      await refusal({ scopes: ['price.price_read', 'order.order_manage', 'customer.customer_read'] }),
    ).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['order.order_manage', 'price.price_read'] });
    expect(await refusal({ scopes: ['iam.group_read'] })).toMatchObject({ missingScopes: ['iam.group_read'] });
    const all = await refusal({ everyScope: true });
    expect(all).toMatchObject({ code: 'FORBIDDEN' });
    expect(all?.missingScopes).toEqual(expect.arrayContaining(['iam.group_manage', 'order.order_manage']));
    for (const scope of held) expect(all?.missingScopes).not.toContain(scope);
    expect(await db().client.count()).toBe(before);
    const scopes = ['catalog.catalog_read', 'customer.customer_read', 'customer.customer_read_own'];
    expect(only(await create({ scopes }, accessToken)).client.scopes).toEqual(scopes);
  });

  it('other tenant: it is made in the caller’s, whose scopes alone it can have', async () => {
    const own = `shop.thing${randomUUID().slice(0, 8)}_manage`;
    await at.app.modules.scopeDefinitions.create(ctxOf('demo'), { id: own, description: 'A test' });
    const rival = (await employee(at, 'admin@rival.example')).accessToken;
    expect((await create({ scopes: [own] }, rival)).code).toBe('BAD_USER_INPUT');
    await at.app.modules.scopeDefinitions.delete(ctxOf('demo'), own);
    const { client } = only(await create({}, rival));
    expect(await db('rival').client.count({ where: { id: client.id } })).toBe(1);
    expect(await db().client.count({ where: { id: client.id } })).toBe(0);
    only(await remove(client.id, rival));
  });
});

describe('deleteClient', () => {
  it('success: it is gone, its tokens are refused at once, and the trail keeps what it was', async () => {
    const { id, clientSecret } = await givenClient(at, ['price.price_read']);
    const other = await serviceToken(at, 'demo-crm');
    const { accessToken } = only(await tryServiceToken(at, id, clientSecret));
    expect(only(await remove(id))).toBe(id);
    expect([await isGood(at, accessToken), await isGood(at, other.accessToken)]).toEqual([false, true]);
    expect((await tryServiceToken(at, id, clientSecret)).code).toBe('INVALID_CLIENT');
    expect(await db().clientSecret.count({ where: { clientId: id } })).toBe(0);
    const before = { name: id, kind: 'CUSTOM', scopes: ['price.price_read'], everyScope: false, enabled: true };
    const actor = { kind: 'employee', id: admin.employee.id };
    expect((await trail(id)).at(-1)).toEqual({ type: 'client.deleted', actor, details: { before } });
  });

  it('success: a storefront takes its guests and the sessions of its customers along, and no others', async () => {
    const { id } = await givenClient(at, [], 'STOREFRONT');
    const begin = () => guest(at, { clientId: id });
    const [visitor, { accessToken: anonymousToken }] = [await begin(), await begin()];
    const login =
      'mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { accessToken refreshToken sessionId } }';
    const input = { email: 'shopper@demo.example', password: PASSWORD, anonymousToken };
    const customer = only(await ask(login, undefined, { input }));
    const elsewhere = await signIn(at, 'shopper@demo.example');
    only(await remove(id));
    expect([await isGood(at, visitor.accessToken), await isGood(at, customer.accessToken)]).toEqual([false, false]);
    expect((await tryRefresh(at, customer.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefreshGuest(at, visitor.refreshToken)).code).toBe('INVALID_GRANT');
    expect(await db().session.count({ where: { id: customer.sessionId } })).toBe(0);
    expect((await tryRefresh(at, elsewhere.refreshToken)).errors).toEqual([]);
  });

  it('unauthenticated and forbidden: needs oauth.client_manage', async () => {
    const { id } = await givenClient(at, []);
    expect((await graphql(at, `mutation { deleteClient(id: "${id}") }`)).code).toBe('UNAUTHENTICATED');
    const { errors } = await remove(id, reader);
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['oauth.client_manage'] });
    expect(await db().client.count({ where: { id } })).toBe(1);
  });

  it('invalid, other tenant: NOT_FOUND in the same words for one that is gone, never was, or is not the caller’s', async () => {
    const { id } = await givenClient(at, []);
    only(await remove(id));
    const answers = [await remove(id), await remove('no-such-client'), await remove('rival-backend')];
    for (const { code, errors } of answers) expect([code, errors]).toEqual(['NOT_FOUND', answers[0]!.errors]);
    expect(await isGood(at, (await serviceToken(at, 'rival-backend')).accessToken)).toBe(true);
  });
});
