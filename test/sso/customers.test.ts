// Customers sign in through an OpenID provider: the guest's session goes on, a company from the start, local passwords
// beside it or not at all.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type OpenIdProvider, passThrough, startProvider } from '../kit/oidc.ts';
import {
  CALLBACK,
  callbackOf,
  connect,
  type Entered,
  pass,
  startSso,
  tryIssueSsoToken,
  tryPass,
  tryStartSso,
} from '../kit/oidc-stories.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { claimsOf, guest, isGood, tryLogin, tryRefresh, tryRefreshGuest } from '../kit/stories.ts';

let at: Service;
let idp: OpenIdProvider;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
let provider: string;
beforeAll(async () => {
  at = await theService();
  idp = await startProvider();
  tenant = await givenTenant(at);
  provider = await connect(at, tenant, idp);
});
afterAll(() => idp?.stop());

let people = 0;
/** A customer of the tenant whom the provider vouches for. @returns the name they sign in with, and the account's id */
async function givenPerson(of = tenant) {
  people += 1;
  const login = `person-${people}`;
  const email = `${login}@${of.id}.example`;
  const customer = await at.app.modules.customers.register(ctxOf(of.id), {
    email,
    password: 'a password of their own',
  });
  idp.accounts.set(login, { email, email_verified: true, given_name: 'Pat', family_name: 'Person' });
  return { login, email, id: customer.id };
}
const newGuest = (input: object = {}, of = tenant) => guest(at, { tenant: of.id, clientId: of.storefront, ...input });
const begin = (input: object = {}) => ({ tenant: tenant.id, provider, ...input });
const sessionsOf = (customerId: string) =>
  at.app.modules.database.forTenant({ tenantId: tenant.id }).session.findMany({ where: { customerId } });

describe('a guest who signs in', () => {
  it('goes on in the session of the guest, as the customer; the guest’s tokens are worthless', async () => {
    const { login, email, id } = await givenPerson();
    const { accessToken: anonymousToken, refreshToken: guestRefresh, sessionId } = await newGuest();
    const token = await pass(at, begin({ anonymousToken }), login);
    expect(token).toMatchObject({
      __typename: 'CustomerToken',
      tokenType: 'Bearer',
      expiresIn: 3600,
      refreshTokenExpiresIn: 30 * 86_400,
      sessionId,
      legalEntity: null,
      customer: { id, email },
    });
    expect(claimsOf(token.accessToken)).toMatchObject({
      kind: 'customer',
      sub: id,
      tenant: tenant.id,
      client_id: tenant.storefront,
      session_id: sessionId,
    });
    expect(await isGood(at, token.accessToken)).toBe(true);
    expect(await isGood(at, anonymousToken)).toBe(false);
    expect((await tryRefreshGuest(at, guestRefresh)).code).toBe('INVALID_GRANT');
  });

  it('has what a login by password gives: the same scopes, a saas token, and a refresh token that rotates', async () => {
    const { login, email } = await givenPerson();
    const byPassword = only(
      await tryLogin(at, {
        email,
        password: 'a password of their own',
        anonymousToken: (await newGuest()).accessToken,
      }),
    );
    const token = await pass(at, begin({ anonymousToken: (await newGuest()).accessToken }), login);
    expect(token.scopes).toEqual(byPassword.scopes);
    expect(claimsOf((token as unknown as { saasToken: string }).saasToken)).toMatchObject({
      kind: 'saas',
      session_id: token.sessionId,
    });
    const next = only(await tryRefresh(at, token.refreshToken));
    expect([next.sessionId, next.refreshToken === token.refreshToken]).toEqual([token.sessionId, false]);
  });

  it('may show the guest’s token as the bearer when it begins', async () => {
    const { login } = await givenPerson();
    const { accessToken, sessionId } = await newGuest();
    const begun = await startSso(at, begin(), accessToken);
    const returned = await passThrough(begun.authorizationUrl, login);
    const token = only<Entered>(await tryIssueSsoToken(at, callbackOf(begun, returned)));
    expect([token.sessionId, await isGood(at, accessToken)]).toEqual([sessionId, false]);
  });

  it('keeps what the visit was about', async () => {
    const { login } = await givenPerson();
    const context = { siteCode: 'main', currency: 'EUR', language: 'de', targetLocation: 'DE' };
    const { accessToken: anonymousToken } = await newGuest(context);
    const { accessToken } = await pass(at, begin({ anonymousToken }), login);
    const query = `{ currentPrincipal { ... on CustomerPrincipal { session { context { siteCode currency language targetLocation } } } } }`;
    expect(only(await graphql(at, query, { bearer: accessToken })).session.context).toEqual(context);
  });

  it('who has signed in otherwise meanwhile is not signed in once more on that session', async () => {
    const [first, second] = [await givenPerson(), await givenPerson()];
    const { accessToken: anonymousToken, sessionId } = await newGuest();
    const begun = await startSso(at, begin({ anonymousToken }));
    only(await tryLogin(at, { email: first.email, password: 'a password of their own', anonymousToken }));
    const late = await tryIssueSsoToken(at, callbackOf(begun, await passThrough(begun.authorizationUrl, second.login)));
    expect(late.code).toBe('UNAUTHENTICATED');
    expect(await sessionsOf(second.id)).toEqual([]);
    expect((await sessionsOf(first.id)).map(({ id }) => id)).toEqual([sessionId]);
  });

  it('a token that is no good guest’s, or another tenant’s, begins nothing', async () => {
    const elsewhere = await guest(at);
    for (const anonymousToken of [elsewhere.accessToken, elsewhere.refreshToken, 'nonsense', ''])
      expect((await tryStartSso(at, begin({ anonymousToken }))).code, anonymousToken).toBe('UNAUTHENTICATED');
  });
});

describe('without a guest', () => {
  it('every sign-in is a session of its own, of the same customer', async () => {
    const { login, id } = await givenPerson();
    const [one, other] = [await pass(at, begin(), login), await pass(at, begin(), login)];
    expect([one.customer?.id, other.customer?.id]).toEqual([id, id]);
    expect(one.sessionId).not.toBe(other.sessionId);
    expect((await sessionsOf(id)).map((session) => session.id).sort()).toEqual([one.sessionId, other.sessionId].sort());
    expect([await isGood(at, one.accessToken), await isGood(at, other.accessToken)]).toEqual([true, true]);
    expect((await tryRefresh(at, one.refreshToken)).errors).toEqual([]);
  });

  it('the session is told to the trail, and names nobody in the clear', async () => {
    const { login, email, id } = await givenPerson();
    const { sessionId } = await pass(at, begin(), login);
    const db = at.app.modules.database.forTenant({ tenantId: tenant.id });
    const events = await db.auditEvent.findMany({ where: { subjectId: sessionId } });
    expect(events.map(({ type, actor }) => ({ type, actor }))).toEqual([
      { type: 'login.succeeded', actor: { kind: 'customer', id } },
    ]);
    expect(JSON.stringify(events)).not.toContain(email);
  });
});

describe('a company from the start', () => {
  it('is in both tokens, with its scopes', async () => {
    const { login, id } = await givenPerson();
    await at.app.modules.contactAssignments.assign(ctxOf(tenant.id), id, 'company');
    await at.app.modules.memberships.joinCompany(ctxOf(tenant.id), 'company', 'ADMIN', id);
    const plain = await pass(at, begin(), login);
    const token = await pass(at, begin(), login, { legalEntityId: 'company' });
    expect(token).toMatchObject({ legalEntity: { id: 'company', name: 'Company' } });
    expect(claimsOf(token.accessToken).legalEntityId).toBe('company');
    expect(claimsOf((token as unknown as { saasToken: string }).saasToken).legalEntityId).toBe('company');
    expect(token.scopes.length).toBeGreaterThan(plain.scopes.length);
    expect(only(await tryRefresh(at, token.refreshToken)).legalEntity).toMatchObject({ id: 'company' });
  });

  it('that is not the customer’s, or that there is not, is ACCESS_DENIED in one and the same words; no session', async () => {
    const { login, id } = await givenPerson();
    await at.app.modules.legalEntities.create(ctxOf(tenant.id), { id: 'other', name: 'Other' });
    const { accessToken: anonymousToken } = await newGuest();
    const answers = [];
    for (const legalEntityId of ['other', 'nowhere', 'acme'])
      answers.push(await tryPass(at, begin({ anonymousToken }), login, { legalEntityId }));
    const seen = answers.map(({ errors }) => errors.map(({ message, extensions: { code } }) => ({ message, code })));
    expect(seen[0]).toMatchObject([{ code: 'ACCESS_DENIED' }]);
    expect([seen[1], seen[2]]).toEqual([seen[0], seen[0]]);
    expect(await sessionsOf(id)).toEqual([]);
    expect(await isGood(at, anonymousToken)).toBe(true);
  });
});

describe('an account', () => {
  it('is the person’s by issuer and subject: another address at the provider changes nothing', async () => {
    const { login, id, email } = await givenPerson();
    await pass(at, begin(), login);
    const other = await givenPerson();
    for (const claims of [
      { email: 'moved@elsewhere.example', email_verified: true },
      { email: other.email, email_verified: true },
      { email, email_verified: false },
      {},
    ]) {
      idp.accounts.set(login, claims);
      expect((await pass(at, begin(), login)).customer?.id).toBe(id);
    }
  });

  it('that is disabled does not come in, and the guest stays a guest', async () => {
    const { login, id } = await givenPerson();
    await pass(at, begin(), login);
    await at.app.modules.customers.update(ctxOf(tenant.id), id, { enabled: false });
    const { accessToken: anonymousToken } = await newGuest();
    expect((await tryPass(at, begin({ anonymousToken }), login)).code).toBe('INVALID_GRANT');
    expect(await isGood(at, anonymousToken)).toBe(true);
  });

  it('that is disabled between the beginning and the return does not come in either', async () => {
    const { login, id } = await givenPerson();
    const begun = await startSso(at, begin());
    const returned = await passThrough(begun.authorizationUrl, login);
    await at.app.modules.customers.update(ctxOf(tenant.id), id, { enabled: false });
    expect((await tryIssueSsoToken(at, callbackOf(begun, returned))).code).toBe('INVALID_GRANT');
    expect(await sessionsOf(id)).toEqual([]);
  });
});

describe('where passwords of customers are switched off', () => {
  it('the provider is the way in, and a right password answers like a wrong one', async () => {
    const strict = await givenTenant(at, { customerPasswords: false });
    const strictProvider = await connect(at, strict, idp);
    const { login, email, id } = await givenPerson(strict);
    const { accessToken: anonymousToken, sessionId } = await newGuest({}, strict);
    const byPassword = await tryLogin(at, { email, password: 'a password of their own', anonymousToken });
    expect(byPassword.code).toBe('INVALID_GRANT');
    const token = await pass(at, { tenant: strict.id, provider: strictProvider, anonymousToken }, login);
    expect([token.customer?.id, token.sessionId]).toEqual([id, sessionId]);
  });
});

it('a sign-in may be begun and finished with the redirect URI that the provider lists second', async () => {
  const two = [CALLBACK, 'https://shop.example/app/callback'];
  const other = await startProvider({ redirectUris: two });
  try {
    const second = await connect(at, tenant, other, { redirectUris: two });
    const { login, email, id } = await givenPerson();
    other.accounts.set(login, { email, email_verified: true });
    const token = await pass(at, begin({ provider: second, redirectUri: two[1] }), login);
    expect(token.customer?.id).toBe(id);
  } finally {
    await other.stop();
  }
});
