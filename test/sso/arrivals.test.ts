// Providers are asked on behalf of strangers, so one address comes back only so often: by codes and by tokens alike.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import { CALLBACK, connect, tryExchange } from '../kit/oidc-stories.ts';
import { restClient } from '../kit/rest.ts';
import { type Service, startService } from '../kit/service.ts';
import { guest } from '../kit/stories.ts';

let at: Service;
let idp: MisbehavingProvider;
beforeAll(async () => {
  at = await startService({ LOG_LEVEL: 'silent' });
  idp = await startMisbehaving();
}, 60_000);
afterAll(async () => {
  await at?.stop();
  await idp?.stop();
});

it('RATE_LIMITED after six hundred in a minute, by whichever way, and the provider is asked no more', async () => {
  const tenant = await givenTenant(at);
  const provider = await connect(at, tenant, idp, { subjectTokens: 'JWT', redirectUris: [CALLBACK] });
  const input = { tenant: tenant.id, provider, userType: 'CUSTOMER', subjectToken: 'nonsense' };
  const codes: (string | undefined)[] = [];
  // What fills up again while they come is a few.
  for (let batch = 0; batch < 40 && !codes.includes('RATE_LIMITED'); batch += 1) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => tryExchange(at, input)));
    codes.push(...answers.map(({ code }) => code));
  }
  expect(codes.indexOf('RATE_LIMITED')).toBeGreaterThanOrEqual(600 - 50);
  expect(new Set(codes)).toEqual(new Set(['INVALID_GRANT', 'RATE_LIMITED']));

  const { accessToken: token } = await guest(at, { tenant: tenant.id, clientId: tenant.storefront });
  const asked = { ...idp.asked };
  const social = () =>
    restClient('customer-managed')(at, 'POST', `/customer/${tenant.id}/socialLogin`, {
      token,
      query: { code: 'a code', redirect_uri: CALLBACK },
    });
  const answers = await Promise.all(Array.from({ length: 60 }, social));
  const limited = answers.filter(({ status }) => status === 429);
  expect(limited.length).toBeGreaterThan(0);
  expect(limited[0]!.body).toMatchObject({ type: 'too_many_requests', status: 429 });
  expect(limited[0]!.headers.get('retry-after')).toMatch(/^\d+$/);
  const askedFor = Object.values(idp.asked).reduce((sum, each) => sum + each, 0);
  const before = Object.values(asked).reduce((sum, each) => sum + each, 0);
  expect(askedFor - before).toBeLessThan(60);
}, 120_000);
