// Which scopes a principal is entitled to, and through which groups. Tokens get theirs from here only.
// A customer's groups count without a company, or in the company acted for: never those of another company.

import type { TenantClient } from '../../database/database.ts';
import { Prisma } from '../../database/generated/client.ts';
import type { ScopeCatalogue, ScopesOf } from '../scopes/custom-scopes.ts';
import type { Tenants } from '../tenants/tenants.ts';

/** What a principal may do, and the groups whose change alters it. */
export interface Entitlements {
  readonly scopes: readonly string[];
  readonly groupIds: readonly string[];
}

/** What one group gives. */
export interface Grant {
  group_id: string;
  scopes: string[] | null;
  every_scope: boolean | null;
}

/** What a group gives its members. `everyScope`: with all that are defined later. */
export interface Given {
  readonly scopes: readonly string[];
  readonly everyScope: boolean;
}

/** The groups of a customer that count without a company, and in this one: rows of `group_id`. Ids, or the columns that they
 * are in. */
export const customerGroups = (
  tenantId: string,
  customerId: string | Prisma.Sql,
  legalEntityId: string | Prisma.Sql | null,
): Prisma.Sql =>
  Prisma.sql`SELECT m.group_id FROM customer_memberships m
    JOIN groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id AND g.user_type = 'CUSTOMER'
      AND (g.legal_entity_id IS NULL OR g.legal_entity_id = ${legalEntityId})
    WHERE m.tenant_id = ${tenantId} AND m.customer_id = ${customerId}`;

/** All groups of any of these customers, whether they count or not: rows of `group_id`. */
export const groupsOfAny = (tenantId: string, customerIds: readonly string[]): Prisma.Sql =>
  Prisma.sql`SELECT DISTINCT m.group_id FROM customer_memberships m
    WHERE m.tenant_id = ${tenantId} AND m.customer_id = ANY (${customerIds})`;

/** What these rows of `group_id` give: rows of `Grant`. Group by group (OFFSET keeps the planner to it), or a tenant's other
 * groups would be read too. */
export const grantsOf = (tenantId: string, groups: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`SELECT given.* FROM (${groups}) member
    CROSS JOIN LATERAL (SELECT gg.group_id, gg.scopes, gg.every_scope FROM group_grants gg
      WHERE gg.tenant_id = ${tenantId} AND gg.group_id = member.group_id OFFSET 0) given`;

/** Resolving of groups to scopes. All take the transaction whose facts are to hold. */
export function createEntitlements(deps: { scopes: ScopeCatalogue; tenants: Tenants }) {
  const { scopes, tenants } = deps;

  function union(ctx: ScopesOf, base: readonly string[], grants: readonly Grant[]): Entitlements {
    const all = new Set(base);
    for (const grant of grants) {
      for (const scope of grant.every_scope ? scopes.everyScope(ctx) : (grant.scopes ?? [])) all.add(scope);
    }
    return { scopes: [...all].sort(), groupIds: [...new Set(grants.map((grant) => grant.group_id))].sort() };
  }

  /** The scopes of many, in the order of their ids; nothing for whoever has no grant. */
  function eachOf<Row extends Grant>(
    ctx: ScopesOf,
    ids: readonly string[],
    grants: readonly Row[],
    idOf: (row: Row) => string,
  ): string[][] {
    const grantsById = new Map<string, Row[]>(ids.map((id) => [id, []]));
    for (const grant of grants) grantsById.get(idOf(grant))?.push(grant);
    return ids.map((id) => [...union(ctx, [], grantsById.get(id) ?? []).scopes]);
  }

  /** What many groups give, in their order; nothing for those that there are not. */
  async function givenByGroups(db: TenantClient, ctx: ScopesOf, groupIds: readonly string[]): Promise<Given[]> {
    if (groupIds.length === 0) return [];
    const grants = await db.$queryRaw<Grant[]>`
      SELECT gg.group_id, gg.scopes, gg.every_scope FROM group_grants gg
      WHERE gg.tenant_id = ${ctx.tenantId} AND gg.group_id = ANY(${groupIds})`;
    const given = eachOf(ctx, groupIds, grants, (row) => row.group_id);
    const everything = new Set(grants.filter((grant) => grant.every_scope).map((grant) => grant.group_id));
    return groupIds.map((id, at) => ({ scopes: given[at]!, everyScope: everything.has(id) }));
  }

  const ofEveryCustomer = (tenantId: string): readonly string[] =>
    tenants.find(tenantId)?.settings.customerScopes ?? [];

  /** What the predefined set and these grants come to. No I/O. */
  const toCustomer = (ctx: ScopesOf, grants: readonly Grant[]): Entitlements =>
    union(ctx, ofEveryCustomer(ctx.tenantId), grants);

  return {
    /** An employee: the union over the groups. */
    async ofEmployee(db: TenantClient, ctx: ScopesOf, employeeId: string): Promise<Entitlements> {
      const grants = await db.$queryRaw<Grant[]>`
        SELECT gg.group_id, gg.scopes, gg.every_scope FROM employee_memberships m
        JOIN group_grants gg ON gg.tenant_id = m.tenant_id AND gg.group_id = m.group_id AND gg.user_type = 'EMPLOYEE'
        WHERE m.tenant_id = ${ctx.tenantId} AND m.employee_id = ${employeeId}`;
      return union(ctx, [], grants);
    },

    /** The scopes of many employees, in their order. */
    async ofEmployees(db: TenantClient, ctx: ScopesOf, employeeIds: readonly string[]): Promise<string[][]> {
      const grants = await db.$queryRaw<(Grant & { employee_id: string })[]>`
        SELECT m.employee_id, gg.group_id, gg.scopes, gg.every_scope FROM employee_memberships m
        JOIN group_grants gg ON gg.tenant_id = m.tenant_id AND gg.group_id = m.group_id AND gg.user_type = 'EMPLOYEE'
        WHERE m.tenant_id = ${ctx.tenantId} AND m.employee_id = ANY(${employeeIds})`;
      return eachOf(ctx, employeeIds, grants, (row) => row.employee_id);
    },

    /** The scopes that many groups give their members, in their order. */
    ofGroups: async (db: TenantClient, ctx: ScopesOf, groupIds: readonly string[]): Promise<string[][]> =>
      (await givenByGroups(db, ctx, groupIds)).map(({ scopes: given }) => [...given]),

    givenByGroups,

    /** What every customer has, in whatever groups. No I/O. */
    ofEveryCustomer,

    /** A customer: the predefined set, the groups without a company, and those of `legalEntityId`. */
    async ofCustomer(
      db: TenantClient,
      ctx: ScopesOf,
      customerId: string,
      legalEntityId: string | null,
    ): Promise<Entitlements> {
      const groups = customerGroups(ctx.tenantId, customerId, legalEntityId);
      const grants = await db.$queryRaw<Grant[]>(grantsOf(ctx.tenantId, groups));
      return toCustomer(ctx, grants);
    },

    toCustomer,

    /** Is an enabled employee in a group that lets them manage groups? */
    async haveAdministrator(db: TenantClient, tenantId: string): Promise<boolean> {
      const found = await db.$queryRaw<unknown[]>`
        SELECT 1 FROM employees e
        JOIN employee_memberships m ON m.tenant_id = e.tenant_id AND m.employee_id = e.id
        JOIN group_grants gg ON gg.tenant_id = m.tenant_id AND gg.group_id = m.group_id AND gg.user_type = 'EMPLOYEE'
        WHERE e.tenant_id = ${tenantId} AND e.enabled AND (gg.every_scope OR 'iam.group_manage' = ANY(gg.scopes)) LIMIT 1`;
      return found.length > 0;
    },
  };
}

/** See `createEntitlements`. */
export type EntitlementsOf = ReturnType<typeof createEntitlements>;
