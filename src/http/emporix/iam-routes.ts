// /iam/{tenant}/…: everything that consoles and storefronts do about groups, access controls and who has them.

import type { Route } from '../router.ts';
import { createAccessControlRoutes } from './iam-access-controls.ts';
import { createGroupMemberRoutes, createUserGroupRoutes } from './iam-group-members.ts';
import { createGroupRoutes } from './iam-groups.ts';
import { createOwnRoutes } from './iam-own.ts';
import type { IamUseCases } from './iam-page.ts';
import { createRoleRoutes } from './iam-roles.ts';
import { createScopeRoutes } from './iam-scopes.ts';
import { createUserAccessRoutes, createUserRoutes } from './iam-users.ts';

/** All of IAM. */
export const createIamRoutes = (useCases: IamUseCases): Route[] => [
  ...createAccessControlRoutes(useCases),
  ...createScopeRoutes(useCases),
  ...createGroupRoutes(useCases),
  ...createGroupMemberRoutes(useCases),
  ...createUserGroupRoutes(useCases),
  ...createUserRoutes(useCases),
  ...createUserAccessRoutes(useCases),
  ...createOwnRoutes(useCases),
  ...createRoleRoutes(useCases),
];
