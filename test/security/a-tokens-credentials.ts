// Everything that somebody may hold of the service, or of others, and try at a door (security.md case 14).

import { generateKeyPairSync, sign } from 'node:crypto';
import type { LetterPurpose } from '../../src/modules/letters/letter-tokens.ts';
import type { TokenKind } from '../../src/modules/tokens/claims.ts';
import { by, check } from '../gateway/check.ts';
import { givenClient, givenCompany, givenCustomer } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { givenLink } from '../kit/letters.ts';
import { ISSUER, type Service } from '../kit/service.ts';
import { claimsOf, employee, guest, serviceToken, signIn } from '../kit/stories.ts';

/** All of them. */
export const credentialNames = [
  'service AT',
  'employee AT',
  'anonymous AT',
  'customer AT',
  'company AT',
  'assisted AT',
  'saas token',
  'assisted saas token',
  'anonymous RT',
  'customer RT',
  'employee RT',
  'identity assertion',
  'id_token of a provider',
  'link that confirms an account',
  'link for a new password',
  'link for a new address',
  'client secret',
  'session id',
  'jti',
] as const;

/** One of them. */
export type CredentialName = (typeof credentialNames)[number];

/** What somebody may hold. `kind`: how the code names it, for signed tokens. */
export type Credentials = Record<CredentialName, { kind: TokenKind | null; make: () => Promise<string> }>;

/** Somebody to hold them: each is made anew when it is asked for. */
export async function givenCredentials(service: Service) {
  const client = await givenClient(service, ['product.product_read']);
  const company = (await givenCompany(service)).id;
  const customer = await givenCustomer(service, { [company]: 'BUYER' });

  const assisted = async () => {
    const { accessToken } = await employee(service);
    const answer = await graphql(
      service,
      `mutation ($input: IssueAssistedCustomerTokenInput!) { issueAssistedCustomerToken(input: $input) { accessToken saasToken } }`,
      { bearer: accessToken, variables: { input: { customerId: customer.id, reason: 'a test' } } },
    );
    return only<{ accessToken: string; saasToken: string }>(answer);
  };

  /** A token of an identity provider: rightly signed, for us, and by somebody else. */
  const idToken = async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const iat = Math.floor(Date.now() / 1000);
    const part = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url');
    const claims = { iss: 'https://idp.test', aud: ISSUER, sub: customer.id, iat, exp: iat + 300, nonce: 'n' };
    const input = `${part({ alg: 'ES256', typ: 'JWT', kid: 'idp-1' })}.${part(claims)}`;
    return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };

  const asCustomer = () => signIn(service, customer.email);

  const linkOf = async (purpose: LetterPurpose) =>
    givenLink(service, { kind: 'customer', id: (await givenCustomer(service)).id }, purpose);

  const credentials: Credentials = {
    'service AT': { kind: 'service', make: async () => (await serviceToken(service)).accessToken },
    'employee AT': { kind: 'employee', make: async () => (await employee(service)).accessToken },
    'anonymous AT': { kind: 'anonymous', make: async () => (await guest(service)).accessToken },
    'customer AT': { kind: 'customer', make: async () => (await asCustomer()).accessToken },
    'company AT': {
      kind: 'customer',
      make: async () => (await signIn(service, customer.email, { legalEntityId: company })).accessToken,
    },
    'assisted AT': { kind: 'customer', make: async () => (await assisted()).accessToken },
    'saas token': { kind: 'saas', make: async () => (await asCustomer()).saasToken },
    'assisted saas token': { kind: 'saas', make: async () => (await assisted()).saasToken },
    'anonymous RT': { kind: 'anonymous-refresh', make: async () => (await guest(service)).refreshToken },
    'customer RT': { kind: null, make: async () => (await asCustomer()).refreshToken },
    'employee RT': { kind: null, make: async () => (await employee(service)).refreshToken },
    'identity assertion': {
      kind: null,
      make: async () =>
        (await check(service, '', by((await asCustomer()).accessToken))).identity['X-Identity-Assertion']!,
    },
    'id_token of a provider': { kind: null, make: idToken },
    'link that confirms an account': { kind: null, make: () => linkOf('CONFIRM_CUSTOMER') },
    'link for a new password': { kind: null, make: () => linkOf('RESET_PASSWORD') },
    'link for a new address': { kind: null, make: () => linkOf('CHANGE_EMAIL') },
    'client secret': { kind: null, make: async () => client.clientSecret },
    'session id': { kind: null, make: async () => (await asCustomer()).sessionId },
    jti: { kind: null, make: async () => claimsOf((await asCustomer()).accessToken).jti },
  };

  return { client, company, credentials, customer };
}
