// Kill -9 under load (cases 23, 25, 111): what was acknowledged is there, and no family has two heads. FAULT_ROUNDS
// says how often; the catalogue asks for 50 a database, an ordinary run does 2.

import { createHash, randomUUID } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { graphql, only } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { type ServiceProcess, startProcess } from '../kit/process.ts';
import { type CustomerToken, guest, isGood, refresh, tryLogin, tryRefresh } from '../kit/stories.ts';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2);
const digest = (token: string) => createHash('sha256').update(token).digest('hex');

const children: ServiceProcess[] = [];
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()));
});
async function start(url: string, env: Record<string, string> = {}): Promise<ServiceProcess> {
  const child = await startProcess({ DATABASE_URL: url, ...env });
  children.push(child);
  await child.ready();
  return child;
}

/** What the world has been told, by the one who was told. */
interface Told {
  /** Session to its last acknowledged refresh token. */
  readonly heads: Map<string, string>;
  /** Access tokens whose logout was acknowledged. */
  readonly loggedOut: string[];
  acknowledged: number;
}

/** Logs in, refreshes and logs out until the process is gone; notes whatever was acknowledged. */
async function work(at: ServiceProcess, told: Told): Promise<void> {
  for (;;) {
    try {
      const { accessToken: anonymousToken } = await guest(at);
      let token: CustomerToken = only(await tryLogin(at, { email: 'buyer@demo.example', anonymousToken }));
      told.heads.set(token.sessionId, token.refreshToken);
      for (let times = 0; times < 6; times += 1) {
        token = await refresh(at, token.refreshToken, { legalEntityId: times % 2 === 0 ? 'acme' : null });
        told.heads.set(token.sessionId, token.refreshToken);
        told.acknowledged += 1;
      }
      if (Math.random() < 0.5) {
        const leaving = token.sessionId;
        // Not known to be there or gone until it is acknowledged.
        told.heads.delete(leaving);
        only(await graphql(at, 'mutation { logout { sessionsEnded } }', { bearer: token.accessToken }));
        told.loggedOut.push(token.accessToken, token.refreshToken);
      }
    } catch (error) {
      if (error instanceof TypeError || (error as Error).name === 'SyntaxError') return;
      throw error;
    }
  }
}

/** Reads the database with nobody else at it. */
async function inspect(url: string) {
  const database = await openDatabase(
    url.startsWith('file:')
      ? { kind: 'folder', path: url.slice('file:'.length) }
      : { kind: 'postgresql', url, poolSize: 2 },
    { production: false, logger: { warn: () => {} } },
  );
  try {
    const tokens = await database.system().refreshToken.findMany();
    const branches = new Map<string, number>();
    for (const { spentAt, branchId } of tokens) {
      branches.set(branchId, (branches.get(branchId) ?? 0) + (spentAt === null ? 1 : 0));
    }
    return {
      unspent: new Set(
        tokens.filter(({ spentAt }) => spentAt === null).map(({ id }) => Buffer.from(id).toString('hex')),
      ),
      all: new Set(tokens.map(({ id }) => Buffer.from(id).toString('hex'))),
      headsPerBranch: [...new Set(branches.values())],
      currentKeys: await database.system().signingKey.count({ where: { status: 'CURRENT' } }),
      tenants: await database.system().tenant.count(),
    };
  } finally {
    await database.close();
  }
}

const databases: [string, () => Promise<string>, boolean][] = [
  [
    'PGlite in a folder',
    async () => {
      const folder = join(tmpdir(), `scopeward-${randomUUID()}`);
      cpSync(inject('templateFolder'), folder, { recursive: true });
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      return `file:${folder}`;
    },
    true,
  ],
  ['PostgreSQL', () => createDatabaseIn(inject('postgresUrl')!), inject('postgresUrl') !== null],
];

for (const [name, make, isThere] of databases) {
  describe.skipIf(!isThere)(isThere ? `on ${name}` : `on ${name} (skipped: no server is installed)`, () => {
    it(
      `case 111: killed under load, loses nothing that it acknowledged, and is ready again (${ROUNDS} rounds)`,
      async () => {
        const url = await make();
        // Starting again counts towards the window, and takes its time on a busy machine.
        const window = { REFRESH_RETRY_SECONDS: '60' };
        const told: Told = { heads: new Map(), loggedOut: [], acknowledged: 0 };
        let at = await start(url);
        for (let round = 0; round < ROUNDS; round += 1) {
          const before = told.acknowledged;
          const workers = Array.from({ length: 6 }, () => work(at, told));
          // Somewhere in the middle of something, and after something.
          await expect.poll(() => told.acknowledged, { timeout: 20_000, interval: 10 }).toBeGreaterThan(before + 12);
          await delay(Math.random() * 300);
          await at.kill();
          await Promise.all(workers);

          const found = await inspect(url);
          expect([...found.headsPerBranch]).toEqual([1]);
          expect([...told.heads.values()].filter((token) => !found.all.has(digest(token)))).toEqual([]);
          expect(found.currentKeys).toBe(found.tenants);

          at = await start(url, window);
          for (const token of told.loggedOut) {
            if (token.startsWith('rt_')) expect((await tryRefresh(at, token)).code).toBe('INVALID_GRANT');
            else expect(await isGood(at, token)).toBe(false);
          }
          // Acknowledged heads go on, also those whose next refresh was cut off: within the window it is repeated.
          const sample = [...told.heads].slice(-8);
          for (const [session, token] of sample) {
            const answer = await tryRefresh(
              at,
              token,
              found.unspent.has(digest(token)) ? {} : { legalEntityId: 'acme' },
            );
            const other =
              answer.code === 'INVALID_GRANT' ? await tryRefresh(at, token, { legalEntityId: null }) : answer;
            expect(only<CustomerToken>(other).sessionId).toBe(session);
          }
          told.heads.clear();
          told.loggedOut.length = 0;
        }
      },
      120_000 + ROUNDS * 90_000,
    );

    it('cases 23 and 25: killed and stopped after a rotation, it knows the successor within the window and ends the family after it', async () => {
      const url = await make();
      const long = { REFRESH_RETRY_SECONDS: '60' };
      let at = await start(url, long);
      const { accessToken: anonymousToken } = await guest(at);
      const login: CustomerToken = only(await tryLogin(at, { email: 'buyer@demo.example', anonymousToken }));
      const { refreshToken: successor } = await refresh(at, login.refreshToken);
      await at.kill();

      at = await start(url, long);
      expect((await refresh(at, login.refreshToken)).refreshToken).toBe(successor);
      const next = await refresh(at, successor);
      at.signal('SIGTERM');
      expect(await at.exited).toEqual({ code: 0, signal: null });

      at = await start(url, { REFRESH_RETRY_SECONDS: '1' });
      expect(await isGood(at, next.accessToken)).toBe(true);
      expect((await tryRefresh(at, login.refreshToken)).code).toBe('INVALID_GRANT');
      expect((await tryRefresh(at, next.refreshToken)).code).toBe('INVALID_GRANT');
      expect(await isGood(at, next.accessToken)).toBe(false);
    }, 240_000);
  });
}
