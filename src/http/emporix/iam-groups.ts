// /iam/{tenant}/groups…: groups, and what they give.

import { z } from 'zod';
import { matching } from '../../database/keyset.ts';
import { notFound } from '../../errors/domain-error.ts';
import { requires, requiresAnyOf } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { type Query, tenantRoute } from './emporix-route.ts';
import { deleted, errorsOf } from './iam-errors.ts';
import { controlDocuments, groupDocuments, type IamUseCases, richPage } from './iam-page.ts';
import { groupCodes, localizedInput, metadataInput, unsupported, userTypeInput } from './iam-wire.ts';
import { filterBy, filterOf, moment, oneOf, optional, text } from './query-filter.ts';

const rolesByCode = Object.fromEntries(Object.entries(groupCodes).map(([role, code]) => [code, role]));
const byParameter = {
  id: text('id'),
  code: { ...optional(text('role')), known: rolesByCode },
  userType: oneOf('userType', 'EMPLOYEE', 'CUSTOMER'),
};
const fields = {
  ...byParameter,
  name: text('name'),
  'name.en': text('name'),
  'b2b.legalEntityId': optional(text('legalEntityId')),
  'metadata.createdAt': moment('createdAt'),
};

/** By what people call it; storefronts find the groups of companies so by their codes, too: `name=b2b`. */
function named(query: Query): { AND: object[] } {
  const name = query.value('name');
  if (name === undefined) return { AND: [] };
  const codes = Object.keys(rolesByCode).filter((code) => code.includes(name.toUpperCase()));
  return { AND: [{ OR: [...matching(name, ['name']), { role: { in: codes.map((code) => rolesByCode[code]) } }] }] };
}

const ids = z.array(z.string()).nullish();
const wanted = z.object({
  name: localizedInput,
  userType: userTypeInput.nullish(),
  accessControls: ids,
  templates: ids,
  b2b: z.object({ legalEntityId: z.string().nullish() }).nullish(),
  restrictions: z.array(z.unknown()).max(0, 'Restrictions are not supported here.').nullish(),
  vendorId: unsupported('Groups of vendors are'),
});

/** What is sent, as the use cases have it. */
const inputOf = ({ name, userType, accessControls, templates, b2b }: z.output<typeof wanted>) => ({
  name,
  userType,
  accessControlIds: accessControls,
  templateIds: templates,
  legalEntityId: b2b?.legalEntityId,
});

/** The routes of groups; not those of their members. */
export function createGroupRoutes(useCases: IamUseCases): Route[] {
  const { accessControls, groups } = useCases;
  const all = '/iam/{tenant}/groups';
  const one = `${all}/{groupId}`;
  return [
    tenantRoute({
      method: 'GET',
      path: all,
      access: requiresAnyOf('iam.group_read', 'iam.group_read_own'),
      errors: errorsOf(),
      answer(request) {
        const { ctx, query } = request;
        const where = { AND: [filterOf(query.value('q'), fields), filterBy(query, byParameter), named(query)] };
        return richPage(request, groups.list(ctx, { where }), (rows) => groupDocuments(useCases, ctx, rows));
      },
    }),
    tenantRoute({
      method: 'POST',
      path: all,
      access: requires('iam.group_manage'),
      errors: errorsOf(),
      async answer({ ctx, body }) {
        const { id: chosen, ...given } = await body(wanted.extend({ id: z.string().nullish() }));
        const { userType, ...input } = inputOf(given);
        const { id } = await groups.create(ctx, { ...input, id: chosen, userType: userType ?? 'EMPLOYEE' });
        return { status: 201, body: { id } };
      },
    }),
    tenantRoute({
      method: 'GET',
      path: one,
      access: requires('iam.group_read'),
      errors: errorsOf('groupId'),
      async answer({ ctx, params }) {
        const group = await groups.find(ctx, params.groupId!);
        if (!group) throw notFound('Group');
        const [body] = await groupDocuments(useCases, ctx, [group]);
        return { status: 200, body };
      },
    }),
    tenantRoute({
      method: 'PUT',
      path: one,
      access: requires('iam.group_manage'),
      errors: errorsOf('groupId'),
      async answer({ ctx, params, body }) {
        const id = params.groupId!;
        const { metadata, ...given } = await body(wanted.extend({ metadata: metadataInput }));
        const isNew = await groups.put(ctx, id, { ...inputOf(given), version: metadata?.version });
        return isNew ? { status: 201, body: { id } } : { status: 204 };
      },
    }),
    tenantRoute({
      method: 'DELETE',
      path: one,
      access: requires('iam.group_manage'),
      errors: errorsOf('groupId'),
      answer: ({ ctx, params, query }) =>
        deleted(groups.delete(ctx, params.groupId!, query.value('forceDelete') === 'true')),
    }),
    tenantRoute({
      method: 'GET',
      path: `${one}/access-controls`,
      access: requires('iam.access_read'),
      errors: errorsOf('groupId'),
      async answer(request) {
        const { ctx, params } = request;
        const givenBy = await groups.giving(ctx, params.groupId!);
        return richPage(request, accessControls.list(ctx, { givenBy }), (rows) =>
          controlDocuments(useCases, request, rows),
        );
      },
    }),
  ];
}
