// Letters and a real mail server: taken, away, slow, refusing. Nobody waits for it, and nothing is lost with it.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createMail, LONGEST_SEND_MS } from '../../src/mail/mail.ts';
import { createMaintenance } from '../../src/maintenance.ts';
import { createAttempts } from '../../src/modules/limits/attempts.ts';
import { givenCustomer, givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { type Mailbox, openMailbox, pageIn, tokenIn } from '../kit/mailbox.ts';
import { type Service, startService } from '../kit/service.ts';
import { guest, PASSWORD, signIn } from '../kit/stories.ts';
import { startPair } from '../security/logins.ts';

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
beforeEach(() => {
  mailbox.manner.refuse = 0;
  mailbox.manner.refuseSender = 0;
  mailbox.manner.slowMs = 0;
});

const ask = (email: string, service = at): Promise<Answer> =>
  graphql(service, 'mutation ($i: RequestPasswordResetInput!) { requestPasswordReset(input: $i) { acknowledged } }', {
    variables: { i: { tenant: 'demo', userType: 'CUSTOMER', email } },
  });
const rows = (service = at) => service.app.modules.database.forTenant({ tenantId: 'demo' });
const waiting = (address: string, service = at) => rows(service).letter.findMany({ where: { address } });
/** As if the pause before the next try were over. */
const pauseIsOver = (service = at) => rows(service).letter.updateMany({ data: { dueAt: new Date(0) } });
const undeliverable = (service = at) =>
  rows(service).auditEvent.findMany({ where: { type: 'letter.undeliverable' }, orderBy: { id: 'desc' }, take: 1 });

it('a letter arrives as plain text, from the configured sender, with the one link that it is about', async () => {
  const { email } = await givenCustomer(at);
  expect(only(await ask(email))).toEqual({ acknowledged: true });
  const [mail, ...others] = await mailbox.to(email, at);
  expect(others).toEqual([]);
  expect(mail).toMatchObject({ from: 'Shop <no-reply@shop.example>', subject: 'Demo shop: set a new password' });
  expect(pageIn(mail!)).toBe('https://shop.example/reset-password');
  expect(tokenIn(mail!)).toMatch(/^lt_/);
  expect(await waiting(email)).toEqual([]);
});

it('it leaves by itself, without anybody asking for it', async () => {
  const { email } = await givenCustomer(at);
  only(await ask(email));
  await expect.poll(() => mailbox.received.some(({ to }) => to === email), { timeout: 5_000 }).toBe(true);
});

it('the secret of a link is stored as a digest alone, and is in no log', async () => {
  const { email } = await givenCustomer(at);
  only(await ask(email));
  const token = tokenIn((await mailbox.to(email, at))[0]!);
  const stored = JSON.stringify([
    await rows().letterToken.findMany(),
    await rows().letter.findMany(),
    await rows().auditEvent.findMany(),
  ]);
  for (const text of [stored, at.logged.join('')]) expect(text).not.toContain(token.slice(3));
});

describe('a mail server that refuses', () => {
  it('for good: the letter is given up at once, and the trail says so without an address', async () => {
    const { email } = await givenCustomer(at);
    mailbox.manner.refuse = 550;
    expect(only(await ask(email))).toEqual({ acknowledged: true });
    await mailbox.to(email, at);
    expect(await waiting(email)).toEqual([]);
    const [event] = await undeliverable();
    expect(event).toMatchObject({
      outcome: 'refused',
      reason: 'refused by the mail server',
      details: { letter: 'PASSWORD_RESET' },
    });
    expect(JSON.stringify(event)).not.toContain(email);
  });

  it('our sender, which is our mistake and not the letter’s: it is tried again', async () => {
    const { email } = await givenCustomer(at);
    mailbox.manner.refuseSender = 550;
    only(await ask(email));
    await mailbox.to(email, at);
    expect(await waiting(email)).toMatchObject([{ tries: 1 }]);
    mailbox.manner.refuseSender = 0;
    await pauseIsOver();
    expect((await mailbox.to(email, at)).length).toBe(1);
  });

  it('for now: it is tried again, and the link of the try that arrives is the good one', async () => {
    const { email } = await givenCustomer(at);
    mailbox.manner.refuse = 451;
    only(await ask(email));
    expect(await mailbox.to(email, at)).toEqual([]);
    expect(await waiting(email)).toMatchObject([{ tries: 1 }]);
    mailbox.manner.refuse = 0;
    // Not before its pause is over.
    expect(await mailbox.to(email, at)).toEqual([]);
    await pauseIsOver();
    const [mail] = await mailbox.to(email, at);
    const input = { token: tokenIn(mail!), newPassword: `new ${randomUUID()}` };
    const reset = 'mutation ($i: ResetPasswordInput!) { resetPassword(input: $i) { acknowledged } }';
    expect(only(await graphql(at, reset, { variables: { i: input } }))).toEqual({ acknowledged: true });
  });
});

it('a mail server that is slow makes nobody wait, also not for other letters for longer than a send may last', async () => {
  const { email } = await givenCustomer(at);
  mailbox.manner.slowMs = 1_500;
  const began = performance.now();
  only(await ask(email));
  expect(performance.now() - began).toBeLessThan(1_000);
  expect((await mailbox.to(email, at)).length).toBe(1);
  expect(performance.now() - began).toBeGreaterThan(1_400);
});

it('a mail server that takes the call and says nothing holds a letter for seconds, and no request', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const service = await startService({ ...mailbox.env, SMTP_URL: `smtp://127.0.0.1:${port}` });
  try {
    const { email } = await givenCustomer(service);
    only(await ask(email, service));
    const began = performance.now();
    const delivering = service.app.modules.postman.deliver();
    only(await ask(email, service));
    expect(performance.now() - began).toBeLessThan(1_000);
    await delivering;
    expect(performance.now() - began).toBeLessThan(LONGEST_SEND_MS + 2_000);
    expect((await waiting(email, service)).map(({ tries }) => tries)).toEqual([1, 1]);
  } finally {
    await service.stop();
    silent.close();
  }
});

it('what has to be encrypted does not leave in the clear, whatever the server offers', async () => {
  const mail = createMail({ kind: 'smtp', url: mailbox.env.SMTP_URL, from: 'a@b.example', encrypted: true }, () => {});
  await expect(mail.send({ to: 'secret@test.example', subject: 's', text: 't' })).rejects.toThrow(/STARTTLS/i);
  expect(mailbox.received.some(({ to }) => to === 'secret@test.example')).toBe(false);
});

describe('two instances', () => {
  const url = inject('postgresUrl');

  it.skipIf(!url)('one of them brings a letter, once, also what the other has left behind', async () => {
    const [one, other] = await startPair(url!, mailbox.env);
    try {
      const people = await Promise.all(Array.from({ length: 12 }, () => givenCustomer(one)));
      for (const { email } of people) only(await ask(email, one));
      await Promise.all([one, other, one, other].map(({ app }) => app.modules.postman.deliver()));
      for (const { email } of people) expect((await mailbox.to(email, other)).length).toBe(1);

      // As if the instance that was asked had died before it woke its postman.
      const { email } = people[0]!;
      await rows(one).letter.create({
        data: { tenantId: 'demo', kind: 'PASSWORD_RESET', userType: 'CUSTOMER', address: email },
      });
      const { modules } = other.app;
      await modules.database.system().$executeRaw`UPDATE counters SET value = 0 WHERE name = 'maintenance'`;
      await createMaintenance({ ...modules, attempts: createAttempts(modules), logger: { warn: () => {} } }).run();
      const arrived = () => mailbox.received.filter(({ to }) => to === email).length;
      await expect.poll(arrived, { timeout: 5_000 }).toBe(2);
    } finally {
      await one.stop();
      await other.stop();
    }
  });
});

describe('a mail server that is away', () => {
  it('makes nobody wait and loses nothing: the letter comes when the server does', async () => {
    const gone = await openMailbox();
    await gone.close();
    const service = await startService(gone.env);
    try {
      const { email } = await givenCustomer(service);
      const began = performance.now();
      const known = await ask(email, service);
      expect(performance.now() - began).toBeLessThan(1_000);
      const unknown = await ask(`nobody-${randomUUID()}@test.example`, service);
      expect([known.status, known.body]).toEqual([unknown.status, unknown.body]);
      await service.app.modules.postman.deliver();
      expect(await waiting(email, service)).toMatchObject([{ tries: 1 }]);

      const back = await openMailbox({}, gone.port);
      await pauseIsOver(service);
      expect((await back.to(email, service)).length).toBe(1);
      await back.close();
    } finally {
      await service.stop();
    }
  });

  it('for a day: the letter is given up, and the trail says so', async () => {
    const { email } = await givenCustomer(at);
    mailbox.manner.refuse = 421;
    only(await ask(email));
    await mailbox.to(email, at);
    await rows().letter.updateMany({ where: { address: email }, data: { dueAt: new Date(0), createdAt: new Date(0) } });
    await mailbox.to(email, at);
    expect(await waiting(email)).toEqual([]);
    expect(await undeliverable()).toMatchObject([{ reason: 'not delivered within a day' }]);
  });

  it('does not lose the account that was registered meanwhile', async () => {
    const { email, id } = await givenCustomer(at);
    mailbox.manner.refuse = 550;
    only(await ask(email));
    await mailbox.to(email, at);
    expect((await at.app.modules.customers.get({ tenantId: 'demo' }, id)).email).toBe(email);
  });
});

it('of a hundred rounds at once one brings the letter', async () => {
  const { email } = await givenCustomer(at);
  only(await ask(email));
  await Promise.all(Array.from({ length: 100 }, () => at.app.modules.postman.deliver()));
  expect((await mailbox.to(email, at)).length).toBe(1);
});

describe('without a mail server', () => {
  it('outside production letters are shown with their links, past the log, and the start says so', async () => {
    const service = await startService();
    try {
      expect(service.logged.join('')).toContain('No mail server is configured (SMTP_URL): letters are shown');
      only(await ask('shopper@demo.example', service));
      await service.app.modules.postman.deliver();
      const shown = service.printed.join('');
      expect(shown).toContain('mail to shopper@demo.example: Demo shop: set a new password');
      expect(tokenIn({ text: shown })).toMatch(/^lt_/);
      expect(pageIn({ text: shown })).toBe('http://localhost:3000/reset-password');
      expect(service.logged.join('')).not.toContain(tokenIn({ text: shown }).slice(3));
    } finally {
      await service.stop();
    }
  });

  it('in production what needs a letter is SERVICE_UNAVAILABLE, the same for everybody, and the start says so', async () => {
    const service = await startService({}, {}, { mail: { kind: 'none' } });
    try {
      expect(service.logged.join('')).toContain('password resets, changes of address and double opt-in are refused');
      const [known, unknown] = [await ask('shopper@demo.example', service), await ask('nobody@demo.example', service)];
      expect([known.code, known.body]).toEqual(['SERVICE_UNAVAILABLE', unknown.body]);
      const { accessToken } = await signIn(service, 'shopper@demo.example');
      const change = 'mutation ($i: RequestEmailChangeInput!) { requestEmailChange(input: $i) { acknowledged } }';
      const variables = { i: { newEmail: 'new@test.example', password: PASSWORD } };
      expect((await graphql(service, change, { bearer: accessToken, variables })).code).toBe('SERVICE_UNAVAILABLE');
      const { id: tenant, storefront: clientId } = await givenTenant(service, { doubleOptIn: true });
      const register = 'mutation ($i: RegisterCustomerInput!) { registerCustomer(input: $i) { id } }';
      const { accessToken: bearer } = await guest(service, { tenant, clientId });
      const account = { email: 'new@test.example', password: 'a good password' };
      expect((await graphql(service, register, { bearer, variables: { i: account } })).code).toBe(
        'SERVICE_UNAVAILABLE',
      );
      expect(await service.app.modules.customers.findByEmail({ tenantId: tenant }, account.email)).toBeNull();
    } finally {
      await service.stop();
    }
  });
});
