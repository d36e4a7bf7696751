// /iam/{tenant}/groups/{groupId}/users… and /iam/{tenant}/users/{userId}/groups…: who is in which group.

import { z } from 'zod';
import { notFound } from '../../errors/domain-error.ts';
import { callers } from '../../modules/principals/callers.ts';
import { requires, requiresAnyOf } from '../../permissions/access.ts';
import type { Route } from '../router.ts';
import { checked, tenantRoute } from './emporix-route.ts';
import { deleted, errorsOf } from './iam-errors.ts';
import { groupDocuments, type IamUseCases, richPage, simplePage } from './iam-page.ts';
import { assignmentDocument, assignmentId, userTypeInput } from './iam-wire.ts';

const assignment = z.object({ userId: z.string(), userType: userTypeInput.default('EMPLOYEE') });
const inPath = z.object({ groupId: z.string(), userId: z.string(), userType: userTypeInput });

/** From the side of the groups. */
export function createGroupMemberRoutes({ members, memberships }: IamUseCases): Route[] {
  const all = '/iam/{tenant}/groups/{groupId}/users';
  return [
    tenantRoute({
      method: 'GET',
      path: all,
      access: requiresAnyOf('iam.user_read', 'iam.user_read_own'),
      errors: errorsOf('groupId'),
      async answer(request) {
        const groupId = request.params.groupId!;
        const list = await members.ofGroup(request.ctx, groupId);
        return simplePage(request, list, (member) => assignmentDocument(groupId, member), 'userId');
      },
    }),
    tenantRoute({
      method: 'POST',
      path: all,
      access: requiresAnyOf('iam.assignment_manage', 'iam.assignment_create_own'),
      errors: errorsOf('groupId'),
      async answer({ ctx, params, body }) {
        const { userId, userType } = await body(assignment);
        const { id: groupId } = await memberships.add(ctx, { groupId: params.groupId!, userId, userType });
        return { status: 201, body: { id: assignmentId(groupId, userId) } };
      },
    }),
    tenantRoute({
      method: 'DELETE',
      path: all,
      access: requires('iam.assignment_manage'),
      errors: errorsOf('groupId', 403),
      answer: ({ ctx, params }) => deleted(memberships.removeAll(ctx, params.groupId!)),
    }),
    tenantRoute({
      method: 'PUT',
      path: `${all}/{userType}/{userId}`,
      access: requires('iam.assignment_manage'),
      errors: errorsOf('groupId'),
      async answer({ ctx, params }) {
        const membership = checked(inPath, params);
        const { isNew } = await memberships.join(ctx, membership);
        const { groupId, userId } = membership;
        return isNew ? { status: 201, body: { id: assignmentId(groupId, userId) } } : { status: 204 };
      },
    }),
    tenantRoute({
      method: 'DELETE',
      path: `${all}/{userId}`,
      access: requiresAnyOf('iam.assignment_manage', 'iam.assignment_delete_own'),
      errors: errorsOf('groupId', 403),
      answer({ ctx, params }) {
        const removal = memberships.remove(ctx, { groupId: params.groupId!, userId: params.userId! });
        const wide = 'iam.assignment_manage';
        return deleted(removal, callers.holds(ctx, wide) ? undefined : wide);
      },
    }),
  ];
}

/** From the side of the people. */
export function createUserGroupRoutes(useCases: IamUseCases): Route[] {
  const { groups, memberships } = useCases;
  const all = '/iam/{tenant}/users/{userId}/groups';
  return [
    tenantRoute({
      method: 'GET',
      path: all,
      access: requires('iam.group_read'),
      errors: errorsOf('userId'),
      answer(request) {
        const { ctx, params } = request;
        const list = groups.list(ctx, { memberId: params.userId! });
        return richPage(request, list, (rows) => groupDocuments(useCases, ctx, rows));
      },
    }),
    tenantRoute({
      method: 'DELETE',
      path: all,
      access: requires('iam.assignment_manage'),
      errors: errorsOf('userId', 403),
      answer: ({ ctx, params }) => deleted(memberships.removeEverywhere(ctx, params.userId!)),
    }),
    tenantRoute({
      method: 'GET',
      path: `${all}/{groupId}`,
      access: requires('iam.group_read'),
      errors: errorsOf('groupId'),
      async answer({ ctx, params }) {
        const group = await groups.find(ctx, params.groupId!, params.userId!);
        if (!group) throw notFound('Group');
        const [body] = await groupDocuments(useCases, ctx, [group]);
        return { status: 200, body };
      },
    }),
  ];
}
