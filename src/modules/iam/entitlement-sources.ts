// Through what somebody holds scopes, in words for a person: a group and its access control, a client, a predefined set.
// Invariant: the scopes of all sources together are exactly what `Entitlements`, or the client, would put into a token.

import type { TenantClient } from '../../database/database.ts';
import type { Client, Clients } from '../clients/clients.ts';
import type { ScopeCatalogue } from '../scopes/custom-scopes.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { EntitlementsOf } from './entitlements.ts';

/** One thing that gives scopes. */
export interface ScopeSource {
  /** Such as `group Support > template Readers > access control IAM_USERS_VIEWER`. */
  readonly source: string;
  readonly scopes: readonly string[];
}

/** What somebody holds, and through what. */
export interface Holding {
  readonly scopes: readonly string[];
  readonly sources: readonly ScopeSource[];
}

interface Given {
  group_name: string;
  template_name: string | null;
  access_control_name: string;
  scopes: string[];
  every_scope: boolean;
}

/** Looking up of sources: two statements for a member of groups, none for anybody else. */
export function createEntitlementSources(deps: {
  clients: Clients;
  entitlements: EntitlementsOf;
  scopes: ScopeCatalogue;
  tenants: Tenants;
}) {
  const { clients, entitlements, scopes, tenants } = deps;

  /** As the view `group_grants`, with names. */
  async function ofGroups(db: TenantClient, tenantId: string, groupIds: readonly string[]): Promise<ScopeSource[]> {
    if (groupIds.length === 0) return [];
    const given = await db.$queryRaw<Given[]>`
      SELECT g.name AS group_name, given.template_name, ac.name AS access_control_name, ac.scopes, ac.every_scope
      FROM groups g
      JOIN LATERAL (
        SELECT NULL AS template_name, gac.access_control_id FROM group_access_controls gac
        WHERE gac.tenant_id = g.tenant_id AND gac.group_id = g.id
        UNION ALL
        SELECT t.name, tac.access_control_id FROM group_templates gt
        JOIN access_control_templates t ON t.tenant_id = gt.tenant_id AND t.id = gt.template_id
        JOIN template_access_controls tac ON tac.tenant_id = gt.tenant_id AND tac.template_id = gt.template_id
        WHERE gt.tenant_id = g.tenant_id AND gt.group_id = g.id
      ) given ON true
      JOIN access_controls ac ON ac.tenant_id = g.tenant_id AND ac.id = given.access_control_id
        AND (ac.restricted_to IS NULL OR ac.restricted_to = g.user_type)
      WHERE g.tenant_id = ${tenantId} AND g.id = ANY(${groupIds})`;
    return given.map((row) => ({
      source: [
        `group ${row.group_name}`,
        ...(row.template_name === null ? [] : [`template ${row.template_name}`]),
        `access control ${row.access_control_name}`,
      ].join(' > '),
      scopes: row.every_scope ? scopes.everyScope({ tenantId }) : row.scopes,
    }));
  }

  return {
    /** An employee, by the groups. */
    async ofEmployee(db: TenantClient, tenantId: string, employeeId: string): Promise<Holding> {
      const { scopes: held, groupIds } = await entitlements.ofEmployee(db, { tenantId }, employeeId);
      return { scopes: held, sources: await ofGroups(db, tenantId, groupIds) };
    },

    /** A customer, by the predefined set and the groups that count for this company, or for none. */
    async ofCustomer(
      db: TenantClient,
      tenantId: string,
      customerId: string,
      legalEntityId: string | null,
    ): Promise<Holding> {
      const { scopes: held, groupIds } = await entitlements.ofCustomer(db, { tenantId }, customerId, legalEntityId);
      const predefined = tenants.get({ tenantId }).settings.customerScopes;
      const sources = await ofGroups(db, tenantId, groupIds);
      return { scopes: held, sources: [{ source: 'predefined set for customers', scopes: predefined }, ...sources] };
    },

    /** A client that acts for itself. */
    async ofClient(client: Client): Promise<Holding> {
      const held = await clients.scopesOf(client);
      const source = client.everyScope ? `client ${client.id} (every scope)` : `client ${client.id}`;
      return { scopes: held, sources: [{ source, scopes: held }] };
    },

    /** A guest of any storefront. */
    ofGuest(tenantId: string): Holding {
      const held = tenants.get({ tenantId }).settings.anonymousScopes;
      return { scopes: held, sources: [{ source: 'predefined set for guests', scopes: held }] };
    },
  };
}

/** See `createEntitlementSources`. */
export type EntitlementSources = ReturnType<typeof createEntitlementSources>;
