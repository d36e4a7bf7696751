// Section B, everything at once: on two instances with one PostgreSQL database, whose pools have 10 connections each,
// and on PGlite where that says something. Outcomes are counted in the database. The rounds that the catalogue asks
// for are run with RACE_ROUNDS=200; without it as many as fit into an ordinary run.

import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { givenCompany, givenCustomer, givenEmployee } from '../kit/given.ts';
import { type Answer, only } from '../kit/graphql.ts';
import { ctxOf, type Service } from '../kit/service.ts';
import {
  type CustomerToken,
  claimsOf,
  employee,
  isGood,
  refresh,
  signIn,
  tryRefresh,
  tryRefreshEmployee,
} from '../kit/stories.ts';
import { beginFamily, eventsOf, familyRows, letPass, onBoth, onInstances } from './b-refresh-families.ts';

const rounds = (fewer: number) => Number(process.env.RACE_ROUNDS ?? fewer);
const HOUR = 3_600_000;

/** So many calls at once, in turn on both instances. */
const atOnce = <T>(
  many: number,
  { a, b }: { a: Service; b: Service },
  call: (at: Service, index: number) => Promise<T>,
) => Promise.all(Array.from({ length: many }, (_, index) => call(index % 2 === 0 ? a : b, index)));

const codesOf = (answers: readonly Answer[]) => [...new Set(answers.map(({ code }) => code))];
const successorOf = (answer: Answer) => only<CustomerToken>(answer).refreshToken;
const percentile = (values: number[], part: number) =>
  values.sort((x, y) => x - y)[Math.ceil(values.length * part) - 1]!;

onBoth('one token, many requests', (instances, isEmbedded) => {
  // PGlite takes one statement at a time: fewer rounds show as much.
  const many = rounds(isEmbedded ? 5 : 20);

  it(`case 22: 50 identical refreshes at once get one and the same successor (${many} rounds)`, async () => {
    const both = instances();
    const { id } = await givenCustomer(both.a);
    const took: number[] = [];
    for (let round = 0; round < many; round += 1) {
      const { sessionId, refreshToken } = await beginFamily(both.a, id);
      const answers = await atOnce(50, both, async (at) => {
        const began = performance.now();
        const answer = await tryRefresh(at, refreshToken);
        took.push(performance.now() - began);
        return answer;
      });
      expect(codesOf(answers), `round ${round}`).toEqual([undefined]);
      const successors = new Set(answers.map(successorOf));
      expect(successors.size, `round ${round}`).toBe(1);
      const family = await familyRows(both.a, sessionId);
      expect({ ...family, isHead: family.isHead([...successors][0]!) }).toMatchObject({
        rows: 2,
        spent: 1,
        unspent: 1,
        endedAt: null,
        isHead: true,
      });
    }
    // On a machine of its own; in an ordinary run the clients and other files share its cores.
    if (process.env.RACE_ROUNDS) expect(percentile(took, 0.99)).toBeLessThan(500);
  }, 300_000);

  it('case 22: twenty refreshes of an employee at once get one successor', async () => {
    const both = instances();
    const { email } = await givenEmployee(both.a);
    const { refreshToken, sessionId } = await employee(both.a, email);
    const answers = await atOnce(20, both, (at) => tryRefreshEmployee(at, refreshToken));
    expect(codesOf(answers)).toEqual([undefined]);
    expect(new Set(answers.map(successorOf)).size).toBe(1);
    expect(await familyRows(both.a, sessionId)).toMatchObject({ rows: 2, unspent: 1 });
  });

  it('case 22: twenty identical branchings at once make two branches', async () => {
    const both = instances();
    const company = await givenCompany(both.a);
    const customer = await givenCustomer(both.a, { [company.id]: 'BUYER' });
    const { refreshToken, sessionId } = await beginFamily(both.a, customer.id);
    const use = { legalEntityId: company.id, branch: true };
    const answers = await atOnce(20, both, (at) => tryRefresh(at, refreshToken, use));
    expect(codesOf(answers)).toEqual([undefined]);
    expect(new Set(answers.map((answer) => only<CustomerToken>(answer).branchedFrom!.refreshToken)).size).toBe(1);
    expect(new Set(answers.map(successorOf)).size).toBe(1);
    expect(await familyRows(both.a, sessionId)).toMatchObject({ rows: 3, unspent: 2 });
    expect(await eventsOf(both.a, sessionId, 'token.branched')).toBe(1);
  });

  it('case 20: retries of R1 and R2 and the first use of R3, all at once, leave one live head', async () => {
    const both = instances();
    const { id } = await givenCustomer(both.a);
    for (let round = 0; round < 10; round += 1) {
      const { sessionId, refreshToken: r1 } = await beginFamily(both.a, id);
      const { refreshToken: r2 } = await refresh(both.a, r1);
      const { refreshToken: r3 } = await refresh(both.b, r2);
      const answers = await atOnce(12, both, (at, index) => tryRefresh(at, [r1, r2, r3][index % 3]!));
      expect(codesOf(answers)).toEqual([undefined]);
      const successors = answers.map(successorOf);
      const of = (start: number) => [...new Set(successors.filter((_, index) => index % 3 === start))];
      expect([of(0), of(1)]).toEqual([[r2], [r3]]);
      expect(of(2)).toHaveLength(1);
      const family = await familyRows(both.a, sessionId);
      expect([family.rows, family.unspent, family.isHead(of(2)[0]!)]).toEqual([4, 1, true]);
    }
  });

  it(`case 46: of two tabs that switch at once one gets its company, the other nothing, and goes on with the successor (${many} rounds)`, async () => {
    const both = instances();
    const [e1, e2] = [await givenCompany(both.a), await givenCompany(both.a)];
    const customer = await givenCustomer(both.a, { [e1.id]: 'ADMIN', [e2.id]: 'BUYER' });
    const scopesIn = {
      [e1.id]: (await signIn(both.a, customer.email, { legalEntityId: e1.id })).scopes,
      [e2.id]: (await signIn(both.a, customer.email, { legalEntityId: e2.id })).scopes,
    };
    expect(scopesIn[e1.id]).not.toEqual(scopesIn[e2.id]);
    for (let round = 0; round < many; round += 1) {
      const { sessionId, refreshToken } = await beginFamily(both.a, customer.id);
      const answers = await atOnce(2, both, (at, index) =>
        tryRefresh(at, refreshToken, { legalEntityId: [e1, e2][(index + round) % 2]!.id }),
      );
      const winners = answers.filter(({ code }) => code === undefined).map((answer) => only<CustomerToken>(answer));
      expect(winners, `round ${round}`).toHaveLength(1);
      expect(codesOf(answers)).toContain('INVALID_GRANT');
      const [winner] = winners;
      const company = winner!.legalEntity!.id;
      for (const token of [winner!.accessToken, winner!.saasToken]) {
        expect(claimsOf(token).legalEntityId).toBe(company);
      }
      expect(winner!.scopes).toEqual(scopesIn[company]);
      expect(claimsOf(winner!.accessToken).scope.split(' ')).toEqual(scopesIn[company]);
      expect(await familyRows(both.a, sessionId)).toMatchObject({ rows: 2, unspent: 1, endedAt: null });
      const other = company === e1.id ? e2.id : e1.id;
      const next = await refresh(both.b, winner!.refreshToken, { legalEntityId: other });
      expect(next.scopes).toEqual(scopesIn[other]);
    }
  }, 300_000);

  it(`case 133: a logout and refreshes at the same time leave no way back (${many} rounds)`, async () => {
    const both = instances();
    const { id } = await givenCustomer(both.a);
    const { sessions, customers } = both.a.app.modules;
    const ctx = ctxOf('demo');
    const ends = [
      (sessionId: string) => sessions.logout(ctx, sessionId),
      () => sessions.logoutEverywhere(ctx, { kind: 'customer', id }),
      () => customers.update(ctx, id, { enabled: false }),
    ];
    for (let round = 0; round < many; round += 1) {
      await customers.update(ctx, id, { enabled: true });
      const { sessionId, refreshToken } = await beginFamily(both.a, id);
      const { refreshToken: head } = await refresh(both.a, refreshToken);
      const [answers] = await Promise.all([
        atOnce(6, both, (at) => tryRefresh(at, head)),
        ends[round % ends.length]!(sessionId),
      ]);
      for (const code of codesOf(answers)) expect([undefined, 'INVALID_GRANT']).toContain(code);
      const good = answers.filter(({ code }) => code === undefined).map((answer) => only<CustomerToken>(answer));
      expect((await familyRows(both.a, sessionId)).endedAt).not.toBeNull();
      for (const { accessToken } of good) {
        expect(await isGood(both.a, accessToken), `round ${round}`).toBe(false);
        await expect.poll(() => isGood(both.b, accessToken), { timeout: 1_000, interval: 20 }).toBe(false);
      }
      for (const token of new Set([head, ...good.map((one) => one.refreshToken)])) {
        const again = await atOnce(2, both, (at) => tryRefresh(at, token));
        expect(codesOf(again), `round ${round}`).toEqual(['INVALID_GRANT']);
      }
    }
  }, 300_000);
});

onInstances('two instances', (instances) => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const threeTokens = async () => {
    const { a, b } = instances();
    const { id } = await givenCustomer(a);
    const { sessionId, refreshToken: r1 } = await beginFamily(a, id);
    const { refreshToken: r2 } = await refresh(b, r1);
    const r3 = await refresh(a, r2);
    return { sessionId, r1, r2, r3 };
  };

  it('case 19: ten replays at once end the family once, and one event tells of it', async () => {
    const { a } = instances();
    for (let round = 0; round < 10; round += 1) {
      const { sessionId, r1, r3 } = await threeTokens();
      await letPass(a, sessionId, 11);
      const answers = await atOnce(10, instances(), (at) => tryRefresh(at, r1));
      expect(codesOf(answers)).toEqual(['INVALID_GRANT']);
      expect(await eventsOf(a, sessionId, 'refresh.reuse_detected')).toBe(1);
      expect(await eventsOf(a, sessionId, 'session.ended')).toBe(1);
      await expect.poll(() => isGood(instances().b, r3.accessToken), { timeout: 1_000, interval: 20 }).toBe(false);
    }
  });

  it('case 19: a replay and the use of the head at the same time leave no live head', async () => {
    const { a, b } = instances();
    for (let round = 0; round < 20; round += 1) {
      const { sessionId, r1, r3 } = await threeTokens();
      await letPass(a, sessionId, 11);
      const [used, replayed] = await Promise.all([tryRefresh(a, r3.refreshToken), tryRefresh(b, r1)]);
      expect(replayed.code).toBe('INVALID_GRANT');
      const heads = used.code === undefined ? [successorOf(used)] : [r3.refreshToken];
      for (const head of heads) {
        expect(codesOf(await atOnce(2, instances(), (at) => tryRefresh(at, head)))).toEqual(['INVALID_GRANT']);
      }
      expect((await familyRows(a, sessionId)).endReason).toBe('refresh_token.reused');
    }
  });

  for (const milliseconds of [0, 50, 300]) {
    it(`case 21: ${milliseconds} ms after a replay the head is refused on the other instance`, async () => {
      const { a, b, deaf } = instances();
      const { sessionId, r1, r3 } = await threeTokens();
      await letPass(a, sessionId, 11);
      expect((await tryRefresh(a, r1)).code).toBe('INVALID_GRANT');
      const due = performance.now() + milliseconds;
      await vi.waitUntil(() => performance.now() >= due, { interval: 1 });
      expect((await tryRefresh(b, r3.refreshToken)).code).toBe('INVALID_GRANT');
      expect((await tryRefresh(deaf, r3.refreshToken)).code).toBe('INVALID_GRANT');
      expect((await familyRows(a, sessionId)).rows).toBe(3);
    });
  }

  describe('an answer that nobody read', () => {
    /** Sends the refresh and hangs up once it is done, or at least begun, without reading. */
    async function refreshAndHangUp(at: Service, sessionId: string, refreshToken: string): Promise<void> {
      const { hostname, port } = new URL(at.url);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.pause();
      const body = JSON.stringify({
        query: 'mutation ($t: String!) { refreshCustomerToken(input: { refreshToken: $t }) { refreshToken } }',
        variables: { t: refreshToken },
      });
      socket.write(
        `POST /graphql HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      await vi.waitUntil(async () => (await familyRows(at, sessionId)).spent === 1, { timeout: 2_000, interval: 1 });
      socket.destroy();
    }

    it('case 23: is given again, at once, after 3 s, and on the other instance', async () => {
      const { a, b } = instances();
      const { id } = await givenCustomer(a);
      for (let round = 0; round < 10; round += 1) {
        const { sessionId, refreshToken } = await beginFamily(a, id);
        await refreshAndHangUp(a, sessionId, refreshToken);
        const { refreshToken: successor } = await refresh(a, refreshToken);
        await letPass(a, sessionId, 3);
        expect((await refresh(b, refreshToken)).refreshToken).toBe(successor);
        const family = await familyRows(a, sessionId);
        expect([family.rows, family.unspent, family.isHead(successor)]).toEqual([2, 1, true]);
        expect((await refresh(b, successor)).sessionId).toBe(sessionId);
      }
    });

    it('case 23: and was never stored in a form that another token opens', async () => {
      const { a } = instances();
      const { id } = await givenCustomer(a);
      const [one, other] = [await beginFamily(a, id), await beginFamily(a, id)];
      await refresh(a, one.refreshToken);
      const db = a.app.modules.database.system();
      // A sealed successor moved to another spent token of the same tenant must not open there.
      await refresh(a, other.refreshToken);
      const { successor, spentFor } = await db.refreshToken.findFirstOrThrow({
        where: { sessionId: one.sessionId, spentAt: { not: null } },
      });
      await db.refreshToken.updateMany({
        where: { sessionId: other.sessionId, spentAt: { not: null } },
        data: { successor, spentFor },
      });
      expect((await tryRefresh(a, other.refreshToken)).code).not.toBeUndefined();
    });
  });

  // On PGlite the database's clock is the process's, so only a server can tell them apart.
  for (const hours of [-1, 1]) {
    it(`case 24: 9 s are in time and 11 s are not, by the database's clock, with the process ${hours} h off`, async () => {
      const { a, b } = instances();
      const { id } = await givenCustomer(a);
      const { sessionId, refreshToken } = await beginFamily(a, id);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * HOUR });
      const first = await refresh(a, refreshToken);
      expect(Math.abs(first.refreshTokenExpiresIn - 30 * 86_400)).toBeLessThan(60);
      await letPass(a, sessionId, 9);
      expect((await refresh(b, refreshToken)).refreshToken).toBe(first.refreshToken);
      await letPass(a, sessionId, 2);
      expect((await tryRefresh(b, refreshToken)).code).toBe('INVALID_GRANT');
      expect((await familyRows(a, sessionId)).endReason).toBe('refresh_token.reused');
      expect((await tryRefresh(a, first.refreshToken)).code).toBe('INVALID_GRANT');
    });

    it(`case 24: when the process jumps ${hours} h nothing spent revives and nothing live dies`, async () => {
      const { a } = instances();
      const { id } = await givenCustomer(a);
      const { sessionId, refreshToken } = await beginFamily(a, id);
      const { refreshToken: successor } = await refresh(a, refreshToken);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * HOUR });
      expect((await refresh(a, refreshToken)).refreshToken).toBe(successor);
      await letPass(a, sessionId, 11);
      const { refreshToken: head } = await refresh(a, successor);
      expect((await tryRefresh(a, refreshToken)).code).toBe('INVALID_GRANT');
      expect((await tryRefresh(a, head)).code).toBe('INVALID_GRANT');
    });
  }
});
