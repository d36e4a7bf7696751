// POST /oauth/introspect (RFC 7662) and POST /oauth/revoke (RFC 7009), and the document that tells of all endpoints
// (RFC 8414): security.md cases 55 and 63.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenClient, givenCompany, givenCustomer } from '../kit/given.ts';
import { asBackend, askToken, basic, introspectAs, post, revokeAs, shortly, tryRefreshAs } from '../kit/oauth.ts';
import { ctxOf, ISSUER, type Service, theService } from '../kit/service.ts';
import { claimsOf, employee, guest, isGood, serviceToken, signIn } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const INACTIVE = '{"active":false}';
const SHOP = 'demo-storefront';
const newCustomer = async (companies: Parameters<typeof givenCustomer>[1] = {}, input: Record<string, unknown> = {}) =>
  signIn(at, (await givenCustomer(at, companies)).email, input);
const revokeBy = (token: string, headers: Record<string, string>) => post(at, '/oauth/revoke', { token }, headers);

describe('introspection', () => {
  it('success: what a token says, for a client of its tenant', async () => {
    const { id: company } = await givenCompany(at);
    const { accessToken } = await newCustomer({ [company]: 'BUYER' }, { legalEntityId: company });
    const { status, headers, body } = await introspectAs(at, accessToken);
    const { sub, scope, iat, exp, session_id } = claimsOf(accessToken);
    expect([status, headers.get('cache-control'), headers.get('pragma')]).toEqual([200, 'no-store', 'no-cache']);
    expect(body).toEqual({
      active: true,
      scope,
      client_id: SHOP,
      token_type: 'Bearer',
      exp,
      iat,
      sub,
      aud: ISSUER,
      iss: ISSUER,
      kind: 'customer',
      tenant: 'demo',
      session_id,
      legalEntityId: company,
    });
  });

  it('knows every kind, and calls those Bearer that are', async () => {
    const visitor = await guest(at);
    const customer = await newCustomer();
    const tokens = [
      (await serviceToken(at, 'demo-crm')).accessToken,
      (await employee(at)).accessToken,
      visitor.accessToken,
      visitor.refreshToken,
      customer.accessToken,
      customer.saasToken,
      customer.refreshToken,
    ];
    const seen = [];
    for (const token of tokens) {
      const { body } = await introspectAs(at, token);
      seen.push([body.active, body.kind, body.token_type, body.client_id]);
    }
    expect(seen).toEqual([
      [true, 'service', 'Bearer', 'demo-crm'],
      [true, 'employee', 'Bearer', 'scopeward'],
      [true, 'anonymous', 'Bearer', SHOP],
      [true, 'refresh', undefined, SHOP],
      [true, 'customer', 'Bearer', SHOP],
      [true, 'saas', undefined, SHOP],
      [true, 'refresh', undefined, SHOP],
    ]);
  });

  it('case 63: garbage, another tenant’s, spent and revoked tokens are inactive and nothing else', async () => {
    const customer = await newCustomer();
    await tryRefreshAs(at, SHOP, customer.refreshToken);
    const revoked = await newCustomer();
    await revokeAs(at, SHOP, revoked.refreshToken);
    const tokens = [
      'garbage',
      `rt_${'A'.repeat(43)}`,
      (await serviceToken(at, 'rival-backend')).accessToken,
      (await signIn(at, 'mallory@rival.example')).refreshToken,
      customer.refreshToken,
      revoked.accessToken,
      revoked.saasToken,
      revoked.refreshToken,
      'x'.repeat(9_000),
    ];
    for (const token of tokens) {
      const { status, text } = await introspectAs(at, token);
      expect([status, text]).toEqual([200, INACTIVE]);
    }
  });

  it('case 63: without a confidential client that has proved itself it is invalid_client', async () => {
    const { accessToken: token } = await serviceToken(at);
    const attempts = [
      post(at, '/oauth/introspect', { token }),
      post(at, '/oauth/introspect', { token, client_id: SHOP }),
      post(at, '/oauth/introspect', { token, client_id: 'demo-backend' }),
      post(at, '/oauth/introspect', { token }, basic('demo-backend', 'wrong')),
      post(at, '/oauth/introspect', { token }, { Authorization: `Bearer ${token}` }),
    ];
    for (const answer of await Promise.all(attempts)) expect(shortly(answer)).toEqual([401, 'invalid_client', 'Basic']);
  });

  it('needs oauth.token_introspect as in GraphQL, unless the token is the client’s own', async () => {
    const crm = basic('demo-crm', 'demo-crm-secret');
    const refused = await introspectAs(at, (await serviceToken(at)).accessToken, crm);
    expect([refused.status, refused.error, refused.headers.get('www-authenticate')]).toEqual([
      403,
      'insufficient_scope',
      expect.stringContaining('scope="oauth.token_introspect"'),
    ]);
    // Whoever may not ask does not learn whether there was anything to tell.
    expect((await introspectAs(at, 'garbage', crm)).text).toBe(refused.text);
    const own = await introspectAs(at, (await serviceToken(at, 'demo-crm')).accessToken, crm);
    expect([own.status, own.body.active]).toEqual([200, true]);
    const allowed = await givenClient(at, ['oauth.token_introspect']);
    const { body } = await introspectAs(
      at,
      (await serviceToken(at)).accessToken,
      basic(allowed.id, allowed.clientSecret),
    );
    expect(body.active).toBe(true);
  });

  it('without a token it is invalid_request, by GET 405', async () => {
    expect(shortly(await post(at, '/oauth/introspect', {}, asBackend))).toEqual([400, 'invalid_request', null]);
    expect((await fetch(`${at.url}/oauth/introspect`)).status).toBe(405);
  });
});

describe('revocation', () => {
  it('success: 200 with nothing in it; a refresh token ends its session, an access token ends alone', async () => {
    const customer = await newCustomer();
    const { status, text, headers } = await revokeAs(at, SHOP, customer.accessToken);
    expect([status, text, headers.get('cache-control'), headers.get('pragma')]).toEqual([
      200,
      '',
      'no-store',
      'no-cache',
    ]);
    expect(await isGood(at, customer.accessToken)).toBe(false);
    const { body } = await tryRefreshAs(at, SHOP, customer.refreshToken);
    expect(await isGood(at, body.access_token)).toBe(true);
    expect((await revokeAs(at, SHOP, body.refresh_token)).status).toBe(200);
    expect(await isGood(at, body.access_token)).toBe(false);
    expect(shortly(await tryRefreshAs(at, SHOP, body.refresh_token))).toEqual([400, 'invalid_grant', null]);
  });

  it('success for guests, employees and confidential clients', async () => {
    const visitor = await guest(at);
    await revokeAs(at, SHOP, visitor.refreshToken);
    expect(await isGood(at, visitor.accessToken)).toBe(false);
    const worker = await employee(at);
    await revokeAs(at, 'scopeward', worker.refreshToken);
    expect(await isGood(at, worker.accessToken)).toBe(false);
    const { accessToken } = await serviceToken(at, 'demo-crm');
    const { accessToken: other } = await serviceToken(at, 'demo-crm');
    await revokeBy(accessToken, basic('demo-crm', 'demo-crm-secret'));
    expect([await isGood(at, accessToken), await isGood(at, other)]).toEqual([false, true]);
  });

  it('case 63: without a client it is invalid_client, and nothing happens', async () => {
    const { accessToken: token } = await serviceToken(at);
    const attempts = [
      post(at, '/oauth/revoke', { token }),
      post(at, '/oauth/revoke', { token, client_id: 'demo-backend' }),
      revokeBy(token, basic('demo-backend', 'wrong')),
    ];
    for (const answer of await Promise.all(attempts)) expect(shortly(answer)).toEqual([401, 'invalid_client', 'Basic']);
    expect(await isGood(at, token)).toBe(true);
  });

  it('case 63: an unknown token is 200', async () => {
    for (const token of ['garbage', `rt_${'A'.repeat(43)}`, 'x'.repeat(9_000)]) {
      const { status, text } = await revokeBy(token, asBackend);
      expect([status, text]).toEqual([200, '']);
    }
  });

  it('case 63: another client’s token, of this tenant or another, is 200, and nothing happens', async () => {
    const customer = await newCustomer();
    const visitor = await guest(at);
    const worker = await employee(at);
    const service = await serviceToken(at);
    const foreign = [
      customer.accessToken,
      customer.saasToken,
      customer.refreshToken,
      visitor.accessToken,
      visitor.refreshToken,
      worker.accessToken,
      worker.refreshToken,
      service.accessToken,
    ];
    for (const headers of [basic('demo-crm', 'demo-crm-secret'), basic('rival-backend', 'rival-backend-secret')])
      for (const token of foreign) expect((await revokeBy(token, headers)).status).toBe(200);
    for (const { accessToken } of [customer, visitor, worker, service])
      expect(await isGood(at, accessToken)).toBe(true);
    expect((await tryRefreshAs(at, SHOP, customer.refreshToken)).status).toBe(200);
    expect((await tryRefreshAs(at, SHOP, visitor.refreshToken)).status).toBe(200);
    expect((await tryRefreshAs(at, 'scopeward', worker.refreshToken)).status).toBe(200);
  });

  it('case 63: a token is refused if either its client’s or its tenant’s entry is newer', async () => {
    const { id, clientSecret } = await givenClient(at, ['order.order_read']);
    const { body } = await askToken(at, { grant_type: 'client_credentials' }, basic(id, clientSecret));
    await at.app.modules.clients.update(ctxOf('demo'), id, { enabled: false });
    expect((await introspectAs(at, body.access_token)).text).toBe(INACTIVE);
    await at.app.modules.clients.update(ctxOf('demo'), id, { enabled: true });
    expect((await introspectAs(at, body.access_token)).text).toBe(INACTIVE);
    const fresh = await askToken(at, { grant_type: 'client_credentials' }, basic(id, clientSecret));
    expect((await introspectAs(at, fresh.body.access_token)).body.active).toBe(true);
  });

  it('without a token it is invalid_request; a hint, right, wrong or unknown, changes nothing', async () => {
    expect(shortly(await post(at, '/oauth/revoke', {}, asBackend))).toEqual([400, 'invalid_request', null]);
    for (const token_type_hint of ['access_token', 'refresh_token', 'no_such']) {
      const { accessToken: token } = await serviceToken(at);
      await post(at, '/oauth/revoke', { token, token_type_hint }, asBackend);
      expect(await isGood(at, token)).toBe(false);
    }
  });
});

describe('the metadata', () => {
  const path = '/.well-known/oauth-authorization-server';

  it('says what is true, under the configured issuer whatever the request calls us, and may be kept', async () => {
    const response = await fetch(at.url + path, { headers: { 'X-Forwarded-Host': 'evil.example' } });
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'public, max-age=300']);
    const { scopes_supported, ...document } = (await response.json()) as { scopes_supported: string[] };
    expect(document).toEqual({
      issuer: ISSUER,
      token_endpoint: `${ISSUER}/oauth/token`,
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      jwks_uri: `${ISSUER}/.well-known/jwks.json`,
      grant_types_supported: ['client_credentials', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      response_types_supported: [],
      authorization_response_iss_parameter_supported: false,
      introspection_endpoint: `${ISSUER}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      revocation_endpoint: `${ISSUER}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    });
    expect(scopes_supported).toContain('oauth.token_introspect');
    const again = await fetch(at.url + path, { headers: { 'If-None-Match': response.headers.get('etag')! } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect((await fetch(at.url + path, { method: 'POST' })).status).toBe(405);
  });

  it('every endpoint that it names answers', async () => {
    const document = (await (await fetch(at.url + path)).json()) as Record<string, string>;
    for (const name of ['token_endpoint', 'introspection_endpoint', 'revocation_endpoint'])
      expect((await post(at, document[name]!.slice(ISSUER.length), {})).status).not.toBe(404);
    expect((await fetch(at.url + document.jwks_uri!.slice(ISSUER.length))).status).toBe(200);
  });
});
