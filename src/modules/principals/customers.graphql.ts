// Customers as the schema shows them, and what guests, customers and administrators do about accounts.

import { builder } from '../../graphql/builder.ts';
import { connectionByEmail } from '../../graphql/pagination.ts';
import { authenticatedAs, open, requires, requiresAnyOf } from '../../permissions/access.ts';
import { AcknowledgedPayload, acknowledge } from './acknowledged-payload.graphql.ts';
import type { Customer } from './customers.ts';

/** Type `Customer`. Whatever leads on from here to other people declares what it needs. */
export const CustomerType = builder.objectRef<Customer>('Customer').implement({
  description: 'A shopper with an account.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the customer in this service.' }),
    customerNumber: t.exposeString('customerNumber', {
      description: 'Eight digits: names the customer in the other services of the platform.',
    }),
    email: t.exposeString('email', { description: 'The address to sign in with, in its canonical spelling.' }),
    firstName: t.exposeString('firstName', { nullable: true, description: 'Given name.' }),
    lastName: t.exposeString('lastName', { nullable: true, description: 'Family name.' }),
    enabled: t.exposeBoolean('enabled', {
      description: 'A disabled customer cannot sign in, and every token is refused.',
    }),
    confirmed: t.boolean({
      description: 'False: made with double opt-in, and nobody can sign in before the owner of the address confirms.',
      resolve: ({ unconfirmed }) => !unconfirmed,
    }),
    version: t.exposeInt('version', { description: 'Goes up with each change: for `version` in an update.' }),
  }),
});

builder.queryFields((t) => ({
  customers: t.connection(
    {
      type: CustomerType,
      description:
        "The customers of the tenant, by mail address. With `customer.customer_read_own`: those of the caller's company.",
      access: requiresAnyOf('customer.customer_read', 'customer.customer_read_own'),
      args: {
        search: t.arg.string({
          description: 'Only those with this text in address, name or number, in whatever case.',
        }),
        legalEntityId: t.arg.id({ description: 'Only those assigned to this company.' }),
      },
      resolve: (_root, { search, legalEntityId, ...args }, ctx) =>
        connectionByEmail('customers', args, ctx.services.customers.list(ctx, { search, legalEntityId })),
    },
    { name: 'CustomerConnection', description: 'A page of customers.' },
    { name: 'CustomerEdge', description: 'A customer in a page.' },
  ),
  customer: t.field({
    type: CustomerType,
    nullable: true,
    description: "One customer; null when there is none of that id, or not in the caller's reach.",
    access: requiresAnyOf('customer.customer_read', 'customer.customer_read_own'),
    args: { id: t.arg.id({ required: true, description: 'Which customer.' }) },
    resolve: (_root, { id }, ctx) => ctx.services.customers.find(ctx, id),
  }),
}));

const RegisterCompanyInput = builder.inputType('RegisterCompanyInput', {
  description: 'The company that a new customer buys for.',
  fields: (t) => ({ name: t.string({ required: true, description: 'What people call it; 100 characters at most.' }) }),
});

const RegisterCustomerInput = builder.inputType('RegisterCustomerInput', {
  description: 'A new account.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'An address that has no account yet.' }),
    password: t.string({
      required: true,
      description: '10 to 256 characters, any of them, and not one that attackers try first.',
    }),
    firstName: t.string({ description: 'Given name. Needed with a company.' }),
    lastName: t.string({ description: 'Family name. Needed with a company.' }),
    company: t.field({
      type: RegisterCompanyInput,
      description:
        'A company to make with the account: the customer is its Admin and primary contact, and nobody can act for it before an employee has enabled it.',
    }),
  }),
});

const UpdateCustomerInput = builder.inputType('UpdateCustomerInput', {
  description: 'What is to change of an account; what is absent stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which customer.' }),
    firstName: t.string({ description: 'Given name; null removes it.' }),
    lastName: t.string({ description: 'Family name; null removes it.' }),
    enabled: t.boolean({ description: 'False ends every session at once. Nobody disables themself.' }),
    version: t.int({ description: 'The version that was read: CONFLICT `STALE_VERSION` when it is another by now.' }),
  }),
});

builder.mutationFields((t) => ({
  registerCustomer: t.field({
    type: CustomerType,
    description:
      'A guest makes an account. Sign in with the same anonymous token to keep the session. With double opt-in the owner of the address is sent a link first, and the answer is the same for an address that has an account. Errors: BAD_USER_INPUT, CONFLICT `EMAIL_TAKEN` without double opt-in, RATE_LIMITED.',
    access: authenticatedAs('anonymous'),
    args: { input: t.arg({ type: RegisterCustomerInput, required: true, description: 'The account.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.companyRegistration.signUp(ctx, input),
  }),
  confirmCustomer: t.field({
    type: AcknowledgedPayload,
    description:
      'The owner of the address confirms the account: from now on it can be signed in to. Errors: INVALID_GRANT.',
    access: open,
    args: {
      token: t.arg.string({ required: true, description: 'The token of the link, good once and for 24 hours.' }),
    },
    resolve: (_root, { token }, ctx) => acknowledge(ctx.services.registration.confirm(ctx, token)),
  }),
  updateCustomer: t.field({
    type: CustomerType,
    description:
      "Changes an account. With `customer.customer_manage_own`: of somebody who belongs to the caller's company alone; with `customer.customerprofile_edit`: the caller's own names. Errors: NOT_FOUND, BAD_USER_INPUT, CONFLICT `STALE_VERSION`, FORBIDDEN for somebody of another company too, for enabling whom the merchant has disabled, or somebody with scopes that the caller lacks.",
    access: requiresAnyOf('customer.customer_manage', 'customer.customer_manage_own', 'customer.customerprofile_edit'),
    args: { input: t.arg({ type: UpdateCustomerInput, required: true, description: 'The change.' }) },
    resolve: (_root, { input: { id, ...change } }, ctx) => ctx.services.customerAccounts.update(ctx, id, change),
  }),
  deleteCustomer: t.field({
    type: 'ID',
    description:
      'Deletes an account with its sessions, memberships and assignments: every token is refused at once. Errors: NOT_FOUND.',
    access: requires('customer.customer_manage'),
    args: { id: t.arg.id({ required: true, description: 'Which customer.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.customerAccounts.delete(ctx, id);
      return id;
    },
  }),
}));
