// The check while the database is away, frozen or half unreadable (case 53): from memory until what is known of
// revocations is 30 s old, then 503, and never a 401, a 403 or an identity instead.

import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { type PostgresCluster, postgresAvailable, startPostgres } from '../kit/postgres.ts';
import { ISSUER, type Service, startService, theService } from '../kit/service.ts';
import { signIn } from '../kit/stories.ts';
import { by, check, FA, refusal } from './check.ts';

/** Lets so many seconds pass, as the monotonic clock tells them. */
function letPass(seconds: number): void {
  const real = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => real() + seconds * 1_000);
  onTestFinished(() => clock.mockRestore());
}

const readiness = async ({ url }: Pick<Service, 'url'>) => (await fetch(`${url}/readyz`)).status;

/** What passes from memory: somebody, somebody at checkout, nobody; and who is refused all the same. */
async function ask(at: Pick<Service, 'url'>, session: { accessToken: string; saasToken: string }) {
  const token = by(session.accessToken);
  return Promise.all([
    check(at, '', token),
    check(at, 'saas=required', { ...token, 'saas-token': session.saasToken }),
    check(at, 'optional=true'),
    check(at, 'scope=price.price_manage', token),
    check(at, ''),
  ]);
}
const statuses = async (at: Pick<Service, 'url'>, session: { accessToken: string; saasToken: string }) =>
  (await ask(at, session)).map(({ status }) => status);

const FROM_MEMORY = [200, 200, 200, 403, 401];

async function expectClosed(at: Pick<Service, 'url'>, session: { accessToken: string; saasToken: string }) {
  expect((await ask(at, session)).map(refusal)).toEqual(Array(5).fill(FA(503)));
  expect(await readiness(at)).toBe(503);
}

describe.skipIf(!postgresAvailable)(
  postgresAvailable ? 'case 53: an outage' : 'case 53: an outage (no PostgreSQL installed)',
  () => {
    let cluster: PostgresCluster;
    let at: Service;
    beforeAll(async () => {
      cluster = await startPostgres();
      at = await startService({ DATABASE_URL: await cluster.createDatabase() });
    }, 60_000);
    afterAll(async () => {
      await at?.stop();
      await cluster?.stop();
    });

    it('away: also a token that was never seen passes, for 30 s; and all is well again when the database is', async () => {
      const [seen, unseen] = [await signIn(at), await signIn(at)];
      expect(await statuses(at, seen)).toEqual(FROM_MEMORY);
      await cluster.shutDown();
      expect(await statuses(at, seen)).toEqual(FROM_MEMORY);
      expect(await statuses(at, unseen)).toEqual(FROM_MEMORY);
      letPass(31);
      await expectClosed(at, seen);
      await cluster.restart();
      await expect.poll(() => statuses(at, seen), { timeout: 10_000 }).toEqual(FROM_MEMORY);
    }, 60_000);

    it('frozen: nobody waits for it', async () => {
      const session = await signIn(at);
      process.kill(cluster.pid, 'SIGSTOP');
      onTestFinished(() => void process.kill(cluster.pid, 'SIGCONT'));
      const began = performance.now();
      expect(await statuses(at, session)).toEqual(FROM_MEMORY);
      expect(performance.now() - began).toBeLessThan(1_000);
    });
  },
);

it('case 53: with a table of keys that cannot be read it is the same', async () => {
  const at = await startService();
  onTestFinished(() => at.stop());
  const session = await signIn(at);
  const db = at.app.modules.database.system();
  await db.$executeRaw`ALTER TABLE signing_keys RENAME TO hidden_keys`;
  await db.$executeRaw`UPDATE counters SET value = value + 1 WHERE name = 'signing_keys'`;
  await expect(at.app.modules.changes.catchUp()).rejects.toThrow();
  expect(await statuses(at, session)).toEqual(FROM_MEMORY);
  letPass(31);
  await expectClosed(at, session);
});

it('case 53: what was never loaded is 503, whatever is asked', async () => {
  const config = readConfig({
    NODE_ENV: 'test',
    ISSUER,
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:9/none',
    PORT: '0',
  });
  const app = await createApp(config, createLogger({ level: 'silent' }));
  const at = { url: `http://127.0.0.1:${await app.http.listen(0, '127.0.0.1')}` };
  const started = app.start().catch((error) => error);
  onTestFinished(async () => {
    await app.http.drain();
    await app.stop();
    await started;
  });
  await expectClosed(at, await signIn(await theService()));
});
