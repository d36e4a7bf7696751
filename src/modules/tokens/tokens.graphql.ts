// What is done with a token: introspection and revocation.

import { builder } from '../../graphql/builder.ts';
import { authenticated, open } from '../../permissions/access.ts';
import { RevokePayload } from '../sessions/sessions.graphql.ts';
import type { ActiveToken, Introspection } from './introspect.ts';
import { TokenKindEnum } from './token-kind.graphql.ts';

const whenActive =
  <Result>(read: (token: ActiveToken) => Result) =>
  (token: Introspection): Result | null =>
    token.active ? read(token) : null;

const TokenIntrospectionType = builder.objectRef<Introspection>('TokenIntrospection').implement({
  description: 'What a token says (RFC 7662). For one that is not good right now: `active: false` and nothing else.',
  fields: (t) => ({
    active: t.boolean({
      description: 'Is it good right now, in the tenant of the caller?',
      resolve: ({ active }) => active,
    }),
    kind: t.field({
      type: TokenKindEnum,
      nullable: true,
      description: 'What it stands for.',
      resolve: whenActive(({ kind }) => kind),
    }),
    tenant: t.string({ nullable: true, description: 'Where it is good.', resolve: whenActive(({ tenant }) => tenant) }),
    scopes: t.stringList({
      nullable: true,
      description: 'What it allows, sorted.',
      resolve: whenActive(({ scopes }) => [...scopes]),
    }),
    subject: t.id({
      nullable: true,
      description: '`sub`: the client, employee, customer or guest.',
      resolve: whenActive(({ subject }) => subject),
    }),
    clientId: t.id({ nullable: true, description: '`client_id`.', resolve: whenActive(({ clientId }) => clientId) }),
    sessionId: t.id({
      nullable: true,
      description: '`session_id`.',
      resolve: whenActive(({ sessionId }) => sessionId),
    }),
    legalEntityId: t.id({
      nullable: true,
      description: 'The company that it acts for.',
      resolve: whenActive(({ legalEntityId }) => legalEntityId),
    }),
    issuedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: '`iat`; null for stored refresh tokens.',
      resolve: whenActive(({ issuedAt }) => issuedAt),
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: '`exp`.',
      resolve: whenActive(({ expiresAt }) => expiresAt),
    }),
    issuer: t.string({ nullable: true, description: '`iss`.', resolve: whenActive(({ issuer }) => issuer) }),
    audience: t.stringList({
      nullable: true,
      description: '`aud`.',
      resolve: whenActive(({ audience }) => [...audience]),
    }),
    actor: t.id({
      nullable: true,
      description: '`act`: the employee who acts for the customer.',
      resolve: whenActive(({ actor }) => actor),
    }),
  }),
});

builder.queryField('introspectToken', (t) =>
  t.field({
    type: TokenIntrospectionType,
    description:
      "What a token of this tenant says. Needs `oauth.token_introspect`, unless the token is the caller's own.",
    access: authenticated,
    args: { token: t.arg.string({ required: true, description: 'An access, saas or refresh token.' }) },
    resolve: (_root, { token }, ctx) => ctx.services.introspection.introspect(ctx, token),
  }),
);

const RevokeTokenInput = builder.inputType('RevokeTokenInput', {
  description: 'The token to end.',
  fields: (t) => ({
    token: t.string({ required: true, description: 'An access, saas or refresh token. Holding it is proof enough.' }),
  }),
});

builder.mutationField('revokeToken', (t) =>
  t.field({
    type: RevokePayload,
    description:
      'Ends a token (RFC 7009). A refresh token ends its session and all that came of it, an access token ends alone. Never tells whether the token was good.',
    access: open,
    args: { input: t.arg({ type: RevokeTokenInput, required: true, description: 'The token.' }) },
    resolve: async (_root, { input }, ctx) => {
      await ctx.services.tokenRevocation.revoke(ctx, input.token);
      return { revoked: true };
    },
  }),
);
