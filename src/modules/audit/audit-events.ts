// Reading the audit trail, newest first, and forgetting what is older than its retention.
// Invariant: nobody deletes an event but retention, and a tenant that is deleted as a whole.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { keyset, type List, momentOf } from '../../database/keyset.ts';
import { badInput } from '../../errors/domain-error.ts';
import { auditEventTypes } from './events.ts';

/** An event as it is stored. */
export type AuditEvent = Awaited<ReturnType<TenantClient['auditEvent']['findFirstOrThrow']>>;

/** Which events to list. */
export interface AuditEventFilter {
  readonly type?: string | null | undefined;
  readonly actorId?: string | null | undefined;
  readonly subjectId?: string | null | undefined;
  /** The first moment that counts. */
  readonly from?: Date | null | undefined;
  /** The first moment that counts no more. */
  readonly to?: Date | null | undefined;
}

/** The years of a DateTime that PostgreSQL has no name for; nothing is recorded outside. */
const [FIRST, LAST] = [Date.UTC(1970), Date.UTC(9999)];
const within = (moment: Date) => new Date(Math.min(Math.max(moment.getTime(), FIRST), LAST));

/** @throws BAD_USER_INPUT for a type that is not on the list, and for a time that ends before it begins */
function conditions({ type, actorId, subjectId, from, to }: AuditEventFilter) {
  if (type != null && !auditEventTypes.some((known) => known === type)) {
    throw badInput('type', `Not a type of audit event. There are: ${auditEventTypes.join(', ')}.`);
  }
  if (from != null && to != null && from > to) throw badInput('from', '`from` is after `to`.');
  return {
    ...(type == null ? {} : { type }),
    ...(actorId == null ? {} : { actorId }),
    ...(subjectId == null ? {} : { subjectId }),
    at: { ...(from == null ? {} : { gte: within(from) }), ...(to == null ? {} : { lt: within(to) }) },
  };
}

/** Where an event stands in the list: for its cursor. */
export const auditEventKey = ({ at, id }: AuditEvent): string[] => [at.toISOString(), id];

/** Use cases of those who read the audit trail, and of maintenance. */
export function createAuditEvents(deps: { database: Database; retentionDays: number }) {
  const { database, retentionDays } = deps;

  return {
    /** The tenant's events, newest first. @throws BAD_USER_INPUT for a filter that makes no sense; the page, for a
     * cursor of another list */
    list(ctx: Ctx, filter: AuditEventFilter): List<AuditEvent> {
      const { auditEvent } = database.forTenant(ctx);
      const filtered = conditions(filter);
      return {
        async page(window) {
          const { where, ...page } = keyset(window, ['at', 'id'], 'desc', ([at, id], name) => [
            momentOf(at!, name),
            id!,
          ]);
          return auditEvent.findMany({ where: { ...filtered, ...where }, ...page });
        },
        count: () => auditEvent.count({ where: filtered }),
      };
    },

    /** Deletes a batch of what is older than the retention, by the database's clock. @returns how many */
    async prune(): Promise<number> {
      // Tenant by tenant, as the index of the list goes. One by time alone would serve this better, and tempt the
      // planner to read a quiet tenant's page from among everybody's events. Rows are never updated: a ctid holds still.
      return database.system().$executeRaw`
        DELETE FROM audit_events WHERE ctid = ANY (ARRAY(
          SELECT old.ctid FROM tenants t CROSS JOIN LATERAL (
            SELECT e.ctid FROM audit_events e
            WHERE e.tenant_id = t.id AND e.at < now() - make_interval(days => ${retentionDays})
            ORDER BY e.at LIMIT 5000 FOR UPDATE SKIP LOCKED
          ) old LIMIT 5000))`;
    },
  };
}

/** See `createAuditEvents`. */
export type AuditEvents = ReturnType<typeof createAuditEvents>;
