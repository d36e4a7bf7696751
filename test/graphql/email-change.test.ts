// Mutation.requestEmailChange and confirmEmailChange: a customer signs in with another address from now on.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenCustomer } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import {
  linksAreOld,
  newEmail,
  newPassword,
  tryConfirmEmailChange,
  tryRequestEmailChange,
  tryRequestReset,
  tryReset,
} from '../kit/letters.ts';
import { type Mailbox, openMailbox, pageIn, tokenIn } from '../kit/mailbox.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import {
  employee,
  guest,
  isGood,
  PASSWORD,
  serviceToken,
  signIn,
  tryAssist,
  tryLogin,
  tryRefresh,
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

const login = async (email: string, password = PASSWORD) =>
  tryLogin(at, { email, password, anonymousToken: (await guest(at)).accessToken });
const lettersTo = (email: string) => mailbox.to(email, at);
const account = (id: string) => at.app.modules.customers.get({ tenantId: 'demo' }, id);

/** A customer who has asked, and the token that came to the new address. */
async function givenRequest() {
  const customer = await givenCustomer(at);
  const session = await signIn(at, customer.email);
  const email = newEmail();
  only(await tryRequestEmailChange(at, session.accessToken, email, PASSWORD));
  const [mail] = await lettersTo(email);
  return { customer, session, email, token: tokenIn(mail!), mail: mail! };
}

describe('success', () => {
  it('the new address confirms, the old one is told; the customer signs in with the new one, everywhere anew', async () => {
    const { customer, session, email, token, mail } = await givenRequest();
    expect(pageIn(mail)).toBe('https://shop.example/confirm-email');
    expect((await lettersTo(customer.email)).map(({ subject }) => subject)).toEqual([
      'Demo shop: your address is about to change',
    ]);
    expect((await account(customer.id)).email).toBe(customer.email);
    expect(await isGood(at, session.accessToken)).toBe(true);

    expect(only(await tryConfirmEmailChange(at, token))).toEqual({ acknowledged: true });
    expect(await isGood(at, session.accessToken)).toBe(false);
    expect((await tryRefresh(at, session.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await login(customer.email)).code).toBe('INVALID_GRANT');
    expect(only(await login(email)).customer).toEqual({ id: customer.id, email });
    expect(await account(customer.id)).toMatchObject({ emailVerifiedAt: expect.any(Date), version: 2 });
  });

  it('the later of two requests is the good one', async () => {
    const { customer, session, token } = await givenRequest();
    const second = newEmail();
    only(await tryRequestEmailChange(at, session.accessToken, second, PASSWORD));
    const [mail] = await lettersTo(second);
    expect((await tryConfirmEmailChange(at, token)).code).toBe('INVALID_GRANT');
    only(await tryConfirmEmailChange(at, tokenIn(mail!)));
    expect((await account(customer.id)).email).toBe(second);
  });

  it('the former address can be registered again', async () => {
    const { customer, token } = await givenRequest();
    only(await tryConfirmEmailChange(at, token));
    expect((await givenCustomer(at, {}, customer.email)).id).not.toBe(customer.id);
  });

  it('the trail tells of request and change, and knows no address', async () => {
    const { customer, email, token } = await givenRequest();
    only(await tryConfirmEmailChange(at, token));
    const events = await at.app.modules.database.forTenant({ tenantId: 'demo' }).auditEvent.findMany({
      where: { subjectId: customer.id, type: { startsWith: 'customer.email' } },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ type, actorId }) => [type, actorId])).toEqual([
      ['customer.email_change_requested', customer.id],
      ['customer.email_changed', customer.id],
    ]);
    for (const text of [email, customer.email]) expect(JSON.stringify(events)).not.toContain(text);
  });
});

describe('an address that has an account', () => {
  it('is answered like any other; its owner is told by mail, and no link leads to it', async () => {
    const owner = await givenCustomer(at);
    const { email } = await givenCustomer(at);
    const { accessToken } = await signIn(at, email);
    const [taken, free] = [
      await tryRequestEmailChange(at, accessToken, owner.email.toUpperCase(), PASSWORD),
      await tryRequestEmailChange(at, accessToken, newEmail(), PASSWORD),
    ];
    expect([taken.status, taken.body]).toEqual([free.status, free.body]);
    const [mail] = await lettersTo(owner.email);
    expect(mail!.subject).toBe('Demo shop: this address has an account');
    expect(mail!.text).not.toMatch(/lt_|https?:/);
  });

  it('taken after the letter, the link is INVALID_GRANT and nothing has ended', async () => {
    const { customer, session, email, token } = await givenRequest();
    await givenCustomer(at, {}, email);
    expect((await tryConfirmEmailChange(at, token)).code).toBe('INVALID_GRANT');
    expect(await isGood(at, session.accessToken)).toBe(true);
    expect((await account(customer.id)).email).toBe(customer.email);
  });
});

describe('invalid', () => {
  it('INVALID_GRANT for a wrong password, counted with the logins; no letter leaves', async () => {
    const { email } = await givenCustomer(at);
    const { accessToken } = await signIn(at, email);
    const target = newEmail();
    const codes = [];
    for (let i = 0; i < 11; i += 1)
      codes.push((await tryRequestEmailChange(at, accessToken, target, `guess number ${i}`)).code);
    expect(codes).toEqual([...Array(10).fill('INVALID_GRANT'), 'RATE_LIMITED']);
    expect((await login(email)).code).toBe('RATE_LIMITED');
    expect([...(await lettersTo(target)), ...(await lettersTo(email))]).toEqual([]);
  });

  it('BAD_USER_INPUT for what is no address, and for the present one', async () => {
    const { email } = await givenCustomer(at);
    const { accessToken } = await signIn(at, email);
    for (const address of ['nobody', 'mıke@test.example', email.toUpperCase()]) {
      const { errors } = await tryRequestEmailChange(at, accessToken, address, PASSWORD);
      expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.newEmail' });
    }
  });

  it('RATE_LIMITED after five letters of one customer', async () => {
    const { email } = await givenCustomer(at);
    const { accessToken } = await signIn(at, email);
    for (let i = 0; i < 5; i += 1) only(await tryRequestEmailChange(at, accessToken, newEmail(), PASSWORD));
    expect((await tryRequestEmailChange(at, accessToken, newEmail(), PASSWORD)).code).toBe('RATE_LIMITED');
  });

  it('INVALID_GRANT for a link that is spent, old or made up, and of twenty at once one succeeds', async () => {
    const { token } = await givenRequest();
    const answers = await Promise.all(Array.from({ length: 20 }, () => tryConfirmEmailChange(at, token)));
    expect(answers.filter(({ errors }) => errors.length === 0).length).toBe(1);
    const old = await givenRequest();
    await linksAreOld(at);
    for (const each of [token, old.token, 'lt_', ''])
      expect((await tryConfirmEmailChange(at, each)).code).toBe('INVALID_GRANT');
  });

  it.each([
    [
      'a new password by mail',
      async (email: string) => {
        only(await tryRequestReset(at, email));
        const mails = await lettersTo(email);
        only(await tryReset(at, tokenIn(mails.at(-1)!)));
      },
    ],
    [
      'a changed password',
      async (_email: string, bearer: string) => {
        const input = { currentPassword: PASSWORD, newPassword: newPassword() };
        const change = 'mutation ($i: ChangePasswordInput!) { changePassword(input: $i) { sessionsEnded } }';
        only(await graphql(at, change, { bearer, variables: { i: input } }));
      },
    ],
    [
      'disabling the account',
      async (_email: string, _bearer: string, id: string) => {
        await at.app.modules.customers.update(ctxOf('demo'), id, { enabled: false });
      },
    ],
  ])('%s voids the link, and that of a letter that has still to be sent', async (_case, act) => {
    const { customer, session, token } = await givenRequest();
    const late = newEmail();
    mailbox.manner.refuse = 451;
    only(await tryRequestEmailChange(at, session.accessToken, late, PASSWORD));
    await lettersTo(late);
    mailbox.manner.refuse = 0;
    await act(customer.email, session.accessToken, customer.id);
    await at.app.modules.database.forTenant({ tenantId: 'demo' }).letter.updateMany({ data: { dueAt: new Date(0) } });
    expect(await lettersTo(late)).toEqual([]);
    expect((await tryConfirmEmailChange(at, token)).code).toBe('INVALID_GRANT');
  });

  it('a link for a new password that went to the former address is void after the change', async () => {
    const { customer, token } = await givenRequest();
    only(await tryRequestReset(at, customer.email));
    const reset = tokenIn((await lettersTo(customer.email)).at(-1)!);
    only(await tryConfirmEmailChange(at, token));
    expect((await tryReset(at, reset)).code).toBe('INVALID_GRANT');
  });
});

it('unauthenticated and forbidden: for customers in person only', async () => {
  expect((await tryRequestEmailChange(at, undefined, newEmail(), PASSWORD)).code).toBe('UNAUTHENTICATED');
  const { id } = await givenCustomer(at);
  const staff = (await employee(at)).accessToken;
  const assisted = only(await tryAssist(at, staff, { customerId: id })).accessToken;
  for (const bearer of [(await guest(at)).accessToken, (await serviceToken(at)).accessToken, staff, assisted])
    expect((await tryRequestEmailChange(at, bearer, newEmail(), PASSWORD)).code).toBe('FORBIDDEN');
});

it('other tenant: the address is free there, whoever has it here', async () => {
  const { session } = await givenRequest();
  only(await tryRequestEmailChange(at, session.accessToken, 'mallory@rival.example', PASSWORD));
  const [mail] = await lettersTo('mallory@rival.example');
  only(await tryConfirmEmailChange(at, tokenIn(mail!)));
  expect(await at.app.modules.customers.findByEmail({ tenantId: 'rival' }, 'mallory@rival.example')).not.toBeNull();
  expect((await login('mallory@rival.example')).errors).toEqual([]);
});
