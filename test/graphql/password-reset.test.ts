// Mutation.requestPasswordReset and resetPassword: whoever reads the account's mail sets a new password.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenCustomer, givenEmployee, givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { linksAreOld, newEmail, newPassword, tryRequestReset, tryReset } from '../kit/letters.ts';
import { type Mailbox, openMailbox, pageIn, tokenIn } from '../kit/mailbox.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import {
  employee,
  guest,
  isGood,
  PASSWORD,
  serviceToken,
  signIn,
  tryEmployeeLogin,
  tryLogin,
  tryRefresh,
  tryRefreshEmployee,
} from '../kit/stories.ts';

let mailbox: Mailbox;
let at: Service;
beforeAll(async () => {
  mailbox = await openMailbox();
  at = await startService(mailbox.env);
});
afterAll(async () => {
  await at?.stop();
  await mailbox?.close();
});

const login = async (email: string, password: string) =>
  tryLogin(at, { email, password, anonymousToken: (await guest(at)).accessToken });
const lettersTo = (email: string) => mailbox.to(email, at);
async function linkFor(email: string, input: object = {}): Promise<string> {
  only(await tryRequestReset(at, email, input));
  return tokenIn((await lettersTo(email)).at(-1)!);
}

describe('success', () => {
  it('a customer: the new password is good, the old one and every session are not, all else stays', async () => {
    const customer = await givenCustomer(at, { acme: 'BUYER' });
    const { email, id } = customer;
    const sessions = [await signIn(at, email), await signIn(at, email, { legalEntityId: 'acme' })];
    const mine = newPassword();
    expect(only(await tryReset(at, await linkFor(email), mine))).toEqual({ acknowledged: true });
    for (const { accessToken, refreshToken } of sessions) {
      expect(await isGood(at, accessToken)).toBe(false);
      expect((await tryRefresh(at, refreshToken)).code).toBe('INVALID_GRANT');
    }
    expect((await login(email, PASSWORD)).code).toBe('INVALID_GRANT');
    expect((await login(email, mine)).errors).toEqual([]);
    const now = await at.app.modules.customers.get({ tenantId: 'demo' }, id);
    expect(now.emailVerifiedAt).toBeInstanceOf(Date);
    const { passwordHash, emailVerifiedAt } = now;
    expect(now).toEqual({ ...customer, passwordHash, emailVerifiedAt });
    expect((await at.app.modules.contactAssignments.openTo({ tenantId: 'demo' }, id)).length).toBe(1);
  });

  it('an employee, at the console', async () => {
    const { email } = await givenEmployee(at);
    const session = await employee(at, email);
    only(await tryRequestReset(at, email, { userType: 'EMPLOYEE' }));
    const [mail] = await lettersTo(email);
    expect(pageIn(mail!)).toBe('https://console.example/reset-password');
    const mine = newPassword();
    only(await tryReset(at, tokenIn(mail!), mine));
    expect(await isGood(at, session.accessToken)).toBe(false);
    expect((await tryRefreshEmployee(at, session.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryEmployeeLogin(at, email, PASSWORD)).code).toBe('INVALID_GRANT');
    expect((await tryEmployeeLogin(at, email, mine)).errors).toEqual([]);
  });

  it('whoever has locked the account by guessing does not keep the owner out', async () => {
    const { email } = await givenCustomer(at);
    for (let i = 0; i < 11; i += 1) await login(email, `guess number ${i}`);
    expect((await login(email, PASSWORD)).code).toBe('RATE_LIMITED');
    const mine = newPassword();
    only(await tryReset(at, await linkFor(email), mine));
    expect((await login(email, mine)).errors).toEqual([]);
  });

  it('in whatever spelling of the address, and of one tenant alone', async () => {
    const { email } = await givenCustomer(at);
    only(await tryRequestReset(at, email, { tenant: 'rival' }));
    only(await tryRequestReset(at, email, { tenant: 'no-such-tenant' }));
    only(await tryRequestReset(at, email, { userType: 'EMPLOYEE' }));
    expect(await lettersTo(email)).toEqual([]);
    only(await tryRequestReset(at, ` ${email.toUpperCase()} `));
    expect((await lettersTo(email)).length).toBe(1);
  });

  it('the trail tells of it, and who was signed in does not count as who did it', async () => {
    const { email, id } = await givenCustomer(at);
    const { accessToken } = await employee(at);
    only(await tryReset(at, await linkFor(email), newPassword(), accessToken));
    const [event] = await at.app.modules.database
      .forTenant({ tenantId: 'demo' })
      .auditEvent.findMany({ where: { type: 'customer.password_reset', subjectId: id } });
    expect(event).toMatchObject({ actorId: id, outcome: 'success' });
    expect(JSON.stringify(event)).not.toContain(email);
  });
});

describe('invalid', () => {
  it.each([
    ['of 9 characters', 'x'.repeat(9)],
    ['of 257', 'x'.repeat(257)],
    ['that attackers try first', 'password123'],
  ])('BAD_USER_INPUT for a new password %s, and the link stays good', async (_case, password) => {
    const { email } = await givenCustomer(at);
    const token = await linkFor(email);
    const { errors } = await tryReset(at, token, password);
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.newPassword' });
    expect((await tryReset(at, token)).errors).toEqual([]);
  });

  it('BAD_USER_INPUT for what is no address', async () => {
    const { errors } = await tryRequestReset(at, 'nobody');
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.email' });
  });

  it('INVALID_GRANT for a link that is spent, void, old, made up or another kind of token: nothing changes', async () => {
    const { email } = await givenCustomer(at);
    const [first, second] = [await linkFor(email), await linkFor(email)];
    expect((await tryReset(at, first)).code).toBe('INVALID_GRANT');
    only(await tryReset(at, second));
    expect((await tryReset(at, second)).code).toBe('INVALID_GRANT');
    const old = await linkFor(email);
    await linksAreOld(at);
    const { accessToken, refreshToken } = await signIn(at);
    for (const token of [old, `lt_${'A'.repeat(43)}`, '', accessToken, refreshToken, `${second} `])
      expect((await tryReset(at, token)).code).toBe('INVALID_GRANT');
  });

  it('of twenty at once with one link, one succeeds, and its password is the one that is good', async () => {
    const { email } = await givenCustomer(at);
    const token = await linkFor(email);
    const candidates = Array.from({ length: 20 }, () => newPassword());
    const answers = await Promise.all(candidates.map((password) => tryReset(at, token, password)));
    const good = candidates.filter((_password, i) => answers[i]!.errors.length === 0);
    expect(good.length).toBe(1);
    expect((await login(email, good[0]!)).errors).toEqual([]);
  });

  it('a password that is changed or reset meanwhile voids the link', async () => {
    const { email, id } = await givenCustomer(at);
    const token = await linkFor(email);
    await at.app.modules.database.transaction(ctxOf('demo'), (tx) =>
      at.app.modules.letterTokens.voidAll(tx, { kind: 'customer', id }),
    );
    expect((await tryReset(at, token)).code).toBe('INVALID_GRANT');
  });

  it('a disabled account gets no letter; disabled after it, the link sets nothing and enables nothing', async () => {
    const { email, id } = await givenCustomer(at);
    const token = await linkFor(email);
    await at.app.modules.customers.update(ctxOf('demo'), id, { enabled: false });
    expect((await tryReset(at, token)).code).toBe('INVALID_GRANT');
    only(await tryRequestReset(at, email));
    expect((await lettersTo(email)).length).toBe(1);
    expect((await at.app.modules.customers.get({ tenantId: 'demo' }, id)).enabled).toBe(false);
    await at.app.modules.customers.update(ctxOf('demo'), id, { enabled: true });
    expect((await tryReset(at, token)).code).toBe('INVALID_GRANT');
  });

  it('an employee who was given no password, for single sign-on only, gets none this way', async () => {
    const { email, id } = await givenEmployee(at);
    await at.app.modules.database
      .forTenant({ tenantId: 'demo' })
      .employee.updateMany({ where: { id }, data: { passwordHash: null } });
    only(await tryRequestReset(at, email, { userType: 'EMPLOYEE' }));
    expect(await lettersTo(email)).toEqual([]);
  });

  it('where passwords are switched off nobody gets a link', async () => {
    const shop = await givenTenant(at, { customerPasswords: false, employeePasswords: false });
    only(await tryRequestReset(at, shop.customer.email, { tenant: shop.id }));
    only(await tryRequestReset(at, shop.employee.email, { tenant: shop.id, userType: 'EMPLOYEE' }));
    expect([...(await lettersTo(shop.customer.email)), ...(await lettersTo(shop.employee.email))]).toEqual([]);
  });

  it('RATE_LIMITED after five letters to one account, the same for an address without one', async () => {
    const { email } = await givenCustomer(at);
    for (const address of [email, newEmail()]) {
      for (let i = 0; i < 5; i += 1) only(await tryRequestReset(at, address));
      const { errors } = await tryRequestReset(at, address);
      expect(errors[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfter: expect.any(Number) });
    }
    expect((await lettersTo(email)).length).toBeGreaterThan(0);
  });
});

it('whoever asks: no token is needed, and one of whatever kind changes nothing', async () => {
  const bearers = [(await guest(at)).accessToken, (await serviceToken(at)).accessToken, 'garbage'];
  for (const bearer of bearers) {
    const { email } = await givenCustomer(at);
    expect(only(await tryReset(at, await linkFor(email), newPassword(), bearer))).toEqual({ acknowledged: true });
  }
});

it('other tenant: the link sets the password of its own tenant’s account alone', async () => {
  const shop = await givenTenant(at);
  const email = newEmail();
  const [here, there] = [await givenCustomer(at, {}, email), { email, password: PASSWORD }];
  const twin = await at.app.modules.customers.register(ctxOf(shop.id), there);
  only(await tryReset(at, await linkFor(email)));
  expect((await at.app.modules.customers.get({ tenantId: shop.id }, twin.id)).passwordHash).toBe(twin.passwordHash);
  expect((await at.app.modules.customers.get({ tenantId: 'demo' }, here.id)).passwordHash).not.toBe(here.passwordHash);
});
