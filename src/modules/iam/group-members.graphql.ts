// Who belongs to which group, seen from either side.

import { batched, batchedPages } from '../../graphql/batched.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionOf } from '../../graphql/pagination.ts';
import { requires, requiresAnyOf } from '../../permissions/access.ts';
import { CustomerType } from '../principals/customers.graphql.ts';
import { EmployeeType } from '../principals/employees.graphql.ts';
import { GroupType } from './groups.graphql.ts';
import type { Group } from './groups.ts';
import { type Member, typeOfMember } from './members.ts';
import { UserTypeEnum } from './user-type.graphql.ts';

const GroupMemberType = builder.unionType('GroupMember', {
  description: 'Somebody in a group.',
  types: [EmployeeType, CustomerType],
  resolveType: (member) => typeOfMember(member as Member),
});

const countOf = batched<string, number>((ctx, ids) => ctx.services.members.counts(ctx, ids));
const groupsOfEmployee = batched<string, Group[]>((ctx, ids) => ctx.services.members.groupsOfEmployees(ctx, ids));
const groupsOfCustomer = batched<string, Group[]>((ctx, ids) => ctx.services.members.groupsOfCustomers(ctx, ids));
const scopesOfEmployee = batched<string, string[]>((ctx, ids) => ctx.services.contents.scopesOfEmployees(ctx, ids));

const membersOf = batchedPages<Member>((ctx, ids, window) => ctx.services.members.pages(ctx, ids, window));

const seesMembers = requiresAnyOf('iam.user_read', 'iam.user_read_own');

builder.objectFields(GroupType, (t) => ({
  members: t.connection(
    {
      type: GroupMemberType,
      description: "Who is in it, by id. With `iam.user_read_own`: those of the caller's company.",
      access: seesMembers,
      resolve: ({ id }, args, ctx) =>
        connectionOf<Member>(
          args,
          { list: 'members', keyOf: (member) => [member.id], keyParts: 1, totalCount: () => countOf(ctx, id) },
          (window) => membersOf(ctx, { id, window }),
        ),
    },
    { name: 'GroupMemberConnection', description: 'A page of members.' },
    { name: 'GroupMemberEdge', description: 'A member in a page.' },
  ),
  memberCount: t.int({
    description: 'How many are in it, of those that the caller may see.',
    access: seesMembers,
    resolve: ({ id }, _args, ctx) => countOf(ctx, id),
  }),
}));

builder.objectFields(EmployeeType, (t) => ({
  groups: t.field({
    type: [GroupType],
    description: 'The groups of the employee, by name.',
    access: requires('iam.group_read'),
    resolve: ({ id }, _args, ctx) => groupsOfEmployee(ctx, id),
  }),
  scopes: t.stringList({
    description: 'What the next token of the employee will allow: all that the groups give, sorted.',
    access: requires('iam.scope_read'),
    resolve: ({ id }, _args, ctx) => scopesOfEmployee(ctx, id),
  }),
}));

builder.objectFields(CustomerType, (t) => ({
  groups: t.field({
    type: [GroupType],
    description: "The groups of the customer, by name. With `iam.group_read_own`: those of the caller's company.",
    access: requiresAnyOf('iam.group_read', 'iam.group_read_own'),
    resolve: ({ id }, _args, ctx) => groupsOfCustomer(ctx, id),
  }),
}));

const GroupMemberInput = builder.inputType('GroupMemberInput', {
  description: 'A person and a group.',
  fields: (t) => ({
    groupId: t.id({ required: true, description: 'Which group.' }),
    userId: t.id({ required: true, description: 'Which employee or customer.' }),
    userType: t.field({ type: UserTypeEnum, required: true, description: 'Which of the two it is.' }),
  }),
});

builder.mutationFields((t) => ({
  addGroupMember: t.field({
    type: GroupType,
    description:
      "Puts somebody into a group; what it gives shows with the next token. With `iam.assignment_create_own`: contacts of the caller's company, into its groups. Errors: NOT_FOUND, BAD_USER_INPUT, FORBIDDEN for scopes that the caller lacks, CONFLICT `ROLE_TAKEN`, `NOT_A_CONTACT` or `TOO_MANY_GROUPS`.",
    access: requiresAnyOf('iam.assignment_manage', 'iam.assignment_create_own'),
    args: { input: t.arg({ type: GroupMemberInput, required: true, description: 'Who, and where.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.memberships.add(ctx, input),
  }),
  removeGroupMember: t.field({
    type: GroupType,
    description:
      "Takes somebody out of a group: tokens from before are refused at once. With `iam.assignment_delete_own`: contacts of the caller's company, from its groups. Errors: NOT_FOUND, BAD_USER_INPUT, CONFLICT `LAST_ADMINISTRATOR`.",
    access: requiresAnyOf('iam.assignment_manage', 'iam.assignment_delete_own'),
    args: { input: t.arg({ type: GroupMemberInput, required: true, description: 'Who, and where.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.memberships.remove(ctx, input),
  }),
}));
