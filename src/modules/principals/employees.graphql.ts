// Employees as the schema shows them, and what an administrator does about their accounts.

import { builder } from '../../graphql/builder.ts';
import { connectionByEmail } from '../../graphql/pagination.ts';
import { requires } from '../../permissions/access.ts';
import type { Employee } from './employees.ts';

/** Type `Employee`. Whatever leads on from here to other people declares what it needs. */
export const EmployeeType = builder.objectRef<Employee>('Employee').implement({
  description: 'Somebody who works for the merchant.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the employee.' }),
    email: t.exposeString('email', { description: 'The address to sign in with, in its canonical spelling.' }),
    firstName: t.exposeString('firstName', { description: 'Given name.' }),
    lastName: t.exposeString('lastName', { description: 'Family name.' }),
    enabled: t.exposeBoolean('enabled', {
      description: 'A disabled employee cannot sign in, and every token is refused.',
    }),
    version: t.exposeInt('version', { description: 'Goes up with each change: for `version` in an update.' }),
  }),
});

builder.queryFields((t) => ({
  employees: t.connection(
    {
      type: EmployeeType,
      description: 'The employees of the tenant, by mail address.',
      access: requires('iam.user_read'),
      args: {
        search: t.arg.string({ description: 'Only those with this text in address or name, in whatever case.' }),
      },
      resolve: (_root, { search, ...args }, ctx) =>
        connectionByEmail('employees', args, ctx.services.employees.list(ctx, search)),
    },
    { name: 'EmployeeConnection', description: 'A page of employees.' },
    { name: 'EmployeeEdge', description: 'An employee in a page.' },
  ),
  employee: t.field({
    type: EmployeeType,
    nullable: true,
    description: 'One employee; null when the tenant has none of that id.',
    access: requires('iam.user_read'),
    args: { id: t.arg.id({ required: true, description: 'Which employee.' }) },
    resolve: (_root, { id }, ctx) => ctx.services.employees.find(ctx, id),
  }),
}));

const CreateEmployeeInput = builder.inputType('CreateEmployeeInput', {
  description: 'An account of an employee.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'An address that has no account yet.' }),
    firstName: t.string({ required: true, description: 'Given name.' }),
    lastName: t.string({ required: true, description: 'Family name.' }),
    password: t.string({ description: '10 to 256 characters. Absent: the employee signs in by single sign-on only.' }),
    groupIds: t.idList({ description: 'Groups from the start. Needs `iam.assignment_manage` too.' }),
  }),
});

const UpdateEmployeeInput = builder.inputType('UpdateEmployeeInput', {
  description: 'What is to change of an account; what is absent stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which employee.' }),
    firstName: t.string({ description: 'Given name.' }),
    lastName: t.string({ description: 'Family name.' }),
    enabled: t.boolean({ description: 'False ends every session at once.' }),
    version: t.int({ description: 'The version that was read: CONFLICT `STALE_VERSION` when it is another by now.' }),
  }),
});

builder.mutationFields((t) => ({
  createEmployee: t.field({
    type: EmployeeType,
    description:
      'Makes an account. Errors: BAD_USER_INPUT, CONFLICT `EMAIL_TAKEN` or `TOO_MANY_GROUPS`, NOT_FOUND for a group, FORBIDDEN for scopes of a group that the caller lacks.',
    access: requires('iam.user_create'),
    args: { input: t.arg({ type: CreateEmployeeInput, required: true, description: 'The account.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.employeeAccounts.create(ctx, input),
  }),
  updateEmployee: t.field({
    type: EmployeeType,
    description:
      'Changes an account. Errors: NOT_FOUND, BAD_USER_INPUT, CONFLICT `STALE_VERSION` or `LAST_ADMINISTRATOR`, FORBIDDEN for enabling somebody with scopes that the caller lacks.',
    access: requires('iam.user_update'),
    args: { input: t.arg({ type: UpdateEmployeeInput, required: true, description: 'The change.' }) },
    resolve: (_root, { input: { id, ...change } }, ctx) => ctx.services.employeeAccounts.update(ctx, id, change),
  }),
  deleteEmployee: t.field({
    type: 'ID',
    description:
      'Deletes an account with its sessions: every token is refused at once. Errors: NOT_FOUND, CONFLICT `LAST_ADMINISTRATOR`.',
    access: requires('iam.user_delete'),
    args: { id: t.arg.id({ required: true, description: 'Which employee.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.employeeAccounts.delete(ctx, id);
      return id;
    },
  }),
}));
