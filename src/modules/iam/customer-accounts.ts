// Customers' accounts as their owners, administrators and the Admins of companies see to them. Invariants: a company's
// Admin changes accounts of people of that company alone, for an account is whole: whoever it is shut or renamed for
// may belong elsewhere too; whom the merchant has shut out only the merchant lets in again; and who lets somebody in
// again holds all that the person gets by it.

import type { Ctx } from '../../context.ts';
import { forbidden, notFound } from '../../errors/domain-error.ts';
import type { Administer, Change } from '../administration/administration.ts';
import { callers } from '../principals/callers.ts';
import type { Customer, CustomerChange, Customers } from '../principals/customers.ts';
import { requireHeld } from '../scopes/delegation.ts';
import type { EntitlementsOf } from './entitlements.ts';

const needsManage = () => forbidden([['customer.customer_manage']], ['customer.customer_manage']);

/** Use cases of customers' accounts. */
export function createCustomerAccounts(deps: {
  administer: Administer;
  customers: Customers;
  entitlements: EntitlementsOf;
}) {
  const { administer, customers, entitlements } = deps;

  /** What follows from another assignment is not counted: it goes with its cause.
   * @returns the company for which the caller acts; null: for the merchant
   * @throws NOT_FOUND for a stranger, FORBIDDEN for somebody who belongs to another company too */
  async function requireInReach(change: Change, customerId: string): Promise<string | null> {
    if (callers.holds(change, 'customer.customer_manage')) return null;
    const legalEntityId = callers.company(change);
    const mayManageOwn = callers.holds(change, 'customer.customer_manage_own') && legalEntityId !== null;
    const { contactAssignment } = change.tx;
    if (!mayManageOwn || (await contactAssignment.count({ where: { customerId, legalEntityId } })) === 0)
      throw notFound('Customer');
    const elsewhere = { customerId, causeId: null, legalEntityId: { not: legalEntityId } };
    if ((await contactAssignment.count({ where: elsewhere })) > 0) throw needsManage();
    return legalEntityId;
  }

  /** What the customer has by groups, in whichever company. The set of every customer is nobody's to give. */
  async function requireHeldBy(change: Change, customerId: string): Promise<void> {
    const memberships = await change.tx.customerMembership.findMany({
      where: { customerId },
      select: { groupId: true },
    });
    const groupIds = memberships.map(({ groupId }) => groupId);
    const given = await entitlements.ofGroups(change.tx, change, groupIds);
    const everybodys = new Set(entitlements.ofEveryCustomer(change.tenantId));
    requireHeld(
      change,
      given.flat().filter((scope) => !everybodys.has(scope)),
    );
  }

  return {
    /**
     * Changes names, or disables and enables; customers change their own names.
     * @throws NOT_FOUND also for a customer out of reach, BAD_USER_INPUT, CONFLICT `STALE_VERSION`, FORBIDDEN for an
     * employee who assists, for oneself to be disabled, for a company's Admin whose colleague belongs to another company
     * too or has been disabled by the merchant, and for scopes that the caller lacks
     */
    async update(ctx: Ctx, id: string, input: CustomerChange): Promise<Customer> {
      callers.requireInPerson(ctx);
      const { principal } = ctx;
      const isSelf = principal?.kind === 'customer' && principal.customerId === id;
      if (isSelf && !callers.holds(ctx, 'customer.customer_manage')) {
        if (input.enabled != null) throw needsManage();
        return customers.rename(ctx, id, input);
      }
      return administer(ctx, async (change) => {
        const forCompany = await requireInReach(change, id);
        const disabled =
          input.enabled === true ? await change.tx.customer.findFirst({ where: { id, enabled: false } }) : null;
        if (disabled && forCompany !== null && disabled.disabledFor !== forCompany) throw needsManage();
        if (disabled) await requireHeldBy(change, id);
        return customers.update(change, id, input, forCompany);
      });
    },

    /** Deletes an account. @throws NOT_FOUND, FORBIDDEN for an employee who assists */
    async delete(ctx: Ctx, id: string): Promise<void> {
      callers.requireInPerson(ctx);
      await customers.delete(ctx, id);
    },
  };
}

/** See `createCustomerAccounts`. */
export type CustomerAccounts = ReturnType<typeof createCustomerAccounts>;
