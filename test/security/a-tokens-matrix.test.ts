// Which token opens which door (security.md case 14): a checked-in table, and everything else is refused. The doors are
// read from the schema and the kinds from the code, so a new one without a row or column fails here.

import { type GraphQLArgument, type GraphQLInputField, getNamedType, isInputObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { tokenKinds } from '../../src/modules/tokens/kinds/index.ts';
import { by, check } from '../gateway/check.ts';
import { forgeOf, introspect } from '../kit/forge.ts';
import { givenCustomer } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { tryConfirm, tryConfirmEmailChange, tryReset } from '../kit/letters.ts';
import { asBackend, askToken, introspectAs, type OauthAnswer, post, revokeAs, tryRefreshAs } from '../kit/oauth.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import { CALLBACK, tryCreateProvider, tryExchange, tryIssueSsoToken, tryStartSso } from '../kit/oidc-stories.ts';
import { type Service, theService } from '../kit/service.ts';
import { claimsOf, employee, PASSWORD, serviceToken, signIn, tryRefreshGuest } from '../kit/stories.ts';
import { type CredentialName, type Credentials, credentialNames, givenCredentials } from './a-tokens-credentials.ts';

let service: Service;
let backend: string;
let client: { id: string; clientSecret: string };
let company: string;
let customer: { id: string; email: string };
let credentials: Credentials;
let provider: MisbehavingProvider;
let connected: string;

beforeAll(async () => {
  service = await theService();
  backend = (await serviceToken(service)).accessToken;
  ({ client, company, credentials, customer } = await givenCredentials(service));
  provider = await startMisbehaving();
  const { accessToken } = await employee(service);
  const { issuer, clientId, clientSecret } = provider;
  const input = { name: issuer, issuer, clientId, clientSecret, userTypes: ['CUSTOMER'], redirectUris: [CALLBACK] };
  connected = only<{ id: string }>(
    await tryCreateProvider(service, accessToken, { ...input, subjectTokens: 'JWT' }),
  ).id;
});
afterAll(() => provider?.stop());

const begin = (input: object) => tryStartSso(service, { tenant: 'demo', provider: connected, ...input });
const exchange = (input: object) => tryExchange(service, { tenant: 'demo', provider: connected, ...input });

const asCustomer = () => signIn(service, customer.email);

/** "no" for the refusal that the door has to give; anything else shows in the table. */
const outcome = (answer: Answer, refusal: string): string =>
  answer.errors.length === 0 ? 'yes' : answer.code === refusal ? 'no' : answer.body;

const mutation = (field: string, type: string, selection: string, input: Record<string, unknown>) =>
  graphql(service, `mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} } }`, {
    variables: { input },
  });

/** The same for the endpoints of OAuth. */
const oauthOutcome = ({ status, error, text }: OauthAnswer, refusal: string): string =>
  status === 200 ? 'yes' : error === refusal ? 'no' : text;

/** Everybody of demo who could be the one that a token was issued to. */
const OWNERS = ['demo-storefront', 'scopeward'] as const;

const exchangeOverHttp = (parameters: Record<string, string>) =>
  askToken(service, {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    client_id: 'demo-storefront',
    provider: connected,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    ...parameters,
  });

/** The kinds of the revocation entries that `act` leaves behind. */
async function revokedBy(act: () => Promise<unknown>): Promise<string> {
  const newest = { orderBy: { sequence: 'desc' }, take: 1 } as const;
  const { revocation } = service.app.modules.database.system();
  const [last] = await revocation.findMany(newest);
  await act();
  const written = await revocation.findMany({ where: { sequence: { gt: last?.sequence ?? 0n } } });
  return written.length === 0 ? 'no' : written.map(({ kind }) => kind).join();
}

/** The customer, session and company that a signed token names; of anything else, nothing. */
function namedIn(token: string): Record<string, unknown> {
  if (!token.startsWith('eyJ')) return {};
  const { sub, session_id, legalEntityId } = claimsOf(token);
  return session_id === undefined ? {} : { sub, session_id, legalEntityId };
}

/** Every door, and what it makes of a credential. */
const doors: Record<string, (credential: string) => Promise<string>> = {
  'Authorization: Bearer': async (bearer) => {
    const { data, errors } = await graphql(service, '{ currentPrincipal { kind } }', { bearer });
    const protectedField = await graphql(service, '{ tenant { id } }', { bearer });
    const kind = data?.currentPrincipal?.kind ?? 'no';
    const agrees = errors.length === 0 && (kind === 'no') === (protectedField.code === 'UNAUTHENTICATED');
    return agrees ? kind : protectedField.body;
  },
  '/forward-auth Authorization: Bearer': async (bearer) => {
    const { status, identity } = await check(service, '', by(bearer));
    const asNobody = await check(service, 'optional=true', by(bearer));
    return status === 401 && asNobody.status === 401 ? 'no' : (identity['X-Principal-Kind'] ?? String(status));
  },
  '/forward-auth saas-token': async (saasToken) => {
    // Beside a bearer of whoever the credential names, so that its kind alone can be what is wrong with it.
    const forge = await forgeOf(service, (await asCustomer()).accessToken);
    const bearer = await forge.resign({ claims: namedIn(saasToken) });
    const { status } = await check(service, 'saas=required', { ...by(bearer), 'saas-token': saasToken });
    return status === 200 ? 'yes' : status === 403 ? 'no' : String(status);
  },
  'introspectToken.token': async (token) => {
    const { active, kind } = only(await introspect(service, backend, token));
    return active ? kind : 'no';
  },
  'revokeToken.token': (token) =>
    revokedBy(async () => only(await mutation('revokeToken', 'RevokeTokenInput', 'revoked', { token }))),
  '/oauth/introspect.token': async (token) => {
    const { body, text } = await introspectAs(service, token);
    return body.active ? body.kind : text === '{"active":false}' ? 'no' : text;
  },
  '/oauth/revoke.token': (token) =>
    revokedBy(async () => {
      for (const owner of OWNERS) await revokeAs(service, owner, token);
      await post(service, '/oauth/revoke', { token }, asBackend);
    }),
  '/oauth/token.client_secret': async (client_secret) =>
    oauthOutcome(
      await askToken(service, { grant_type: 'client_credentials', client_id: client.id, client_secret }),
      'invalid_client',
    ),
  '/oauth/token.refresh_token': async (refreshToken) => {
    const tried = [];
    for (const owner of OWNERS)
      tried.push(oauthOutcome(await tryRefreshAs(service, owner, refreshToken), 'invalid_grant'));
    return tried.find((result) => result !== 'no') ?? 'no';
  },
  '/oauth/token.subject_token': async (subject_token) =>
    oauthOutcome(await exchangeOverHttp({ subject_token }), 'invalid_request'),
  '/oauth/token.anonymous_token': async (anonymous_token) => {
    const { id: sub, email } = await givenCustomer(service);
    const subject_token = await provider.sign(provider.claims({ sub, email, email_verified: true }));
    return oauthOutcome(await exchangeOverHttp({ subject_token, anonymous_token }), 'invalid_request');
  },
  'issueServiceToken.clientSecret': async (clientSecret) =>
    outcome(
      await mutation('issueServiceToken', 'IssueServiceTokenInput', 'scopes', { clientId: client.id, clientSecret }),
      'INVALID_CLIENT',
    ),
  'issueCustomerToken.anonymousToken': async (anonymousToken) =>
    outcome(
      await mutation('issueCustomerToken', 'IssueCustomerTokenInput', 'sessionId', {
        email: customer.email,
        password: PASSWORD,
        anonymousToken,
      }),
      'UNAUTHENTICATED',
    ),
  'confirmCustomer.token': async (token) => outcome(await tryConfirm(service, token), 'INVALID_GRANT'),
  'confirmEmailChange.token': async (token) => outcome(await tryConfirmEmailChange(service, token), 'INVALID_GRANT'),
  'resetPassword.token': async (token) => outcome(await tryReset(service, token), 'INVALID_GRANT'),
  'issueB2BToken.refreshToken': async (refreshToken) =>
    outcome(
      await mutation('issueB2BToken', 'IssueB2BTokenInput', 'sessionId', { refreshToken, legalEntityId: company }),
      'INVALID_GRANT',
    ),
  'refreshAnonymousToken.refreshToken': async (refreshToken) =>
    outcome(await tryRefreshGuest(service, refreshToken), 'INVALID_GRANT'),
  'refreshCustomerToken.refreshToken': async (refreshToken) =>
    outcome(
      await mutation('refreshCustomerToken', 'RefreshCustomerTokenInput', 'sessionId', { refreshToken }),
      'INVALID_GRANT',
    ),
  'startSso.anonymousToken': async (anonymousToken) => outcome(await begin({ anonymousToken }), 'UNAUTHENTICATED'),
  'issueSsoToken.state': async (state) =>
    outcome(await tryIssueSsoToken(service, { state, code: 'a code', verifier: 'a verifier' }), 'INVALID_GRANT'),
  'issueSsoToken.code': async (code) => {
    const { state, verifier } = only(await begin({}));
    return outcome(await tryIssueSsoToken(service, { state, code, verifier, iss: provider.issuer }), 'INVALID_GRANT');
  },
  'exchangeToken.subjectToken': async (subjectToken) => outcome(await exchange({ subjectToken }), 'INVALID_GRANT'),
  'exchangeToken.anonymousToken': async (anonymousToken) => {
    const { id: sub, email } = await givenCustomer(service);
    const subjectToken = await provider.sign(provider.claims({ sub, email, email_verified: true }));
    return outcome(await exchange({ subjectToken, anonymousToken }), 'UNAUTHENTICATED');
  },
  'refreshEmployeeToken.refreshToken': async (refreshToken) =>
    outcome(
      await mutation('refreshEmployeeToken', 'RefreshEmployeeTokenInput', 'sessionId', { refreshToken }),
      'INVALID_GRANT',
    ),
};

/** The cells that succeed, and how. What is not written is refused. */
const table: Record<CredentialName, Partial<Record<string, string>>> = {
  'service AT': {
    'Authorization: Bearer': 'SERVICE',
    '/forward-auth Authorization: Bearer': 'service',
    'introspectToken.token': 'SERVICE',
    '/oauth/introspect.token': 'service',
    'revokeToken.token': 'TOKEN',
    '/oauth/revoke.token': 'TOKEN',
  },
  'employee AT': {
    'Authorization: Bearer': 'EMPLOYEE',
    '/forward-auth Authorization: Bearer': 'employee',
    'introspectToken.token': 'EMPLOYEE',
    '/oauth/introspect.token': 'employee',
    'revokeToken.token': 'TOKEN',
    '/oauth/revoke.token': 'TOKEN',
  },
  'anonymous AT': {
    'Authorization: Bearer': 'ANONYMOUS',
    '/forward-auth Authorization: Bearer': 'anonymous',
    'introspectToken.token': 'ANONYMOUS',
    '/oauth/introspect.token': 'anonymous',
    'revokeToken.token': 'TOKEN',
    '/oauth/revoke.token': 'TOKEN',
    'issueCustomerToken.anonymousToken': 'yes',
    'startSso.anonymousToken': 'yes',
    'exchangeToken.anonymousToken': 'yes',
    '/oauth/token.anonymous_token': 'yes',
  },
  'customer AT': {
    'Authorization: Bearer': 'CUSTOMER',
    '/forward-auth Authorization: Bearer': 'customer',
    'introspectToken.token': 'CUSTOMER',
    '/oauth/introspect.token': 'customer',
    'revokeToken.token': 'TOKEN',
    '/oauth/revoke.token': 'TOKEN',
  },
  'company AT': {
    'Authorization: Bearer': 'CUSTOMER',
    '/forward-auth Authorization: Bearer': 'customer',
    'introspectToken.token': 'CUSTOMER',
    '/oauth/introspect.token': 'customer',
    'revokeToken.token': 'TOKEN',
    '/oauth/revoke.token': 'TOKEN',
  },
  'assisted AT': {
    'Authorization: Bearer': 'CUSTOMER',
    '/forward-auth Authorization: Bearer': 'customer',
    'introspectToken.token': 'CUSTOMER',
    '/oauth/introspect.token': 'customer',
    'revokeToken.token': 'TOKEN',
    '/oauth/revoke.token': 'TOKEN',
  },
  'saas token': {
    '/forward-auth saas-token': 'yes',
    'introspectToken.token': 'SAAS',
    '/oauth/introspect.token': 'saas',
    'revokeToken.token': 'TOKEN',
    '/oauth/revoke.token': 'TOKEN',
  },
  'assisted saas token': {
    '/forward-auth saas-token': 'yes',
    'introspectToken.token': 'SAAS',
    '/oauth/introspect.token': 'saas',
    'revokeToken.token': 'TOKEN',
    '/oauth/revoke.token': 'TOKEN',
  },
  'anonymous RT': {
    'introspectToken.token': 'REFRESH',
    '/oauth/introspect.token': 'refresh',
    'revokeToken.token': 'SESSION',
    '/oauth/revoke.token': 'SESSION',
    'refreshAnonymousToken.refreshToken': 'yes',
    '/oauth/token.refresh_token': 'yes',
  },
  'customer RT': {
    'introspectToken.token': 'REFRESH',
    '/oauth/introspect.token': 'refresh',
    'revokeToken.token': 'SESSION',
    '/oauth/revoke.token': 'SESSION',
    'refreshCustomerToken.refreshToken': 'yes',
    '/oauth/token.refresh_token': 'yes',
    'issueB2BToken.refreshToken': 'yes',
  },
  'employee RT': {
    'introspectToken.token': 'REFRESH',
    '/oauth/introspect.token': 'refresh',
    'revokeToken.token': 'SESSION',
    '/oauth/revoke.token': 'SESSION',
    'refreshEmployeeToken.refreshToken': 'yes',
    '/oauth/token.refresh_token': 'yes',
  },
  'identity assertion': {},
  'id_token of a provider': {},
  'link that confirms an account': { 'confirmCustomer.token': 'yes' },
  'link for a new password': { 'resetPassword.token': 'yes' },
  'link for a new address': { 'confirmEmailChange.token': 'yes' },
  'client secret': { 'issueServiceToken.clientSecret': 'yes', '/oauth/token.client_secret': 'yes' },
  'session id': {},
  jti: {},
};

describe('case 14: only the cells of a checked-in table succeed', () => {
  it('case 14: every kind of token and every argument that takes one stands in the table', () => {
    const rows = Object.values(credentials).flatMap(({ kind }) => kind ?? []);
    expect([...new Set(rows)].sort()).toEqual(Object.keys(tokenKinds).sort());
    expect(Object.keys(table)).toEqual(Object.keys(credentials));

    const takesCredential = ({ name }: { name: string }) => /token|secret|assertion|code|state/i.test(name);
    const inside = (argument: GraphQLArgument): readonly (GraphQLArgument | GraphQLInputField)[] => {
      const type = getNamedType(argument.type);
      return isInputObjectType(type) ? Object.values(type.getFields()) : [argument];
    };
    const found = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
      Object.values(type!.getFields()).flatMap((field) =>
        field.args
          .flatMap(inside)
          .filter((place) => takesCredential(place) && !/^((site|country)Code|subjectTokens)$/.test(place.name))
          // What we prove ourselves with elsewhere opens nothing here.
          .filter((place) => !(field.name.endsWith('IdentityProvider') && place.name === 'clientSecret'))
          .map((place) => `${field.name}.${place.name}`),
      ),
    );
    expect(found.sort()).toEqual(
      Object.keys(doors)
        .filter((door) => !/^(Authorization|\/)/.test(door))
        .sort(),
    );
    const takes = /^\/(oauth\/|forward-auth$)/;
    const endpoints = service.app.routes.flatMap(({ path }) => (takes.test(path) ? path : []));
    const withDoors = new Set(Object.keys(doors).flatMap((door) => /^(\/[^. ]+)[. ]/.exec(door)?.[1] ?? []));
    expect([...withDoors].sort()).toEqual(endpoints.sort());
  });

  it.each(credentialNames)('case 14: the %s', async (name) => {
    const found: Record<string, string> = {};
    for (const [door, attempt] of Object.entries(doors)) {
      const result = await attempt(await credentials[name].make());
      if (result !== 'no') found[door] = result;
    }
    expect(found).toEqual(table[name]);
  });
});
