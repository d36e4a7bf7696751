// Templates: bundles of access controls.

import { batched } from '../../graphql/batched.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionByName } from '../../graphql/pagination.ts';
import { requires } from '../../permissions/access.ts';
import { AccessControlType } from './access-controls.graphql.ts';
import type { AccessControl } from './access-controls.ts';
import type { Template } from './templates.ts';

const accessControlsOf = batched<string, AccessControl[]>((ctx, ids) =>
  ctx.services.contents.accessControlsOfTemplates(ctx, ids),
);

/** Type `AccessControlTemplate`. */
export const AccessControlTemplateType = builder.objectRef<Template>('AccessControlTemplate').implement({
  description: 'A bundle of access controls, given to groups as one.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the template.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    accessControls: t.field({
      type: [AccessControlType],
      description: 'What it bundles, by name.',
      access: requires('iam.access_read'),
      resolve: ({ id }, _args, ctx) => accessControlsOf(ctx, id),
    }),
  }),
});

builder.queryField('accessControlTemplates', (t) =>
  t.connection(
    {
      type: AccessControlTemplateType,
      description: 'The templates of the tenant, by name.',
      access: requires('iam.template_read'),
      resolve: (_root, args, ctx) => connectionByName('accessControlTemplates', args, ctx.services.templates.list(ctx)),
    },
    { name: 'AccessControlTemplateConnection', description: 'A page of templates.' },
    { name: 'AccessControlTemplateEdge', description: 'A template in a page.' },
  ),
);

const CreateAccessControlTemplateInput = builder.inputType('CreateAccessControlTemplateInput', {
  description: 'A template.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it, in 1 to 100 characters.' }),
    accessControlIds: t.idList({ required: true, description: 'What it bundles, at least one.' }),
  }),
});

builder.mutationFields((t) => ({
  createAccessControlTemplate: t.field({
    type: AccessControlTemplateType,
    description:
      'Makes a template, which groups can then be given. Errors: BAD_USER_INPUT, FORBIDDEN for scopes that the caller lacks.',
    access: requires('iam.template_manage'),
    args: { input: t.arg({ type: CreateAccessControlTemplateInput, required: true, description: 'The template.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.templates.create(ctx, input),
  }),
  deleteAccessControlTemplate: t.field({
    type: 'ID',
    description: 'Deletes a template and takes it from every group. Errors: NOT_FOUND, CONFLICT `LAST_ADMINISTRATOR`.',
    access: requires('iam.template_manage'),
    args: { id: t.arg.id({ required: true, description: 'Which template.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.templates.delete(ctx, id);
      return id;
    },
  }),
}));
