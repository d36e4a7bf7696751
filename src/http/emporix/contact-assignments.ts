// /customer-management/{tenant}/contact-assignments…: who may act for which company. A customer is named by id, as by
// the routes of IAM; the number is taken too.

import { z } from 'zod';
import type { ContactAssignments } from '../../modules/companies/contact-assignments.ts';
import { requires } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { companyErrors } from './company-errors.ts';
import { contactToWire, detailsFromWire, document } from './company-wire.ts';
import { tenantRoute } from './emporix-route.ts';
import { pageAnswer } from './paging.ts';
import { anyOf, filterBy, filterOf, moment, oneOf, text, yesOrNo } from './query-filter.ts';
import { shownBy } from './shown-fields.ts';
import { writingRoutes } from './writing-routes.ts';

const types = ['PRIMARY', 'BILLING', 'LOGISTICS', 'CONTACT'] as const;
const reference = z.object({ id: z.string() });
const contact = document.extend({
  legalEntity: reference,
  customer: reference,
  type: z.enum(types).nullish(),
  primary: z.boolean().nullish(),
});

const customerNumber = text('customerNumber');
const fields = {
  id: text('id'),
  'legalEntity.id': text('legalEntityId'),
  'customer.id': anyOf(text('customerId'), {
    ...customerNumber,
    at: (condition) => ({ customer: customerNumber.at(condition) }),
  }),
  type: oneOf('type', ...types),
  primary: yesOrNo('primary'),
  'metadata.createdAt': moment('createdAt'),
};

const contactFromWire = (body: z.output<typeof contact>) => ({
  id: body.id,
  customerId: body.customer.id,
  legalEntityId: body.legalEntity.id,
  type: body.type ?? 'CONTACT',
  primary: body.primary ?? false,
  details: detailsFromWire(body),
  version: body.metadata?.version,
});

/** All of them. */
export function createContactAssignmentRoutes({
  contactAssignments,
}: {
  contactAssignments: ContactAssignments;
}): Route[] {
  const all = '/customer-management/{tenant}/contact-assignments';
  const one = `${all}/{contactAssignmentId}`;
  const missing = 'The contact assignment with the requested code does not exist.';
  const ofList = companyErrors(missing);
  const ofOne = companyErrors(missing, 'contactAssignmentId');
  const reads = requires('customermanagement.contactassignment_read');
  const manages = requires('customermanagement.contactassignment_manage');

  return [
    tenantRoute({
      method: 'GET',
      path: all,
      access: reads,
      errors: ofList,
      answer(request) {
        const { ctx, query } = request;
        const shown = shownBy(query);
        const where = { AND: [filterOf(query.value('q'), fields), filterBy(query, fields)] };
        return pageAnswer(request, contactAssignments.list(ctx, where), {
          pageSize: 16,
          column: 'id',
          toWire: (each) => shown(contactToWire(each)),
        });
      },
    }),
    tenantRoute({
      method: 'GET',
      path: one,
      access: reads,
      errors: ofOne,
      answer: async ({ ctx, params, query }) => ({
        status: 200,
        body: shownBy(query)(contactToWire(await contactAssignments.get(ctx, params.contactAssignmentId!))),
      }),
    }),
    ...writingRoutes({
      all,
      parameter: 'contactAssignmentId',
      body: contact,
      access: manages,
      errors: { list: ofList, one: ofOne },
      create: (ctx, input) => contactAssignments.create(ctx, contactFromWire(input)),
      put: (ctx, id, input) => contactAssignments.put(ctx, id, contactFromWire(input)),
      delete: (ctx, id) => contactAssignments.unassign(ctx, { id }),
    }),
  ];
}
