// A provider's token for one of ours (RFC 8693): signed ones are checked by the provider's keys, opaque ones by asking it;
// a guest's session goes on. What must be refused: token-exchange-refused.test.ts.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { givenGroup } from '../kit/groups.ts';
import { type OpenIdProvider, startProvider, tokensOf } from '../kit/oidc.ts';
import { connect, type Entered, tryExchange } from '../kit/oidc-stories.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { claimsOf, guest, isGood, tryRefresh, tryRefreshGuest } from '../kit/stories.ts';

let at: Service;
let idp: OpenIdProvider;
/** Tells of the person in the id_token, and not only in userinfo. */
let talkative: OpenIdProvider;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
beforeAll(async () => {
  at = await theService();
  [idp, talkative] = [await startProvider(), await startProvider({ claimsIn: 'id_token' })];
  tenant = await givenTenant(at);
  await givenGroup(at, { name: 'Buyers', scopes: ['order.order_read'] }, tenant.id);
});
afterAll(() => Promise.all([idp?.stop(), talkative?.stop()]));

let people = 0;
/** A customer who has proved the address, and whom both providers vouch for. */
async function givenPerson() {
  people += 1;
  const login = `person-${people}`;
  const email = `${login}@${tenant.id}.example`;
  const { id } = await at.app.modules.customers.register(ctxOf(tenant.id), { email, password: 'a password of theirs' });
  const db = at.app.modules.database.forTenant({ tenantId: tenant.id });
  await db.customer.updateMany({ where: { id }, data: { emailVerifiedAt: new Date() } });
  for (const { accounts } of [idp, talkative]) accounts.set(login, { email, email_verified: true, groups: ['Buyers'] });
  return { login, email, id };
}
const newGuest = () => guest(at, { tenant: tenant.id, clientId: tenant.storefront });

/** The ways in which a provider can be set up, and the token that it then gives. */
const ways = [
  {
    what: 'an access token that is a JWT',
    of: () => idp,
    settings: () => ({ subjectTokens: 'JWT', audience: idp.audiences.JWT }),
    token: async (login: string) => (await tokensOf(idp, login, idp.audiences.JWT)).access_token,
  },
  {
    what: 'an opaque access token',
    of: () => idp,
    settings: () => ({ subjectTokens: 'OPAQUE', audience: idp.audiences.OPAQUE }),
    token: async (login: string) => (await tokensOf(idp, login, idp.audiences.OPAQUE)).access_token,
  },
  {
    what: 'an id_token',
    of: () => talkative,
    settings: () => ({ subjectTokens: 'JWT' }),
    token: async (login: string) => (await tokensOf(talkative, login)).id_token,
  },
] as const;

describe.each(ways)('$what', ({ of, settings, token }) => {
  let provider: string;
  let forEmployees: string;
  beforeAll(async () => {
    provider = await connect(at, tenant, of(), settings());
    forEmployees = await connect(at, tenant, of(), {
      ...settings(),
      userTypes: ['EMPLOYEE'],
      groupClaim: 'groups',
      autoProvision: true,
    });
  });
  const exchange = async (login: string, input: object = {}, bearer?: string) =>
    tryExchange(at, { tenant: tenant.id, provider, subjectToken: await token(login), ...input }, bearer);

  it('success: the guest’s session goes on, and the guest’s tokens are worthless', async () => {
    const { login, id, email } = await givenPerson();
    const { accessToken: anonymousToken, refreshToken: guestRefresh, sessionId } = await newGuest();
    const got = only<Entered>(await exchange(login, { anonymousToken }));
    expect(got).toMatchObject({ __typename: 'CustomerToken', tokenType: 'Bearer', sessionId, customer: { id, email } });
    expect(claimsOf(got.accessToken)).toMatchObject({ sub: id, kind: 'customer', client_id: tenant.storefront });
    expect([await isGood(at, got.accessToken), await isGood(at, anonymousToken)]).toEqual([true, false]);
    expect((await tryRefreshGuest(at, guestRefresh)).code).toBe('INVALID_GRANT');
    expect(only(await tryRefresh(at, got.refreshToken)).sessionId).toBe(sessionId);
  });

  it('the guest’s token may be the bearer; without one the session is new', async () => {
    const { login, id } = await givenPerson();
    const { accessToken, sessionId } = await newGuest();
    const kept = only<Entered>(await exchange(login, {}, accessToken));
    const fresh = only<Entered>(await exchange(login));
    expect([kept.sessionId, kept.customer?.id, fresh.customer?.id]).toEqual([sessionId, id, id]);
    expect(fresh.sessionId).not.toBe(sessionId);
    expect([await isGood(at, kept.accessToken), await isGood(at, fresh.accessToken)]).toEqual([true, true]);
  });

  it('goes straight to a company of the customer, and to no other', async () => {
    const { login, id } = await givenPerson();
    await at.app.modules.contactAssignments.assign(ctxOf(tenant.id), id, 'company');
    const got = only<Entered & { legalEntity: unknown }>(await exchange(login, { legalEntityId: 'company' }));
    expect(got.legalEntity).toEqual({ id: 'company', name: 'Company' });
    expect(claimsOf(got.accessToken).legalEntityId).toBe('company');
    const { accessToken: anonymousToken } = await newGuest();
    expect((await exchange(login, { legalEntityId: 'acme', anonymousToken })).code).toBe('ACCESS_DENIED');
    expect(await isGood(at, anonymousToken)).toBe(true);
  });

  it('makes an employee, whose groups follow the claim', async () => {
    const { login } = await givenPerson();
    const input = { provider: forEmployees, userType: 'EMPLOYEE' };
    const got = only<Entered>(await exchange(login, input));
    expect(got).toMatchObject({ __typename: 'EmployeeToken', scopes: ['order.order_read'] });
    for (const { accounts } of [idp, talkative]) accounts.set(login, { ...accounts.get(login), groups: [] });
    expect(only<Entered>(await exchange(login, input)).scopes).toEqual([]);
    expect(await isGood(at, got.accessToken)).toBe(false);
  });

  it('is exchanged once', async () => {
    const { login } = await givenPerson();
    const subjectToken = await token(login);
    const codes = [];
    for (let times = 0; times < 3; times += 1) codes.push((await exchange(login, { subjectToken })).code);
    expect(codes).toEqual([undefined, 'INVALID_GRANT', 'INVALID_GRANT']);
  });

  it('somebody unknown, without a verified address or disabled is INVALID_GRANT', async () => {
    const { login, email, id } = await givenPerson();
    for (const { accounts } of [idp, talkative]) accounts.set(login, { email, email_verified: false });
    expect((await exchange(login)).code).toBe('INVALID_GRANT');
    for (const { accounts } of [idp, talkative]) accounts.set(login, { email: 'x@test.example', email_verified: true });
    expect((await exchange(login)).code).toBe('INVALID_GRANT');
    for (const { accounts } of [idp, talkative]) accounts.set(login, { email, email_verified: true });
    await at.app.modules.customers.update(ctxOf(tenant.id), id, { enabled: false });
    expect((await exchange(login)).code).toBe('INVALID_GRANT');
  });

  it('where token exchange has not been switched on everything is INVALID_GRANT', async () => {
    const { login } = await givenPerson();
    const off = await connect(at, tenant, of(), { audience: (settings() as { audience?: string }).audience });
    expect((await exchange(login, { provider: off })).code).toBe('INVALID_GRANT');
  });

  it('a wrong guest’s token is UNAUTHENTICATED, and the token can still be exchanged', async () => {
    const { login } = await givenPerson();
    const subjectToken = await token(login);
    const elsewhere = await guest(at);
    for (const anonymousToken of [elsewhere.accessToken, 'nonsense'])
      expect((await exchange(login, { subjectToken, anonymousToken })).code).toBe('UNAUTHENTICATED');
    expect((await exchange(login, { subjectToken })).errors).toEqual([]);
  });
});
