// /iam/{tenant}/access-controls…: what groups and templates are filled with.

import { z } from 'zod';
import { notFound } from '../../errors/domain-error.ts';
import { requires } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { tenantRoute } from './emporix-route.ts';
import { deleted, errorsOf } from './iam-errors.ts';
import { controlDocuments, type IamUseCases, richPage } from './iam-page.ts';
import { localizedInput, metadataInput, unsupported, userTypeInput } from './iam-wire.ts';
import { filterBy, filterOf, oneOf, optional, text, yesOrNo } from './query-filter.ts';

const restrictedTo = optional(oneOf('restrictedTo', 'EMPLOYEE', 'CUSTOMER'));
const byParameter = { roleId: optional(text('roleId')), resourceId: optional(text('resourceId')) };
const fields = {
  ...byParameter,
  id: text('id'),
  name: text('name'),
  'name.en': text('name'),
  predefined: yesOrNo('predefined'),
  restrictedTo,
};

const wanted = z.object({
  name: localizedInput.optional(),
  scopes: z.array(z.string()).min(1),
  restrictedTo: userTypeInput.nullish(),
  restrictionAware: unsupported('Restrictions are', false),
  vendorAware: unsupported('Vendors are', false),
  metadata: metadataInput,
});

/** All four. */
export function createAccessControlRoutes(useCases: IamUseCases): Route[] {
  const { accessControls } = useCases;
  const all = '/iam/{tenant}/access-controls';
  const one = `${all}/{accessControlId}`;
  return [
    tenantRoute({
      method: 'GET',
      path: all,
      access: requires('iam.access_read'),
      errors: errorsOf(),
      answer(request) {
        const { ctx, query } = request;
        const where = { AND: [filterOf(query.value('q'), fields), filterBy(query, byParameter)] };
        return richPage(request, accessControls.list(ctx, { where }), (rows) =>
          controlDocuments(useCases, request, rows),
        );
      },
    }),
    tenantRoute({
      method: 'GET',
      path: one,
      access: requires('iam.access_read'),
      errors: errorsOf('accessControlId'),
      async answer(request) {
        const control = await accessControls.find(request.ctx, request.params.accessControlId!);
        if (!control) throw notFound('Access control');
        const [body] = await controlDocuments(useCases, request, [control]);
        return { status: 200, body };
      },
    }),
    tenantRoute({
      method: 'PUT',
      path: one,
      access: requires('iam.access_manage'),
      errors: errorsOf('accessControlId'),
      async answer({ ctx, params, body }) {
        const id = params.accessControlId!;
        const { name, scopes, restrictedTo: userType, metadata } = await body(wanted);
        const version = metadata?.version;
        const isNew = await accessControls.put(ctx, id, { name, scopes, restrictedTo: userType, version });
        return isNew ? { status: 201, body: { id } } : { status: 204 };
      },
    }),
    tenantRoute({
      method: 'DELETE',
      path: one,
      access: requires('iam.access_manage'),
      errors: errorsOf('accessControlId', 403),
      answer: ({ ctx, params }) => deleted(accessControls.delete(ctx, params.accessControlId!)),
    }),
  ];
}
