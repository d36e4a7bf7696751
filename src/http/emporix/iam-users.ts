// /iam/{tenant}/users…: employees and customers as access management sees them, and what they have by their groups.

import { z } from 'zod';
import { notFound } from '../../errors/domain-error.ts';
import { permissionsOf } from '../../modules/iam/actions.ts';
import { requires } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { checked, tenantRoute } from './emporix-route.ts';
import { scopeText } from './emporix-tokens.ts';
import { deleted, errorsOf } from './iam-errors.ts';
import { controlDocuments, expands, type IamUseCases, richPage, simplePage } from './iam-page.ts';
import { permissionDocument, userDocument, userTypeInput } from './iam-wire.ts';
import { listOf } from './paging.ts';

const names = { firstName: z.string(), lastName: z.string() };
const account = z.object({ ...names, contactEmail: z.string(), groupIds: z.array(z.string()).nullish() });
const change = z.object({ ...names, groupIds: z.array(z.string()).nullish() });
const listed = z.object({ userType: userTypeInput.default('EMPLOYEE') });

const all = '/iam/{tenant}/users';
const one = `${all}/{userId}`;

/** Accounts. */
export function createUserRoutes({ employeeAccounts, users }: IamUseCases): Route[] {
  return [
    tenantRoute({
      method: 'GET',
      path: all,
      access: requires('iam.user_read'),
      errors: errorsOf(),
      answer(request) {
        const { ctx, query } = request;
        const { userType } = checked(listed, { userType: query.value('userType') });
        const isExpanded = expands(query, 'groups');
        return richPage(
          request,
          users.list(ctx, userType),
          async (people) => {
            const groups = await users.groupsOf(ctx, people);
            return people.map((person, at) => userDocument(person, groups[at]!, isExpanded));
          },
          'contactEmail',
        );
      },
    }),
    tenantRoute({
      method: 'POST',
      path: all,
      access: requires('iam.user_create'),
      errors: errorsOf(),
      async answer({ ctx, body }) {
        const { contactEmail: email, ...input } = await body(account);
        const { id } = await employeeAccounts.create(ctx, { ...input, email });
        return { status: 201, body: { id } };
      },
    }),
    tenantRoute({
      method: 'GET',
      path: one,
      access: requires('iam.user_read'),
      errors: errorsOf('userId'),
      async answer({ ctx, params, query }) {
        const person = await users.find(ctx, params.userId!);
        if (!person) throw notFound('User');
        const [groups] = await users.groupsOf(ctx, [person]);
        return { status: 200, body: userDocument(person, groups!, expands(query, 'groups')) };
      },
    }),
    tenantRoute({
      method: 'PUT',
      path: one,
      access: requires('iam.user_update'),
      errors: errorsOf('userId'),
      async answer({ ctx, params, body }) {
        await employeeAccounts.update(ctx, params.userId!, await body(change));
        return { status: 204 };
      },
    }),
    tenantRoute({
      method: 'DELETE',
      path: one,
      access: requires('iam.user_delete'),
      errors: errorsOf('userId', 403),
      answer: ({ ctx, params }) => deleted(employeeAccounts.delete(ctx, params.userId!)),
    }),
    tenantRoute({
      method: 'GET',
      path: `${all}/vendors/{vendorId}`,
      access: requires('iam.user_read'),
      errors: errorsOf('vendorId'),
      // There are no vendors here, so none has anybody.
      answer: (request) => simplePage(request, listOf<never>([]), (nobody) => nobody),
    }),
  ];
}

/** What somebody has by groups; for customers without a company. */
export function createUserAccessRoutes(useCases: IamUseCases): Route[] {
  const { accessControls, scopes, users } = useCases;
  return [
    tenantRoute({
      method: 'GET',
      path: `${one}/scopes`,
      access: requires('iam.scope_read'),
      errors: errorsOf('userId'),
      async answer({ ctx, params }) {
        const userId = params.userId!;
        const held = await users.scopesOf(ctx, userId);
        return { status: 200, body: { userId, scopes: scopeText(held, ctx.tenantId) } };
      },
    }),
    tenantRoute({
      method: 'GET',
      path: `${one}/access-controls`,
      access: requires('iam.access_read'),
      errors: errorsOf('userId'),
      async answer(request) {
        const { ctx, params } = request;
        const givenBy = await users.givingGroupsOf(ctx, params.userId!);
        return richPage(request, accessControls.list(ctx, { givenBy }), (rows) =>
          controlDocuments(useCases, request, rows),
        );
      },
    }),
    tenantRoute({
      method: 'GET',
      path: `${one}/access-controls/{resourceId}`,
      access: requires('iam.access_read'),
      errors: errorsOf('userId'),
      async answer(request) {
        const { ctx, params } = request;
        const givenBy = await users.givingGroupsOf(ctx, params.userId!);
        const where = { AND: [{ resourceId: params.resourceId! }] };
        return richPage(request, accessControls.list(ctx, { givenBy, where }), (rows) =>
          controlDocuments(useCases, request, rows),
        );
      },
    }),
    tenantRoute({
      method: 'GET',
      path: `${one}/permissions/{resourceId}`,
      access: requires('iam.permission_read'),
      errors: errorsOf('userId'),
      async answer(request) {
        const { ctx, params } = request;
        const held = await users.scopesOf(ctx, params.userId!);
        const permissions = permissionsOf(scopes.list(ctx));
        const allowed = permissions.filter(({ action }) => held.includes(`${params.resourceId}_${action}`));
        return simplePage(request, listOf(allowed), permissionDocument);
      },
    }),
  ];
}
