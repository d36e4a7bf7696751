// A process that was stopped for a while, as by a suspended machine: what others revoked meanwhile is refused by the very
// first answer after it resumes (invariant I4), and it answers from memory where the database is not there to ask.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { givenCompany, givenCustomer } from '../kit/given.ts';
import { graphql } from '../kit/graphql.ts';
import { type PostgresCluster, postgresAvailable, startPostgres } from '../kit/postgres.ts';
import { type ServiceProcess, startProcess } from '../kit/process.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { isGood, refresh, signIn } from '../kit/stories.ts';

const STANDSTILL_MS = 2_500;

describe.skipIf(!postgresAvailable)(
  postgresAvailable ? 'after a standstill' : 'after a standstill (no PostgreSQL installed)',
  () => {
    let cluster: PostgresCluster;
    let awake: Service;
    let sleeper: ServiceProcess;
    beforeAll(async () => {
      cluster = await startPostgres();
      const env = {
        DATABASE_URL: await cluster.createDatabase(),
        KEY_ENCRYPTION_SECRET: 'a secret of these tests with more than 32 characters',
      };
      awake = await startService(env);
      sleeper = await startProcess({ ...env, SEED_DEMO: 'false' });
      await sleeper.ready();
    }, 180_000);
    afterAll(async () => {
      await sleeper?.kill();
      await awake?.stop();
      await cluster?.stop();
    });

    /** Asks the sleeper while it sleeps; it answers when it is woken. */
    const asked = (bearer: string) => graphql(sleeper, '{ mySessions { id } }', { bearer });

    it('the first answers refuse what was revoked meanwhile, over open connections and new ones', async () => {
      for (let round = 0; round < 3; round += 1) {
        const company = await givenCompany(awake);
        const customer = await givenCustomer(awake, { [company.id]: 'BUYER' });
        const plain = await signIn(awake, customer.email);
        const acting = await refresh(awake, plain.refreshToken, { legalEntityId: company.id });
        expect([await isGood(sleeper, plain.accessToken), await isGood(sleeper, acting.accessToken)]).toEqual([
          true,
          true,
        ]);
        sleeper.signal('SIGSTOP');
        await awake.app.modules.contactAssignments.unassign(ctxOf('demo'), {
          customerId: customer.id,
          legalEntityId: company.id,
        });
        const answers = Array.from({ length: 8 }, () => asked(acting.accessToken));
        const others = asked(plain.accessToken);
        await delay(STANDSTILL_MS);
        sleeper.signal('SIGCONT');
        expect((await Promise.all(answers)).map(({ code }) => code)).toEqual(Array(8).fill('UNAUTHENTICATED'));
        expect((await others).errors).toEqual([]);
      }
    }, 120_000);

    it('with the database away it answers from memory, and is as fast again as soon as it has asked in vain', async () => {
      const { accessToken } = await signIn(awake);
      expect(await isGood(sleeper, accessToken)).toBe(true);
      sleeper.signal('SIGSTOP');
      await cluster.shutDown();
      onTestFinished(() => cluster.restart());
      await delay(STANDSTILL_MS);
      sleeper.signal('SIGCONT');
      const query = '{ currentPrincipal { id } }';
      for (let count = 0; count < 3; count += 1) {
        const answer = await graphql(sleeper, query, { bearer: accessToken });
        expect([answer.code, answer.data?.currentPrincipal?.id === undefined]).toEqual([undefined, false]);
      }
    }, 60_000);
  },
);
