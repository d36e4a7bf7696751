// Several workers behind one port (WORKERS): one service to whoever calls, whichever of them answers, whoever of them dies.

import { createServer } from 'node:net';
import pg from 'pg';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { drainUnderLoad } from '../kit/draining.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { type ServiceProcess, spawnProcess, startProcess } from '../kit/process.ts';
import {
  type CustomerToken,
  isGood,
  refusedAfter,
  serviceToken,
  signIn,
  tryEmployeeLogin,
  tryRefresh,
  tryServiceToken,
} from '../kit/stories.ts';
import { isRunning, logged, openDoor, openDoors, workersOf } from '../kit/workers.ts';

const postgresUrl = inject('postgresUrl');
const KEY_ENCRYPTION_SECRET = 'a-secret-of-the-tests-with-more-than-32-characters';
const two = { KEY_ENCRYPTION_SECRET, WORKERS: '2', LOG_LEVEL: 'debug' };
const settings: Record<string, string> = { ...two };
const asInProduction = { NODE_ENV: 'production', HOST: '127.0.0.1', SHUTDOWN_SECONDS: '25' };

async function start(env: Record<string, string> = {}): Promise<ServiceProcess> {
  const at = await startProcess({ ...settings, ...env });
  onTestFinished(async () => {
    await at.kill();
    for (const { pid } of workersOf(at)) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  return at;
}
const startReady = async (env: Record<string, string> = {}) => {
  const at = await start(env);
  await at.ready();
  return at;
};
const gone = (at: ServiceProcess, withinMs: number) =>
  expect.poll(() => workersOf(at).filter(({ pid }) => isRunning(pid)), { timeout: withinMs, interval: 20 }).toEqual([]);

/** A flood is refused in part, with an answer. */
async function allAnswered(logins: readonly (Answer | Promise<Answer>)[]): Promise<void> {
  const codes = (await Promise.all(logins)).map(({ code }) => code);
  expect(codes).toContain(undefined);
  for (const code of codes) expect([undefined, 'RATE_LIMITED', 'SERVICE_UNAVAILABLE']).toContain(code);
}

it('an embedded database is for one process: more are refused', async () => {
  const child = spawnProcess({ DATABASE_URL: 'memory:', WORKERS: '2' });
  expect(await child.exited).toEqual({ code: 1, signal: null });
  expect(child.output()).toMatch(/WORKERS: an embedded database/);
});

describe.skipIf(!postgresUrl)(postgresUrl ? 'on PostgreSQL' : 'on PostgreSQL (skipped: no server is installed)', () => {
  beforeAll(async () => {
    settings.DATABASE_URL = await createDatabaseIn(postgresUrl!);
    // With the demo data, for all that follows.
    const at = await startProcess(settings);
    await at.ready(120_000);
    at.signal('SIGTERM');
    expect(await at.exited).toEqual({ code: 0, signal: null });
  }, 180_000);

  it('all begin at once on an empty database: it is made once, and readiness is said once', async () => {
    const at = await startReady({ DATABASE_URL: await createDatabaseIn(postgresUrl!), WORKERS: '3' });
    expect(workersOf(at)).toHaveLength(3);
    expect(logged(at, 'listening')).toHaveLength(3);
    expect(logged(at, 'ready')).toMatchObject([{ workers: 3 }]);
    expect(at.output().match(/Scopeward is ready at/g)).toHaveLength(1);
    const jwks = await Promise.all(
      (await openDoors(at, 3)).map(async ({ url }) => (await fetch(`${url}/.well-known/jwks.json`)).json()),
    );
    // Two tenants with a current key and the next one each, the same for all.
    expect(jwks[0].keys).toHaveLength(4);
    expect(jwks).toEqual([jwks[0], jwks[0], jwks[0]]);
    expect(at.output()).not.toMatch(/"level":"(warn|error|fatal)"/);
  }, 180_000);

  it('they are one service: a revocation is felt within a second, a refresh has one winner, metrics are the sum', async () => {
    const at = await startReady();
    const [a, b] = await openDoors(at, 2);
    expect(new Set([a!.worker, b!.worker]).size).toBe(2);

    const buyer = await signIn(a!);
    expect(await isGood(b!, buyer.accessToken)).toBe(true);
    await graphql(a!, 'mutation { logout { sessionsEnded } }', { bearer: buyer.accessToken });
    expect(await isGood(a!, buyer.accessToken)).toBe(false);
    expect(await refusedAfter(b!, buyer.accessToken, 5_000)).toBeLessThan(1_000);

    for (let round = 0; round < 5; round += 1) {
      const { refreshToken } = await signIn(a!);
      const answers = await Promise.all(
        [a!, b!].map((door, index) => tryRefresh(door, refreshToken, { legalEntityId: ['acme', 'globex'][index] })),
      );
      const winners = answers.filter(({ code }) => code === undefined);
      expect(winners).toHaveLength(1);
      expect(answers.map(({ code }) => code)).toContain('INVALID_GRANT');
      const successor = only<CustomerToken>(winners[0]!).refreshToken;
      const same = await Promise.all([a!, b!, a!, b!].map((door) => tryRefresh(door, successor)));
      expect(new Set(same.map((answer) => only<CustomerToken>(answer).refreshToken)).size).toBe(1);
    }

    const read = async ({ url }: { url: string }) => (await fetch(`${url}/metrics`)).text();
    const issued = async (door: { url: string }) =>
      Number(/^scopeward_tokens_issued_total\{kind="service"\} (\d+)$/m.exec(await read(door))?.[1] ?? 0);
    const before = await issued(a!);
    for (const door of [a!, a!, a!, b!, b!]) await serviceToken(door);
    expect([await issued(a!), await issued(b!)]).toEqual([before + 5, before + 5]);
    const text = await read(b!);
    expect(text.match(/^# TYPE scopeward_tokens_issued_total counter$/gm)).toHaveLength(1);
    const age = Number(/^scopeward_revocation_feed_age_seconds (\S+)$/m.exec(text)?.[1]);
    expect(age).toBeGreaterThan(0);
    expect(age).toBeLessThan(10);
    // Who asks while one of them has died is told what that one had counted as well.
    const { pid } = workersOf(at).find(({ worker }) => worker === a!.worker)!;
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => logged(at, 'worker ended; another takes its place')).toHaveLength(1);
    expect(await issued(b!)).toBe(before + 5);
  }, 180_000);

  it('one that is killed is replaced while the other serves on; only what it had under way is lost', async () => {
    const at = await startReady();
    const lanes = await Promise.all(Array.from({ length: 12 }, () => openDoor(at)));
    const [victim] = workersOf(at);
    const onVictim = lanes.filter(({ worker }) => worker === victim!.worker);
    expect(onVictim.length).toBeGreaterThan(0);
    expect(onVictim.length).toBeLessThan(12);

    let isOver = false;
    const run = lanes.map(async (door) => {
      const seen = { worker: door.worker, good: 0, bad: [] as string[], cut: 0 };
      while (!isOver) {
        try {
          const { code } = await tryServiceToken(door, 'demo-backend', 'demo-backend-secret');
          if (code === undefined) seen.good += 1;
          else seen.bad.push(code);
        } catch {
          seen.cut += 1;
        }
      }
      return seen;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    process.kill(victim!.pid, 'SIGKILL');
    await expect.poll(() => logged(at, 'listening').length, { timeout: 60_000 }).toBe(3);
    const replacement = workersOf(at).at(-1)!;
    await expect.poll(async () => (await openDoor(at)).worker, { timeout: 10_000 }).toBe(replacement.worker);
    isOver = true;
    for (const { worker, good, bad, cut } of await Promise.all(run)) {
      expect(bad).toEqual([]);
      expect(good).toBeGreaterThan(0);
      // A connection has one request under way.
      expect(cut).toBeLessThanOrEqual(worker === victim!.worker ? 1 : 0);
    }
    expect(logged(at, 'worker ended; another takes its place')).toMatchObject([
      { level: 'error', ...victim, signal: 'SIGKILL' },
    ]);
    // It can do all that the dead one could.
    const [one, other] = await openDoors(at, 2);
    expect(await isGood(one!, (await signIn(other!)).accessToken)).toBe(true);
  }, 180_000);

  it('a connection on its way to one that dies is ended: nobody waits for ever', async () => {
    const at = await startReady();
    const [victim] = workersOf(at);
    process.kill(victim!.pid, 'SIGSTOP');
    const ask = () => fetch(`${at.url}/healthz`, { headers: { Connection: 'close' } });
    const asked = Array.from({ length: 6 }, () =>
      ask().then(
        ({ status }) => status,
        () => 'ended',
      ),
    );
    const later = new Promise((resolve) => setTimeout(resolve, 1_000, 'waits'));
    const before = await Promise.all(asked.map((one) => Promise.race([one, later])));
    expect(before.filter((one) => one === 'waits')).toHaveLength(1);
    process.kill(victim!.pid, 'SIGKILL');
    const after = await Promise.all(asked);
    expect(after.filter((one) => one === 200)).toHaveLength(5);
    expect(after).toContain('ended');
  }, 60_000);

  it('one that dies again and again is replaced after growing pauses', async () => {
    const at = await startReady();
    for (let death = 1; death <= 3; death += 1) {
      const { pid } = workersOf(at).at(-1)!;
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => workersOf(at).length, { timeout: 30_000 }).toBe(2 + death);
    }
    const pauses = logged(at, 'worker ended; another takes its place').map(({ pauseMs }) => pauseMs);
    expect(pauses).toEqual([250, 500, 1_000]);
    expect(await at.readiness()).toBe(200);
  }, 180_000);

  it('SIGTERM under load: not ready first, every request is answered, and it exits 0 in time', async () => {
    const at = await startReady(asInProduction);
    const buyer = await signIn(at);
    const { logins, late } = await drainUnderLoad(at, buyer.refreshToken);
    await allAnswered(logins);
    await gone(at, 0);
    expect(at.output()).not.toMatch(/"level":"fatal"|worker ended/);

    const again = await startReady();
    expect(await isGood(again, only<CustomerToken>(late).accessToken)).toBe(true);
  }, 180_000);

  it("SIGINT to all of them, as a terminal sends it, drains: a worker does not take the primary's word for impatience", async () => {
    const at = await startReady();
    const logins = Array.from({ length: 10 }, () => tryEmployeeLogin(at, 'admin@demo.example'));
    await Promise.race(logins);
    for (const { pid } of workersOf(at)) process.kill(pid, 'SIGINT');
    at.signal('SIGINT');
    expect(await at.exited).toEqual({ code: 0, signal: null });
    await allAnswered(logins);
  }, 180_000);

  it('a second signal ends all at once with exit code 1', async () => {
    const at = await startReady(asInProduction);
    at.signal('SIGTERM');
    await expect.poll(() => logged(at, 'stopping').length, { interval: 5 }).toBeGreaterThanOrEqual(3);
    const second = performance.now();
    at.signal('SIGTERM');
    expect(await at.exited).toEqual({ code: 1, signal: null });
    expect(performance.now() - second).toBeLessThan(2_000);
    await gone(at, 1_000);
  }, 180_000);

  it('a worker that does not end in time is killed, and the exit code says so', async () => {
    const at = await startReady({ SHUTDOWN_SECONDS: '1' });
    const [frozen] = workersOf(at);
    process.kill(frozen!.pid, 'SIGSTOP');
    at.signal('SIGTERM');
    expect(await at.exited).toEqual({ code: 1, signal: null });
    expect(logged(at, 'workers that did not stop in time are killed')).toMatchObject([{ workers: [frozen!.worker] }]);
    await gone(at, 1_000);
  }, 180_000);

  it('where the primary is killed, the workers finish what they have begun and end', async () => {
    const at = await startReady();
    const logins = Array.from({ length: 10 }, () => tryEmployeeLogin(at, 'admin@demo.example'));
    await Promise.race(logins);
    await at.kill();
    await allAnswered(logins);
    await gone(at, 10_000);
    expect(logged(at, 'stopped')).toHaveLength(2);
  }, 180_000);

  it('what no restart can mend ends all of them, and is said once', async () => {
    const wrongSecret = spawnProcess({
      ...settings,
      KEY_ENCRYPTION_SECRET: 'another-secret-that-opens-no-key-in-there',
    });
    onTestFinished(() => wrongSecret.kill());
    expect(await wrongSecret.exited).toEqual({ code: 1, signal: null });
    expect(wrongSecret.output().match(/^Scopeward could not start: KEY_ENCRYPTION_SECRET: /gm)).toHaveLength(1);
    await gone(wrongSecret as unknown as ServiceProcess, 1_000);

    const inTheWay = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void inTheWay.close());
    await new Promise((resolve) => inTheWay.once('listening', resolve));
    const { port } = inTheWay.address() as { port: number };
    const noPort = spawnProcess({ ...settings, PORT: String(port) });
    onTestFinished(() => noPort.kill());
    expect(await noPort.exited).toEqual({ code: 1, signal: null });
    expect(noPort.output().match(/^Scopeward could not start: .*EADDRINUSE/gm)).toHaveLength(1);
  }, 180_000);

  it('the same once they serve: the others finish what they have begun, and the exit code is 1', async () => {
    const template = new URL(settings.DATABASE_URL!).pathname.slice(1);
    const DATABASE_URL = await createDatabaseIn(postgresUrl!, template);
    const at = await startReady({ DATABASE_URL });
    const client = new pg.Client(DATABASE_URL);
    await client.connect();
    await client.query("UPDATE signing_keys SET sealed_private = 'no key at all'");
    await client.end();
    const logins = Array.from({ length: 5 }, () => tryEmployeeLogin(at, 'admin@demo.example').catch(() => null));
    process.kill(workersOf(at)[0]!.pid, 'SIGKILL');
    expect(await at.exited).toEqual({ code: 1, signal: null });
    expect(at.output().match(/^Scopeward could not start: KEY_ENCRYPTION_SECRET: /gm)).toHaveLength(1);
    expect(logged(at, 'stopped')).toMatchObject([{ worker: 2 }]);
    await Promise.all(logins);
  }, 180_000);

  it('while the database is away all of them are alive and none is ready', async () => {
    const nowhere = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => nowhere.once('listening', resolve));
    const { port } = nowhere.address() as { port: number };
    nowhere.close();
    const at = await start({ DATABASE_URL: `postgresql://postgres@127.0.0.1:${port}/nothing` });
    await expect.poll(() => logged(at, 'listening'), { timeout: 30_000 }).toHaveLength(2);
    for (const { url } of await openDoors(at, 2)) expect((await fetch(`${url}/readyz`)).status).toBe(503);
    at.signal('SIGTERM');
    expect(await at.exited).toEqual({ code: 0, signal: null });
  }, 180_000);
});
