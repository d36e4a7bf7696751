// Tokens that are not to be exchanged. security.md case 74: each INVALID_GRANT, and nothing is left of the attempt.

import { randomUUID } from 'node:crypto';
import { generateKeyPair, type JWTHeaderParameters } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { administratorOf } from '../kit/groups.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import { connect, tryExchange, tryUpdateProvider } from '../kit/oidc-stories.ts';
import { type Service, theService } from '../kit/service.ts';
import { employee, guest, signIn } from '../kit/stories.ts';
import { onBoth } from '../security/b-refresh-families.ts';

type Claims = Record<string, unknown>;
type Header = Partial<JWTHeaderParameters>;

let at: Service;
let idp: MisbehavingProvider;
let attacker: MisbehavingProvider;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
let signed: string;
let asked: string;
beforeAll(async () => {
  at = await theService();
  [idp, attacker] = [await startMisbehaving(), await startMisbehaving()];
  tenant = await givenTenant(at);
  signed = await connect(at, tenant, idp, { subjectTokens: 'JWT', autoProvision: true });
  asked = await connect(at, tenant, idp, { subjectTokens: 'OPAQUE', autoProvision: true });
});
afterAll(() => Promise.all([idp?.stop(), attacker?.stop()]));
beforeEach(() => {
  idp.introspection = { active: false };
});

const now = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const person = { sub: 'the person', email: 'person@test.example', email_verified: true };
const good = (change: Claims = {}): Claims => ({ ...idp.claims(person), ...change });
const exchange = (subjectToken: string, input: object = {}) =>
  tryExchange(at, { tenant: tenant.id, provider: signed, subjectToken, ...input });
const db = () => at.app.modules.database.forTenant({ tenantId: tenant.id });
const left = async () => ({
  sessions: await db().session.count(),
  customers: await db().customer.count(),
  identities: await db().externalIdentity.count(),
  used: await db().usedSubjectToken.count(),
});
async function expectRefused(subjectToken: string, input?: object) {
  const before = await left();
  expect((await exchange(subjectToken, input)).code).toBe('INVALID_GRANT');
  expect(await left()).toEqual(before);
}

describe('case 74: signed tokens', () => {
  it('a good one is taken, of each type that there is', async () => {
    only(await exchange(await idp.sign(good())));
    for (const typ of ['JWT', 'at+jwt', 'AT+JWT', 'application/at+jwt'])
      expect((await exchange(await idp.sign(good(), { typ }))).errors, typ).toEqual([]);
    only(await exchange(await idp.sign(good({ aud: [idp.clientId, 'another'], azp: idp.clientId }))));
  });

  it.each<[string, () => Claims]>([
    ['aud of another', () => ({ aud: 'another' })],
    ['no aud', () => ({ aud: undefined })],
    ['an empty list of aud', () => ({ aud: [] })],
    ['azp of another', () => ({ azp: 'another' })],
    ['our aud among others, and the azp of another', () => ({ aud: [idp.clientId, 'another'], azp: 'another' })],
    ['azp in a list', () => ({ azp: [idp.clientId] })],
    ['iss of another', () => ({ iss: attacker.issuer })],
    ['iss with a slash', () => ({ iss: `${idp.issuer}/` })],
    ['iss in a list', () => ({ iss: [idp.issuer] })],
    ['no iss', () => ({ iss: undefined })],
    ['no sub', () => ({ sub: undefined })],
    ['an empty sub', () => ({ sub: '' })],
    ['a number for sub', () => ({ sub: 7 })],
    ['expired', () => ({ exp: now() - 60 })],
    ['no exp', () => ({ exp: undefined })],
    ['exp as text', () => ({ exp: String(now() + 300) })],
    ['no iat', () => ({ iat: undefined })],
    ['an iat of two days ago', () => ({ iat: now() - 2 * 86_400 })],
    ['not good before tomorrow', () => ({ nbf: now() + 86_400 })],
  ])('case 74: %s', async (_what, change) => expectRefused(await idp.sign(good(change()))));

  it.each<Header>([
    { typ: 'logout+jwt' },
    { typ: 'saas+jwt' },
    { typ: 'dpop+jwt' },
    { typ: 'secevent+jwt' },
    { typ: 'application/logout+jwt' },
    { typ: 'token-introspection+jwt' },
    { typ: '' },
    { kid: 'unknown' },
    { crit: ['foo'], foo: 1 } as Header,
  ])('case 74: with the header %j', async (header) => {
    const [, claims, signature] = (await idp.sign(good())).split('.');
    if (header.crit)
      return expectRefused(`${encode({ alg: 'ES256', kid: 'the-key', ...header })}.${claims}.${signature}`);
    await expectRefused(await idp.sign(good(), header));
  });

  it('case 74: a logout token by its claims', async () => {
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    await expectRefused(await idp.sign(good({ events, exp: undefined }), { typ: 'logout+jwt' }));
  });

  it('case 74: unsigned, signed with a secret that is public, or by a stranger', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    for (const alg of ['none', 'None', 'nOnE'])
      for (const signature of ['', 'AAAA'])
        await expectRefused(`${encode({ alg, kid: 'the-key' })}.${encode(good())}.${signature}`);
    for (const secret of [idp.clientSecret, JSON.stringify(idp.publicJwk)])
      await expectRefused(await idp.sign(good(), { alg: 'HS256' }, new TextEncoder().encode(secret)));
    await expectRefused(await idp.sign(good(), {}, privateKey));
    await expectRefused(await idp.sign(good(), { jku: `${attacker.issuer}/jwks`, kid: 'x' }, attacker.key));
    await expectRefused(await idp.sign(good(), { jwk: attacker.publicJwk }, attacker.key));
  });

  it('case 74: an attacker’s issuer that asserts the victim’s address is never asked, whatever the token says', async () => {
    const victim = { sub: 'x', email: tenant.customer.email, email_verified: true };
    const before = { ...attacker.asked };
    await expectRefused(await attacker.sign(attacker.claims(victim)));
    await expectRefused(await attacker.sign({ ...attacker.claims(victim), iss: idp.issuer, aud: idp.clientId }));
    await expectRefused(await idp.sign({ ...idp.claims(victim), iss: attacker.issuer }));
    expect(attacker.asked).toEqual(before);
  });

  it('case 74: nonsense, our own tokens, and what is too long', async () => {
    const tokens = [
      (await signIn(at)).accessToken,
      (await signIn(at)).refreshToken,
      (await employee(at)).accessToken,
      (await guest(at)).accessToken,
      '',
      '..',
      'nonsense',
      `${await idp.sign(good())}.`,
      ` ${await idp.sign(good())}`,
      await idp.sign(good({ padding: 'x'.repeat(9_000) })),
    ];
    for (const token of tokens) await expectRefused(token);
  });
});

describe('case 74: replay', () => {
  it('case 74: the same `jti` in a token that was signed anew', async () => {
    const claims = good();
    only(await exchange(await idp.sign(claims)));
    await expectRefused(await idp.sign(claims));
    await expectRefused(await idp.sign({ ...claims, iat: now() - 1, exp: now() + 900 }));
  });

  it('case 74: a token without `jti`, the very same', async () => {
    const token = await idp.sign(good({ jti: undefined, nonce: randomUUID() }));
    only(await exchange(token));
    await expectRefused(token);
  });

  it('case 74: through another provider of the tenant with the same issuer', async () => {
    const token = await idp.sign(good());
    const twin = await connect(at, tenant, idp, { subjectTokens: 'JWT', autoProvision: true });
    only(await exchange(token));
    await expectRefused(token, { provider: twin });
  });

  it('case 74: with other signature bits that mean the same', async () => {
    const token = await idp.sign(good({ jti: undefined, nonce: randomUUID() }));
    only(await exchange(token));
    const last = token.at(-1)!;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const place = alphabet.indexOf(last);
    for (const other of [1, 2, 3].map((bits) => alphabet[(place & ~3) | ((place + bits) & 3)]))
      if (other !== last) await expectRefused(`${token.slice(0, -1)}${other}`);
  });

  it('case 74: with the other signature that ECDSA has for the same claims', async () => {
    const token = await idp.sign(good({ jti: undefined, nonce: randomUUID() }));
    only(await exchange(token));
    const [header, claims, signature] = token.split('.');
    const bytes = Buffer.from(signature!, 'base64url');
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const half = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
    const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(half.toString(16).padStart(64, '0'), 'hex')]);
    await expectRefused(`${header}.${claims}.${other.toString('base64url')}`);
  });

  it('case 74: it is kept until the token has expired, as a digest', async () => {
    const claims = good({ exp: now() + 1_000 });
    only(await exchange(await idp.sign(claims)));
    const kept = await db().usedSubjectToken.findMany({
      where: { expiresAt: { gte: new Date((now() + 990) * 1000) } },
    });
    expect(kept).toHaveLength(1);
    expect(Buffer.from(kept[0]!.id)).toHaveLength(32);
    expect(kept[0]!.expiresAt.getTime()).toBeLessThan((now() + 1_060) * 1000);
    expect(JSON.stringify(kept)).not.toContain(String(claims.jti));
  });
});

describe('case 74: providers', () => {
  it('case 74: unknown, disabled, of another tenant, not for such people, or another tenant: one and the same answer', async () => {
    const elsewhere = await givenTenant(at);
    const disabled = await connect(at, tenant, idp, { subjectTokens: 'JWT', autoProvision: true });
    only(await tryUpdateProvider(at, await administratorOf(at, tenant), { id: disabled, enabled: false }));
    const answers = [];
    for (const input of [
      { provider: 'nowhere' },
      { provider: disabled },
      { provider: await connect(at, elsewhere, idp, { subjectTokens: 'JWT', autoProvision: true }) },
      { userType: 'EMPLOYEE' },
      { tenant: elsewhere.id },
      { tenant: 'no-such-tenant' },
    ])
      answers.push(await exchange(await idp.sign(good()), input));
    const seen = answers.map(({ errors }) =>
      errors.map(({ message, extensions }) => ({ message, code: extensions.code })),
    );
    expect(seen[0]).toMatchObject([{ code: 'INVALID_GRANT' }]);
    expect(seen).toEqual(Array(6).fill(seen[0]));
  });

  it('case 74: an opaque token where signed ones are expected, and the other way round', async () => {
    idp.introspection = { active: true, ...good() };
    await expectRefused('an-opaque-token');
    idp.introspection = { active: false };
    await expectRefused(await idp.sign(good()), { provider: asked });
  });
});

it('case 74: a token that was shown is nowhere in the log or the trail, whether it was good or not', async () => {
  const [taken, refused] = [await idp.sign(good()), await idp.sign(good({ aud: 'another' }))];
  only(await exchange(taken));
  await expectRefused(refused);
  const trail = JSON.stringify(await db().auditEvent.findMany());
  const log = at.logged.join('');
  for (const token of [taken, refused])
    for (const part of [token, ...token.split('.').slice(1)])
      expect([log.includes(part), trail.includes(part)]).toEqual([false, false]);
  expect(trail).toContain('login.failed');
});

describe('case 74: opaque tokens', () => {
  const opaque = () => `opaque-${randomUUID()}`;

  it('a good one is taken', async () => {
    idp.introspection = { active: true, ...good() };
    only(await exchange(opaque(), { provider: asked }));
  });

  it.each<[string, () => Claims]>([
    ['is not active', () => ({ active: false })],
    ['is active in words only', () => ({ active: 'true' })],
    ['is of another aud', () => ({ aud: 'another' })],
    ['has no aud', () => ({ aud: undefined })],
    ['is of another iss', () => ({ iss: attacker.issuer })],
    ['is of another azp', () => ({ azp: 'another' })],
    ['has no sub', () => ({ sub: undefined })],
    ['has an empty sub', () => ({ sub: '' })],
    ['has expired', () => ({ exp: now() - 60 })],
    ['has no exp', () => ({ exp: undefined })],
  ])('case 74: the provider says that it %s', async (_what, change) => {
    idp.introspection = { active: true, ...good(), ...change() };
    await expectRefused(opaque(), { provider: asked });
  });

  it('case 74: the same token once more, though it is still active', async () => {
    idp.introspection = { active: true, ...good({ jti: undefined }) };
    const token = opaque();
    only(await exchange(token, { provider: asked }));
    await expectRefused(token, { provider: asked });
  });
});

onBoth('case 74: one token at once', (instances) => {
  it('case 74: is exchanged once, however many ask and wherever', async () => {
    const { a, b } = instances();
    const provider = await connect(a, { id: 'demo', employee: { email: 'admin@demo.example' } }, idp, {
      subjectTokens: 'JWT',
      autoProvision: true,
    });
    for (let round = 0; round < 5; round += 1) {
      const email = `racer-${randomUUID()}@test.example`;
      const subjectToken = await idp.sign(idp.claims({ sub: email, email, email_verified: true }));
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          tryExchange(index % 2 === 0 ? a : b, { tenant: 'demo', provider, subjectToken }),
        ),
      );
      expect(answers.map(({ code }) => code ?? 'ok').sort()).toEqual([...Array(9).fill('INVALID_GRANT'), 'ok']);
      const customer = await a.app.modules.database.system().customer.findFirstOrThrow({ where: { email } });
      const where = { customerId: customer.id };
      expect(await a.app.modules.database.system().session.count({ where })).toBe(1);
    }
  });
});
