// What people do with the service, as single steps: begin as a guest, sign in, switch, refresh.

import { type Answer, graphql, only } from './graphql.ts';
import type { Service } from './service.ts';

type At = Pick<Service, 'url'>;

export const PASSWORD = 'demo-password-1';

export interface GuestToken {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  refreshTokenExpiresIn: number;
  sessionId: string;
  scopes: string[];
}

export interface CustomerToken extends GuestToken {
  saasToken: string;
  legalEntity: { id: string; name: string } | null;
  branchedFrom: { refreshToken: string; refreshTokenExpiresIn: number; legalEntity: { id: string } | null } | null;
  customer: { id: string; email: string };
}

export interface EmployeeToken extends GuestToken {
  employee: { id: string; email: string };
}

const guestFields = 'accessToken tokenType expiresIn expiresAt scopes refreshToken refreshTokenExpiresIn sessionId';
const customerFields = `${guestFields} saasToken legalEntity { id name } customer { id email }
  branchedFrom { refreshToken refreshTokenExpiresIn legalEntity { id } }`;

/** A new guest of a storefront. */
export const guest = async (at: At, input: Record<string, unknown> = {}): Promise<GuestToken> =>
  only(
    await graphql(
      at,
      `mutation ($input: IssueAnonymousTokenInput!) { issueAnonymousToken(input: $input) { ${guestFields} } }`,
      {
        variables: { input: { tenant: 'demo', clientId: 'demo-storefront', ...input } },
      },
    ),
  );

export const tryRefreshGuest = (at: At, refreshToken: string): Promise<Answer> =>
  graphql(at, `mutation ($t: String!) { refreshAnonymousToken(input: { refreshToken: $t }) { ${guestFields} } }`, {
    variables: { t: refreshToken },
  });

/** A login attempt: `input.anonymousToken`, or a bearer. */
export const tryLogin = (at: At, input: Record<string, unknown>, bearer?: string): Promise<Answer> =>
  graphql(
    at,
    `mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { ${customerFields} } }`,
    {
      variables: { input: { password: PASSWORD, ...input } },
      bearer,
    },
  );

/** A guest who signs in. */
export async function signIn(
  at: At,
  email = 'buyer@demo.example',
  input: Record<string, unknown> = {},
): Promise<CustomerToken> {
  const tenant = email.endsWith('@rival.example') ? 'rival' : 'demo';
  const { accessToken } = await guest(at, { tenant, clientId: `${tenant}-storefront` });
  return only(await tryLogin(at, { email, anonymousToken: accessToken, ...input }));
}

export const tryRefresh = (at: At, refreshToken: string, input: Record<string, unknown> = {}): Promise<Answer> =>
  graphql(
    at,
    `mutation ($input: RefreshCustomerTokenInput!) { refreshCustomerToken(input: $input) { ${customerFields} } }`,
    {
      variables: { input: { refreshToken, ...input } },
    },
  );

/** A refresh that succeeds. */
export const refresh = async (
  at: At,
  refreshToken: string,
  input: Record<string, unknown> = {},
): Promise<CustomerToken> => only(await tryRefresh(at, refreshToken, input));

export const tryEmployeeLogin = (at: At, email: string, password = PASSWORD, tenant = 'demo'): Promise<Answer> =>
  graphql(
    at,
    `mutation ($input: IssueEmployeeTokenInput!) { issueEmployeeToken(input: $input) { ${guestFields} employee { id email } } }`,
    { variables: { input: { tenant, email, password } } },
  );

/** An employee at work. */
export async function employee(at: At, email = 'admin@demo.example'): Promise<EmployeeToken> {
  return only(await tryEmployeeLogin(at, email, PASSWORD, email.endsWith('@rival.example') ? 'rival' : 'demo'));
}

export const tryRefreshEmployee = (at: At, refreshToken: string): Promise<Answer> =>
  graphql(at, `mutation ($t: String!) { refreshEmployeeToken(input: { refreshToken: $t }) { ${guestFields} } }`, {
    variables: { t: refreshToken },
  });

export const tryServiceToken = (
  at: At,
  clientId: string,
  clientSecret: string,
  scopes?: readonly string[],
): Promise<Answer> =>
  graphql(
    at,
    `mutation ($input: IssueServiceTokenInput!) { issueServiceToken(input: $input) { accessToken tokenType expiresIn expiresAt scopes } }`,
    { variables: { input: { clientId, clientSecret, ...(scopes ? { scopes } : {}) } } },
  );

/** A service token of a demo client. */
export const serviceToken = async (
  at: At,
  clientId = 'demo-backend',
  scopes?: readonly string[],
): Promise<{ accessToken: string; expiresIn: number; scopes: string[] }> =>
  only(await tryServiceToken(at, clientId, `${clientId}-secret`, scopes));

/** Is the token good now, as a bearer? */
export async function isGood(at: At, accessToken: string): Promise<boolean> {
  const { data } = await graphql(at, '{ currentPrincipal { id } }', { bearer: accessToken });
  return data?.currentPrincipal !== null && data?.currentPrincipal !== undefined;
}

/** The claims of a token, unverified. */
export const claimsOf = (token: string): Record<string, any> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8'));

/** The B2B token: the same refresh, by the name that says what for. */
export const tryB2B = (
  at: At,
  refreshToken: string,
  legalEntityId: string,
  input: Record<string, unknown> = {},
): Promise<Answer> =>
  graphql(at, `mutation ($input: IssueB2BTokenInput!) { issueB2BToken(input: $input) { ${customerFields} } }`, {
    variables: { input: { refreshToken, legalEntityId, ...input } },
  });

/** An employee asks to act for a customer. */
export const tryAssist = (at: At, bearer: string | undefined, input: Record<string, unknown>): Promise<Answer> =>
  graphql(
    at,
    `mutation ($input: IssueAssistedCustomerTokenInput!) { issueAssistedCustomerToken(input: $input) { ${customerFields} } }`,
    { bearer, variables: { input: { reason: 'On the phone', ...input } } },
  );

/** Waits until the token is refused. @returns after how many ms; Infinity: not within `mostMs` */
export async function refusedAfter(at: At, accessToken: string, mostMs: number): Promise<number> {
  const began = performance.now();
  while (await isGood(at, accessToken)) {
    if (performance.now() - began > mostMs) return Number.POSITIVE_INFINITY;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - began;
}

/** The header of a token, unverified. */
export const headerOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString('utf8'));
