// Employees sign in through an OpenID provider, and a claim of it says which groups they are in: set at each login, taken
// away when the claim goes. Groups that somebody gave by hand stay.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { givenGroup } from '../kit/groups.ts';
import { type OpenIdProvider, startProvider } from '../kit/oidc.ts';
import { connect, pass, tryDeleteProvider, tryPass } from '../kit/oidc-stories.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { claimsOf, guest, isGood, PASSWORD, tryEmployeeLogin, tryRefreshEmployee } from '../kit/stories.ts';

let at: Service;
let idp: OpenIdProvider;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
let provider: string;
let buyers: { id: string };
let sellers: { id: string };
let handed: { id: string };
beforeAll(async () => {
  at = await theService();
  idp = await startProvider();
  tenant = await givenTenant(at);
  buyers = await givenGroup(at, { name: 'Buyers', scopes: ['order.order_read'] }, tenant.id);
  sellers = await givenGroup(at, { name: 'Sellers', scopes: ['product.product_read'] }, tenant.id);
  handed = await givenGroup(at, { name: 'By hand', scopes: ['price.price_read'] }, tenant.id);
  await givenGroup(at, { name: 'Shoppers', userType: 'CUSTOMER', scopes: ['order.order_read'] }, tenant.id);
  provider = await connect(at, tenant, idp, { userTypes: ['EMPLOYEE'], groupClaim: 'groups' });
});
afterAll(() => idp?.stop());

let people = 0;
/** An employee without a password whom the provider vouches for. */
async function givenPerson(of = tenant) {
  people += 1;
  const login = `employee-${people}`;
  const email = `${login}@${of.id}.example`;
  const employee = await at.app.modules.employees.create(ctxOf(of.id), { email, firstName: 'Erin', lastName: 'Works' });
  const claim = (groups: unknown) =>
    idp.accounts.set(login, {
      email,
      email_verified: true,
      ...(groups === undefined ? {} : { groups: groups as string[] }),
    });
  claim(undefined);
  return { login, email, id: employee.id, claim };
}
const enter = (login: string, input: object = {}) =>
  pass(at, { tenant: tenant.id, provider, userType: 'EMPLOYEE', ...input }, login);
const groupsOf = async (employeeId: string) => {
  const db = at.app.modules.database.forTenant({ tenantId: tenant.id });
  const found = await db.employeeMembership.findMany({ where: { employeeId }, include: { group: true } });
  return found.map(({ group }) => group.name).sort();
};
const add = (groupId: string, userId: string) =>
  at.app.modules.memberships.add(ctxOf(tenant.id), { groupId, userId, userType: 'EMPLOYEE' });

it('success: an employee token with the scopes of the groups, a quarter of an hour and twelve hours', async () => {
  const { login, email, id, claim } = await givenPerson();
  claim(['Buyers']);
  const token = await enter(login);
  expect(token).toMatchObject({
    __typename: 'EmployeeToken',
    tokenType: 'Bearer',
    expiresIn: 900,
    refreshTokenExpiresIn: 12 * 3600,
    scopes: ['order.order_read'],
    employee: { id, email },
  });
  expect(claimsOf(token.accessToken)).toMatchObject({
    kind: 'employee',
    sub: id,
    tenant: tenant.id,
    groups: [buyers.id],
  });
  expect(await isGood(at, token.accessToken)).toBe(true);
  expect(only(await tryRefreshEmployee(at, token.refreshToken)).sessionId).toBe(token.sessionId);
});

describe('groups by claim', () => {
  it('follow it over the logins: given, exchanged, and taken away when it goes', async () => {
    const { login, id, claim } = await givenPerson();
    await add(handed.id, id);
    const seen: { claimed: unknown; scopes: string[]; groups: string[] }[] = [];
    for (const claimed of [['Buyers', 'Sellers'], ['Sellers'], ['Buyers'], [], undefined, ['Sellers'], undefined]) {
      claim(claimed);
      const { scopes } = await enter(login);
      seen.push({ claimed, scopes, groups: await groupsOf(id) });
    }
    const [none, buy, sell] = [
      ['price.price_read'],
      ['order.order_read', 'price.price_read'],
      ['price.price_read', 'product.product_read'],
    ];
    expect(seen).toEqual([
      {
        claimed: ['Buyers', 'Sellers'],
        scopes: ['order.order_read', 'price.price_read', 'product.product_read'],
        groups: ['Buyers', 'By hand', 'Sellers'],
      },
      { claimed: ['Sellers'], scopes: sell, groups: ['By hand', 'Sellers'] },
      { claimed: ['Buyers'], scopes: buy, groups: ['Buyers', 'By hand'] },
      { claimed: [], scopes: none, groups: ['By hand'] },
      { claimed: undefined, scopes: none, groups: ['By hand'] },
      { claimed: ['Sellers'], scopes: sell, groups: ['By hand', 'Sellers'] },
      { claimed: undefined, scopes: none, groups: ['By hand'] },
    ]);
  });

  it('what a login takes away is felt at once by the tokens of the login before, and a refresh has the new scopes', async () => {
    const { login, claim } = await givenPerson();
    claim(['Buyers', 'Sellers']);
    const first = await enter(login);
    claim(['Sellers']);
    await enter(login);
    expect(await isGood(at, first.accessToken)).toBe(false);
    expect(only(await tryRefreshEmployee(at, first.refreshToken)).scopes).toEqual(['product.product_read']);
  });

  it('a login that changes nothing ends no token', async () => {
    const { login, claim } = await givenPerson();
    claim(['Buyers']);
    const first = await enter(login);
    await enter(login);
    expect(await isGood(at, first.accessToken)).toBe(true);
  });

  it('a group that somebody gave by hand stays, even if the claim named it once and no longer does', async () => {
    const { login, id, claim } = await givenPerson();
    await add(buyers.id, id);
    claim(['Buyers']);
    await enter(login);
    claim([]);
    expect((await enter(login)).scopes).toEqual(['order.order_read']);
    expect(await groupsOf(id)).toEqual(['Buyers']);
  });

  it('names that no group of employees has give nothing: unknown, a group of customers, another case', async () => {
    const { login, id, claim } = await givenPerson();
    claim(['Nowhere', 'Shoppers', 'buyers', ' Buyers', '']);
    expect((await enter(login)).scopes).toEqual([]);
    expect(await groupsOf(id)).toEqual([]);
  });

  it.each([
    ['a single text', 'Sellers', ['Sellers']],
    ['a list with other things among it', ['Sellers', 7, null, { name: 'Buyers' }, ['Buyers']], ['Sellers']],
    ['an object', { Buyers: true }, []],
    ['a text of several names', 'Buyers,Sellers', []],
    ['a number', 7, []],
  ])('the claim may be %s', async (_what, claimed, groups) => {
    const { login, id, claim } = await givenPerson();
    claim(claimed);
    await enter(login);
    expect(await groupsOf(id)).toEqual(groups);
  });

  it('each provider answers for its own: what another gave is not taken away', async () => {
    const { login, id, claim } = await givenPerson();
    const other = await connect(at, tenant, idp, { userTypes: ['EMPLOYEE'], groupClaim: 'roles' });
    claim(['Buyers']);
    await enter(login);
    idp.accounts.set(login, { ...idp.accounts.get(login), roles: ['Sellers'] });
    await enter(login, { provider: other });
    expect(await groupsOf(id)).toEqual(['Buyers', 'Sellers']);
    idp.accounts.set(login, { ...idp.accounts.get(login), groups: [], roles: ['Sellers'] });
    await enter(login);
    expect(await groupsOf(id)).toEqual(['Sellers']);
  });

  it('a provider without such a claim leaves groups alone', async () => {
    const { login, id, claim } = await givenPerson();
    const plain = await connect(at, tenant, idp, { userTypes: ['EMPLOYEE'] });
    await add(sellers.id, id);
    claim(['Buyers']);
    expect((await enter(login, { provider: plain })).scopes).toEqual(['product.product_read']);
    expect(await groupsOf(id)).toEqual(['Sellers']);
  });

  it('the last who can manage groups stays, when the claim goes and when the provider is to go', async () => {
    const own = await givenTenant(at);
    const scopes = ['iam.group_manage', 'oauth.idp_manage'];
    const admins = await givenGroup(at, { name: 'Admins', scopes }, own.id);
    const lonely = await connect(at, own, idp, { userTypes: ['EMPLOYEE'], groupClaim: 'groups' });
    const { login, claim } = await givenPerson(own);
    const come = () => enter(login, { tenant: own.id, provider: lonely });
    claim(['Admins']);
    await come();
    const db = at.app.modules.database.forTenant({ tenantId: own.id });
    await db.employeeMembership.deleteMany({ where: { employeeId: own.employee.id } });
    claim([]);
    const token = await come();
    expect(token.scopes).toEqual(scopes);
    expect(claimsOf(token.accessToken).groups).toEqual([admins.id]);
    const refused = await tryDeleteProvider(at, token.accessToken, lonely);
    expect(refused.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'LAST_ADMINISTRATOR' });
    expect(await db.identityProvider.count()).toBe(1);
  });

  it('several logins at once, of one person who is known, all come in and leave one membership', async () => {
    const { login, id, claim } = await givenPerson();
    await enter(login);
    claim(['Buyers', 'Sellers']);
    const tokens = await Promise.all(Array.from({ length: 4 }, () => enter(login)));
    for (const { scopes } of tokens) expect(scopes).toEqual(['order.order_read', 'product.product_read']);
    expect(await groupsOf(id)).toEqual(['Buyers', 'Sellers']);
  });

  it('coming and going are told to the trail', async () => {
    const { login, id, claim } = await givenPerson();
    claim(['Buyers']);
    await enter(login);
    claim([]);
    await enter(login);
    const db = at.app.modules.database.forTenant({ tenantId: tenant.id });
    const types = ['group.member_added', 'group.member_removed'];
    const events = await db.auditEvent.findMany({
      where: { type: { in: types }, subjectId: { in: [buyers.id, id] } },
      orderBy: { at: 'asc' },
    });
    expect(events.filter((event) => JSON.stringify(event).includes(id)).map(({ type }) => type)).toEqual(types);
  });
});

describe('refused', () => {
  it('an employee who is disabled', async () => {
    const { login, id } = await givenPerson();
    await enter(login);
    await at.app.modules.employees.update(ctxOf(tenant.id), id, { enabled: false });
    expect((await tryPass(at, { tenant: tenant.id, provider, userType: 'EMPLOYEE' }, login)).code).toBe(
      'INVALID_GRANT',
    );
  });

  it('a customer of the same address is no employee', async () => {
    idp.accounts.set('shopper', { email: tenant.customer.email, email_verified: true, groups: ['Buyers'] });
    expect((await tryPass(at, { tenant: tenant.id, provider, userType: 'EMPLOYEE' }, 'shopper')).code).toBe(
      'INVALID_GRANT',
    );
  });

  it('nobody becomes an administrator by a claim that the provider is not set up with', async () => {
    const { login, id } = await givenPerson();
    const administrators = 'Administrators';
    idp.accounts.set(login, { ...idp.accounts.get(login), roles: [administrators], group: [administrators] });
    expect((await enter(login)).scopes).toEqual([]);
    expect(await groupsOf(id)).toEqual([]);
  });
});

it('a guest who is an employee stays a guest: the session of an employee is its own', async () => {
  const { login } = await givenPerson();
  const { accessToken: anonymousToken, sessionId } = await guest(at, {
    tenant: tenant.id,
    clientId: tenant.storefront,
  });
  const token = await enter(login, { anonymousToken });
  expect(token.sessionId).not.toBe(sessionId);
  expect(await isGood(at, anonymousToken)).toBe(true);
});

it('where passwords of employees are switched off the provider is the way in', async () => {
  const strict = await givenTenant(at);
  const strictProvider = await connect(at, strict, idp, { userTypes: ['EMPLOYEE'] });
  await at.app.modules.tenants.changeSettings(strict.id, { employeePasswords: false });
  idp.accounts.set('boss', { email: strict.employee.email, email_verified: true });
  expect((await tryEmployeeLogin(at, strict.employee.email, PASSWORD, strict.id)).code).toBe('INVALID_GRANT');
  const token = await pass(at, { tenant: strict.id, provider: strictProvider, userType: 'EMPLOYEE' }, 'boss');
  expect(token.employee?.id).toBe(strict.employee.id);
});
