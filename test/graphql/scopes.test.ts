// Query.scopes and scope, Mutation.createScope and deleteScope: the catalogue and the tenant's own scopes.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { givenClient, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { employee, guest, serviceToken, signIn, tryServiceToken } from '../kit/stories.ts';

let at: Service;
let admin: string;
let shopper: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
  shopper = (await signIn(at, 'shopper@demo.example')).accessToken;
});

const ask = (query: string, bearer: string | undefined = shopper, variables = {}) =>
  graphql(at, query, { bearer, variables });
const create = (input: object, bearer = admin) =>
  ask('mutation ($input: CreateScopeInput!) { createScope(input: $input) { id service description custom } }', bearer, {
    input,
  });
const remove = (id: string, bearer = admin) => ask('mutation ($id: ID!) { deleteScope(id: $id) }', bearer, { id });
const newId = (action = 'manage') => `shop.thing${randomUUID().slice(0, 8)}_${action}`;

describe('scopes', () => {
  it('success: every built-in scope, by id, a page at a time', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const query =
        'query ($after: String) { scopes(first: 100, after: $after) { totalCount nodes { id } pageInfo { endCursor hasNextPage } } }';
      const page: any = only(await ask(query, shopper, { after }));
      seen.push(...page.nodes.map(({ id }: { id: string }) => id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual([...seen].sort());
    expect(seen).toEqual(expect.arrayContaining([...builtInScopes]));
  });

  it('finds by service, by text in whatever case, and by what the caller holds', async () => {
    const { nodes } = only(await ask('{ scopes(service: "catalog") { nodes { id service custom } } }'));
    expect(nodes.length).toBeGreaterThan(0);
    for (const node of nodes) expect(node).toMatchObject({ service: 'catalog', custom: false });
    const found = only(await ask('{ scopes(search: "CATALOG_VIEW") { nodes { id } } }'));
    expect(found.nodes).toEqual([{ id: 'catalog.catalog_view' }]);
    const held = only(await ask('{ scopes(heldByMe: true, first: 200) { totalCount nodes { id } } }'));
    const others = only(await ask('{ scopes(heldByMe: false) { totalCount } }'));
    const all = only(await ask('{ scopes { totalCount } }'));
    expect(held.nodes).toContainEqual({ id: 'order.history_view' });
    expect(held.nodes).not.toContainEqual({ id: 'order.order_read' });
    expect(held.totalCount + others.totalCount).toBe(all.totalCount);
  });

  it('tells synonyms, and the fields that need it', async () => {
    const query = '{ scope(id: "catalog.catalog_view") { synonyms requiredBy } }';
    expect(only(await ask(query))).toEqual({ synonyms: ['catalog.catalog_read'], requiredBy: [] });
    const needed = only(await ask('{ scope(id: "oauth.session_read") { requiredBy } }'));
    expect(needed.requiredBy).toContain('Query.sessions');
  });

  it('invalid: a page of more than 200, a broken cursor', async () => {
    expect((await ask('{ scopes(first: 201) { totalCount } }')).code).toBe('BAD_USER_INPUT');
    expect((await ask('{ scopes(after: "nonsense") { totalCount } }')).code).toBe('BAD_USER_INPUT');
  });

  it('invalid: a scope that there is not is null', async () => {
    expect(only(await ask('{ scope(id: "no.such_scope") { id } }'))).toBeNull();
  });

  it('unauthenticated: UNAUTHENTICATED without a bearer', async () => {
    expect((await graphql(at, '{ scopes { totalCount } }')).code).toBe('UNAUTHENTICATED');
    expect((await graphql(at, '{ scope(id: "a.b_c") { id } }')).code).toBe('UNAUTHENTICATED');
  });

  it('forbidden: nobody with a token is; a guest may look, too', async () => {
    expect((await ask('{ scopes { totalCount } }', (await guest(at)).accessToken)).errors).toEqual([]);
  });

  it('other tenant: a tenant’s own scopes are unknown elsewhere', async () => {
    const id = newId();
    only(await create({ id, description: 'Own' }));
    const { accessToken } = await serviceToken(at, 'rival-backend');
    expect(only(await ask(`{ scope(id: "${id}") { id } }`, accessToken))).toBeNull();
    expect(only(await ask(`{ scopes(search: "${id}") { totalCount } }`, accessToken)).totalCount).toBe(0);
    only(await remove(id));
  });
});

describe('createScope', () => {
  it('success: can be given to clients like any other, and is taken at once', async () => {
    const id = newId();
    const made = only(await create({ id, description: ' Runs the shop ' }));
    expect(made).toEqual({ id, service: 'shop', description: 'Runs the shop', custom: true });
    const client = await givenClient(at, [id]);
    expect(only(await tryServiceToken(at, client.id, client.clientSecret)).scopes).toEqual([id]);
  });

  it.each([
    ['without a service', 'thing_manage'],
    ['with a space', 'shop.thing manage'],
    ['with an umlaut', 'shop.thüng_manage'],
    ['of 129 characters', `shop.${'x'.repeat(124)}`],
    ['that looks like a tenant', 'tenant=demo.x'],
  ])('invalid: BAD_USER_INPUT for an id %s', async (_case, id) => {
    const answer = await create({ id, description: 'x' });
    expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', 'input.id']);
  });

  it('invalid: BAD_USER_INPUT without a description', async () => {
    expect((await create({ id: newId(), description: '  ' })).errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.description',
    });
  });

  it('invalid: CONFLICT SCOPE_EXISTS for a scope that there is, also in its other spelling', async () => {
    const read = newId('read');
    only(await create({ id: read, description: 'x' }));
    const taken = [read, read.replace(/_read$/, '_view'), 'catalog.catalog_view', 'catalog.catalog_read'];
    for (const id of taken) {
      const { code, errors } = await create({ id, description: 'x' });
      expect([code, errors[0]?.extensions.reason], id).toEqual(['CONFLICT', 'SCOPE_EXISTS']);
    }
    only(await remove(read));
  });

  it('unauthenticated and forbidden: needs iam.scope_manage', async () => {
    const input = { id: newId(), description: 'x' };
    expect((await graphql(at, `mutation { createScope(input: { id: "a.b_c", description: "x" }) { id } }`)).code).toBe(
      'UNAUTHENTICATED',
    );
    const { errors } = await create(input, (await employee(at, 'support@demo.example')).accessToken);
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['iam.scope_manage'] });
    const reader = await givenEmployee(at, ['iam.scope_manage_own', 'iam.scope_read']);
    expect((await create(input, (await employee(at, reader.email)).accessToken)).code).toBe('FORBIDDEN');
  });

  it('other tenant: two tenants may define the same scope, each its own', async () => {
    const id = newId();
    const rival = (await employee(at, 'admin@rival.example')).accessToken;
    only(await create({ id, description: 'Of demo' }));
    only(await create({ id, description: 'Of rival' }, rival));
    expect(only(await ask(`{ scope(id: "${id}") { description } }`)).description).toBe('Of demo');
    only(await remove(id));
    expect(only(await ask(`{ scope(id: "${id}") { description } }`, rival)).description).toBe('Of rival');
    only(await remove(id, rival));
  });
});

describe('deleteScope', () => {
  it('success: it is gone, for back ends too', async () => {
    const id = newId();
    only(await create({ id, description: 'x' }));
    expect(only(await remove(id))).toBe(id);
    expect(only(await ask(`{ scope(id: "${id}") { id } }`))).toBeNull();
    expect((await tryServiceToken(at, 'demo-backend', 'demo-backend-secret', [id])).code).toBe('INVALID_SCOPE');
  });

  it('invalid: CONFLICT SCOPE_IN_USE while a client or an access control gives it, in whichever spelling', async () => {
    for (const give of ['read', 'view']) {
      const id = newId('read');
      only(await create({ id, description: 'x' }));
      await givenClient(at, [id.replace(/read$/, give)]);
      expect((await remove(id)).errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'SCOPE_IN_USE' });
    }
    const id = newId();
    only(await create({ id, description: 'x' }));
    await givenEmployee(at, [id]);
    expect((await remove(id)).errors[0]?.extensions.reason).toBe('SCOPE_IN_USE');
  });

  it('invalid: NOT_FOUND for a scope that there is not, and for a built-in one', async () => {
    for (const id of ['no.such_scope', 'catalog.catalog_manage', 'ai.agent_read']) {
      expect((await remove(id)).code, id).toBe('NOT_FOUND');
    }
    expect(at.app.modules.scopes.find(ctxOf('demo'), 'catalog.catalog_manage')).not.toBeNull();
  });

  it('unauthenticated and forbidden: needs iam.scope_manage', async () => {
    expect((await graphql(at, 'mutation { deleteScope(id: "a.b_c") }')).code).toBe('UNAUTHENTICATED');
    expect((await remove('a.b_c', shopper)).code).toBe('FORBIDDEN');
  });

  it('other tenant: NOT_FOUND for a scope of another tenant', async () => {
    const id = newId();
    only(await create({ id, description: 'x' }));
    expect((await remove(id, (await employee(at, 'admin@rival.example')).accessToken)).code).toBe('NOT_FOUND');
    only(await remove(id));
  });
});
