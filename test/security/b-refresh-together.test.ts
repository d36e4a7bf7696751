// Section B, customers who refresh at the same moment: their tokens are spent in one statement, and yet each is answered
// as if it had been alone, and nobody waits for what happens to somebody else's session.

import pg from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { givenCompany, givenCustomer } from '../kit/given.ts';
import { type Answer, only } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { type Service, startService } from '../kit/service.ts';
import { type CustomerToken, claimsOf, tryRefresh } from '../kit/stories.ts';
import { beginFamily, eventsOf, familyRows, letPass, onBoth } from './b-refresh-families.ts';

const tokenOf = (answer: Answer) => only<CustomerToken>(answer);
const family = async (at: Service) => {
  const { id } = await givenCustomer(at);
  return { id, ...(await beginFamily(at, id)) };
};

onBoth('refreshes of one moment', (instances) => {
  it('each is answered by its own: good ones, and every way to be refused', async () => {
    const { a } = instances();
    const one = () => family(a);
    const [good, other, disabled, ended] = await Promise.all([one(), one(), one(), one()]);
    const [old, stranger, branching, twice] = await Promise.all([one(), one(), one(), one()]);
    const db = a.app.modules.database.system();
    await db.customer.updateMany({ where: { id: disabled.id }, data: { enabled: false } });
    await db.session.updateMany({ where: { id: ended.sessionId }, data: { endedAt: new Date() } });
    await tryRefresh(a, old.refreshToken);
    await letPass(a, old.sessionId, 3600);
    const company = (await givenCompany(a)).id;

    const answers = await Promise.all([
      tryRefresh(a, good.refreshToken),
      tryRefresh(a, other.refreshToken),
      tryRefresh(a, disabled.refreshToken),
      tryRefresh(a, ended.refreshToken),
      tryRefresh(a, old.refreshToken),
      tryRefresh(a, stranger.refreshToken, { legalEntityId: company }),
      tryRefresh(a, branching.refreshToken, { branch: true }),
      tryRefresh(a, twice.refreshToken),
      tryRefresh(a, twice.refreshToken),
      tryRefresh(a, `rt_${'x'.repeat(43)}`),
    ]);
    const refused = 'INVALID_GRANT';
    expect(answers.map(({ code }) => code)).toEqual([
      undefined,
      undefined,
      refused,
      refused,
      refused,
      'ACCESS_DENIED',
      undefined,
      undefined,
      undefined,
      refused,
    ]);
    for (const [{ id, sessionId }, answer] of [
      [good, answers[0]],
      [other, answers[1]],
      [branching, answers[6]],
    ] as const) {
      const { accessToken, refreshToken } = tokenOf(answer!);
      expect(claimsOf(accessToken)).toMatchObject({ sub: id, session_id: sessionId });
      expect((await familyRows(a, sessionId)).isHead(refreshToken)).toBe(true);
    }
    expect(tokenOf(answers[7]!).refreshToken).toBe(tokenOf(answers[8]!).refreshToken);
    expect(await familyRows(a, branching.sessionId)).toMatchObject({ rows: 3, unspent: 2 });
    // Who is refused for the company has spent nothing; who brings a spent token back has ended the session.
    expect(await familyRows(a, stranger.sessionId)).toMatchObject({ rows: 1, unspent: 1, endedAt: null });
    expect((await familyRows(a, old.sessionId)).endedAt).not.toBeNull();
    expect(await eventsOf(a, branching.sessionId, 'token.branched')).toBe(1);
    expect(await eventsOf(a, good.sessionId, 'token.branched')).toBe(0);
  });

  it('two branches of one session, at the same moment', async () => {
    const { a } = instances();
    const { refreshToken, sessionId } = await family(a);
    const branched = tokenOf(await tryRefresh(a, refreshToken, { branch: true }));
    const both = [branched.refreshToken, branched.branchedFrom!.refreshToken];
    const heads = (await Promise.all(both.map((token) => tryRefresh(a, token)))).map(tokenOf);
    expect(new Set(heads.map((head) => head.refreshToken)).size).toBe(2);
    const rows = await familyRows(a, sessionId);
    expect(rows).toMatchObject({ rows: 5, unspent: 2, endedAt: null });
    expect(heads.map((head) => rows.isHead(head.refreshToken))).toEqual([true, true]);
  });
});

const cluster = inject('postgresUrl');

describe.skipIf(!cluster)(cluster ? 'with PostgreSQL' : 'with PostgreSQL (skipped: no server is installed)', () => {
  it('many at once take fewer statements than they are, and a session that somebody else holds is waited for by its own token alone', async () => {
    const url = await createDatabaseIn(cluster!);
    const at = await startService({ DATABASE_URL: url });
    const holder = new pg.Client(url);
    try {
      await holder.connect();
      const all = await Promise.all(Array.from({ length: 41 }, () => family(at)));
      at.statements.length = 0;
      const first = (await Promise.all(all.map(({ refreshToken }) => tryRefresh(at, refreshToken)))).map(tokenOf);
      const spending = at.statements.filter((sql) => sql.includes('UPDATE refresh_tokens'));
      expect(spending.length).toBeGreaterThan(0);
      expect(spending.length).toBeLessThan(all.length);

      await holder.query('BEGIN');
      await holder.query('SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE', [all[0]!.sessionId]);
      const began = performance.now();
      let isAnswered = false;
      const [held, ...free] = first.map(({ refreshToken }) => tryRefresh(at, refreshToken));
      void held!.then(() => {
        isAnswered = true;
      });
      const others = await Promise.all(free);
      expect(others.map(({ code }) => code)).toEqual(Array(40).fill(undefined));
      // Nobody gives a lock more than a second.
      expect(performance.now() - began).toBeLessThan(900);
      expect(isAnswered).toBe(false);
      await holder.query('COMMIT');
      expect((await held!).code).toBeUndefined();
      expect(await familyRows(at, all[0]!.sessionId)).toMatchObject({ rows: 3, unspent: 1 });
    } finally {
      await holder.end();
      await at.stop();
    }
  });
});
