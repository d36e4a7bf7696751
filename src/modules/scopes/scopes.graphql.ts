// The scopes that there are.

import { builder } from '../../graphql/builder.ts';
import { connectionOfArray } from '../../graphql/pagination.ts';
import { authenticated } from '../../permissions/access.ts';
import type { ScopeEntry } from './custom-scopes.ts';
import { satisfies, synonymsOf } from './matching.ts';

/** A scope, with its text. */
export const ScopeType = builder.objectRef<ScopeEntry>('Scope').implement({
  description: 'A permission that tokens carry, written `service.resource_action`.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The scope itself, as it stands in tokens.' }),
    service: t.exposeString('service', { description: 'What stands before the first dot.' }),
    description: t.exposeString('description', { description: 'What it allows.' }),
    custom: t.exposeBoolean('custom', { description: 'Did the tenant define it?' }),
    synonyms: t.stringList({
      description: 'Other spellings of the same permission (`read` and `view`).',
      resolve: ({ id }) => [...synonymsOf(id)],
    }),
    requiredBy: t.stringList({
      description: 'The fields of this schema that need it, as `Type.field`. Empty: other services do.',
      resolve: ({ id }, _args, ctx) => [...ctx.services.fieldsRequiring(id)],
    }),
  }),
});

builder.queryFields((t) => ({
  scopes: t.connection(
    {
      type: ScopeType,
      description: 'The scopes of the tenant, by id.',
      access: authenticated,
      args: {
        service: t.arg.string({ description: 'Only those of this service.' }),
        search: t.arg.string({ description: 'Only those with this text in id or description, in whatever case.' }),
        heldByMe: t.arg.boolean({
          description: "True: only those that the caller's token satisfies. False: only the others.",
        }),
      },
      resolve: (_root, { service, search, heldByMe, ...args }, ctx) => {
        const text = search?.toLowerCase() ?? '';
        const found = ctx.services.scopes
          .list(ctx)
          .filter((scope) => !service || scope.service === service)
          .filter(({ id, description }) => id.toLowerCase().includes(text) || description.toLowerCase().includes(text))
          .filter(({ id }) => heldByMe == null || satisfies(ctx.principal?.scopes ?? [], id) === heldByMe);
        return connectionOfArray('scopes', args, found, ({ id }) => id);
      },
    },
    { name: 'ScopeConnection', description: 'A page of scopes.' },
    { name: 'ScopeEdge', description: 'A scope in a page.' },
  ),
  scope: t.field({
    type: ScopeType,
    nullable: true,
    description: 'One scope; null when the tenant has none of that id.',
    access: authenticated,
    args: { id: t.arg.id({ required: true, description: 'The scope.' }) },
    resolve: (_root, { id }, ctx) => ctx.services.scopes.find(ctx, id),
  }),
}));
