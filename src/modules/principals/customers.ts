// Customers: shoppers with an account. Looking them up, making, changing and deleting them.
// Invariant: an address that is not proved, a wrong password and no account at all look alike from outside.

import { randomInt } from 'node:crypto';
import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { Prisma } from '../../database/generated/client.ts';
import { keyset, type List, matching } from '../../database/keyset.ts';
import { conflict, notFound } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { requireCurrent } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import type { LetterTokens } from '../letters/letter-tokens.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { callers } from './callers.ts';
import { canonicalEmail, requireEmail } from './email.ts';
import { requireNames } from './names.ts';
import type { Passwords } from './passwords.ts';

/** A customer as it is stored. */
export type Customer = Awaited<ReturnType<TenantClient['customer']['findFirstOrThrow']>>;

/** For SQL, which takes a fraction of the engine's time. */
export const customerColumns = Prisma.sql`tenant_id AS "tenantId", id, customer_number AS "customerNumber", email,
  email_verified_at AS "emailVerifiedAt", password_hash AS "passwordHash", first_name AS "firstName",
  last_name AS "lastName", enabled, unconfirmed, disabled_for AS "disabledFor", version, created_at AS "createdAt"`;

/** What an account is made from. */
export interface NewCustomer {
  readonly email: string;
  readonly password: string;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
}

/** What can be changed of one. Absent: it stays; a name that is null is removed. */
export interface CustomerChange {
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  readonly enabled?: boolean | null | undefined;
  /** The version that was read, when it matters. */
  readonly version?: number | null | undefined;
}

/** An account that has been checked. Without a password: single sign-on only. */
export type PreparedCustomer = Pick<Customer, 'email' | 'passwordHash' | 'firstName' | 'lastName' | 'unconfirmed'>;

const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

/** Conditions for the one customer of that id or number, whichever a client knows. */
export const namedBy = (name: string) => ({ OR: [{ id: name }, { customerNumber: name }] });

/** With the `_own` scope: those assigned to the company that the caller acts for, and without one nobody. */
function customersInReach(ctx: Ctx) {
  if (callers.holds(ctx, 'customer.customer_read')) return {};
  const legalEntityId = callers.company(ctx);
  return legalEntityId === null ? { id: { in: [] } } : { contactAssignments: { some: { legalEntityId } } };
}

/** Eight digits; of a million customers one in ninety gets a number that is taken already, and then another. */
const newCustomerNumber = () => String(randomInt(10_000_000, 100_000_000));

/** Who may enable it again. What the merchant has disabled no company takes over. */
const disabledBy = (before: Pick<Customer, 'enabled'>, enabled: boolean, forCompany: string | null) =>
  enabled || before.enabled || forCompany === null ? { disabledFor: enabled ? null : forCompany } : {};

/** Use cases of customers. */
export function createCustomers(deps: {
  administer: Administer;
  database: Database;
  letterTokens: LetterTokens;
  passwords: Passwords;
  sessions: Sessions;
}) {
  const { administer, database, letterTokens, passwords, sessions } = deps;

  /** One row is changed at a time: what is compared with is locked. */
  async function alter(
    tx: TenantClient,
    ctx: Ctx,
    id: string,
    change: CustomerChange,
    forCompany: string | null = null,
  ): Promise<Customer> {
    const [before] = await tx.$queryRaw<Pick<Customer, 'firstName' | 'lastName' | 'enabled' | 'version'>[]>`
      SELECT first_name AS "firstName", last_name AS "lastName", enabled, version FROM customers
      WHERE tenant_id = ${ctx.tenantId} AND id = ${id} FOR NO KEY UPDATE`;
    if (!before) throw notFound('Customer');
    requireCurrent(before, change.version);
    const updated = await tx.customer.update({
      where: byId(ctx, id),
      data: {
        ...(change.firstName === undefined ? {} : { firstName: change.firstName }),
        ...(change.lastName === undefined ? {} : { lastName: change.lastName }),
        ...(change.enabled == null
          ? {}
          : { enabled: change.enabled, ...disabledBy(before, change.enabled, forCompany) }),
        version: { increment: 1 },
      },
    });
    const changed = (['firstName', 'lastName', 'enabled'] as const).filter((name) => before[name] !== updated[name]);
    if (changed.length > 0) {
      // Names are the customer's own and can be erased there; the trail keeps only that they changed.
      const details = { changed, before: { enabled: before.enabled }, after: { enabled: updated.enabled } };
      await recordAudit(tx, ctx, { type: 'customer.updated', subject: { kind: 'customer', id }, details });
    }
    return updated;
  }

  return {
    /** The account of that address, enabled or not; null when there is none. */
    async findByEmail(ctx: { tenantId: string }, email: string): Promise<Customer | null> {
      const address = canonicalEmail(email);
      if (address === null) return null;
      return database
        .forTenant(ctx)
        .customer.findUnique({ where: { tenantId_email: { tenantId: ctx.tenantId, email: address } } });
    },

    /**
     * Customers by mail address: all of them, or with the `_own` scope those assigned to the caller's company.
     * `search`: with this text in address, name or number.
     */
    list(ctx: Ctx, filter: { search?: string | null | undefined; legalEntityId?: string | null | undefined }) {
      const { customer } = database.forTenant(ctx);
      const { search, legalEntityId } = filter;
      const reach = [
        customersInReach(ctx),
        legalEntityId ? { contactAssignments: { some: { legalEntityId } } } : {},
        search ? { OR: matching(search, ['email', 'firstName', 'lastName', 'customerNumber'] as const) } : {},
      ];
      return {
        page(window) {
          const { where, ...page } = keyset(window, ['email']);
          return customer.findMany({ where: { AND: [...reach, where] }, ...page });
        },
        count: () => customer.count({ where: { AND: reach } }),
      } satisfies List<Customer>;
    },

    /** One customer in the caller's reach; null when there is none of that id. */
    find: (ctx: Ctx, id: string): Promise<Customer | null> =>
      database.forTenant(ctx).customer.findFirst({ where: { AND: [{ id }, customersInReach(ctx)] } }),

    /** Many in the caller's reach, in the order of their ids; null for others. */
    async inReach(ctx: Ctx, ids: readonly string[]): Promise<(Customer | null)[]> {
      const where = { AND: [{ id: { in: [...new Set(ids)] } }, customersInReach(ctx)] };
      const customers = new Map(
        (await database.forTenant(ctx).customer.findMany({ where })).map((one) => [one.id, one]),
      );
      return ids.map((id) => customers.get(id) ?? null);
    },

    /** @throws NOT_FOUND */
    async get(ctx: { tenantId: string }, id: string): Promise<Customer> {
      const customer = await database.forTenant(ctx).customer.findUnique({ where: byId(ctx, id) });
      if (!customer) throw notFound('Customer');
      return customer;
    },

    /** The customer as of now, in the transaction whose token is to vouch for it; null unless enabled and confirmed. */
    async findEnabled(db: TenantClient, ctx: { tenantId: string }, id: string): Promise<Customer | null> {
      const [customer] = await db.$queryRaw<Customer[]>`
        SELECT ${customerColumns} FROM customers WHERE tenant_id = ${ctx.tenantId} AND id = ${id} AND enabled AND NOT unconfirmed`;
      return customer ?? null;
    },

    /** As `findEnabled`, in a tenant that is not suspended, and held until the commit: whoever disables the account or sets a password meanwhile waits,
     * and then sees the session that this transaction makes. Call it first, before any revocation is written. */
    async holdEnabled(tx: TenantClient, ctx: { tenantId: string }, id: string): Promise<Customer | null> {
      const [held] = await tx.$queryRaw<Customer[]>`
        SELECT ${customerColumns} FROM customers
        WHERE tenant_id = ${ctx.tenantId} AND id = ${id} AND enabled AND NOT unconfirmed
          AND EXISTS (SELECT 1 FROM tenants WHERE tenants.id = tenant_id AND status = 'ACTIVE')
        FOR SHARE OF customers`;
      return held ?? null;
    },

    /** Checks an account that is to be made, and hashes its password. @throws BAD_USER_INPUT, SERVICE_UNAVAILABLE when
     * too many passwords wait for their hash */
    async prepare(input: NewCustomer) {
      const email = requireEmail(input.email, 'input.email');
      requireNames(input);
      passwords.requireAcceptable(input.password, 'input.password');
      const passwordHash = await passwords.hash(input.password);
      const { firstName = null, lastName = null } = input;
      return { email, passwordHash, firstName, lastName };
    },

    /** Stores what `prepare` has checked. @returns null when the address has an account */
    async insert(tx: TenantClient, ctx: Ctx, account: PreparedCustomer): Promise<Customer | null> {
      for (;;) {
        const data = [{ tenantId: ctx.tenantId, ...account, customerNumber: newCustomerNumber() }];
        const [customer] = await tx.customer.createManyAndReturn({ data, skipDuplicates: true });
        if (customer) {
          await recordAudit(tx, ctx, { type: 'customer.registered', subject: { kind: 'customer', id: customer.id } });
          return customer;
        }
        if ((await tx.customer.count({ where: { email: account.email } })) > 0) return null;
      }
    },

    /** Makes an account that is good at once. @throws BAD_USER_INPUT, CONFLICT `EMAIL_TAKEN` */
    async register(ctx: Ctx, input: NewCustomer): Promise<Customer> {
      const account = await this.prepare(input);
      return database.transaction(ctx, async (tx) => {
        const customer = await this.insert(tx, ctx, { ...account, unconfirmed: false });
        if (!customer) throw conflict('EMAIL_TAKEN', 'There is an account of that address.');
        return customer;
      });
    },

    /** Changes names, or disables and enables. Disabling ends every session at once, and voids links that have been sent.
     * @param forCompany whose Admin does it; null: the merchant
     * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `STALE_VERSION` */
    async update(ctx: Ctx, id: string, input: CustomerChange, forCompany: string | null = null): Promise<Customer> {
      requireNames(input);
      return administer(ctx, async (change) => {
        const updated = await alter(change.tx, change, id, input, forCompany);
        if (input.enabled === false) {
          const owner = { kind: 'customer', id } as const;
          await letterTokens.voidAll(change.tx, owner);
          await sessions.endAll(change.tx, change, owner, 'customer.disabled');
        }
        return updated;
      });
    },

    /** Changes names for the customer, who does not wait for administrators. @throws as `update` */
    async rename(ctx: Ctx, id: string, { firstName, lastName, version }: CustomerChange): Promise<Customer> {
      const names = { firstName, lastName, version };
      requireNames(names);
      return database.transaction(ctx, (tx) => alter(tx, ctx, id, names));
    },

    /** Deletes an account with all that is of it: sessions, memberships, assignments, letters. Every token is refused at
     * once. @throws NOT_FOUND */
    async delete(ctx: Ctx, id: string): Promise<void> {
      await administer(ctx, async (change: Change) => {
        const { tx } = change;
        // First of all, so that a login under way is waited for, and then ended with the others.
        const [customer] = await tx.customer.updateManyAndReturn({ where: { id }, data: { enabled: false } });
        if (!customer) throw notFound('Customer');
        await sessions.endAll(tx, change, { kind: 'customer', id }, 'customer.deleted');
        await tx.letter.deleteMany({ where: { address: customer.email } });
        await tx.customer.delete({ where: byId(ctx, id) });
        await recordAudit(tx, change, { type: 'customer.deleted', subject: { kind: 'customer', id } });
      });
    },

    /** Hashes again with today's parameters. @returns the account as it is now; null: its password changed meanwhile */
    async rehash(ctx: { tenantId: string }, customer: Customer, password: string): Promise<Customer | null> {
      const passwordHash = await passwords.hash(password);
      const { count } = await database.forTenant(ctx).customer.updateMany({
        where: { id: customer.id, passwordHash: customer.passwordHash },
        data: { passwordHash },
      });
      return count === 0 ? null : { ...customer, passwordHash };
    },
  };
}

/** See `createCustomers`. */
export type Customers = ReturnType<typeof createCustomers>;
