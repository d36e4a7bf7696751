// Where the context of a visit is kept: with the session of a customer, or by itself while the visit is a guest's.
// Invariant: what has ended has none; a guest's goes over to the session when a login claims the visit.

import type { Ctx } from '../../context.ts';
import type { TenantClient } from '../../database/database.ts';
import type { GuestContext } from '../principals/principal.ts';

/** A context as it is stored. */
export interface ContextRow extends GuestContext {
  readonly id: string;
  readonly cartId: string | null;
  readonly attributes: unknown;
  readonly contextVersion: number;
  readonly createdAt: Date;
  /** Null: a guest's. */
  readonly customerId: string | null;
  readonly customer?: { readonly customerNumber: string } | null;
}

/** What is written of a context; each writing raises the version. */
export type ContextValues = Partial<GuestContext> & { readonly cartId?: string | null; readonly attributes: object };

/** One of the two. */
export interface ContextPlace {
  find(db: TenantClient, sessionId: string): Promise<ContextRow | null>;
  /** As `find`; whoever else holds it waits until this transaction is over. */
  hold(tx: TenantClient, ctx: Ctx, sessionId: string): Promise<ContextRow | null>;
  write(tx: TenantClient, ctx: Ctx, sessionId: string, values: ContextValues): Promise<ContextRow>;
}

const byId = ({ tenantId }: Ctx, id: string) => ({ tenantId_id: { tenantId, id } });
const raised = (values: ContextValues) => ({ ...values, contextVersion: { increment: 1 } });

/** The open sessions of customers. */
export const inSession: ContextPlace = {
  find: (db, id) =>
    db.session.findFirst({
      where: { id, kind: 'CUSTOMER', endedAt: null, expiresAt: { gt: new Date() } },
      include: { customer: { select: { customerNumber: true } } },
    }),
  async hold(tx, ctx, id) {
    await tx.$queryRaw`SELECT id FROM sessions WHERE tenant_id = ${ctx.tenantId} AND id = ${id} FOR NO KEY UPDATE`;
    return this.find(tx, id);
  },
  write: (tx, ctx, id, values) => tx.session.update({ where: byId(ctx, id), data: raised(values) }),
};

/** Of guests it is written down when it is changed. */
interface GuestPlace extends ContextPlace {
  /** Writes the context down as it was begun, unless it is there: version 0. */
  begin(tx: TenantClient, ctx: Ctx, id: string, expiresAt: Date): Promise<void>;
}

/** A guest's visit that was begun with this context; null: nobody here knows what stands in the token. A column that is
 * null is as in the token, and an empty one has been emptied: so a back end may write before the guest does. */
export const guestPlace = (begunWith: GuestContext | null): GuestPlace => {
  const read = (row: Awaited<ReturnType<TenantClient['guestContext']['findFirstOrThrow']>>): ContextRow => {
    const field = (name: keyof GuestContext) => (row[name] ?? begunWith?.[name]) || null;
    const context = {
      siteCode: field('siteCode'),
      currency: field('currency'),
      language: field('language'),
      targetLocation: field('targetLocation'),
    };
    return { ...row, ...context, customerId: null };
  };
  return {
    async find(db, id) {
      const row = await db.guestContext.findFirst({ where: { id, expiresAt: { gt: new Date() } } });
      return row && read(row);
    },
    async hold(tx, ctx, id) {
      await tx.$queryRaw`
        SELECT id FROM guest_contexts WHERE tenant_id = ${ctx.tenantId} AND id = ${id} FOR NO KEY UPDATE`;
      return this.find(tx, id);
    },
    async write(tx, ctx, id, { attributes, ...values }) {
      const written = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value ?? '']));
      const data = raised({ ...written, attributes });
      return read(await tx.guestContext.update({ where: byId(ctx, id), data }));
    },
    async begin(tx, ctx, id, expiresAt) {
      const data = [{ tenantId: ctx.tenantId, id, ...begunWith, expiresAt }];
      await tx.guestContext.createMany({ data, skipDuplicates: true });
    },
  };
};
