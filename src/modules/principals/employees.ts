// Employees: those who work for the merchant. Looking them up, creating, changing and disabling them.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { keyset, type List, matching } from '../../database/keyset.ts';
import { conflict, notFound } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { requireCurrent } from '../administration/editing.ts';
import { recordAudit } from '../audit/audit.ts';
import type { LetterTokens } from '../letters/letter-tokens.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { canonicalEmail, requireEmail } from './email.ts';
import { requireNames } from './names.ts';
import type { Passwords } from './passwords.ts';

/** An employee as it is stored. */
export type Employee = Awaited<ReturnType<TenantClient['employee']['findFirstOrThrow']>>;

/** What an account is made from. Without a password: single sign-on only. */
export interface NewEmployee {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly password?: string | null | undefined;
}

const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

/** What can be changed of one; what is absent or null stays as it is. */
export interface EmployeeChange {
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  readonly enabled?: boolean | null | undefined;
  readonly version?: number | null | undefined;
}

const changeable = ['firstName', 'lastName', 'enabled'] as const;

/** Use cases of employees. */
export function createEmployees(deps: {
  administer: Administer;
  database: Database;
  letterTokens: LetterTokens;
  passwords: Passwords;
  sessions: Sessions;
}) {
  const { administer, database, letterTokens, passwords, sessions } = deps;

  return {
    /** The account of that address, enabled or not; null when there is none. */
    async findByEmail(ctx: { tenantId: string }, email: string): Promise<Employee | null> {
      const address = canonicalEmail(email);
      if (address === null) return null;
      return database
        .forTenant(ctx)
        .employee.findUnique({ where: { tenantId_email: { tenantId: ctx.tenantId, email: address } } });
    },

    /** @throws NOT_FOUND */
    async get(ctx: { tenantId: string }, id: string): Promise<Employee> {
      const employee = await database.forTenant(ctx).employee.findUnique({ where: byId(ctx, id) });
      if (!employee) throw notFound('Employee');
      return employee;
    },

    /** The employee as of now, in the transaction whose token is to vouch for it; null unless enabled. */
    async findEnabled(db: TenantClient, ctx: { tenantId: string }, id: string): Promise<Employee | null> {
      const employee = await db.employee.findUnique({ where: byId(ctx, id) });
      return employee?.enabled ? employee : null;
    },

    /** As `findEnabled`, in a tenant that is not suspended, and held until the commit: whoever disables the account or sets a password meanwhile waits,
     * and then sees the session that this transaction makes. Call it first, before any revocation is written. */
    async holdEnabled(tx: TenantClient, ctx: { tenantId: string }, id: string): Promise<Employee | null> {
      const held = await tx.$queryRaw<unknown[]>`
        SELECT 1 FROM employees p JOIN tenants t ON t.id = p.tenant_id AND t.status = 'ACTIVE'
        WHERE p.tenant_id = ${ctx.tenantId} AND p.id = ${id} AND p.enabled FOR SHARE OF p`;
      return held.length > 0 ? this.findEnabled(tx, ctx, id) : null;
    },

    /** All employees, by mail address; `search`: with this text in the address or a name. */
    list(ctx: Ctx, search?: string | null): List<Employee> {
      const { employee } = database.forTenant(ctx);
      const found = search ? { OR: matching(search, ['email', 'firstName', 'lastName'] as const) } : {};
      return {
        page(window) {
          const { where, ...page } = keyset(window, ['email']);
          return employee.findMany({ where: { ...found, ...where }, ...page });
        },
        count: () => employee.count({ where: found }),
      };
    },

    /** One employee; null when the tenant has none of that id. */
    find: (ctx: { tenantId: string }, id: string): Promise<Employee | null> =>
      database.forTenant(ctx).employee.findUnique({ where: byId(ctx, id) }),

    /** Checks an account that is to be made, and hashes its password. @throws BAD_USER_INPUT, SERVICE_UNAVAILABLE when
     * too many passwords wait for their hash */
    async prepare(input: NewEmployee) {
      const email = requireEmail(input.email, 'input.email');
      requireNames(input);
      if (input.password != null) passwords.requireAcceptable(input.password, 'input.password');
      const passwordHash = input.password != null ? await passwords.hash(input.password) : null;
      const { firstName, lastName } = input;
      return { email, passwordHash, firstName, lastName };
    },

    /** Makes an account that is in no group yet. @throws BAD_USER_INPUT, CONFLICT `EMAIL_TAKEN` */
    async create(ctx: Ctx, input: NewEmployee): Promise<Employee> {
      const account = await this.prepare(input);
      return administer(ctx, (change) => this.insert(change, account));
    },

    /** Stores what `prepare` has checked. @throws CONFLICT `EMAIL_TAKEN` */
    async insert(change: Change, account: Awaited<ReturnType<typeof this.prepare>>): Promise<Employee> {
      const { tx, tenantId } = change;
      const [employee] = await tx.employee.createManyAndReturn({
        data: [{ tenantId, ...account }],
        skipDuplicates: true,
      });
      if (!employee) throw conflict('EMAIL_TAKEN', 'There is an account of that address.');
      await recordAudit(tx, change, {
        type: 'employee.created',
        subject: { kind: 'employee', id: employee.id },
        details: { after: { hasPassword: account.passwordHash !== null } },
      });
      return employee;
    },

    /** Changes names, or disables and enables. Disabling ends every session at once, and voids links that have been sent.
     * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT `STALE_VERSION` */
    async update(ctx: Ctx, id: string, input: EmployeeChange): Promise<Employee> {
      const given = Object.fromEntries(
        changeable.filter((name) => input[name] != null).map((name) => [name, input[name]]),
      );
      requireNames(given);
      return administer(ctx, async (change) => {
        const { tx } = change;
        const found = await tx.employee.findUnique({ where: byId(ctx, id) });
        if (!found) throw notFound('Employee');
        requireCurrent(found, input.version);
        const employee = await tx.employee.update({
          where: byId(ctx, id),
          data: { ...given, version: { increment: 1 } },
        });
        await recordAudit(tx, change, {
          type: 'employee.updated',
          subject: { kind: 'employee', id },
          details: {
            // Names are the employee's own; the trail keeps only that they changed.
            changed: changeable.filter((name) => found[name] !== employee[name]),
            before: { enabled: found.enabled },
            after: { enabled: employee.enabled },
          },
        });
        if (found.enabled && !employee.enabled) {
          const owner = { kind: 'employee', id } as const;
          await letterTokens.voidAll(tx, owner);
          await sessions.endAll(tx, change, owner, 'employee.disabled');
        }
        return employee;
      });
    },

    /** Deletes an account with its memberships and sessions: every token is refused at once. @throws NOT_FOUND */
    async delete(ctx: Ctx, id: string): Promise<void> {
      await administer(ctx, async (change) => {
        const { tx } = change;
        // First of all, so that a login under way is waited for, and then ended with the others.
        const { count } = await tx.employee.updateMany({ where: { id }, data: { enabled: false } });
        if (count === 0) throw notFound('Employee');
        await sessions.endAll(tx, change, { kind: 'employee', id }, 'employee.deleted');
        await tx.employee.delete({ where: byId(ctx, id) });
        await recordAudit(tx, change, { type: 'employee.deleted', subject: { kind: 'employee', id } });
      });
    },

    /** Hashes again with today's parameters. @returns the account as it is now; null: its password changed meanwhile */
    async rehash(ctx: { tenantId: string }, employee: Employee, password: string): Promise<Employee | null> {
      const passwordHash = await passwords.hash(password);
      const { count } = await database.forTenant(ctx).employee.updateMany({
        where: { id: employee.id, passwordHash: employee.passwordHash },
        data: { passwordHash },
      });
      return count === 0 ? null : { ...employee, passwordHash };
    },
  };
}

/** See `createEmployees`. */
export type Employees = ReturnType<typeof createEmployees>;
