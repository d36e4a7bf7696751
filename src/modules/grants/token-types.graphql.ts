// The tokens that grants answer with.

import { builder } from '../../graphql/builder.ts';
import { LegalEntityType } from '../companies/legal-entities.graphql.ts';
import { CustomerType } from '../principals/customers.graphql.ts';
import { EmployeeType } from '../principals/employees.graphql.ts';
import type { CustomerTokens, HeldRefreshToken } from './customer-tokens.ts';
import type { EmployeeTokens } from './employee-tokens.ts';
import type { GuestTokens } from './guest-tokens.ts';

/** A signed token, as grants hand it over. */
type IssuedToken = GuestTokens['accessToken'];

interface HasAccessToken {
  readonly accessToken: IssuedToken;
}

const AccessTokenType = builder.interfaceRef<HasAccessToken>('AccessToken').implement({
  description: 'An access token (RFC 9068): a JWT that services verify with the JWKS.',
  fields: (t) => ({
    accessToken: t.string({
      description: 'Send it as `Authorization: Bearer …`.',
      resolve: ({ accessToken }) => accessToken.token,
    }),
    tokenType: t.string({ description: 'Always "Bearer".', resolve: () => 'Bearer' }),
    expiresIn: t.int({ description: 'Seconds until it ends.', resolve: ({ accessToken }) => accessToken.expiresIn }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When it ends.',
      resolve: ({ accessToken }) => accessToken.expiresAt,
    }),
    scopes: t.stringList({
      description: 'What was granted, sorted.',
      resolve: ({ accessToken }) => [...accessToken.scopes],
    }),
  }),
});

/** Type `ServiceToken`. */
export const ServiceTokenType = builder.objectRef<HasAccessToken>('ServiceToken').implement({
  description: 'For a client acting for itself. Without a refresh token: ask again.',
  interfaces: [AccessTokenType],
});

/** Type `AnonymousToken`. */
export const AnonymousTokenType = builder.objectRef<GuestTokens>('AnonymousToken').implement({
  description: 'For a guest. Signing in with it keeps the session.',
  interfaces: [AccessTokenType],
  fields: (t) => ({
    refreshToken: t.string({
      description: 'Goes on with the same session, any number of times until it ends.',
      resolve: ({ refreshToken }) => refreshToken.token,
    }),
    refreshTokenExpiresIn: t.int({
      description: 'Seconds until it ends.',
      resolve: ({ refreshToken }) => refreshToken.expiresIn,
    }),
    sessionId: t.exposeID('sessionId', { description: 'The visit.' }),
  }),
});

const RefreshTokenBranchType = builder.objectRef<HeldRefreshToken>('RefreshTokenBranch').implement({
  description: 'A refresh token that goes on beside another one of the same session.',
  fields: (t) => ({
    refreshToken: t.string({ description: 'Good once.', resolve: ({ token }) => token }),
    refreshTokenExpiresIn: t.int({ description: 'Seconds until it ends.', resolve: ({ expiresIn }) => expiresIn }),
    legalEntity: t.field({
      type: LegalEntityType,
      nullable: true,
      description: 'The company that it goes on with.',
      resolve: ({ legalEntity }) => legalEntity,
    }),
  }),
});

/** Type `CustomerToken`. */
export const CustomerTokenType = builder.objectRef<CustomerTokens>('CustomerToken').implement({
  description: 'For a customer; with a company it is the B2B token.',
  interfaces: [AccessTokenType],
  fields: (t) => ({
    saasToken: t.string({
      description: 'Proof for checkout: same customer, session and company.',
      resolve: ({ saasToken }) => saasToken.token,
    }),
    refreshToken: t.string({
      description: 'Good once; its use returns the next. Empty for an assisted customer.',
      resolve: ({ refreshToken }) => refreshToken?.token ?? '',
    }),
    refreshTokenExpiresIn: t.int({
      description: 'Seconds until it ends.',
      resolve: ({ refreshToken }) => refreshToken?.expiresIn ?? 0,
    }),
    sessionId: t.exposeID('sessionId', { description: 'The visit: that of the anonymous token it began with.' }),
    legalEntity: t.field({
      type: LegalEntityType,
      nullable: true,
      description: 'The company acted for; null: the customer acts for themself.',
      resolve: ({ legalEntity }) => legalEntity,
    }),
    branchedFrom: t.field({
      type: RefreshTokenBranchType,
      nullable: true,
      description: 'With `branch: true`: what goes on with the company of before.',
      resolve: ({ branchedFrom }) => branchedFrom,
    }),
    customer: t.field({ type: CustomerType, description: 'Who signed in.', resolve: ({ customer }) => customer }),
  }),
});

/** Type `EmployeeToken`. */
export const EmployeeTokenType = builder.objectRef<EmployeeTokens>('EmployeeToken').implement({
  description: 'For an employee.',
  interfaces: [AccessTokenType],
  fields: (t) => ({
    refreshToken: t.string({
      description: 'Good once; its use returns the next.',
      resolve: ({ refreshToken }) => refreshToken.token,
    }),
    refreshTokenExpiresIn: t.int({
      description: 'Seconds until it ends, with the session.',
      resolve: ({ refreshToken }) => refreshToken.expiresIn,
    }),
    sessionId: t.exposeID('sessionId', { description: 'The visit.' }),
    employee: t.field({ type: EmployeeType, description: 'Who signed in.', resolve: ({ employee }) => employee }),
  }),
});

/** Type `SaasToken`. */
export const SaasTokenType = builder.objectRef<IssuedToken>('SaasToken').implement({
  description: 'Proof for checkout: same customer, session and company as the bearer.',
  fields: (t) => ({
    saasToken: t.string({ description: 'Send it as the `saas-token` header.', resolve: ({ token }) => token }),
    expiresIn: t.exposeInt('expiresIn', { description: 'Seconds until it ends.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends.' }),
  }),
});
