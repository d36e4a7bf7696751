// /iam/{tenant}/users/me…: the caller, whoever that is. Needs no scope, and leads to nobody else.

import { callers, subjectOf } from '../../modules/principals/callers.ts';
import { authenticated, authenticatedAs } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { tenantRoute } from './emporix-route.ts';
import { scopeText } from './emporix-tokens.ts';
import { errorsOf } from './iam-errors.ts';
import { controlDocuments, expands, type IamUseCases, richPage } from './iam-page.ts';
import { userDocument } from './iam-wire.ts';

/** All three. */
export function createOwnRoutes(useCases: IamUseCases): Route[] {
  const { accessControls, users } = useCases;
  const me = '/iam/{tenant}/users/me';
  return [
    tenantRoute({
      method: 'GET',
      path: me,
      access: authenticatedAs('employee', 'customer'),
      errors: errorsOf(),
      async answer({ ctx, query }) {
        const body = userDocument(await users.me(ctx), await users.myGroups(ctx), expands(query, 'groups'));
        return { status: 200, body };
      },
    }),
    tenantRoute({
      method: 'GET',
      path: `${me}/scopes`,
      access: authenticated,
      errors: errorsOf(),
      // What this very token allows, for its company.
      async answer({ ctx }) {
        const principal = callers.require(ctx);
        const scopes = scopeText(principal.scopes, ctx.tenantId);
        return { status: 200, body: { userId: subjectOf(principal), scopes } };
      },
    }),
    tenantRoute({
      method: 'GET',
      path: `${me}/access-controls`,
      access: authenticated,
      errors: errorsOf(),
      async answer(request) {
        const { ctx } = request;
        const givenBy = await users.myGivingGroups(ctx);
        return richPage(request, accessControls.list(ctx, { givenBy }), (rows) =>
          controlDocuments(useCases, request, rows),
        );
      },
    }),
  ];
}
