// A database that is away, restarted or frozen, seen by those who call the service (cases 112 and 113): bounded answers
// that say "not now", never "not you", and well again without a restart. What the database layer does stands in
// test/database/outage.test.ts.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Answer, graphql } from '../kit/graphql.ts';
import { type PostgresCluster, postgresAvailable, startPostgres } from '../kit/postgres.ts';
import { startProcess } from '../kit/process.ts';
import { type Service, startService } from '../kit/service.ts';
import {
  employee,
  guest,
  isGood,
  serviceToken,
  signIn,
  tryEmployeeLogin,
  tryLogin,
  tryRefresh,
  tryRefreshEmployee,
  tryRefreshGuest,
  tryServiceToken,
} from '../kit/stories.ts';

/** No answer may take longer. */
const MOST_MS = 5_000;

const probe = async (at: Pick<Service, 'url'>, path: string) => {
  const began = performance.now();
  const { status } = await fetch(`${at.url}${path}`);
  return { status, isInTime: performance.now() - began < MOST_MS };
};

describe.skipIf(!postgresAvailable)(postgresAvailable ? 'an outage' : 'an outage (no PostgreSQL installed)', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 60_000);
  afterAll(() => cluster?.stop());

  /** People who were there before the outage, and everything that they may ask for. */
  async function people(at: Service) {
    const admin = await employee(at);
    const buyer = await signIn(at);
    const visitor = await guest(at);
    const { accessToken: backend } = await serviceToken(at);
    const fresh = await guest(at);
    const asks: Record<string, () => Promise<Answer>> = {
      'a login': () => tryLogin(at, { email: 'buyer@demo.example', anonymousToken: fresh.accessToken }),
      "an employee's login": () => tryEmployeeLogin(at, 'admin@demo.example'),
      'a wrong password': () => tryEmployeeLogin(at, 'admin@demo.example', 'wrong-password-1'),
      'a refresh': () => tryRefresh(at, buyer.refreshToken),
      'a switch of company': () => tryRefresh(at, buyer.refreshToken, { legalEntityId: 'acme' }),
      'a refresh with garbage': () => tryRefresh(at, `rt_${'A'.repeat(43)}`),
      "an employee's refresh": () => tryRefreshEmployee(at, admin.refreshToken),
      "a guest's refresh": () => tryRefreshGuest(at, visitor.refreshToken),
      'a client that was not heard of': () => tryServiceToken(at, 'some-client', 'some-secret'),
      'a list': () => graphql(at, '{ mySessions { id } }', { bearer: admin.accessToken }),
      'a logout': () => graphql(at, 'mutation { logout { sessionsEnded } }', { bearer: buyer.accessToken }),
      'a revocation': () =>
        graphql(at, 'mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', {
          variables: { t: admin.accessToken },
        }),
      'an introspection': () =>
        graphql(at, 'query ($t: String!) { introspectToken(token: $t) { active } }', {
          bearer: backend,
          variables: { t: buyer.refreshToken },
        }),
      'a rotation of keys': () => graphql(at, 'mutation { rotateSigningKey { kid } }', { bearer: backend }),
      'five mutations in one document': () =>
        graphql(
          at,
          `mutation ($t: String!) { ${['a', 'b', 'c', 'd', 'e'].map((name) => `${name}: revokeToken(input: { token: $t }) { revoked }`).join(' ')} }`,
          { variables: { t: admin.accessToken } },
        ),
    };
    return { admin, buyer, backend, asks };
  }

  /** Asks for everything at once. @returns what was not the answer that it should be */
  async function notUnavailable(asks: Record<string, () => Promise<Answer>>) {
    const wrong: Record<string, string> = {};
    await Promise.all(
      Object.entries(asks).map(async ([name, ask]) => {
        const began = performance.now();
        const { code, status, errors, body } = await ask();
        const took = performance.now() - began;
        const isRight =
          errors.every(({ extensions }) => extensions.code === 'SERVICE_UNAVAILABLE') && code !== undefined;
        if (!isRight || ![200, 503].includes(status) || took >= MOST_MS)
          wrong[name] = `${Math.round(took)} ms, ${status}, ${body}`;
      }),
    );
    return wrong;
  }

  const expectWell = (at: Service) =>
    expect.poll(async () => (await probe(at, '/readyz')).status, { timeout: MOST_MS, interval: 50 }).toBe(200);

  async function expectDown(at: Service, asks: Record<string, () => Promise<Answer>>) {
    expect(await probe(at, '/healthz')).toEqual({ status: 200, isInTime: true });
    expect(await probe(at, '/readyz')).toEqual({ status: 503, isInTime: true });
    expect(await notUnavailable(asks)).toEqual({});
    expect((await probe(at, '/.well-known/jwks.json')).status).toBe(200);
  }

  async function start() {
    const service = await startService({ DATABASE_URL: await cluster.createDatabase(), DATABASE_POOL_SIZE: '10' });
    onTestFinished(() => service.stop());
    return service;
  }

  it('case 112: stopped and started again: nothing is denied for it, and all is well within 5 s', async () => {
    const at = await start();
    const { admin, buyer, asks } = await people(at);
    await cluster.shutDown();
    await expectDown(at, asks);
    // What needs no database is answered: who is known stays known.
    expect(await isGood(at, admin.accessToken)).toBe(true);
    await cluster.restart();
    await expectWell(at);
    expect((await tryRefresh(at, buyer.refreshToken)).code).toBeUndefined();
    expect((await tryEmployeeLogin(at, 'admin@demo.example')).code).toBeUndefined();
    // The password was wrong once while nobody could tell, and nobody is locked out for the outage.
    expect((await tryEmployeeLogin(at, 'support@demo.example')).code).toBeUndefined();
  }, 120_000);

  it('case 112: all backends terminated: the next requests are answered, and only by 503 or rightly', async () => {
    const at = await start();
    const { admin } = await people(at);
    for (let round = 0; round < 5; round += 1) {
      const busy = Array.from({ length: 10 }, () =>
        graphql(at, '{ mySessions { id } }', { bearer: admin.accessToken }),
      );
      await cluster.execute(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'scopeward%'`,
      );
      for (const { code } of await Promise.all(busy)) expect([undefined, 'SERVICE_UNAVAILABLE']).toContain(code);
      await expect
        .poll(async () => (await graphql(at, '{ mySessions { id } }', { bearer: admin.accessToken })).code, {
          timeout: 2_000,
          interval: 20,
        })
        .toBeUndefined();
    }
    await expectWell(at);
  }, 120_000);

  it('case 112: a revocation made after the restart is felt by instances that lost their connections', async () => {
    const env = { DATABASE_URL: await cluster.createDatabase(), DATABASE_POOL_SIZE: '10' };
    const a = await startService(env);
    onTestFinished(() => a.stop());
    const b = await startService({ ...env, SEED_DEMO: 'false' });
    onTestFinished(() => b.stop());
    const buyer = await signIn(a);
    await expect.poll(() => isGood(b, buyer.accessToken), { timeout: 1_000 }).toBe(true);
    await cluster.kill();
    await cluster.restart();
    await expectWell(a);
    await expectWell(b);
    const { code } = await graphql(a, 'mutation { logout { sessionsEnded } }', { bearer: buyer.accessToken });
    expect(code).toBeUndefined();
    await expect.poll(() => isGood(b, buyer.accessToken), { timeout: 1_000, interval: 20 }).toBe(false);
  }, 120_000);

  it('case 113: frozen: every answer comes within 5 s and is 503, also the second time, and all is well when it thaws', async () => {
    const at = await start();
    const { admin, buyer, asks } = await people(at);
    const { rows } = await cluster.execute(`SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'`);
    const pids = [cluster.pid, ...rows.map(({ pid }) => pid as number)];
    const signal = (name: NodeJS.Signals) => {
      for (const pid of pids) {
        try {
          process.kill(pid, name);
        } catch {
          // The one that was asked has ended.
        }
      }
    };
    signal('SIGSTOP');
    try {
      await expectDown(at, asks);
      await expectDown(at, asks);
      expect(await isGood(at, admin.accessToken)).toBe(true);
    } finally {
      signal('SIGCONT');
    }
    await expectWell(at);
    // What was told to have failed may have been done late, but never half: the session goes on, or has been ended.
    const { code } = await tryRefresh(at, buyer.refreshToken);
    expect([undefined, 'INVALID_GRANT']).toContain(code);
  }, 120_000);

  let wrongAtStart: Record<string, string> = {};
  it('case 112: absent at start: the process lives, says that it is not ready, and is well within 5 s of its coming', async () => {
    const url = await cluster.createDatabase();
    await cluster.shutDown();
    const at = await startProcess({ DATABASE_URL: url });
    onTestFinished(() => at.kill());
    expect(await probe(at, '/healthz')).toEqual({ status: 200, isInTime: true });
    expect(await probe(at, '/readyz')).toEqual({ status: 503, isInTime: true });
    const asks = {
      "an employee's login": () => tryEmployeeLogin(at, 'admin@demo.example'),
      'a refresh': () => tryRefresh(at, `rt_${'A'.repeat(43)}`),
      'a client': () => tryServiceToken(at, 'demo-backend', 'demo-backend-secret'),
    };
    wrongAtStart = await notUnavailable(asks);
    await cluster.restart();
    // Within 5 s it has been reached; making the demo data takes longer on a busy machine.
    await expect
      .poll(async () => (await (await fetch(`${at.url}/readyz`)).json()).failing ?? [], {
        timeout: MOST_MS,
        interval: 50,
      })
      .not.toContain('database');
    await at.ready();
    expect((await tryEmployeeLogin(at, 'admin@demo.example')).code).toBeUndefined();
  }, 240_000);

  // Known defect: until app.start() is through, tenants.find() knows nobody and the change feed "is not running", so a
  // login is INVALID_GRANT and a client INTERNAL_SERVER_ERROR. Turn into `it` once both say SERVICE_UNAVAILABLE.
  it('case 112: absent at start: whoever asks is told that the service cannot answer, and is not denied', () => {
    expect(wrongAtStart).toEqual({});
  });
});
