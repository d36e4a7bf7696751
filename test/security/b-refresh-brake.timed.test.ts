// Security catalogue, B: reuse behind the brake on a family. The flood has to be over within the retry window of 10 s.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { givenCustomer } from '../kit/given.ts';
import { type Service, startService } from '../kit/service.ts';
import { refresh, tryRefresh } from '../kit/stories.ts';
import { beginFamily, familyRows, letPass } from './b-refresh-families.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

it('case 19: is noticed also by an instance that lets this family refresh no more this minute', async () => {
  const { sessionId, refreshToken } = await beginFamily(service, (await givenCustomer(service)).id);
  const { refreshToken: head } = await refresh(service, refreshToken);
  // Whoever stole the head could keep the brake on, so that the owner's use of R1 goes unnoticed.
  const flood = await Promise.all(Array.from({ length: 80 }, () => tryRefresh(service, refreshToken)));
  expect(new Set(flood.map(({ code }) => code))).toEqual(new Set([undefined, 'RATE_LIMITED']));
  expect((await tryRefresh(service, head)).code).toBe('RATE_LIMITED');
  await letPass(service, sessionId, 11);
  expect((await tryRefresh(service, refreshToken)).code).toBe('INVALID_GRANT');
  expect((await familyRows(service, sessionId)).endReason).toBe('refresh_token.reused');
  expect((await tryRefresh(service, head)).code).toBe('INVALID_GRANT');
});
