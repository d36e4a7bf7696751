// /iam/{tenant}/scopes…: the scopes that there are, and those that a tenant defines.

import { z } from 'zod';
import { notFound } from '../../errors/domain-error.ts';
import { requireEditable } from '../../modules/administration/editing.ts';
import { requires } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { tenantRoute } from './emporix-route.ts';
import { deleted, errorsOf } from './iam-errors.ts';
import { type IamUseCases, simplePage } from './iam-page.ts';
import { localizedInput, scopeDocument } from './iam-wire.ts';
import { listOf } from './paging.ts';
import { filterOf, satisfied, text, yesOrNo } from './query-filter.ts';

const fields = {
  id: text('id'),
  domain: text('domain'),
  description: text('description'),
  'description.en': text('description'),
  predefined: yesOrNo('predefined'),
};

/** All four. */
export function createScopeRoutes({ scopes, scopeDefinitions }: IamUseCases): Route[] {
  const all = '/iam/{tenant}/scopes';
  const one = `${all}/{scopeId}`;
  return [
    tenantRoute({
      method: 'GET',
      path: all,
      access: requires('iam.scope_read'),
      errors: errorsOf(),
      answer(request) {
        const { ctx, query } = request;
        const conditions = filterOf(query.value('q'), fields);
        const found = scopes
          .list(ctx)
          .filter(({ id, service, description, custom }) =>
            satisfied(conditions, { id, domain: service, description, predefined: !custom }),
          );
        return simplePage(request, listOf(found), scopeDocument, 'id');
      },
    }),
    tenantRoute({
      method: 'GET',
      path: one,
      access: requires('iam.scope_read'),
      errors: errorsOf('scopeId'),
      async answer({ ctx, params }) {
        const scope = scopes.find(ctx, params.scopeId!);
        if (!scope) throw notFound('Scope');
        return { status: 200, body: scopeDocument(scope) };
      },
    }),
    tenantRoute({
      method: 'PUT',
      path: one,
      access: requires('iam.scope_manage'),
      errors: errorsOf('scopeId'),
      async answer({ ctx, params, body }) {
        const id = params.scopeId!;
        const { description } = await body(z.object({ description: localizedInput.optional() }));
        const isNew = await scopeDefinitions.put(ctx, id, description);
        return isNew ? { status: 201, body: { id } } : { status: 204 };
      },
    }),
    tenantRoute({
      method: 'DELETE',
      path: one,
      access: requires('iam.scope_manage'),
      errors: errorsOf('scopeId', 403),
      async answer({ ctx, params }) {
        const scope = scopes.find(ctx, params.scopeId!);
        requireEditable({ predefined: scope?.custom === false });
        return deleted(scopeDefinitions.delete(ctx, params.scopeId!));
      },
    }),
  ];
}
