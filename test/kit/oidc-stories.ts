// Single sign-on as people and administrators do it: a provider is connected, somebody begins, comes back with a code, or
// shows a provider's token.

import { randomUUID } from 'node:crypto';
import { type Answer, graphql, only } from './graphql.ts';
import { administratorOf } from './groups.ts';
import { passThrough, type Returned } from './oidc.ts';
import type { Service } from './service.ts';
import type { CustomerToken, EmployeeToken } from './stories.ts';

type At = Pick<Service, 'url'>;
type Input = Record<string, unknown>;
type Bearer = string | undefined;

/** The callback that providers are set up with unless a test says otherwise. */
export const CALLBACK = 'https://shop.example/callback';

/** What the browser that began holds. */
export interface Begun {
  readonly authorizationUrl: string;
  readonly state: string;
  readonly verifier: string;
  readonly expiresAt: string;
}

/** An answer of one of the two ways in. */
export type Entered = (CustomerToken | EmployeeToken) & {
  __typename: string;
  customer?: { id: string; email: string; firstName: string | null; lastName: string | null };
  employee?: { id: string; email: string; firstName: string; lastName: string };
};

const tokenFields = `__typename
  ... on CustomerToken { accessToken tokenType expiresIn scopes refreshToken refreshTokenExpiresIn sessionId saasToken
    legalEntity { id name } customer { id email firstName lastName } }
  ... on EmployeeToken { accessToken tokenType expiresIn scopes refreshToken refreshTokenExpiresIn sessionId
    employee { id email firstName lastName } }`;

export const tryStartSso = (at: At, input: Input, bearer?: Bearer): Promise<Answer<any>> =>
  graphql(
    at,
    'mutation ($input: StartSsoInput!) { startSso(input: $input) { authorizationUrl state verifier expiresAt } }',
    { bearer, variables: { input: { userType: 'CUSTOMER', redirectUri: CALLBACK, ...input } } },
  );

/** Begins to sign in. */
export const startSso = async (at: At, input: Input, bearer?: Bearer): Promise<Begun> =>
  only(await tryStartSso(at, input, bearer));

export const tryIssueSsoToken = (at: At, input: Input, bearer?: Bearer): Promise<Answer<any>> =>
  graphql(at, `mutation ($input: IssueSsoTokenInput!) { issueSsoToken(input: $input) { ${tokenFields} } }`, {
    bearer,
    variables: { input },
  });

/** What the callback's page sends: what the provider said, and what the browser kept. */
export const callbackOf = ({ verifier }: Pick<Begun, 'verifier'>, { code, state, iss }: Returned) => ({
  state,
  code,
  iss,
  verifier,
});

export const tryExchange = (at: At, input: Input, bearer?: Bearer): Promise<Answer<any>> =>
  graphql(at, `mutation ($input: ExchangeTokenInput!) { exchangeToken(input: $input) { ${tokenFields} } }`, {
    bearer,
    variables: { input: { userType: 'CUSTOMER', ...input } },
  });

export const providerFields = `id name issuer clientId userTypes enabled redirectUris autoProvision audience groupClaim
  subjectTokens emailClaim firstNameClaim lastNameClaim`;

export const tryCreateProvider = (at: At, bearer: Bearer, input: Input): Promise<Answer<any>> =>
  graphql(
    at,
    `mutation ($input: CreateIdentityProviderInput!) { createIdentityProvider(input: $input) { ${providerFields} } }`,
    { bearer, variables: { input } },
  );

export const tryUpdateProvider = (at: At, bearer: Bearer, input: Input): Promise<Answer<any>> =>
  graphql(
    at,
    `mutation ($input: UpdateIdentityProviderInput!) { updateIdentityProvider(input: $input) { ${providerFields} } }`,
    { bearer, variables: { input } },
  );

export const tryDeleteProvider = (at: At, bearer: Bearer, id: string): Promise<Answer<any>> =>
  graphql(at, 'mutation ($id: ID!) { deleteIdentityProvider(id: $id) }', { bearer, variables: { id } });

/** Somewhere that a provider can be connected to, and what it is reached by. */
export interface Tenant {
  readonly id: string;
  readonly employee: { readonly email: string };
}

/** Connects a provider to a tenant of `givenTenant`, for customers unless said. @returns its id */
export async function connect(
  at: At,
  tenant: Tenant,
  provider: { issuer: string; clientId: string; clientSecret: string },
  settings: Input = {},
): Promise<string> {
  const { issuer, clientId, clientSecret } = provider;
  const input = {
    name: `provider-${randomUUID()}`,
    issuer,
    clientId,
    clientSecret,
    userTypes: ['CUSTOMER'],
    redirectUris: [CALLBACK],
    ...settings,
  };
  return only<{ id: string }>(await tryCreateProvider(at, await administratorOf(at, tenant), input)).id;
}

/** Begins, passes through the pages of a real provider as `login`, and comes back. */
export async function tryPass(at: At, input: Input, login: string, rest: Input = {}): Promise<Answer<any>> {
  const begun = await startSso(at, input);
  const returned = await passThrough(begun.authorizationUrl, login);
  return tryIssueSsoToken(at, { ...callbackOf(begun, returned), ...rest });
}

/** As `tryPass`, to the end. */
export const pass = async (at: At, input: Input, login: string, rest: Input = {}): Promise<Entered> =>
  only(await tryPass(at, input, login, rest));
