// Signing in through an identity provider.

import { builder } from '../../graphql/builder.ts';
import { open } from '../../permissions/access.ts';
import { UserTypeEnum } from '../iam/user-type.graphql.ts';
import type { CustomerTokens } from './customer-tokens.ts';
import type { EmployeeTokens } from './employee-tokens.ts';
import { CustomerTokenType, EmployeeTokenType } from './token-types.graphql.ts';

interface Begun {
  readonly authorizationUrl: string;
  readonly state: string;
  readonly verifier: string;
  readonly expiresAt: Date;
}

const SsoAuthorizationType = builder.objectRef<Begun>('SsoAuthorization').implement({
  description: 'A sign-in that has begun at a provider.',
  fields: (t) => ({
    authorizationUrl: t.exposeString('authorizationUrl', { description: 'Where the browser goes.' }),
    state: t.exposeString('state', { description: 'Comes back with the code.' }),
    verifier: t.exposeString('verifier', {
      description: 'Stays in the browser that began, and comes back with the code: nobody else may see it.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when the browser may come back.' }),
  }),
});

const SsoTokenType = builder.unionType('SsoToken', {
  description: 'The token of whoever signed in.',
  types: [CustomerTokenType, EmployeeTokenType],
  resolveType: (token: CustomerTokens | EmployeeTokens) => ('customer' in token ? 'CustomerToken' : 'EmployeeToken'),
});

const StartSsoInput = builder.inputType('StartSsoInput', {
  description: 'Who wants to sign in, and where.',
  fields: (t) => ({
    tenant: t.string({ required: true, description: 'The tenant.' }),
    provider: t.id({ required: true, description: 'One of its identity providers.' }),
    userType: t.field({ type: UserTypeEnum, required: true, description: 'As a customer, or as an employee.' }),
    redirectUri: t.string({
      required: true,
      description: 'Where the browser comes back: exactly one of the provider’s.',
    }),
    anonymousToken: t.string({ description: "The guest's access token, whose session goes on; or the bearer is it." }),
  }),
});

const IssueSsoTokenInput = builder.inputType('IssueSsoTokenInput', {
  description: 'What the browser came back with.',
  fields: (t) => ({
    state: t.string({ required: true, description: 'As it came back.' }),
    code: t.string({ required: true, description: 'As it came back.' }),
    verifier: t.string({ required: true, description: 'As `startSso` gave it to this browser.' }),
    iss: t.string({ description: 'As it came back (RFC 9207), if it did.' }),
    legalEntityId: t.id({ description: 'For a customer: act for this company from the start.' }),
  }),
});

const ExchangeTokenInput = builder.inputType('ExchangeTokenInput', {
  description: "A provider's token, for one of ours (RFC 8693).",
  fields: (t) => ({
    tenant: t.string({ required: true, description: 'The tenant.' }),
    provider: t.id({ required: true, description: 'The provider whose token it is.' }),
    userType: t.field({ type: UserTypeEnum, required: true, description: 'As a customer, or as an employee.' }),
    subjectToken: t.string({ required: true, description: 'The token: an id_token or access token, unused so far.' }),
    anonymousToken: t.string({ description: "The guest's access token, whose session goes on; or the bearer is it." }),
    legalEntityId: t.id({ description: 'For a customer: act for this company from the start.' }),
  }),
});

builder.mutationFields((t) => ({
  startSso: t.field({
    type: SsoAuthorizationType,
    description:
      'Begins a sign-in at an identity provider (code flow with PKCE). Errors: NOT_FOUND for the provider, BAD_USER_INPUT for the redirect URI, UNAUTHENTICATED (the anonymous token), RATE_LIMITED, SERVICE_UNAVAILABLE when the provider is away.',
    access: open,
    args: { input: t.arg({ type: StartSsoInput, required: true, description: 'Who, and where.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.startSso(ctx, input),
  }),
  issueSsoToken: t.field({
    type: SsoTokenType,
    description:
      'Whoever comes back from the provider is signed in. A guest keeps the session. Errors: INVALID_GRANT, ACCESS_DENIED (the company), UNAUTHENTICATED (the guest), SERVICE_UNAVAILABLE when the provider is away.',
    access: open,
    args: { input: t.arg({ type: IssueSsoTokenInput, required: true, description: 'What came back.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.requestToken(ctx, ctx.services.grants.sso, input),
  }),
  exchangeToken: t.field({
    type: SsoTokenType,
    description:
      "A provider's token, for one of ours; each is exchanged once. A guest keeps the session. Errors: INVALID_GRANT, ACCESS_DENIED (the company), UNAUTHENTICATED (the guest), SERVICE_UNAVAILABLE when the provider is away.",
    access: open,
    args: { input: t.arg({ type: ExchangeTokenInput, required: true, description: 'The token, and whose it is.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.requestToken(ctx, ctx.services.grants.tokenExchange, input),
  }),
}));
