// The secrets of links in letters. Invariants: 256 random bits, of which only the SHA-256 is kept; good for one tenant,
// person and purpose, once, as one statement decides, and not for long by the database's clock; a new one voids the
// former of the same purpose.

import { createHash, randomBytes } from 'node:crypto';
import type { Ctx, RequestContext } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenant, Tenants } from '../tenants/tenants.ts';

/** What a link is for. */
export type LetterPurpose = 'CONFIRM_CUSTOMER' | 'RESET_PASSWORD' | 'CHANGE_EMAIL';

/** Whose link it is. */
export interface LetterOwner {
  readonly kind: 'customer' | 'employee';
  readonly id: string;
}

/** How long a link is good, from when its letter is sent; seconds. */
const lifetimes: Record<LetterPurpose, number> = {
  CONFIRM_CUSTOMER: 24 * 3600,
  RESET_PASSWORD: 30 * 60,
  CHANGE_EMAIL: 3600,
};

const TOKEN = /^lt_[\w-]{43}$/;
const digest = (token: string) => new Uint8Array(createHash('sha256').update(token).digest());
const ownedBy = ({ kind, id }: LetterOwner) => (kind === 'customer' ? { customerId: id } : { employeeId: id });
const refuse = (cause: string) => new OAuthError('invalid_grant', { cause });

interface Row {
  tenant_id: string;
  customer_id: string | null;
  employee_id: string | null;
  new_email: string | null;
}

/** What a link that is good says. */
export interface OpenedLink {
  /** The request, in the tenant of the link. */
  readonly ctx: Ctx;
  readonly tenant: Tenant;
  readonly owner: LetterOwner;
  readonly newEmail: string | null;
  /** Spends it in the caller's transaction, after whatever locks the account. @throws INVALID_GRANT when it has been */
  spend(tx: TenantClient): Promise<void>;
}

/** Making and spending of links' secrets. */
export function createLetterTokens(deps: { database: Database; tenants: Tenants }) {
  const { database, tenants } = deps;

  return {
    /** A new one. Call it with the account locked, so that of two at once the later is the good one. */
    async mint(
      tx: TenantClient,
      ctx: { tenantId: string },
      owner: LetterOwner,
      purpose: LetterPurpose,
      newEmail: string | null = null,
    ): Promise<string> {
      const token = `lt_${randomBytes(32).toString('base64url')}`;
      await tx.letterToken.deleteMany({ where: { ...ownedBy(owner), purpose } });
      await tx.$executeRaw`
        INSERT INTO letter_tokens (tenant_id, id, purpose, customer_id, employee_id, new_email, expires_at)
        VALUES (${ctx.tenantId}, ${digest(token)}, ${purpose}::"LetterPurpose",
          ${owner.kind === 'customer' ? owner.id : null}, ${owner.kind === 'employee' ? owner.id : null}, ${newEmail},
          now() + make_interval(secs => ${lifetimes[purpose]}))`;
      return token;
    },

    /** Looks a presented one up, in whichever tenant, and spends nothing yet. @throws INVALID_GRANT: unknown, spent,
     * expired, voided, of another purpose or of a suspended tenant, all alike */
    async open(request: RequestContext, token: string, purpose: LetterPurpose): Promise<OpenedLink> {
      if (!TOKEN.test(token)) throw refuse('not the token of a letter');
      const id = digest(token);
      const [row] = await database.system().$queryRaw<Row[]>`
        SELECT tenant_id, customer_id, employee_id, new_email FROM letter_tokens
        WHERE id = ${id} AND purpose = ${purpose}::"LetterPurpose" AND expires_at > now()`;
      const tenant = row ? tenants.find(row.tenant_id) : null;
      if (!row || !tenant) throw refuse('the link is unknown, spent, expired or of another purpose');
      return {
        ctx: inTenant(request, tenant.id),
        tenant,
        owner: row.customer_id
          ? { kind: 'customer', id: row.customer_id }
          : { kind: 'employee', id: row.employee_id ?? '' },
        newEmail: row.new_email,
        async spend(tx) {
          const spent = await tx.$executeRaw`
            DELETE FROM letter_tokens
            WHERE tenant_id = ${tenant.id} AND id = ${id} AND purpose = ${purpose}::"LetterPurpose" AND expires_at > now()`;
          if (spent === 0) throw refuse('the link has been spent, voided or expired meanwhile');
        },
      };
    },

    /** Voids every link of an account, and those of letters about it that are still to be sent. Call it in the transaction
     * of whatever proves or changes how the account is signed in to, after the account's own row. */
    async voidAll(tx: TenantClient, owner: LetterOwner): Promise<void> {
      if (owner.kind === 'customer') await tx.letter.deleteMany({ where: { customerId: owner.id } });
      await tx.letterToken.deleteMany({ where: ownedBy(owner) });
    },

    /** Forgets a batch of expired ones. @returns how many */
    prune: (): Promise<number> =>
      database.system().$executeRaw`
        DELETE FROM letter_tokens WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM letter_tokens WHERE expires_at < now()
          ORDER BY expires_at LIMIT 5000 FOR UPDATE SKIP LOCKED))`,
  };
}

/** See `createLetterTokens`. */
export type LetterTokens = ReturnType<typeof createLetterTokens>;
