// The mutations that obtain tokens. Each names its grant and hands over its input; the decisions are the grants'.

import { builder } from '../../graphql/builder.ts';
import { authenticatedAs, open, requires } from '../../permissions/access.ts';
import {
  AnonymousTokenType,
  CustomerTokenType,
  EmployeeTokenType,
  SaasTokenType,
  ServiceTokenType,
} from './token-types.graphql.ts';

const IssueServiceTokenInput = builder.inputType('IssueServiceTokenInput', {
  description: 'Client credentials (RFC 6749 s.4.4).',
  fields: (t) => ({
    clientId: t.id({ required: true, description: 'A backend or custom client.' }),
    clientSecret: t.string({ required: true, description: 'Its secret.' }),
    scopes: t.stringList({ description: "Which of the client's scopes. Absent: all of them." }),
  }),
});

const IssueAnonymousTokenInput = builder.inputType('IssueAnonymousTokenInput', {
  description: 'A new guest, and what the visit is about.',
  fields: (t) => ({
    tenant: t.string({ required: true, description: 'The tenant.' }),
    clientId: t.id({ required: true, description: 'A storefront client of the tenant.' }),
    siteCode: t.string({ description: 'The site.' }),
    currency: t.string({ description: 'ISO 4217 code.' }),
    language: t.string({ description: 'BCP 47 tag.' }),
    targetLocation: t.string({ description: 'Where goods go: a country code, say.' }),
  }),
});

const RefreshAnonymousTokenInput = builder.inputType('RefreshAnonymousTokenInput', {
  description: 'The guest goes on.',
  fields: (t) => ({ refreshToken: t.string({ required: true, description: 'Of an anonymous token.' }) }),
});

const IssueCustomerTokenInput = builder.inputType('IssueCustomerTokenInput', {
  description:
    "A guest signs in. The guest's anonymous token comes as the bearer or as `anonymousToken`; without either: INVALID_REQUEST.",
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address of the account.' }),
    password: t.string({ required: true, description: 'Its password.' }),
    anonymousToken: t.string({ description: "The guest's access token, whose session goes on." }),
    legalEntityId: t.id({ description: 'Act for this company from the start.' }),
  }),
});

const RefreshCustomerTokenInput = builder.inputType('RefreshCustomerTokenInput', {
  description: 'The customer goes on, perhaps for another company.',
  fields: (t) => ({
    refreshToken: t.string({ required: true, description: 'The last one received.' }),
    legalEntityId: t.id({ description: 'Absent: keep the company. Null: act for oneself. An id: switch to it.' }),
    branch: t.boolean({ description: 'Keep the present company open beside the new one.' }),
  }),
});

const IssueB2BTokenInput = builder.inputType('IssueB2BTokenInput', {
  description: 'The customer goes on for a company.',
  fields: (t) => ({
    refreshToken: t.string({ required: true, description: 'The last one received.' }),
    legalEntityId: t.id({ required: true, description: 'A company that the customer is assigned to.' }),
    branch: t.boolean({ description: 'Keep the present company open beside the new one.' }),
  }),
});

const IssueEmployeeTokenInput = builder.inputType('IssueEmployeeTokenInput', {
  description: 'An employee signs in.',
  fields: (t) => ({
    tenant: t.string({ required: true, description: 'The tenant.' }),
    email: t.string({ required: true, description: 'The address of the account.' }),
    password: t.string({ required: true, description: 'Its password.' }),
  }),
});

const RefreshEmployeeTokenInput = builder.inputType('RefreshEmployeeTokenInput', {
  description: 'The employee goes on.',
  fields: (t) => ({ refreshToken: t.string({ required: true, description: 'The last one received.' }) }),
});

const IssueAssistedCustomerTokenInput = builder.inputType('IssueAssistedCustomerTokenInput', {
  description: 'An employee acts for a customer.',
  fields: (t) => ({
    customerId: t.id({ required: true, description: 'For whom.' }),
    legalEntityId: t.id({ description: 'For a company of that customer.' }),
    reason: t.string({ required: true, description: 'Why; for the audit trail. 500 characters at most.' }),
  }),
});

builder.mutationFields((t) => ({
  issueServiceToken: t.field({
    type: ServiceTokenType,
    description:
      'A token for a client itself. Errors: INVALID_CLIENT, INVALID_SCOPE with `refused`, UNAUTHORIZED_CLIENT.',
    access: open,
    args: { input: t.arg({ type: IssueServiceTokenInput, required: true, description: 'Credentials and scopes.' }) },
    resolve: async (_root, { input: { clientId, clientSecret, scopes } }, ctx) => {
      const { grants, requestToken } = ctx.services;
      const parameters = scopes ? { scopes } : {};
      return { accessToken: await requestToken(ctx, grants.clientCredentials, parameters, { clientId, clientSecret }) };
    },
  }),
  issueAnonymousToken: t.field({
    type: AnonymousTokenType,
    description: "A guest's first token. Costs no write. Errors: INVALID_CLIENT, BAD_USER_INPUT, RATE_LIMITED.",
    access: open,
    args: { input: t.arg({ type: IssueAnonymousTokenInput, required: true, description: 'Where, and what about.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.requestToken(ctx, ctx.services.grants.anonymous, input),
  }),
  refreshAnonymousToken: t.field({
    type: AnonymousTokenType,
    description:
      'The guest goes on in the same session. Errors: INVALID_GRANT, also once a login has claimed the session.',
    access: open,
    args: { input: t.arg({ type: RefreshAnonymousTokenInput, required: true, description: 'The refresh token.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.requestToken(ctx, ctx.services.grants.refreshAnonymous, input),
  }),
  issueCustomerToken: t.field({
    type: CustomerTokenType,
    description:
      "A guest signs in and keeps the session; the guest's tokens are worthless from then on. Errors: INVALID_GRANT, INVALID_REQUEST, UNAUTHENTICATED (the anonymous token), ACCESS_DENIED (the company), RATE_LIMITED.",
    access: open,
    args: { input: t.arg({ type: IssueCustomerTokenInput, required: true, description: 'Credentials.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.requestToken(ctx, ctx.services.grants.customerLogin, input),
  }),
  refreshCustomerToken: t.field({
    type: CustomerTokenType,
    description:
      'New tokens for a spent refresh token, perhaps for another company. An identical retry within seconds gets the same successor; a use long after ends the session. Errors: INVALID_GRANT, ACCESS_DENIED with nothing spent, RATE_LIMITED.',
    access: open,
    args: {
      input: t.arg({
        type: RefreshCustomerTokenInput,
        required: true,
        description: 'The refresh token, and for whom.',
      }),
    },
    resolve: (_root, { input }, ctx) => ctx.services.requestToken(ctx, ctx.services.grants.refreshToken, input),
  }),
  issueB2BToken: t.field({
    type: CustomerTokenType,
    description:
      'The same as refreshCustomerToken with a company: a token with `legalEntityId` and the scopes that the customer has there.',
    access: open,
    args: {
      input: t.arg({ type: IssueB2BTokenInput, required: true, description: 'The refresh token and the company.' }),
    },
    resolve: (_root, { input }, ctx) => ctx.services.requestToken(ctx, ctx.services.grants.refreshToken, input),
  }),
  issueSaasToken: t.field({
    type: SaasTokenType,
    description: 'A new saas token for the calling customer, living as long as the bearer.',
    access: authenticatedAs('customer'),
    resolve: (_root, _args, ctx) => ctx.services.saasTokens.issue(ctx),
  }),
  issueEmployeeToken: t.field({
    type: EmployeeTokenType,
    description: 'An employee signs in. Errors: INVALID_GRANT, RATE_LIMITED.',
    access: open,
    args: { input: t.arg({ type: IssueEmployeeTokenInput, required: true, description: 'Credentials.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.requestToken(ctx, ctx.services.grants.employeeLogin, input),
  }),
  refreshEmployeeToken: t.field({
    type: EmployeeTokenType,
    description:
      'New tokens for a spent refresh token; the session ends when it would have ended. Errors: INVALID_GRANT, RATE_LIMITED.',
    access: open,
    args: { input: t.arg({ type: RefreshEmployeeTokenInput, required: true, description: 'The refresh token.' }) },
    resolve: (_root, { input }, ctx) => ctx.services.requestToken(ctx, ctx.services.grants.refreshEmployee, input),
  }),
  issueAssistedCustomerToken: t.field({
    type: CustomerTokenType,
    description:
      "An employee acts for a customer, with the customer's scopes and never more. The token names the employee in `act` and cannot be refreshed. Errors: FORBIDDEN, also for anybody but an employee, NOT_FOUND, ACCESS_DENIED, BAD_USER_INPUT.",
    access: requires('customer.assisted_buying_manage'),
    args: {
      input: t.arg({ type: IssueAssistedCustomerTokenInput, required: true, description: 'For whom, and why.' }),
    },
    resolve: (_root, { input }, ctx) => ctx.services.requestToken(ctx, ctx.services.grants.assistedCustomer, input),
  }),
}));
