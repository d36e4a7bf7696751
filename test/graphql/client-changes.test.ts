// Mutation.updateClient: what changes, which tokens that ends, and who may do it.

import { beforeAll, describe, expect, it } from 'vitest';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { givenClient, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import { type EmployeeToken, employee, guest, isGood, serviceToken, tryServiceToken } from '../kit/stories.ts';

let at: Service;
let admin: EmployeeToken;
beforeAll(async () => {
  at = await theService();
  admin = await employee(at);
});

const update = (input: object, bearer: string | undefined = admin.accessToken) =>
  graphql(
    at,
    'mutation ($input: UpdateClientInput!) { updateClient(input: $input) { id name scopes everyScope enabled version } }',
    { bearer, variables: { input } },
  );
const refusal = async (input: object, bearer?: string) => (await update(input, bearer)).errors[0]?.extensions;
const db = () => at.app.modules.database.forTenant({ tenantId: 'demo' });
const stored = (id: string) => db().client.findUniqueOrThrow({ where: { tenantId_id: { tenantId: 'demo', id } } });
const entries = (id: string) => db().revocation.findMany({ where: { kind: 'CLIENT', key: id } });
const trail = (id: string) =>
  db().auditEvent.findMany({
    where: { subjectId: id, type: 'client.updated' },
    orderBy: { at: 'asc' },
    select: { actor: true, details: true },
  });
/** A client of these scopes that holds a token. */
async function clientWithToken(scopes: readonly string[]) {
  const { id, clientSecret } = await givenClient(at, scopes);
  const ask = () => tryServiceToken(at, id, clientSecret);
  return { id, ask, accessToken: only(await ask()).accessToken as string };
}
/** An employee with oauth.client_manage and these scopes: their token. */
async function manager(...scopes: string[]): Promise<string> {
  const { email } = await givenEmployee(at, ['oauth.client_manage', ...scopes]);
  return (await employee(at, email)).accessToken;
}

describe('updateClient', () => {
  it('success: a new name, which ends no token, and the trail tells of before and after', async () => {
    const { id, accessToken } = await clientWithToken(['price.price_read']);
    const common = { scopes: ['price.price_read'], everyScope: false, enabled: true };
    expect(only(await update({ id, name: ' Renamed ' }))).toEqual({ id, name: 'Renamed', ...common, version: 2 });
    expect(await isGood(at, accessToken)).toBe(true);
    expect(await entries(id)).toEqual([]);
    const told = { kind: 'CUSTOM', ...common };
    const actor = { kind: 'employee', id: admin.employee.id };
    const details = { before: { name: id, ...told }, after: { name: 'Renamed', ...told } };
    expect(await trail(id)).toEqual([{ actor, details }]);
  });

  it('success: other scopes replace those that it had, and its tokens have to be asked for again', async () => {
    const { id, ask, accessToken } = await clientWithToken(['price.price_read', 'product.product_read']);
    const other = await clientWithToken(['price.price_read']);
    only(await update({ id, scopes: ['product.product_read', 'order.order_read', 'order.order_read'] }));
    expect([await isGood(at, accessToken), await isGood(at, other.accessToken)]).toEqual([false, true]);
    const next = only(await ask());
    expect(next.scopes).toEqual(['order.order_read', 'product.product_read']);
    expect(await isGood(at, next.accessToken)).toBe(true);
    expect(await entries(id)).toMatchObject([{ reason: 'client.updated' }]);
  });

  it('success: added or taken away, one scope is a change; the same ones in another order are none', async () => {
    const { id, ask, accessToken } = await clientWithToken(['price.price_read', 'product.product_read']);
    only(await update({ id, scopes: ['product.product_read', 'price.price_read', 'price.price_read'], enabled: true }));
    expect([await isGood(at, accessToken), await entries(id)]).toEqual([true, []]);
    for (const scopes of [['order.order_read', 'price.price_read', 'product.product_read'], ['price.price_read']]) {
      const before = only(await ask()).accessToken;
      only(await update({ id, scopes }));
      expect(await isGood(at, before)).toBe(false);
    }
    expect(await entries(id)).toHaveLength(2);
  });

  it('success: disabled it has no good token and gets none; enabled again the old ones stay refused', async () => {
    const { id, ask, accessToken } = await clientWithToken(['price.price_read']);
    expect(only(await update({ id, enabled: false }))).toMatchObject({ enabled: false, version: 2 });
    expect([await isGood(at, accessToken), (await ask()).code]).toEqual([false, 'INVALID_CLIENT']);
    only(await update({ id, enabled: false, name: 'Still disabled' }));
    only(await update({ id, enabled: true }));
    expect(await entries(id)).toHaveLength(1);
    expect(await isGood(at, accessToken)).toBe(false);
    expect(await isGood(at, only(await ask()).accessToken)).toBe(true);
  });

  it('success: a disabled storefront has no good guest', async () => {
    const { id } = await givenClient(at, [], 'STOREFRONT');
    const [visitor, elsewhere] = [await guest(at, { clientId: id }), await guest(at)];
    only(await update({ id, enabled: false }));
    expect([await isGood(at, visitor.accessToken), await isGood(at, elsewhere.accessToken)]).toEqual([false, true]);
  });

  it('success: every scope replaces a list, and a list ends every scope', async () => {
    const { id, accessToken } = await clientWithToken(['price.price_read']);
    const all = only(await update({ id, everyScope: true }));
    expect(all).toMatchObject({ everyScope: true, scopes: expect.arrayContaining([...builtInScopes]) });
    expect(await isGood(at, accessToken)).toBe(false);
    expect(only(await update({ id, everyScope: true, scopes: [], name: 'All' })).scopes).toEqual(all.scopes);
    expect(only(await update({ id, name: 'Still all' })).everyScope).toBe(true);
    expect(only(await update({ id, scopes: ['price.price_read'] }))).toMatchObject({
      everyScope: false,
      scopes: ['price.price_read'],
    });
    only(await update({ id, everyScope: true }));
    expect(only(await update({ id, everyScope: false }))).toMatchObject({ everyScope: false, scopes: [] });
    expect(await entries(id)).toHaveLength(4);
  });

  it('success: null is absent, and changes nothing', async () => {
    const { id, accessToken } = await clientWithToken(['price.price_read']);
    const nothing = { name: null, scopes: null, everyScope: null, enabled: null, version: null };
    expect(only(await update({ id, ...nothing }))).toMatchObject({ name: id, scopes: ['price.price_read'] });
    expect([await isGood(at, accessToken), await entries(id)]).toEqual([true, []]);
  });

  it.each([
    ['an empty name', { name: '' }, 'input.name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'input.name'],
    ['an unknown scope', { scopes: ['no.such_scope'] }, 'input.scopes'],
    ['every scope and a list', { scopes: ['price.price_read'], everyScope: true }, 'input.everyScope'],
  ])('invalid: BAD_USER_INPUT for %s, and nothing changes', async (_case, input, field) => {
    const { id, accessToken } = await clientWithToken(['product.product_read']);
    expect(await refusal({ id, enabled: false, ...input })).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(await stored(id)).toMatchObject({ name: id, enabled: true, version: 1 });
    expect([await isGood(at, accessToken), await trail(id)]).toEqual([true, []]);
  });

  it('invalid: BAD_USER_INPUT for a storefront’s scopes', async () => {
    const { id } = await givenClient(at, [], 'STOREFRONT');
    for (const [input, field] of [
      [{ scopes: ['price.price_read'] }, 'input.scopes'],
      [{ everyScope: true }, 'input.everyScope'],
    ] as const) {
      expect(await refusal({ id, ...input })).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
  });

  it('invalid: CONFLICT STALE_VERSION for what the caller has not seen; without a version nobody asks', async () => {
    const { id } = await givenClient(at, []);
    only(await update({ id, version: 1, name: 'One' }));
    for (const version of [1, 3, 0]) {
      expect(await refusal({ id, version, name: 'Lost' })).toMatchObject({ code: 'CONFLICT', reason: 'STALE_VERSION' });
    }
    expect(only(await update({ id, name: 'Two' }))).toMatchObject({ name: 'Two', version: 3 });
  });

  it('invalid: of two changes of the same version at once, one is made', async () => {
    const { id } = await givenClient(at, []);
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => update({ id, version: 1, name })));
    expect(answers.map(({ code }) => code ?? 'made').sort()).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT', 'made']);
    expect((await stored(id)).version).toBe(2);
  });

  it('unauthenticated and forbidden: needs oauth.client_manage', async () => {
    const { id } = await givenClient(at, []);
    const { code } = await graphql(at, `mutation { updateClient(input: { id: "${id}", name: "x" }) { id } }`);
    expect(code).toBe('UNAUTHENTICATED');
    const reader = await employee(at, (await givenEmployee(at, ['oauth.client_read'])).email);
    expect(await refusal({ id, name: 'x' }, reader.accessToken)).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['oauth.client_manage'],
    });
    expect((await stored(id)).name).toBe(id);
  });

  it('forbidden, case 98: what the caller lacks can be kept and taken away, not added', async () => {
    const bearer = await manager('price.price_read');
    const { id, accessToken } = await clientWithToken(['iam.group_read', 'order.order_read']);
    for (const [input, missingScopes] of [
      [
        { scopes: ['order.order_read', 'order.order_manage', 'price.price_manage'] },
        ['order.order_manage', 'price.price_manage'],
      ],
      [{ scopes: ['product.product_read'], name: 'x' }, ['product.product_read']],
      [{ everyScope: true }, expect.arrayContaining(['iam.group_manage', 'order.order_manage'])],
    ] as const) {
      expect(await refusal({ id, ...input }, bearer)).toMatchObject({ code: 'FORBIDDEN', missingScopes });
    }
    expect(await stored(id)).toMatchObject({ name: id, version: 1 });
    expect(await isGood(at, accessToken)).toBe(true);
    // Narrower and in another spelling is nothing new.
    const scopes = ['iam.group_read_own', 'order.order_view', 'price.price_read'];
    expect(only(await update({ id, scopes }, bearer)).scopes).toEqual(scopes);
    expect(await refusal({ id, scopes: ['iam.group_read'] }, bearer)).toMatchObject({
      missingScopes: ['iam.group_read'],
    });
  });

  it('forbidden, case 98: enabling hands out all that the client has; disabling and renaming hand out nothing', async () => {
    const bearer = await manager('price.price_read');
    const { id, ask } = await clientWithToken(['order.order_read', 'price.price_read']);
    only(await update({ id, enabled: false, name: 'Off' }, bearer));
    const lacking = { code: 'FORBIDDEN', missingScopes: ['order.order_read'] };
    expect(await refusal({ id, enabled: true }, bearer)).toMatchObject(lacking);
    expect(await refusal({ id, scopes: ['order.order_read', 'order.order_manage'] }, bearer)).toMatchObject({
      missingScopes: ['order.order_manage'],
    });
    expect((await ask()).code).toBe('INVALID_CLIENT');
    expect(only(await update({ id, enabled: true, scopes: ['price.price_read'] }, bearer)).enabled).toBe(true);
    expect(only(await ask()).scopes).toEqual(['price.price_read']);
  });

  it('invalid, other tenant: NOT_FOUND in the same words for one that there is not and for one of another tenant', async () => {
    const [foreign, missing] = [
      await update({ id: 'rival-backend', enabled: false }),
      await update({ id: 'no-such-client', enabled: false }),
    ];
    expect([foreign.code, foreign.errors]).toEqual(['NOT_FOUND', missing.errors]);
    expect(await isGood(at, (await serviceToken(at, 'rival-backend')).accessToken)).toBe(true);
  });
});
