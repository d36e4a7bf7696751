// /customer/{tenant}/exchangeauthtoken and /socialLogin: shoppers whom an identity provider vouches for.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { codeOf, type OpenIdProvider, startProvider, tokensOf } from '../kit/oidc.ts';
import { connect } from '../kit/oidc-stories.ts';
import { restClient } from '../kit/rest.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { claimsOf, guest, isGood, signIn } from '../kit/stories.ts';

let at: Service;
let idp: OpenIdProvider;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
const CALLBACK = 'https://shop.example/social';
beforeAll(async () => {
  at = await theService();
  idp = await startProvider({ redirectUris: [CALLBACK] });
  tenant = await givenTenant(at);
  const settings = { name: 'site_PL', subjectTokens: 'JWT', audience: idp.audiences.JWT, redirectUris: [CALLBACK] };
  await connect(at, tenant, idp, { ...settings, autoProvision: true });
});
afterAll(() => idp?.stop());

const ask = restClient('customer-managed');
const post = (path: string, query: Record<string, string>, token?: string) =>
  ask(at, 'POST', `/customer/${tenant.id}/${path}`, { token, query });
const newGuest = () => guest(at, { tenant: tenant.id, clientId: tenant.storefront });
let people = 0;
/** Somebody whom the provider vouches for. */
function newPerson(): string {
  people += 1;
  const login = `shopper-${people}`;
  idp.accounts.set(login, { email: `${login}@${tenant.id}.example`, email_verified: true });
  return login;
}
const tokenOf = async (login: string) => (await tokensOf(idp, login, idp.audiences.JWT)).access_token;

describe('exchangeauthtoken', () => {
  it.each([[{ config: 'site_PL' }], [{}]])('%j: the guest’s session goes on as the customer’s', async (config) => {
    const { accessToken, sessionId } = await newGuest();
    const subjectAccessToken = await tokenOf(newPerson());
    const { status, body } = await post('exchangeauthtoken', { subjectAccessToken, ...config }, accessToken);
    expect([status, body]).toEqual([
      200,
      {
        subject_access_token: subjectAccessToken,
        access_token: expect.any(String),
        saas_token: expect.any(String),
        refresh_token: expect.stringMatching(/^rt_/),
        refresh_token_expires_in: 2_592_000,
        session_idle_time: 2_592_000,
        token_type: 'Bearer',
        expires_in: 3_600,
        scope: `${claimsOf(body.access_token).scope} tenant=${tenant.id}`,
        session_id: sessionId,
      },
    ]);
    expect(await isGood(at, body.access_token)).toBe(true);
  });

  it('an unknown configuration is a bad request; a token that is not good, or used before, is refused', async () => {
    const subjectAccessToken = await tokenOf(newPerson());
    const asked = async (query: Record<string, string>) =>
      post('exchangeauthtoken', query, (await newGuest()).accessToken);
    const unknown = await asked({ subjectAccessToken, config: 'nothing' });
    expect([unknown.status, unknown.body.details[0].field]).toEqual([400, 'config']);
    expect((await asked({ subjectAccessToken: 'nonsense' })).status).toBe(401);
    expect((await asked({ subjectAccessToken })).status).toBe(200);
    expect((await asked({ subjectAccessToken })).status).toBe(401);
    expect((await asked({})).body.details[0].field).toBe('subjectAccessToken');
  });

  it('only a guest of the tenant exchanges', async () => {
    const subjectAccessToken = await tokenOf(newPerson());
    for (const token of [undefined, (await guest(at)).accessToken, (await signIn(at)).accessToken])
      expect((await post('exchangeauthtoken', { subjectAccessToken }, token)).status).toBe(401);
  });
});

describe('socialLogin', () => {
  const verifier = 'a-verifier-that-the-storefront-has-made-and-nobody-else-knows';
  const comeBack = async (token: string | undefined, change: Record<string, string> = {}, login = newPerson()) => {
    const code = await codeOf(idp, login, { verifier });
    return post('socialLogin', { code, redirect_uri: CALLBACK, code_verifier: verifier, ...change }, token);
  };

  it('a code of the storefront’s own asking makes the guest a customer; lifetimes are texts', async () => {
    const { accessToken, sessionId } = await newGuest();
    const { status, body } = await comeBack(accessToken);
    expect([status, body]).toEqual([
      200,
      {
        social_access_token: expect.any(String),
        social_id_token: expect.any(String),
        access_token: expect.any(String),
        saas_token: expect.any(String),
        refresh_token: expect.stringMatching(/^rt_/),
        refresh_token_expires_in: '2592000',
        session_idle_time: 2_592_000,
        token_type: 'Bearer',
        expires_in: '3600',
        scope: `${claimsOf(body.access_token).scope} tenant=${tenant.id}`,
      },
    ]);
    expect(claimsOf(body.access_token)).toMatchObject({ kind: 'customer', session_id: sessionId });
    expect(claimsOf(body.social_id_token).iss).toBe(idp.issuer);
  });

  it('case 35: a session id in a header gives nothing: the session is the bearer’s', async () => {
    const [mine, another] = [await newGuest(), await newGuest()];
    const code = await codeOf(idp, newPerson(), { verifier });
    const { body } = await ask(at, 'POST', `/customer/${tenant.id}/socialLogin`, {
      token: mine.accessToken,
      query: { code, redirect_uri: CALLBACK, code_verifier: verifier },
      headers: { 'session-id': another.sessionId },
    });
    expect(claimsOf(body.access_token).session_id).toBe(mine.sessionId);
    expect(await isGood(at, another.accessToken)).toBe(true);
  });

  it('case 67: the same code twice, or with another verifier, or of another address: refused, and the guest stays one', async () => {
    const { accessToken } = await newGuest();
    const code = await codeOf(idp, newPerson(), { verifier });
    const query = { code, redirect_uri: CALLBACK, code_verifier: verifier };
    expect((await post('socialLogin', query, (await newGuest()).accessToken)).status).toBe(200);
    expect((await post('socialLogin', query, accessToken)).status).toBe(401);
    expect((await comeBack(accessToken, { code_verifier: `${verifier}-another` })).status).toBe(401);
    expect((await comeBack(accessToken, { code: 'nonsense' })).status).toBe(401);
    const elsewhere = await comeBack(accessToken, { redirect_uri: `${CALLBACK}/..` });
    expect([elsewhere.status, elsewhere.body.details[0].field]).toEqual([400, 'redirect_uri']);
    expect(await isGood(at, accessToken)).toBe(true);
  });

  it('case 71: an address that the provider has not verified links no account', async () => {
    const login = newPerson();
    const email = `${login}@${tenant.id}.example`;
    idp.accounts.set(login, { email, email_verified: false });
    await at.app.modules.customers.register(ctxOf(tenant.id), { email, password: 'a password of theirs' });
    expect((await comeBack((await newGuest()).accessToken, {}, login)).status).toBe(401);
  });

  it('case 68: an address that two providers share is nobody’s: whose code it is cannot be told', async () => {
    const other = await startProvider({ redirectUris: [CALLBACK] });
    try {
      const two = await givenTenant(at);
      for (const provider of [idp, other]) await connect(at, two, provider, { redirectUris: [CALLBACK] });
      const { accessToken } = await guest(at, { tenant: two.id, clientId: two.storefront });
      const code = await codeOf(idp, newPerson(), { verifier });
      const query = { code, redirect_uri: CALLBACK, code_verifier: verifier };
      const { status, body } = await ask(at, 'POST', `/customer/${two.id}/socialLogin`, { token: accessToken, query });
      expect([status, body.details[0].field]).toEqual([400, 'redirect_uri']);
    } finally {
      await other.stop();
    }
  });

  it('a provider that is away is no denial', async () => {
    const code = await codeOf(idp, newPerson(), { verifier });
    const { accessToken } = await newGuest();
    await idp.goAway();
    try {
      const query = { code, redirect_uri: CALLBACK, code_verifier: verifier };
      expect((await post('socialLogin', query, accessToken)).status).toBe(503);
    } finally {
      await idp.comeBack();
    }
  });
});
