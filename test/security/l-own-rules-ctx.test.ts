// The encrypted claim `ctx` (security.md section 3 L, case 132): what a service that was given the tenant's key may
// read, and from where.

import { randomBytes } from 'node:crypto';
import { CompactEncrypt } from 'jose';
import { beforeAll, expect, it } from 'vitest';
import { forgeOf } from '../kit/forge.ts';
import { givenCustomer } from '../kit/given.ts';
import { type Service, theService } from '../kit/service.ts';
import { type CustomerToken, claimsOf, isGood, signIn } from '../kit/stories.ts';

let service: Service;
let email: string;
let token: CustomerToken;
let claims: { jti: string; ctx: string; tenant: string };

beforeAll(async () => {
  service = await theService();
  ({ email } = await givenCustomer(service));
  token = await signIn(service, email);
  claims = claimsOf(token.accessToken) as typeof claims;
});

const open = (jwe: string, jti = claims.jti) => service.app.modules.contextEncryption.decrypt('demo', jwe, jti);
const person = () => ({
  jti: claims.jti,
  email,
  firstName: null,
  lastName: null,
  customerNumber: expect.stringMatching(/^\d{8}$/),
});

/** The same content, encrypted otherwise. */
async function sealed(
  header: { alg: string; enc: string } & Record<string, unknown>,
  key: Uint8Array = service.app.modules.contextEncryption.keyOf('demo'),
  content: object = { jti: claims.jti, email, firstName: null, lastName: null, customerNumber: '12345678' },
): Promise<string> {
  return new CompactEncrypt(Buffer.from(JSON.stringify(content))).setProtectedHeader(header).encrypt(key);
}

it('case 132: ctx opens with the key of the tenant, for the token that it came in', async () => {
  expect(await open(claims.ctx)).toEqual(person());
  expect(await open(await sealed({ alg: 'dir', enc: 'A256GCM' }))).toEqual(person());
});

it('case 132: another key, algorithm, encryption, a password, compression or another token is refused', async () => {
  const { contextEncryption } = service.app.modules;
  const key = contextEncryption.keyOf('demo');
  const other = claimsOf((await signIn(service, email)).accessToken) as typeof claims;
  const [header, encrypted, iv, text, tag] = claims.ctx.split('.') as [string, string, string, string, string];
  const dir = { alg: 'dir', enc: 'A256GCM' };
  const flipped = `${text[0] === 'A' ? 'B' : 'A'}${text.slice(1)}`;
  const variants: Record<string, string> = {
    'a random key': await sealed(dir, randomBytes(32)),
    "another tenant's key": await sealed(dir, contextEncryption.keyOf('rival')),
    A256KW: await sealed({ alg: 'A256KW', enc: 'A256GCM' }),
    A256GCMKW: await sealed({ alg: 'A256GCMKW', enc: 'A256GCM' }),
    'PBES2-HS256+A128KW': await sealed({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM' }, key),
    'PBES2-HS512+A256KW': await sealed({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM' }, key),
    'A128CBC-HS256, a key as long': await sealed({ alg: 'dir', enc: 'A128CBC-HS256' }),
    A128GCM: await sealed({ alg: 'dir', enc: 'A128GCM' }, key.subarray(0, 16)),
    'taken from another token': other.ctx,
    "another token's jti": await sealed(dir, key, {
      jti: other.jti,
      email,
      firstName: null,
      lastName: null,
      customerNumber: '1',
    }),
    'no jti': await sealed(dir, key, { email, firstName: null, lastName: null, customerNumber: '1' }),
    'no person': await sealed(dir, key, { jti: claims.jti }),
    'no object': await sealed(dir, key, []),
    tampered: [header, encrypted, iv, flipped, tag].join('.'),
    'a short tag': [
      header,
      encrypted,
      iv,
      text,
      Buffer.from(tag, 'base64url').subarray(0, 4).toString('base64url'),
    ].join('.'),
    empty: '',
  };
  const opened: string[] = [];
  for (const [name, jwe] of Object.entries(variants)) {
    await open(jwe).then(
      () => opened.push(name),
      () => {},
    );
  }
  expect(opened).toEqual([]);
});

it('case 132: a compressed ctx is refused before it is inflated', async () => {
  const bomb = { jti: claims.jti, email: 'x'.repeat(50_000_000), firstName: null, lastName: null, customerNumber: '1' };
  const jwe = await sealed({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' }, undefined, bomb);
  expect(jwe.length).toBeLessThan(100_000);
  const before = process.memoryUsage().arrayBuffers;
  await expect(open(jwe)).rejects.toThrow();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  await expect(open(await sealed({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' }))).rejects.toThrow();
});

it('case 132: a password with millions of iterations costs nothing, since it is not tried', async () => {
  const header = Buffer.from(
    JSON.stringify({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2s: 'c2FsdHNhbHRzYWx0', p2c: 2_147_483_647 }),
  ).toString('base64url');
  const began = performance.now();
  await expect(open(`${header}.${'A'.repeat(54)}.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA`)).rejects.toThrow();
  expect(performance.now() - began).toBeLessThan(500);
});

it('case 132: nothing in the clear of any token tells who the shopper is', () => {
  for (const { accessToken, saasToken } of [token]) {
    for (const signed of [accessToken, saasToken]) {
      const clear = signed
        .split('.')
        .slice(0, 2)
        .map((part) => Buffer.from(part, 'base64url').toString('utf8'))
        .join();
      expect(clear).not.toContain(email.split('@')[0]);
    }
  }
  expect(claimsOf(token.saasToken)).not.toHaveProperty('ctx');
});

it('case 132: ctx of another token makes a bearer neither more nor less than its own claims say', async () => {
  const other = claimsOf((await signIn(service)).accessToken) as typeof claims;
  const forge = await forgeOf(service, token.accessToken);
  expect(await isGood(service, await forge.resign({ claims: { ctx: other.ctx } }))).toBe(true);
  const { verifier, contextEncryption } = service.app.modules;
  const verified = await verifier.verify(await forge.resign({ claims: { ctx: other.ctx } }), 'customer');
  await expect(contextEncryption.decrypt(verified.tenant, verified.ctx!, verified.jti)).rejects.toThrow();
});
