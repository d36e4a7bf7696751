// A verifier that remembers what it has checked says what one says that has never seen a token, whatever is asked in
// whatever order: the token, texts that are nearly it, and all of them after what ends it (performance.md).

import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { serviceToken, signIn } from '../kit/stories.ts';
import { closeVerifiers, givenVerifier, revoke, verdictAfter, verdictOn } from './given.ts';

let at: Service;
beforeAll(async () => {
  at = await startService();
});
afterEach(() => {
  closeVerifiers();
  vi.useRealTimers();
});
afterAll(() => at?.stop());

const place = fc.nat();
const respelling = fc.oneof(
  fc.constant((token: string) => token),
  fc.tuple(place, fc.constantFrom('A', '_', '.', '=', ' ')).map(([index, character]) => (token: string) => {
    const cut = index % token.length;
    return token.slice(0, cut) + character + token.slice(cut + 1);
  }),
  place.map((index) => (token: string) => token.slice(0, index % token.length)),
  fc.constantFrom('', '.', 'A').map((more) => (token: string) => token + more),
);

it('equals one that has never seen a token, for 20 tokens respelled at will, before and after they end and a rotation', async () => {
  const remembering = await givenVerifier(at);
  const texts = fc.array(respelling, { minLength: 1, maxLength: 6 });
  const seen = new Set<string>();
  let runs = 0;

  async function agree(token: string, respellings: readonly ((token: string) => string)[]) {
    const fresh = await givenVerifier(at);
    for (const respell of [(text: string) => text, ...respellings]) {
      const verdict = await verdictOn(remembering, respell(token));
      expect(verdict, respell(token)).toBe(await verdictOn(fresh, respell(token)));
      seen.add(verdict);
    }
    fresh.close();
  }

  await fc.assert(
    fc.asyncProperty(texts, texts, fc.boolean(), async (before, after, isRevoked) => {
      const { accessToken } = await serviceToken(at, 'demo-crm');
      await agree(accessToken, before);
      // The set has the next key already, so whoever knows the set misses nothing.
      runs += 1;
      if (runs === 10) await at.app.modules.signingKeys.rotate(ctxOf('demo'));
      if (isRevoked) {
        await revoke(at, accessToken);
        expect(await verdictAfter(remembering, accessToken, 'UNAUTHENTICATED')).toBeLessThan(1_000);
      }
      await agree(accessToken, after);
    }),
    { numRuns: 20 },
  );
  expect(seen).toEqual(new Set(['good', 'UNAUTHENTICATED']));
}, 60_000);

it('the caller of a token is one object as long as it is remembered, and its end is asked at each use', async () => {
  const verifier = await givenVerifier(at);
  const { accessToken, saasToken } = await signIn(at, 'shopper@demo.example');
  const caller = await verifier.verify(accessToken);
  expect(await verifier.verify(accessToken)).toBe(caller);
  for (let round = 0; round < 2; round += 1) {
    expect(await verdictOn(verifier, saasToken)).toBe('UNAUTHENTICATED');
    await verifier.requireSaas(caller, saasToken);
    await expect(verifier.requireSaas(caller, accessToken)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  }
  vi.useFakeTimers({ toFake: ['Date'], now: caller.expiresAt.getTime() + 4_000 });
  expect(await verdictOn(verifier, accessToken)).toBe('good');
  vi.setSystemTime(caller.expiresAt.getTime() + 5_001);
  expect(await verdictOn(verifier, accessToken)).toBe('UNAUTHENTICATED');
});
