// Groups of employees or customers, and who belongs to them.

import type { Ctx } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { principalKey } from '../revocations/revocation-key.ts';
import type { Revocations } from '../revocations/revocations.ts';
import { type B2BRole, joinCompanyGroup } from './company-groups.ts';
import { predefinedAccessControls } from './predefined.ts';

/** Use cases of groups. */
export function createGroups(deps: { database: Database; revocations: Revocations }) {
  const { database, revocations } = deps;

  return {
    /** The access controls that every tenant has. Idempotent. */
    async ensurePredefined(ctx: Ctx): Promise<void> {
      await database.forTenant(ctx).accessControl.createMany({
        data: predefinedAccessControls.map(({ id, name, scopes, restrictedTo }) => ({
          tenantId: ctx.tenantId,
          id,
          name,
          scopes: [...scopes],
          restrictedTo,
          predefined: true,
        })),
        skipDuplicates: true,
      });
    },

    /** A group of employees of that name, with one access control that gives the scopes. @returns its id */
    async ensureForEmployees(ctx: Ctx, name: string, scopes: readonly string[] | 'every'): Promise<string> {
      return database.transaction(ctx, async (tx) => {
        const existing = await tx.group.findFirst({ where: { name, userType: 'EMPLOYEE' } });
        if (existing) return existing.id;
        const { tenantId } = ctx;
        const group = await tx.group.create({ data: { tenantId, name, userType: 'EMPLOYEE' } });
        const control = await tx.accessControl.create({
          data: {
            tenantId,
            name,
            scopes: scopes === 'every' ? [] : [...scopes],
            everyScope: scopes === 'every',
            restrictedTo: 'EMPLOYEE',
          },
        });
        await tx.groupAccessControl.create({ data: { tenantId, groupId: group.id, accessControlId: control.id } });
        return group.id;
      });
    },

    /** Puts an employee into a group; a token from before does not show it. */
    async addEmployee(ctx: Ctx, groupId: string, employeeId: string): Promise<void> {
      await database.forTenant(ctx).employeeMembership.createMany({
        data: [{ tenantId: ctx.tenantId, groupId, employeeId }],
        skipDuplicates: true,
      });
    },

    /** Takes an employee out of a group: tokens with its scopes are refused at once. */
    async removeEmployee(ctx: Ctx, groupId: string, employeeId: string): Promise<void> {
      await database.transaction(ctx, async (tx) => {
        await tx.employeeMembership.deleteMany({ where: { groupId, employeeId } });
        await revocations.record(tx, ctx, [principalKey('employee', employeeId)], 'group.member_removed');
      });
      await revocations.felt();
    },

    /** Makes a customer Admin, Buyer or Requester of a company. @throws CONFLICT `ROLE_TAKEN` */
    async joinCompany(ctx: Ctx, legalEntityId: string, role: B2BRole, customerId: string): Promise<void> {
      await database.transaction(ctx, (tx) => joinCompanyGroup(tx, ctx.tenantId, legalEntityId, role, customerId));
    },
  };
}

/** See `createGroups`. */
export type Groups = ReturnType<typeof createGroups>;
