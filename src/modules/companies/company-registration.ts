// A guest registers for a company that is not known yet. Invariant: the company waits, disabled, until an employee has
// looked at it: nobody can act for it, and being its Admin means nothing before that.

import type { Ctx } from '../../context.ts';
import { badInput } from '../../errors/domain-error.ts';
import { requireName } from '../administration/editing.ts';
import { joinAdmins } from '../iam/company-groups.ts';
import type { Customer, NewCustomer } from '../principals/customers.ts';
import type { Registration } from '../principals/registration.ts';
import type { ContactAssignments } from './contact-assignments.ts';
import type { LegalEntities } from './legal-entities.ts';

/** A new account, perhaps with a company. */
export interface NewRegistration extends NewCustomer {
  /** `registrationId`: in the register of its country. */
  readonly company?: { readonly name: string; readonly registrationId?: string } | null | undefined;
}

/** Use cases of registering, with a company or without. */
export function createCompanyRegistration(deps: {
  contactAssignments: ContactAssignments;
  legalEntities: LegalEntities;
  registration: Registration;
}) {
  const { contactAssignments, legalEntities, registration } = deps;

  return {
    /** Makes an account, and with a company that one too: disabled, with its groups, and the customer as its primary
     * contact and Admin. All or nothing. @throws as `Registration.signUp` */
    async signUp(ctx: Ctx, { company, ...account }: NewRegistration): Promise<Customer> {
      if (!company) return registration.signUp(ctx, account);
      const name = requireName(company.name, 'input.company.name');
      for (const field of ['firstName', 'lastName'] as const) {
        if (!account[field]?.trim()) throw badInput(`input.${field}`, 'Who registers a company has a name.');
      }
      return registration.signUp(ctx, account, async (change, customer) => {
        const { registrationId } = company;
        const details = registrationId === undefined ? {} : { details: { legalInfo: { registrationId } } };
        const { id } = await legalEntities.create(change, { name, enabled: false, ...details });
        await contactAssignments.assignFounder(change, customer.id, id);
        await joinAdmins(change.tx, change.tenantId, id, customer.id);
      });
    },
  };
}

/** See `createCompanyRegistration`. */
export type CompanyRegistration = ReturnType<typeof createCompanyRegistration>;
