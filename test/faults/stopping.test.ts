// The process as an orchestrator sees it: told to stop under load (case 119), and started a second time on a folder
// (case 117). What drains, and how, stands in test/http/shutdown.test.ts; the lock in test/database/folder-lock.test.ts.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { drainUnderLoad } from '../kit/draining.ts';
import { graphql, only } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { spawnProcess, startProcess } from '../kit/process.ts';
import { startService } from '../kit/service.ts';
import {
  type CustomerToken,
  type EmployeeToken,
  guest,
  isGood,
  serviceToken,
  tryEmployeeLogin,
  tryLogin,
  tryRefresh,
  tryRefreshEmployee,
} from '../kit/stories.ts';
import { familyRows } from '../security/b-refresh-families.ts';

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

const postgresUrl = inject('postgresUrl');
const onPostgresql = it.skipIf(!postgresUrl);

/** A database with the demo data, and how the process runs on it in production. */
async function production() {
  const KEY_ENCRYPTION_SECRET = 'a-secret-of-the-tests-with-more-than-32-characters';
  const shared = { DATABASE_URL: await createDatabaseIn(postgresUrl!), KEY_ENCRYPTION_SECRET };
  const open = () => startService(shared);
  await (await open()).stop();
  return { env: { ...shared, NODE_ENV: 'production', HOST: '127.0.0.1', SHUTDOWN_SECONDS: '25' }, open };
}

onPostgresql(
  'case 119: SIGTERM under load: not ready first, every request is answered, streams end with a last event, and it exits 0 in time',
  async () => {
    const { env, open } = await production();
    const at = await startProcess(env);
    onTestFinished(() => at.kill());
    await at.ready();
    const { accessToken: backend } = await serviceToken(at);
    const stream = await follow(at, backend);
    expect(stream.status).toBe(200);
    const { accessToken: anonymousToken } = await guest(at);
    const buyer: CustomerToken = only(await tryLogin(at, { email: 'buyer@demo.example', anonymousToken }));
    await expect.poll(stream.text, { timeout: 5_000 }).toContain('session.claimed');

    const { logins: answers, late } = await drainUnderLoad(at, buyer.refreshToken);
    for (const { code } of answers) expect([undefined, 'RATE_LIMITED']).toContain(code);
    await stream.over;
    expect(stream.end()).toBe('whole');
    expect(stream.text()).toMatch(/event: complete\ndata:\s*\n\n$/);
    expect(at.output()).not.toMatch(/"level":"(error|fatal)"/);

    // What was acknowledged on the way out is there.
    const again = await open();
    onTestFinished(() => again.stop());
    const successor: CustomerToken = only(late);
    expect(await isGood(again, successor.accessToken)).toBe(true);
    expect((await tryRefresh(again, successor.refreshToken)).code).toBeUndefined();
    const tokens = answers.filter(({ code }) => code === undefined).map((answer) => only<EmployeeToken>(answer));
    expect(tokens.length).toBeGreaterThan(0);
    for (const { refreshToken } of tokens.slice(-5))
      expect((await tryRefreshEmployee(again, refreshToken)).code).toBeUndefined();
  },
  300_000,
);

onPostgresql(
  'case 119: a second SIGTERM ends it at once, and a request that it cut off was done whole or not at all',
  async () => {
    const { env, open } = await production();
    const at = await startProcess(env);
    onTestFinished(() => at.kill());
    await at.ready();
    const stream = await follow(at, (await serviceToken(at)).accessToken);
    const { accessToken: anonymousToken } = await guest(at);
    const buyer: CustomerToken = only(await tryLogin(at, { email: 'buyer@demo.example', anonymousToken }));
    const logins = Array.from({ length: 30 }, () => tryEmployeeLogin(at, 'admin@demo.example').catch(() => null));
    await Promise.race(logins);
    at.signal('SIGTERM');
    await expect.poll(at.output, { timeout: 3_000, interval: 5 }).toContain('"msg":"stopping"');
    const cut = tryRefresh(at, buyer.refreshToken).catch(() => null);
    const second = performance.now();
    at.signal('SIGTERM');
    expect(await at.exited).toEqual({ code: 1, signal: null });
    expect(performance.now() - second).toBeLessThan(2_000);
    await Promise.all([stream.over, cut, ...logins]);

    const again = await open();
    onTestFinished(() => again.stop());
    const { rows, unspent } = await familyRows(again, buyer.sessionId);
    expect([`${rows} ${unspent}`]).toEqual([rows === 1 ? '1 1' : '2 1']);
  },
  300_000,
);

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
