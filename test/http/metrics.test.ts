// Guarantees of /metrics: each number moves by what is done, labels have an end and say nothing of anybody, and in
// production nobody reads it without METRICS_TOKEN.

import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { givenOldUses } from '../kit/given.ts';
import { graphql } from '../kit/graphql.ts';
import { asBackend, askToken, basic, introspectAs } from '../kit/oauth.ts';
import { REAL } from '../kit/password-cost.ts';
import { type Service, startService } from '../kit/service.ts';
import { guest, refresh, serviceToken, signIn, tryLogin, tryRefresh } from '../kit/stories.ts';

let service: Service;

beforeAll(async () => {
  // Its own: a queue of passwords is seen only where they take their time.
  service = await startService({}, { passwordCost: REAL });
});
afterAll(() => service?.stop());

const textOf = async ({ url }: Pick<Service, 'url'>): Promise<string> => (await fetch(`${url}/metrics`)).text();

/** Every series and its value. */
async function read(at: Pick<Service, 'url'> = service): Promise<Map<string, number>> {
  const lines = (await textOf(at)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** By how much the series that begin with this name have moved while `run` ran; reading itself left out. */
async function moved(name: string, run: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await read();
  await run();
  const after = await read();
  return Object.fromEntries(
    [...after]
      .filter(([series]) => series.startsWith(name) && !series.includes('_bucket') && !series.includes('/metrics'))
      .map(([series, value]): [string, number] => [series.slice(name.length), value - (before.get(series) ?? 0)])
      .filter(([, by]) => by !== 0),
  );
}

async function wrongLogin() {
  const { accessToken } = await guest(service);
  const credentials = { email: `${randomUUID()}@demo.example`, password: 'wrong-password-1' };
  return tryLogin(service, { ...credentials, anonymousToken: accessToken });
}

describe('tokens', () => {
  it('issued are counted by kind', async () => {
    const issuing = async () => {
      await askToken(service, { grant_type: 'client_credentials' }, asBackend);
      await guest(service);
      await signIn(service);
    };
    expect(await moved('scopeward_tokens_issued_total', issuing)).toEqual({
      '{kind="service"}': 1,
      '{kind="anonymous"}': 2,
      '{kind="anonymous-refresh"}': 2,
      '{kind="customer"}': 1,
      '{kind="saas"}': 1,
    });
  });

  it('refused are counted by grant and code', async () => {
    const refusing = async () => {
      await wrongLogin();
      await tryRefresh(service, 'rt_nothing');
      await tryRefresh(service, 'rt_nothing');
      await askToken(service, { grant_type: 'client_credentials' }, basic('demo-backend', 'wrong'));
      await askToken(service, { grant_type: 'client_credentials', scope: '"' }, asBackend);
    };
    expect(await moved('scopeward_tokens_refused_total', refusing)).toEqual({
      '{grant="customer-login",reason="invalid_grant"}': 1,
      '{grant="refresh_token",reason="invalid_grant"}': 2,
      '{grant="client_credentials",reason="invalid_client"}': 1,
    });
  });

  it('verified are counted by result, and by whether they were remembered', async () => {
    const { accessToken } = await serviceToken(service);
    const verifying = async () => {
      for (const bearer of [accessToken, accessToken, `${accessToken.slice(0, -4)}AAAA`])
        await graphql(service, '{ currentPrincipal { id } }', { bearer });
      await introspectAs(service, accessToken);
    };
    expect(await moved('scopeward_token_verifications_total', verifying)).toEqual({
      '{result="good",remembered="no"}': 1,
      '{result="good",remembered="yes"}': 2,
      '{result="refused",remembered="no"}': 1,
    });
  });

  it('that come back long after they were spent are counted, and a retry in time is not', async () => {
    const login = await signIn(service);
    await refresh(service, login.refreshToken);
    expect(await moved('scopeward_refresh_reuse_total', () => tryRefresh(service, login.refreshToken))).toEqual({});
    await givenOldUses(service, login.sessionId);
    expect(await moved('scopeward_refresh_reuse_total', () => tryRefresh(service, login.refreshToken))).toEqual({
      '': 1,
    });
  });
});

describe('the database', () => {
  it('has each statement counted and timed, by what it does, in transactions and outside of them', async () => {
    const counted = (statement: string) =>
      service.statements.filter((sql) => sql.trimStart().startsWith(statement)).length;
    service.statements.length = 0;
    const by = await moved('scopeward_database_statement_duration_seconds', async () => {
      const { sessionId } = await signIn(service);
      await givenOldUses(service, sessionId);
    });
    for (const statement of ['INSERT', 'UPDATE']) {
      expect(counted(statement), statement).toBeGreaterThan(0);
      expect(by[`_count{statement="${statement}"}`], statement).toBe(counted(statement));
    }
    expect(by['_count{statement="SELECT"}']).toBeGreaterThan(0);
    expect(by['_sum{statement="SELECT"}']).toBeGreaterThan(0);
    expect(by['_sum{statement="SELECT"}']).toBeLessThan(10);
  });
});

describe('requests', () => {
  const name = 'scopeward_http_request_duration_seconds_count';

  it('are counted by method, route of the table and class of status', async () => {
    const asking = async () => {
      await graphql(service, '{ currentPrincipal { id } }');
      await graphql(service, '{ currentPrincipal { id } }');
      await askToken(service, { grant_type: 'nothing' }, asBackend);
      await fetch(`${service.url}/graphql/ui/nothing?secret=1`);
    };
    expect(await moved(name, asking)).toEqual({
      '{method="POST",route="/graphql",status="2xx"}': 2,
      '{method="POST",route="/oauth/token",status="4xx"}': 1,
      '{method="GET",route="/graphql/ui/{file}",status="4xx"}': 1,
    });
  });

  it('of unknown paths and methods are one series each, whatever they are called', async () => {
    const odd = async () => {
      for (const path of ['/a', '/b/demo', '/customer/buyer@demo.example']) await fetch(service.url + path);
      for (const method of ['PROPFIND', 'SEARCH', 'MKCOL']) await fetch(`${service.url}/x`, { method });
    };
    expect(await moved(name, odd)).toEqual({
      '{method="GET",route="unmatched",status="4xx"}': 3,
      '{method="OTHER",route="unmatched",status="4xx"}': 3,
    });
  });

  it('whose caller left before the answer are no success', async () => {
    const leaving = async () => {
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
      socket.write('POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n');
      socket.write('Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant');
      await new Promise((resolve) => setTimeout(resolve, 100));
      socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 200));
    };
    expect(await moved(name, leaving)).toEqual({ '{method="POST",route="/oauth/token",status="4xx"}': 1 });
  });
});

describe('what is looked up when it is read', () => {
  it('the feed of revocations is younger than its polling; before the first read it is of no age, and nothing is verified', async () => {
    const age = (await read()).get('scopeward_revocation_feed_age_seconds');
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(5);

    const logger = createLogger({ level: 'silent' });
    const app = await createApp(readConfig({ NODE_ENV: 'test', DATABASE_URL: 'memory:' }), logger);
    const port = await app.http.listen(0, '127.0.0.1');
    const fresh = { url: `http://127.0.0.1:${port}` };
    try {
      const { accessToken } = await serviceToken(service);
      await expect(app.modules.verifier.verify(accessToken, 'service')).rejects.toMatchObject({
        code: 'SERVICE_UNAVAILABLE',
      });
      const lines = (await textOf(fresh)).split('\n');
      expect(lines).toContain('scopeward_revocation_feed_age_seconds +Inf');
      expect(lines).toContain('scopeward_token_verifications_total{result="unavailable",remembered="no"} 1');
    } finally {
      await app.http.drain();
      await app.stop();
    }
  });

  it('the queue of passwords is as long as logins wait, and empty when they are done', async () => {
    const flood = Promise.all(Array.from({ length: 24 }, wrongLogin));
    let isOver = false;
    void flood.finally(() => {
      isOver = true;
    });
    const most = { waiting: 0, hashing: 0 };
    while (!isOver) {
      const during = await read();
      most.waiting = Math.max(most.waiting, during.get('scopeward_password_queue_length')!);
      most.hashing = Math.max(most.hashing, during.get('scopeward_password_hashes_running')!);
    }
    expect(most.waiting).toBeGreaterThan(0);
    expect(most.hashing).toBeGreaterThan(0);
    const after = await read();
    expect([after.get('scopeward_password_queue_length'), after.get('scopeward_password_hashes_running')]).toEqual([
      0, 0,
    ]);
  });

  it('the process tells its memory, its heap and how late its event loop is', async () => {
    await expect.poll(async () => (await read()).get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
    const series = await read();
    for (const name of ['process_resident_memory_bytes', 'nodejs_heap_size_used_bytes', 'process_cpu_seconds_total'])
      expect(series.get(name), name).toBeGreaterThan(0);
  });
});

it('no text of a caller or a tenant becomes a label, so the series have an end', async () => {
  const act = async (word: string) => {
    await fetch(`${service.url}/${word}?${word}`, { method: 'REPORT' });
    await askToken(service, { grant_type: word }, basic(word, word));
    await askToken(service, { grant_type: 'client_credentials', scope: word }, basic(word, word));
    await graphql(service, `query ${word} { currentPrincipal { id } }`, { bearer: word, operationName: word });
    await tryLogin(service, { email: `${word}@demo.example`, password: word, anonymousToken: word });
    await tryRefresh(service, word);
  };
  await act('first');
  const before = [...(await read()).keys()].filter((series) => series.startsWith('scopeward_'));
  for (let index = 0; index < 5; index += 1) await act(`word${index}`);
  const after = [...(await read()).keys()].filter((series) => series.startsWith('scopeward_'));
  expect(after.filter((series) => !before.includes(series))).toEqual([]);
  expect((await textOf(service)).match(/first|word\d|@|eyJ|demo/g)).toBeNull();
});

describe('who may read', () => {
  const token = 'only-for-prometheus-1';
  let own: Service | undefined;
  afterEach(async () => {
    await own?.stop();
    own = undefined;
  });
  const ask = async (headers: Record<string, string> = {}) => {
    const answer = await fetch(`${own!.url}/metrics`, { headers });
    return [answer.status, answer.headers.get('www-authenticate')?.split(' ')[0] ?? null];
  };

  it('everybody outside production, in the format of Prometheus and kept by nobody', async () => {
    const answer = await fetch(`${service.url}/metrics`);
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
      'no-store',
    ]);
  });

  it('where METRICS_TOKEN is set, only who has it: no token of ours will do', async () => {
    own = await startService({ METRICS_TOKEN: token });
    const { accessToken } = await serviceToken(own);
    expect([
      await ask(),
      await ask({ Authorization: `Bearer ${accessToken}` }),
      await ask({ Authorization: `Bearer ${token}x` }),
      await ask({ Authorization: `Basic ${token}` }),
      await ask({ Authorization: `Bearer ${token}` }),
    ]).toEqual([...Array(4).fill([401, 'Bearer']), [200, null]]);
    expect(own.logged.join('')).not.toContain(token);
  });

  it('in production without METRICS_TOKEN nobody: it is not there, and not described', async () => {
    const { metrics } = readConfig({
      NODE_ENV: 'production',
      DATABASE_URL: 'postgresql://db/x',
      ISSUER: 'https://auth.example',
      KEY_ENCRYPTION_SECRET: 'a secret of at least 32 characters',
    });
    own = await startService({}, {}, { metrics });
    expect(await ask()).toEqual([404, null]);
    expect(await (await fetch(`${own.url}/openapi.json`)).text()).not.toContain('/metrics');
  });
});
