// A verifier that remembers what it has checked says what one says that has never seen a token, whatever is asked in
// whatever order: the token, texts that are nearly it, and all of them after what ends it (performance.md; case 12).

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTokenVerifier } from '../../src/modules/tokens/verify.ts';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { ctxOf, ISSUER, theService } from '../kit/service.ts';
import { guest, tryLogin, tryServiceToken } from '../kit/stories.ts';

const place = fc.nat();
const respelling = fc.oneof(
  fc.constant((token: string) => token),
  fc.tuple(place, fc.constantFrom('A', 'b', '0', '_', '.', '=', ' ')).map(([at, character]) => (token: string) => {
    const index = at % token.length;
    return token.slice(0, index) + character + token.slice(index + 1);
  }),
  place.map((at) => (token: string) => token.slice(0, at % token.length)),
  fc.constantFrom('', '.', 'A', '=').map((more) => (token: string) => token + more),
);
const ending = fc.constantFrom('revoke', 'disable', 'suspend', 'retire', null);

it('equals the uncached result for 25 tenants’ tokens, respelled at will, before and after they end', async () => {
  const at = await theService();
  const { clients, revocations, signingKeys, tenants, tokenRevocation, verifier } = at.app.modules;
  const fresh = () =>
    createTokenVerifier({
      keys: signingKeys,
      revocations,
      tenants,
      issuer: ISSUER,
      audience: ISSUER,
      clockToleranceSeconds: 5,
    });
  const said = async (by: Pick<typeof verifier, 'principal'>, token: string) =>
    by.principal(token).catch((error: Error) => error.message);
  let good = 0;
  let refused = 0;

  async function agree(token: string, respellings: readonly ((token: string) => string)[]) {
    for (const respell of respellings) {
      const text = respell(token);
      const remembering = await said(verifier, text);
      expect(remembering, text).toEqual(await said(fresh(), text));
      if (typeof remembering === 'string') refused += 1;
      else good += 1;
    }
  }

  const texts = fc.array(respelling, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(texts, texts, ending, async (before, after, end) => {
      const tenant = await givenTenant(at);
      const ctx = ctxOf(tenant.id);
      const { id, clientSecret } = tenant.backend;
      const service = only<{ accessToken: string }>(await tryServiceToken(at, id, clientSecret, ['order.order_read']));
      const { accessToken: anonymousToken } = await guest(at, { tenant: tenant.id, clientId: tenant.storefront });
      const login = { email: tenant.customer.email, anonymousToken };
      const customer = only<{ accessToken: string }>(await tryLogin(at, login));
      const tokens = [service.accessToken, customer.accessToken];
      for (const token of tokens) await agree(token, [(text) => text, ...before]);
      if (end === 'revoke') for (const token of tokens) await tokenRevocation.revoke(ctx, token);
      if (end === 'disable') await clients.update(ctx, id, { enabled: false });
      if (end === 'suspend') await tenants.suspend(tenant.id);
      if (end === 'retire') await signingKeys.retire(ctx, signingKeys.current(tenant.id).kid, 'a test');
      for (const token of tokens) await agree(token, [(text) => text, ...after]);
    }),
    { numRuns: 25 },
  );
  expect(good).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(50);
}, 120_000);
