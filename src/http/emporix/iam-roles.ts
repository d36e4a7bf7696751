// /iam/{tenant}/roles…, permissions…, resources… and templates: what access controls are made of, and bundled in.

import { notFound } from '../../errors/domain-error.ts';
import { permissionsOf, resourcesOf } from '../../modules/iam/actions.ts';
import { callers } from '../../modules/principals/callers.ts';
import { requires } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { tenantRoute } from './emporix-route.ts';
import { errorsOf } from './iam-errors.ts';
import { expands, type IamUseCases, richPage, simplePage, templateDocuments } from './iam-page.ts';
import { permissionDocument, resourceDocument, roleDocument } from './iam-wire.ts';
import { listOf } from './paging.ts';

/** All seven. */
export function createRoleRoutes(useCases: IamUseCases): Route[] {
  const { roles, scopes, templates } = useCases;
  return [
    tenantRoute({
      method: 'GET',
      path: '/iam/{tenant}/templates',
      access: requires('iam.template_read'),
      errors: errorsOf(),
      answer(request) {
        const { ctx, query } = request;
        return richPage(request, templates.list(ctx), (rows) =>
          templateDocuments(useCases, request, rows, expands(query, 'accessControls')),
        );
      },
    }),
    tenantRoute({
      method: 'GET',
      path: '/iam/{tenant}/roles',
      access: requires('iam.role_read'),
      errors: errorsOf(),
      answer(request) {
        const { ctx } = request;
        const showsPermissions = callers.holds(ctx, 'iam.permission_read');
        return simplePage(request, roles.list(ctx), (role) => roleDocument(role, showsPermissions));
      },
    }),
    tenantRoute({
      method: 'GET',
      path: '/iam/{tenant}/roles/{roleId}',
      access: requires('iam.role_read'),
      errors: errorsOf('roleId'),
      async answer({ ctx, params }) {
        const role = await roles.find(ctx, params.roleId!);
        if (!role) throw notFound('Role');
        return { status: 200, body: roleDocument(role, callers.holds(ctx, 'iam.permission_read')) };
      },
    }),
    tenantRoute({
      method: 'GET',
      path: '/iam/{tenant}/permissions',
      access: requires('iam.permission_read'),
      errors: errorsOf(),
      answer: (request) => simplePage(request, listOf(permissionsOf(scopes.list(request.ctx))), permissionDocument),
    }),
    tenantRoute({
      method: 'GET',
      path: '/iam/{tenant}/permissions/{permissionId}',
      access: requires('iam.permission_read'),
      errors: errorsOf('permissionId'),
      async answer({ ctx, params }) {
        const permission = permissionsOf(scopes.list(ctx)).find(({ id }) => id === params.permissionId);
        if (!permission) throw notFound('Permission');
        return { status: 200, body: permissionDocument(permission) };
      },
    }),
    tenantRoute({
      method: 'GET',
      path: '/iam/{tenant}/resources',
      access: requires('iam.resource_read'),
      errors: errorsOf(),
      answer: (request) => simplePage(request, listOf(resourcesOf(scopes.list(request.ctx))), resourceDocument),
    }),
    tenantRoute({
      method: 'GET',
      path: '/iam/{tenant}/resources/{resourceId}',
      access: requires('iam.resource_read'),
      errors: errorsOf('resourceId'),
      async answer({ ctx, params }) {
        const resource = resourcesOf(scopes.list(ctx)).find(({ id }) => id === params.resourceId);
        if (!resource) throw notFound('Resource');
        return { status: 200, body: resourceDocument(resource) };
      },
    }),
  ];
}
