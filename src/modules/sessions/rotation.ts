// Spending of refresh tokens in the database: those of one moment in one statement and one commit, which is most of what a
// refresh costs. One atomic update decides between racing requests.
// Invariant: time is the database's, and a spent token never leads to a second live successor.

import type { Database, TenantClient } from '../../database/database.ts';
import { Prisma } from '../../database/generated/client.ts';
import { together } from '../../database/together.ts';

/** A token to spend, and what is stored with it. Digests and what is sealed are hexadecimal. */
export interface Rotation {
  readonly sessionId: string;
  readonly token: string;
  readonly spentFor: string;
  /** The sealed successors. */
  readonly sealed: string;
  /** How far it extends the session. */
  readonly slideSeconds: number;
  readonly successor: RotationSuccessor;
  /** With a branch: the token that goes on as the spent one did. */
  readonly kept: RotationSuccessor | null;
  /** A line of the trail, if the token is spent, and only then. */
  readonly event: object | null;
}

/** A token that is stored. */
export interface RotationSuccessor {
  readonly token: string;
  readonly branchId: string;
  readonly legalEntityId: string | null;
}

/** For how many seconds the session goes on, in the order of the tokens; null for one that was not spent. */
async function spend(
  db: TenantClient,
  tenantId: string,
  rotations: readonly Rotation[],
  lock: Prisma.Sql,
): Promise<(number | null)[]> {
  const spent = await db.$queryRaw<{ at: number; seconds: number }[]>`
    WITH asked AS (
      SELECT given.at::int, a.*, s."token" AS next, s."branchId" AS next_branch, s."legalEntityId" AS company,
        k."token" AS kept_token, k."branchId" AS kept_branch, k."legalEntityId" AS kept_company
      FROM unnest(${rotations.map((rotation) => JSON.stringify(rotation))}::text[]) WITH ORDINALITY AS given (rotation, at)
      CROSS JOIN jsonb_to_record(given.rotation::jsonb) AS a (
        "sessionId" text, "token" text, "spentFor" text, sealed text, "slideSeconds" float8, successor jsonb, kept jsonb, event jsonb)
      CROSS JOIN jsonb_to_record(a.successor) AS s ("token" text, "branchId" text, "legalEntityId" text)
      CROSS JOIN jsonb_to_record(coalesce(nullif(a.kept, 'null'), '{}')) AS k ("token" text, "branchId" text, "legalEntityId" text)
    ), live AS (
      SELECT asked.*, s.tenant_id, s.id, least(s.ends_at, now() + make_interval(secs => asked."slideSeconds")) AS expires_at
      FROM asked JOIN sessions s ON s.tenant_id = ${tenantId} AND s.id = asked."sessionId"
        AND s.ended_at IS NULL AND s.ends_at > now()
      FOR NO KEY UPDATE OF s ${lock}
    ), spent AS (
      UPDATE refresh_tokens t
      SET spent_at = clock_timestamp(), spent_for = decode(live."spentFor", 'hex'), successor = decode(live.sealed, 'hex')
      FROM live WHERE t.tenant_id = live.tenant_id AND t.id = decode(live."token", 'hex')
        AND t.spent_at IS NULL AND t.expires_at > now()
      RETURNING live.*
    ), seen AS (
      UPDATE sessions s SET last_seen_at = now(), expires_at = spent.expires_at, legal_entity_id = spent.company
      FROM spent WHERE s.tenant_id = spent.tenant_id AND s.id = spent.id
    ), succeeded AS (
      INSERT INTO refresh_tokens (tenant_id, id, session_id, branch_id, legal_entity_id, expires_at)
      SELECT tenant_id, decode(next, 'hex'), id, next_branch, company, expires_at FROM spent
      UNION ALL
      SELECT tenant_id, decode(kept_token, 'hex'), id, kept_branch, kept_company, expires_at FROM spent WHERE kept_token IS NOT NULL
    ), told AS (
      INSERT INTO audit_events
      SELECT event.* FROM spent,
        jsonb_populate_record(NULL::audit_events, spent.event || jsonb_build_object('at', now())) event
      WHERE jsonb_typeof(spent.event) = 'object'
    )
    SELECT at, floor(extract(epoch FROM expires_at - now()))::int AS seconds FROM spent`;
  const secondsOf = new Map(spent.map(({ at, seconds }) => [at, seconds]));
  return rotations.map((_one, index) => secondsOf.get(index + 1) ?? null);
}

const WAIT = Prisma.empty;
const SKIP_LOCKED = Prisma.sql`SKIP LOCKED`;

/** Spends a token: for how many seconds its session goes on; null if it was not spent. */
export type Rotate = (tenantId: string, rotation: Rotation) => Promise<number | null>;

/** The one way to spend a token. */
export function createRotate({ database }: { database: Database }): Rotate {
  const alone = async (tenantId: string, rotation: Rotation) =>
    (await spend(database.forTenant({ tenantId }), tenantId, [rotation], WAIT))[0] ?? null;

  /** Null: not spent, or somebody else is changing its session. */
  const withOthers = together(async (tenantId: string, rotations: readonly Rotation[]) =>
    spend(database.forTenant({ tenantId }), tenantId, rotations, SKIP_LOCKED),
  );

  return async (tenantId, rotation) => (await withOthers(tenantId, rotation)) ?? alone(tenantId, rotation);
}
