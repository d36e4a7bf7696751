// Keys that change under load, on two instances (case 115): nobody's good token is refused, a distrusted key's tokens
// are, and another secret neither opens the keys nor makes new ones.

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeProtectedHeader } from 'jose';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { graphql, only } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { spawnProcess } from '../kit/process.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { employee, isGood, refresh, serviceToken, signIn } from '../kit/stories.ts';
import { onInstances } from '../security/b-refresh-families.ts';

const kidOf = (token: string) => decodeProtectedHeader(token).kid!;
const rotate = async (at: Service, bearer: string): Promise<string> =>
  only<{ kid: string }>(await graphql(at, 'mutation { rotateSigningKey { kid } }', { bearer })).kid;
const retire = (at: Service, bearer: string, kid: string) =>
  graphql(at, 'mutation ($kid: ID!) { retireSigningKey(kid: $kid, reason: "test") { kid status } }', {
    bearer,
    variables: { kid },
  });
const publishedBy = async (at: Service): Promise<string[]> =>
  (await (await fetch(`${at.url}/.well-known/jwks.json`)).json()).keys.map(({ kid }: { kid: string }) => kid);
const keysOf = async ({ app }: Service, ctx = ctxOf('demo')) => {
  const rows = await app.modules.database.forTenant(ctx).signingKey.findMany();
  return {
    current: rows.filter(({ status }) => status === 'CURRENT'),
    next: rows.filter(({ status }) => status === 'NEXT'),
  };
};

onInstances('signing keys', (instances) => {
  it('case 115: rotated again and again under load, no token is refused on either instance, and each was published before', async () => {
    const { a, b } = instances();
    const { accessToken: admin } = await employee(a);
    const refused: string[] = [];
    const unpublished: string[] = [];
    const kids = new Set<string>();
    const kept: string[] = [];
    let isOver = false;
    let checked = 0;
    let failure: unknown;
    const worker = async (own: Service, other: Service) => {
      let buyer = await signIn(own, 'buyer@demo.example');
      for (let turn = 0; !isOver; turn += 1) {
        // 60 a minute and family are let through.
        if (turn % 20 === 19) buyer = await signIn(own, 'buyer@demo.example');
        buyer = await refresh(turn % 2 === 0 ? own : other, buyer.refreshToken);
        const { accessToken: service } = await serviceToken(own);
        for (const token of [buyer.accessToken, service]) {
          kids.add(kidOf(token));
          kept.push(token);
          for (const at of [own, other]) {
            if (!(await isGood(at, token))) refused.push(kidOf(token));
            if (!(await publishedBy(at)).includes(kidOf(token))) unpublished.push(kidOf(token));
            checked += 1;
          }
        }
      }
    };
    const workers = [worker(a, b), worker(b, a)].map((work) => work.catch((error) => (failure ??= error)));
    const rotated: string[] = [];
    for (let times = 0; times < 5; times += 1) {
      // Longer apart than the second in which an instance hears of it.
      await delay(1_200);
      const before = await keysOf(a);
      const kid = await rotate(times % 2 === 0 ? a : b, admin);
      expect(before.next.map(({ id }) => id)).toEqual([kid]);
      rotated.push(kid);
    }
    await delay(500);
    isOver = true;
    await Promise.all(workers);
    expect(failure).toBeUndefined();
    expect({ refused, unpublished }).toEqual({ refused: [], unpublished: [] });
    expect(checked).toBeGreaterThan(50);
    for (const kid of rotated.slice(0, -1)) expect(kids).toContain(kid);
    // All that was ever issued in it is good still.
    for (const token of kept.filter((_, index) => index % 10 === 0)) expect(await isGood(b, token)).toBe(true);
    const { current, next } = await keysOf(a);
    expect([current.length, next.length]).toEqual([1, 1]);
  }, 120_000);

  it('case 115: of rotations at the same instant on both instances there is one current key in the end', async () => {
    const { a, b } = instances();
    const { accessToken: admin } = await employee(a);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        graphql(index % 2 === 0 ? a : b, 'mutation { rotateSigningKey { kid } }', { bearer: admin }),
      ),
    );
    for (const { code } of answers) expect([undefined, 'CONFLICT']).toContain(code);
    expect(answers.some(({ code }) => code === undefined)).toBe(true);
    const { current, next } = await keysOf(a);
    expect([current.length, next.length]).toEqual([1, 1]);
    await expect
      .poll(async () => [kidOf((await serviceToken(a)).accessToken), kidOf((await serviceToken(b)).accessToken)], {
        timeout: 1_000,
        interval: 20,
      })
      .toEqual([current[0]!.id, current[0]!.id]);
  }, 60_000);

  it('case 115: an emergency retirement refuses whatever the key signed, here at once and there within 1 s', async () => {
    const { a, b } = instances();
    const { accessToken: admin } = await employee(a);
    const mine = (await serviceToken(a)).accessToken;
    const buyer = await signIn(b, 'buyer@demo.example');
    const kid = kidOf(mine);
    expect(kidOf(buyer.accessToken)).toBe(kid);
    expect((await retire(a, admin, kid)).code).toBeUndefined();
    for (const token of [mine, buyer.accessToken, admin]) expect(await isGood(a, token)).toBe(false);
    expect(await publishedBy(a)).not.toContain(kid);
    await expect
      .poll(async () => (await isGood(b, mine)) || (await isGood(b, buyer.accessToken)), {
        timeout: 1_000,
        interval: 20,
      })
      .toBe(false);
    await expect.poll(() => publishedBy(b), { timeout: 1_000, interval: 20 }).not.toContain(kid);
    // The session goes on with the key that comes next, which everybody knew already.
    const next = await refresh(b, buyer.refreshToken);
    for (const at of [a, b]) expect(await isGood(at, next.accessToken)).toBe(true);
    const { current } = await keysOf(a);
    expect([current.length, kidOf(next.accessToken)]).toEqual([1, current[0]!.id]);
  }, 60_000);

  /** A tenant of the test's own: what goes wrong with its keys harms no other. */
  async function newTenant(): Promise<ReturnType<typeof ctxOf>> {
    const id = `k${process.hrtime.bigint().toString(36)}`.slice(0, 16);
    await instances().a.app.modules.tenants.create({ id, name: id });
    await instances().a.app.modules.signingKeys.ensure(id);
    return ctxOf(id);
  }

  const ROUNDS = 10;
  // Known defect of signing-keys.ts: `retire` decides by what it read before it waited for the other's lock. Turn these
  // three into `it` once it locks the tenant's keys first.
  for (const status of ['next', 'current'] as const) {
    it(`case 115: a rotation while the ${status} key is retired leaves one current and one next key, both trusted (${ROUNDS} rounds)`, async () => {
      const { a, b } = instances();
      for (let round = 0; round < ROUNDS; round += 1) {
        const ctx = await newTenant();
        const kid = (await keysOf(a, ctx))[status][0]!.id;
        const outcomes = await Promise.allSettled([
          a.app.modules.signingKeys.rotate(ctx),
          b.app.modules.signingKeys.retire(ctx, kid, 'test'),
        ]);
        const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done'));
        const { current, next } = await keysOf(a, ctx);
        expect({ codes, current: current.length, next: next.length }, `round ${round}`).toEqual({
          codes: [expect.stringMatching(/^(done|CONFLICT)$/), 'done'],
          current: 1,
          next: 1,
        });
        expect([...current, ...next].map(({ distrusted }) => distrusted)).toEqual([false, false]);
      }
    }, 60_000);
  }

  it(`case 115: two who retire the same key at once both succeed, and one key is current (${ROUNDS} rounds)`, async () => {
    const { a, b } = instances();
    const ctx = await newTenant();
    for (let round = 0; round < ROUNDS; round += 1) {
      const kid = (await keysOf(a, ctx)).current[0]!.id;
      await Promise.all([a, b].map((at) => at.app.modules.signingKeys.retire(ctx, kid, 'test')));
      const { current, next } = await keysOf(a, ctx);
      expect([current.length, next.length], `round ${round}`).toEqual([1, 1]);
    }
  }, 60_000);
});

describe('another KEY_ENCRYPTION_SECRET', () => {
  const other = { KEY_ENCRYPTION_SECRET: 'another-secret-of-more-than-32-characters' };

  it('case 115: ends the process with a sentence that names it, and makes no new key', async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'scopeward-keys-')), 'data');
    onTestFinished(() => rmSync(join(folder, '..'), { recursive: true, force: true }));
    cpSync(inject('templateFolder'), folder, { recursive: true });
    const keys = async () => {
      const database = await openDatabase(
        { kind: 'folder', path: folder },
        { production: false, logger: { warn: () => {} } },
      );
      const rows = await database.system().signingKey.findMany({ orderBy: { id: 'asc' } });
      await database.close();
      return rows;
    };
    const before = await keys();
    expect(before.length).toBeGreaterThan(0);
    const child = spawnProcess({ DATABASE_URL: `file:${folder}`, ...other });
    onTestFinished(() => child.kill());
    expect(await child.exited).toEqual({ code: 1, signal: null });
    expect(child.output()).toMatch(/KEY_ENCRYPTION_SECRET: does not open the signing keys/);
    expect(child.output()).not.toContain(other.KEY_ENCRYPTION_SECRET);
    expect(await keys()).toEqual(before);
  }, 120_000);

  const url = inject('postgresUrl');
  it.skipIf(!url)(
    'case 115: is refused beside an instance that is running, which goes on unharmed',
    async () => {
      const env = { DATABASE_URL: await createDatabaseIn(url!) };
      const running = await startService(env);
      onTestFinished(() => running.stop());
      const { accessToken } = await serviceToken(running);
      const before = await keysOf(running);
      await expect(startService({ ...env, ...other })).rejects.toThrow(/KEY_ENCRYPTION_SECRET/);
      expect(await keysOf(running)).toEqual(before);
      expect(await isGood(running, accessToken)).toBe(true);
      expect(kidOf((await serviceToken(running)).accessToken)).toBe(kidOf(accessToken));
    },
    60_000,
  );
});
