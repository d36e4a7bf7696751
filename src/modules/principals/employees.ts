// Employees: those who work for the merchant. Looking them up, creating, changing and disabling them.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { conflict, notFound } from '../../errors/domain-error.ts';
import { recordAudit } from '../audit/audit.ts';
import type { Revocations } from '../revocations/revocations.ts';
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

/** Use cases of employees. */
export function createEmployees(deps: {
  database: Database;
  passwords: Passwords;
  sessions: Sessions;
  revocations: Revocations;
}) {
  const { database, passwords, sessions, revocations } = deps;

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

    /** Makes an account that is in no group yet. @throws BAD_USER_INPUT, CONFLICT `EMAIL_TAKEN` */
    async create(ctx: Ctx, input: NewEmployee): Promise<Employee> {
      const email = requireEmail(input.email, 'input.email');
      requireNames(input);
      if (input.password) passwords.requireAcceptable(input.password, 'input.password');
      const passwordHash = input.password ? await passwords.hash(input.password) : null;
      return database.transaction(ctx, async (tx) => {
        const { firstName, lastName } = input;
        const [employee] = await tx.employee.createManyAndReturn({
          data: [{ tenantId: ctx.tenantId, email, passwordHash, firstName, lastName }],
          skipDuplicates: true,
        });
        if (!employee) throw conflict('EMAIL_TAKEN', 'There is an account of that address.');
        await recordAudit(tx, ctx, { type: 'employee.created', subject: { kind: 'employee', id: employee.id } });
        return employee;
      });
    },

    /** Disables and enables. Disabling ends every session at once. @throws NOT_FOUND */
    async setEnabled(ctx: Ctx, id: string, enabled: boolean): Promise<Employee> {
      const employee = await database.transaction(ctx, async (tx) => {
        if ((await tx.employee.count({ where: { id } })) === 0) throw notFound('Employee');
        const updated = await tx.employee.update({
          where: byId(ctx, id),
          data: { enabled, version: { increment: 1 } },
        });
        await recordAudit(tx, ctx, {
          type: 'employee.updated',
          subject: { kind: 'employee', id },
          details: { enabled },
        });
        if (!enabled) await sessions.endAll(tx, ctx, { kind: 'employee', id }, 'employee.disabled');
        return updated;
      });
      await revocations.felt();
      return employee;
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
