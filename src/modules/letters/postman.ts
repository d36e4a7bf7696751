// Takes due letters to the mail server. Every instance has one; a conditional update lets one of them have a letter.
// Invariants: nobody waits for the postman; a letter is tried again until it is delivered, refused for good, or a day
// old, and then the trail says so; one that was sent just before a crash may come twice, and its newer link is the good one.

import type { Database } from '../../database/database.ts';
import { type Mail, MailRefusedError } from '../../mail/mail.ts';
import { recordAudit } from '../audit/audit.ts';
import { asOperator } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { createWriting, DueLetter } from './writing.ts';

/** How many at once: a slow server takes its time for each. */
const AT_ONCE = 10;
/** Who takes a letter has it for this long; more than a send can last. Seconds. */
const LEASE_SECONDS = 60;
/** After which try how many seconds pass; from then on the last. */
const PAUSES = [10, 60, 300, 900, 3600];
const MOST_SECONDS = 24 * 3600;
/** So that an answer has left before its letter begins to cost anything. */
const AFTER_THE_ANSWER_MS = 50;

interface Taken extends DueLetter {
  readonly tries: number;
  readonly isOld: boolean;
}

/** The postman of one instance. */
export function createPostman(deps: {
  database: Database;
  logger: { warn(facts: object, message: string): void };
  mail: Mail;
  tenants: Tenants;
  write: ReturnType<typeof createWriting>;
}) {
  const { database, logger, mail, tenants, write } = deps;
  const planned = new Set<NodeJS.Timeout>();
  let running: Promise<void> | undefined;
  let isCalledAgain = false;
  let isStopping = false;

  const take = () => database.system().$queryRaw<Taken[]>`
    UPDATE letters SET tries = tries + 1, due_at = now() + make_interval(secs => ${LEASE_SECONDS})
    WHERE (tenant_id, id) IN (
      SELECT tenant_id, id FROM letters WHERE due_at <= now() ORDER BY due_at LIMIT ${AT_ONCE} FOR UPDATE SKIP LOCKED)
    RETURNING tenant_id AS "tenantId", id, kind::text, user_type::text AS "userType", customer_id AS "customerId", address,
      tries, created_at < now() - make_interval(secs => ${MOST_SECONDS}) AS "isOld"`;

  const forget = ({ tenantId, id }: Taken) => database.forTenant({ tenantId }).letter.deleteMany({ where: { id } });

  async function postpone({ tenantId, id, tries }: Taken): Promise<void> {
    const seconds = PAUSES[Math.min(tries, PAUSES.length) - 1]!;
    await database.forTenant({ tenantId }).$executeRaw`
      UPDATE letters SET due_at = now() + make_interval(secs => ${seconds}) WHERE tenant_id = ${tenantId} AND id = ${id}`;
    lookIn(seconds * 1000);
  }

  async function giveUp(letter: Taken, reason: string): Promise<void> {
    const { tenantId, id, kind, customerId } = letter;
    await database.transaction({ tenantId }, async (tx) => {
      await tx.letter.deleteMany({ where: { id } });
      await recordAudit(tx, asOperator(tenantId, 'postman'), {
        type: 'letter.undeliverable',
        outcome: 'refused',
        reason,
        ...(customerId === null ? {} : { subject: { kind: 'customer', id: customerId } as const }),
        details: { letter: kind },
      });
    });
  }

  async function bring(letter: Taken): Promise<void> {
    try {
      const tenant = tenants.find(letter.tenantId);
      const written = tenant && (await database.transaction(letter, (tx) => write(tx, tenant, letter)));
      if (written) await mail.send(written);
      await forget(letter);
    } catch (error) {
      logger.warn({ err: error, letter: letter.kind, tries: letter.tries }, 'A letter could not be sent.');
      if (error instanceof MailRefusedError) await giveUp(letter, 'refused by the mail server');
      else if (letter.isOld) await giveUp(letter, 'not delivered within a day');
      else await postpone(letter);
    }
  }

  async function round(): Promise<void> {
    do {
      isCalledAgain = false;
      for (let taken = await take(); taken.length > 0; taken = await take()) {
        await Promise.all(taken.map(bring));
        if (isStopping) return;
      }
    } while (isCalledAgain && !isStopping);
  }

  /** Takes everything that is due, now. Who calls during a round waits for it and for what has come since. */
  function deliver(): Promise<void> {
    if (isStopping) return Promise.resolve();
    isCalledAgain = true;
    running ??= round()
      .catch((error: unknown) => logger.warn({ err: error }, 'The postman stopped; he looks again within a minute.'))
      .finally(() => {
        running = undefined;
      });
    return running;
  }

  function lookIn(ms: number): void {
    const timer = setTimeout(() => {
      planned.delete(timer);
      void deliver();
    }, ms);
    planned.add(timer.unref());
  }

  return {
    /** Maintenance calls it every minute, for what another instance has left behind. */
    deliver,
    /** Soon, and without anybody waiting. */
    wake: (): void => lookIn(AFTER_THE_ANSWER_MS),
    /** Waits for the letters under way. */
    async stop(): Promise<void> {
      isStopping = true;
      for (const timer of planned) clearTimeout(timer);
      await running;
    },
  };
}

/** See `createPostman`. */
export type Postman = ReturnType<typeof createPostman>;
