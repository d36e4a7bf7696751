// id_tokens that no honest provider would send. security.md cases 65 and 69: each INVALID_GRANT, and nothing is left of
// the attempt.

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { halfHash, type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import { callbackOf, connect, startSso, tryIssueSsoToken } from '../kit/oidc-stories.ts';
import { type Service, theService } from '../kit/service.ts';
import { isGood } from '../kit/stories.ts';

type Claims = Record<string, unknown>;
type Make = (good: Claims, accessToken: string) => Promise<string> | string | undefined;

let at: Service;
let idp: MisbehavingProvider;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
let provider: string;
let strangersKey: CryptoKey;
beforeAll(async () => {
  at = await theService();
  idp = await startMisbehaving();
  tenant = await givenTenant(at);
  provider = await connect(at, tenant, idp, { autoProvision: true });
  strangersKey = (await generateKeyPair('ES256')).privateKey;
});
afterAll(() => idp?.stop());
beforeEach(() => {
  idp.keys = [idp.publicJwk];
});

const person = { sub: 'the person', email: 'person@test.example', email_verified: true };
const now = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
async function come(idToken?: Make, of = provider) {
  const begun = await startSso(at, { tenant: tenant.id, provider: of });
  return tryIssueSsoToken(at, callbackOf(begun, idp.signIn(begun.authorizationUrl, person, idToken)));
}
const db = () => at.app.modules.database.forTenant({ tenantId: tenant.id });
const left = async () => ({
  sessions: await db().session.count(),
  customers: await db().customer.count(),
  identities: await db().externalIdentity.count(),
});
async function expectRefused(idToken: Make, of?: string) {
  const before = await left();
  const answer = await come(idToken, of);
  expect(answer.code).toBe('INVALID_GRANT');
  expect(await left()).toEqual(before);
}
/** The good claims, altered; `undefined` takes one away. */
const signed =
  (change: (good: Claims) => Claims, header: object = {}): Make =>
  (good) =>
    idp.sign({ ...good, ...change(good) }, header);

it('a good one is taken, so what follows is refused for what is wrong with it', async () => {
  const token = only(await come());
  expect(token.customer.email).toBe(person.email);
  expect(await isGood(at, token.accessToken)).toBe(true);
  only(await come((good, accessToken) => idp.sign({ ...good, at_hash: halfHash(accessToken) })));
  only(await come(signed(() => ({ aud: [idp.clientId] }))));
  only(await come(signed(() => ({ aud: [idp.clientId, 'another'], azp: idp.clientId }))));
});

describe('case 65: nonce', () => {
  it.each<[string, (good: Claims) => Claims]>([
    ['missing', () => ({ nonce: undefined })],
    ['empty', () => ({ nonce: '' })],
    ['wrong', () => ({ nonce: randomBytes(32).toString('base64url') })],
    ['in a list', (good) => ({ nonce: [good.nonce] })],
    ['in other letters', (good) => ({ nonce: String(good.nonce).toUpperCase() })],
  ])('case 65: %s: INVALID_GRANT, no session', (_what, change) => expectRefused(signed(change)));

  it('case 65: the id_token of another sign-in, with its nonce, does not serve twice', async () => {
    let earlier = '';
    only(
      await come(async (good) => {
        earlier = await idp.sign(good);
        return earlier;
      }),
    );
    await expectRefused(() => earlier);
  });
});

describe('case 69: signature and key', () => {
  const unsigned = (alg: string, signature = ''): Make => {
    return (good) => `${encode({ alg, kid: 'the-key' })}.${encode(good)}.${signature}`;
  };

  it.each(['none', 'None', 'NONE', 'nOnE', ''])('case 69: alg %j, with and without a signature', async (alg) => {
    await expectRefused(unsigned(alg));
    await expectRefused(unsigned(alg, Buffer.from('signature').toString('base64url')));
  });

  it('case 69: HS256 with the client secret, or with the public key as the secret', async () => {
    const text = new TextEncoder();
    const secrets = [idp.clientSecret, JSON.stringify(idp.publicJwk), idp.publicJwk.x!].map((each) =>
      text.encode(each),
    );
    for (const secret of secrets) {
      await expectRefused((good) => idp.sign(good, { alg: 'HS256' }, secret));
      await expectRefused((good) => idp.sign(good, { alg: 'HS256', kid: undefined } as never, secret));
    }
  });

  it('case 69: not even where the provider says that it signs so', async () => {
    const careless = await startMisbehaving();
    careless.metadata = { id_token_signing_alg_values_supported: ['none', 'HS256', 'ES256'] };
    try {
      const of = await connect(at, tenant, careless, { autoProvision: true });
      const secret = new TextEncoder().encode(careless.clientSecret);
      for (const make of [
        (good: Claims) => careless.sign(good, { alg: 'HS256' }, secret),
        (good: Claims) => `${encode({ alg: 'none' })}.${encode(good)}.`,
      ]) {
        const before = await left();
        const begun = await startSso(at, { tenant: tenant.id, provider: of });
        const returned = careless.signIn(begun.authorizationUrl, person, make);
        expect((await tryIssueSsoToken(at, callbackOf(begun, returned))).code).toBe('INVALID_GRANT');
        expect(await left()).toEqual(before);
      }
    } finally {
      await careless.stop();
    }
  });

  it('case 69: a stranger’s key, also under the right `kid` or none, or brought along', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk: JWK = await exportJWK(publicKey);
    await expectRefused((good) => idp.sign(good, {}, strangersKey));
    await expectRefused((good) => idp.sign(good, { kid: undefined } as never, strangersKey));
    await expectRefused((good) => idp.sign(good, { jwk }, privateKey));
    await expectRefused((good) => idp.sign(good, { jku: `${idp.issuer}/elsewhere`, kid: 'x' }, privateKey));
    expect(idp.asked.elsewhere).toBe(0);
  });

  it('case 69: another signature: cut, empty, all zeroes, of other claims', async () => {
    const parts = async (good: Claims) => (await idp.sign(good)).split('.') as [string, string, string];
    await expectRefused(async (good) => (await parts(good)).slice(0, 2).join('.'));
    await expectRefused(async (good) => `${(await parts(good)).slice(0, 2).join('.')}.`);
    await expectRefused(async (good) => {
      const [header, claims] = await parts(good);
      return `${header}.${claims}.${Buffer.alloc(64).toString('base64url')}`;
    });
    await expectRefused(async (good) => {
      const [header, , signature] = await parts(good);
      return `${header}.${encode({ ...good, sub: 'somebody else' })}.${signature}`;
    });
  });

  it('case 69: a key that is for encryption', async () => {
    const encrypting = await startMisbehaving();
    encrypting.keys = [{ ...encrypting.publicJwk, use: 'enc' }];
    try {
      const of = await connect(at, tenant, encrypting, { autoProvision: true });
      const begun = await startSso(at, { tenant: tenant.id, provider: of });
      const returned = encrypting.signIn(begun.authorizationUrl, person);
      expect((await tryIssueSsoToken(at, callbackOf(begun, returned))).code).toBe('INVALID_GRANT');
      expect(encrypting.asked).toMatchObject({ token: 1, jwks: 1 });
    } finally {
      await encrypting.stop();
    }
  });

  it('case 69: a key of another kind than the algorithm', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = await crypto.subtle.importKey(
      'pkcs8',
      new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' })),
      { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
      false,
      ['sign'],
    );
    await expectRefused((good) => idp.sign(good, { alg: 'RS256' }, key));
  });

  it('case 69: unknown keys make the provider’s keys be read at most once in 30 seconds', async () => {
    const asked = await startMisbehaving();
    try {
      const of = await connect(at, tenant, asked, { autoProvision: true });
      const attempt = async (kid: string) => {
        const begun = await startSso(at, { tenant: tenant.id, provider: of });
        const returned = asked.signIn(begun.authorizationUrl, person, (good) =>
          asked.sign(good, { kid }, strangersKey),
        );
        return (await tryIssueSsoToken(at, callbackOf(begun, returned))).code;
      };
      const codes = [];
      for (let round = 0; round < 8; round += 1) codes.push(await attempt(`unknown-${round}`));
      codes.push(...(await Promise.all(Array.from({ length: 8 }, (_, round) => attempt(`more-${round}`)))));
      expect(new Set(codes)).toEqual(new Set(['INVALID_GRANT']));
      // The first is what is known; one more may look for the unknown.
      expect(asked.asked.jwks).toBeLessThanOrEqual(2);
      expect(asked.asked.token).toBe(16);
    } finally {
      await asked.stop();
    }
  });
});

describe('case 69: claims', () => {
  it.each<[string, (good: Claims) => Claims]>([
    ['aud of another client', () => ({ aud: 'another client' })],
    ['aud that begins like ours', () => ({ aud: `${idp.clientId}-2` })],
    ['no aud', () => ({ aud: undefined })],
    ['an empty list of aud', () => ({ aud: [] })],
    ['several aud without azp', () => ({ aud: [idp.clientId, 'another client'] })],
    ['several aud with the azp of another', () => ({ aud: [idp.clientId, 'another client'], azp: 'another client' })],
    ['azp of another', () => ({ azp: 'another client' })],
    ['azp in a list', () => ({ azp: [idp.clientId] })],
    ['iss of another', () => ({ iss: 'https://other.example' })],
    ['iss with a slash', () => ({ iss: `${idp.issuer}/` })],
    ['no iss', () => ({ iss: undefined })],
    ['no sub', () => ({ sub: undefined })],
    ['an empty sub', () => ({ sub: '' })],
    ['a number for sub', () => ({ sub: 7 })],
    ['expired', () => ({ exp: now() - 120 })],
    ['no exp', () => ({ exp: undefined })],
    ['exp as text', () => ({ exp: String(now() + 300) })],
    ['no iat', () => ({ iat: undefined })],
    ['an iat of yesterday', () => ({ iat: now() - 86_400 })],
    ['an iat of five minutes before the sign-in began', () => ({ iat: now() - 300 })],
    ['not good before tomorrow', () => ({ nbf: now() + 86_400 })],
    ['a wrong at_hash', () => ({ at_hash: halfHash('another access token') })],
    ['an empty at_hash', () => ({ at_hash: '' })],
    ['at_hash as a number', () => ({ at_hash: 7 })],
  ])('case 69: %s: INVALID_GRANT, nothing is left', (_what, change) => expectRefused(signed(change)));

  it('case 69: the whole hash of the access token is no at_hash', () =>
    expectRefused((good, accessToken) =>
      idp.sign({ ...good, at_hash: createHash('sha256').update(accessToken).digest('base64url') }),
    ));

  it('case 69: an extension that must be understood', () =>
    expectRefused(async (good) => {
      const [, claims, signature] = (await idp.sign(good)).split('.');
      return `${encode({ alg: 'ES256', kid: 'the-key', crit: ['foo'], foo: 1 })}.${claims}.${signature}`;
    }));

  it.each<[string, Make]>([
    ['none at all', () => undefined],
    ['nonsense', () => 'nonsense'],
    ['an encrypted one', () => 'a.b.c.d.e'],
    ['claims that are no object', () => `${encode({ alg: 'ES256', kid: 'the-key' })}.${encode('text')}.AAAA`],
  ])('case 69: an id_token that is %s: INVALID_GRANT', (_what, make) => expectRefused(make));
});
