// Customers as the schema shows them, and what a guest or customer does about an account.

import { builder } from '../../graphql/builder.ts';
import { connectionByEmail } from '../../graphql/pagination.ts';
import { authenticatedAs, requiresAnyOf } from '../../permissions/access.ts';
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

const RegisterCustomerInput = builder.inputType('RegisterCustomerInput', {
  description: 'A new account.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'An address that has no account yet.' }),
    password: t.string({
      required: true,
      description: '10 to 256 characters, any of them, and not one that attackers try first.',
    }),
    firstName: t.string({ description: 'Given name.' }),
    lastName: t.string({ description: 'Family name.' }),
  }),
});

builder.mutationField('registerCustomer', (t) =>
  t.field({
    type: CustomerType,
    description:
      'A guest makes an account. Sign in with the same anonymous token to keep the session. Errors: BAD_USER_INPUT, CONFLICT `EMAIL_TAKEN`, RATE_LIMITED.',
    access: authenticatedAs('anonymous'),
    args: { input: t.arg({ type: RegisterCustomerInput, required: true, description: 'The account.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.customers.signUp(ctx, input),
  }),
);
