// /customer/{tenant}/…: shoppers of storefronts written for Emporix. The same sessions as GraphQL sees.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenOldUses } from '../kit/given.ts';
import { restClient } from '../kit/rest.ts';
import { type Service, theService } from '../kit/service.ts';
import { claimsOf, employee, guest, isGood, PASSWORD, serviceToken, signIn, tryRefresh } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const ask = restClient('customer-managed');
const FAULT = { fault: { faultstring: 'Invalid access token', detail: { errorcode: 'oauth.v2.InvalidAccessToken' } } };
const login = (token: string, email: string, password = PASSWORD, tenant = 'demo') =>
  ask(at, 'POST', `/customer/${tenant}/login`, { token, body: { email, password } });
const refresh = (token: string, query: Record<string, string>, tenant = 'demo') =>
  ask(at, 'GET', `/customer/${tenant}/refreshauthtoken`, { token, query });
const validate = (token?: string) => ask(at, 'GET', '/customer/demo/validateauthtoken', { token });
const me = (token?: string) => ask(at, 'GET', '/customer/demo/me', { token });

describe('login', () => {
  it('keeps the guest’s session, in both spellings', async () => {
    const { accessToken, sessionId } = await guest(at);
    const { email } = await givenCustomer(at);
    const { status, body } = await login(accessToken, email.toUpperCase());
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      accessToken: body.access_token,
      saas_token: expect.any(String),
      saasToken: body.saas_token,
      expires_in: 3_600,
      expiresIn: 3_600,
      refresh_token: expect.stringMatching(/^rt_/),
      refreshToken: body.refresh_token,
      refresh_token_expires_in: 2_592_000,
      refreshTokenExpiresIn: 2_592_000,
      token_type: 'Bearer',
      session_id: sessionId,
    });
    expect(claimsOf(body.saas_token)).toMatchObject({ kind: 'saas', session_id: sessionId });
    expect([await isGood(at, body.access_token), await isGood(at, accessToken)]).toEqual([true, false]);
  });

  it('a wrong password and no account at all are one answer in the service’s shape', async () => {
    const { accessToken } = await guest(at);
    const wrong = await login(accessToken, 'shopper@demo.example', 'not the password');
    const unknown = await login(accessToken, `${randomUUID()}@demo.example`);
    expect([wrong.status, wrong.body]).toEqual([
      401,
      { type: 'unauthorized', status: 401, message: 'The credentials or the token presented are not valid.' },
    ]);
    expect(unknown.body).toEqual(wrong.body);
  });

  it('a bearer that is none, no good, of another kind or another tenant: the gateway’s fault', async () => {
    const { accessToken: rivals } = await guest(at, { tenant: 'rival', clientId: 'rival-storefront' });
    const bearers = [
      undefined,
      'nonsense',
      (await signIn(at)).accessToken,
      (await serviceToken(at)).accessToken,
      rivals,
    ];
    for (const token of bearers) {
      const body = { email: 'shopper@demo.example', password: PASSWORD };
      const answer = await ask(at, 'POST', '/customer/demo/login', { token, body });
      expect([answer.status, answer.body]).toEqual([401, FAULT]);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  it('tells of the field that is missing, of a body that is none, and of a tenant in the header that is another', async () => {
    const { accessToken: token } = await guest(at);
    const missing = await ask(at, 'POST', '/customer/demo/login', { token, body: { email: 'a@b.example' } });
    expect([missing.status, missing.body.details[0].field]).toEqual([400, 'password']);
    const none = await ask(at, 'POST', '/customer/demo/login', {
      token,
      headers: { 'Content-Type': 'application/json' },
    });
    expect([none.status, none.body.type]).toEqual([400, 'bad_request']);
    const other = await ask(at, 'POST', '/customer/demo/login', {
      token,
      body: { email: 'shopper@demo.example', password: PASSWORD },
      headers: { 'Emporix-Tenant': 'rival' },
    });
    expect([other.status, other.body.message]).toEqual([
      400,
      'Tenant in the header is not matching with the one provided in the URI.',
    ]);
  });
});

describe('refreshauthtoken', () => {
  it('with a company acts for it, without leaves it; the bearer may be any of the tenant', async () => {
    const company = await givenCompany(at);
    const { email } = await givenCustomer(at, { [company.id]: 'ADMIN' });
    const { refreshToken, sessionId, accessToken } = await signIn(at, email);
    const inside = await refresh(accessToken, { refreshToken, legalEntityId: company.id });
    expect(inside.status).toBe(200);
    expect(Object.keys(inside.body).sort()).toEqual(
      [
        'access_token',
        'accessToken',
        'expires_in',
        'expiresIn',
        'refresh_token',
        'refreshToken',
        'refresh_token_expires_in',
        'refreshTokenExpiresIn',
        'token_type',
        'session_id',
      ].sort(),
    );
    expect(inside.body.session_id).toBe(sessionId);
    expect((await validate(inside.body.access_token)).body.legalEntityId).toBe(company.id);
    const bearers = [
      (await guest(at)).accessToken,
      (await serviceToken(at)).accessToken,
      (await employee(at)).accessToken,
    ];
    let last = inside.body.refresh_token;
    for (const bearer of bearers) {
      const outside = await refresh(bearer, { refreshToken: last, legalEntityId: '' });
      expect((await validate(outside.body.access_token)).body).not.toHaveProperty('legalEntityId');
      last = outside.body.refresh_token;
    }
    expect((await tryRefresh(at, last)).code).toBeUndefined();
  });

  it('case 135: a foreign company is refused, and nothing is spent', async () => {
    const { refreshToken, accessToken } = await signIn(at, (await givenCustomer(at)).email);
    for (const legalEntityId of ['initech', 'no-such', 'umbrella']) {
      const { status, body } = await refresh(accessToken, { refreshToken, legalEntityId });
      expect([status, body]).toEqual([403, { type: 'Forbidden', status: 403, message: 'User not authorized.' }]);
    }
    expect((await refresh(accessToken, { refreshToken })).status).toBe(200);
  });

  it('case 135: an identical retry gets the same successor; long after, the whole session ends', async () => {
    const { refreshToken, accessToken, sessionId } = await signIn(at, (await givenCustomer(at)).email);
    const { accessToken: bearer } = await guest(at);
    const first = await refresh(bearer, { refreshToken });
    const again = await refresh(bearer, { refreshToken });
    expect(again.body.refresh_token).toBe(first.body.refresh_token);
    await givenOldUses(at, sessionId);
    expect((await refresh(bearer, { refreshToken })).status).toBe(401);
    expect((await refresh(bearer, { refreshToken: first.body.refresh_token })).status).toBe(401);
    expect([await isGood(at, accessToken), await isGood(at, first.body.access_token)]).toEqual([false, false]);
  });

  it('another tenant’s refresh token is none here, and lives on', async () => {
    const mallory = await signIn(at, 'mallory@rival.example');
    const { accessToken: bearer } = await guest(at);
    expect((await refresh(bearer, { refreshToken: mallory.refreshToken })).status).toBe(401);
    expect((await refresh(mallory.accessToken, { refreshToken: mallory.refreshToken })).body).toEqual(FAULT);
    expect((await tryRefresh(at, mallory.refreshToken)).code).toBeUndefined();
  });

  it.each(['rt_nonsense', 'nonsense'])('%s is refused', async (refreshToken) => {
    const { status, body } = await refresh((await guest(at)).accessToken, { refreshToken });
    expect([status, body.status]).toEqual([401, 401]);
  });
});

describe('validateauthtoken', () => {
  it('tells what the token says, and nothing of one that is not good', async () => {
    const { email } = await givenCustomer(at);
    const { accessToken, sessionId } = await signIn(at, email);
    const { status, body } = await validate(accessToken);
    expect([status, body]).toEqual([
      200,
      {
        token_type: 'Bearer',
        expires_in: expect.any(Number),
        scope: `${claimsOf(accessToken).scope} tenant=demo`,
        sessionId,
        email,
      },
    ]);
    expect(body.expires_in).toBeGreaterThan(3_500);
    expect(body.expires_in).toBeLessThanOrEqual(3_600);
    for (const token of [undefined, 'nonsense', (await guest(at)).accessToken, (await serviceToken(at)).accessToken])
      expect((await validate(token)).status).toBe(401);
  });
});

describe('logout', () => {
  const logout = (token: string | undefined, query: Record<string, string>) =>
    ask(at, 'GET', '/customer/demo/logout', { token, query });

  it('ends the session: none of its tokens is good any more, at any door', async () => {
    const { accessToken, refreshToken } = await signIn(at, (await givenCustomer(at)).email);
    expect((await logout(accessToken, { accessToken })).status).toBe(204);
    expect(await isGood(at, accessToken)).toBe(false);
    expect((await validate(accessToken)).status).toBe(401);
    expect((await refresh((await guest(at)).accessToken, { refreshToken })).status).toBe(401);
  });

  it('ends the token that is named, too', async () => {
    const { email } = await givenCustomer(at);
    const [one, other] = [await signIn(at, email), await signIn(at, email)];
    expect((await logout(one.accessToken, { accessToken: other.accessToken })).status).toBe(204);
    expect([await isGood(at, one.accessToken), await isGood(at, other.accessToken)]).toEqual([false, false]);
  });

  it('without a token named, or by a guest, nothing ends', async () => {
    const { accessToken } = await signIn(at, (await givenCustomer(at)).email);
    expect((await logout(accessToken, {})).body.details[0].field).toBe('accessToken');
    expect((await logout((await guest(at)).accessToken, { accessToken })).status).toBe(401);
    expect(await isGood(at, accessToken)).toBe(true);
  });
});

describe('me', () => {
  it('tells who the customer is, and which companies there are to choose from', async () => {
    const company = await givenCompany(at);
    const { email, id, customerNumber } = await givenCustomer(at, { [company.id]: 'BUYER' });
    const { accessToken } = await signIn(at, email);
    const { status, body } = await me(accessToken);
    const [assignment] = await at.app.modules.contactAssignments.openTo({ tenantId: 'demo' }, id);
    expect([status, body]).toEqual([
      200,
      {
        id,
        customerNumber,
        contactEmail: email,
        accounts: [{ id: email }],
        businessModel: 'B2B',
        b2b: { legalEntities: [{ id: company.id, name: company.name, contactAssignmentId: assignment!.id }] },
        metadata: { version: 1 },
      },
    ]);
  });

  it('a customer without a company is B2C; a guest is nobody; anybody else gets nothing', async () => {
    const { accessToken } = await signIn(at, (await givenCustomer(at)).email);
    expect((await me(accessToken)).body).toMatchObject({ businessModel: 'B2C', b2b: { legalEntities: [] } });
    expect((await me((await guest(at)).accessToken)).body).toEqual({
      firstName: 'Anonymous',
      lastName: 'Anonymous',
      preferredSite: 'default',
      customerNumber: '00000000',
      id: '00000000',
      accounts: [],
    });
    for (const token of [undefined, (await serviceToken(at)).accessToken, (await employee(at)).accessToken])
      expect((await me(token)).status).toBe(401);
  });
});

describe('signup', () => {
  const signUp = (token: string | undefined, body: object) => ask(at, 'POST', '/customer/demo/signup', { token, body });
  const account = (change: object = {}) => ({
    email: `new-${randomUUID()}@demo.example`,
    password: 'a password of mine',
    ...change,
  });

  it('makes an account that can sign in at once, and keeps the names', async () => {
    const { accessToken } = await guest(at);
    const input = account();
    const customerDetails = { firstName: 'Nora', lastName: 'New', contactEmail: input.email, title: 'MS' };
    const { status, body } = await signUp(accessToken, {
      ...input,
      customerDetails,
      customerAddress: { contactName: 'N' },
    });
    expect([status, Object.keys(body)]).toEqual([201, ['id']]);
    const tokens = await login(accessToken, input.email, input.password);
    expect((await me(tokens.body.access_token)).body).toMatchObject({
      id: body.id,
      firstName: 'Nora',
      lastName: 'New',
    });
  });

  it('with a registration number makes the company too, which an employee has yet to enable', async () => {
    const { accessToken } = await guest(at);
    const name = `Company ${randomUUID()}`;
    const customerDetails = {
      firstName: 'Olga',
      lastName: 'Owner',
      company: name,
      b2b: { companyRegistrationId: '1-2' },
    };
    const { status, body } = await signUp(accessToken, account({ customerDetails }));
    expect(status).toBe(201);
    const [assignment] = await at.app.modules.database.forTenant({ tenantId: 'demo' }).contactAssignment.findMany({
      where: { customerId: body.id },
      include: { legalEntity: true },
    });
    const details = { legalInfo: { registrationId: '1-2' } };
    expect(assignment).toMatchObject({ primary: true, legalEntity: { name, enabled: false, details } });
  });

  it('a taken address is a conflict', async () => {
    const { accessToken } = await guest(at);
    const { status, body } = await signUp(accessToken, account({ email: 'shopper@demo.example' }));
    expect([status, body.type, body.status]).toEqual([409, 'conflict_resource', 409]);
  });

  it.each([
    ['password', { password: 'short' }],
    ['email', { email: 'nobody' }],
    ['customerDetails.contactEmail', { customerDetails: { contactEmail: 'other@demo.example' } }],
    ['signup.email', { signup: { email: 'other@demo.example', password: 'a password of mine' } }],
    ['customerDetails.company', { customerDetails: { b2b: { companyRegistrationId: '1' } } }],
    ['firstName', { customerDetails: { company: 'C', b2b: { companyRegistrationId: '1' } } }],
  ])('tells of a bad %s, and makes nothing', async (field, change) => {
    const db = at.app.modules.database.forTenant({ tenantId: 'demo' });
    const before = await db.customer.count();
    const { status, body } = await signUp((await guest(at)).accessToken, account(change));
    expect([status, body.details[0].field]).toEqual([400, field]);
    expect(await db.customer.count()).toBe(before);
  });

  it('only a guest signs up', async () => {
    for (const token of [undefined, (await signIn(at)).accessToken, (await serviceToken(at)).accessToken])
      expect((await signUp(token, account())).body).toEqual(FAULT);
  });
});

describe('case 135', () => {
  it('what stands in the query of a URL is never logged', async () => {
    const secrets = ['accessToken', 'refreshToken', 'subjectAccessToken', 'code'].map(
      (name) => [name, `secret-${randomUUID()}`] as const,
    );
    const token = (await signIn(at)).accessToken;
    const { accessToken: anonymous } = await guest(at);
    const paths = ['logout', 'refreshauthtoken', 'exchangeauthtoken', 'socialLogin'];
    for (const [index, [name, value]] of secrets.entries()) {
      const method = index < 2 ? 'GET' : 'POST';
      const query = { [name]: value, redirect_uri: 'https://shop.example/callback' };
      await ask(at, method, `/customer/demo/${paths[index]}`, { token: index === 0 ? token : anonymous, query });
    }
    expect(at.logged.length).toBeGreaterThan(0);
    for (const [, value] of secrets) expect(at.logged.filter((line) => line.includes(value))).toEqual([]);
  });

  it('a parameter that is sent twice, NUL and endless input are refused', async () => {
    const { accessToken } = await guest(at);
    const twice = await fetch(`${at.url}/customer/demo/refreshauthtoken?refreshToken=a&refreshToken=b`, {
      headers: { Authorization: `Bearer ${accessToken}` },
    });
    expect(twice.status).toBe(400);
    expect((await refresh(accessToken, { refreshToken: 'a\0b' })).status).toBe(400);
    const long = await ask(at, 'POST', '/customer/demo/login', {
      token: accessToken,
      body: { email: 'x'.repeat(200_000), password: 'y' },
    });
    expect([long.status, long.body.type]).toEqual([413, 'payload_too_large']);
    const half = await ask(at, 'POST', '/customer/demo/signup', {
      token: accessToken,
      body: { email: 'a@b.example', password: '\ud800 is half a character' },
    });
    expect([half.status, half.body.type]).toEqual([400, 'bad_request']);
  });
});
