// Refresh families for the tests of section B: begun without a password hash, aged in the database instead of waited
// for, and counted in the database instead of believed.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { newSessionId } from '../../src/modules/sessions/sessions.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { ctxOf, type Service, startService, theService } from '../kit/service.ts';

const digest = (token: string) => new Uint8Array(createHash('sha256').update(token).digest());
const DAY = 86_400;

/** A session of the customer with its first refresh token, as a login makes it. */
export async function beginFamily({ app }: Service, customerId: string, clientId = 'demo-storefront') {
  const ctx = ctxOf('demo');
  const { database, refreshTokens, sessions } = app.modules;
  const sessionId = newSessionId();
  const refreshToken = refreshTokens.first();
  await database.transaction(ctx, (tx) =>
    sessions.begin(tx, ctx, {
      id: sessionId,
      owner: { kind: 'customer', id: customerId },
      clientId,
      legalEntityId: null,
      context: null,
      idleSeconds: 30 * DAY,
      mostSeconds: 180 * DAY,
      refreshTokenId: refreshToken.id,
      event: { type: 'login.succeeded' },
    }),
  );
  return { sessionId, refreshToken: refreshToken.token };
}

/** Lets seconds pass for a session: everything the database knows of it becomes older. */
export async function letPass({ app }: Service, sessionId: string, seconds: number): Promise<void> {
  const db = app.modules.database.system();
  await db.$executeRaw`
    UPDATE sessions SET created_at = created_at - make_interval(secs => ${seconds}),
      last_seen_at = last_seen_at - make_interval(secs => ${seconds}),
      expires_at = expires_at - make_interval(secs => ${seconds}), ends_at = ends_at - make_interval(secs => ${seconds})
    WHERE id = ${sessionId}`;
  await db.$executeRaw`
    UPDATE refresh_tokens SET created_at = created_at - make_interval(secs => ${seconds}),
      expires_at = expires_at - make_interval(secs => ${seconds}),
      spent_at = spent_at - make_interval(secs => ${seconds})
    WHERE session_id = ${sessionId}`;
}

/** What the database holds of a family. */
export async function familyRows({ app }: Service, sessionId: string) {
  const db = app.modules.database.system();
  const rows = await db.refreshToken.findMany({ where: { sessionId } });
  const { endedAt, endReason } = await db.session.findFirstOrThrow({ where: { id: sessionId } });
  const unspent = rows.filter(({ spentAt }) => spentAt === null);
  return {
    rows: rows.length,
    spent: rows.length - unspent.length,
    unspent: unspent.length,
    endedAt,
    endReason,
    isHead: (token: string) => unspent.some(({ id }) => Buffer.from(id).equals(digest(token))),
  };
}

/** How many audit events of that type a session has. */
export const eventsOf = ({ app }: Service, sessionId: string, type: string): Promise<number> =>
  app.modules.database.system().auditEvent.count({ where: { subjectId: sessionId, type } });

/** Two instances on one PostgreSQL database; `deaf` is a third that no news of the others reaches. */
export interface Instances {
  readonly a: Service;
  readonly b: Service;
  readonly deaf: Service;
}

/** Runs a suite on instances that share a PostgreSQL database; skipped, and said so, where no server is installed. */
export function onInstances(title: string, suite: (instances: () => Instances) => void): void {
  const url = inject('postgresUrl');
  describe.skipIf(!url)(url ? title : `${title} (skipped: no PostgreSQL server is installed)`, () => {
    let instances: Instances | undefined;
    beforeAll(async () => {
      const env = { DATABASE_URL: await createDatabaseIn(url!), DATABASE_POOL_SIZE: '10' };
      const a = await startService(env);
      const b = await startService({ ...env, SEED_DEMO: 'false' });
      const deaf = await startService({ ...env, SEED_DEMO: 'false' });
      instances = { a, b, deaf };
    }, 60_000);
    afterAll(async () => {
      if (instances) await Promise.all([instances.a.stop(), instances.b.stop(), instances.deaf.stop()]);
    });
    suite(() => {
      if (!instances) throw new Error('The instances have not been started.');
      return instances;
    });
  });
}

/** Runs a suite on the embedded database, where both instances are one, and on two instances with PostgreSQL. */
export function onBoth(
  title: string,
  suite: (instances: () => Pick<Instances, 'a' | 'b'>, isEmbedded: boolean) => void,
): void {
  describe(`${title}, on PGlite`, () => {
    let service: Service | undefined;
    beforeAll(async () => {
      service = await theService();
    });
    suite(() => ({ a: service!, b: service! }), true);
  });
  onInstances(`${title}, on two instances with PostgreSQL`, (instances) => suite(instances, false));
}
