// Groups, and what they give.

import { batched } from '../../graphql/batched.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionByName } from '../../graphql/pagination.ts';
import { requires, requiresAnyOf } from '../../permissions/access.ts';
import { LegalEntityType, legalEntityInReach } from '../companies/legal-entities.graphql.ts';
import { AccessControlType } from './access-controls.graphql.ts';
import type { AccessControl } from './access-controls.ts';
import type { Group } from './groups.ts';
import { AccessControlTemplateType } from './templates.graphql.ts';
import type { Template } from './templates.ts';
import { UserTypeEnum } from './user-type.graphql.ts';

const B2BRoleEnum = builder.enumType('B2BRole', {
  description: 'What the members of one of the four groups of a company are there.',
  values: {
    ADMIN: { description: 'Manages the people of the company. Buys.' },
    BUYER: { description: 'Buys, up to the account limit.' },
    REQUESTER: { description: 'Asks for purchases, which others approve.' },
    CONTACT: { description: 'Belongs to the company, no more.' },
  } as const,
});

const accessControlsOf = batched<string, AccessControl[]>((ctx, ids) =>
  ctx.services.contents.accessControlsOfGroups(ctx, ids),
);
const templatesOf = batched<string, Template[]>((ctx, ids) => ctx.services.contents.templatesOfGroups(ctx, ids));
const scopesOf = batched<string, string[]>((ctx, ids) => ctx.services.contents.scopesOfGroups(ctx, ids));

/** Type `Group`. */
export const GroupType = builder.objectRef<Group>('Group').implement({
  description: 'Employees or customers who share access controls, perhaps within one company.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the group.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    userType: t.field({ type: UserTypeEnum, description: 'Who its members are.', resolve: ({ userType }) => userType }),
    predefined: t.exposeBoolean('predefined', {
      description: 'Does it come with a company? Then only its members change.',
    }),
    role: t.field({
      type: B2BRoleEnum,
      nullable: true,
      description: 'What its members are in the company; null for other groups than the four of a company.',
      resolve: ({ role }) => role,
    }),
    legalEntity: t.field({
      type: LegalEntityType,
      nullable: true,
      description: 'The company within which it counts; null: everywhere, or not for the caller to know.',
      access: requiresAnyOf('customermanagement.legalentity_read', 'customermanagement.legalentity_read_own'),
      resolve: ({ legalEntityId }, _args, ctx) =>
        legalEntityId === null ? null : legalEntityInReach(ctx, legalEntityId),
    }),
    accessControls: t.field({
      type: [AccessControlType],
      description: 'What it has itself, by name; templates give more.',
      access: requires('iam.access_read'),
      resolve: ({ id }, _args, ctx) => accessControlsOf(ctx, id),
    }),
    templates: t.field({
      type: [AccessControlTemplateType],
      description: 'The bundles that it has, by name.',
      access: requires('iam.template_read'),
      resolve: ({ id }, _args, ctx) => templatesOf(ctx, id),
    }),
    scopes: t.stringList({
      description: 'All that it gives its members, through access controls and templates, sorted.',
      access: requires('iam.access_read'),
      resolve: ({ id }, _args, ctx) => scopesOf(ctx, id),
    }),
    version: t.exposeInt('version', { description: 'Goes up with each change: for `version` in an update.' }),
  }),
});

const groupsOfCompany = batched<string, Group[]>((ctx, ids) => ctx.services.contents.groupsOfCompanies(ctx, ids));

builder.objectFields(LegalEntityType, (t) => ({
  customerGroups: t.field({
    type: [GroupType],
    description: "The groups of its customers, by name. With `iam.group_read_own`: those of the caller's company.",
    access: requiresAnyOf('iam.group_read', 'iam.group_read_own'),
    resolve: ({ id }, _args, ctx) => groupsOfCompany(ctx, id),
  }),
}));

builder.queryFields((t) => ({
  groups: t.connection(
    {
      type: GroupType,
      description: "The groups of the tenant, by name. With `iam.group_read_own`: those of the caller's company.",
      access: requiresAnyOf('iam.group_read', 'iam.group_read_own'),
      args: {
        userType: t.arg({ type: UserTypeEnum, description: 'Only those of such users.' }),
        legalEntityId: t.arg.id({ description: 'Only those of this company.' }),
        search: t.arg.string({ description: 'Only those with this text in the name, in whatever case.' }),
      },
      resolve: (_root, { userType, legalEntityId, search, ...args }, ctx) =>
        connectionByName('groups', args, ctx.services.groups.list(ctx, { userType, legalEntityId, search })),
    },
    { name: 'GroupConnection', description: 'A page of groups.' },
    { name: 'GroupEdge', description: 'A group in a page.' },
  ),
  group: t.field({
    type: GroupType,
    nullable: true,
    description: "One group; null when there is none of that id, or not in the caller's reach.",
    access: requiresAnyOf('iam.group_read', 'iam.group_read_own'),
    args: { id: t.arg.id({ required: true, description: 'Which group.' }) },
    resolve: (_root, { id }, ctx) => ctx.services.groups.find(ctx, id),
  }),
}));

const CreateGroupInput = builder.inputType('CreateGroupInput', {
  description: 'A group.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it, in 1 to 100 characters.' }),
    userType: t.field({ type: UserTypeEnum, required: true, description: 'Who its members will be. It stays so.' }),
    legalEntityId: t.id({ description: 'For customers: the company within which it counts. It stays so.' }),
    accessControlIds: t.idList({ description: 'The access controls that it gives.' }),
    templateIds: t.idList({ description: 'The bundles of access controls that it gives.' }),
  }),
});

const UpdateGroupInput = builder.inputType('UpdateGroupInput', {
  description: 'What is to change of a group; what is absent stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which group.' }),
    name: t.string({ description: 'What people call it, in 1 to 100 characters.' }),
    accessControlIds: t.idList({ description: 'The access controls that it gives, instead of those it has.' }),
    templateIds: t.idList({ description: 'The bundles that it gives, instead of those it has.' }),
    version: t.int({ description: 'The version that was read: CONFLICT `STALE_VERSION` when it is another by now.' }),
  }),
});

builder.mutationFields((t) => ({
  createGroup: t.field({
    type: GroupType,
    description: 'Makes a group without members. Errors: BAD_USER_INPUT, FORBIDDEN for scopes that the caller lacks.',
    access: requires('iam.group_manage'),
    args: { input: t.arg({ type: CreateGroupInput, required: true, description: 'The group.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.groups.create(ctx, input),
  }),
  updateGroup: t.field({
    type: GroupType,
    description:
      'Changes a group. What it gives otherwise shows with the next token; earlier ones are refused. A new name needs all that the group gives. Errors: NOT_FOUND, BAD_USER_INPUT, FORBIDDEN for scopes that the caller lacks, CONFLICT `PREDEFINED`, `STALE_VERSION`, `LAST_ADMINISTRATOR` or `TOO_MANY_SCOPES`.',
    access: requires('iam.group_manage'),
    args: { input: t.arg({ type: UpdateGroupInput, required: true, description: 'The change.' }) },
    resolve: (_root, { input: { id, ...change } }, ctx) => ctx.services.groups.update(ctx, id, change),
  }),
  deleteGroup: t.field({
    type: 'ID',
    description:
      'Deletes a group. Errors: NOT_FOUND, CONFLICT `PREDEFINED`, `GROUP_HAS_MEMBERS` or `LAST_ADMINISTRATOR`.',
    access: requires('iam.group_manage'),
    args: {
      id: t.arg.id({ required: true, description: 'Which group.' }),
      force: t.arg.boolean({ description: 'With its members, which needs `iam.assignment_manage` too.' }),
    },
    resolve: async (_root, { id, force }, ctx) => {
      await ctx.services.groups.delete(ctx, id, force ?? false);
      return id;
    },
  }),
}));
