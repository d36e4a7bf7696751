// The key set of a service that verifies by itself: through rotations, outages, and answers that no key set gives.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { forgeOf } from '../kit/forge.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { headerOf, serviceToken } from '../kit/stories.ts';
import { beginVerifier, closeVerifiers, givenLine, givenVerifier, verdictAfter, verdictOn } from './given.ts';

let at: Service;
const closing: (() => void)[] = [];
beforeAll(async () => {
  at = await startService();
});
afterEach(() => {
  closeVerifiers();
  for (const close of closing.splice(0)) close();
});
afterAll(() => at?.stop());

const tokenOf = async () => (await serviceToken(at, 'demo-crm')).accessToken;
const rotate = () => at.app.modules.signingKeys.rotate(ctxOf('demo'));
const jwksRequests = () => at.logged.filter((line) => line.includes('/.well-known/jwks.json')).length;

describe('rotation in flight', () => {
  it('refuses no good token, before, between and after', async () => {
    const verifier = await givenVerifier(at);
    const tokens = [await tokenOf()];
    const asked = jwksRequests();
    await rotate();
    tokens.push(await tokenOf());
    for (const token of tokens) expect(await verdictOn(verifier, token)).toBe('good');
    // The next key has been in the set since the rotation before.
    expect(jwksRequests()).toBe(asked);
    await rotate();
    tokens.push(await tokenOf());
    for (const token of tokens) expect(await verdictOn(verifier, token)).toBe('good');
    expect(jwksRequests()).toBe(asked + 1);
    expect(new Set(tokens.map((token) => headerOf(token).kid)).size).toBe(3);
  });

  it('a key that nobody knows is asked for once, however many tokens name one', async () => {
    const verifier = await givenVerifier(at);
    const forge = await forgeOf(at, await tokenOf());
    const asked = jwksRequests();
    for (let round = 0; round < 3; round += 1) {
      const forged = await Promise.all(
        Array.from({ length: 30 }, () => forge.resign({ header: { kid: randomUUID() } })),
      );
      const verdicts = await Promise.all(forged.map((token) => verdictOn(verifier, token)));
      expect(new Set(verdicts)).toEqual(new Set(['UNAUTHENTICATED']));
    }
    expect(jwksRequests()).toBe(asked + 1);
  });

  it('a key retired in an emergency is refused within a minute of use, and after five however seldom it is used', async () => {
    const real = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now');
    try {
      for (const [later, first] of [
        [61_000, 'good'],
        [301_000, 'UNAUTHENTICATED'],
      ] as const) {
        const verifier = await givenVerifier(at, { staleAfterSeconds: 10_000 });
        const token = await tokenOf();
        expect(await verdictOn(verifier, token)).toBe('good');
        await at.app.modules.signingKeys.retire(ctxOf('demo'), String(headerOf(token).kid), 'The backup was stolen');
        expect(await verdictOn(verifier, token)).toBe('good');
        clock.mockImplementation(() => real() + later);
        expect(await verdictOn(verifier, token)).toBe(first);
        expect(await verdictAfter(verifier, token, 'UNAUTHENTICATED')).toBeLessThan(1_000);
        expect(await verdictOn(verifier, await tokenOf())).toBe('good');
        clock.mockReset();
        clock.mockImplementation(real);
        // The service counts its own feed’s age by the same clock.
        await expect.poll(() => at.app.modules.revocations.isStale(), { timeout: 5_000 }).toBe(false);
      }
    } finally {
      clock.mockRestore();
    }
  });

  it('a tenant’s set has the keys of that tenant only, as the service itself tells them apart', async () => {
    const kidsOf = async (query: string) =>
      (await (await fetch(`${at.url}/.well-known/jwks.json${query}`)).json()).keys.map(
        ({ kid }: { kid: string }) => kid,
      );
    const [all, demo, rival] = [await kidsOf(''), await kidsOf('?tenant=demo'), await kidsOf('?tenant=rival')];
    expect(all.toSorted()).toEqual([...demo, ...rival].toSorted());
    expect(demo).toContain(headerOf(await tokenOf()).kid);
    expect(rival).toContain(headerOf((await serviceToken(at, 'rival-backend')).accessToken).kid);
    expect(await kidsOf('?tenant=nobody')).toEqual([]);
    const first = await fetch(`${at.url}/.well-known/jwks.json?tenant=demo`);
    const again = await fetch(`${at.url}/.well-known/jwks.json?tenant=demo`, {
      headers: { 'If-None-Match': first.headers.get('etag')! },
    });
    expect(again.status).toBe(304);
  });
});

describe('with the key set out of reach', () => {
  it('known keys verify on, and an unknown one is 503, never 401; it is well again by itself', async () => {
    const line = await givenLine(at.url);
    closing.push(line.close);
    const problems: unknown[] = [];
    const verifier = await givenVerifier(at, { url: line.url, onProblem: (problem) => problems.push(problem) });
    const before = await tokenOf();
    line.down();
    await rotate();
    await rotate();
    const after = await tokenOf();
    expect(await verdictOn(verifier, before)).toBe('good');
    await expect(verifier.verify(after)).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      status: 503,
      headers: { 'Retry-After': '1' },
    });
    // However often: no storm of connections, and still no denial.
    for (let round = 0; round < 20; round += 1) expect(await verdictOn(verifier, after)).toBe('SERVICE_UNAVAILABLE');
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(2);
    line.up();
    expect(await verdictAfter(verifier, after, 'good')).toBeLessThan(2_000);
    expect(await verdictOn(verifier, before)).toBe('good');
  });

  it('that has never been reached, every token is 503', async () => {
    const line = await givenLine(at.url);
    closing.push(line.close);
    line.down();
    const verifier = await beginVerifier(at, { url: line.url });
    const token = await tokenOf();
    expect(await verdictOn(verifier, token)).toBe('SERVICE_UNAVAILABLE');
    line.up();
    await verifier.ready;
    expect(await verdictOn(verifier, token)).toBe('good');
  });
});

/** Passes everything on to the service, but answers for the key set itself. */
async function impostor(answer: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  const server = createServer((req, res) => {
    if (req.url?.startsWith('/.well-known/')) return answer(req, res);
    const passed = request(at.url + req.url, { method: req.method!, headers: req.headers }, (response) => {
      res.writeHead(response.statusCode!, response.headers);
      response.pipe(res);
    });
    passed.on('error', () => res.destroy());
    res.on('close', () => passed.destroy());
    req.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('answers that are no key set leave it without keys, which is 503', () => {
  const genuine = async () => (await fetch(`${at.url}/.well-known/jwks.json`)).text();
  const send =
    (status: number, body: string, headers: Record<string, string> = {}) =>
    (_req: IncomingMessage, res: ServerResponse) =>
      void res.writeHead(status, headers).end(body);

  it.each<[string, () => Promise<(req: IncomingMessage, res: ServerResponse) => void>]>([
    ['a redirect to the real one', async () => send(302, '', { Location: `${at.url}/.well-known/jwks.json` })],
    ['more than 256 KB', async () => send(200, (await genuine()).replace('{', `{"padding":"${'x'.repeat(300_000)}",`))],
    ['an error, with the keys in it', async () => send(500, await genuine())],
    ['no keys', async () => send(200, '{"keys":[]}')],
    ['a secret for a key', async () => send(200, '{"keys":[{"kid":"k","kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}')],
    ['another algorithm', async () => send(200, (await genuine()).replaceAll('ES256', 'HS256'))],
    ['no JSON', async () => send(200, '<html>')],
    ['no answer within 5 s', async () => () => {}],
    [
      'an answer that never ends',
      async () => (_req, res) => {
        const drip = setInterval(() => res.write(' '), 100);
        res.writeHead(200).on('close', () => clearInterval(drip));
      },
    ],
  ])('%s', async (_name, answer) => {
    const verifier = await beginVerifier(at, { url: await impostor(await answer()) });
    const token = await tokenOf();
    await expect.poll(() => verifier.isStale(), { timeout: 5_000 }).toBe(false);
    const began = performance.now();
    expect(await verdictOn(verifier, token)).toBe('SERVICE_UNAVAILABLE');
    expect(performance.now() - began).toBeLessThan(6_000);
  });

  it('and one that is, through the same hands, is taken', async () => {
    const keys = await genuine();
    const verifier = await givenVerifier(at, { url: await impostor(send(200, keys)) });
    expect(await verdictOn(verifier, await tokenOf())).toBe('good');
  });
});
