// Scopeward's own rules where two instances and a real database decide (security.md section 3 L, cases 121, 122, 123
// and 133). PGlite has one session and cannot show them.

import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { givenClient, givenCompany, givenCustomer, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import {
  claimsOf,
  guest,
  isGood,
  PASSWORD,
  refresh,
  signIn,
  tryEmployeeLogin,
  tryLogin,
  tryRefresh,
  tryRefreshEmployee,
  tryRefreshGuest,
  tryServiceToken,
} from '../kit/stories.ts';

const ROUNDS = 200;
const clusterUrl = inject('postgresUrl');
const title = 'two instances on PostgreSQL';

describe.skipIf(clusterUrl === null)(clusterUrl ? title : `${title} (no PostgreSQL server installed)`, () => {
  let url: string;
  let one: Service;
  let other: Service;
  /** Looks at the others; inside a transaction it would see them as they were. */
  let watcher: pg.Client;

  beforeAll(async () => {
    url = await createDatabaseIn(clusterUrl!);
    const env = { DATABASE_URL: url, DATABASE_POOL_SIZE: '20' };
    one = await startService(env);
    other = await startService(env);
    watcher = new pg.Client(url);
    await watcher.connect();
  }, 120_000);

  afterAll(() => Promise.all([one?.stop(), other?.stop(), watcher?.end()]));

  /** A connection of the test's own. */
  async function connection(): Promise<pg.Client> {
    const client = new pg.Client(url);
    await client.connect();
    onTestFinished(() => client.end());
    return client;
  }

  const verdicts = (...tokens: string[]) =>
    Promise.all([one, other].map((at) => Promise.all(tokens.map((token) => isGood(at, token)))));
  const everywhere = (count: number, good: boolean) => [one, other].map(() => Array(count).fill(good));

  /** @throws unless every token is refused by both, a second from now at the latest */
  async function refusedWithinASecond(...tokens: string[]): Promise<void> {
    const began = performance.now();
    await vi.waitFor(async () => expect(await verdicts(...tokens)).toEqual(everywhere(tokens.length, false)), {
      timeout: 5_000,
      interval: 10,
    });
    expect(performance.now() - began).toBeLessThan(1_000);
  }

  /** Both have read every revocation that is committed. */
  async function caughtUp(): Promise<void> {
    const latest = await one.app.modules.revocations.latest();
    await vi.waitFor(() => {
      for (const { app } of [one, other]) expect(app.modules.revocations.current()).toBeGreaterThanOrEqual(latest);
    });
  }

  /** Resolves when a statement waits for a lock. */
  const somebodyWaits = (like: string) =>
    vi.waitFor(
      async () => {
        const { rows } = await watcher.query(
          "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE $1",
          [`%${like}%`],
        );
        expect(rows.length).toBeGreaterThan(0);
      },
      { timeout: 5_000, interval: 5 },
    );

  const revoke = (tx: pg.Client, kind: string, key: string) =>
    tx.query('INSERT INTO revocations (tenant_id, kind, key, reason) VALUES ($1, $2::"RevocationKind", $3, $4)', [
      'demo',
      kind,
      key,
      'a test',
    ]);

  describe('case 121: revocations become visible in the order of their numbers', () => {
    it('case 121: a token minted while a revocation waits for its commit is refused once it commits', {
      retry: 1,
    }, async () => {
      const client = await givenClient(one, ['product.product_read']);
      const storefront = await givenClient(one, [], 'STOREFRONT');
      const customer = await givenCustomer(one);
      const session = await signIn(one, customer.email);
      const mintService = async (at: Service) =>
        only(await tryServiceToken(at, client.id, client.clientSecret)).accessToken as string;
      const mintGuest = (at: Service) => guest(at, { clientId: storefront.id });
      // Both instances know the clients by now, as they would.
      await Promise.all([one, other].flatMap((at) => [mintService(at), mintGuest(at)]));

      const change = await connection();
      await change.query('BEGIN');
      await revoke(change, 'CLIENT', client.id);
      await revoke(change, 'CLIENT', storefront.id);
      await revoke(change, 'PRINCIPAL', `customer:${customer.id}`);

      const minted = [
        await mintService(one),
        await mintService(other),
        (await mintGuest(one)).accessToken,
        (await mintGuest(other)).accessToken,
        (await refresh(other, session.refreshToken)).accessToken,
      ];
      expect(await verdicts(...minted)).toEqual(everywhere(minted.length, true));
      const ownNumbers = await change.query('SELECT max(sequence) AS last FROM revocations');
      for (const token of minted) expect(claimsOf(token).rev).toBeLessThan(Number(ownNumbers.rows[0].last));

      await change.query('COMMIT');
      await refusedWithinASecond(...minted);
      await caughtUp();
      const later = [await mintService(one), await mintService(other), (await mintGuest(other)).accessToken];
      expect(await verdicts(...later)).toEqual(everywhere(later.length, true));
    });

    it('case 121: the next number waits for the one before, and the change that wants it waits too', async () => {
      const { accessToken } = await guest(one);
      const [first, reader] = [await connection(), await connection()];
      const newest = async () => Number((await reader.query('SELECT max(sequence) AS n FROM revocations')).rows[0].n);
      const before = await newest();
      await first.query('BEGIN');
      await revoke(first, 'TOKEN', 'held');
      let done = false;
      const second = graphql(other, 'mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', {
        variables: { t: accessToken },
      }).finally(() => {
        done = true;
      });
      await somebodyWaits('revocations');
      expect([await newest(), done]).toEqual([before, false]);
      await first.query('COMMIT');
      expect(only(await second)).toEqual({ revoked: true });
      const { rows } = await reader.query(
        'SELECT sequence, key FROM revocations WHERE sequence > $1 ORDER BY sequence',
        [before],
      );
      expect(rows).toEqual([
        { sequence: String(before + 1), key: 'held' },
        { sequence: String(before + 2), key: claimsOf(accessToken).jti },
      ]);
    });

    it('case 121: whoever reads a number can read every one before it, under sixteen writers at once', async () => {
      const reader = await connection();
      const floor = await one.app.modules.revocations.latest();
      let writing = true;
      const holes: unknown[] = [];
      let seen = 0;
      const reading = (async () => {
        while (writing || seen < 16 * 20) {
          const { rows } = await reader.query(
            `SELECT count(*)::int AS count, coalesce(max(sequence), $1)::int AS last,
               (SELECT value::int FROM counters WHERE name = 'revocations') AS counter
             FROM revocations WHERE sequence > $1`,
            [floor],
          );
          const { count, last, counter } = rows[0];
          if (count !== last - floor || counter !== last) holes.push(rows[0]);
          seen = count;
        }
      })();
      await Promise.all(
        Array.from({ length: 16 }, async (_, writer) => {
          const tx = await connection();
          for (let round = 0; round < 20; round += 1) {
            await tx.query('BEGIN');
            await revoke(tx, 'TOKEN', `w${writer}-${round}`);
            if ((writer + round) % 5 === 0) await tx.query('SELECT pg_sleep(0.003)');
            await tx.query('COMMIT');
          }
        }),
      ).finally(() => {
        writing = false;
      });
      await reading;
      expect(holes).toEqual([]);
      expect(seen).toBe(320);
    });
  });

  describe('case 122: the token minted by a change outlives its own revocations', () => {
    it("case 122: a login's tokens are good everywhere at once, and the guest's are worthless", {
      retry: 1,
    }, async () => {
      const customer = await givenCustomer(one);
      const visitor = await guest(one);
      const login = await tryLogin(one, { email: customer.email, anonymousToken: visitor.accessToken });
      expect(await isGood(one, visitor.accessToken)).toBe(false);
      const { accessToken, saasToken, sessionId } = only(login);
      expect(await verdicts(accessToken)).toEqual(everywhere(1, true));
      expect(sessionId).toBe(visitor.sessionId);
      const codes = await Promise.all(
        [one, other].map(async (at) => (await tryRefreshGuest(at, visitor.refreshToken)).code),
      );
      expect(codes).toEqual(['INVALID_GRANT', 'INVALID_GRANT']);
      await refusedWithinASecond(visitor.accessToken);
      await caughtUp();
      expect(await verdicts(accessToken)).toEqual(everywhere(1, true));
      for (const { app } of [one, other]) {
        await expect(app.modules.verifier.verify(saasToken, 'saas')).resolves.toMatchObject({ session_id: sessionId });
      }
      // And the guest's token opens no second login, on the instance that has not heard of the first either.
      const again = await tryLogin(other, { email: customer.email, anonymousToken: visitor.accessToken });
      expect(again.code).toBe('UNAUTHENTICATED');
    });

    it('case 122: a changed password ends the other sessions and leaves this one good everywhere', {
      retry: 1,
    }, async () => {
      const customer = await givenCustomer(one);
      const [mine, stolen] = [await signIn(one, customer.email), await signIn(other, customer.email)];
      const newPassword = 'another-password-2';
      const changed = await graphql(
        one,
        'mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { sessionsEnded } }',
        { bearer: mine.accessToken, variables: { input: { currentPassword: PASSWORD, newPassword } } },
      );
      expect(only(changed)).toEqual({ sessionsEnded: 1 });
      expect((await tryRefresh(other, stolen.refreshToken)).code).toBe('INVALID_GRANT');
      await refusedWithinASecond(stolen.accessToken);
      await caughtUp();
      const renewed = await refresh(other, mine.refreshToken);
      const { accessToken: anew } = only(
        await tryLogin(other, {
          email: customer.email,
          password: newPassword,
          anonymousToken: (await guest(other)).accessToken,
        }),
      );
      expect(await verdicts(mine.accessToken, renewed.accessToken, anew)).toEqual(everywhere(3, true));
    });

    it('case 122: a switch of company, a refresh and a login after the end of everything are good everywhere', async () => {
      const company = await givenCompany(one);
      const customer = await givenCustomer(one, { [company.id]: 'BUYER' });
      const first = await signIn(one, customer.email);
      const switched = await refresh(other, first.refreshToken, { legalEntityId: company.id });
      expect(await verdicts(first.accessToken, switched.accessToken)).toEqual(everywhere(2, true));
      // Leaving the company writes an entry; the next refresh, elsewhere and at once, is not hit by it.
      await one.app.modules.contactAssignments.unassign(ctxOf('demo'), {
        customerId: customer.id,
        legalEntityId: company.id,
      });
      const left = await refresh(other, switched.refreshToken, { legalEntityId: null });
      await refusedWithinASecond(switched.accessToken);
      await caughtUp();
      expect(await verdicts(left.accessToken, first.accessToken)).toEqual(everywhere(2, true));
      await graphql(one, 'mutation { logoutEverywhere { sessionsEnded } }', { bearer: left.accessToken });
      const anew = await signIn(other, customer.email);
      expect((await verdicts(anew.accessToken)).flat()).toEqual([true, true]);
      await refusedWithinASecond(left.accessToken, first.accessToken);
      await caughtUp();
      expect(await verdicts(anew.accessToken)).toEqual(everywhere(1, true));
    });
  });

  describe('case 123: facts that change while a token is being made', () => {
    it('case 123: a group that is left after it was read, and before the token is signed, costs the token', {
      retry: 1,
    }, async () => {
      const worker = await givenEmployee(one, ['iam.group_read']);
      const login = only(await tryEmployeeLogin(one, worker.email));
      const hold = await connection();
      await hold.query('BEGIN');
      // Whoever spends a refresh token needs this row; by then the groups have been read.
      await hold.query('SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE', [login.sessionId]);
      const refreshing = tryRefreshEmployee(one, login.refreshToken);
      await somebodyWaits('AS given (rotation, at)');
      await other.app.modules.memberships.remove(ctxOf('demo'), {
        groupId: worker.groupId,
        userId: worker.id,
        userType: 'EMPLOYEE',
      });
      await hold.query('COMMIT');
      const { accessToken, refreshToken, scopes } = only(await refreshing);
      // It was made from what is no longer so…
      expect(scopes).toEqual(['iam.group_read']);
      await refusedWithinASecond(accessToken);
      // …and the next is made from what is.
      const next = only(await tryRefreshEmployee(other, refreshToken));
      expect(next.scopes).toEqual([]);
      expect(await verdicts(next.accessToken)).toEqual(everywhere(1, true));
    });

    it('case 123: a group that is left after rev was read, and before the groups are, costs the token too', {
      retry: 1,
    }, async () => {
      const worker = await givenEmployee(one, ['iam.group_read']);
      const login = only(await tryEmployeeLogin(one, worker.email));
      const hold = await connection();
      await hold.query('BEGIN');
      // The token has been looked up, and rev with it; the groups are read next.
      await hold.query('LOCK TABLE employee_memberships IN ACCESS EXCLUSIVE MODE');
      const refreshing = tryRefreshEmployee(one, login.refreshToken);
      await somebodyWaits('employee_memberships');
      await hold.query('DELETE FROM employee_memberships WHERE employee_id = $1', [worker.id]);
      await revoke(hold, 'PRINCIPAL', `employee:${worker.id}`);
      await hold.query('COMMIT');
      const { accessToken, scopes } = only(await refreshing);
      expect(scopes).toEqual([]);
      await refusedWithinASecond(accessToken);
    });

    it('case 123: a group that is left while the employee signs in costs the token', { retry: 1 }, async () => {
      const worker = await givenEmployee(one, ['iam.group_read']);
      const hold = await connection();
      await hold.query('BEGIN');
      await hold.query('LOCK TABLE employee_memberships IN ACCESS EXCLUSIVE MODE');
      const login = tryEmployeeLogin(one, worker.email);
      await somebodyWaits('employee_memberships');
      await hold.query('DELETE FROM employee_memberships WHERE employee_id = $1', [worker.id]);
      await revoke(hold, 'PRINCIPAL', `employee:${worker.id}`);
      await hold.query('COMMIT');
      const { accessToken } = only(await login);
      await refusedWithinASecond(accessToken);
    });

    it('case 123: a company that is lost while the customer signs in for it costs the token', {
      retry: 1,
    }, async () => {
      const company = await givenCompany(one);
      const customer = await givenCustomer(one, { [company.id]: 'ADMIN' });
      const session = await signIn(one, customer.email, { legalEntityId: company.id });
      const hold = await connection();
      await hold.query('BEGIN');
      await hold.query('SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE', [session.sessionId]);
      const refreshing = tryRefresh(one, session.refreshToken);
      await somebodyWaits('AS given (rotation, at)');
      await other.app.modules.contactAssignments.unassign(ctxOf('demo'), {
        customerId: customer.id,
        legalEntityId: company.id,
      });
      await hold.query('COMMIT');
      const late = only(await refreshing);
      expect(late.legalEntity).toEqual({ id: company.id, name: company.name });
      await refusedWithinASecond(late.accessToken, session.accessToken);
      expect((await tryRefresh(other, late.refreshToken)).code).toBe('ACCESS_DENIED');
    });
  });

  describe('case 133: an end that races a refresh', () => {
    /** A signed-in customer without the cost of a login. */
    async function session(customerId: string): Promise<{ sessionId: string; refreshToken: string }> {
      const { database, refreshTokens, sessions } = one.app.modules;
      const ctx = ctxOf('demo');
      const sessionId = randomBytes(16).toString('base64url');
      const refreshToken = refreshTokens.first();
      await database.transaction(ctx, (tx) =>
        sessions.begin(tx, ctx, {
          id: sessionId,
          owner: { kind: 'customer', id: customerId },
          clientId: 'demo-storefront',
          legalEntityId: null,
          context: null,
          idleSeconds: 3600,
          mostSeconds: 3600,
          refreshTokenId: refreshToken.id,
          event: { type: 'login.succeeded' },
        }),
      );
      return { sessionId, refreshToken: refreshToken.token };
    }

    const ends: [
      name: string,
      end: (at: Service, held: { accessToken: string; refreshToken: string; sessionId: string }) => Promise<unknown>,
    ][] = [
      ['logout', (at, { accessToken: bearer }) => graphql(at, 'mutation { logout { sessionsEnded } }', { bearer })],
      [
        'revokeToken',
        (at, { refreshToken: t }) =>
          graphql(at, 'mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', { variables: { t } }),
      ],
      [
        'revokeSession',
        (at, { accessToken: bearer, sessionId: id }) =>
          graphql(at, 'mutation ($id: ID!) { revokeSession(id: $id) { revoked } }', { bearer, variables: { id } }),
      ],
    ];

    it(`case 133: ${ROUNDS} rounds leave one order or the other, and never a live family`, {
      timeout: 180_000,
    }, async () => {
      const customer = await givenCustomer(one);
      const outcomes = { refreshed: 0, refused: 0, other: [] as unknown[] };
      const successors: string[] = [];
      const accessTokens: string[] = [];
      const sessionIds: string[] = [];

      async function round(number: number): Promise<void> {
        const made = await session(customer.id);
        const first = await refresh(other, made.refreshToken);
        sessionIds.push(made.sessionId);
        const [here, there] = number % 2 === 0 ? [one, other] : [other, one];
        // Every eighth round is decided beforehand, so that both orders are sure to be seen.
        const [endAfter, refreshAfter] =
          number % 8 === 0 ? [100, 0] : number % 8 === 1 ? [0, 100] : [Math.random() * 6, Math.random() * 6];
        const end = ends[number % ends.length]![1];
        const [, refreshed] = await Promise.all([
          delay(endAfter).then(() => end(here, first)),
          delay(refreshAfter).then(() => tryRefresh(there, first.refreshToken)),
        ]);
        accessTokens.push(first.accessToken);
        if (refreshed.errors.length === 0) {
          outcomes.refreshed += 1;
          const { accessToken, refreshToken } = only(refreshed);
          accessTokens.push(accessToken);
          successors.push(refreshToken);
        } else if (refreshed.code === 'INVALID_GRANT') outcomes.refused += 1;
        else outcomes.other.push(refreshed.body);
      }
      for (let number = 0; number < ROUNDS; number += 5) {
        await Promise.all([0, 1, 2, 3, 4].map((offset) => round(number + offset)));
      }

      const admin = await connection();
      const { rows } = await admin.query(
        `SELECT count(*) FILTER (WHERE ended_at IS NULL)::int AS open, count(*)::int AS all FROM sessions WHERE id = ANY($1)`,
        [sessionIds],
      );
      expect(rows).toEqual([{ open: 0, all: ROUNDS }]);
      expect(outcomes.other).toEqual([]);
      expect(outcomes.refreshed + outcomes.refused).toBe(ROUNDS);
      expect(outcomes.refreshed).toBeGreaterThan(0);
      expect(outcomes.refused).toBeGreaterThan(0);
      await caughtUp();
      const codes = await Promise.all(
        successors.map(async (token, index) => (await tryRefresh(index % 2 ? one : other, token)).code),
      );
      expect(new Set(codes)).toEqual(new Set(['INVALID_GRANT']));
      const good = (await verdicts(...accessTokens)).flat().filter(Boolean);
      expect(good).toEqual([]);
    });

    it.each(ends)(
      'case 133: %s between the two statements of a refresh leaves nothing to refresh',
      { retry: 1 },
      async (_name, end) => {
        const customer = await givenCustomer(one);
        const held = await refresh(one, (await session(customer.id)).refreshToken);
        const hold = await connection();
        await hold.query('BEGIN');
        // The token has been looked up and found good; the groups are looked at next.
        await hold.query('LOCK TABLE customer_memberships IN ACCESS EXCLUSIVE MODE');
        const refreshing = tryRefresh(one, held.refreshToken);
        await somebodyWaits('AS "customerNumber"');
        await end(other, held);
        await hold.query('COMMIT');
        expect((await refreshing).code).toBe('INVALID_GRANT');
        await refusedWithinASecond(held.accessToken);
      },
    );

    it.each(ends)('case 133: %s that waits for a refresh ends its successor too', { retry: 1 }, async (_name, end) => {
      const company = await givenCompany(one);
      const customer = await givenCustomer(one, { [company.id]: 'BUYER' });
      const held = await refresh(one, (await session(customer.id)).refreshToken);
      const hold = await connection();
      await hold.query('BEGIN');
      // The one statement of a refresh locks the session before it spends the token.
      await hold.query('SELECT 1 FROM refresh_tokens WHERE session_id = $1 AND spent_at IS NULL FOR UPDATE', [
        held.sessionId,
      ]);
      const refreshing = tryRefresh(one, held.refreshToken, { legalEntityId: company.id });
      await somebodyWaits('AS given (rotation, at)');
      const ending = end(other, held);
      await somebodyWaits('UPDATE "public"."sessions"');
      await hold.query('COMMIT');
      const successor = only(await refreshing);
      await ending;
      expect((await tryRefresh(one, successor.refreshToken)).code).toBe('INVALID_GRANT');
      await refusedWithinASecond(held.accessToken, successor.accessToken);
    });
  });
});
