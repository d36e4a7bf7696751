// POST /oauth/token with a token of an identity provider (RFC 8693). What makes such a token good: test/sso.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenClient, givenCompany, givenCustomer } from '../kit/given.ts';
import { askToken, basic, introspectAs, shortly, tryRefreshAs } from '../kit/oauth.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import { connect } from '../kit/oidc-stories.ts';
import { ctxOf, ISSUER, type Service, theService } from '../kit/service.ts';
import { claimsOf, employee, guest, isGood } from '../kit/stories.ts';

let at: Service;
let idp: MisbehavingProvider;
let provider: string;
beforeAll(async () => {
  at = await theService();
  idp = await startMisbehaving();
  const demo = { id: 'demo', employee: { email: 'admin@demo.example' } };
  const settings = { subjectTokens: 'JWT', userTypes: ['CUSTOMER', 'EMPLOYEE'] };
  provider = await connect(at, demo, idp, settings);
});
afterAll(() => idp?.stop());

const URN = 'urn:ietf:params:oauth:token-type';
const SHOP = 'demo-storefront';

/** A customer of demo, and a good token of the provider for them. */
async function givenPerson(companies: Parameters<typeof givenCustomer>[1] = {}) {
  const { id, email } = await givenCustomer(at, companies);
  const db = at.app.modules.database.forTenant({ tenantId: 'demo' });
  await db.customer.updateMany({ where: { id }, data: { emailVerifiedAt: new Date() } });
  const token = () => idp.sign(idp.claims({ sub: id, email, email_verified: true }));
  return { id, token };
}

type Fields = Record<string, string | undefined>;
const exchange = (subject_token: string, rest: Fields = {}, headers: Record<string, string> = {}) =>
  askToken(
    at,
    {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token,
      subject_token_type: `${URN}:id_token`,
      provider,
      ...('Authorization' in headers ? {} : { client_id: SHOP }),
      ...rest,
    },
    headers,
  );

describe('success', () => {
  it.each(['access_token', 'id_token', 'jwt'])('a customer comes with a token called %s', async (type) => {
    const { id, token } = await givenPerson();
    const { status, headers, body } = await exchange(await token(), { subject_token_type: `${URN}:${type}` });
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      access_token: expect.any(String),
      issued_token_type: `${URN}:access_token`,
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: claimsOf(body.access_token).scope,
      refresh_token: expect.stringMatching(/^rt_/),
      refresh_token_expires_in: 2_592_000,
      session_id: claimsOf(body.access_token).session_id,
      saas_token: expect.any(String),
    });
    expect(claimsOf(body.access_token)).toMatchObject({ sub: id, kind: 'customer', client_id: SHOP });
    expect(await isGood(at, body.access_token)).toBe(true);
  });

  it('the session is the client’s that asked: it refreshes, and no other does', async () => {
    const { token } = await givenPerson();
    const client = await givenClient(at, ['order.order_read']);
    const secret = basic(client.id, client.clientSecret);
    const { body } = await exchange(await token(), {}, secret);
    expect(claimsOf(body.access_token).client_id).toBe(client.id);
    expect(shortly(await tryRefreshAs(at, SHOP, body.refresh_token))).toEqual([400, 'invalid_grant', null]);
    const again = await askToken(at, { grant_type: 'refresh_token', refresh_token: body.refresh_token }, secret);
    expect([again.status, again.body.session_id]).toEqual([200, body.session_id]);
    await at.app.modules.clients.update(ctxOf('demo'), client.id, { enabled: false });
    expect((await introspectAs(at, again.body.access_token)).text).toBe('{"active":false}');
  });

  it('a guest’s session goes on, and goes straight to a company', async () => {
    const { id: company } = await givenCompany(at);
    const { token } = await givenPerson({ [company]: 'BUYER' });
    const { accessToken: anonymous_token, sessionId } = await guest(at);
    const { status, body } = await exchange(await token(), { anonymous_token, legal_entity_id: company });
    expect([status, body.session_id, body.legal_entity_id]).toEqual([200, sessionId, company]);
    expect(claimsOf(body.access_token).legalEntityId).toBe(company);
    expect(await isGood(at, anonymous_token)).toBe(false);
  });

  it('an employee goes on at the client that asked', async () => {
    const { id, email } = (await employee(at, 'support@demo.example')).employee;
    const subject = await idp.sign(idp.claims({ sub: id, email, email_verified: true }));
    const { status, body } = await exchange(subject, { user_type: 'employee' });
    expect([status, claimsOf(body.access_token)]).toMatchObject([200, { sub: id, kind: 'employee', client_id: SHOP }]);
    expect(body).not.toHaveProperty('saas_token');
    const next = await tryRefreshAs(at, SHOP, body.refresh_token);
    expect([next.status, claimsOf(next.body.access_token).client_id]).toEqual([200, SHOP]);
    expect(shortly(await tryRefreshAs(at, 'scopeward', next.body.refresh_token))).toEqual([400, 'invalid_grant', null]);
  });

  it('our own audience may be named', async () => {
    const { token } = await givenPerson();
    expect((await exchange(await token(), { audience: ISSUER })).status).toBe(200);
  });
});

describe('refused', () => {
  it.each<[string, Fields, string]>([
    ['without a subject_token', { subject_token: undefined }, 'invalid_request'],
    ['without its type', { subject_token_type: undefined }, 'invalid_request'],
    ['with a type that is not taken', { subject_token_type: `${URN}:saml2` }, 'invalid_request'],
    ['without a provider', { provider: undefined }, 'invalid_request'],
    ['with an actor', { actor_token: 'x', actor_token_type: `${URN}:jwt` }, 'invalid_request'],
    ['with the type of an actor alone', { actor_token_type: `${URN}:jwt` }, 'invalid_request'],
    ['for a type that is not issued', { requested_token_type: `${URN}:refresh_token` }, 'invalid_request'],
    ['as another type of user', { user_type: 'client' }, 'invalid_request'],
    ['for another audience', { audience: 'https://elsewhere.example' }, 'invalid_target'],
    ['for another resource', { resource: 'https://elsewhere.example' }, 'invalid_target'],
    ['with a provider that is not there', { provider: 'no-such' }, 'invalid_request'],
    ['with a token that is none', { subject_token: 'garbage' }, 'invalid_request'],
    ['with a guest who is none', { anonymous_token: 'garbage' }, 'invalid_request'],
    ['for a company of somebody else', { legal_entity_id: 'globex' }, 'access_denied'],
    ['by the service itself, which belongs to no tenant', { client_id: 'scopeward' }, 'unauthorized_client'],
    ['by a client of another tenant', { client_id: 'rival-storefront' }, 'invalid_request'],
  ])('%s, and the token can still be exchanged', async (_what, rest, error) => {
    const { token } = await givenPerson();
    const subject = await token();
    expect(shortly(await exchange(subject, rest))).toEqual([400, error, null]);
    expect((await exchange(subject)).status).toBe(200);
  });

  it.each<[string, Fields]>([
    ['no client', { client_id: undefined }],
    ['an unknown client', { client_id: 'nobody' }],
    ['a confidential client that only names itself', { client_id: 'demo-backend' }],
  ])('%s is invalid_client', async (_what, rest) => {
    const { token } = await givenPerson();
    expect(shortly(await exchange(await token(), rest))).toEqual([401, 'invalid_client', 'Basic']);
  });

  it('a token that was exchanged is not exchanged again', async () => {
    const { token } = await givenPerson();
    const subject = await token();
    expect((await exchange(subject)).status).toBe(200);
    expect(shortly(await exchange(subject))).toEqual([400, 'invalid_request', null]);
  });

  it('a guest of another client keeps the session', async () => {
    const { token } = await givenPerson();
    const { id } = await givenClient(at, [], 'STOREFRONT');
    const { accessToken: anonymous_token } = await guest(at, { clientId: id });
    expect(shortly(await exchange(await token(), { anonymous_token }))).toEqual([400, 'invalid_request', null]);
    expect(await isGood(at, anonymous_token)).toBe(true);
  });

  it('a provider that is away is 503, never a denial', async () => {
    const away = await startMisbehaving();
    const demo = { id: 'demo', employee: { email: 'admin@demo.example' } };
    const id = await connect(at, demo, away, { subjectTokens: 'JWT' });
    await away.stop();
    const { token } = await givenPerson();
    const answer = await exchange(await token(), { provider: id });
    expect([answer.status, answer.error, answer.headers.get('retry-after')]).toEqual([
      503,
      'temporarily_unavailable',
      '1',
    ]);
  });
});
