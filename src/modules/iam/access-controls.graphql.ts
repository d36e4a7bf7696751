// Access controls: what groups and templates are filled with.

import { builder } from '../../graphql/builder.ts';
import { connectionByName } from '../../graphql/pagination.ts';
import { requires } from '../../permissions/access.ts';
import type { AccessControl } from './access-controls.ts';
import { ResourceType, RoleType, resourceOf, roleOf } from './roles.graphql.ts';
import { UserTypeEnum } from './user-type.graphql.ts';

/** Type `AccessControl`. */
export const AccessControlType = builder.objectRef<AccessControl>('AccessControl').implement({
  description: 'Gives scopes: a role applied to a resource, or an explicit list.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the access control.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    role: t.field({
      type: RoleType,
      nullable: true,
      description: 'The role that it applies; null when its scopes are listed.',
      access: requires('iam.role_read'),
      resolve: ({ roleId }, _args, ctx) => (roleId === null ? null : roleOf(ctx, roleId)),
    }),
    resource: t.field({
      type: ResourceType,
      nullable: true,
      description: 'What its role is applied to; null when its scopes are listed.',
      access: requires('iam.resource_read'),
      resolve: ({ resourceId }, _args, ctx) => (resourceId === null ? null : resourceOf(ctx, resourceId)),
    }),
    scopes: t.stringList({
      description: 'The scopes that it gives, sorted.',
      resolve: (control, _args, ctx) => ctx.services.accessControls.scopesOf(control),
    }),
    everyScope: t.exposeBoolean('everyScope', {
      description: 'Does it give every scope of the tenant, those that are defined later included?',
    }),
    restrictedTo: t.field({
      type: UserTypeEnum,
      nullable: true,
      description: 'Only groups of this user type can have it; null: all can.',
      resolve: ({ restrictedTo }) => restrictedTo,
    }),
    predefined: t.exposeBoolean('predefined', { description: 'Can it be assigned only, not edited or deleted?' }),
    version: t.exposeInt('version', { description: 'Goes up with each change: for `version` in an update.' }),
  }),
});

builder.queryFields((t) => ({
  accessControls: t.connection(
    {
      type: AccessControlType,
      description: 'The access controls of the tenant, by name.',
      access: requires('iam.access_read'),
      resolve: (_root, args, ctx) => connectionByName('accessControls', args, ctx.services.accessControls.list(ctx)),
    },
    { name: 'AccessControlConnection', description: 'A page of access controls.' },
    { name: 'AccessControlEdge', description: 'An access control in a page.' },
  ),
  accessControl: t.field({
    type: AccessControlType,
    nullable: true,
    description: 'One access control; null when the tenant has none of that id.',
    access: requires('iam.access_read'),
    args: { id: t.arg.id({ required: true, description: 'Which access control.' }) },
    resolve: (_root, { id }, ctx) => ctx.services.accessControls.find(ctx, id),
  }),
}));

const CreateAccessControlInput = builder.inputType('CreateAccessControlInput', {
  description: 'An access control: either a role with a resource, or scopes.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it, in 1 to 100 characters.' }),
    roleId: t.id({ description: 'The role that it applies.' }),
    resourceId: t.id({ description: 'What the role is applied to.' }),
    scopes: t.stringList({ description: 'The scopes that it gives, at least one.' }),
    restrictedTo: t.field({ type: UserTypeEnum, description: 'For groups of this user type only. It stays so.' }),
  }),
});

const UpdateAccessControlInput = builder.inputType('UpdateAccessControlInput', {
  description: 'What is to change of an access control; what is absent stays. Scopes end its role, a role its list.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which access control.' }),
    name: t.string({ description: 'What people call it, in 1 to 100 characters.' }),
    scopes: t.stringList({ description: 'The scopes that it gives, instead of those it has.' }),
    roleId: t.id({ description: 'The role that it applies.' }),
    resourceId: t.id({ description: 'What the role is applied to.' }),
    version: t.int({ description: 'The version that was read: CONFLICT `STALE_VERSION` when it is another by now.' }),
  }),
});

builder.mutationFields((t) => ({
  createAccessControl: t.field({
    type: AccessControlType,
    description:
      'Makes an access control, which groups can then be given. Errors: BAD_USER_INPUT, FORBIDDEN for scopes that the caller lacks.',
    access: requires('iam.access_manage'),
    args: { input: t.arg({ type: CreateAccessControlInput, required: true, description: 'The access control.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.accessControls.create(ctx, input),
  }),
  updateAccessControl: t.field({
    type: AccessControlType,
    description:
      'Changes an access control, for every group that has it. Errors: NOT_FOUND, BAD_USER_INPUT, FORBIDDEN for scopes that the caller lacks, CONFLICT `PREDEFINED`, `STALE_VERSION`, `LAST_ADMINISTRATOR` or `TOO_MANY_SCOPES`.',
    access: requires('iam.access_manage'),
    args: { input: t.arg({ type: UpdateAccessControlInput, required: true, description: 'The change.' }) },
    resolve: (_root, { input: { id, ...change } }, ctx) => ctx.services.accessControls.update(ctx, id, change),
  }),
  deleteAccessControl: t.field({
    type: 'ID',
    description:
      'Deletes an access control and takes it from every group and template. Errors: NOT_FOUND, CONFLICT `PREDEFINED` or `LAST_ADMINISTRATOR`.',
    access: requires('iam.access_manage'),
    args: { id: t.arg.id({ required: true, description: 'Which access control.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.accessControls.delete(ctx, id);
      return id;
    },
  }),
}));
