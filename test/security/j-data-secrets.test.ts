// A full run, and then a search for every secret that it used: in the whole database, in the log and in what callers
// were told of failures. security.md case 110; invariant I7.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Prisma } from '../../src/database/generated/client.ts';
import { deriveKey, unseal } from '../../src/modules/keys/key-sealing.ts';
import { givenClient, givenEmployee } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { type Service, startService } from '../kit/service.ts';
import {
  type CustomerToken,
  type EmployeeToken,
  type GuestToken,
  guest,
  PASSWORD,
  tryEmployeeLogin,
  tryLogin,
  tryRefresh,
  tryRefreshEmployee,
  tryRefreshGuest,
  tryServiceToken,
} from '../kit/stories.ts';

let service: Service;
/** Every secret that was used, by what it is. */
const secrets = new Map<string, string>();
/** What callers were told of failures. */
const refusals: string[] = [];
/** The wrong ones, too: they are often the right ones of elsewhere. */
const use = <Text extends string>(what: string, secret: Text): Text => {
  secrets.set(`${what} ${secrets.size}`, secret);
  return secret;
};

function told<Value = Answer>(answer: Answer): Value {
  if (answer.errors.length > 0) refusals.push(answer.body, JSON.stringify([...answer.headers]));
  return answer as Value;
}
function expectRefused(answer: Answer): void {
  expect(answer.errors.length, answer.body).toBeGreaterThan(0);
  told(answer);
}
function issued<Tokens extends object>(answer: Answer): Tokens {
  const tokens = only<Tokens>(answer);
  for (const [name, value] of Object.entries(tokens)) {
    if (/token$/i.test(name) && typeof value === 'string') use(name, value);
    if (name === 'branchedFrom' && value) use('branch', (value as { refreshToken: string }).refreshToken);
  }
  return tokens;
}
const ask = (query: string, variables: Record<string, unknown>, bearer?: string) =>
  graphql(service, query, { variables, bearer });

beforeAll(async () => {
  service = await startService({ LOG_LEVEL: 'trace' });
  use('secret of keys', service.config.keyEncryptionSecret);
  use('demo password', PASSWORD);
  await story();
}, 120_000);
afterAll(() => service?.stop());

/** Guests, customers, employees, clients; every grant, well and badly; changes, ends, and a database that fails. */
async function story(): Promise<void> {
  const email = `somebody-${randomUUID()}@test.example`;
  const [first, second] = [use('password', `first-${randomUUID()}`), use('password', `second-${randomUUID()}`)];
  const wrong = use('wrong password', `wrong-${randomUUID()}`);
  const visit = async () => {
    const tokens = await guest(service, { siteCode: 'de' });
    use('guest', tokens.accessToken);
    use('guest refresh', tokens.refreshToken);
    return tokens;
  };

  let visitor: GuestToken = await visit();
  visitor = issued(await tryRefreshGuest(service, visitor.refreshToken));
  const register = 'mutation ($i: RegisterCustomerInput!) { registerCustomer(input: $i) { id } }';
  const { id } = only<{ id: string }>(
    await ask(register, { i: { email, password: first, firstName: 'Sam' } }, visitor.accessToken),
  );
  expectRefused(await ask(register, { i: { email, password: second } }, visitor.accessToken));
  expectRefused(await ask(register, { i: { email: 'no address', password: second } }, visitor.accessToken));
  expectRefused(
    await ask(register, { i: { email: `x-${email}`, password: use('short', 'shortpw9!') } }, visitor.accessToken),
  );
  const { contactAssignments, memberships } = service.app.modules;
  for (const [company, role] of [
    ['acme', 'ADMIN'],
    ['globex', 'BUYER'],
  ] as const) {
    const ctx = {
      tenantId: 'demo',
      requestId: 'story',
      ipAddress: null,
      userAgent: null,
      principal: null,
      credential: 'operator' as const,
    };
    await contactAssignments.assign(ctx, id, company);
    await memberships.joinCompany(ctx, company, role, id);
  }

  expectRefused(await tryLogin(service, { email, password: wrong, anonymousToken: visitor.accessToken }));
  expectRefused(
    await tryLogin(service, { email: `nobody-${email}`, password: first, anonymousToken: visitor.accessToken }),
  );
  expectRefused(
    await tryLogin(service, {
      email,
      password: first,
      anonymousToken: use('forged', `${visitor.accessToken.slice(0, -8)}AAAAAAAA`),
    }),
  );
  let mine = issued<CustomerToken>(
    await tryLogin(service, { email, password: first, anonymousToken: visitor.accessToken }),
  );
  expectRefused(await tryLogin(service, { email, password: first, anonymousToken: visitor.accessToken }));
  for (const change of [
    {},
    { legalEntityId: 'acme' },
    { legalEntityId: 'globex', branch: true },
    { legalEntityId: null },
  ])
    mine = issued(await tryRefresh(service, mine.refreshToken, change));
  expectRefused(await tryRefresh(service, mine.refreshToken, { legalEntityId: 'initech' }));
  expectRefused(await tryRefresh(service, use('unknown refresh', `rt_${'A'.repeat(43)}`)));
  issued(await ask('mutation { issueSaasToken { saasToken } }', {}, mine.accessToken));
  const changing = 'mutation ($i: ChangePasswordInput!) { changePassword(input: $i) { sessionsEnded } }';
  expectRefused(await ask(changing, { i: { currentPassword: wrong, newPassword: second } }, mine.accessToken));
  only(await ask(changing, { i: { currentPassword: first, newPassword: second } }, mine.accessToken));
  only(
    await ask(
      'mutation { updateSessionContext(input: { version: 1, attributes: { cart: "x" } }) { version } }',
      {},
      mine.accessToken,
    ),
  );

  const client = await givenClient(service, ['price.price_read']);
  use('client secret', client.clientSecret);
  const { accessToken } = issued<{ accessToken: string }>(
    await tryServiceToken(service, client.id, client.clientSecret),
  );
  expectRefused(await tryServiceToken(service, client.id, use('wrong secret', `cs_${randomUUID()}${randomUUID()}`)));
  expectRefused(
    await tryServiceToken(service, use('secret as id', `cs_${randomUUID().replaceAll('-', '')}`), client.clientSecret),
  );
  expectRefused(await tryServiceToken(service, client.id, client.clientSecret, ['order.order_manage']));
  use('demo secret', 'demo-crm-secret');
  issued(await tryServiceToken(service, 'demo-crm', 'demo-crm-secret'));
  expectRefused(await ask('{ sessions { totalCount } }', {}, accessToken));

  const helper = await givenEmployee(service, [
    'customer.assisted_buying_manage',
    'oauth.token_introspect',
    'oauth.session_manage',
  ]);
  let helping = issued<EmployeeToken>(await tryEmployeeLogin(service, helper.email));
  expectRefused(await tryEmployeeLogin(service, helper.email, wrong));
  helping = issued(await tryRefreshEmployee(service, helping.refreshToken));
  const assisted = issued<CustomerToken>(
    await ask(
      'mutation ($id: ID!) { issueAssistedCustomerToken(input: { customerId: $id, reason: "asked" }) { accessToken saasToken } }',
      { id },
      helping.accessToken,
    ),
  );
  for (const token of [mine.accessToken, mine.refreshToken, assisted.accessToken, client.clientSecret])
    told(await ask('query ($t: String!) { introspectToken(token: $t) { active } }', { t: token }, helping.accessToken));
  expectRefused(
    await ask('query ($t: String!) { introspectToken(token: $t) { active } }', { t: helping.accessToken }, accessToken),
  );
  for (const token of [assisted.accessToken, accessToken, client.clientSecret, wrong])
    only(await ask('mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', { t: token }));

  // Secrets where they do not belong: in documents, URLs, names, headers, broken bodies.
  const elsewhere = [mine.refreshToken, mine.accessToken, second, client.clientSecret];
  for (const secret of elsewhere) {
    expectRefused(await ask(`{ ${JSON.stringify(secret)} }`, {}));
    expectRefused(
      await ask(`mutation { issueCustomerToken(input: { password: ${JSON.stringify(secret)} }) { x } }`, {}),
    );
    const login = 'mutation ($i: IssueCustomerTokenInput!) { issueCustomerToken(input: $i) { sessionId } }';
    for (const [query, variables] of [
      ['query ($v: Int) { scopes(first: $v) { totalCount } }', { v: secret }],
      ['query ($v: Boolean) { scopes(heldByMe: $v) { totalCount } }', { v: `a; ${secret}; at "x"; b` }],
      ['query ($v: String) { scopes(search: $v) { totalCount } }', { v: { secret } }],
      [login, { i: { email: 'a@b.example', password: secret, unknown: true } }],
      [login, { i: { email: 'a@b.example', password: [secret] } }],
      [login, { i: { password: secret } }],
      [login, { i: secret }],
      [`{ scopes(first: ${JSON.stringify(secret)}) { totalCount } }`, {}],
      [`{ scopes(heldByMe: { a: ${JSON.stringify(secret)} }) { totalCount } }`, {}],
      [`mutation { issueCustomerToken(input: ${JSON.stringify(secret)}) { sessionId } }`, {}],
      [`mutation { issueCustomerToken(input: [{ password: ${JSON.stringify(secret)} }]) { sessionId } }`, {}],
      [`${JSON.stringify(secret)}`, {}],
      [`{ scopes """${secret}""" }`, {}],
    ] as const) {
      const answer = await ask(query, variables, mine.accessToken);
      expectRefused(answer);
      expect([query, answer.code]).toEqual([query, 'BAD_USER_INPUT']);
    }
    for (const path of [
      `/graphql?query={x}&token=${secret}`,
      `/nowhere/${secret}?refreshToken=${secret}`,
      `/.well-known/${secret}`,
    ]) {
      const answer = await fetch(`${service.url}${path}`, {
        headers: { 'X-Token': secret, Cookie: `session=${secret}`, 'User-Agent': `agent ${secret}` },
      });
      refusals.push(await answer.text(), JSON.stringify([...answer.headers]));
    }
    const broken = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(secret)}` },
      body: `{"query":"${secret}`,
    });
    refusals.push(await broken.text());
  }

  // What the database says about a statement that fails.
  const { database } = service.app.modules;
  const agent = await visit();
  await database.system().$executeRaw`ALTER TABLE customers RENAME COLUMN first_name TO given_name`;
  expectRefused(await tryLogin(service, { email, password: second, anonymousToken: agent.accessToken }));
  expectRefused(await ask(register, { i: { email: `late-${email}`, password: second } }, agent.accessToken));
  await database.system().$executeRaw`ALTER TABLE customers RENAME COLUMN given_name TO first_name`;
  await database.system().$executeRaw`ALTER TABLE refresh_tokens RENAME COLUMN branch_id TO hidden`;
  expectRefused(await tryRefresh(service, mine.refreshToken));
  expectRefused(
    await ask('mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', { t: mine.refreshToken }),
  );
  await database.system().$executeRaw`ALTER TABLE refresh_tokens RENAME COLUMN hidden TO branch_id`;

  mine = issued(await tryRefresh(service, mine.refreshToken));
  only(
    await ask(
      'mutation { rotateSigningKey { kid } }',
      {},
      issued<{ accessToken: string }>(
        await tryServiceToken(service, 'rival-backend', use('rival secret', 'rival-backend-secret')),
      ).accessToken,
    ),
  );
  only(await ask('mutation { logoutEverywhere { sessionsEnded } }', {}, mine.accessToken));
  expectRefused(await tryRefresh(service, mine.refreshToken));
}

/** A secret as it might stand somewhere: plain, in base64 of whatever alignment, in hexadecimal as bytea is shown. */
function spellingsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .slice(offset === 0 ? 0 : 4, -4),
  );
  return [secret, encodeURIComponent(secret), bytes.toString('hex'), ...base64.filter((text) => text.length >= 10)];
}
/** Signatures and random parts matter; two tokens share their header. */
const partsOf = (secret: string): string[] => {
  const parts = secret.split('.');
  return parts.length < 3 ? spellingsOf(secret) : [secret, parts[1]!, parts.at(-1)!].flatMap(spellingsOf);
};
const found = (text: string) =>
  [...secrets].filter(([, secret]) => partsOf(secret).some((part) => text.includes(part))).map(([what]) => what);

async function dump(): Promise<string> {
  const db = service.app.modules.database.system();
  const tables = await db.$queryRaw<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`;
  const rows: string[] = [];
  for (const { name } of tables) {
    const texts = await db.$queryRaw<{ row: string }[]>(
      Prisma.sql`SELECT t::text AS row FROM ${Prisma.raw(`"${name}"`)} t`,
    );
    rows.push(...texts.map(({ row }) => `${name} ${row}`));
  }
  return rows.join('\n');
}

describe('case 110: after a full run', () => {
  it('there is something to find: secrets of every kind, rows in every table of the story, a log, refusals', async () => {
    const kinds = new Set([...secrets.keys()].map((what) => what.replace(/ \d+$/, '')));
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        'accessToken',
        'refreshToken',
        'saasToken',
        'branch',
        'client secret',
        'password',
        'guest refresh',
      ]),
    );
    expect(secrets.size).toBeGreaterThan(40);
    const text = await dump();
    for (const table of [
      'customers',
      'sessions',
      'refresh_tokens',
      'audit_events',
      'revocations',
      'client_secrets',
      'signing_keys',
    ])
      expect(text).toContain(`${table} (`);
    expect(service.logged.length).toBeGreaterThan(50);
    expect(service.logged.join('')).toContain('unexpected failure');
    expect(refusals.length).toBeGreaterThan(40);
  });

  it('the search finds a secret however it is spelled', () => {
    const [, secret] = [...secrets][3]!;
    for (const text of [secret, Buffer.from(`ab${secret}cd`).toString('base64'), Buffer.from(secret).toString('hex')])
      expect(found(`x ${text} y`).length).toBeGreaterThan(0);
  });

  it('the whole database holds none of them', async () => {
    expect(found(await dump())).toEqual([]);
  });

  it('the log, at its most talkative, holds none of them', () => {
    const log = service.logged.join('\n');
    const hits = found(log);
    const lines = service.logged.filter((line) => found(line).length > 0).map((line) => line.slice(0, 400));
    expect([hits, lines.slice(0, 5)]).toEqual([[], []]);
    expect(log).not.toMatch(/@test\.example/);
  });

  it('what callers were told of failures holds none of them', () => {
    const hits = refusals.filter((text) => found(text).length > 0);
    expect(hits.map((text) => text.slice(0, 300))).toEqual([]);
  });

  it('private keys are in the database sealed only, and in log and refusals not at all', async () => {
    const keys = await service.app.modules.database.system().signingKey.findMany();
    expect(keys.length).toBeGreaterThanOrEqual(4);
    const sealing = deriveKey(service.config.keyEncryptionSecret, 'signing keys');
    const text = await dump();
    for (const { id, sealedPrivate } of keys) {
      const { d } = JSON.parse(unseal(sealing, sealedPrivate, id)) as { d: string };
      expect(d.length).toBeGreaterThan(40);
      const spelled = [
        d,
        Buffer.from(d, 'base64url').toString('hex'),
        Buffer.from(d, 'base64url').toString('base64'),
      ].flatMap(spellingsOf);
      for (const place of [text, service.logged.join('\n'), refusals.join('\n')])
        expect(spelled.some((part) => place.includes(part))).toBe(false);
    }
    expect(text).not.toMatch(/PRIVATE KEY|"d": ?"/);
  });

  it('passwords are kept as argon2id with the parameters of today, refresh tokens and client secrets as digests', async () => {
    const db = service.app.modules.database.system();
    const people = [...(await db.customer.findMany()), ...(await db.employee.findMany())];
    for (const { passwordHash } of people) expect(passwordHash).toMatch(/^\$argon2id\$v=19\$m=\d+,t=1,p=1\$/);
    expect(new Set(people.map(({ passwordHash }) => passwordHash)).size).toBe(people.length);
    for (const { id } of await db.refreshToken.findMany()) expect(id).toHaveLength(32);
    for (const { digest } of await db.clientSecret.findMany()) expect(digest).toHaveLength(32);
  });
});
