// Periodic work: letters left behind, forgetting what can no longer matter, and the rotation of keys. Every instance may run it; a lease in
// the database lets one of them do so at a time, and each step is small and can be repeated.

import type { Database } from './database/database.ts';
import type { AuditEvents } from './modules/audit/audit-events.ts';
import type { SigningKeys } from './modules/keys/signing-keys.ts';
import type { LetterTokens } from './modules/letters/letter-tokens.ts';
import type { Postman } from './modules/letters/postman.ts';
import type { Attempts } from './modules/limits/attempts.ts';
import type { Revocations } from './modules/revocations/revocations.ts';
import type { RefreshTokens } from './modules/sessions/refresh-tokens.ts';
import type { Sessions } from './modules/sessions/sessions.ts';
import type { Authorizations } from './modules/sso/authorizations.ts';
import { asOperator } from './modules/tenants/in-tenant.ts';
import type { Tenants } from './modules/tenants/tenants.ts';

const EVERY_SECONDS = 60;
/** What a step takes at once, in the order of an index and by the place where a row lies (`ctid`): without order, or looked up
 * by thousands of keys, PostgreSQL would rather read the whole table. A row that is changed meanwhile moves, and is left
 * for the next time. */
const BATCH = 5000;

/** The periodic work of one instance. */
export function createMaintenance(deps: {
  attempts: Attempts;
  auditEvents: AuditEvents;
  authorizations: Authorizations;
  database: Database;
  letterTokens: LetterTokens;
  logger: { warn(facts: object, message: string): void };
  postman: Pick<Postman, 'deliver'>;
  refreshTokens: RefreshTokens;
  revocations: Revocations;
  sessions: Sessions;
  signingKeys: SigningKeys;
  tenants: Tenants;
}) {
  const { attempts, auditEvents, authorizations, database, letterTokens, logger, postman, refreshTokens } = deps;
  const { revocations, sessions, signingKeys, tenants } = deps;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  /** One instance wins each minute: a conditional update decides. */
  async function winsLease(): Promise<boolean> {
    const won = await database.system().$executeRaw`
      INSERT INTO counters AS c (name, value) VALUES ('maintenance', extract(epoch FROM now())::bigint)
      ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE c.value <= excluded.value - ${EVERY_SECONDS}`;
    return won > 0;
  }

  async function run(): Promise<void> {
    if (!(await winsLease())) return;
    // Not waited for: a mail server may be slow for as long as it likes.
    void postman.deliver();
    const { forgetSuccessors } = refreshTokens;
    const { prune } = letterTokens;
    for (const step of [
      forgetSuccessors,
      sessions.prune,
      sessions.pruneGuests,
      revocations.prune,
      attempts.prune,
      prune,
      auditEvents.prune,
      authorizations.prune,
    ]) {
      while ((await step()) >= BATCH);
    }
    for (const { id } of tenants.all()) {
      const ctx = asOperator(id, 'maintenance');
      if (await signingKeys.isRotationDue(ctx)) await signingKeys.rotate(ctx);
    }
  }

  return {
    /** Once now: for tests and operators. */
    run,
    /** Begins to run every minute. */
    start(): void {
      timer = setInterval(() => {
        running ??= run()
          .catch((error: unknown) => logger.warn({ err: error }, 'Maintenance failed; it is tried again.'))
          .finally(() => {
            running = undefined;
          });
      }, EVERY_SECONDS * 1000);
      timer.unref();
    },
    /** Waits for the run under way. */
    async stop(): Promise<void> {
      clearInterval(timer);
      await running;
    },
  };
}
