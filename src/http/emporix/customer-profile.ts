// /customer/{tenant}/…: a guest makes an account, and whoever asks is told who they are. What a shopper likes, and where
// goods go, is no business of an authorization service: it is taken and not kept.

import { z } from 'zod';
import type { Ctx } from '../../context.ts';
import { badInput } from '../../errors/domain-error.ts';
import type { CompanyRegistration } from '../../modules/companies/company-registration.ts';
import type { ContactAssignments } from '../../modules/companies/contact-assignments.ts';
import type { Customers } from '../../modules/principals/customers.ts';
import { canonicalEmail } from '../../modules/principals/email.ts';
import type { ExternalIdentities } from '../../modules/sso/external-identities.ts';
import { authenticatedAs } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { tenantRoute } from './emporix-route.ts';
import { credentials } from './emporix-tokens.ts';
import { customerErrors as errors } from './families.ts';

const text = z.string().nullish();
const newAccount = credentials.extend({
  customerDetails: z
    .object({
      firstName: text,
      lastName: text,
      contactEmail: text,
      company: text,
      b2b: z.object({ companyRegistrationId: text }).nullish(),
    })
    .nullish(),
  signup: credentials.nullish(),
});

const NOBODY = '00000000';
const anonymousProfile = {
  firstName: 'Anonymous',
  lastName: 'Anonymous',
  preferredSite: 'default',
  customerNumber: NOBODY,
  id: NOBODY,
  accounts: [],
};

const isSame = (one: string, other: string): boolean => canonicalEmail(one) === canonicalEmail(other);

/** The account that is asked for. @throws BAD_USER_INPUT for a second address, which accounts have not */
function accountOf({ email, password, customerDetails, signup }: z.output<typeof newAccount>) {
  const { firstName, lastName, contactEmail, company, b2b } = customerDetails ?? {};
  if (contactEmail && !isSame(contactEmail, email))
    throw badInput('customerDetails.contactEmail', 'Has to be the address of the account.');
  if (signup && !isSame(signup.email, email))
    throw badInput('signup.email', 'An account has one address: it has to be that of the account.');
  const registrationId = b2b?.companyRegistrationId;
  if (registrationId && !company) throw badInput('customerDetails.company', 'Who registers a company names it.');
  return {
    email,
    password: signup?.password ?? password,
    firstName,
    lastName,
    company: registrationId && company ? { name: company, registrationId } : null,
  };
}

/** The routes about an account. */
export function createCustomerProfileRoutes(deps: {
  companyRegistration: CompanyRegistration;
  contactAssignments: ContactAssignments;
  customers: Customers;
  externalIdentities: ExternalIdentities;
}): Route[] {
  const { companyRegistration, contactAssignments, customers, externalIdentities } = deps;

  async function profileOf(ctx: Ctx, customerId: string) {
    const [customer, companies, [identities]] = await Promise.all([
      customers.get(ctx, customerId),
      contactAssignments.openTo(ctx, customerId),
      externalIdentities.ofOwners(ctx, 'CUSTOMER', [customerId]),
    ]);
    const { id, customerNumber, firstName, lastName, email, version } = customer;
    return {
      id,
      customerNumber,
      ...(firstName !== null && { firstName }),
      ...(lastName !== null && { lastName }),
      contactEmail: email,
      accounts: [{ id: email }, ...identities!.map(({ subject }) => ({ id: email, providerId: subject }))],
      businessModel: companies.length > 0 ? 'B2B' : 'B2C',
      b2b: {
        legalEntities: companies.map((assignment) => ({
          id: assignment.legalEntityId,
          name: assignment.legalEntity.name,
          contactAssignmentId: assignment.id,
        })),
      },
      metadata: { version },
    };
  }

  return [
    tenantRoute({
      method: 'POST',
      path: '/customer/{tenant}/signup',
      access: authenticatedAs('anonymous'),
      errors,
      says: { summary: 'Register', body: newAccount, status: 201 },
      async answer({ ctx, body }) {
        const { id } = await companyRegistration.signUp(ctx, accountOf(await body(newAccount)));
        return { status: 201, body: { id } };
      },
    }),

    tenantRoute({
      method: 'GET',
      path: '/customer/{tenant}/me',
      access: authenticatedAs('customer', 'anonymous'),
      errors,
      says: { summary: "The bearer's profile" },
      async answer({ ctx }) {
        const { principal } = ctx;
        const isGuest = principal?.kind !== 'customer';
        return { status: 200, body: isGuest ? anonymousProfile : await profileOf(ctx, principal.customerId) };
      },
    }),
  ];
}
