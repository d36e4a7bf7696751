// Which scopes a principal is entitled to, and through which groups. Tokens get theirs from here only.
// A customer's groups count without a company, or in the company acted for: never those of another company.

import type { TenantClient } from '../../database/database.ts';
import type { ScopeCatalogue } from '../scopes/custom-scopes.ts';
import type { Tenants } from '../tenants/tenants.ts';

/** What a principal may do, and the groups whose change alters it. */
export interface Entitlements {
  readonly scopes: readonly string[];
  readonly groupIds: readonly string[];
}

interface Grant {
  group_id: string;
  scopes: string[] | null;
  every_scope: boolean | null;
}

/** Resolving of groups to scopes. Both take the transaction whose facts a token is to vouch for. */
export function createEntitlements(deps: { scopes: ScopeCatalogue; tenants: Tenants }) {
  const { scopes, tenants } = deps;

  function union(tenantId: string, base: readonly string[], grants: readonly Grant[]): Entitlements {
    const all = new Set(base);
    for (const grant of grants) {
      for (const scope of grant.every_scope ? scopes.everyScope({ tenantId }) : (grant.scopes ?? [])) all.add(scope);
    }
    return { scopes: [...all].sort(), groupIds: [...new Set(grants.map((grant) => grant.group_id))].sort() };
  }

  return {
    /** An employee: the union over the groups. */
    async ofEmployee(db: TenantClient, tenantId: string, employeeId: string): Promise<Entitlements> {
      const grants = await db.$queryRaw<Grant[]>`
        SELECT gg.group_id, gg.scopes, gg.every_scope FROM employee_memberships m
        JOIN group_grants gg ON gg.tenant_id = m.tenant_id AND gg.group_id = m.group_id AND gg.user_type = 'EMPLOYEE'
        WHERE m.tenant_id = ${tenantId} AND m.employee_id = ${employeeId}`;
      return union(tenantId, [], grants);
    },

    /** A customer: the predefined set, the groups without a company, and those of `legalEntityId`. */
    async ofCustomer(
      db: TenantClient,
      tenantId: string,
      customerId: string,
      legalEntityId: string | null,
    ): Promise<Entitlements> {
      const grants = await db.$queryRaw<Grant[]>`
        SELECT gg.group_id, gg.scopes, gg.every_scope FROM customer_memberships m
        JOIN group_grants gg ON gg.tenant_id = m.tenant_id AND gg.group_id = m.group_id AND gg.user_type = 'CUSTOMER'
          AND (gg.legal_entity_id IS NULL OR gg.legal_entity_id = ${legalEntityId})
        WHERE m.tenant_id = ${tenantId} AND m.customer_id = ${customerId}`;
      return union(tenantId, tenants.find(tenantId)?.settings.customerScopes ?? [], grants);
    },
  };
}

/** See `createEntitlements`. */
export type EntitlementsOf = ReturnType<typeof createEntitlements>;
