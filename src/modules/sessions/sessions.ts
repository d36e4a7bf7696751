// Sessions: the visits of customers and employees. A guest's visit has no row until a login claims it, and the
// table's key makes sure that one is claimed once at most.
// Invariant: whoever ends a session revokes its tokens in the same transaction.

import { randomBytes, randomUUID } from 'node:crypto';
import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { keyset, momentOf, type PageWindow } from '../../database/keyset.ts';
import { notFound, unauthenticated } from '../../errors/domain-error.ts';
import { type AuditRecord, auditRow, recordAudit } from '../audit/audit.ts';
import type { GuestContext } from '../principals/principal.ts';
import { principalKey, sessionKey } from '../revocations/revocation-key.ts';
import type { Revocations } from '../revocations/revocations.ts';

/** A visit as it is stored. */
export type Session = Awaited<ReturnType<TenantClient['session']['findFirstOrThrow']>>;

/** Whose session it is. */
export type SessionOwner =
  | { readonly kind: 'customer'; readonly id: string }
  | { readonly kind: 'employee'; readonly id: string };

/** What a new session is made of. Seconds are counted by the database's clock. */
export interface NewSession {
  readonly id: string;
  readonly owner: SessionOwner;
  readonly clientId: string | null;
  readonly legalEntityId: string | null;
  readonly context: GuestContext | null;
  /** The employee who acts for the customer. */
  readonly actorId?: string;
  /** Until it ends unless a refresh extends it. */
  readonly idleSeconds: number;
  /** Until it ends whatever happens. */
  readonly mostSeconds: number;
  /** The id of its first refresh token; absent: it cannot be refreshed. */
  readonly refreshTokenId?: Uint8Array;
  /** What the trail is told. */
  readonly event: AuditRecord;
}

/** Which sessions to list. */
export interface SessionFilter {
  readonly customerId?: string;
  readonly employeeId?: string;
}

const open = (filter: SessionFilter) => ({ ...filter, endedAt: null, expiresAt: { gt: new Date() } });

/** 128 random bits. */
export const newSessionId = (): string => randomBytes(16).toString('base64url');

const ownedBy = (owner: SessionOwner) =>
  owner.kind === 'customer' ? { customerId: owner.id } : { employeeId: owner.id };

/** Use cases of sessions. */
export function createSessions(deps: { database: Database; revocations: Revocations }) {
  const { database, revocations } = deps;

  /** Ends what is still open among `where`. @returns the ids of the sessions that this call ended */
  async function close(
    tx: TenantClient,
    where: { id?: string | { not: string }; customerId?: string; employeeId?: string },
    reason: string,
  ) {
    const closed = await tx.session.updateManyAndReturn({
      where: { ...where, endedAt: null },
      data: { endedAt: new Date(), endReason: reason },
      select: { id: true },
    });
    return closed.map(({ id }) => id);
  }

  return {
    /** Makes the row, with the context of the visit: as the guest changed it last, or as it was begun; and with it the
     * first refresh token and the line of the trail. @throws UNAUTHENTICATED when the session has been claimed before */
    async begin(tx: TenantClient, ctx: Ctx, session: NewSession): Promise<void> {
      const { owner, context, refreshTokenId = null } = session;
      const begun = await tx.$queryRaw<unknown[]>`
        WITH changed AS (
          DELETE FROM guest_contexts WHERE tenant_id = ${ctx.tenantId} AND id = ${session.id} RETURNING *
        ), begun AS (
          INSERT INTO sessions (tenant_id, id, kind, customer_id, employee_id, client_id, legal_entity_id, expires_at, ends_at,
            user_agent, ip_address, actor_id, site_code, currency, language, target_location, cart_id, attributes, context_version)
          SELECT ${ctx.tenantId}, ${session.id}, ${owner.kind === 'customer' ? 'CUSTOMER' : 'EMPLOYEE'}::"UserType",
            ${owner.kind === 'customer' ? owner.id : null}, ${owner.kind === 'employee' ? owner.id : null},
            ${session.clientId}, ${session.legalEntityId},
            now() + make_interval(secs => ${session.idleSeconds}), now() + make_interval(secs => ${session.mostSeconds}),
            ${ctx.userAgent}, ${ctx.ipAddress}, ${session.actorId ?? null},
            nullif(coalesce(changed.site_code, ${context?.siteCode ?? null}), ''),
            nullif(coalesce(changed.currency, ${context?.currency ?? null}), ''),
            nullif(coalesce(changed.language, ${context?.language ?? null}), ''),
            nullif(coalesce(changed.target_location, ${context?.targetLocation ?? null}), ''),
            nullif(changed.cart_id, ''), coalesce(changed.attributes, '{}'::jsonb), greatest(changed.context_version, 1)
          FROM (SELECT 1) AS visit LEFT JOIN changed ON true
          ON CONFLICT DO NOTHING
          RETURNING tenant_id, id, legal_entity_id, expires_at
        ), refreshable AS (
          INSERT INTO refresh_tokens (tenant_id, id, session_id, branch_id, legal_entity_id, expires_at)
          SELECT tenant_id, ${refreshTokenId}::bytea, id, ${randomUUID()}, legal_entity_id, expires_at
          FROM begun WHERE ${refreshTokenId !== null}
        ), told AS (
          INSERT INTO audit_events
          SELECT event.* FROM begun, jsonb_populate_record(NULL::audit_events, ${JSON.stringify(auditRow(ctx, session.event))}::jsonb
            || jsonb_build_object('at', now())) event
        )
        SELECT id FROM begun`;
      if (begun.length === 0) throw unauthenticated('the session has been claimed before');
    },

    /** Has a login claimed this guest's session? */
    async isClaimed(ctx: { tenantId: string }, id: string): Promise<boolean> {
      const found = await database.forTenant(ctx).$queryRaw<unknown[]>`
        SELECT 1 FROM sessions WHERE tenant_id = ${ctx.tenantId} AND id = ${id}`;
      return found.length > 0;
    },

    /** One session, open or not. @throws NOT_FOUND */
    async get(ctx: { tenantId: string }, id: string): Promise<Session> {
      const session = await database
        .forTenant(ctx)
        .session.findUnique({ where: { tenantId_id: { tenantId: ctx.tenantId, id } } });
      if (!session) throw notFound('Session');
      return session;
    },

    /** The open sessions of one owner, newest first. */
    openOf: (ctx: { tenantId: string }, owner: SessionOwner): Promise<Session[]> =>
      database.forTenant(ctx).session.findMany({
        where: { ...ownedBy(owner), endedAt: null, expiresAt: { gt: new Date() } },
        orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
        take: 200,
      }),

    /** Ends one session in the caller's transaction. @returns whether it was open */
    async end(tx: TenantClient, ctx: Ctx, id: string, reason: string): Promise<boolean> {
      const closed = await close(tx, { id }, reason);
      if (closed.length === 0) return false;
      await recordAudit(tx, ctx, { type: 'session.ended', reason, subject: { kind: 'session', id } });
      await revocations.record(tx, ctx, [sessionKey(id)], reason);
      return true;
    },

    /** Ends every session of an owner but `keep`, in the caller's transaction. Without `keep` every token of the
     * owner is refused, those without a session too. @returns how many were open */
    async endAll(tx: TenantClient, ctx: Ctx, owner: SessionOwner, reason: string, keep?: string): Promise<number> {
      const closed = await close(
        tx,
        { ...ownedBy(owner), ...(keep === undefined ? {} : { id: { not: keep } }) },
        reason,
      );
      for (const id of closed) {
        await recordAudit(tx, ctx, { type: 'session.ended', reason, subject: { kind: 'session', id } });
      }
      const keys = keep === undefined ? [principalKey(owner.kind, owner.id)] : closed.map(sessionKey);
      if (keys.length > 0) await revocations.record(tx, ctx, keys, reason);
      return closed.length;
    },

    /** Ends the caller's session. @returns 1, or 0 when it had ended already */
    async logout(ctx: Ctx, id: string): Promise<number> {
      const wasOpen = await database.transaction(ctx, (tx) => this.end(tx, ctx, id, 'logout'));
      await revocations.felt();
      return wasOpen ? 1 : 0;
    },

    /** Ends every session of the owner, on every device. @returns how many were open */
    async logoutEverywhere(ctx: Ctx, owner: SessionOwner): Promise<number> {
      const ended = await database.transaction(ctx, (tx) => this.endAll(tx, ctx, owner, 'logout.everywhere'));
      await revocations.felt();
      return ended;
    },

    /** A page of the tenant's open sessions, newest first. @throws BAD_USER_INPUT for a cursor of another list */
    async page(ctx: Ctx, filter: SessionFilter, window: PageWindow): Promise<Session[]> {
      const { where, ...page } = keyset(window, ['createdAt', 'id'], 'desc', ([at, id], name) => [
        momentOf(at!, name),
        id!,
      ]);
      return database.forTenant(ctx).session.findMany({ where: { ...open(filter), ...where }, ...page });
    },

    /** How many there are of them. */
    count: (ctx: Ctx, filter: SessionFilter): Promise<number> =>
      database.forTenant(ctx).session.count({ where: open(filter) }),

    /** Deletes a batch of what guests changed during visits that are over. @returns how many */
    pruneGuests: async (): Promise<number> =>
      database.system().$executeRaw`
        DELETE FROM guest_contexts WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM guest_contexts WHERE expires_at < now()
          ORDER BY expires_at LIMIT 5000 FOR UPDATE SKIP LOCKED))`,

    /** Deletes a batch of sessions that ended or expired a day ago, with their refresh tokens. @returns how many */
    async prune(): Promise<number> {
      return database.system().$executeRaw`
        DELETE FROM sessions WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM sessions WHERE expires_at < now() - interval '1 day'
          ORDER BY expires_at LIMIT 5000 FOR UPDATE SKIP LOCKED))`;
    },

    /** Ends a session by its id. @param owner null: anybody's. @throws NOT_FOUND also for another's */
    async revoke(ctx: Ctx, id: string, owner: SessionOwner | null): Promise<void> {
      await database.transaction(ctx, async (tx) => {
        const session = await tx.session.findFirst({
          where: { id, ...(owner ? ownedBy(owner) : {}) },
          select: { id: true },
        });
        if (!session) throw notFound('Session');
        await this.end(tx, ctx, id, 'session.revoked');
      });
      await revocations.felt();
    },
  };
}

/** See `createSessions`. */
export type Sessions = ReturnType<typeof createSessions>;
