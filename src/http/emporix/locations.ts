// /customer-management/{tenant}/locations…: addresses. One is nobody's until a company names it among its own.

import { z } from 'zod';
import type { Locations } from '../../modules/companies/locations.ts';
import { requires } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { companyErrors } from './company-errors.ts';
import { detailsFromWire, document, locationToWire, withoutNulls } from './company-wire.ts';
import { tenantRoute } from './emporix-route.ts';
import { pageAnswer } from './paging.ts';
import { anyOf, filterBy, filterOf, moment, oneOf, optional, text, textWithin } from './query-filter.ts';
import { shownBy } from './shown-fields.ts';
import { writingRoutes } from './writing-routes.ts';

const types = ['HEADQUARTER', 'WAREHOUSE', 'OFFICE'] as const;
/** More than these are found by nobody who searches for one of them. */
const MOST_OF_A_LIST = 10;
const texts = z.array(z.string()).max(MOST_OF_A_LIST).nullish();
const line = z.string().nullish();

const location = document.extend({
  name: z.string().nullish(),
  type: z.enum(types),
  contactDetails: z.looseObject({
    emails: texts,
    phones: texts,
    addressLine1: line,
    addressLine2: line,
    city: line,
    state: line,
    postcode: line,
    countryCode: line,
    tags: texts,
  }),
});

const within = (...path: string[]) => textWithin('details', 'contactDetails', ...path);
const among = (list: string) =>
  anyOf(...Array.from({ length: MOST_OF_A_LIST }, (_each, place) => within(list, String(place))));
const fields = {
  id: text('id'),
  name: text('name'),
  type: oneOf('type', ...types),
  'contactDetails.email': among('emails'),
  'contactDetails.phone': among('phones'),
  'contactDetails.address': anyOf(within('addressLine1'), within('addressLine2')),
  'contactDetails.city': optional(text('city')),
  'contactDetails.state': within('state'),
  'contactDetails.postcode': within('postcode'),
  'contactDetails.countryCode': optional(text('countryCode')),
  'metadata.createdAt': moment('createdAt'),
};
const exact = ['id', 'type', 'contactDetails.countryCode', 'metadata.createdAt'];
const searches = Object.keys(fields).filter((name) => !exact.includes(name));

function locationFromWire(body: z.output<typeof location>) {
  const { city, countryCode, ...contactDetails } = body.contactDetails;
  return {
    id: body.id,
    name: body.name || body.type,
    type: body.type,
    city: city || null,
    countryCode: countryCode || null,
    details: detailsFromWire(body, { contactDetails: withoutNulls(contactDetails) }),
    version: body.metadata?.version,
  };
}

/** All of them. */
export function createLocationRoutes({ locations }: { locations: Locations }): Route[] {
  const all = '/customer-management/{tenant}/locations';
  const one = `${all}/{locationId}`;
  const missing = 'The location with the requested code does not exist.';
  const ofList = companyErrors(missing);
  const ofOne = companyErrors(missing, 'locationId');
  const reads = requires('customermanagement.location_read');
  const manages = requires('customermanagement.location_manage');

  return [
    tenantRoute({
      method: 'GET',
      path: all,
      access: reads,
      errors: ofList,
      answer(request) {
        const { ctx, query } = request;
        const shown = shownBy(query);
        const where = { AND: [filterOf(query.value('q'), fields), filterBy(query, fields, searches)] };
        return pageAnswer(request, locations.list(ctx, where), {
          pageSize: 16,
          column: 'name',
          toWire: (each) => shown(locationToWire(each)),
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
        body: shownBy(query)(locationToWire(await locations.get(ctx, params.locationId!))),
      }),
    }),
    ...writingRoutes({
      all,
      parameter: 'locationId',
      body: location,
      access: manages,
      errors: { list: ofList, one: ofOne },
      create: (ctx, input) => locations.create(ctx, locationFromWire(input)),
      put: (ctx, id, input) => locations.put(ctx, id, locationFromWire(input)),
      delete: (ctx, id) => locations.delete(ctx, id),
    }),
  ];
}
