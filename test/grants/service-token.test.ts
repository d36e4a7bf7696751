// Grant: client credentials (RFC 6749 s.4.4). Which scopes a client gets, and who gets none.

import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { givenClient, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, ISSUER, type Service, theService } from '../kit/service.ts';
import { claimsOf, employee, headerOf, serviceToken, tryServiceToken } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const crm = ['price.price_manage', 'price.price_read', 'product.product_read'];

it('success: gives every scope of the client when none is named, sorted, for four hours and without a refresh token', async () => {
  const answer = await tryServiceToken(at, 'demo-crm', 'demo-crm-secret');
  expect(only(answer)).toEqual({
    accessToken: expect.any(String),
    tokenType: 'Bearer',
    expiresIn: 14_400,
    expiresAt: expect.any(String),
    scopes: crm,
  });
});

it('is an RFC 9068 access token that says these things and no other', async () => {
  const { accessToken } = await serviceToken(at, 'demo-crm');
  expect(headerOf(accessToken)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
  const claims = claimsOf(accessToken);
  expect(claims).toEqual({
    iss: ISSUER,
    aud: ISSUER,
    sub: 'demo-crm',
    client_id: 'demo-crm',
    tenant: 'demo',
    kind: 'service',
    scope: crm.join(' '),
    iat: expect.any(Number),
    exp: claims.iat + 14_400,
    jti: expect.any(String),
    rev: expect.any(Number),
  });
});

it('gives exactly the scopes that are named', async () => {
  expect((await serviceToken(at, 'demo-crm', ['price.price_read'])).scopes).toEqual(['price.price_read']);
});

it('gives all when scopes is null, as when it is absent', async () => {
  const query = `mutation { issueServiceToken(input: { clientId: "demo-crm", clientSecret: "demo-crm-secret", scopes: null }) { scopes } }`;
  expect(only(await graphql(at, query)).scopes).toEqual(crm);
});

it('takes view for read, which are the same permission', async () => {
  expect((await serviceToken(at, 'demo-crm', ['price.price_view'])).scopes).toEqual(['price.price_view']);
});

it('refuses the whole request for one scope that the client lacks, and lists it', async () => {
  const answer = await tryServiceToken(at, 'demo-crm', 'demo-crm-secret', ['price.price_read', 'order.order_read']);
  expect(answer.code).toBe('INVALID_SCOPE');
  expect(answer.errors[0]?.extensions.refused).toEqual(['order.order_read']);
  expect(answer.data).toBeNull();
});

it('gives no token without any scope, for an empty list or a client that has none', async () => {
  const bare = await givenClient(at, []);
  expect((await tryServiceToken(at, 'demo-crm', 'demo-crm-secret', [])).code).toBe('INVALID_SCOPE');
  expect((await tryServiceToken(at, bare.id, bare.clientSecret)).code).toBe('INVALID_SCOPE');
});

it('gives a back end every scope that there is, with those that the tenant defines, at once', async () => {
  const own = `shop.${randomUUID().slice(0, 8)}_manage`;
  expect((await serviceToken(at)).scopes).toEqual(expect.arrayContaining([...builtInScopes]));
  const admin = await employee(at);
  const create = 'mutation ($id: ID!) { createScope(input: { id: $id, description: "Own" }) { id } }';
  only(await graphql(at, create, { bearer: admin.accessToken, variables: { id: own } }));
  expect((await serviceToken(at, 'demo-backend', [own])).scopes).toEqual([own]);
  await at.app.modules.scopeDefinitions.delete(ctxOf('demo'), own);
});

it.each([
  ['wrong secret', 'demo-crm', 'demo-backend-secret'],
  ['unknown client', 'nobody-knows-it', 'demo-crm-secret'],
  ['no secret', 'demo-crm', ''],
  ['a storefront, which has no secret', 'demo-storefront', 'demo-storefront-secret'],
])('unauthenticated: INVALID_CLIENT for %s, in the same words', async (_case, clientId, secret) => {
  const { code, errors, data } = await tryServiceToken(at, clientId, secret);
  expect({ code, message: errors[0]?.message, data }).toEqual({
    code: 'INVALID_CLIENT',
    message: 'The client is unknown, disabled or failed to authenticate.',
    data: null,
  });
});

it('forbidden: a disabled client gets the same answer as one with a wrong secret', async () => {
  const { id, clientSecret } = await givenClient(at, ['order.order_read']);
  await at.app.modules.clients.update(ctxOf('demo'), id, { enabled: false });
  const disabled = await tryServiceToken(at, id, clientSecret);
  const wrong = await tryServiceToken(at, id, 'wrong');
  expect(disabled.code).toBe('INVALID_CLIENT');
  expect(disabled.errors[0]?.message).toBe(wrong.errors[0]?.message);
});

it('other tenant: the token is of the tenant that the client belongs to', async () => {
  const { accessToken } = await serviceToken(at, 'rival-backend');
  expect(claimsOf(accessToken).tenant).toBe('rival');
  expect(only(await graphql(at, '{ tenant { id } }', { bearer: accessToken }))).toEqual({ id: 'rival' });
});

it('lives as long as the tenant says', async () => {
  const { backend } = await givenTenant(at, { serviceTokenSeconds: 120 });
  const { accessToken, expiresIn } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
  const { iat, exp } = claimsOf(accessToken);
  expect([expiresIn, exp - iat]).toEqual([120, 120]);
});

it('invalid: a scope that breaks RFC 6749 s.3.3 is refused as INVALID_SCOPE, and 201 of them as INVALID_REQUEST', async () => {
  const many = Array.from({ length: 201 }, (_, i) => `a.b${i}`);
  expect((await tryServiceToken(at, 'demo-crm', 'demo-crm-secret', ['price.price_read\t'])).code).toBe('INVALID_SCOPE');
  expect((await tryServiceToken(at, 'demo-crm', 'demo-crm-secret', many)).code).toBe('INVALID_REQUEST');
});
