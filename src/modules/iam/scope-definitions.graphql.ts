// Scopes of the tenant's own.

import { builder } from '../../graphql/builder.ts';
import { requires } from '../../permissions/access.ts';
import { ScopeType } from '../scopes/scopes.graphql.ts';

const CreateScopeInput = builder.inputType('CreateScopeInput', {
  description: 'A scope of the tenant’s own.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Written `service.resource_action`, in printable ASCII.' }),
    description: t.string({ required: true, description: 'What it allows.' }),
  }),
});

builder.mutationFields((t) => ({
  createScope: t.field({
    type: ScopeType,
    description:
      'Defines a scope, which clients and access controls can then give. Errors: BAD_USER_INPUT, CONFLICT `SCOPE_EXISTS` or `TOO_MANY_SCOPES`.',
    access: requires('iam.scope_manage'),
    args: { input: t.arg({ type: CreateScopeInput, required: true, description: 'The scope.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.scopeDefinitions.create(ctx, input),
  }),
  deleteScope: t.field({
    type: 'ID',
    description: 'Removes a scope that the tenant defined. Errors: NOT_FOUND, CONFLICT `SCOPE_IN_USE`.',
    access: requires('iam.scope_manage'),
    args: { id: t.arg.id({ required: true, description: 'The scope.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.scopeDefinitions.delete(ctx, id);
      return id;
    },
  }),
}));
