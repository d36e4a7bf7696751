// Mutation.confirmCustomer, and registering with double opt-in: nobody signs in before the owner of the address confirms.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import {
  linksAreOld,
  newEmail,
  newPassword,
  tryConfirm,
  tryRegister,
  tryRequestReset,
  tryReset,
} from '../kit/letters.ts';
import { type Mailbox, openMailbox, pageIn, tokenIn } from '../kit/mailbox.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { type CustomerToken, employee, guest, tryAssist, tryLogin } from '../kit/stories.ts';

const PASSWORD = 'a password of this test';
let mailbox: Mailbox;
let at: Service;
let shop: Awaited<ReturnType<typeof givenTenant>>;
beforeAll(async () => {
  mailbox = await openMailbox();
  at = await startService(mailbox.env);
  shop = await givenTenant(at, { doubleOptIn: true, storefrontUrl: 'https://my-shop.example/de' });
});
afterAll(async () => {
  await at?.stop();
  await mailbox?.close();
});

const visit = (of = shop) => guest(at, { tenant: of.id, clientId: of.storefront });
const register = async (email: string, input: object = {}) =>
  tryRegister(at, (await visit()).accessToken, { email, password: PASSWORD, ...input });
const login = async (email: string, password = PASSWORD) =>
  tryLogin(at, { email, password, anonymousToken: (await visit()).accessToken });
const linkTo = async (email: string) => tokenIn((await mailbox.to(email, at)).at(-1)!);
const found = (email: string) => at.app.modules.customers.findByEmail({ tenantId: shop.id }, email);

it('success: the owner follows the link, and the login keeps the guest’s session', async () => {
  const visitor = await visit();
  const email = newEmail();
  const account = { email, password: PASSWORD, firstName: 'Nora' };
  const registered = only(await tryRegister(at, visitor.accessToken, account));
  expect(registered).toMatchObject({ email, firstName: 'Nora', enabled: true, confirmed: false, version: 1 });
  expect((await login(email)).code).toBe('INVALID_GRANT');

  const [mail, ...others] = await mailbox.to(email, at);
  expect(others).toEqual([]);
  expect(pageIn(mail!)).toBe('https://my-shop.example/de/confirm-account');
  expect(mail!.text).not.toContain('Nora');
  expect(only(await tryConfirm(at, tokenIn(mail!)))).toEqual({ acknowledged: true });

  const token = only<CustomerToken>(
    await tryLogin(at, { email, password: PASSWORD, anonymousToken: visitor.accessToken }),
  );
  expect(token).toMatchObject({ sessionId: visitor.sessionId, customer: { id: registered.id } });
  expect(await found(email)).toMatchObject({ unconfirmed: false, emailVerifiedAt: expect.any(Date) });
});

it('success: a tenant without double opt-in needs none, and nobody gets a letter', async () => {
  const plain = await givenTenant(at);
  const { accessToken } = await visit(plain);
  const email = newEmail();
  expect(only(await tryRegister(at, accessToken, { email, password: PASSWORD }))).toMatchObject({ confirmed: true });
  expect((await tryLogin(at, { email, password: PASSWORD, anonymousToken: accessToken })).errors).toEqual([]);
  expect(await mailbox.to(email, at)).toEqual([]);
});

it('success: who registers again gets another link; the former is void and the first password holds', async () => {
  const email = newEmail();
  only(await register(email));
  const first = await linkTo(email);
  only(await register(email, { password: 'another password' }));
  const second = await linkTo(email);
  expect(second).not.toBe(first);
  expect((await tryConfirm(at, first)).code).toBe('INVALID_GRANT');
  only(await tryConfirm(at, second));
  expect((await login(email, 'another password')).code).toBe('INVALID_GRANT');
  expect((await login(email)).errors).toEqual([]);
});

it('success: a new password by mail confirms, too, and replaces that of whoever registered', async () => {
  const email = newEmail();
  only(await register(email));
  await tryRequestReset(at, email, { tenant: shop.id });
  const mine = newPassword();
  only(await tryReset(at, await linkTo(email), mine));
  expect((await login(email)).code).toBe('INVALID_GRANT');
  expect((await login(email, mine)).errors).toEqual([]);
});

describe('invalid', () => {
  it('INVALID_GRANT for a link that is spent, old, of another purpose, or made up: all alike', async () => {
    const email = newEmail();
    only(await register(email));
    const spent = await linkTo(email);
    only(await tryConfirm(at, spent));
    await tryRequestReset(at, email, { tenant: shop.id });
    const ofReset = await linkTo(email);
    const other = newEmail();
    only(await register(other));
    const old = await linkTo(other);
    await linksAreOld(at);
    const bodies = new Set<string>();
    for (const token of [spent, ofReset, old, `lt_${'A'.repeat(43)}`, 'lt_', '', 'x'.repeat(9000)]) {
      const { code, body } = await tryConfirm(at, token);
      expect(code).toBe('INVALID_GRANT');
      bodies.add(body);
    }
    expect(bodies.size).toBe(1);
    expect((await found(other))?.unconfirmed).toBe(true);
  });

  it('of twenty at once with one link, one succeeds', async () => {
    const email = newEmail();
    only(await register(email));
    const token = await linkTo(email);
    const answers = await Promise.all(Array.from({ length: 20 }, () => tryConfirm(at, token)));
    expect(answers.filter(({ errors }) => errors.length === 0).length).toBe(1);
  });

  it('BAD_USER_INPUT for the same as without double opt-in, known address or not', async () => {
    const known = newEmail();
    only(await register(known));
    for (const email of [known, newEmail()]) {
      const { errors } = await register(email, { password: 'short' });
      expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.password' });
    }
  });
});

it('an unconfirmed account cannot be assisted, and disabling it withdraws the link', async () => {
  const email = newEmail();
  const { id } = only<{ id: string }>(await register(email));
  const token = await linkTo(email);
  const { tenants } = at.app.modules;
  expect(tenants.find(shop.id)?.settings.doubleOptIn).toBe(true);
  const login = await graphql(
    at,
    'mutation ($i: IssueEmployeeTokenInput!) { issueEmployeeToken(input: $i) { accessToken } }',
    { variables: { i: { tenant: shop.id, email: shop.employee.email, password: 'demo-password-1' } } },
  );
  expect((await tryAssist(at, only(login).accessToken, { customerId: id })).code).toBe('NOT_FOUND');
  await at.app.modules.customers.update(ctxOf(shop.id), id, { enabled: false });
  expect((await tryConfirm(at, token)).code).toBe('INVALID_GRANT');
  expect((await tryRegister(at, (await visit()).accessToken, { email, password: PASSWORD })).errors).toEqual([]);
  expect((await mailbox.to(email, at)).length).toBe(1);
});

it('whoever asks: no token is needed, and one of whatever kind changes nothing', async () => {
  for (const bearer of [undefined, (await visit()).accessToken, (await employee(at)).accessToken, 'garbage']) {
    const email = newEmail();
    only(await register(email));
    expect(only(await tryConfirm(at, await linkTo(email), bearer))).toEqual({ acknowledged: true });
  }
});

it('other tenant: the link confirms the account of its tenant alone', async () => {
  const other = await givenTenant(at, { doubleOptIn: true });
  const email = newEmail();
  only(await register(email));
  const token = await linkTo(email);
  only(await tryRegister(at, (await visit(other)).accessToken, { email, password: PASSWORD }));
  only(await tryConfirm(at, token));
  expect((await found(email))?.unconfirmed).toBe(false);
  expect((await at.app.modules.customers.findByEmail({ tenantId: other.id }, email))?.unconfirmed).toBe(true);
  await at.app.modules.tenants.suspend(other.id);
  expect((await tryConfirm(at, await linkTo(email))).code).toBe('INVALID_GRANT');
});

it('the trail tells who registered and who confirmed, and knows no address', async () => {
  const email = newEmail();
  const { id } = only<{ id: string }>(await register(email));
  only(await register(email));
  only(await tryConfirm(at, await linkTo(email)));
  const events = await at.app.modules.database
    .forTenant({ tenantId: shop.id })
    .auditEvent.findMany({ where: { subjectId: id }, orderBy: { id: 'asc' } });
  expect(events.map(({ type, actorId }) => [type, actorId === id])).toEqual([
    ['customer.registered', false],
    ['customer.registered_again', false],
    ['customer.confirmed', true],
  ]);
  expect(JSON.stringify(events)).not.toContain(email);
});
