// What is asked about a customer before tokens are issued: the account, the company acted for, and what the groups give
// there. In one statement, since every refresh asks it.

import type { Database, TenantClient } from '../../database/database.ts';
import { Prisma } from '../../database/generated/client.ts';
import { together } from '../../database/together.ts';
import { isChosenId } from '../companies/chosen-id.ts';
import { notAssigned } from '../companies/contact-assignments.ts';
import type { LegalEntity } from '../companies/legal-entities.ts';
import {
  customerGroups,
  type Entitlements,
  type EntitlementsOf,
  type Grant,
  grantsOf,
  groupsOfAny,
} from '../iam/entitlements.ts';
import { type Customer, customerColumns } from '../principals/customers.ts';
import type { ScopesOf } from '../scopes/custom-scopes.ts';

/** As of now, or of the transaction. */
export interface CustomerFacts {
  readonly customer: Customer;
  readonly legalEntity: LegalEntity | null;
  readonly entitled: Entitlements;
}

/** As JSON has it. */
type Company = Omit<LegalEntity, 'accountLimitValue' | 'createdAt'> & {
  readonly accountLimitValue: string | null;
  readonly createdAt: string;
};

/** Of the customer's columns there are nulls only where there is nobody. */
type Row = Omit<Customer, 'id'> & {
  readonly id: string | null;
  readonly company: Company | null;
  readonly groupIds: readonly string[];
  /** In the first row, for all. */
  readonly grants: readonly Grant[] | null;
};

interface Found {
  readonly customer: Customer;
  readonly company: LegalEntity | null;
  readonly grants: readonly Grant[];
}

/** About whom, and for which company; null: for none. */
interface Asked {
  readonly customerId: string;
  readonly legalEntityId: string | null;
}

/** No company has it. */
const NO_COMPANY = '';

const asStored = (company: Company): LegalEntity => ({
  ...company,
  accountLimitValue: company.accountLimitValue === null ? null : new Prisma.Decimal(company.accountLimitValue),
  createdAt: new Date(company.createdAt),
});

/** In the order of what was asked; null unless enabled and confirmed. What groups give is read once for all. */
async function foundOf(db: TenantClient, tenantId: string, asked: readonly Asked[]): Promise<(Found | null)[]> {
  const customerIds = asked.map(({ customerId }) => customerId);
  const companyIds = asked.map(({ legalEntityId: id }) => (id !== null && isChosenId(id) ? id : NO_COMPANY));
  const rows = await db.$queryRaw<Row[]>`
    SELECT ${customerColumns},
      (SELECT jsonb_build_object('tenantId', e.tenant_id, 'id', e.id, 'name', e.name, 'type', e.type,
          'parentId', e.parent_id, 'enabled', e.enabled, 'accountLimitCurrency', e.account_limit_currency,
          'accountLimitValue', e.account_limit_value::text, 'details', e.details, 'version', e.version,
          'createdAt', e.created_at)
        FROM legal_entities e JOIN contact_assignments a ON a.tenant_id = e.tenant_id AND a.legal_entity_id = e.id
        WHERE e.tenant_id = ${tenantId} AND e.id = asked.company_id AND e.enabled AND a.customer_id = asked.customer_id
      ) AS company,
      ARRAY(${customerGroups(tenantId, Prisma.sql`asked.customer_id`, Prisma.sql`asked.company_id`)}) AS "groupIds",
      CASE WHEN asked.at = 1 THEN (
        SELECT coalesce(jsonb_agg(given), '[]') FROM (${grantsOf(tenantId, groupsOfAny(tenantId, customerIds))}) given
      ) END AS grants
    FROM unnest(${customerIds}::text[], ${companyIds}::text[]) WITH ORDINALITY AS asked (customer_id, company_id, at)
    LEFT JOIN LATERAL (
      SELECT * FROM customers WHERE tenant_id = ${tenantId} AND id = asked.customer_id AND enabled AND NOT unconfirmed OFFSET 0
    ) customer ON true
    ORDER BY asked.at`;
  const grants = rows[0]?.grants ?? [];
  return rows.map(({ company, groupIds, grants: _shared, ...customer }) => {
    if (customer.id === null) return null;
    return {
      customer: customer as Customer,
      company: company && asStored(company),
      grants: grants.filter(({ group_id }) => groupIds.includes(group_id)),
    };
  });
}

/** The facts of customers. */
export function createCustomerFacts({ database, entitlements }: { database: Database; entitlements: EntitlementsOf }) {
  const findTogether = together((tenantId: string, asked: readonly Asked[]) =>
    foundOf(database.forTenant({ tenantId }), tenantId, asked),
  );

  /** @throws ACCESS_DENIED unless assigned to an enabled company of that id */
  function factsOf(ctx: ScopesOf, { legalEntityId }: Asked, found: Found | null): CustomerFacts | null {
    if (!found) return null;
    const { customer, company, grants } = found;
    if (legalEntityId !== null && !company) throw notAssigned();
    return { customer, legalEntity: company, entitled: entitlements.toCustomer(ctx, grants) };
  }

  return {
    /** Null unless enabled and confirmed. @throws ACCESS_DENIED unless assigned to an enabled company of that id */
    find: async (ctx: ScopesOf, asked: Asked): Promise<CustomerFacts | null> =>
      factsOf(ctx, asked, await findTogether(ctx.tenantId, asked)),

    /** As `find`, in the caller's transaction. */
    async findWithin(tx: TenantClient, ctx: ScopesOf, asked: Asked): Promise<CustomerFacts | null> {
      const [found = null] = await foundOf(tx, ctx.tenantId, [asked]);
      return factsOf(ctx, asked, found);
    },
  };
}

/** See `createCustomerFacts`. */
export type CustomerFactsOf = ReturnType<typeof createCustomerFacts>;
