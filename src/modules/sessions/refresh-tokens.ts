// Refresh tokens: opaque, 256 random bits, stored as a hash, one-time (RFC 9700 s.4.14.2). An identical retry within the window gets the same successor, which is kept
// sealed under a key that only the spent token yields.
// Invariant: time is the database's, and a spent token never leads to a second live successor.

import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Ctx } from '../../context.ts';
import type { Database, SystemClient, TenantClient } from '../../database/database.ts';
import { together } from '../../database/together.ts';
import { type AuditRecord, auditRow } from '../audit/audit.ts';
import { deriveKey, seal, unseal } from '../keys/key-sealing.ts';
import { createRotate } from './rotation.ts';

/** What a refresh token stands for. */
export interface RefreshTokenFamily {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly branchId: string;
  readonly legalEntityId: string | null;
  readonly owner: { readonly kind: 'customer' | 'employee'; readonly id: string };
  readonly clientId: string | null;
  /** Neither expired nor ended, and the tenant is not suspended. Spent or not is another question. */
  readonly isLive: boolean;
  readonly isSpent: boolean;
  readonly sessionStartedAt: Date;
  readonly expiresAt: Date;
  /** The last revocation number when this was read: stamp tokens with it. */
  readonly rev: number;
}

/** How a token is used. A retry is identical when all of it is. */
export interface RefreshUse {
  readonly clientId: string | null;
  /** As requested: undefined keeps the company, null leaves it. */
  readonly legalEntityId: string | null | undefined;
  readonly branch: boolean;
}

/** The tokens that succeed a spent one. */
export interface Successors {
  readonly token: string;
  /** With `branch`: the token that goes on with the company of before. */
  readonly branchedFrom: string | null;
}

/** What became of an attempt to spend a token. */
export type Turn =
  | ({ readonly outcome: 'rotated' | 'repeated'; readonly expiresInSeconds: number } & Successors)
  /** Another use within the retry window: refused, and nothing else happens. */
  | { readonly outcome: 'other-use' }
  /** Spent long ago: whoever holds it stole it, or was stolen from. */
  | { readonly outcome: 'reused' }
  /** Ended or expired meanwhile. */
  | { readonly outcome: 'ended' };

const PREFIX = 'rt_';
const SHAPE = /^rt_[\w-]{43}$/;

const digest = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const newToken = () => PREFIX + randomBytes(32).toString('base64url');
const sealingKey = (spent: string) => deriveKey(spent, 'successor of a refresh token');
const fingerprint = ({ clientId, legalEntityId, branch }: RefreshUse) =>
  digest(JSON.stringify([clientId, legalEntityId === undefined ? 'keep' : [legalEntityId], branch]));

/** As it is read. */
interface Row {
  readonly tenant_id: string;
  readonly session_id: string;
  readonly branch_id: string;
  readonly legal_entity_id: string | null;
  readonly kind: 'CUSTOMER' | 'EMPLOYEE';
  readonly owner_id: string;
  readonly client_id: string | null;
  readonly is_live: boolean;
  readonly is_spent: boolean;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly rev: bigint;
}

const asFamily = (row: Row): RefreshTokenFamily => ({
  tenantId: row.tenant_id,
  sessionId: row.session_id,
  branchId: row.branch_id,
  legalEntityId: row.legal_entity_id,
  owner: { kind: row.kind === 'CUSTOMER' ? 'customer' : 'employee', id: row.owner_id },
  clientId: row.client_id,
  isLive: row.is_live,
  isSpent: row.is_spent,
  sessionStartedAt: row.created_at,
  expiresAt: row.expires_at,
  rev: Number(row.rev),
});

/** What tokens of these hexadecimal digests stand for, in their order. One by one (OFFSET keeps the planner to it), each by
 * its keys. */
async function familiesOf(db: SystemClient, digests: readonly string[]): Promise<(RefreshTokenFamily | null)[]> {
  const rows = await db.$queryRaw<(Row | Record<keyof Row, null>)[]>`
    SELECT family.*, (SELECT value FROM counters WHERE name = 'revocations') AS rev
    FROM unnest(${digests}::text[]) WITH ORDINALITY AS asked (digest, at)
    LEFT JOIN LATERAL (
      SELECT t.tenant_id, t.session_id, t.branch_id, t.legal_entity_id, s.kind,
        coalesce(s.customer_id, s.employee_id) AS owner_id, s.client_id,
        (s.ended_at IS NULL AND s.ends_at > now() AND (t.expires_at > now() OR t.spent_at IS NOT NULL)
          AND n.status = 'ACTIVE' AND coalesce(cl.enabled, true) AND coalesce(cu.enabled, em.enabled)) AS is_live,
        t.spent_at IS NOT NULL AS is_spent, s.created_at, t.expires_at
      FROM refresh_tokens t JOIN sessions s ON s.tenant_id = t.tenant_id AND s.id = t.session_id
      JOIN tenants n ON n.id = t.tenant_id
      LEFT JOIN clients cl ON cl.tenant_id = s.tenant_id AND cl.id = s.client_id
      LEFT JOIN customers cu ON cu.tenant_id = s.tenant_id AND cu.id = s.customer_id
      LEFT JOIN employees em ON em.tenant_id = s.tenant_id AND em.id = s.employee_id
      WHERE t.id = decode(asked.digest, 'hex') OFFSET 0
    ) family ON true
    ORDER BY asked.at`;
  return rows.map((row) => (row.tenant_id === null ? null : asFamily(row)));
}

/** Use cases of refresh tokens. */
export function createRefreshTokens(deps: { database: Database; retrySeconds: number }) {
  const { database, retrySeconds } = deps;
  const rotate = createRotate(deps);

  const findTogether = together((_anyTenant: null, digests: readonly string[]) =>
    familiesOf(database.system(), digests),
  );

  async function outcomeOfSpent(db: TenantClient, tenantId: string, token: string, use: RefreshUse): Promise<Turn> {
    const [row] = await db.$queryRaw<
      { spent: boolean; recent: boolean; spent_for: Uint8Array | null; successor: Uint8Array | null; seconds: number }[]
    >`
      SELECT t.spent_at IS NOT NULL AS spent, t.spent_for, t.successor,
        coalesce(t.spent_at > clock_timestamp() - make_interval(secs => ${retrySeconds}), false) AS recent,
        floor(extract(epoch FROM s.expires_at - now()))::int AS seconds
      FROM refresh_tokens t JOIN sessions s ON s.tenant_id = t.tenant_id AND s.id = t.session_id
      WHERE t.tenant_id = ${tenantId} AND t.id = ${digest(token)} AND s.ended_at IS NULL AND s.expires_at > now()`;
    if (!row?.spent) return { outcome: 'ended' };
    if (!row.recent) return { outcome: 'reused' };
    const isSame = row.spent_for !== null && Buffer.from(fingerprint(use)).equals(Buffer.from(row.spent_for));
    if (!isSame || !row.successor) return { outcome: 'other-use' };
    const successors = JSON.parse(unseal(sealingKey(token), row.successor, tenantId)) as Successors;
    return { outcome: 'repeated', expiresInSeconds: row.seconds, ...successors };
  }

  return {
    /** The first token of a session that is about to begin, and the id that it is kept under. No I/O. */
    first(): { readonly token: string; readonly id: Uint8Array } {
      const token = newToken();
      return { token, id: digest(token) };
    },

    /** Looks only; `rotate` decides. Null for what is no refresh token of ours. */
    find: async (token: string): Promise<RefreshTokenFamily | null> =>
      SHAPE.test(token) ? findTogether(null, hex(digest(token))) : null,

    outcomeOfSpent,

    /**
     * Spends the token and stores its successors, or tells why not.
     * @param slideSeconds how far a refresh extends the session
     * @param event what the trail is told if the token is spent, and only then
     */
    async rotate(
      ctx: Ctx,
      family: RefreshTokenFamily,
      token: string,
      use: RefreshUse,
      chosen: { legalEntityId: string | null; slideSeconds: number; event: AuditRecord | null },
    ): Promise<Turn> {
      const { tenantId, sessionId, branchId } = family;
      const { slideSeconds, event } = chosen;
      const successors: Successors = { token: newToken(), branchedFrom: use.branch ? newToken() : null };
      const kept = successors.branchedFrom;
      const seconds = await rotate(tenantId, {
        sessionId,
        token: hex(digest(token)),
        spentFor: hex(fingerprint(use)),
        sealed: hex(seal(sealingKey(token), JSON.stringify(successors), tenantId)),
        slideSeconds,
        successor: {
          token: hex(digest(successors.token)),
          branchId: kept ? randomUUID() : branchId,
          legalEntityId: chosen.legalEntityId,
        },
        kept: kept === null ? null : { token: hex(digest(kept)), branchId, legalEntityId: family.legalEntityId },
        event: event && auditRow(ctx, event),
      });
      if (seconds !== null) return { outcome: 'rotated', expiresInSeconds: seconds, ...successors };
      return outcomeOfSpent(database.forTenant(ctx), tenantId, token, use);
    },

    /** Forgets successors that no retry may ask for any more, a batch of them. @returns how many */
    async forgetSuccessors(): Promise<number> {
      return database.system().$executeRaw`
        UPDATE refresh_tokens SET successor = NULL WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM refresh_tokens
          WHERE successor IS NOT NULL AND spent_at < now() - make_interval(secs => ${retrySeconds + 60})
          ORDER BY spent_at LIMIT 5000 FOR UPDATE SKIP LOCKED))`;
    },
  };
}

/** See `createRefreshTokens`. */
export type RefreshTokens = ReturnType<typeof createRefreshTokens>;
