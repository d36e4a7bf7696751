// A backup that is put back: spent refresh tokens look fresh again, and numbers that tokens carry are given anew. The
// documented step, `database restored`, makes that harmless: security.md case 126.

import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { command } from '../kit/command-line.ts';
import { givenCustomer } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { givenLink, tryReset } from '../kit/letters.ts';
import { type PostgresCluster, postgresAvailable, startPostgres } from '../kit/postgres.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import {
  claimsOf,
  employee,
  guest,
  isGood,
  PASSWORD,
  refresh,
  serviceToken,
  signIn,
  tryLogin,
  tryRefresh,
  tryRefreshEmployee,
  tryRefreshGuest,
} from '../kit/stories.ts';

const KEY_ENCRYPTION_SECRET = 'a-secret-of-the-tests-with-more-than-32-characters';

const title = 'case 126: a database restored from a backup';
describe.skipIf(!postgresAvailable)(postgresAvailable ? title : `${title} (no PostgreSQL installed)`, () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 60_000);
  afterAll(() => cluster?.stop());

  async function startOn(url: string): Promise<Service> {
    const at = await startService({ DATABASE_URL: url, KEY_ENCRYPTION_SECRET });
    onTestFinished(() => at.stop().catch(() => {}));
    return at;
  }

  it('case 126: the step ends all families and every token, numbers on past all, and people sign in again', async () => {
    const url = await cluster.createDatabase();
    let at = await startOn(url);
    const customer = await givenCustomer(at, { acme: 'BUYER' });
    const shopper = await signIn(at, customer.email);
    const worker = await employee(at);
    const visitor = await guest(at);
    const backend = await serviceToken(at);
    const reset = await givenLink(at, { kind: 'customer', id: customer.id }, 'RESET_PASSWORD');
    await at.stop();
    const backup = await cluster.createDatabase(new URL(url).pathname.slice(1));

    // Life goes on: tokens are spent, and changes push the numbers on.
    at = await startOn(url);
    const spent = await refresh(at, shopper.refreshToken, { legalEntityId: 'acme' });
    for (let count = 0; count < 5; count += 1)
      await at.app.modules.sessions.logout(ctxOf('demo'), (await signIn(at)).sessionId);
    const late = await employee(at);
    only(await tryReset(at, reset, PASSWORD));
    const highest = claimsOf(late.accessToken).rev as number;
    await at.stop();

    at = await startOn(backup);
    const db = at.app.modules.database.forTenant(ctxOf('demo'));
    expect(await at.app.modules.revocations.latest()).toBeLessThan(highest);
    expect(await db.refreshToken.count({ where: { session: { id: shopper.sessionId }, spentAt: null } })).toBe(1);
    const { code, out } = await command(at, ['database', 'restored']);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^Every token from before is refused; [1-9]\d* sessions were ended\.\n$/),
    ]);

    for (const { refreshToken } of [shopper, spent])
      expect((await tryRefresh(at, refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryReset(at, reset)).code).toBe('INVALID_GRANT');
    for (const { refreshToken } of [worker, late])
      expect((await tryRefreshEmployee(at, refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefreshGuest(at, visitor.refreshToken)).code).toBe('INVALID_GRANT');
    for (const { accessToken } of [shopper, spent, worker, late, visitor, backend])
      expect(await isGood(at, accessToken)).toBe(false);
    expect((await tryLogin(at, { email: customer.email, anonymousToken: visitor.accessToken })).code).toBe(
      'UNAUTHENTICATED',
    );

    const again = await signIn(at, customer.email);
    const admin = await employee(at);
    expect([await isGood(at, again.accessToken), await isGood(at, admin.accessToken)]).toEqual([true, true]);
    expect(claimsOf(again.accessToken).rev).toBeGreaterThan(highest);
    // Who follows the feed from where it was before hears of it.
    const entries = at.app.modules.revocations.follow(ctxOf('demo'), highest);
    onTestFinished(async () => void (await entries.return?.()));
    expect((await entries.next()).value).toMatchObject({ kind: 'TENANT', key: 'demo', reason: 'database.restored' });
    const trail = await graphql(at, '{ auditEvents(type: "database.restored") { nodes { actor } } }', {
      bearer: admin.accessToken,
    });
    expect(only<any>(trail).nodes).toEqual([{ actor: { kind: 'operator', id: '' } }]);

    // Again, it ends what has begun since, and nothing breaks.
    expect((await command(at, ['database', 'restored'])).code).toBe(0);
    expect(await isGood(at, again.accessToken)).toBe(false);
    await vi.waitUntil(async () => isGood(at, (await signIn(at, customer.email)).accessToken));
  }, 180_000);
});
