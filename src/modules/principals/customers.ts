// Customers: shoppers with an account. Looking them up, registering, changing and disabling them.
// Invariant: an address that is not proved, a wrong password and no account at all look alike from outside.

import { randomInt } from 'node:crypto';
import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { keyset, type List, matching } from '../../database/keyset.ts';
import { conflict, notFound } from '../../errors/domain-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { networkOf } from '../limits/network.ts';
import { createRate } from '../limits/rates.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { callers } from './callers.ts';
import { canonicalEmail, requireEmail } from './email.ts';
import { requireNames } from './names.ts';
import type { Passwords } from './passwords.ts';

/** A customer as it is stored. */
export type Customer = Awaited<ReturnType<TenantClient['customer']['findFirstOrThrow']>>;

/** What an account is made from. */
export interface NewCustomer {
  readonly email: string;
  readonly password: string;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
}

const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

/** With the `_own` scope: those assigned to the company that the caller acts for, and without one nobody. */
function customersInReach(ctx: Ctx) {
  if (callers.holds(ctx, 'customer.customer_read')) return {};
  const legalEntityId = callers.company(ctx);
  return legalEntityId === null ? { id: { in: [] } } : { contactAssignments: { some: { legalEntityId } } };
}

/** Eight digits; of a million customers one in ninety gets a number that is taken already, and then another. */
const newCustomerNumber = () => String(randomInt(10_000_000, 100_000_000));

/** Use cases of customers. */
export function createCustomers(deps: {
  database: Database;
  passwords: Passwords;
  sessions: Sessions;
  revocations: Revocations;
}) {
  const { database, passwords, sessions, revocations } = deps;
  const registrations = createRate({ limit: 100, windowSeconds: 3600 });

  return {
    /** A guest makes an account. @throws as `register`, and RATE_LIMITED after 100 an hour from one address */
    async signUp(ctx: Ctx, input: NewCustomer): Promise<Customer> {
      if (ctx.ipAddress !== null) registrations.take(networkOf(ctx.ipAddress));
      return this.register(ctx, input);
    },

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

    /** The customer as of now, in the transaction whose token is to vouch for it; null unless enabled. */
    async findEnabled(db: TenantClient, ctx: { tenantId: string }, id: string): Promise<Customer | null> {
      const customer = await db.customer.findUnique({ where: byId(ctx, id) });
      return customer?.enabled ? customer : null;
    },

    /** As `findEnabled`, in a tenant that is not suspended, and held until the commit: whoever disables the account or sets a password meanwhile waits,
     * and then sees the session that this transaction makes. Call it first, before any revocation is written. */
    async holdEnabled(tx: TenantClient, ctx: { tenantId: string }, id: string): Promise<Customer | null> {
      const held = await tx.$queryRaw<unknown[]>`
        SELECT 1 FROM customers p JOIN tenants t ON t.id = p.tenant_id AND t.status = 'ACTIVE'
        WHERE p.tenant_id = ${ctx.tenantId} AND p.id = ${id} AND p.enabled FOR SHARE OF p`;
      return held.length > 0 ? this.findEnabled(tx, ctx, id) : null;
    },

    /** Makes an account. @throws BAD_USER_INPUT, CONFLICT `EMAIL_TAKEN` */
    async register(ctx: Ctx, input: NewCustomer): Promise<Customer> {
      const email = requireEmail(input.email, 'input.email');
      requireNames(input);
      passwords.requireAcceptable(input.password, 'input.password');
      const passwordHash = await passwords.hash(input.password);
      const { firstName = null, lastName = null } = input;
      const account = { tenantId: ctx.tenantId, email, passwordHash, firstName, lastName };
      return database.transaction(ctx, async (tx) => {
        const insert = async () => {
          const data = [{ ...account, customerNumber: newCustomerNumber() }];
          return (await tx.customer.createManyAndReturn({ data, skipDuplicates: true }))[0];
        };
        let customer = await insert();
        while (!customer) {
          const isTaken = (await tx.customer.count({ where: { email } })) > 0;
          if (isTaken) throw conflict('EMAIL_TAKEN', 'There is an account of that address.');
          customer = await insert();
        }
        await recordAudit(tx, ctx, { type: 'customer.registered', subject: { kind: 'customer', id: customer.id } });
        return customer;
      });
    },

    /** Changes names, or disables and enables. Disabling ends every session at once. @throws NOT_FOUND */
    async update(
      ctx: Ctx,
      id: string,
      change: {
        firstName?: string | null | undefined;
        lastName?: string | null | undefined;
        enabled?: boolean | undefined;
      },
    ): Promise<Customer> {
      requireNames(change);
      const customer = await database.transaction(ctx, async (tx) => {
        const [before] = await tx.$queryRaw<Pick<Customer, 'firstName' | 'lastName' | 'enabled'>[]>`
          SELECT first_name AS "firstName", last_name AS "lastName", enabled FROM customers
          WHERE tenant_id = ${ctx.tenantId} AND id = ${id} FOR NO KEY UPDATE`;
        if (!before) throw notFound('Customer');
        const updated = await tx.customer.update({
          where: byId(ctx, id),
          data: {
            ...(change.firstName === undefined ? {} : { firstName: change.firstName }),
            ...(change.lastName === undefined ? {} : { lastName: change.lastName }),
            ...(change.enabled === undefined ? {} : { enabled: change.enabled }),
            version: { increment: 1 },
          },
        });
        const changed = (['firstName', 'lastName', 'enabled'] as const).filter(
          (name) => before[name] !== updated[name],
        );
        if (changed.length > 0) {
          // Names are the customer's own and can be erased there; the trail keeps only that they changed.
          const details = { changed, before: { enabled: before.enabled }, after: { enabled: updated.enabled } };
          await recordAudit(tx, ctx, { type: 'customer.updated', subject: { kind: 'customer', id }, details });
        }
        if (change.enabled === false) await sessions.endAll(tx, ctx, { kind: 'customer', id }, 'customer.disabled');
        return updated;
      });
      await revocations.felt();
      return customer;
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
