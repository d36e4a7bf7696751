// Security catalogue, G: passwords that change, accounts that are disabled and hashes that are renewed while
// somebody signs in. On PostgreSQL only: PGlite has one session, and hides races.

import { hash } from '@node-rs/argon2';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { givenCustomer, givenEmployee } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { REAL } from '../kit/password-cost.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { guest, PASSWORD, tryRefresh, tryRefreshEmployee } from '../kit/stories.ts';
import { customerLogin, employeeLogin, rowsOf } from './logins.ts';

const ROUNDS = 25;
const postgresUrl = inject('postgresUrl');

describe.skipIf(!postgresUrl)(postgresUrl ? 'on PostgreSQL' : 'on PostgreSQL (no server installed)', () => {
  let url: string;
  let services: Service[] = [];
  beforeAll(async () => {
    url = await createDatabaseIn(postgresUrl!);
    const settings = { DATABASE_URL: url, DATABASE_POOL_SIZE: '10', TRUSTED_PROXIES: '127.0.0.1' };
    services = [
      await startService(settings, { passwordCost: REAL }),
      await startService(settings, { passwordCost: REAL }),
    ];
  });
  afterAll(() => Promise.all(services.map((service) => service.stop())));

  /** Signs in, and ends what the person does then, in a form that both kinds share. */
  const people = {
    customer: {
      given: () => givenCustomer(services[0]!),
      login: async (at: Service, email: string, password = PASSWORD) =>
        customerLogin(at, (await guest(at)).accessToken, { email, password }),
      refresh: tryRefresh,
      disable: (at: Service, id: string) => at.app.modules.customers.update(ctxOf('demo'), id, { enabled: false }),
      enable: (at: Service, id: string) => at.app.modules.customers.update(ctxOf('demo'), id, { enabled: true }),
    },
    employee: {
      given: () => givenEmployee(services[0]!),
      login: (at: Service, email: string, password = PASSWORD) => employeeLogin(at, { email, password }),
      refresh: tryRefreshEmployee,
      disable: (at: Service, id: string) => at.app.modules.employees.update(ctxOf('demo'), id, { enabled: false }),
      enable: (at: Service, id: string) => at.app.modules.employees.update(ctxOf('demo'), id, { enabled: true }),
    },
  };
  type Kind = keyof typeof people;

  const change = (at: Service, bearer: string, currentPassword: string, newPassword: string): Promise<Answer> =>
    graphql(at, 'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { sessionsEnded } }', {
      bearer,
      variables: { input: { currentPassword, newPassword } },
    });

  /** Stops every transaction of the kind at its `nth` insert into `table`, as long as `act` runs. */
  async function whileInsertsWait(
    table: string,
    act: (waiting: () => Promise<number>) => Promise<void>,
  ): Promise<void> {
    const client = new pg.Client(url);
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query(`LOCK TABLE ${table} IN SHARE MODE`);
      const waiting = async () => {
        const { rows } = await client.query(
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        return rows[0].n as number;
      };
      await act(waiting);
    } finally {
      await client.query('ROLLBACK').catch(() => {});
      await client.end();
    }
  }

  it.each(['customer', 'employee'] as Kind[])(
    `of logins and a change of password at once by one %s no session of the old password survives, in ${ROUNDS} rounds`,
    async (kind) => {
      const person = people[kind];
      const { email, id } = await person.given();
      let current = PASSWORD;
      let raced = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const keeper = only(await person.login(services[0]!, email, current));
        // Another session to end makes the change take longer, as it does in life.
        only(await person.login(services[1]!, email, current));
        const next = `another-password-${round}`;
        const changing = change(services[0]!, keeper.accessToken, current, next);
        const logins = await Promise.all(
          Array.from({ length: 4 }, async (_, index) => {
            await new Promise((resolve) => setTimeout(resolve, index * 12));
            return person.login(services[1]!, email, current);
          }),
        );
        expect((await changing).code).toBeUndefined();
        raced += new Set(logins.map(({ code }) => code)).size > 1 ? 1 : 0;
        const open = await rowsOf(services[0]!).session.findMany({
          where: { endedAt: null, OR: [{ customerId: id }, { employeeId: id }] },
        });
        expect(
          open.map((session) => session.id),
          `round ${round}`,
        ).toEqual([keeper.sessionId]);
        await rowsOf(services[0]!).attempt.deleteMany({});
        current = next;
      }
      console.info(`${kind}: ${raced} of ${ROUNDS} rounds had logins on both sides of the change`);
    },
    120_000,
  );

  it.each(['customer', 'employee'] as Kind[])(
    'a %s who is disabled while signing in has no session left that comes back with the account',
    async (kind) => {
      const person = people[kind];
      const { email, id } = await person.given();
      const [one, other] = [services[0]!, services[1]!];
      let login: Promise<Answer> | undefined;
      let disabling: Promise<unknown> | undefined;
      // Both have read what they decide on when they reach the trail; then they go on together.
      await whileInsertsWait('audit_events', async (waiting) => {
        login = person.login(one, email);
        await expect.poll(waiting, { timeout: 3_000, interval: 5 }).toBe(1);
        disabling = person.disable(other, id);
        await expect.poll(waiting, { timeout: 500, interval: 5 }).toBe(2);
      });
      const [answer] = await Promise.all([login!, disabling!]);
      const open = await rowsOf(one).session.count({
        where: { endedAt: null, OR: [{ customerId: id }, { employeeId: id }] },
      });
      expect(open).toBe(0);
      await person.enable(one, id);
      const [token] = Object.values(answer.data ?? {}) as ({ refreshToken: string } | null)[];
      if (token) expect((await person.refresh(one, token.refreshToken)).code).toBe('INVALID_GRANT');
      expect((await person.login(one, email)).code).toBeUndefined();
    },
  );

  it.each(['customer', 'employee'] as Kind[])(
    'logins at once of a %s whose hash is renewed by them all succeed, and one new hash stays',
    async (kind) => {
      const person = people[kind];
      const older = await hash(PASSWORD, { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 });
      for (let round = 0; round < 5; round += 1) {
        const { email, id } = await person.given();
        const old = { where: { id }, data: { passwordHash: older } };
        await (kind === 'customer'
          ? rowsOf(services[0]!).customer.updateMany(old)
          : rowsOf(services[0]!).employee.updateMany(old));
        const answers = await Promise.all(
          Array.from({ length: 6 }, (_, index) => person.login(services[index % 2]!, email)),
        );
        expect(answers.map(({ code }) => code)).toEqual(Array(6).fill(undefined));
      }
    },
    60_000,
  );
});
