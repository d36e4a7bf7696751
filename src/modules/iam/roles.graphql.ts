// Roles, and the permissions and resources that they bring together.

import { batched } from '../../graphql/batched.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionByName, connectionOfArray } from '../../graphql/pagination.ts';
import { requires, requiresAnyOf } from '../../permissions/access.ts';
import { type Permission, permissionsOf, type Resource, resourcesOf } from './actions.ts';
import type { Role } from './roles.ts';

const PermissionType = builder.objectRef<Permission>('Permission').implement({
  description: 'An action that roles can allow, such as `read`.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the permission.' }),
    action: t.exposeString('action', { description: 'What scopes with it end in.' }),
    description: t.exposeString('description', { description: 'What it stands for.' }),
  }),
});

/** Type `Resource`. */
export const ResourceType = builder.objectRef<Resource>('Resource').implement({
  description: 'Something that roles can be applied to: what scopes begin with.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the resource: `service.name`.' }),
    service: t.exposeString('service', { description: 'The service that it belongs to.' }),
    name: t.exposeString('name', { description: 'Its name within the service.' }),
    description: t.exposeString('description', { description: 'What it stands for.' }),
  }),
});

/** Worked out from the scopes once for a page of roles. */
const permissionsOfRole = batched<readonly string[], Permission[]>(async (ctx, roles) => {
  const permissions = permissionsOf(ctx.services.scopes.list(ctx));
  return roles.map((actions) => permissions.filter(({ id }) => actions.includes(id)));
});

/** Type `Role`. */
export const RoleType = builder.objectRef<Role>('Role').implement({
  description: 'A set of permissions. An access control applies it to a resource.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the role.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    permissions: t.field({
      type: [PermissionType],
      description: 'The actions that it allows, sorted.',
      access: requires('iam.permission_read'),
      resolve: ({ actions }, _args, ctx) => permissionsOfRole(ctx, actions),
    }),
    predefined: t.exposeBoolean('predefined', { description: 'Can it be assigned only, not edited or deleted?' }),
    version: t.exposeInt('version', { description: 'Goes up with each change: for `version` in an update.' }),
  }),
});

/** The resources of a page of access controls, worked out from the scopes once. */
export const resourceOf = batched<string, Resource | null>(async (ctx, ids) => {
  const resources = new Map(resourcesOf(ctx.services.scopes.list(ctx)).map((resource) => [resource.id, resource]));
  return ids.map((id) => resources.get(id) ?? null);
});

/** The roles of a page of access controls. */
export const roleOf = batched<string, Role | null>((ctx, ids) => ctx.services.roles.ofIds(ctx, ids));

builder.queryFields((t) => ({
  roles: t.connection(
    {
      type: RoleType,
      description: 'The roles of the tenant, by name.',
      access: requires('iam.role_read'),
      resolve: (_root, args, ctx) => connectionByName('roles', args, ctx.services.roles.list(ctx)),
    },
    { name: 'RoleConnection', description: 'A page of roles.' },
    { name: 'RoleEdge', description: 'A role in a page.' },
  ),
  role: t.field({
    type: RoleType,
    nullable: true,
    description: 'One role; null when the tenant has none of that id.',
    access: requires('iam.role_read'),
    args: { id: t.arg.id({ required: true, description: 'Which role.' }) },
    resolve: (_root, { id }, ctx) => ctx.services.roles.find(ctx, id),
  }),
  permissions: t.connection(
    {
      type: PermissionType,
      description: 'The actions that roles can allow, sorted: every one that some scope of the tenant ends in.',
      access: requires('iam.permission_read'),
      resolve: (_root, args, ctx) =>
        connectionOfArray('permissions', args, permissionsOf(ctx.services.scopes.list(ctx)), ({ id }) => id),
    },
    { name: 'PermissionConnection', description: 'A page of permissions.' },
    { name: 'PermissionEdge', description: 'A permission in a page.' },
  ),
  resources: t.connection(
    {
      type: ResourceType,
      description: 'What roles can be applied to, sorted: every resource that some scope of the tenant is about.',
      access: requires('iam.resource_read'),
      resolve: (_root, args, ctx) =>
        connectionOfArray('resources', args, resourcesOf(ctx.services.scopes.list(ctx)), ({ id }) => id),
    },
    { name: 'ResourceConnection', description: 'A page of resources.' },
    { name: 'ResourceEdge', description: 'A resource in a page.' },
  ),
}));

const CreateRoleInput = builder.inputType('CreateRoleInput', {
  description: 'A role.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it, in 1 to 100 characters.' }),
    permissionIds: t.idList({ required: true, description: 'The actions that it allows, at least one.' }),
  }),
});

const UpdateRoleInput = builder.inputType('UpdateRoleInput', {
  description: 'What is to change of a role; what is absent stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which role.' }),
    name: t.string({ description: 'What people call it, in 1 to 100 characters.' }),
    permissionIds: t.idList({ description: 'The actions that it allows, instead of those it has.' }),
    version: t.int({ description: 'The version that was read: CONFLICT `STALE_VERSION` when it is another by now.' }),
  }),
});

builder.mutationFields((t) => ({
  createRole: t.field({
    type: RoleType,
    description: 'Makes a role. It gives nothing until an access control applies it. Errors: BAD_USER_INPUT.',
    access: requiresAnyOf('iam.role_manage', 'iam.role_create'),
    args: { input: t.arg({ type: CreateRoleInput, required: true, description: 'The role.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.roles.create(ctx, input),
  }),
  updateRole: t.field({
    type: RoleType,
    description:
      'Changes a role, and what all access controls that apply it give. Errors: NOT_FOUND, BAD_USER_INPUT, FORBIDDEN for scopes that the caller lacks, CONFLICT `PREDEFINED`, `STALE_VERSION`, `LAST_ADMINISTRATOR` or `TOO_MANY_SCOPES`.',
    access: requiresAnyOf('iam.role_manage', 'iam.role_update'),
    args: { input: t.arg({ type: UpdateRoleInput, required: true, description: 'The change.' }) },
    resolve: (_root, { input: { id, ...change } }, ctx) => ctx.services.roles.update(ctx, id, change),
  }),
  deleteRole: t.field({
    type: 'ID',
    description:
      'Deletes a role that no access control applies. Errors: NOT_FOUND, CONFLICT `PREDEFINED` or `ROLE_IN_USE`.',
    access: requiresAnyOf('iam.role_manage', 'iam.role_delete'),
    args: { id: t.arg.id({ required: true, description: 'Which role.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.roles.delete(ctx, id);
      return id;
    },
  }),
}));
