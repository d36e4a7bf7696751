// What can be told and taken by way of letters: security.md cases 36, 75, 79, 80 and 82, for the mutations that end in one.

import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenCustomer, givenEmployee, givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import {
  newEmail,
  newPassword,
  tryConfirmEmailChange,
  tryRegister,
  tryRequestEmailChange,
  tryRequestReset,
  tryReset,
} from '../kit/letters.ts';
import { type Mailbox, openMailbox, pageIn, tokenIn } from '../kit/mailbox.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { guest, PASSWORD, signIn, tryLogin } from '../kit/stories.ts';
import { countingHashes } from './logins.ts';

let mailbox: Mailbox;
let at: Service;
let shop: Awaited<ReturnType<typeof givenTenant>>;
beforeAll(async () => {
  mailbox = await openMailbox();
  at = await startService(mailbox.env);
  shop = await givenTenant(at, { doubleOptIn: true });
});
afterAll(async () => {
  await at?.stop();
  await mailbox?.close();
});

/** Everything that a caller sees; what differs from one answer to any other is left out. */
function shown({ status, headers, body, code }: Answer) {
  const names = [...headers.entries()].filter(([name]) => !/^(date|x-request-id)$/.test(name));
  return { status, code, headers: names, body };
}
const visitor = async () => (await guest(at, { tenant: shop.id, clientId: shop.storefront })).accessToken;
const register = async (email: string, input: object = {}) =>
  tryRegister(at, await visitor(), { email, password: 'a-good-password-1', firstName: 'N', ...input });
const ofShop = () => at.app.modules.database.forTenant({ tenantId: shop.id });

describe('case 75', () => {
  it('case 75: with double opt-in registering tells known, unconfirmed and disabled addresses from new ones in nothing', async () => {
    const unconfirmed = newEmail();
    only(await register(unconfirmed));
    const disabled = await at.app.modules.customers.register(ctxOf(shop.id), { email: newEmail(), password: PASSWORD });
    await at.app.modules.customers.update(ctxOf(shop.id), disabled.id, { enabled: false });
    const ids = new Set<string>();
    const alike = new Set<string>();
    const addresses = [newEmail(), shop.customer.email, unconfirmed, disabled.email, newEmail()];
    for (const email of addresses) {
      const answer = await register(email);
      const { id, customerNumber, ...rest } = only(answer);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(customerNumber).toMatch(/^\d{8}$/);
      expect(rest).toEqual({ email, firstName: 'N', lastName: null, enabled: true, confirmed: false, version: 1 });
      ids.add(id);
      const { body: _body, headers, ...seen } = shown(answer);
      alike.add(
        JSON.stringify([
          seen,
          headers.filter(([name]) => name !== 'content-length'),
          answer.body.length - email.length,
        ]),
      );
    }
    expect([ids.size, alike.size]).toEqual([addresses.length, 1]);
  });

  it('case 75: the letter tells the owner instead, and who was told stays who they were', async () => {
    const before = await ofShop().customer.findFirst({ where: { id: shop.customer.id } });
    only(await register(shop.customer.email, { password: 'an attackers password' }));
    const [mail] = (await mailbox.to(shop.customer.email, at)).slice(-1);
    expect(mail!.subject).toBe(`${shop.id}: you have an account`);
    expect(mail!.text).not.toMatch(/lt_|https?:/);
    expect(await ofShop().customer.findFirst({ where: { id: shop.customer.id } })).toEqual(before);
    expect(await ofShop().customer.count({ where: { email: { endsWith: '@taken.invalid' } } })).toBe(0);
  });

  it('case 75: registering costs one hash, known address or not', async () => {
    const hashes = countingHashes(at);
    const costs: number[] = [];
    for (const email of [newEmail(), shop.customer.email]) {
      const before = hashes();
      only(await register(email));
      costs.push(hashes() - before);
    }
    expect(costs).toEqual([1, 1]);
  });

  it('case 75: asking for a new password tells unknown, disabled, password-less and existing accounts and tenants apart in nothing', async () => {
    const [customer, employee] = [await givenCustomer(at), await givenEmployee(at)];
    const disabled = await givenCustomer(at);
    await at.app.modules.customers.update(ctxOf('demo'), disabled.id, { enabled: false });
    const ssoOnly = await givenEmployee(at);
    const db = at.app.modules.database.forTenant({ tenantId: 'demo' });
    await db.employee.updateMany({ where: { id: ssoOnly.id }, data: { passwordHash: null } });
    const answers = [
      await tryRequestReset(at, customer.email),
      await tryRequestReset(at, newEmail()),
      await tryRequestReset(at, disabled.email),
      await tryRequestReset(at, employee.email, { userType: 'EMPLOYEE' }),
      await tryRequestReset(at, customer.email, { userType: 'EMPLOYEE' }),
      await tryRequestReset(at, ssoOnly.email, { userType: 'EMPLOYEE' }),
      await tryRequestReset(at, customer.email, { tenant: 'no-such-tenant' }),
    ];
    for (const answer of answers) expect(shown(answer)).toEqual(shown(answers[0]!));
    expect(answers[0]!.data).toEqual({ requestPasswordReset: { acknowledged: true } });
  });

  it('case 75: asking does the same work with an account as without: statement by statement', async () => {
    const { email } = await givenCustomer(at);
    const caused: string[][] = [];
    for (const address of [email, newEmail()]) {
      await at.app.modules.postman.deliver();
      const before = at.statements.length;
      only(await tryRequestReset(at, address));
      caused.push(at.statements.slice(before).filter((sql) => !/counters|client_scope_usage|SELECT 1/.test(sql)));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(caused[0]!.length).toBeGreaterThan(0);
    expect(caused[1]).toEqual(caused[0]);
  });

  it('case 75: a limit is met by known and unknown addresses alike', async () => {
    const limited: string[] = [];
    for (const email of [(await givenCustomer(at)).email, newEmail()]) {
      for (let i = 0; i < 5; i += 1) only(await tryRequestReset(at, email));
      const { code, status } = await tryRequestReset(at, email);
      limited.push(`${code} ${status}`);
    }
    expect(new Set(limited).size).toBe(1);
    const codes: (string | undefined)[] = [];
    for (const email of [shop.employee.email, newEmail()]) {
      for (let i = 0; i < 6; i += 1) codes.push((await register(email)).code);
    }
    expect(codes.filter(Boolean)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
  });

  it('case 75: letters are limited by the caller’s address too, whatever accounts there are', async () => {
    const { id: tenant, customer } = await givenTenant(at);
    for (let i = 0; i < 100; i += 1) only(await tryRequestReset(at, newEmail(), { tenant }));
    const limited = await Promise.all(
      [customer.email, newEmail()].map((email) => tryRequestReset(at, email, { tenant })),
    );
    expect(limited.map(({ code }) => code)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
    expect(await mailbox.to(customer.email, at)).toEqual([]);
  });

  it('case 75: a changed address that is taken is answered like a free one', async () => {
    const [mine, theirs] = [await givenCustomer(at), await givenCustomer(at)];
    const { accessToken } = await signIn(at, mine.email);
    const answers = [
      await tryRequestEmailChange(at, accessToken, theirs.email, PASSWORD),
      await tryRequestEmailChange(at, accessToken, newEmail(), PASSWORD),
    ];
    expect(shown(answers[0]!)).toEqual(shown(answers[1]!));
  });
});

describe('cases 79 and 80', () => {
  it.each([
    ['1 025 bytes', 'x'.repeat(1_025), 'BAD_USER_INPUT'],
    ['1 MB', 'x'.repeat(1_000_000), 413],
  ])('case 79: a password of %s is refused without hashing, and the link stays good', async (_size, long, refusal) => {
    const { email } = await givenCustomer(at);
    const { accessToken } = await signIn(at, email);
    only(await tryRequestReset(at, email));
    const token = tokenIn((await mailbox.to(email, at))[0]!);
    const hashes = countingHashes(at);
    for (const answer of [
      await tryReset(at, token, long),
      await tryRequestEmailChange(at, accessToken, newEmail(), long),
      await register(newEmail(), { password: long }),
    ])
      expect([answer.code, answer.status]).toContain(refusal);
    expect(hashes()).toBe(0);
    only(await tryReset(at, token));
  });

  it('case 80: a password that a link sets in one Unicode form is the same password in another', async () => {
    const { email } = await givenCustomer(at);
    const word = 'Übergrößenträger-café';
    only(await tryRequestReset(at, email));
    only(await tryReset(at, tokenIn((await mailbox.to(email, at))[0]!), word.normalize('NFD')));
    const { accessToken: anonymousToken } = await guest(at);
    expect((await tryLogin(at, { email, password: word.normalize('NFC'), anonymousToken })).errors).toEqual([]);
  });

  it.each([
    ['a dotless i', (email: string) => email.replace('i', 'ı')],
    ['a ligature', (email: string) => email.replace('fi', 'ﬁ')],
    ['the Kelvin sign', (email: string) => email.replace('k', '\u212a')],
    ['a full-width letter', (email: string) => email.replace('m', 'ｍ')],
    ['a dot at the end', (email: string) => `${email}.`],
    ['a second address', (email: string) => `${email},other@test.example`],
    ['a header behind it', (email: string) => `${email}\r\nBcc: other@test.example`],
  ])('case 80: an address with %s is nobody’s: no letter leaves, and nobody changes to it', async (_what, alike) => {
    const { email } = await givenCustomer(at, {}, `mike.fisker-${newEmail()}`);
    const { accessToken } = await signIn(at, (await givenCustomer(at)).email);
    for (const answer of [
      await tryRequestReset(at, alike(email)),
      await tryRequestEmailChange(at, accessToken, alike(email), PASSWORD),
      await register(alike(email)),
    ])
      expect(answer.code).toBe('BAD_USER_INPUT');
    expect(await mailbox.to(email, at)).toEqual([]);
  });

  it('case 80: a plus tag is another address, case and blanks around are not', async () => {
    const { email } = await givenCustomer(at);
    only(await tryRequestReset(at, email.replace('@', '+tag@')));
    expect(await mailbox.to(email, at)).toEqual([]);
    only(await tryRequestReset(at, `\u00a0${email.toUpperCase()}\t`));
    expect((await mailbox.to(email, at)).length).toBe(1);
  });
});

describe('case 82', () => {
  /** With headers that fetch would not send. */
  const post = (headers: Record<string, string>, body: string) =>
    new Promise<void>((resolve, reject) => {
      const asking = httpRequest(`${at.url}/graphql`, { method: 'POST', headers }, (response) => {
        response.resume().on('end', () => resolve());
      });
      asking.on('error', reject).end(body);
    });

  it('case 82: links lead where the configuration says, whatever Host and forwarding headers the request has', async () => {
    const { email } = await givenCustomer(at);
    const query = `mutation { requestPasswordReset(input: { tenant: "demo", userType: CUSTOMER, email: "${email}" }) { acknowledged } }`;
    const forged = {
      Host: 'evil.example',
      Origin: 'https://evil.example',
      Referer: 'https://evil.example/',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'http',
      'X-Original-Host': 'evil.example',
      Forwarded: 'host=evil.example;proto=http',
      'Content-Type': 'application/json',
    };
    await post(forged, JSON.stringify({ query }));
    const [mail] = await mailbox.to(email, at);
    expect(pageIn(mail!)).toBe('https://shop.example/reset-password');
    expect(JSON.stringify(mail)).not.toContain('evil');
  });

  it('case 82: the token of a link stands behind the number sign, is kept as a digest, and is shown by no field', async () => {
    const { email } = await givenCustomer(at);
    only(await tryRequestReset(at, email));
    const [mail] = await mailbox.to(email, at);
    const token = tokenIn(mail!);
    expect(mail!.text).toContain(`/reset-password#token=${token}`);
    const rows = await at.app.modules.database.system()
      .$queryRaw`SELECT (t.*)::text AS row FROM letter_tokens t UNION ALL SELECT (l.*)::text FROM letters l`;
    expect(JSON.stringify(rows)).not.toContain(token.slice(3));
    only(await tryReset(at, token));
    expect((await tryReset(at, token)).code).toBe('INVALID_GRANT');
  });
});

it('case 36: on a shared device, who changed the address leaves no session and no guest token that signs anybody in', async () => {
  const first = await givenCustomer(at);
  const second = await givenCustomer(at);
  const { accessToken: oldCopy } = await guest(at);
  const { accessToken } = only(await tryLogin(at, { email: first.email, anonymousToken: oldCopy }));
  const email = newEmail();
  only(await tryRequestEmailChange(at, accessToken, email, PASSWORD));
  only(await tryConfirmEmailChange(at, tokenIn((await mailbox.to(email, at))[0]!)));
  for (const who of [second.email, email])
    expect((await tryLogin(at, { email: who, anonymousToken: oldCopy })).code).toBe('UNAUTHENTICATED');
  const change = `mutation { changePassword(input: { currentPassword: "${PASSWORD}", newPassword: "${newPassword()}" }) { sessionsEnded } }`;
  expect((await graphql(at, change, { bearer: accessToken })).code).toBe('UNAUTHENTICATED');
});
