// Clients as the schema shows them.

import { builder } from '../../graphql/builder.ts';
import type { Client } from './clients.ts';

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
      resolve: async (client, _args, ctx) => [...(await ctx.services.clients.scopesOf(client))],
    }),
    enabled: t.exposeBoolean('enabled', {
      description: 'A disabled client gets no tokens, and those it has are refused.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});
