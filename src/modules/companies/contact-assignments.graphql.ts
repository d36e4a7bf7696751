// Who is a contact of which company, seen from either side.

import { notFound } from '../../errors/domain-error.ts';
import { batched, batchedPages } from '../../graphql/batched.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionOf } from '../../graphql/pagination.ts';
import { requires, requiresAnyOf } from '../../permissions/access.ts';
import { CustomerType } from '../principals/customers.graphql.ts';
import type { ContactAssignment } from './inherited-contacts.ts';
import { LegalEntityType, legalEntityInReach } from './legal-entities.graphql.ts';
import type { LegalEntity } from './legal-entities.ts';

const ContactTypeEnum = builder.enumType('ContactType', {
  description: 'What a contact is asked about.',
  values: {
    PRIMARY: { description: 'Everything: the first to ask.' },
    BILLING: { description: 'Invoices.' },
    LOGISTICS: { description: 'Deliveries.' },
    CONTACT: { description: 'Nothing in particular.' },
  } as const,
});

const customerOf = batched((ctx, ids: readonly string[]) => ctx.services.customers.inReach(ctx, ids));

const ContactAssignmentType = builder.objectRef<ContactAssignment>('ContactAssignment').implement({
  description: 'A customer may act for a legal entity.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the assignment.' }),
    customer: t.field({
      type: CustomerType,
      description: 'Who.',
      access: requires('customer.customer_read'),
      resolve: async ({ customerId }, _args, ctx) => {
        const customer = await customerOf(ctx, customerId);
        if (!customer) throw notFound('Customer');
        return customer;
      },
    }),
    legalEntity: t.field({
      type: LegalEntityType,
      description: 'For which legal entity.',
      access: requires('customermanagement.legalentity_read'),
      resolve: async ({ legalEntityId }, _args, ctx) => {
        const entity = await legalEntityInReach(ctx, legalEntityId);
        if (!entity) throw notFound('Legal entity');
        return entity;
      },
    }),
    type: t.field({
      type: ContactTypeEnum,
      description: 'What the contact is asked about.',
      resolve: ({ type }) => type,
    }),
    primary: t.exposeBoolean('primary', { description: 'Is this who to ask first?' }),
    inherited: t.boolean({
      description: 'Does it come from an assignment to a company above or below, and go with it?',
      resolve: ({ causeId }) => causeId !== null,
    }),
  }),
});

const contactsOf = batchedPages<ContactAssignment>((ctx, ids, window) =>
  ctx.services.contactAssignments.pages(ctx, ids, window),
);
const countOf = batched<string, number>((ctx, ids) => ctx.services.contactAssignments.counts(ctx, ids));
const assignmentsOf = batched<string, ContactAssignment[]>((ctx, ids) =>
  ctx.services.contactAssignments.ofCustomers(ctx, ids),
);
const companiesOf = batched<string, LegalEntity[]>((ctx, ids) => ctx.services.legalEntities.ofCustomers(ctx, ids));

builder.objectFields(LegalEntityType, (t) => ({
  contactAssignments: t.connection(
    {
      type: ContactAssignmentType,
      description: 'Who may act for it, longest first.',
      access: requires('customermanagement.contactassignment_read'),
      resolve: ({ id }, args, ctx) =>
        connectionOf<ContactAssignment>(
          args,
          { list: 'contacts', keyOf: (contact) => [contact.id], keyParts: 1, totalCount: () => countOf(ctx, id) },
          (window) => contactsOf(ctx, { id, window }),
        ),
    },
    { name: 'ContactAssignmentConnection', description: 'A page of contact assignments.' },
    { name: 'ContactAssignmentEdge', description: 'A contact assignment in a page.' },
  ),
}));

builder.objectFields(CustomerType, (t) => ({
  legalEntities: t.field({
    type: [LegalEntityType],
    description: 'The legal entities that the customer is assigned to, by name; with `_own` those of the caller too.',
    access: requiresAnyOf('customermanagement.legalentity_read', 'customermanagement.legalentity_read_own'),
    resolve: ({ id }, _args, ctx) => companiesOf(ctx, id),
  }),
  contactAssignments: t.field({
    type: [ContactAssignmentType],
    description: 'The assignments of the customer.',
    access: requires('customermanagement.contactassignment_read'),
    resolve: ({ id }, _args, ctx) => assignmentsOf(ctx, id),
  }),
}));

const AssignContactInput = builder.inputType('AssignContactInput', {
  description: 'A customer and a legal entity.',
  fields: (t) => ({
    customerId: t.id({ required: true, description: 'Who.' }),
    legalEntityId: t.id({ required: true, description: 'For which legal entity.' }),
    type: t.field({ type: ContactTypeEnum, description: 'What the contact is asked about; `CONTACT` unless said.' }),
    primary: t.boolean({ description: 'Is this who to ask first? No unless said.' }),
  }),
});

builder.mutationFields((t) => ({
  assignContact: t.field({
    type: ContactAssignmentType,
    description:
      "Lets a customer act for a legal entity, as a Contact, and by inheritance for those above it (or below: the tenant's setting `contactPropagation`). Again: type and primary change. Errors: NOT_FOUND, FORBIDDEN for scopes that the caller lacks.",
    access: requires('customermanagement.contactassignment_manage'),
    args: { input: t.arg({ type: AssignContactInput, required: true, description: 'Who, and for which company.' }) },
    resolve: (_root, { input: { customerId, legalEntityId, ...details } }, ctx) =>
      ctx.services.contactAssignments.assign(ctx, customerId, legalEntityId, details),
  }),
  unassignContact: t.field({
    type: 'ID',
    description:
      'Takes a customer out of a legal entity and of its groups, and out of what came by inheritance only: tokens for them are refused at once. Errors: NOT_FOUND.',
    access: requires('customermanagement.contactassignment_manage'),
    args: { id: t.arg.id({ required: true, description: 'Which assignment.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.contactAssignments.unassign(ctx, { id });
      return id;
    },
  }),
}));
