// Clients as the schema shows them, and what administrators do to them.

import { batched } from '../../graphql/batched.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionByName } from '../../graphql/pagination.ts';
import { requires } from '../../permissions/access.ts';
import type { Usage } from './client-usage.ts';
import type { Client } from './clients.ts';

const usageOf = batched<string, Usage>((ctx, ids) => ctx.services.clientUsage.ofIds(ctx, ids));

/** Enum `ClientKind`. */
export const ClientKindEnum = builder.enumType('ClientKind', {
  description: 'What a client is for, which decides how it proves itself.',
  values: {
    BACKEND: { description: "The merchant's own back end: a secret." },
    STOREFRONT: { description: 'A browser or app: public, without a secret.' },
    CUSTOM: { description: 'An integration: a secret and a few scopes.' },
  } as const,
});

/** Type `Client`. */
export const ClientType = builder.objectRef<Client>('Client').implement({
  description: 'An application that obtains tokens (RFC 6749 s.2).',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The `client_id`.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    kind: t.field({ type: ClientKindEnum, description: 'What it is for.', resolve: (client) => client.kind }),
    scopes: t.stringList({
      description: 'The scopes that it may ask for, sorted.',
      resolve: (client, _args, ctx) => [...ctx.services.clients.scopesOf(client)],
    }),
    everyScope: t.exposeBoolean('everyScope', {
      description: 'Has it every scope of the tenant, those included that are defined later?',
    }),
    enabled: t.exposeBoolean('enabled', {
      description: 'A disabled client gets no tokens, and those it has are refused.',
    }),
    lastUsedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When it last obtained a service token or, a storefront, tokens for a new guest; null: never. Other instances tell within 10 seconds.',
      access: requires('oauth.client_read'),
      resolve: async ({ id }, _args, ctx) => (await usageOf(ctx, id)).lastUsedAt,
    }),
    unusedScopes: t.stringList({
      description:
        'Those of its scopes that it never asked for, or not for 90 days, sorted. Naming none is asking for all (RFC 6749 s.3.3); another spelling, or the `_own` of a wide scope, is asking for the one that it comes from.',
      access: requires('oauth.client_read'),
      resolve: async (client, _args, ctx) => {
        const { recentScopes } = await usageOf(ctx, client.id);
        return ctx.services.clients.scopesOf(client).filter((scope) => !recentScopes.has(scope));
      },
    }),
    version: t.exposeInt('version', { description: 'Counts the changes: for `updateClient`.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});

const ClientWithSecret = builder
  .objectRef<{ client: Client; clientSecret: string | null }>('ClientWithSecret')
  .implement({
    description: 'A client, and a secret of it that is shown this once.',
    fields: (t) => ({
      client: t.field({ type: ClientType, description: 'The client.', resolve: ({ client }) => client }),
      clientSecret: t.string({
        description: 'Keep it: it cannot be read again. Empty for a STOREFRONT, which is public and has none.',
        resolve: ({ clientSecret }) => clientSecret ?? '',
      }),
    }),
  });

builder.queryFields((t) => ({
  clients: t.connection(
    {
      type: ClientType,
      description: 'The clients of the tenant, by name.',
      access: requires('oauth.client_read'),
      args: { search: t.arg.string({ description: 'Only those with this text in name or id, in whatever case.' }) },
      resolve: (_root, { search, ...args }, ctx) =>
        connectionByName('clients', args, ctx.services.clients.list(ctx, { search })),
    },
    { name: 'ClientConnection', description: 'A page of clients.' },
    { name: 'ClientEdge', description: 'A client in a page.' },
  ),
  client: t.field({
    type: ClientType,
    nullable: true,
    description: 'One client; null when the tenant has none of that id.',
    access: requires('oauth.client_read'),
    args: { id: t.arg.id({ required: true, description: 'The `client_id`.' }) },
    resolve: (_root, { id }, ctx) => ctx.services.clients.lookUp(ctx, id),
  }),
}));

const scopesDescription = 'The scopes that it may ask for. A STOREFRONT has none of its own.';
const everyScopeDescription =
  'True: every scope of the tenant, those included that are defined later. Excludes `scopes` that name any.';

const CreateClientInput = builder.inputType('CreateClientInput', {
  description: 'A client to be made.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it: 1 to 100 characters.' }),
    kind: t.field({ type: ClientKindEnum, required: true, description: 'What it is for. It stays so.' }),
    scopes: t.stringList({ required: true, description: scopesDescription }),
    everyScope: t.boolean({ description: everyScopeDescription }),
  }),
});

const UpdateClientInput = builder.inputType('UpdateClientInput', {
  description: 'What is to change of a client. What is absent stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The `client_id`.' }),
    name: t.string({ description: 'What people call it: 1 to 100 characters.' }),
    scopes: t.stringList({ description: `${scopesDescription} Replaces all that it had, every scope included.` }),
    everyScope: t.boolean({ description: everyScopeDescription }),
    enabled: t.boolean({ description: 'A disabled client gets no tokens, and those it has are refused.' }),
    version: t.int({ description: 'As last read: with another one than it has by now, nothing is changed.' }),
  }),
});

const idArgument = 'The `client_id`.';

builder.mutationFields((t) => ({
  createClient: t.field({
    type: ClientWithSecret,
    description:
      'Makes a client. Errors: BAD_USER_INPUT, FORBIDDEN for scopes that the caller lacks and would hand out.',
    access: requires('oauth.client_manage'),
    args: { input: t.arg({ type: CreateClientInput, required: true, description: 'The client.' }) },
    resolve: (_root, { input: { name, kind, scopes, everyScope } }, ctx) =>
      ctx.services.clients.register(ctx, { name, kind, scopes, everyScope }),
  }),
  updateClient: t.field({
    type: ClientType,
    description:
      'Changes a client. Other scopes, and disabling it, end its tokens at once; enabling it hands out all that it has. Errors: NOT_FOUND, BAD_USER_INPUT, CONFLICT `STALE_VERSION`, FORBIDDEN for scopes that the caller lacks and would hand out.',
    access: requires('oauth.client_manage'),
    args: { input: t.arg({ type: UpdateClientInput, required: true, description: 'The change.' }) },
    resolve: (_root, { input: { id, ...change } }, ctx) => ctx.services.clients.update(ctx, id, change),
  }),
  rotateClientSecret: t.field({
    type: ClientWithSecret,
    description:
      'Gives a client a new secret, without ending its tokens. Two are good at most: any older one than the last is refused at once. Errors: NOT_FOUND, BAD_USER_INPUT, CONFLICT `PUBLIC_CLIENT` for a STOREFRONT, FORBIDDEN for scopes of the client that the caller lacks.',
    access: requires('oauth.client_manage'),
    args: {
      id: t.arg.id({ required: true, description: idArgument }),
      keepPreviousFor: t.arg.int({
        description:
          'How many seconds the last secret stays good beside the new one: 30 days at most. Absent or 0: it is refused at once.',
      }),
    },
    resolve: (_root, { id, keepPreviousFor }, ctx) =>
      ctx.services.clients.rotateSecret(ctx, id, keepPreviousFor ?? undefined),
  }),
  deleteClient: t.field({
    type: 'ID',
    description:
      'Deletes a client, with the sessions of customers who signed in through it. Its tokens are refused at once. Errors: NOT_FOUND.',
    access: requires('oauth.client_manage'),
    args: { id: t.arg.id({ required: true, description: idArgument }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.clients.delete(ctx, id);
      return id;
    },
  }),
}));
