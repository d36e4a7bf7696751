// Standard OAuth clients on their defaults: oauth4webapi and openid-client, given the issuer and nothing else. Their fetch
// is pointed at the port of the test, as a name server would; they themselves see an https issuer and no exception.

import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenCustomer } from '../kit/given.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import { connect } from '../kit/oidc-stories.ts';
import { ISSUER, type Service, theService } from '../kit/service.ts';
import { employee, guest, isGood, signIn } from '../kit/stories.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const SHOP = 'demo-storefront';

let at: Service;
let idp: MisbehavingProvider;
let provider: string;
beforeAll(async () => {
  at = await theService();
  idp = await startMisbehaving();
  const demo = { id: 'demo', employee: { email: 'admin@demo.example' } };
  provider = await connect(at, demo, idp, { subjectTokens: 'JWT' });
});
afterAll(() => idp?.stop());

/** Where the issuer is found. */
const there = (url: string, options: object) => fetch(url.replace(ISSUER, at.url), options as RequestInit);

async function subjectToken(): Promise<string> {
  const { id, email } = await givenCustomer(at);
  const db = at.app.modules.database.forTenant({ tenantId: 'demo' });
  await db.customer.updateMany({ where: { id }, data: { emailVerifiedAt: new Date() } });
  return idp.sign(idp.claims({ sub: id, email, email_verified: true }));
}

describe('oauth4webapi', () => {
  const options = { [oauth.customFetch]: there };
  let server: oauth.AuthorizationServer;
  beforeAll(async () => {
    const issuer = new URL(ISSUER);
    const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options });
    server = await oauth.processDiscoveryResponse(issuer, response);
  });
  const backend: oauth.Client = { client_id: 'demo-backend' };
  const shop: oauth.Client = { client_id: SHOP };
  const methods = [
    ['client_secret_basic', oauth.ClientSecretBasic('demo-backend-secret')],
    ['client_secret_post', oauth.ClientSecretPost('demo-backend-secret')],
  ] as const;

  const serviceToken = async (auth: oauth.ClientAuth) =>
    oauth.processClientCredentialsResponse(
      server,
      backend,
      await oauth.clientCredentialsGrantRequest(server, backend, auth, { scope: 'order.order_read' }, options),
    );

  it.each(methods)('by %s: client credentials, introspection, revocation', async (_name, auth) => {
    const { access_token: token, scope, token_type } = await serviceToken(auth);
    expect([scope, token_type]).toEqual(['order.order_read', 'bearer']);
    const introspect = async () =>
      oauth.processIntrospectionResponse(
        server,
        backend,
        await oauth.introspectionRequest(server, backend, auth, token, options),
      );
    expect(await introspect()).toMatchObject({ active: true, scope, client_id: 'demo-backend', iss: ISSUER });
    await oauth.processRevocationResponse(await oauth.revocationRequest(server, backend, auth, token, options));
    expect(await introspect()).toEqual({ active: false });
  });

  it('as a public client: refreshes a guest and a customer, exchanges, revokes', async () => {
    const none = oauth.None();
    const customer = await signIn(at, (await givenCustomer(at)).email);
    for (const { refreshToken, sessionId } of [customer, await guest(at)]) {
      const response = await oauth.refreshTokenGrantRequest(server, shop, none, refreshToken, options);
      const tokens = await oauth.processRefreshTokenResponse(server, shop, response);
      expect(tokens.session_id).toBe(sessionId);
      const revocation = await oauth.revocationRequest(server, shop, none, tokens.refresh_token!, options);
      await oauth.processRevocationResponse(revocation);
      expect(await isGood(at, tokens.access_token)).toBe(false);
    }
    const parameters = { provider, subject_token: await subjectToken(), subject_token_type: ID_TOKEN };
    const asked = await oauth.genericTokenEndpointRequest(server, shop, none, EXCHANGE, parameters, options);
    const tokens = await oauth.processGenericTokenEndpointResponse(server, shop, asked);
    expect(tokens.issued_token_type).toBe('urn:ietf:params:oauth:token-type:access_token');
    expect(await isGood(at, tokens.access_token)).toBe(true);
  });

  it('access tokens are as RFC 9068 has them, by its own check', async () => {
    const { access_token: token } = await serviceToken(methods[0][1]);
    const request = new Request(`${ISSUER}/orders`, { headers: { Authorization: `Bearer ${token}` } });
    const claims = await oauth.validateJwtAccessToken(server, request, ISSUER, options);
    expect(claims).toMatchObject({ client_id: 'demo-backend', sub: 'demo-backend', scope: 'order.order_read' });
  });

  it('case 27: understands the refusal of another client’s token', async () => {
    const { refreshToken } = await signIn(at, (await givenCustomer(at)).email);
    const [, auth] = methods[0];
    const response = await oauth.refreshTokenGrantRequest(server, backend, auth, refreshToken, options);
    await expect(oauth.processRefreshTokenResponse(server, backend, response)).rejects.toMatchObject({
      name: 'ResponseBodyError',
      status: 400,
      error: 'invalid_grant',
    });
  });

  it('case 60: understands that a client has failed', async () => {
    const wrong = oauth.ClientSecretBasic('wrong');
    const response = await oauth.clientCredentialsGrantRequest(server, backend, wrong, {}, options);
    await expect(oauth.processClientCredentialsResponse(server, backend, response)).rejects.toMatchObject({
      status: 401,
    });
  });
});

describe('openid-client', () => {
  const discover = (id: string, auth?: client.ClientAuth) =>
    client.discovery(new URL(ISSUER), id, undefined, auth, { algorithm: 'oauth2', [client.customFetch]: there });

  it('discovers, and runs client credentials, introspection and revocation', async () => {
    const config = await discover('demo-backend', client.ClientSecretPost('demo-backend-secret'));
    const { access_token: token, scope } = await client.clientCredentialsGrant(config, { scope: 'order.order_read' });
    expect(scope).toBe('order.order_read');
    expect(await client.tokenIntrospection(config, token)).toMatchObject({ active: true, scope });
    await client.tokenRevocation(config, token);
    expect(await client.tokenIntrospection(config, token)).toEqual({ active: false });
  });

  it('refreshes, for a company too, and exchanges, as a public client', async () => {
    const config = await discover(SHOP, client.None());
    const { refreshToken } = await signIn(at, 'buyer@demo.example');
    const tokens = await client.refreshTokenGrant(config, refreshToken, { legal_entity_id: 'acme' });
    expect(decodeJwt(tokens.access_token)).toMatchObject({ legalEntityId: 'acme', client_id: SHOP });
    await client.tokenRevocation(config, tokens.refresh_token!);
    const parameters = { provider, subject_token: await subjectToken(), subject_token_type: ID_TOKEN };
    const exchanged = await client.genericGrantRequest(config, EXCHANGE, parameters);
    expect(await isGood(at, exchanged.access_token)).toBe(true);
    expect((await client.refreshTokenGrant(config, exchanged.refresh_token!)).session_id).toBe(exchanged.session_id);
  });

  it('refreshes an employee as a client of the service itself', async () => {
    const config = await discover('scopeward', client.None());
    const { refreshToken, sessionId } = await employee(at);
    expect((await client.refreshTokenGrant(config, refreshToken)).session_id).toBe(sessionId);
  });
});
