// What a visit is about: site, currency, language, place, cart and free attributes. Versioned, so that two writers
// never undo each other unnoticed. A customer's stands in the session; a guest's in the token, until it is changed.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { badInput, conflict, forbidden, notFound } from '../../errors/domain-error.ts';
import type { AnonymousPrincipal, GuestContext } from '../principals/principal.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { type ContextPlace, type ContextRow, guestPlace, inSession } from './context-places.ts';

/** The context of a session. */
export interface SessionContext extends GuestContext {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly version: number;
}

/** The context of a visit, and whose visit it is. */
export interface Visit extends SessionContext {
  readonly sessionId: string;
  /** Null: a guest's. */
  readonly customerNumber: string | null;
  readonly cartId: string | null;
  readonly createdAt: Date;
}

/** A change: absent means unchanged. */
export type SessionContextChange = { [Key in keyof GuestContext]?: string | null | undefined } & {
  /** Beside those that there are; null removes one. */
  readonly attributes?: unknown;
  /** Instead of those that there are. */
  readonly allAttributes?: unknown;
  /** All but this one, which has to be there. */
  readonly withoutAttribute?: string;
};

/** What a back end says of a visit, which may be a customer's. */
export interface VisitChange extends SessionContextChange {
  readonly cartId?: string | null | undefined;
  /** Whose visit the back end takes it for: a customer's number, or `ANONYMOUS`. */
  readonly customerId?: string | null | undefined;
  /** The version last read; a visit that is made has none. */
  readonly version?: number | null | undefined;
}

/** What a guest's visit has in the place of a customer's number. */
export const ANONYMOUS = 'ANONYMOUS';

const MOST_ATTRIBUTE_BYTES = 2048;
const SESSION_ID = /^[\w-]{1,64}$/;
const CART_ID = /^[\w-]{1,128}$/;

const shapes = {
  siteCode: /^[\w-]{1,64}$/,
  currency: /^[A-Z]{3}$/,
  language: /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/,
  targetLocation: /^[\w-]{1,64}$/,
} as const satisfies Record<keyof GuestContext, RegExp>;
const fields = Object.keys(shapes) as (keyof GuestContext)[];

/** A value of the context as it is kept; empty is null. @throws BAD_USER_INPUT naming the field */
export function checkedContextValue(field: keyof GuestContext, value: string | null): string | null {
  if (value === null || value === '') return null;
  if (!shapes[field].test(value)) throw badInput(`input.${field}`, `This is not a ${field}.`);
  return value;
}

const requireObject = (given: unknown): object => {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw badInput('input.attributes', 'Attributes are an object.');
  return given;
};

/** The attributes after a change. */
function attributesAfter(before: unknown, change: SessionContextChange) {
  const { attributes, allAttributes, withoutAttribute } = change;
  const kept = allAttributes == null ? (before as object) : requireObject(allAttributes);
  // A map, so that a key like __proto__ is mere data.
  const all = new Map<string, unknown>(Object.entries(kept));
  for (const [key, value] of Object.entries(attributes == null ? {} : requireObject(attributes))) {
    if (value === null) all.delete(key);
    else all.set(key, value);
  }
  if (withoutAttribute !== undefined && !all.delete(withoutAttribute)) throw notFound('Attribute');
  const after = Object.fromEntries(all);
  if (Buffer.byteLength(JSON.stringify(after)) > MOST_ATTRIBUTE_BYTES) {
    throw badInput('input.attributes', `Attributes have at most ${MOST_ATTRIBUTE_BYTES} bytes.`);
  }
  return after;
}

const valuesOf = (change: SessionContextChange) =>
  Object.fromEntries(
    fields.flatMap((field) => {
      const value = change[field];
      return value === undefined ? [] : [[field, checkedContextValue(field, value)]];
    }),
  );

function cartOf({ cartId }: VisitChange): { cartId?: string | null } {
  if (cartId === undefined) return {};
  if (cartId === null || cartId === '') return { cartId: null };
  if (!CART_ID.test(cartId)) throw badInput('input.cartId', 'This is not the id of a cart.');
  return { cartId };
}

const visitOf = (row: ContextRow): Visit => ({
  ...contextOfSession(row),
  sessionId: row.id,
  customerNumber: row.customer?.customerNumber ?? null,
  cartId: row.cartId,
  createdAt: row.createdAt,
});

/** A guest's visit, for whoever has not seen the guest's token. */
const anyGuests = guestPlace(null);

/** Use cases of session contexts. */
export function createSessionContexts(deps: { database: Database; tenants: Tenants }) {
  const { database, tenants } = deps;
  const guestSeconds = (ctx: Ctx) => tenants.get(ctx).settings.anonymousSessionSeconds;

  /** @param version null: whichever there is @throws NOT_FOUND, CONFLICT `STALE_VERSION` */
  async function changed(
    tx: TenantClient,
    ctx: Ctx,
    place: ContextPlace,
    sessionId: string,
    version: number | null,
    change: VisitChange,
  ): Promise<ContextRow> {
    const found = await place.hold(tx, ctx, sessionId);
    if (!found) throw notFound('Session');
    if (version !== null && version !== found.contextVersion)
      throw conflict('STALE_VERSION', `The context has version ${found.contextVersion} now.`);
    const attributes = attributesAfter(found.attributes, change);
    return place.write(tx, ctx, sessionId, { ...valuesOf(change), ...cartOf(change), attributes });
  }

  /** A guest's visit: as it was changed last, or as it stands in the token (version 0). */
  async function ofGuest(ctx: Ctx, { sessionId, context, sessionStartedAt }: AnonymousPrincipal): Promise<Visit> {
    const row = await guestPlace(context).find(database.forTenant(ctx), sessionId);
    if (row) return visitOf(row);
    const createdAt = new Date(sessionStartedAt * 1000);
    return { ...context, attributes: {}, version: 0, sessionId, customerNumber: null, cartId: null, createdAt };
  }

  /** Where the caller's own context is. A guest's that stands in the token alone is written down first. */
  async function ownPlace(tx: TenantClient, ctx: Ctx): Promise<[ContextPlace, string]> {
    const { principal } = ctx;
    if (principal?.kind === 'customer') return [inSession, principal.sessionId];
    if (principal?.kind !== 'anonymous') throw forbidden([], []);
    const { sessionId, context, sessionStartedAt } = principal;
    const place = guestPlace(context);
    await place.begin(tx, ctx, sessionId, new Date((sessionStartedAt + guestSeconds(ctx)) * 1000));
    return [place, sessionId];
  }

  /** Where the context of anybody's visit is; null: nowhere. */
  async function placeOf(tx: TenantClient, sessionId: string): Promise<ContextPlace | null> {
    for (const place of [inSession, anyGuests]) if (await place.find(tx, sessionId)) return place;
    return null;
  }

  /** A visit that has ended does not begin again. */
  async function newVisit(tx: TenantClient, ctx: Ctx, sessionId: string): Promise<ContextPlace> {
    if ((await tx.session.count({ where: { id: sessionId } })) > 0) throw notFound('Session');
    if (!SESSION_ID.test(sessionId)) throw badInput('input.sessionId', 'This is not the id of a session.');
    await anyGuests.begin(tx, ctx, sessionId, new Date(Date.now() + guestSeconds(ctx) * 1000));
    return anyGuests;
  }

  return {
    ofGuest,

    /** The caller's own visit. @throws NOT_FOUND when it has ended, FORBIDDEN for who has none */
    async own(ctx: Ctx): Promise<Visit> {
      const { principal } = ctx;
      if (principal?.kind === 'anonymous') return ofGuest(ctx, principal);
      if (principal?.kind !== 'customer') throw forbidden([], []);
      const row = await inSession.find(database.forTenant(ctx), principal.sessionId);
      if (!row) throw notFound('Session');
      return visitOf(row);
    },

    /** Changes the context of the caller's own visit. @param version the one last read; null: whichever there is
     * @throws NOT_FOUND, CONFLICT `STALE_VERSION`, BAD_USER_INPUT */
    update: (ctx: Ctx, version: number | null, change: SessionContextChange): Promise<SessionContext> =>
      database.transaction(ctx, async (tx) => {
        const [place, sessionId] = await ownPlace(tx, ctx);
        return contextOfSession(await changed(tx, ctx, place, sessionId, version, change));
      }),

    /** Anybody's visit, of customers and guests. @throws NOT_FOUND */
    async visit(ctx: Ctx, sessionId: string): Promise<Visit> {
      const db = database.forTenant(ctx);
      const row = (await inSession.find(db, sessionId)) ?? (await anyGuests.find(db, sessionId));
      if (!row) throw notFound('Session');
      return visitOf(row);
    },

    /** Changes the attributes of anybody's visit. @throws NOT_FOUND, BAD_USER_INPUT */
    updateAttributes: (
      ctx: Ctx,
      sessionId: string,
      change: Pick<SessionContextChange, 'attributes' | 'withoutAttribute'>,
    ): Promise<void> =>
      database.transaction(ctx, async (tx) => {
        const place = await placeOf(tx, sessionId);
        if (!place) throw notFound('Session');
        await changed(tx, ctx, place, sessionId, null, change);
      }),

    /**
     * Changes anybody's visit. One that nobody has heard of is made, where `makes` says so: a guest's.
     * @param provedId the customer whose token the back end has shown beside its own
     * @throws NOT_FOUND, BAD_USER_INPUT also for a customer's visit without that customer's token, and without a version,
     * CONFLICT `STALE_VERSION`
     */
    updateVisit: (
      ctx: Ctx,
      sessionId: string,
      change: VisitChange,
      { provedId, makes }: { provedId: string | null; makes: boolean },
    ): Promise<void> =>
      database.transaction(ctx, async (tx) => {
        const known = await placeOf(tx, sessionId);
        const place = known ?? (makes ? await newVisit(tx, ctx, sessionId) : null);
        const found = await place?.find(tx, sessionId);
        if (!place || !found) throw notFound('Session');
        if (found.customerId !== null && found.customerId !== provedId)
          throw badInput('saas-token', 'Required Header [saas-token]: a good one of the customer whose session it is.');
        if (change.customerId != null && change.customerId !== (found.customer?.customerNumber ?? ANONYMOUS))
          throw badInput('input.customerId', 'The session is not of this customer.');
        if (known && change.version == null)
          throw badInput('input.metadata.version', 'The version has to be provided on update operations.');
        await changed(tx, ctx, place, sessionId, known ? change.version! : null, change);
      }),
  };
}

/** The context of a stored session. */
export const contextOfSession = (
  session: GuestContext & { attributes: unknown; contextVersion: number },
): SessionContext => ({
  siteCode: session.siteCode,
  currency: session.currency,
  language: session.language,
  targetLocation: session.targetLocation,
  attributes: session.attributes as Record<string, unknown>,
  version: session.contextVersion,
});

/** See `createSessionContexts`. */
export type SessionContexts = ReturnType<typeof createSessionContexts>;
