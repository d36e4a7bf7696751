// Grant: a guest signs in and keeps the session. The guest's tokens are worthless from then on.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenClient, givenCustomer, givenCustomerGroup, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, ISSUER, type Service, theService } from '../kit/service.ts';
import {
  type CustomerToken,
  claimsOf,
  guest,
  headerOf,
  isGood,
  PASSWORD,
  serviceToken,
  signIn,
  tryLogin,
} from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const customerSet = [
  'ai.agentexecution_manage_own',
  'approval.approval_manage_own',
  'approval.approval_read_own',
  'coupon.coupon_redeem',
  'customer.consent_manage',
  'customer.consent_view',
  'customer.customerprofile_edit',
  'customer.customerprofile_view',
  'customermanagement.legalentity_read_own',
  'customersegment.segment_read_own',
  'iam.scope_read_own',
  'order.history_view',
  'order.order_readascustomer',
  'order.order_updateascustomer',
  'quote.quote_manage_own',
  'quote.quote_read_own',
  'returns.returns_manage_own',
  'returns.returns_read_own',
];

it('success: keeps the guest’s session and carries exactly the customer set', async () => {
  const { accessToken: anonymousToken, sessionId } = await guest(at);
  const token = only<CustomerToken>(await tryLogin(at, { email: 'shopper@demo.example', anonymousToken }));
  expect(token).toMatchObject({
    tokenType: 'Bearer',
    expiresIn: 3600,
    refreshTokenExpiresIn: 30 * 86_400,
    scopes: customerSet,
    sessionId,
    legalEntity: null,
    branchedFrom: null,
    customer: { email: 'shopper@demo.example' },
  });
});

it('takes the anonymous token as the bearer as well', async () => {
  const { accessToken, sessionId } = await guest(at);
  const token = only<CustomerToken>(await tryLogin(at, { email: 'shopper@demo.example' }, accessToken));
  expect(token.sessionId).toBe(sessionId);
});

it('keeps the guest’s context', async () => {
  const context = { siteCode: 'main', currency: 'EUR', language: 'de', targetLocation: 'DE' };
  const { accessToken: anonymousToken } = await guest(at, context);
  const { accessToken } = only<CustomerToken>(await tryLogin(at, { email: 'shopper@demo.example', anonymousToken }));
  const query = `{ currentPrincipal { ... on CustomerPrincipal { session { context { siteCode currency language targetLocation } } } } }`;
  expect(only(await graphql(at, query, { bearer: accessToken })).session.context).toEqual(context);
});

describe('the tokens', () => {
  it('say these things and no other; nothing in the clear identifies the shopper', async () => {
    const email = `telltale-${Date.now()}@test.example`;
    const { modules } = at.app;
    const names = { firstName: 'Telltale', lastName: 'Shopper' };
    const customer = await modules.customers.register(ctxOf('demo'), { email, password: PASSWORD, ...names });
    const { accessToken, saasToken, refreshToken, sessionId } = await signIn(at, email);
    const claims = claimsOf(accessToken);
    const common = {
      iss: ISSUER,
      aud: ISSUER,
      sub: customer.id,
      client_id: 'demo-storefront',
      tenant: 'demo',
      session_id: sessionId,
      groups: [],
      iat: expect.any(Number),
      jti: expect.any(String),
      rev: claims.rev,
    };
    expect(claims).toEqual({
      ...common,
      kind: 'customer',
      scope: customerSet.join(' '),
      exp: claims.iat + 3600,
      ctx: expect.stringMatching(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/),
    });
    const saas = claimsOf(saasToken);
    expect(saas).toEqual({ ...common, kind: 'saas', scope: '', exp: saas.iat + 3600 });
    expect(headerOf(accessToken)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(headerOf(saasToken)).toEqual({ alg: 'ES256', typ: 'saas+jwt', kid: expect.any(String) });
    expect(refreshToken).toMatch(/^rt_[\w-]{43}$/);
    const clear = JSON.stringify([claims, saas, headerOf(accessToken), headerOf(saasToken)]);
    for (const telltale of ['telltale', 'Telltale', 'Shopper', customer.customerNumber]) {
      expect(clear).not.toContain(telltale);
    }
    expect(await modules.contextEncryption.decrypt('demo', claims.ctx, claims.jti)).toEqual({
      jti: claims.jti,
      email,
      ...names,
      customerNumber: customer.customerNumber,
    });
  });

  it('the refresh token is stored as a hash only', async () => {
    const { refreshToken, sessionId } = await signIn(at, 'shopper@demo.example');
    const rows = await at.app.modules.database.system().$queryRaw<
      object[]
    >`SELECT encode(id, 'hex') AS id, t::text AS everything FROM refresh_tokens t WHERE session_id = ${sessionId}`;
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(refreshToken.slice(3));
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(refreshToken).toString('hex'));
  });

  it('live as long as the tenant says', async () => {
    const settings = { customerTokenSeconds: 120, customerRefreshSeconds: 600, customerScopes: ['order.history_view'] };
    const tenant = await givenTenant(at, settings);
    const { accessToken: anonymousToken } = await guest(at, { tenant: tenant.id, clientId: tenant.storefront });
    const token = only<CustomerToken>(await tryLogin(at, { email: tenant.customer.email, anonymousToken }));
    expect(token).toMatchObject({ expiresIn: 120, refreshTokenExpiresIn: 600, scopes: ['order.history_view'] });
    const { iat, exp } = claimsOf(token.saasToken);
    expect(exp - iat).toBe(120);
  });
});

describe('a company from the start', () => {
  it('gives its scopes and says so in both tokens', async () => {
    const token = await signIn(at, 'buyer@demo.example', { legalEntityId: 'acme' });
    expect(token.legalEntity).toEqual({ id: 'acme', name: 'ACME' });
    expect(claimsOf(token.accessToken).legalEntityId).toBe('acme');
    expect(claimsOf(token.saasToken).legalEntityId).toBe('acme');
  });

  it('that is not the customer’s is ACCESS_DENIED, and the guest can still sign in without', async () => {
    const { accessToken: anonymousToken } = await guest(at);
    const login = { email: 'buyer@demo.example', anonymousToken };
    expect((await tryLogin(at, { ...login, legalEntityId: 'initech' })).code).toBe('ACCESS_DENIED');
    expect((await tryLogin(at, login)).errors).toEqual([]);
  });
});

it('adds the scopes of groups without a company', async () => {
  const customer = await givenCustomer(at);
  await givenCustomerGroup(at, ['order.order_read'], customer.id);
  const { scopes } = await signIn(at, customer.email);
  expect(scopes).toEqual([...customerSet, 'order.order_read'].sort());
});

describe('claiming the session', () => {
  it('makes the guest’s token worthless: as a bearer, and for another login', async () => {
    const { accessToken: anonymousToken } = await guest(at);
    only(await tryLogin(at, { email: 'shopper@demo.example', anonymousToken }));
    expect(await isGood(at, anonymousToken)).toBe(false);
    expect((await tryLogin(at, { email: 'buyer@demo.example', anonymousToken })).code).toBe('UNAUTHENTICATED');
  });

  it('a login that fails claims nothing', async () => {
    const { accessToken: anonymousToken } = await guest(at);
    const wrong = await tryLogin(at, { email: 'shopper@demo.example', anonymousToken, password: 'not the password' });
    expect(wrong.code).toBe('INVALID_GRANT');
    expect(await isGood(at, anonymousToken)).toBe(true);
  });

  it('two logins at the same instant: one has the session, the other is UNAUTHENTICATED', async () => {
    const { accessToken: anonymousToken } = await guest(at);
    const emails = ['shopper@demo.example', 'requester@demo.example'];
    const answers = await Promise.all(emails.map((email) => tryLogin(at, { email, anonymousToken })));
    expect(answers.map(({ code }) => code ?? 'ok').sort()).toEqual(['UNAUTHENTICATED', 'ok']);
  });
});

it('invalid: without an anonymous token INVALID_REQUEST', async () => {
  expect((await tryLogin(at, { email: 'shopper@demo.example' })).code).toBe('INVALID_REQUEST');
});

it('unauthenticated: wrong password, unknown account and disabled account get one and the same answer', async () => {
  const disabled = await givenCustomer(at);
  await at.app.modules.customers.update(ctxOf('demo'), disabled.id, { enabled: false });
  const { accessToken: anonymousToken } = await guest(at);
  const tries = [
    { email: 'shopper@demo.example', password: 'not the password' },
    { email: 'nobody@demo.example' },
    { email: disabled.email },
    { email: 'admin@demo.example' },
  ];
  const answers = await Promise.all(tries.map((input) => tryLogin(at, { anonymousToken, ...input })));
  const seen = answers.map(({ status, data, errors }) => ({ status, data, errors }));
  expect(seen[0]?.errors[0]?.extensions.code).toBe('INVALID_GRANT');
  for (const answer of seen) expect(answer).toEqual(seen[0]);
});

it('forbidden: a bearer that is no guest is UNAUTHENTICATED, and so is anonymousToken of another kind', async () => {
  const customer = await signIn(at);
  const client = await serviceToken(at, 'demo-crm');
  const email = 'shopper@demo.example';
  for (const { accessToken } of [customer, client]) {
    expect((await tryLogin(at, { email }, accessToken)).code).toBe('UNAUTHENTICATED');
    expect((await tryLogin(at, { email, anonymousToken: accessToken })).code).toBe('UNAUTHENTICATED');
  }
  const { refreshToken } = await guest(at);
  expect((await tryLogin(at, { email, anonymousToken: refreshToken })).code).toBe('UNAUTHENTICATED');
});

it('UNAUTHENTICATED when the guest’s storefront has been disabled', async () => {
  const { id } = await givenClient(at, [], 'STOREFRONT');
  const { accessToken: anonymousToken } = await guest(at, { clientId: id });
  await at.app.modules.clients.update(ctxOf('demo'), id, { enabled: false });
  expect((await tryLogin(at, { email: 'shopper@demo.example', anonymousToken })).code).toBe('UNAUTHENTICATED');
});

it('other tenant: a guest of rival cannot sign in to an account of demo', async () => {
  const { accessToken: anonymousToken } = await guest(at, { tenant: 'rival', clientId: 'rival-storefront' });
  expect((await tryLogin(at, { email: 'shopper@demo.example', anonymousToken })).code).toBe('INVALID_GRANT');
});

it('passwords can be switched off for customers: the answer is that of a wrong one', async () => {
  const tenant = await givenTenant(at, { customerPasswords: false });
  const { accessToken: anonymousToken } = await guest(at, { tenant: tenant.id, clientId: tenant.storefront });
  expect((await tryLogin(at, { email: tenant.customer.email, anonymousToken })).code).toBe('INVALID_GRANT');
});
