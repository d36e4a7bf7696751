// What a session is about: site, currency, language, place and free attributes. Versioned, so that two writers
// never undo each other unnoticed.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { badInput, conflict, notFound } from '../../errors/domain-error.ts';
import type { GuestContext } from '../principals/principal.ts';

/** The context of a session. */
export interface SessionContext extends GuestContext {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly version: number;
}

/** A change: absent means unchanged; among the attributes null removes a key. */
export type SessionContextChange = { [Key in keyof GuestContext]?: string | null | undefined } & {
  readonly attributes?: unknown;
};

const MOST_ATTRIBUTE_BYTES = 2048;

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

function merged(before: unknown, change: unknown): Record<string, unknown> {
  if (change === undefined || change === null) return (before ?? {}) as Record<string, unknown>;
  if (typeof change !== 'object' || Array.isArray(change))
    throw badInput('input.attributes', 'Attributes are an object.');
  // A map, so that a key like __proto__ is mere data.
  const attributes = new Map(Object.entries((before ?? {}) as object));
  for (const [key, value] of Object.entries(change)) {
    if (value === null) attributes.delete(key);
    else attributes.set(key, value);
  }
  const all = Object.fromEntries(attributes);
  if (Buffer.byteLength(JSON.stringify(all)) > MOST_ATTRIBUTE_BYTES) {
    throw badInput('input.attributes', `Attributes have at most ${MOST_ATTRIBUTE_BYTES} bytes.`);
  }
  return all;
}

/** Use cases of session contexts. */
export function createSessionContexts(deps: { database: Database }) {
  return {
    /** A guest's context as it stands in the token: version 0, never written. */
    ofGuest: (context: GuestContext): SessionContext => ({ ...context, attributes: {}, version: 0 }),

    /** Changes the context of an open session. @param version the one last read @throws CONFLICT `STALE_VERSION`, BAD_USER_INPUT */
    async update(ctx: Ctx, sessionId: string, version: number, change: SessionContextChange): Promise<SessionContext> {
      const values = fields.flatMap((field) => {
        const value = change[field];
        return value === undefined ? [] : [[field, checkedContextValue(field, value)]];
      });
      return deps.database.transaction(ctx, async (tx) => {
        const session = await tx.session.findFirst({ where: { id: sessionId, endedAt: null } });
        if (!session) throw notFound('Session');
        const attributes = merged(session.attributes, change.attributes);
        const [updated] = await tx.session.updateManyAndReturn({
          where: { id: sessionId, contextVersion: version },
          data: {
            ...Object.fromEntries(values),
            attributes: attributes as object,
            contextVersion: { increment: 1 },
          },
        });
        if (!updated) throw conflict('STALE_VERSION', `The context has version ${session.contextVersion} now.`);
        return contextOfSession(updated);
      });
    },
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
