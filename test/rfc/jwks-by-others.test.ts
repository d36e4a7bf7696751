// Tokens and JWKS as others read them (RFC 7515, 7517, 7519, 9068): jsonwebtoken and node's own keys, given the JWKS
// URL, the issuer and nothing else. jose, which we sign with, takes no part.

import { createPublicKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { mirrored } from '../kit/forge.ts';
import { ctxOf, ISSUER, type Service, startService, theService } from '../kit/service.ts';
import { employee, guest, serviceToken, signIn } from '../kit/stories.ts';

interface PublishedKey extends JsonWebKey {
  kid: string;
}

const jwksOf = async ({ url }: Service) => {
  const response = await fetch(`${url}/.well-known/jwks.json`);
  return { response, keys: ((await response.json()) as { keys: PublishedKey[] }).keys };
};

/** A verifier as a stranger would write it. */
async function verifiedByOthers(service: Service, token: string): Promise<jwt.Jwt> {
  const { keys } = await jwksOf(service);
  const { kid } = jwt.decode(token, { complete: true })!.header;
  const jwk = keys.find((key) => key.kid === kid);
  if (!jwk) throw new Error(`No key ${kid} in the JWKS.`);
  const key = createPublicKey({ key: jwk as never, format: 'jwk' });
  return jwt.verify(token, key, { algorithms: ['ES256'], issuer: ISSUER, audience: ISSUER, complete: true });
}

describe('what others make of our tokens', () => {
  let service: Service;

  beforeAll(async () => {
    service = await theService();
  });

  it('every kind of token verifies from the JWKS URL alone', async () => {
    const visitor = await guest(service);
    const customer = await signIn(service);
    const company = await signIn(service, 'buyer@demo.example', { legalEntityId: 'acme' });
    const rival = await serviceToken(service, 'rival-backend');
    const tokens = {
      service: (await serviceToken(service)).accessToken,
      employee: (await employee(service)).accessToken,
      anonymous: visitor.accessToken,
      'anonymous-refresh': visitor.refreshToken,
      customer: customer.accessToken,
      company: company.accessToken,
      saas: company.saasToken,
      rival: rival.accessToken,
    };
    const seen: Record<string, unknown> = {};
    for (const [name, token] of Object.entries(tokens)) {
      const { header, payload } = await verifiedByOthers(service, token);
      const { kind, tenant, legalEntityId } = payload as jwt.JwtPayload;
      seen[name] = [header.typ, header.alg, kind, tenant, legalEntityId ?? null];
    }
    expect(seen).toEqual({
      service: ['at+jwt', 'ES256', 'service', 'demo', null],
      employee: ['at+jwt', 'ES256', 'employee', 'demo', null],
      anonymous: ['at+jwt', 'ES256', 'anonymous', 'demo', null],
      'anonymous-refresh': ['anonymous-refresh+jwt', 'ES256', 'anonymous-refresh', 'demo', null],
      customer: ['at+jwt', 'ES256', 'customer', 'demo', null],
      company: ['at+jwt', 'ES256', 'customer', 'demo', 'acme'],
      saas: ['saas+jwt', 'ES256', 'saas', 'demo', 'acme'],
      rival: ['at+jwt', 'ES256', 'service', 'rival', null],
    });
  });

  it('a token has the claims of RFC 9068 section 2.2, of the right types', async () => {
    const now = Math.floor(Date.now() / 1000);
    const { payload } = await verifiedByOthers(service, (await serviceToken(service, 'demo-crm')).accessToken);
    expect(payload).toEqual({
      iss: ISSUER,
      aud: ISSUER,
      sub: 'demo-crm',
      client_id: 'demo-crm',
      tenant: 'demo',
      kind: 'service',
      scope: 'price.price_manage price.price_read product.product_read',
      iat: expect.closeTo(now, -1),
      exp: (payload as { iat: number }).iat + 14_400,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      rev: expect.any(Number),
    });
  });

  it('a changed token does not verify there either, and both signatures of one text do', async () => {
    const { accessToken } = await serviceToken(service);
    const [header, claims, signature] = accessToken.split('.') as [string, string, string];
    const forged = Buffer.from(claims, 'base64url').toString('utf8').replace('"demo"', '"rival"');
    const changed = [header, Buffer.from(forged).toString('base64url'), signature].join('.');
    await expect(verifiedByOthers(service, changed)).rejects.toThrow('invalid signature');
    await expect(verifiedByOthers(service, mirrored(accessToken))).resolves.toMatchObject({
      payload: { tenant: 'demo' },
    });
  });

  it('the JWKS has public members only, one kid each, and may be cached for five minutes', async () => {
    const { response, keys } = await jwksOf(service);
    expect(response.headers.get('content-type')).toMatch(/^application\/(jwk-set\+)?json/);
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    for (const key of keys) {
      expect(key).toEqual({
        kty: 'EC',
        crv: 'P-256',
        x: expect.stringMatching(/^[\w-]{43}$/),
        y: expect.stringMatching(/^[\w-]{43}$/),
        kid: expect.stringMatching(/^[\w-]{43}$/),
        alg: 'ES256',
        use: 'sig',
      });
    }
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
  });
});

it('a retired key leaves the JWKS when its last token has expired, without anything else having to happen', async () => {
  const service = await startService();
  try {
    const old = service.app.modules.signingKeys.current('demo').kid;
    await service.app.modules.signingKeys.rotate(ctxOf('demo'));
    const kidsIn = async (hours: number) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 });
      try {
        return (await jwksOf(service)).keys.map(({ kid }) => kid);
      } finally {
        vi.useRealTimers();
      }
    };
    const now = await kidsIn(0);
    expect(now).toContain(old);
    // No token lives for longer than a day.
    expect(await kidsIn(24)).toEqual(now);
    expect(await kidsIn(24.1)).toEqual(now.filter((kid) => kid !== old));
  } finally {
    await service.stop();
  }
});

it('a rotation breaks nobody: the next key is published before it signs, the last one stays', async () => {
  const service = await startService();
  try {
    const { keys: before } = await jwksOf(service);
    const old = (await serviceToken(service)).accessToken;
    await service.app.modules.signingKeys.rotate(ctxOf('demo'));
    const fresh = (await serviceToken(service)).accessToken;
    const kidOf = (token: string) => jwt.decode(token, { complete: true })!.header.kid;
    // A verifier that fetched before the rotation knows the key that signs after it.
    expect(before.map(({ kid }) => kid)).toContain(kidOf(fresh));
    expect(kidOf(fresh)).not.toBe(kidOf(old));
    for (const token of [old, fresh]) await expect(verifiedByOthers(service, token)).resolves.toBeDefined();

    await service.app.modules.signingKeys.retire(ctxOf('demo'), kidOf(old)!, 'a test');
    await expect(verifiedByOthers(service, old)).rejects.toThrow('No key');
    await expect(verifiedByOthers(service, fresh)).resolves.toBeDefined();
  } finally {
    await service.stop();
  }
});
