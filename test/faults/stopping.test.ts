// The process as an orchestrator sees it: told to stop under load (case 119), and started a second time on a folder
// (case 117). What drains, and how, stands in test/http/shutdown.test.ts; the lock in test/database/folder-lock.test.ts.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { spawnProcess, startProcess } from '../kit/process.ts';
import {
  type CustomerToken,
  guest,
  isGood,
  serviceToken,
  tryEmployeeLogin,
  tryLogin,
  tryRefresh,
} from '../kit/stories.ts';

function newFolder(): string {
  const root = mkdtempSync(join(tmpdir(), 'scopeward-stopping-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  cpSync(inject('templateFolder'), join(root, 'data'), { recursive: true });
  return `file:${join(root, 'data')}`;
}

/** An open stream of revocations, and what it has said so far. */
async function follow(at: { url: string }, bearer: string) {
  const answer = await fetch(`${at.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream', Authorization: `Bearer ${bearer}` },
    body: JSON.stringify({ query: 'subscription { revocations { kind key reason } }' }),
  });
  let text = '';
  let end: 'whole' | 'cut' | undefined;
  const read = async () => {
    for await (const chunk of answer.body!) text += Buffer.from(chunk).toString();
  };
  const over = read().then(
    () => (end = 'whole'),
    () => (end = 'cut'),
  );
  return { status: answer.status, text: () => text, end: () => end, over };
}

it('case 119: SIGTERM under load: what was begun is answered and kept, streams end, and it exits 0 in time', async () => {
  const url = newFolder();
  const at = await startProcess({ DATABASE_URL: url, SHUTDOWN_SECONDS: '25' });
  onTestFinished(() => at.kill());
  await at.ready();
  const { accessToken: backend } = await serviceToken(at);
  const stream = await follow(at, backend);
  expect(stream.status).toBe(200);
  const { accessToken: anonymousToken } = await guest(at);
  const buyer: CustomerToken = only(await tryLogin(at, { email: 'buyer@demo.example', anonymousToken }));
  await expect.poll(stream.text, { timeout: 5_000 }).toContain('session.claimed');

  // Passwords are hashed four at a time: most of these are still waiting when the signal comes.
  const answers: Promise<Answer>[] = Array.from({ length: 30 }, () => tryEmployeeLogin(at, 'admin@demo.example'));
  const settled = Promise.allSettled(answers);
  await Promise.race(answers);
  const refreshed = tryRefresh(at, buyer.refreshToken);
  await Promise.race(answers);
  const began = performance.now();
  at.signal('SIGTERM');
  expect(await at.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(25_000);

  // A request that the server had not read when it shut its door was never begun; all others have their answer.
  const outcomes = await settled;
  console.log(
    outcomes.map((o) =>
      o.status === 'fulfilled' ? (o.value.code ?? 'ok') : String((o.reason as any).cause ?? o.reason),
    ),
    at.output(),
  );
  const answered = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  expect(answered.length).toBeGreaterThan(25);
  for (const { code } of answered) expect([undefined, 'RATE_LIMITED']).toContain(code);
  await stream.over;
  expect(stream.end()).toBe('whole');
  expect(stream.text()).toMatch(/event: complete\ndata:\s*\n\n$/);
  expect(at.output()).not.toMatch(/"level":"(error|fatal)"/);
  const successor = only<CustomerToken>(await refreshed);

  // What was acknowledged on the way out is there, and the folder is free.
  const again = await startProcess({ DATABASE_URL: url });
  onTestFinished(() => again.kill());
  await again.ready();
  expect(await isGood(again, successor.accessToken)).toBe(true);
  expect((await tryRefresh(again, successor.refreshToken)).code).toBeUndefined();
  const logins = answered
    .filter(({ code }) => code === undefined)
    .map((answer) => only<{ accessToken: string }>(answer));
  for (const { accessToken } of logins.slice(0, 5)) expect(await isGood(again, accessToken)).toBe(true);

  // And again, twice in a row: the second signal ends it at once, whatever is open.
  const open = Array.from({ length: 60 }, () => tryEmployeeLogin(again, 'admin@demo.example').catch(() => null));
  await Promise.race(open);
  again.signal('SIGTERM');
  await expect.poll(() => again.output(), { timeout: 5_000, interval: 5 }).toContain('"msg":"stopping"');
  const second = performance.now();
  again.signal('SIGTERM');
  expect(await again.exited).toEqual({ code: 1, signal: null });
  expect(performance.now() - second).toBeLessThan(2_000);
  await Promise.all(open);
}, 300_000);

it('case 117: a second process on the folder exits 1 naming the first, which goes on; after a kill the next one gets in', async () => {
  const url = newFolder();
  const first = await startProcess({ DATABASE_URL: url });
  onTestFinished(() => first.kill());
  await first.ready();
  const second = spawnProcess({ DATABASE_URL: url });
  onTestFinished(() => second.kill());
  expect(await second.exited).toEqual({ code: 1, signal: null });
  expect(second.output()).toContain(`process ${first.pid}`);
  const { accessToken } = await serviceToken(first);
  await first.kill();

  const third = await startProcess({ DATABASE_URL: url });
  onTestFinished(() => third.kill());
  await third.ready();
  expect(await isGood(third, accessToken)).toBe(true);
  expect((await graphql(third, '{ mySessions { id } }', { bearer: accessToken })).code).toBe('FORBIDDEN');
}, 300_000);
