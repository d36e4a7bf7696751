// Whom a provider's person is here: by issuer and subject, else by an address that the provider has verified, else
// somebody new where the provider may bring people. security.md cases 71 and 72.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { administratorOf } from '../kit/groups.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import {
  callbackOf,
  connect,
  type Entered,
  startSso,
  tryDeleteProvider,
  tryIssueSsoToken,
  tryStartSso,
} from '../kit/oidc-stories.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { guest, isGood, tryLogin, tryRefresh, tryRefreshEmployee } from '../kit/stories.ts';

let at: Service;
let idp: MisbehavingProvider;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
/** Links, and makes nobody. */
let linking: string;
/** Makes people, too. */
let providing: string;
const both = { userTypes: ['CUSTOMER', 'EMPLOYEE'] };
beforeAll(async () => {
  at = await theService();
  idp = await startMisbehaving();
  tenant = await givenTenant(at);
  linking = await connect(at, tenant, idp, both);
  providing = await connect(at, tenant, idp, { ...both, autoProvision: true });
});
afterAll(() => idp?.stop());
beforeEach(() => {
  idp.userinfo = {};
});

type Claims = Record<string, unknown>;
/** Somebody comes by the provider, whose id_token says these things of them. */
async function arrive(
  provider: string,
  person: Claims,
  userType = 'CUSTOMER',
  tenantId = tenant.id,
): Promise<Answer<any>> {
  const begun = await startSso(at, { tenant: tenantId, provider, userType });
  return tryIssueSsoToken(at, callbackOf(begun, idp.signIn(begun.authorizationUrl, person)));
}
const newAddress = () => `somebody-${randomUUID()}@test.example`;
const verified = (email: string, sub: string = randomUUID()) => ({ sub, email, email_verified: true });
const db = (tenantId = tenant.id) => at.app.modules.database.forTenant({ tenantId });
const OWN = 'a password of their own';
const givenCustomer = (email = newAddress()) =>
  at.app.modules.customers.register(ctxOf(tenant.id), { email, password: OWN });
/** What a refusal must leave as it was. */
const state = async () => ({
  customers: await db().customer.findMany({ orderBy: { id: 'asc' } }),
  employees: await db().employee.count(),
  identities: await db().externalIdentity.count(),
  sessions: await db().session.count(),
});
const newGuest = () => guest(at, { tenant: tenant.id, clientId: tenant.storefront });
const passwordLogin = async (email: string, password = OWN) =>
  tryLogin(at, { email, password, anonymousToken: (await newGuest()).accessToken });

describe('people whom nobody knows', () => {
  it('are refused unless the provider may bring people, and nothing is left of the attempt', async () => {
    const before = await state();
    for (const userType of ['CUSTOMER', 'EMPLOYEE'])
      expect((await arrive(linking, verified(newAddress()), userType)).code).toBe('INVALID_GRANT');
    expect(await state()).toEqual(before);
  });

  it('become customers with the names that the provider says, and without a password', async () => {
    const email = newAddress();
    const person = { ...verified(email), given_name: 'Nora', family_name: 'New' };
    const { customer } = only<Entered>(await arrive(providing, person));
    expect(customer).toEqual({ id: expect.any(String), email, firstName: 'Nora', lastName: 'New' });
    const stored = await db().customer.findFirstOrThrow({ where: { email } });
    expect(stored).toMatchObject({ passwordHash: null, enabled: true, emailVerifiedAt: expect.any(Date) });
    expect((await passwordLogin(email)).code).toBe('INVALID_GRANT');
    expect(only<Entered>(await arrive(providing, person)).customer?.id).toBe(customer?.id);
  });

  it('become employees in no group, with no scope', async () => {
    const email = newAddress();
    const person = { ...verified(email), given_name: 'Emil', family_name: 'New' };
    const token = only<Entered>(await arrive(providing, person, 'EMPLOYEE'));
    expect(token).toMatchObject({ scopes: [], employee: { email, firstName: 'Emil', lastName: 'New' } });
    expect((await arrive(providing, person, 'EMPLOYEE')).data?.issueSsoToken.employee.id).toBe(token.employee?.id);
    expect(await db().employee.findFirstOrThrow({ where: { email } })).toMatchObject({ passwordHash: null });
  });

  it('are made once, also when they come twice at the same moment', async () => {
    const person = verified(newAddress());
    const answers = await Promise.all([1, 2, 3, 4].map(() => arrive(providing, person)));
    expect(new Set(answers.map((answer) => only<Entered>(answer).customer?.id)).size).toBe(1);
    expect(await db().customer.count({ where: { email: person.email } })).toBe(1);
    expect(await db().externalIdentity.count({ where: { subject: person.sub } })).toBe(1);
  });

  it('are not made without an address that is verified', async () => {
    const before = await state();
    for (const person of [
      { sub: randomUUID() },
      { sub: randomUUID(), email: newAddress() },
      { sub: randomUUID(), email: newAddress(), email_verified: false },
      { sub: randomUUID(), email_verified: true },
      verified('no address'),
      verified(`${'x'.repeat(300)}@test.example`),
    ])
      for (const userType of ['CUSTOMER', 'EMPLOYEE'])
        expect((await arrive(providing, person, userType)).code, JSON.stringify(person)).toBe('INVALID_GRANT');
    expect(await state()).toEqual(before);
  });

  it('a customer and an employee of one subject are two accounts', async () => {
    const person = verified(newAddress());
    const customer = only<Entered>(await arrive(providing, person));
    const employee = only<Entered>(await arrive(providing, person, 'EMPLOYEE'));
    expect([customer.__typename, employee.__typename]).toEqual(['CustomerToken', 'EmployeeToken']);
    expect(await db().externalIdentity.count({ where: { subject: person.sub } })).toBe(2);
  });
});

describe('claims of other names', () => {
  it('are read where the provider is set up with them', async () => {
    const claims = { emailClaim: 'mail', firstNameClaim: 'vorname', lastNameClaim: 'nachname' };
    const provider = await connect(at, tenant, idp, { ...both, ...claims, autoProvision: true });
    const mail = newAddress();
    const person = { sub: randomUUID(), email: 'other@test.example', mail, vorname: 'Vera', nachname: 'Neu' };
    const { customer } = only<Entered>(await arrive(provider, { ...person, email_verified: true }));
    expect(customer).toMatchObject({ email: mail, firstName: 'Vera', lastName: 'Neu' });
  });
});

describe('case 71: an address links only where the same document says, with the boolean true, that it is verified', () => {
  it.each([false, undefined, null, 'true', 'TRUE', 1, 'yes', {}, [true]])(
    'case 71: email_verified %j',
    async (flag) => {
      const { email } = await givenCustomer();
      const before = await state();
      for (const provider of [linking, providing])
        expect((await arrive(provider, { sub: randomUUID(), email, email_verified: flag })).code).toBe('INVALID_GRANT');
      expect(await state()).toEqual(before);
    },
  );

  it('case 71: the mail of userinfo and the flag of the id_token do not belong together, nor the other way round', async () => {
    const { email } = await givenCustomer();
    const before = await state();
    for (const [idToken, userinfo] of [
      [{ email_verified: true }, { email }],
      [{ email_verified: true }, { email, email_verified: false }],
      [{ email }, { email_verified: true }],
      [
        { email, email_verified: false },
        { email, email_verified: true },
      ],
    ]) {
      const sub = randomUUID();
      idp.userinfo = userinfo as Claims;
      const answer = await arrive(providing, { sub, ...idToken });
      expect(answer.code, JSON.stringify([idToken, userinfo])).toBe('INVALID_GRANT');
    }
    expect(await state()).toEqual(before);
  });

  it('case 71: both of userinfo link, unless userinfo is of another subject', async () => {
    const { id, email } = await givenCustomer();
    const sub = randomUUID();
    idp.userinfo = { ...verified(email), sub: 'somebody else' };
    expect((await arrive(linking, { sub })).code).toBe('INVALID_GRANT');
    idp.userinfo = { ...verified(email), sub: undefined };
    expect((await arrive(linking, { sub })).code).toBe('INVALID_GRANT');
    idp.userinfo = { email, email_verified: true };
    expect(only<Entered>(await arrive(linking, { sub })).customer?.id).toBe(id);
  });

  it('case 71: look-alikes are never folded into an address that somebody has', async () => {
    const local = `kiss-${randomUUID()}`;
    await givenCustomer(`${local}@test.example`);
    const before = await state();
    for (const email of [
      `ｋ${local.slice(1)}@test.example`,
      `\u212a${local.slice(1)}@test.example`,
      `${local.replace('ss', 'ß')}@test.example`,
      `${local.replace('ss', '\u017fs')}@test.example`,
      `${local.replace('i', '\u0131')}@test.example`,
      `${local.replace('i', 'İ')}@test.example`,
      `${local}@test．example`,
      `${local}@tеst.example`,
      `${local}\u200b@test.example`,
      `${local}@test.example\u0000`,
      `${local} @test.example`,
      `<${local}@test.example>`,
      `${local}@test.example,other@test.example`,
      `"${local}"@test.example`,
    ])
      for (const provider of [linking, providing])
        expect((await arrive(provider, verified(email))).code, JSON.stringify(email)).toBe('INVALID_GRANT');
    expect(await state()).toEqual(before);
  });

  it('case 71: an address in other letters of the same alphabet is the same account, and makes no second one', async () => {
    const { id, email } = await givenCustomer();
    const person = verified(email.toUpperCase());
    expect(only<Entered>(await arrive(providing, person)).customer).toMatchObject({ id, email });
  });

  it('case 71: the key is issuer and subject: the same subject of another provider is somebody else', async () => {
    const other = await startMisbehaving();
    try {
      const theirs = await connect(at, tenant, other, { ...both, autoProvision: true });
      const person = verified(newAddress());
      const { customer } = only<Entered>(await arrive(providing, person));
      const begun = await startSso(at, { tenant: tenant.id, provider: theirs });
      const returned = other.signIn(begun.authorizationUrl, { ...person, email_verified: false });
      expect((await tryIssueSsoToken(at, callbackOf(begun, returned))).code).toBe('INVALID_GRANT');
      const again = await startSso(at, { tenant: tenant.id, provider: theirs });
      const stranger = other.signIn(again.authorizationUrl, verified(newAddress(), person.sub));
      const token = only<Entered>(await tryIssueSsoToken(at, callbackOf(again, stranger)));
      expect(token.customer?.id).not.toBe(customer?.id);
    } finally {
      await other.stop();
    }
  });

  it('case 71: a subject is compared as it is: case, spaces and look-alikes are others', async () => {
    const sub = `Subject-${randomUUID()}`;
    only(await arrive(providing, verified(newAddress(), sub)));
    for (const other of [sub.toLowerCase(), ` ${sub}`, `${sub} `, sub.replace('S', 'Ｓ')])
      expect((await arrive(linking, { sub: other })).code, other).toBe('INVALID_GRANT');
  });
});

describe('case 72: whoever waited with a password for the owner of an address', () => {
  it('case 72: loses password and sessions when the owner arrives, and the account is the owner’s', async () => {
    const email = newAddress();
    const visitor = await newGuest();
    const register = `mutation ($input: RegisterCustomerInput!) { registerCustomer(input: $input) { id } }`;
    const { id } = only(
      await graphql(at, register, { bearer: visitor.accessToken, variables: { input: { email, password: OWN } } }),
    );
    const attacker = only(await tryLogin(at, { email, password: OWN, anonymousToken: visitor.accessToken }));
    const owner = only<Entered>(await arrive(linking, verified(email)));
    expect(owner.customer?.id).toBe(id);
    expect(await isGood(at, attacker.accessToken)).toBe(false);
    expect((await tryRefresh(at, attacker.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await passwordLogin(email)).code).toBe('INVALID_GRANT');
    expect(await isGood(at, owner.accessToken)).toBe(true);
    expect(await db().customer.findFirstOrThrow({ where: { id } })).toMatchObject({
      passwordHash: null,
      emailVerifiedAt: expect.any(Date),
    });
  });

  it('case 72: a password whose owner has proved the address stays, and so do the sessions', async () => {
    const { id, email } = await givenCustomer();
    await db().customer.updateMany({ where: { id }, data: { emailVerifiedAt: new Date() } });
    const before = only(await passwordLogin(email));
    only(await arrive(linking, verified(email)));
    expect(await isGood(at, before.accessToken)).toBe(true);
    expect((await tryRefresh(at, before.refreshToken)).errors).toEqual([]);
    expect((await passwordLogin(email)).errors).toEqual([]);
  });

  it('case 72: the reverse: an unverified arrival makes no account that the owner would find taken', async () => {
    const email = newAddress();
    expect((await arrive(providing, { sub: 'attacker', email, email_verified: false })).code).toBe('INVALID_GRANT');
    expect(await db().customer.count({ where: { email } })).toBe(0);
    await givenCustomer(email);
    expect((await arrive(providing, { sub: 'attacker', email, email_verified: false })).code).toBe('INVALID_GRANT');
    expect((await passwordLogin(email)).errors).toEqual([]);
  });

  it('case 72: the reverse: nobody sets a password on the account of somebody who came by the provider', async () => {
    const email = newAddress();
    const owner = only<Entered>(await arrive(providing, verified(email)));
    const { accessToken: bearer } = await newGuest();
    const register = `mutation ($input: RegisterCustomerInput!) { registerCustomer(input: $input) { id } }`;
    await graphql(at, register, { bearer, variables: { input: { email, password: OWN } } });
    expect((await passwordLogin(email)).code).toBe('INVALID_GRANT');
    expect(await db().customer.findFirstOrThrow({ where: { email } })).toMatchObject({
      id: owner.customer?.id,
      passwordHash: null,
    });
    expect(await isGood(at, owner.accessToken)).toBe(true);
  });
});

describe('forgetting', () => {
  it('deleting the provider forgets whom it vouched for: an unverified address no longer finds the account', async () => {
    const provider = await connect(at, tenant, idp, both);
    const { id, email } = await givenCustomer();
    const sub = randomUUID();
    only(await arrive(provider, verified(email, sub)));
    expect(only<Entered>(await arrive(provider, { sub })).customer?.id).toBe(id);
    only(await tryDeleteProvider(at, await administratorOf(at, tenant), provider));
    expect(await db().externalIdentity.count({ where: { subject: sub } })).toBe(0);
    expect((await tryStartSso(at, { tenant: tenant.id, provider })).code).toBe('NOT_FOUND');
    const anew = await connect(at, tenant, idp, both);
    expect((await arrive(anew, { sub })).code).toBe('INVALID_GRANT');
    expect(only<Entered>(await arrive(anew, verified(email, sub))).customer?.id).toBe(id);
  });

  it('deleting the account forgets the identity: the person is somebody new, or nobody', async () => {
    const email = newAddress();
    const person = verified(email);
    const token = only<Entered>(await arrive(providing, person, 'EMPLOYEE'));
    const remove = 'mutation ($id: ID!) { deleteEmployee(id: $id) }';
    const bearer = await administratorOf(at, tenant);
    only(await graphql(at, remove, { bearer, variables: { id: token.employee?.id } }));
    expect((await tryRefreshEmployee(at, token.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await arrive(linking, person, 'EMPLOYEE')).code).toBe('INVALID_GRANT');
    expect(only<Entered>(await arrive(providing, person, 'EMPLOYEE')).employee?.id).not.toBe(token.employee?.id);
  });
});
