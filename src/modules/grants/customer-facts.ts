// What is asked about a customer before tokens are issued: the account, the company acted for, and what the groups give
// there. In one round trip, since every refresh asks it.

import type { TenantClient } from '../../database/database.ts';
import { Prisma } from '../../database/generated/client.ts';
import { isChosenId } from '../companies/chosen-id.ts';
import { notAssigned } from '../companies/contact-assignments.ts';
import type { LegalEntity } from '../companies/legal-entities.ts';
import { customerGrants, type Entitlements, type EntitlementsOf, type Grant } from '../iam/entitlements.ts';
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

type Row = Customer & { readonly company: Company | null; readonly grants: readonly Grant[] };

const asStored = (company: Company): LegalEntity => ({
  ...company,
  accountLimitValue: company.accountLimitValue === null ? null : new Prisma.Decimal(company.accountLimitValue),
  createdAt: new Date(company.createdAt),
});

/** The facts of customers. */
export function createCustomerFacts({ entitlements }: { entitlements: EntitlementsOf }) {
  return {
    /** Null unless enabled and confirmed. @throws ACCESS_DENIED unless assigned to an enabled company of that id */
    async find(
      db: TenantClient,
      ctx: ScopesOf,
      customerId: string,
      legalEntityId: string | null,
    ): Promise<CustomerFacts | null> {
      const { tenantId } = ctx;
      const companyId = legalEntityId === null || !isChosenId(legalEntityId) ? null : legalEntityId;
      const [row] = await db.$queryRaw<Row[]>`
        SELECT ${customerColumns},
          (SELECT jsonb_build_object('tenantId', e.tenant_id, 'id', e.id, 'name', e.name, 'type', e.type,
              'parentId', e.parent_id, 'enabled', e.enabled, 'accountLimitCurrency', e.account_limit_currency,
              'accountLimitValue', e.account_limit_value::text, 'details', e.details, 'version', e.version,
              'createdAt', e.created_at)
            FROM legal_entities e JOIN contact_assignments a ON a.tenant_id = e.tenant_id AND a.legal_entity_id = e.id
            WHERE e.tenant_id = ${tenantId} AND e.id = ${companyId} AND e.enabled AND a.customer_id = ${customerId}
          ) AS company,
          (SELECT coalesce(jsonb_agg(given), '[]') FROM (${customerGrants(tenantId, customerId, companyId)}) given) AS grants
        FROM customers WHERE tenant_id = ${tenantId} AND id = ${customerId} AND enabled AND NOT unconfirmed`;
      if (!row) return null;
      const { company, grants, ...customer } = row;
      if (legalEntityId !== null && !company) throw notAssigned();
      return { customer, legalEntity: company && asStored(company), entitled: entitlements.toCustomer(ctx, grants) };
    },
  };
}

/** See `createCustomerFacts`. */
export type CustomerFactsOf = ReturnType<typeof createCustomerFacts>;
