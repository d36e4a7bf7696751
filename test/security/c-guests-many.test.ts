// Security catalogue, C: very many guests, and two customers who want to be the same one.

import { afterAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { givenCustomer } from '../kit/given.ts';
import { graphql } from '../kit/graphql.ts';
import { type Service, startService } from '../kit/service.ts';
import { guest, tryRefreshGuest } from '../kit/stories.ts';
import { countingHashes, customerLogin, rowsOf, startPair } from './logins.ts';

const postgresUrl = inject('postgresUrl');
const services: Service[] = [];
const started = <T extends readonly Service[]>(these: T): T => {
  services.push(...these);
  return these;
};
afterAll(() => Promise.all(services.map((service) => service.stop())));

const ROUNDS = 200;

describe.skipIf(!postgresUrl)(postgresUrl ? 'on PostgreSQL' : 'on PostgreSQL (no server installed)', () => {
  it(`case 37: of two logins at once on one guest session exactly one gets it, in up to ${ROUNDS} rounds over two instances`, async () => {
    const pair = started(await startPair(postgresUrl!));
    const people = await Promise.all([givenCustomer(pair[0]), givenCustomer(pair[0])]);
    const hashes = countingHashes(...pair);
    const deadline = performance.now() + 60_000;
    let rounds = 0;
    for (; rounds < ROUNDS && performance.now() < deadline; rounds += 1) {
      const { accessToken, sessionId } = await guest(pair[rounds % 2]!);
      // Who asks which instance changes from round to round.
      const answers = await Promise.all(
        people.map(({ email }, index) => customerLogin(pair[(index + (rounds >> 1)) % 2]!, accessToken, { email })),
      );
      const winner = answers.findIndex(({ code }) => code === undefined);
      expect(answers.map(({ code }) => code).toSorted()).toEqual(['UNAUTHENTICATED', undefined]);
      const rows = await rowsOf(pair[0]).session.findMany({
        where: { id: sessionId },
        include: { refreshTokens: true },
      });
      expect(rows).toMatchObject([{ customerId: people[winner]!.id, endedAt: null }]);
      expect(rows[0]!.refreshTokens).toHaveLength(1);
      const audited = await rowsOf(pair[0]).auditEvent.findMany({
        where: { type: 'login.succeeded', subjectId: sessionId },
      });
      expect(audited.map(({ actorId }) => actorId)).toEqual([people[winner]!.id]);
    }
    console.info(`case 37: ${rounds} rounds, ${hashes()} passwords checked`);
    // Otherwise the losers were turned away at the door, and nothing raced.
    expect(hashes()).toBeGreaterThan(rounds * 1.5);
    expect(rounds).toBeGreaterThanOrEqual(20);
  }, 90_000);
});

describe('many guests', () => {
  const starting = startService({ TRUSTED_PROXIES: '127.0.0.1' }).then((service) => started([service] as const)[0]);
  const issue =
    'mutation { issueAnonymousToken(input: { tenant: "demo", clientId: "demo-storefront" }) { sessionId } }';
  const askFrom = async (address: string) =>
    graphql(await starting, issue, { headers: { 'X-Forwarded-For': address } });

  /** Asks for a guest's tokens as the door does. @returns whether they were given */
  async function give(service: Service, ipAddress: string): Promise<boolean> {
    const { grants, requestToken } = service.app.modules;
    const request = { requestId: 'test', ipAddress, userAgent: null, principal: null, credential: 'none' } as const;
    const given = { tenant: 'demo', clientId: 'demo-storefront' };
    return requestToken(request, grants.anonymous, given).then(
      () => true,
      (error: { code: string }) => {
        expect(error.code).toBe('RATE_LIMITED');
        return false;
      },
    );
  }

  it('case 38: a guest costs no row and no statement', async () => {
    const service = await starting;
    const rowCounts = () =>
      Promise.all([
        rowsOf(service).session.count(),
        rowsOf(service).refreshToken.count(),
        rowsOf(service).attempt.count(),
      ]);
    // The first one has the client looked up, which is kept.
    await guest(service);
    const rows = await rowCounts();
    const audited = await rowsOf(service).auditEvent.count();
    const before = service.statements.length;
    for (let guests = 0; guests < 50; guests += 1) await guest(service, { siteCode: 'main', currency: 'EUR' });
    // The watch of the change counters goes on meanwhile, whoever calls.
    const caused = service.statements.slice(before).filter((sql) => !/\bcounters\b|INTO client_scope_usage/.test(sql));
    expect(caused).toEqual([]);
    expect(await rowCounts()).toEqual(rows);
    expect(await rowsOf(service).auditEvent.count()).toBe(audited);
  });

  it("case 38: refreshing a guest's tokens writes nothing", async () => {
    const service = await starting;
    const { refreshToken } = await guest(service);
    const before = service.statements.length;
    expect((await tryRefreshGuest(service, refreshToken)).code).toBeUndefined();
    const writes = service.statements.slice(before).filter((sql) => /\b(INSERT|UPDATE|DELETE)\b/i.test(sql));
    expect(writes.filter((sql) => !sql.includes('INTO client_scope_usage'))).toEqual([]);
  });

  it('case 38: of 100 000 guests from one address about 6 000 are served, the rest told when to come back; others are served', async () => {
    const service = await starting;
    const began = performance.now();
    let served = 0;
    for (let asked = 0; asked < 100_000; asked += 100) {
      const batch = await Promise.all(Array.from({ length: 100 }, () => give(service, '198.51.100.7')));
      served += batch.filter(Boolean).length;
    }
    const refilled = ((performance.now() - began) / 1000) * 100;
    expect(served).toBeGreaterThanOrEqual(6_000);
    expect(served).toBeLessThanOrEqual(6_000 + refilled + 1);

    await expect.poll(() => give(service, '198.51.100.7'), { interval: 0 }).toBe(false);
    const burst = await Promise.all(Array.from({ length: 300 }, () => askFrom('198.51.100.7')));
    const refused = burst.find(({ code }) => code === 'RATE_LIMITED')!;
    expect(refused.errors[0]!.extensions.retryAfter).toBe(1);
    expect(refused.headers.get('Retry-After')).toBe('1');
    expect((await askFrom('198.51.100.8')).code).toBeUndefined();
  }, 60_000);

  it('case 38: the addresses of one IPv6 /64 are limited as one', async () => {
    const service = await starting;
    // Time stands still, or a slow machine is given as much anew as it asks for.
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    let served = 0;
    for (let host = 1; host <= 6_500; host += 1) {
      if (await give(service, `2001:db8:1:2::${host.toString(16)}`)) served += 1;
      else break;
    }
    expect(served).toBe(6_000);
  }, 60_000);
});
