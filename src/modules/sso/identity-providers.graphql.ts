// Identity providers as the schema shows them, and whom they vouch for.

import { batched } from '../../graphql/batched.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionByName } from '../../graphql/pagination.ts';
import { requires } from '../../permissions/access.ts';
import { UserTypeEnum } from '../iam/user-type.graphql.ts';
import { CustomerType } from '../principals/customers.graphql.ts';
import { EmployeeType } from '../principals/employees.graphql.ts';
import type { ExternalIdentity } from './external-identities.ts';
import type { IdentityProvider } from './identity-providers.ts';

const SubjectTokensEnum = builder.enumType('SubjectTokens', {
  description: 'How the tokens of a provider are checked when they are exchanged.',
  values: {
    JWT: { description: 'By its keys: they are signed.' },
    OPAQUE: { description: 'By asking it (RFC 7662).' },
  } as const,
});

const IdentityProviderType = builder.objectRef<IdentityProvider>('IdentityProvider').implement({
  description: 'An OpenID Connect provider that vouches for people. Its client secret is never shown.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the provider here.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    issuer: t.exposeString('issuer', { description: 'What it calls itself, in `iss`.' }),
    clientId: t.exposeString('clientId', { description: 'What it calls us.' }),
    userTypes: t.field({
      type: [UserTypeEnum],
      description: 'Whom it may vouch for.',
      resolve: ({ userTypes }) => userTypes,
    }),
    enabled: t.exposeBoolean('enabled', { description: 'Nobody signs in through a disabled one.' }),
    redirectUris: t.stringList({
      description: 'Where it may send browsers back to, exactly.',
      resolve: ({ redirectUris }) => redirectUris,
    }),
    audience: t.exposeString('audience', {
      nullable: true,
      description: '`aud` of tokens that are exchanged; null: `clientId`.',
    }),
    autoProvision: t.exposeBoolean('autoProvision', { description: 'Does it bring people who have no account yet?' }),
    groupClaim: t.exposeString('groupClaim', {
      nullable: true,
      description: "The claim that names employees' groups; null: none does.",
    }),
    emailClaim: t.exposeString('emailClaim', { description: 'The claim with the mail address.' }),
    firstNameClaim: t.exposeString('firstNameClaim', { description: 'The claim with the given name.' }),
    lastNameClaim: t.exposeString('lastNameClaim', { description: 'The claim with the family name.' }),
    subjectTokens: t.field({
      type: SubjectTokensEnum,
      nullable: true,
      description: 'How tokens that are exchanged are checked; null: none are exchanged.',
      resolve: ({ subjectTokens }) => subjectTokens,
    }),
    version: t.exposeInt('version', { description: 'Goes up with each change: for `version` in an update.' }),
  }),
});

const ExternalIdentityType = builder.objectRef<ExternalIdentity>('ExternalIdentity').implement({
  description: 'Somebody at a provider who is an account here.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the link.' }),
    issuer: t.exposeString('issuer', { description: 'The provider, as it calls itself.' }),
    subject: t.exposeString('subject', { description: 'Who it is there: `sub`.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the account was linked.' }),
  }),
});

const ofCustomer = batched<string, ExternalIdentity[]>((ctx, ids) =>
  ctx.services.externalIdentities.ofOwners(ctx, 'CUSTOMER', ids),
);
const ofEmployee = batched<string, ExternalIdentity[]>((ctx, ids) =>
  ctx.services.externalIdentities.ofOwners(ctx, 'EMPLOYEE', ids),
);

builder.objectFields(CustomerType, (t) => ({
  externalIdentities: t.field({
    type: [ExternalIdentityType],
    description: 'Who the customer is at identity providers.',
    access: requires('oauth.idp_read'),
    resolve: ({ id }, _args, ctx) => ofCustomer(ctx, id),
  }),
}));

builder.objectFields(EmployeeType, (t) => ({
  externalIdentities: t.field({
    type: [ExternalIdentityType],
    description: 'Who the employee is at identity providers.',
    access: requires('oauth.idp_read'),
    resolve: ({ id }, _args, ctx) => ofEmployee(ctx, id),
  }),
}));

builder.queryField('identityProviders', (t) =>
  t.connection(
    {
      type: IdentityProviderType,
      description: 'The identity providers of the tenant, by name.',
      access: requires('oauth.idp_read'),
      resolve: (_root, args, ctx) =>
        connectionByName('identityProviders', args, ctx.services.identityProviders.list(ctx)),
    },
    { name: 'IdentityProviderConnection', description: 'A page of identity providers.' },
    { name: 'IdentityProviderEdge', description: 'An identity provider in a page.' },
  ),
);

const CreateIdentityProviderInput = builder.inputType('CreateIdentityProviderInput', {
  description: 'An OpenID Connect provider.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it, in 1 to 100 characters.' }),
    issuer: t.string({ required: true, description: 'Its issuer: the URL below which its metadata stand.' }),
    clientId: t.string({ required: true, description: 'What it calls us.' }),
    clientSecret: t.string({ description: 'What we prove ourselves with there. Sealed, and never shown.' }),
    userTypes: t.field({ type: [UserTypeEnum], required: true, description: 'Whom it may vouch for. It stays so.' }),
    redirectUris: t.stringList({ required: true, description: 'Where it may send browsers back to, exactly.' }),
    audience: t.string({ description: '`aud` of tokens that are exchanged; absent: `clientId`.' }),
    autoProvision: t.boolean({ description: 'Does it bring people who have no account yet? No unless said.' }),
    groupClaim: t.string({ description: "The claim whose values name employees' groups." }),
    emailClaim: t.string({ description: 'The claim with the mail address; `email` unless said.' }),
    firstNameClaim: t.string({ description: 'The claim with the given name; `given_name` unless said.' }),
    lastNameClaim: t.string({ description: 'The claim with the family name; `family_name` unless said.' }),
    subjectTokens: t.field({
      type: SubjectTokensEnum,
      description: 'How its tokens are exchanged; absent: not at all.',
    }),
  }),
});

const UpdateIdentityProviderInput = builder.inputType('UpdateIdentityProviderInput', {
  description: 'What is to change of a provider; what is absent stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which provider.' }),
    name: t.string({ description: 'What people call it, in 1 to 100 characters.' }),
    clientSecret: t.string({ description: 'What we prove ourselves with there from now on.' }),
    enabled: t.boolean({ description: 'False: nobody signs in through it any more.' }),
    redirectUris: t.stringList({ description: 'Where it may send browsers back to, instead of those it has.' }),
    autoProvision: t.boolean({ description: 'Does it bring people who have no account yet?' }),
    groupClaim: t.string({ description: "The claim whose values name employees' groups; null: none does." }),
    audience: t.string({ description: '`aud` of tokens that are exchanged; null: `clientId`.' }),
    emailClaim: t.string({ description: 'The claim with the mail address.' }),
    firstNameClaim: t.string({ description: 'The claim with the given name.' }),
    lastNameClaim: t.string({ description: 'The claim with the family name.' }),
    subjectTokens: t.field({ type: SubjectTokensEnum, description: 'How its tokens are exchanged; null: not at all.' }),
    version: t.int({ description: 'The version that was read: CONFLICT `STALE_VERSION` when it is another by now.' }),
  }),
});

builder.mutationFields((t) => ({
  createIdentityProvider: t.field({
    type: IdentityProviderType,
    description:
      'Connects a provider, after a look at its metadata. Errors: BAD_USER_INPUT, CONFLICT `NAME_TAKEN`, SERVICE_UNAVAILABLE `IDENTITY_PROVIDER_UNREACHABLE`, FORBIDDEN for scopes of the people it vouches for that the caller lacks.',
    access: requires('oauth.idp_manage'),
    args: { input: t.arg({ type: CreateIdentityProviderInput, required: true, description: 'The provider.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.identityProviders.create(ctx, input),
  }),
  updateIdentityProvider: t.field({
    type: IdentityProviderType,
    description:
      'Changes a provider. Errors: NOT_FOUND, BAD_USER_INPUT, CONFLICT `NAME_TAKEN` or `STALE_VERSION`, FORBIDDEN for scopes of the people it vouches for that the caller lacks.',
    access: requires('oauth.idp_manage'),
    args: { input: t.arg({ type: UpdateIdentityProviderInput, required: true, description: 'The change.' }) },
    resolve: (_root, { input: { id, ...change } }, ctx) => ctx.services.identityProviders.update(ctx, id, change),
  }),
  deleteIdentityProvider: t.field({
    type: 'ID',
    description:
      'Disconnects a provider: its people are forgotten, and leave the groups that it claimed for them. Errors: NOT_FOUND, CONFLICT `LAST_ADMINISTRATOR`.',
    access: requires('oauth.idp_manage'),
    args: { id: t.arg.id({ required: true, description: 'Which provider.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.identityProviders.delete(ctx, id);
      return id;
    },
  }),
  unlinkExternalIdentity: t.field({
    type: 'ID',
    description: 'Forgets that somebody at a provider is an account here, and ends its sessions. Errors: NOT_FOUND.',
    access: requires('oauth.idp_manage'),
    args: { id: t.arg.id({ required: true, description: 'Which link.' }) },
    resolve: async (_root, { id }, ctx) => {
      await ctx.services.externalIdentities.unlink(ctx, id);
      return id;
    },
  }),
}));
