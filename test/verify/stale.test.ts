// When it is unknown whether anything was revoked: refused as an outage, never as a bad token, unless the service
// chose otherwise; and well again by itself.

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { givenClient } from '../kit/given.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { serviceToken } from '../kit/stories.ts';
import {
  beginVerifier,
  closeVerifiers,
  givenLine,
  givenVerifier,
  type Line,
  revoke,
  verdictAfter,
  verdictOn,
} from './given.ts';

let at: Service;
let line: Line;
beforeAll(async () => {
  at = await theService();
});
afterEach(() => {
  closeVerifiers();
  line?.close();
});
afterAll(closeVerifiers);

const tokenOf = async () => (await serviceToken(at, 'demo-crm')).accessToken;

it('after the stated silence good tokens are 503, and good again when the line is; what was revoked meanwhile is not', async () => {
  line = await givenLine(at.url);
  const problems: unknown[] = [];
  const onProblem = (problem: unknown) => problems.push(problem);
  const verifier = await givenVerifier(at, { url: line.url, staleAfterSeconds: 3, onProblem });
  const [good, ended] = [await tokenOf(), await tokenOf()];
  const began = performance.now();
  line.down();
  expect(await verdictOn(verifier, good)).toBe('good');
  await revoke(at, ended);
  expect(await verdictAfter(verifier, good, 'SERVICE_UNAVAILABLE')).toBeLessThan(4_000);
  const silent = performance.now() - began;
  // It counts from the last proof, which is up to a quarter of that old, and older while the machine is busy.
  expect(silent).toBeGreaterThan(1_000);
  expect(silent).toBeLessThan(3_500);
  expect(verifier.isStale()).toBe(true);
  await expect(verifier.verify(good)).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '1' } });
  expect(await verdictOn(verifier, 'garbage')).toBe('UNAUTHENTICATED');
  expect(problems).toHaveLength(1);

  line.up();
  const recovered = await verdictAfter(verifier, good, 'good');
  console.log(
    `503 after ${Math.round(silent)} ms of silence (3 s stated), well ${Math.round(recovered)} ms after it ended`,
  );
  expect(recovered).toBeLessThan(6_000);
  expect(await verdictOn(verifier, ended)).toBe('UNAUTHENTICATED');
  expect(verifier.isStale()).toBe(false);
});

it('a quiet time is no silence: with nothing to tell it stays good for longer than the stated time', async () => {
  const verifier = await givenVerifier(at, { staleAfterSeconds: 1 });
  const token = await tokenOf();
  const until = performance.now() + 3_000;
  while (performance.now() < until) {
    expect(await verdictOn(verifier, token)).toBe('good');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

it('a service that chose to go on accepts good tokens unheard, and refuses what it knows', async () => {
  line = await givenLine(at.url);
  const verifier = await givenVerifier(at, { url: line.url, staleAfterSeconds: 1, whenStale: 'accept' });
  const [good, ended] = [await tokenOf(), await tokenOf()];
  await revoke(at, ended);
  expect(await verdictAfter(verifier, ended, 'UNAUTHENTICATED')).toBeLessThan(1_000);
  line.down();
  await expect.poll(() => verifier.isStale(), { timeout: 3_000 }).toBe(true);
  expect(await verdictOn(verifier, good)).toBe('good');
  expect(await verdictOn(verifier, ended)).toBe('UNAUTHENTICATED');
});

it('a client that may not follow any more is no silence to wait for: 503 at once, and good when it may again', async () => {
  const client = await givenClient(at, ['oauth.revocation_read']);
  const problems: unknown[] = [];
  const verifier = await givenVerifier(at, {
    client: { id: client.id, secret: client.clientSecret },
    onProblem: (problem) => problems.push(problem),
  });
  const token = await tokenOf();
  expect(await verdictOn(verifier, token)).toBe('good');
  const { clients } = at.app.modules;
  const enable = async (enabled: boolean) => {
    const { version } = await clients.get(ctxOf('demo'), client.id);
    await clients.update(ctxOf('demo'), client.id, { version, enabled });
  };
  await enable(false);
  expect(await verdictAfter(verifier, token, 'SERVICE_UNAVAILABLE')).toBeLessThan(2_000);
  expect(problems.length).toBeGreaterThan(0);
  await enable(true);
  expect(await verdictAfter(verifier, token, 'good')).toBeLessThan(8_000);
});

it('a wrong secret, or a client of another tenant, is never ready and says why', async () => {
  for (const [client, why] of [
    [{ id: 'demo-backend', secret: 'wrong' }, /client/i],
    [{ id: 'rival-backend', secret: 'rival-backend-secret' }, /not of the tenant demo/],
  ] as const) {
    const problems: unknown[] = [];
    const verifier = await beginVerifier(at, { client, onProblem: (problem) => problems.push(problem) });
    await expect.poll(() => problems.length, { timeout: 3_000 }).toBeGreaterThan(0);
    expect(String(problems[0])).toMatch(why);
    expect(await verdictOn(verifier, await tokenOf())).toBe('SERVICE_UNAVAILABLE');
    verifier.close();
  }
});
