// /session-context/…: what a visit is about, by the platform's routes; GraphQL sees the same.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { graphql, only } from '../kit/graphql.ts';
import { tokenWith } from '../kit/groups.ts';
import { type RestRequest, restClient } from '../kit/rest.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { type CustomerToken, employee, guest, serviceToken, signIn, tryLogin } from '../kit/stories.ts';

let at: Service;
let backend: string;
let number: string;
/** Whose context nothing here changes. */
let still: CustomerToken;
beforeAll(async () => {
  at = await theService();
  still = await aCustomer();
  const { customers } = at.app.modules;
  number = (await customers.get(ctxOf('demo'), still.customer.id)).customerNumber;
  backend = await tokenWith(at, 'sessioncontext.context_manage');
});

const ask = restClient('session-context');
const mine = (method: string, rest: string, request: RestRequest) =>
  ask(at, method, `/session-context/demo/me/context${rest}`, request);
const any = (method: string, rest: string, request: RestRequest = {}) =>
  ask(at, method, `/session-context/demo/context/${rest}`, { token: backend, ...request });
const attribute = (key: string, value: unknown) => ({ body: { key, value } });
const fault = { fault: { faultstring: 'Invalid access token', detail: { errorcode: 'oauth.v2.InvalidAccessToken' } } };

const contextFields = 'context { siteCode currency language targetLocation attributes version }';
async function inGraphql(bearer: string) {
  const query = `{ currentPrincipal { ... on CustomerPrincipal { session { ${contextFields} } } ... on AnonymousPrincipal { ${contextFields} } } }`;
  const principal = only(await graphql(at, query, { bearer }));
  return (principal.session ?? principal).context;
}
const begun = { siteCode: 'main', currency: 'EUR', language: 'de', targetLocation: 'DE' };
const aGuest = () => guest(at, begun);
async function aCustomer() {
  const input = { email: 'shopper@demo.example', anonymousToken: (await aGuest()).accessToken };
  return only<CustomerToken>(await tryLogin(at, input));
}

describe('one’s own context', () => {
  it('of a customer: read, changed in part, and what may not be changed is ignored', async () => {
    const { accessToken: token, sessionId } = await aCustomer();
    expect(await mine('GET', '', { token })).toMatchObject({
      status: 200,
      body: { sessionId, customerId: number, ...begun, context: {}, metadata: { version: 1 } },
    });
    const change = { currency: 'USD', language: '', context: { a: { b: 1 }, c: 'x' }, cartId: 'no', customerId: 'no' };
    const { status, body } = await mine('PATCH', '', { token, body: { ...change, metadata: { version: 1 } } });
    expect([status, body]).toEqual([204, undefined]);
    const after = (await mine('GET', '', { token })).body;
    expect(after).toMatchObject({ customerId: number, siteCode: 'main', currency: 'USD', metadata: { version: 2 } });
    expect(after.context).toEqual({ a: { b: 1 }, c: 'x' });
    expect(after).not.toHaveProperty('language');
    expect(after).not.toHaveProperty('cartId');
    expect(await inGraphql(token)).toMatchObject({ currency: 'USD', attributes: { a: { b: 1 }, c: 'x' }, version: 2 });
    await mine('PATCH', '', { token, body: { context: { d: {} }, metadata: { version: 2 } } });
    expect((await mine('GET', '', { token })).body.context).toEqual({ d: {} });
  });

  it('of a guest: in the token until it is changed, and it goes over to the customer at login', async () => {
    const { accessToken: token, sessionId } = await aGuest();
    const first = await mine('GET', '', { token });
    expect(first.body).toMatchObject({ sessionId, customerId: 'ANONYMOUS', ...begun, metadata: { version: 0 } });
    const change = { siteCode: 'outlet', context: { seen: 'yes' }, metadata: { version: 0 } };
    expect((await mine('PATCH', '', { token, body: change })).status).toBe(204);
    expect((await mine('PATCH', '', { token, body: change })).status).toBe(409);
    const expected = { ...begun, siteCode: 'outlet', attributes: { seen: 'yes' }, version: 1 };
    expect(await inGraphql(token)).toEqual(expected);
    const other = (await aGuest()).accessToken;
    expect((await mine('GET', '', { token: other })).body.siteCode).toBe('main');
    await any('PUT', sessionId, { body: { cartId: 'cart-1', metadata: { version: 1 } } });

    const login = only<CustomerToken>(await tryLogin(at, { email: 'shopper@demo.example', anonymousToken: token }));
    expect(await inGraphql(login.accessToken)).toEqual({ ...expected, version: 2 });
    const { body } = await mine('GET', '', { token: login.accessToken });
    expect(body).toMatchObject({ sessionId, siteCode: 'outlet', cartId: 'cart-1', context: { seen: 'yes' } });
    expect(await mine('GET', '', { token })).toMatchObject({ status: 401, body: fault });
    const left = await at.app.modules.database
      .forTenant(ctxOf('demo'))
      .guestContext.count({ where: { id: sessionId } });
    expect(left).toBe(0);
  });

  it('of a guest: a back end that knows the visit first takes nothing away, and what is emptied stays empty', async () => {
    const { accessToken: token, sessionId } = await aGuest();
    const upsert = { query: { upsert: 'true' }, body: { cartId: 'cart-3', currency: 'CHF', metadata: {} } };
    expect((await any('PUT', sessionId, upsert)).status).toBe(204);
    const { body } = await mine('GET', '', { token });
    expect(body).toMatchObject({ ...begun, currency: 'CHF', cartId: 'cart-3', metadata: { version: 1 } });
    await mine('PATCH', '', { token, body: { language: '', metadata: { version: 1 } } });
    const expected = { ...begun, currency: 'CHF', language: null, attributes: {}, version: 2 };
    expect(await inGraphql(token)).toEqual(expected);
    const login = only<CustomerToken>(await tryLogin(at, { email: 'shopper@demo.example', anonymousToken: token }));
    expect(await inGraphql(login.accessToken)).toEqual(expected);
    expect((await mine('GET', '', { token: login.accessToken })).body.cartId).toBe('cart-3');
  });

  it('of a visit that is over is forgotten, and nothing else', async () => {
    const [gone, kept] = [await aGuest(), await aGuest()];
    const { guestContext } = at.app.modules.database.forTenant(ctxOf('demo'));
    for (const { accessToken: token } of [gone, kept])
      await mine('POST', '/attributes', { token, ...attribute('a', 'b') });
    await guestContext.updateMany({ where: { id: gone.sessionId }, data: { expiresAt: new Date(Date.now() - 1) } });
    expect((await any('GET', gone.sessionId)).status).toBe(404);
    await at.app.modules.sessions.pruneGuests();
    expect(await guestContext.count({ where: { id: gone.sessionId } })).toBe(0);
    expect((await any('GET', kept.sessionId)).body.context).toEqual({ a: 'b' });
  });

  it.each(['customer', 'guest'])('attributes of a %s come and go without a version', async (kind) => {
    const { accessToken: token } = kind === 'guest' ? await aGuest() : await aCustomer();
    const company = await mine('POST', '/attributes', { token, ...attribute('legalEntityId', 'acme') });
    expect([company.status, company.body]).toEqual([201, 'legalEntityId']);
    expect((await mine('POST', '/attributes', { token, ...attribute('object', { x: 1 }) })).status).toBe(201);
    const expected = { legalEntityId: 'acme', object: { x: 1 } };
    expect((await mine('GET', '', { token })).body.context).toEqual(expected);
    expect((await inGraphql(token)).attributes).toEqual(expected);
    const gone = () => mine('DELETE', '/attributes/legalEntityId', { token });
    expect((await gone()).status).toBe(204);
    expect((await gone()).body).toEqual({ code: 404, message: 'Attribute not found.' });
    expect((await inGraphql(token)).attributes).toEqual({ object: { x: 1 } });
  });

  it('attributes of one moment are all kept', async () => {
    const { accessToken: token } = await aGuest();
    const keys = ['a', 'b', 'c', 'd'];
    await Promise.all(keys.map((key) => mine('POST', '/attributes', { token, ...attribute(key, 'x') })));
    expect(Object.keys((await mine('GET', '', { token })).body.context).sort()).toEqual(keys);
  });

  it.each([
    ['no version', { currency: 'EUR' }, 400],
    ['no number for a version', { metadata: { version: '1' } }, 400],
    ['a currency that is none', { currency: 'euro', metadata: { version: 1 } }, 400],
    ['a context that is none', { context: [1], metadata: { version: 1 } }, 400],
    ['a context of more than 2 KB', { context: { big: 'x'.repeat(2048) }, metadata: { version: 1 } }, 400],
    ['an old version', { currency: 'USD', metadata: { version: 7 } }, 409],
  ])('refuses %s, and nothing changes', async (_what, body, status) => {
    const { accessToken: token } = still;
    expect(await mine('PATCH', '', { token, body })).toMatchObject({ status, body: { code: status } });
    expect((await mine('GET', '', { token })).body).toMatchObject({ currency: 'EUR', metadata: { version: 1 } });
  });

  it.each([
    ['no value', { key: 'x' }],
    ['null', { key: 'x', value: null }],
    ['no key', { value: 'x' }],
  ])('refuses an attribute with %s', async (_what, body) => {
    const { accessToken: token } = await aGuest();
    expect(await mine('POST', '/attributes', { token, body })).toMatchObject({ status: 400, body: { code: 400 } });
  });

  it('is nobody’s without a bearer, in another tenant, or of another kind', async () => {
    expect(await mine('GET', '', {})).toMatchObject({ status: 401, body: fault });
    const { accessToken } = await signIn(at, 'mallory@rival.example');
    expect(await mine('GET', '', { token: accessToken })).toMatchObject({ status: 401, body: fault });
    for (const { accessToken: token } of [await serviceToken(at), await employee(at)])
      expect((await mine('PATCH', '', { token, body: { metadata: { version: 1 } } })).status).toBe(401);
  });
});

describe('anybody’s context', () => {
  it('of a customer: with the customer’s saas token only', async () => {
    const { accessToken, sessionId, saasToken } = await aCustomer();
    expect((await any('GET', sessionId)).body).toMatchObject({ sessionId, customerId: number, currency: 'EUR' });
    const body = { customerId: number, cartId: 'cart-2', currency: 'CHF', metadata: { version: 1 } };
    const put = (token: string | undefined, changed: object = {}) =>
      any('PUT', sessionId, {
        body: { ...body, ...changed },
        ...(token !== undefined && { headers: { 'saas-token': token } }),
      });
    const rivals = (await signIn(at, 'mallory@rival.example')).saasToken;
    for (const wrong of [undefined, (await signIn(at)).saasToken, rivals, accessToken, 'nonsense'])
      expect((await put(wrong)).body).toMatchObject({
        code: 400,
        sessionId,
        message: expect.stringContaining('[saas-token]'),
      });
    expect((await put(saasToken, { customerId: '00000000' })).status).toBe(400);
    expect((await put(saasToken, { metadata: {} })).status).toBe(400);
    expect((await put(saasToken, { metadata: { version: 5 } })).status).toBe(409);
    expect((await inGraphql(accessToken)).version).toBe(1);
    expect((await put(saasToken)).status).toBe(204);
    expect((await any('GET', sessionId)).body).toMatchObject({ cartId: 'cart-2', currency: 'CHF' });
    expect(await inGraphql(accessToken)).toMatchObject({ currency: 'CHF', siteCode: 'main', version: 2 });
  });

  it('attributes need no version, and no saas token', async () => {
    const { accessToken, sessionId } = await aCustomer();
    expect((await any('POST', `${sessionId}/attributes`, attribute('coupon', { code: 'X' }))).status).toBe(204);
    expect((await inGraphql(accessToken)).attributes).toEqual({ coupon: { code: 'X' } });
    expect((await any('DELETE', `${sessionId}/attributes/coupon`)).status).toBe(204);
    expect((await any('DELETE', `${sessionId}/attributes/coupon`)).status).toBe(404);
  });

  it('is made by ?upsert=true for a visit that nobody has heard of, and for no other', async () => {
    const id = `visit-${randomUUID()}`;
    const body = { siteCode: 'main', customerId: 'ANONYMOUS', context: { x: {} }, metadata: {} };
    expect((await any('PUT', id, { body })).body).toEqual({ sessionId: id, code: 404, message: 'Session not found.' });
    expect((await any('PUT', id, { body, query: { upsert: 'true' } })).status).toBe(204);
    expect((await any('GET', id)).body).toMatchObject({ sessionId: id, siteCode: 'main', context: { x: {} } });
    expect((await any('PUT', id, { body, query: { upsert: 'true' } })).status).toBe(400);
    expect((await any('POST', `${id}/attributes`, attribute('y', 'z'))).status).toBe(204);

    const { sessionId } = await aCustomer();
    await at.app.modules.sessions.logout(ctxOf('demo'), sessionId);
    expect((await any('GET', sessionId)).status).toBe(404);
    expect((await any('PUT', sessionId, { body, query: { upsert: 'true' } })).status).toBe(404);
    expect((await any('PUT', 'not an id', { body, query: { upsert: 'true' } })).status).toBe(400);
  });

  it('is not of employees, nor of another tenant, nor of a guest who changed nothing', async () => {
    const strangers = [await employee(at), await signIn(at, 'mallory@rival.example'), await aGuest()];
    for (const { sessionId } of strangers) {
      expect((await any('GET', sessionId)).body).toEqual({ sessionId, code: 404, message: 'Session not found.' });
      expect((await any('POST', `${sessionId}/attributes`, attribute('x', 'y'))).status).toBe(404);
    }
  });

  it('needs the scope, in the tenant of the path', async () => {
    const { sessionId } = still;
    const poor = await tokenWith(at, 'iam.group_read');
    for (const [method, rest, request] of [
      ['GET', sessionId, {}],
      ['PUT', sessionId, { body: { metadata: { version: 1 } } }],
      ['POST', `${sessionId}/attributes`, attribute('x', 'y')],
      ['DELETE', `${sessionId}/attributes/x`, {}],
    ] as const) {
      expect(await any(method, rest, { ...request, token: poor })).toMatchObject({ status: 403, body: { code: 403 } });
      expect(await any(method, rest, { ...request, token: undefined })).toMatchObject({ status: 401, body: fault });
    }
    const abroad = `/session-context/rival/context/${sessionId}`;
    expect(await ask(at, 'GET', abroad, { token: backend })).toMatchObject({ status: 401, body: fault });
    const headers = { 'Emporix-Tenant': 'rival' };
    expect(await any('GET', sessionId, { headers })).toMatchObject({ status: 400, body: { code: 400 } });
  });
});
