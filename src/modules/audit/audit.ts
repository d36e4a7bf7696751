// The audit trail: who, for whom, what, from where. Append only; a trigger refuses to alter a row.
// Invariant: an event is written in the transaction of the change that it tells of.

import { randomBytes } from 'node:crypto';
import type { Ctx } from '../../context.ts';
import type { TenantClient } from '../../database/database.ts';
import type { AuditEventType } from './events.ts';

/** Whom an event is about. */
export interface AuditSubject {
  readonly kind:
    | 'access_control'
    | 'access_control_template'
    | 'client'
    | 'customer'
    | 'employee'
    | 'group'
    | 'identity_provider'
    | 'legal_entity'
    | 'location'
    | 'role'
    | 'scope'
    | 'session'
    | 'signing_key'
    | 'tenant'
    | 'token';
  readonly id: string;
}

/** What else there is to say, as JSON. */
export interface AuditDetails {
  readonly [name: string]: string | number | boolean | null | readonly string[] | AuditDetails;
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
  /** Of a change: `before` and `after`, of what it touched. Never a secret. */
  readonly details?: AuditDetails;
}

function actorOf(ctx: Ctx): { kind: string; id: string; onBehalfOf?: string } {
  const { principal } = ctx;
  switch (principal?.kind) {
    case undefined:
      return { kind: ctx.credential === 'operator' ? 'operator' : 'nobody', id: '' };
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

function rowOf(ctx: Ctx, event: AuditRecord) {
  const actor = event.actor ?? actorOf(ctx);
  return {
    tenantId: ctx.tenantId,
    type: event.type,
    outcome: event.outcome ?? 'success',
    reason: event.reason ?? null,
    actor: { ...actor },
    actorId: actor.id || null,
    subject: event.subject ? { ...event.subject } : null,
    subjectId: event.subject?.id ?? null,
    legalEntityId: event.legalEntityId ?? null,
    requestId: ctx.requestId,
    ipAddress: ctx.ipAddress,
    details: (event.details ?? {}) as object,
  };
}

/** Writes one event, in the caller's transaction. */
export async function recordAudit(tx: TenantClient, ctx: Ctx, event: AuditRecord): Promise<void> {
  const { subject, ...row } = rowOf(ctx, event);
  await tx.auditEvent.create({ data: { ...row, ...(subject && { subject }) } });
}

/** One event as JSON has it, for a statement that writes it together with the change that it tells of: by the names of the
 * columns, but for the moment, which is the database's. */
export function auditRow(ctx: Ctx, event: AuditRecord): object {
  const row = rowOf(ctx, event);
  return {
    tenant_id: row.tenantId,
    id: uuidv7(),
    type: row.type,
    outcome: row.outcome,
    reason: row.reason,
    actor: row.actor,
    actor_id: row.actorId,
    subject: row.subject,
    subject_id: row.subjectId,
    legal_entity_id: row.legalEntityId,
    request_id: row.requestId,
    ip_address: row.ipAddress,
    details: row.details,
  };
}

/** An id that grows with time (RFC 9562 s.5.7), as the other rows of the trail have it. */
function uuidv7(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
