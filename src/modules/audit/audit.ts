// The audit trail: who, for whom, what, from where. Append only; a trigger refuses to alter a row.
// Invariant: an event is written in the transaction of the change that it tells of.

import type { Ctx } from '../../context.ts';
import type { TenantClient } from '../../database/database.ts';
import type { AuditEventType } from './events.ts';

/** Whom an event is about. */
export interface AuditSubject {
  readonly kind:
    | 'client'
    | 'customer'
    | 'employee'
    | 'group'
    | 'legal_entity'
    | 'scope'
    | 'session'
    | 'signing_key'
    | 'token';
  readonly id: string;
}

/** One thing that happened. */
export interface AuditRecord {
  readonly type: AuditEventType;
  readonly outcome?: 'success' | 'refused';
  /** Why it was refused or ended. Private to those who may read the trail. */
  readonly reason?: string;
  readonly subject?: AuditSubject;
  /** Who did it, where the bearer does not say (a login). */
  readonly actor?: { readonly kind: string; readonly id: string };
  readonly legalEntityId?: string | null;
  readonly details?: Record<string, string | number | boolean | null | readonly string[]>;
}

function actorOf(ctx: Ctx): { kind: string; id: string; onBehalfOf?: string } {
  const { principal } = ctx;
  switch (principal?.kind) {
    case undefined:
      return { kind: 'nobody', id: '' };
    case 'service':
      return { kind: 'client', id: principal.clientId };
    case 'anonymous':
      return { kind: 'anonymous', id: principal.sessionId };
    case 'employee':
      return { kind: 'employee', id: principal.employeeId };
    case 'customer':
      return principal.actorId
        ? { kind: 'employee', id: principal.actorId, onBehalfOf: principal.customerId }
        : { kind: 'customer', id: principal.customerId };
  }
}

/** Writes one event, in the caller's transaction. */
export async function recordAudit(tx: TenantClient, ctx: Ctx, event: AuditRecord): Promise<void> {
  const actor = event.actor ?? actorOf(ctx);
  await tx.auditEvent.create({
    data: {
      tenantId: ctx.tenantId,
      type: event.type,
      outcome: event.outcome ?? 'success',
      reason: event.reason ?? null,
      actor: { ...actor },
      actorId: actor.id || null,
      ...(event.subject ? { subject: { ...event.subject } } : {}),
      subjectId: event.subject?.id ?? null,
      legalEntityId: event.legalEntityId ?? null,
      requestId: ctx.requestId,
      ipAddress: ctx.ipAddress,
      details: (event.details ?? {}) as object,
    },
  });
}
