// /customer-management/{tenant}/legal-entities…: companies in one piece, with the groups and locations of each.
// What would be an order to this service that it does not carry out (approval groups, restrictions) is refused.

import { z } from 'zod';
import { notFound } from '../../errors/domain-error.ts';
import type { CompanyProfile, CompanyProfiles } from '../../modules/companies/company-profiles.ts';
import type { LegalEntities } from '../../modules/companies/legal-entities.ts';
import { requires, requiresAnyOf } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { companyErrors } from './company-errors.ts';
import {
  companyToWire,
  detailsFromWire,
  document,
  legalEntityToWire,
  requireNone,
  withoutNulls,
} from './company-wire.ts';
import { type EmporixRequest, tenantRoute } from './emporix-route.ts';
import { pageAnswer } from './paging.ts';
import { filterBy, filterOf, moment, oneOf, optional, text, textWithin } from './query-filter.ts';
import { shownBy } from './shown-fields.ts';
import { writingRoutes } from './writing-routes.ts';

const MISSING = 'The legal entity with the requested code does not exist.';
const references = z.array(z.object({ id: z.string() })).nullish();
const fact = z.string().nullish();

const legalEntity = document.extend({
  name: z.string(),
  type: z.enum(['COMPANY', 'SUBSIDIARY']).nullish(),
  parentId: z.string().nullish(),
  accountLimit: z.object({ currency: z.string(), value: z.number() }).nullish(),
  legalInfo: z
    .looseObject({
      legalName: fact,
      registrationDate: fact,
      taxRegistrationNumber: fact,
      registrationAgency: fact,
      countryOfRegistration: fact,
      registrationId: fact,
    })
    .nullish(),
  customerGroups: references,
  entitiesAddresses: references,
  approvalGroup: references,
  restrictions: z.array(z.string()).nullish(),
});

const search = z.object({ q: z.string().optional() });

const fields = {
  id: text('id'),
  name: text('name'),
  type: oneOf('type', 'COMPANY', 'SUBSIDIARY'),
  parentId: optional(text('parentId')),
  'legalInfo.legalName': textWithin('details', 'legalInfo', 'legalName'),
  'legalInfo.registrationDate': textWithin('details', 'legalInfo', 'registrationDate'),
  'legalInfo.taxRegistrationNumber': textWithin('details', 'legalInfo', 'taxRegistrationNumber'),
  'legalInfo.registrationAgency': textWithin('details', 'legalInfo', 'registrationAgency'),
  'legalInfo.countryOfRegistration': textWithin('details', 'legalInfo', 'countryOfRegistration'),
  'legalInfo.registrationId': textWithin('details', 'legalInfo', 'registrationId'),
  'metadata.createdAt': moment('createdAt'),
};
const searches = ['name', 'legalInfo.legalName', 'legalInfo.registrationAgency', 'legalInfo.countryOfRegistration'];

function profileFromWire(body: z.output<typeof legalEntity>) {
  const { id, name, type, parentId, accountLimit, legalInfo, customerGroups, entitiesAddresses } = body;
  requireNone(body.approvalGroup, 'approvalGroup', 'This service keeps no approval groups.');
  requireNone(body.restrictions, 'restrictions', 'This service knows no restrictions: nothing would be restricted.');
  return {
    id,
    name,
    type,
    parentId,
    accountLimit: accountLimit && { currency: accountLimit.currency, value: String(accountLimit.value) },
    details: detailsFromWire(body, legalInfo ? { legalInfo: withoutNulls(legalInfo) } : {}),
    groupIds: customerGroups?.map((group) => group.id),
    locationIds: entitiesAddresses?.map((location) => location.id),
    version: body.metadata?.version,
  } satisfies CompanyProfile & { version: unknown };
}

/** All of them. */
export function createLegalEntityRoutes({
  companyProfiles,
  legalEntities,
}: {
  companyProfiles: CompanyProfiles;
  legalEntities: LegalEntities;
}): Route[] {
  const all = '/customer-management/{tenant}/legal-entities';
  const one = `${all}/{legalEntityId}`;
  const ofList = companyErrors(MISSING);
  const ofOne = companyErrors(MISSING, 'legalEntityId');
  const reads = requiresAnyOf('customermanagement.legalentity_read', 'customermanagement.legalentity_read_own');
  const manages = requires('customermanagement.legalentity_manage');

  function list(request: EmporixRequest, q: string | undefined) {
    const { ctx, query } = request;
    const where = { AND: [filterOf(q, fields), filterBy(query, fields, searches)] };
    const shown = shownBy(query);
    return pageAnswer(request, legalEntities.list(ctx, { where }), {
      pageSize: 16,
      column: 'name',
      pageToWire: async (rows) =>
        (await companyProfiles.whole(ctx, rows)).map((company) => shown(companyToWire(company))),
    });
  }

  return [
    tenantRoute({
      method: 'GET',
      path: all,
      access: reads,
      errors: ofList,
      answer: (request) => list(request, request.query.value('q')),
    }),
    tenantRoute({
      method: 'POST',
      path: `${all}/search`,
      says: { body: search },
      access: reads,
      errors: ofList,
      async answer(request) {
        const { q } = await request.body(search);
        return list(request, q);
      },
    }),
    tenantRoute({
      method: 'GET',
      path: one,
      access: requires('customermanagement.legalentity_read'),
      errors: ofOne,
      async answer({ ctx, params, query }) {
        const found = (await legalEntities.inReach(ctx, [params.legalEntityId!])).filter((each) => each !== null);
        const [company] = await companyProfiles.whole(ctx, found);
        if (!company) throw notFound('Legal entity');
        return { status: 200, body: shownBy(query)(companyToWire(company)) };
      },
    }),
    tenantRoute({
      method: 'GET',
      path: `${one}/parent-hierarchy`,
      access: requiresAnyOf('customermanagement.legalentity_read', 'customermanagement.legalentity_manage'),
      errors: ofOne,
      async answer({ ctx, params }) {
        const line = await companyProfiles.lineage(ctx, params.legalEntityId!);
        return { status: 200, body: line.map((entity) => legalEntityToWire(entity)) };
      },
    }),
    ...writingRoutes({
      all,
      parameter: 'legalEntityId',
      body: legalEntity,
      access: manages,
      errors: { list: ofList, one: ofOne },
      create: (ctx, input) => companyProfiles.create(ctx, profileFromWire(input)),
      put: (ctx, id, input) => companyProfiles.put(ctx, id, profileFromWire(input)),
      delete: (ctx, id) => legalEntities.delete(ctx, id),
    }),
  ];
}
