// Security catalogue, G: what answers to passwords give away, which passwords and addresses are one, and that no URL
// comes from the caller.

import { randomUUID } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { hash } from '@node-rs/argon2';
import { afterAll, expect, it } from 'vitest';
import { givenClient, givenCustomer, givenEmployee } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { REAL } from '../kit/password-cost.ts';
import { ctxOf, ISSUER, startService } from '../kit/service.ts';
import { claimsOf, employee, guest, isGood, signIn } from '../kit/stories.ts';
import { anywhere, countingHashes, customerLogin, employeeLogin, rowsOf, someEmail } from './logins.ts';

const service = await startService({ TRUSTED_PROXIES: '127.0.0.1' }, { passwordCost: REAL });
afterAll(() => service.stop());
const password = 'not-the-password';

/** Everything of an answer that may not differ. */
function shown({ status, headers, body }: Answer) {
  const own = new Set(['date', 'x-request-id']);
  return { status, body, headers: [...headers].filter(([name]) => !own.has(name)) };
}
const login = async (credentials: { email: string; password?: string }) =>
  customerLogin(service, (await guest(service)).accessToken, credentials);

const change = 'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { sessionsEnded } }';
const register = 'mutation ($input: RegisterCustomerInput!) { registerCustomer(input: $input) { id email } }';
const registers = async (email: string, password: string) =>
  graphql(service, register, {
    variables: { input: { email, password } },
    bearer: (await guest(service)).accessToken,
    headers: { 'X-Forwarded-For': anywhere() },
  });

it('case 75: a customer login tells unknown, disabled, wrong password and single sign-on only apart in nothing', async () => {
  const [known, disabled, ssoOnly] = await Promise.all([1, 2, 3].map(() => givenCustomer(service)));
  await service.app.modules.customers.update(ctxOf('demo'), disabled!.id, { enabled: false });
  await rowsOf(service).customer.updateMany({ where: { id: ssoOnly!.id }, data: { passwordHash: null } });
  const wrong = shown(await login({ email: known!.email, password }));
  expect(wrong).toMatchObject({ status: 200, body: expect.stringContaining('INVALID_GRANT') });
  for (const credentials of [
    { email: someEmail(), password },
    { email: 'no address at all', password },
    { email: disabled!.email, password },
    { email: disabled!.email },
    { email: ssoOnly!.email, password },
    { email: ssoOnly!.email, password: '' },
  ]) {
    expect(shown(await login(credentials))).toEqual(wrong);
  }
});

it('case 75: an employee login tells unknown, disabled, wrong password, single sign-on only and unknown tenant apart in nothing', async () => {
  const [known, disabled, ssoOnly] = await Promise.all([1, 2, 3].map(() => givenEmployee(service)));
  await service.app.modules.employees.update(ctxOf('demo'), disabled!.id, { enabled: false });
  await rowsOf(service).employee.updateMany({ where: { id: ssoOnly!.id }, data: { passwordHash: null } });
  const wrong = shown(await employeeLogin(service, { email: known!.email, password }));
  expect(wrong.body).toContain('INVALID_GRANT');
  for (const credentials of [
    { email: someEmail(), password },
    { email: disabled!.email, password },
    { email: disabled!.email },
    { email: ssoOnly!.email, password },
  ]) {
    expect(shown(await employeeLogin(service, credentials))).toEqual(wrong);
  }
  expect(shown(await employeeLogin(service, { email: known!.email }, 'no-such-tenant'))).toEqual(wrong);
});

it('case 75: a customer is no employee and an employee no customer, in the same words as nobody', async () => {
  const nobody = shown(await login({ email: someEmail(), password }));
  expect(shown(await login({ email: (await givenEmployee(service)).email }))).toEqual(nobody);
  const noEmployee = shown(await employeeLogin(service, { email: someEmail(), password }));
  expect(shown(await employeeLogin(service, { email: (await givenCustomer(service)).email }))).toEqual(noEmployee);
});

it('case 75: registering tells of an account by CONFLICT alone, and a password that may not be set before that', async () => {
  const { email } = await givenCustomer(service);
  const taken = await registers(email, 'a-good-password-1');
  expect(taken).toMatchObject({ code: 'CONFLICT', data: null });
  expect(taken.errors[0]!.extensions.reason).toBe('EMAIL_TAKEN');
  const [short, shortToo] = [await registers(email, 'short'), await registers(someEmail(), 'short')];
  expect(shown(short)).toEqual(shown(shortToo));
  expect(short.errors[0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.password' });
});

it.each([
  ['1 025 bytes', 'x'.repeat(1_025), 'BAD_USER_INPUT'],
  ['1 025 bytes in 342 characters', `${'€'.repeat(341)}xx`, 'BAD_USER_INPUT'],
  ['61 characters that NFKC makes 1 098', '\ufdfa'.repeat(61), 'BAD_USER_INPUT'],
  ['1 MB', 'x'.repeat(1_000_000), 413],
  ['10 MB', 'x'.repeat(10_000_000), 413],
])('case 79: a password of %s is refused everywhere without hashing', async (_size, long, refusal) => {
  const { email } = await givenCustomer(service);
  const { accessToken } = await signIn(service, email);
  const { accessToken: anonymous } = await guest(service);
  const hashes = countingHashes(service);
  const answers = [
    await customerLogin(service, anonymous, { email, password: long }),
    await employeeLogin(service, { email, password: long }),
    await employeeLogin(service, { email, password: long }, 'no-such-tenant'),
    await graphql(service, register, {
      variables: { input: { email: someEmail(), password: long } },
      bearer: anonymous,
    }),
    await graphql(service, change, {
      variables: { input: { currentPassword: long, newPassword: 'fine-password-1' } },
      bearer: accessToken,
    }),
    await graphql(service, change, {
      variables: { input: { currentPassword: 'demo-password-1', newPassword: long } },
      bearer: accessToken,
    }),
  ];
  for (const answer of answers) expect(typeof refusal === 'number' ? answer.status : answer.code).toBe(refusal);
  expect(hashes()).toBe(0);
});

it('case 79: a refused length counts as no failure', async () => {
  const { email } = await givenCustomer(service);
  for (let tries = 0; tries < 11; tries += 1) await login({ email, password: 'x'.repeat(1_025) });
  expect((await login({ email })).code).toBeUndefined();
});

it.each([
  ['the first 72 bytes', `${'x'.repeat(72)}tail-one`, [`${'x'.repeat(72)}tail-two`, 'x'.repeat(72)]],
  ['everything but the last of 1 024 bytes', '€'.repeat(255).padEnd(256, 'a'), ['€'.repeat(255).padEnd(256, 'b')]],
  ['all but a blank at the end', 'with blanks 1 ', ['with blanks 1', ' with blanks 1 ']],
  ['all but the case', 'Camel-Case-Password', ['camel-case-password']],
])('case 79: a password that agrees in %s signs nobody in, the whole one does', async (_part, whole, others) => {
  const email = someEmail();
  only(await registers(email, whole));
  for (const other of others) expect((await login({ email, password: other })).code).toBe('INVALID_GRANT');
  expect((await login({ email, password: whole })).code).toBeUndefined();
});

it('case 79: a NUL cuts neither a password nor an address off: with one of them nobody signs in', async () => {
  const email = someEmail();
  only(await registers(email, 'before-nul'));
  const hashes = countingHashes(service);
  for (const wrong of [
    { email, password: 'before-nul\0' },
    { email, password: 'before-nul\0after' },
    { email: `${email}\0`, password: 'before-nul' },
  ]) {
    expect(await login(wrong)).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect((await registers(wrong.email, wrong.password)).code).toBe('BAD_USER_INPUT');
  }
  expect(hashes()).toBe(0);
  expect((await login({ email, password: 'before-nul' })).code).toBeUndefined();
});

it('case 80: a password set in one Unicode form is the same password in another', async () => {
  const word = 'Übergrößenträger-café';
  for (const [set, used] of [
    ['NFD', 'NFC'],
    ['NFC', 'NFD'],
  ] as const) {
    const email = someEmail();
    only(await registers(email, word.normalize(set)));
    expect((await login({ email, password: word.normalize(used) })).code).toBeUndefined();
    const { accessToken } = only(await login({ email, password: word.normalize(used) }));
    const input = { currentPassword: word.normalize(used), newPassword: `${word.normalize(set)}-2` };
    only(await graphql(service, change, { variables: { input }, bearer: accessToken }));
    expect((await login({ email, password: `${word.normalize(used)}-2` })).code).toBeUndefined();
  }
});

it.each([
  ['a dotless i', (email: string) => email.replace('i', 'ı')],
  ['a ligature', (email: string) => email.replace('fi', 'ﬁ')],
  ['the Kelvin sign', (email: string) => email.replace('k', '\u212a')],
  ['a full-width letter', (email: string) => email.replace('m', 'ｍ')],
  ['a Cyrillic letter', (email: string) => email.replace('e', 'е')],
  ['a dot at the end', (email: string) => `${email}.`],
  ['a soft hyphen', (email: string) => email.replace('@', '\u00ad@')],
  ['a second address', (email: string) => `${email},other@test.example`],
  ['a display name', (email: string) => `Mike <${email}>`],
])(
  'case 80: an address with %s is no spelling of one without, neither to register nor to sign in',
  async (_what, alike) => {
    const email = `mike.fisker-${randomUUID()}@test.example`;
    only(await registers(email, 'a-good-password-1'));
    expect(alike(email)).not.toBe(email);
    const refused = await registers(alike(email), 'a-good-password-1');
    expect(refused.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.email' });
    expect((await login({ email: alike(email), password: 'a-good-password-1' })).code).toBe('INVALID_GRANT');
  },
);

it('case 80: a plus tag makes another account, case and blanks around do not', async () => {
  const email = `mike-${randomUUID()}@test.example`;
  only(await registers(email, 'a-good-password-1'));
  only(await registers(email.replace('@', '+tag@'), 'a-good-password-2'));
  for (const spelling of [email.toUpperCase(), ` ${email}`, `\u00a0${email}\t`]) {
    expect((await registers(spelling, 'a-good-password-1')).code).toBe('CONFLICT');
    expect((await login({ email: spelling, password: 'a-good-password-1' })).code).toBeUndefined();
  }
  expect((await login({ email, password: 'a-good-password-2' })).code).toBe('INVALID_GRANT');
});

it('a login whose password was hashed with older parameters succeeds, and is hashed anew', async () => {
  const older = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
  const passwordHash = await hash('demo-password-1', older);
  const customer = await givenCustomer(service);
  const worker = await givenEmployee(service);
  await rowsOf(service).customer.updateMany({ where: { id: customer.id }, data: { passwordHash } });
  await rowsOf(service).employee.updateMany({ where: { id: worker.id }, data: { passwordHash } });
  expect((await login({ email: customer.email })).code).toBeUndefined();
  expect((await employeeLogin(service, { email: worker.email })).code).toBeUndefined();
  const rows = [
    await rowsOf(service).customer.findFirstOrThrow({ where: { id: customer.id } }),
    await rowsOf(service).employee.findFirstOrThrow({ where: { id: worker.id } }),
  ];
  for (const row of rows) expect(row.passwordHash).toMatch(/^\$argon2id\$v=19\$m=47104,t=1,p=1\$/);
  expect((await login({ email: customer.email })).code).toBeUndefined();
  expect((await employeeLogin(service, { email: worker.email })).code).toBeUndefined();
});

it('two customers whose numbers would be alike both get an account', async () => {
  const own = await startService({}, { passwordCost: REAL });
  try {
    const database = own.app.modules.database.system();
    await database.$executeRaw`CREATE SEQUENCE tries`;
    // The first number tried for the second customer is the first one's.
    await database.$executeRaw`
      CREATE FUNCTION repeat_number() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('tries') <= 2 THEN NEW.customer_number := '12345678'; END IF; RETURN NEW; END $$`;
    await database.$executeRaw`
      CREATE TRIGGER repeat_number BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION repeat_number()`;
    const [first, second] = [await givenCustomer(own), await givenCustomer(own)];
    expect(first.customerNumber).toBe('12345678');
    expect(second.customerNumber).not.toBe('12345678');
    await expect(givenCustomer(own, {}, first.email)).rejects.toMatchObject({
      code: 'CONFLICT',
      reason: 'EMAIL_TAKEN',
    });
  } finally {
    await own.stop();
  }
});

/** fetch does not let a caller choose the host. */
function ask(path: string, headers: Record<string, string>, body?: string) {
  return new Promise<{ headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const asking = request(
      `${service.url}${path}`,
      { method: body === undefined ? 'GET' : 'POST', headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        response.on('end', () => resolve({ headers: response.headers, body: text }));
      },
    );
    asking.on('error', reject).end(body);
  });
}

it('case 82: no Host, X-Forwarded-Host or Forwarded header shows in an answer; tokens name the configured issuer', async () => {
  const forged = {
    Host: 'evil.example',
    'X-Forwarded-Host': 'evil.example',
    'X-Forwarded-Server': 'evil.example',
    'X-Original-Host': 'evil.example',
    Forwarded: 'host=evil.example;proto=http',
    'X-Forwarded-Proto': 'http',
  };
  const json = { ...forged, 'Content-Type': 'application/json' };
  const query =
    'mutation { issueAnonymousToken(input: { tenant: "demo", clientId: "demo-storefront" }) { accessToken } }';
  const answers = [
    ask('/graphql', json, JSON.stringify({ query })),
    ask('/graphql', json, JSON.stringify({ query: '{ mySessions { id } }' })),
    ask('/graphql', json, '{'),
    ask('/graphql', { ...forged, Accept: 'text/html' }),
    ask('/graphql?query={__typename}', forged),
    ask('/.well-known/jwks.json', forged),
    ask('/.well-known/oauth-authorization-server', forged),
    ask('/healthz', forged),
    ask('/readyz', forged),
    ask('/no/such/path', forged),
    ask('//evil.example/graphql', forged),
  ];
  const all = await Promise.all(answers);
  for (const answer of all) {
    expect(answer.body).not.toContain('evil');
    expect(JSON.stringify(answer.headers)).not.toContain('evil');
  }
  const { accessToken } = JSON.parse(all[0]!.body).data.issueAnonymousToken;
  expect(claimsOf(accessToken)).toMatchObject({ iss: ISSUER, aud: ISSUER });
  expect(await isGood(service, accessToken)).toBe(true);
});

it('case 82: a client secret is stored as a digest alone, and no field of the schema shows it a second time', async () => {
  const { id, clientSecret } = await givenClient(service, ['product.product_read']);
  expect(clientSecret).toMatch(/^cs_[\w-]{43}$/);
  const secrets = await rowsOf(service).clientSecret.findMany({ where: { clientId: id } });
  const client = await rowsOf(service).client.findMany({ where: { id } });
  const audited = await rowsOf(service).auditEvent.findMany({ where: { subjectId: id } });
  expect(secrets).toHaveLength(1);
  for (const stored of [secrets, client, audited]) expect(JSON.stringify(stored)).not.toContain(clientSecret);
  expect(Buffer.from(secrets[0]!.digest).toString('utf8')).not.toContain(clientSecret);
  expect(service.logged.join('\n')).not.toContain(clientSecret);

  const { accessToken } = await employee(service);
  const type = '{ __type(name: "Client") { fields { name } } }';
  const { fields } = only(await graphql(service, type, { bearer: accessToken }));
  expect(fields.length).toBeGreaterThan(2);
  expect(fields.filter(({ name }: { name: string }) => /^(client)?secret$|digest|hash/i.test(name))).toEqual([]);
});
