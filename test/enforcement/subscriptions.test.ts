// Subscriptions over Server-Sent Events: who may begin, and when they end. security.md case 97.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { clientWith, codeOf, requestOf, serverOf, smallSchema } from './given.ts';

const query = 'subscription { revocations }';
const allowed = () => clientWith('oauth.revocation_read');
const sse = { accept: 'text/event-stream' };

/** Reads a stream to its end: each `data:` that is not empty. */
async function readAll(response: Response): Promise<unknown[]> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
  }
  return [...text.matchAll(/^data: (\{.*\})$/gm)].map((match) => JSON.parse(match[1]!));
}

const within = async (condition: () => boolean, milliseconds = 1_000) => {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > milliseconds) throw new Error('It did not come to that.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

it('case 97: without token or scope the source does not start', async () => {
  const { guarded, ran } = smallSchema();
  const server = serverOf(guarded);
  for (const [principal, code] of [
    [null, 'UNAUTHENTICATED'],
    [clientWith(), 'FORBIDDEN'],
  ] as const) {
    const answers = await readAll(await server.fetch({ query }, principal, sse));
    expect(codeOf(answers[0] as object)).toBe(code);
  }
  expect(ran).toEqual([]);
  expect(server.streams.size).toBe(0);
});

it('case 97: delivers events, and ends within a second of the token’s revocation', async () => {
  const { guarded, push } = smallSchema();
  let valid = true;
  const server = serverOf(guarded, { isStillValid: () => valid });
  const reading = readAll(await server.fetch({ query }, allowed(), sse));
  await within(() => server.streams.size === 1);
  push.now(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  valid = false;
  const revokedAt = performance.now();
  const answers = await reading;
  expect(performance.now() - revokedAt).toBeLessThan(1_000);
  expect(answers).toMatchObject([
    { data: { revocations: 1 } },
    { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
  ]);
  await within(() => push.stopped);
  expect(server.streams.size).toBe(0);
});

it('case 97: an event that comes after the revocation is not delivered', async () => {
  const { guarded, push } = smallSchema();
  let valid = true;
  const server = serverOf(guarded, { isStillValid: () => valid });
  const reading = readAll(await server.fetch({ query }, allowed(), sse));
  await within(() => server.streams.size === 1);
  valid = false;
  push.now(1);
  expect(JSON.stringify(await reading)).not.toContain('"revocations":1');
});

it('case 97: ends at the token’s exp', async () => {
  const { guarded } = smallSchema();
  const server = serverOf(guarded);
  const expiresAt = Math.ceil(Date.now() / 1000);
  const answers = await readAll(await server.fetch({ query }, { ...allowed(), expiresAt }, sse));
  expect(Date.now()).toBeGreaterThanOrEqual(expiresAt * 1000);
  expect(Date.now()).toBeLessThan(expiresAt * 1000 + 1_000);
  expect(codeOf(answers.at(-1) as object)).toBe('UNAUTHENTICATED');
});

it('case 97: a client that leaves stops the source, over HTTP', async () => {
  const { guarded, push } = smallSchema();
  const server = serverOf(guarded);
  const edge = createServer((req, res) => void server.yoga.handle(req, res, { requestContext: requestOf(allowed()) }));
  await new Promise<void>((resolve) => edge.listen(0, '127.0.0.1', resolve));
  const { port } = edge.address() as AddressInfo;
  const leave = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...sse },
    body: JSON.stringify({ query }),
    signal: leave.signal,
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(server.streams.size).toBe(1);
  leave.abort();
  await within(() => push.stopped && server.streams.size === 0);
  await new Promise((resolve) => edge.close(resolve));
});

it('case 97: a client has so many streams and no more', async () => {
  const { guarded } = smallSchema();
  let valid = true;
  const server = serverOf(guarded, { maxStreams: 2, isStillValid: () => valid });
  const open = await Promise.all([1, 2, 3].map(() => server.fetch({ query }, allowed(), sse)));
  expect(server.streams.size).toBe(2);
  valid = false;
  const answers = await Promise.all(open.map((response) => readAll(response)));
  expect(answers.map((each) => codeOf(each[0] as object)).sort()).toEqual([
    'RATE_LIMITED',
    'UNAUTHENTICATED',
    'UNAUTHENTICATED',
  ]);
  expect(server.streams.size).toBe(0);
});
