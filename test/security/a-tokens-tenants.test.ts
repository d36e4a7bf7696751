// A token of one tenant at what belongs to another (security.md section 3 A, case 13). Tokens that are signed with one
// tenant's key and claim another stand among the forged ones.

import { getNamedType, isInputObjectType } from 'graphql';
import { beforeAll, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { askNaming, givenThings, namings } from '../kit/administration.ts';
import { INACTIVE, introspect } from '../kit/forge.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { employee, guest, isGood, PASSWORD, refresh, serviceToken, signIn } from '../kit/stories.ts';

let service: Service;

beforeAll(async () => {
  service = await theService();
});

/** Root fields whose answer may hold a request id. */
const withoutRequestId = ({ body }: Answer) => body.replace(/"requestId":"[^"]*"/g, '"requestId":""');

/** Every argument by which a caller can name something, as `field.argument`, tokens included. */
function namingArguments(): string[] {
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
    Object.values(type!.getFields()).flatMap((field) =>
      field.args
        .flatMap((argument) => {
          const named = getNamedType(argument.type);
          return isInputObjectType(named) ? Object.values(named.getFields()) : [argument];
        })
        .filter((place) => getNamedType(place.type).name === 'ID' || /token$|^tenant$/i.test(place.name))
        .map((place) => `${field.name}.${place.name}`),
    ),
  );
}

it('case 13: what belongs to another tenant is to a caller of this one as what does not exist, at every root field', async () => {
  const { modules } = service.app;
  const rivalEmployee = await employee(service, 'admin@rival.example');
  const rivalCustomer = await signIn(service, 'mallory@rival.example');
  const rivalGuest = await guest(service, { tenant: 'rival', clientId: 'rival-storefront' });
  const rivalService = await serviceToken(service, 'rival-backend');
  const rivalKey = modules.signingKeys.current('rival').kid;
  await modules.scopeDefinitions.create(ctxOf('rival'), { id: 'secret.plan_read', description: 'Of the rival only.' });
  const { accessToken: bearer } = await employee(service);
  const buyer = await signIn(service);

  const ask = (query: string) => (value: string) => graphql(service, query, { bearer, variables: { value } });
  const none = 'nothing-of-that-name';
  const random = `eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.${'A'.repeat(86)}`;
  const input =
    (field: string, type: string, name: string, selection: string, rest: () => Promise<object> | object = () => ({})) =>
    async (value: string) =>
      graphql(service, `mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} } }`, {
        bearer,
        variables: { input: { [name]: value, ...(await rest()) } },
      });

  /** Per argument: how to ask, names of the rival's, a name of nobody's, and the one answer to both. */
  const rows: Record<
    string,
    [ask: (value: string) => Promise<Answer>, theirs: string[], nobodys: string, answer: object]
  > = {
    'introspectToken.token': [
      (value) => introspect(service, bearer, value),
      [
        rivalService.accessToken,
        rivalEmployee.accessToken,
        rivalEmployee.refreshToken,
        rivalCustomer.accessToken,
        rivalCustomer.saasToken,
        rivalCustomer.refreshToken,
        rivalGuest.accessToken,
        rivalGuest.refreshToken,
      ],
      random,
      { data: { introspectToken: INACTIVE } },
    ],
    'scope.id': [
      ask('query ($value: ID!) { scope(id: $value) { id } }'),
      ['secret.plan_read'],
      none,
      { data: { scope: null } },
    ],
    'sessions.customerId': [
      ask('query ($value: ID!) { sessions(customerId: $value) { totalCount edges { node { id } } } }'),
      [rivalCustomer.customer.id],
      none,
      { data: { sessions: { totalCount: 0, edges: [] } } },
    ],
    'sessions.employeeId': [
      ask('query ($value: ID!) { sessions(employeeId: $value) { totalCount edges { node { id } } } }'),
      [rivalEmployee.employee.id],
      none,
      { data: { sessions: { totalCount: 0, edges: [] } } },
    ],
    'deleteScope.id': [
      ask('mutation ($value: ID!) { deleteScope(id: $value) }'),
      ['secret.plan_read'],
      none,
      { errors: [{ message: 'Scope not found.', extensions: { code: 'NOT_FOUND' } }] },
    ],
    'retireSigningKey.kid': [
      ask('mutation ($value: ID!) { retireSigningKey(kid: $value, reason: "theirs") { kid } }'),
      [rivalKey],
      none,
      { errors: [{ message: 'Signing key not found.', extensions: { code: 'NOT_FOUND' } }] },
    ],
    'revokeSession.id': [
      ask('mutation ($value: ID!) { revokeSession(id: $value) { revoked } }'),
      [rivalCustomer.sessionId, rivalEmployee.sessionId, rivalGuest.sessionId],
      none,
      { errors: [{ message: 'Session not found.', extensions: { code: 'NOT_FOUND' } }] },
    ],
    'issueAssistedCustomerToken.customerId': [
      input('issueAssistedCustomerToken', 'IssueAssistedCustomerTokenInput', 'customerId', 'accessToken', () => ({
        reason: 'a test',
      })),
      [rivalCustomer.customer.id],
      '00000000-0000-4000-8000-000000000000',
      { errors: [{ message: 'Customer not found.', extensions: { code: 'NOT_FOUND' } }] },
    ],
    'issueAssistedCustomerToken.legalEntityId': [
      input('issueAssistedCustomerToken', 'IssueAssistedCustomerTokenInput', 'legalEntityId', 'accessToken', () => ({
        reason: 'a test',
        customerId: buyer.customer.id,
      })),
      ['umbrella'],
      none,
      { errors: [{ extensions: { code: 'ACCESS_DENIED' } }] },
    ],
    'issueB2BToken.legalEntityId': [
      input('issueB2BToken', 'IssueB2BTokenInput', 'legalEntityId', 'accessToken', () => ({
        refreshToken: buyer.refreshToken,
      })),
      ['umbrella'],
      none,
      { errors: [{ extensions: { code: 'ACCESS_DENIED' } }] },
    ],
    'refreshCustomerToken.legalEntityId': [
      input('refreshCustomerToken', 'RefreshCustomerTokenInput', 'legalEntityId', 'accessToken', () => ({
        refreshToken: buyer.refreshToken,
      })),
      ['umbrella'],
      none,
      { errors: [{ extensions: { code: 'ACCESS_DENIED' } }] },
    ],
    'issueCustomerToken.legalEntityId': [
      input('issueCustomerToken', 'IssueCustomerTokenInput', 'legalEntityId', 'accessToken', async () => ({
        email: 'buyer@demo.example',
        password: PASSWORD,
        anonymousToken: (await guest(service)).accessToken,
      })),
      ['umbrella'],
      none,
      { errors: [{ extensions: { code: 'ACCESS_DENIED' } }] },
    ],
    'issueAnonymousToken.clientId': [
      input('issueAnonymousToken', 'IssueAnonymousTokenInput', 'clientId', 'accessToken', () => ({ tenant: 'demo' })),
      ['rival-storefront', 'rival-backend'],
      none,
      { errors: [{ extensions: { code: 'INVALID_CLIENT' } }] },
    ],
  };
  const [theirThings, ownThings] = [await givenThings(service, 'rival'), await givenThings(service, 'demo')];
  for (const [place, naming] of Object.entries(namings)) {
    const attempt = (value: string) => askNaming(service, bearer, naming, value, ownThings);
    rows[place] = [attempt, [theirThings[naming.names]], none, naming.missing];
  }
  /** These name nothing of the caller's tenant: proofs of their own, good where they are from, and a new name. */
  const others = [
    'confirmCustomer.token',
    'confirmEmailChange.token',
    'createLegalEntity.id',
    'createScope.id',
    'exchangeToken.anonymousToken',
    'exchangeToken.subjectToken',
    'exchangeToken.tenant',
    'issueAnonymousToken.tenant',
    'issueB2BToken.refreshToken',
    'issueCustomerToken.anonymousToken',
    'issueEmployeeToken.tenant',
    'issueServiceToken.clientId',
    'refreshAnonymousToken.refreshToken',
    'refreshCustomerToken.refreshToken',
    'refreshEmployeeToken.refreshToken',
    'requestPasswordReset.tenant',
    'resetPassword.token',
    'revokeToken.token',
    'startSso.anonymousToken',
    'startSso.tenant',
    // Foreign, unknown and disabled companies of those who come by a provider: test/sso.
    'exchangeToken.legalEntityId',
    'issueSsoToken.legalEntityId',
  ];
  expect(namingArguments().sort()).toEqual([...Object.keys(rows), ...others].sort());

  for (const [place, [attempt, theirs, nobodys, expected]] of Object.entries(rows)) {
    const answers = await Promise.all([nobodys, ...theirs].map(attempt));
    expect(JSON.parse(answers[0]!.body), place).toMatchObject(expected);
    expect(new Set(answers.map(withoutRequestId)).size, place).toBe(1);
  }

  // A name that is taken elsewhere is free here, and tells nothing of there.
  const createScope = (id: string) =>
    graphql(service, 'mutation ($input: CreateScopeInput!) { createScope(input: $input) { id description } }', {
      bearer,
      variables: { input: { id, description: 'Of the demo.' } },
    });
  const own = only(await createScope('secret.plan_read'));
  expect(own).toEqual({ id: 'secret.plan_read', description: 'Of the demo.' });
  expect(only(await ask('mutation ($value: ID!) { deleteScope(id: $value) }')('secret.plan_read'))).toBe(own.id);

  // And nothing came of it there.
  const rivalBearers = [rivalService, rivalEmployee, rivalCustomer, rivalGuest].map(({ accessToken }) => accessToken);
  expect(await Promise.all(rivalBearers.map((token) => isGood(service, token)))).toEqual([true, true, true, true]);
  expect(modules.signingKeys.current('rival').kid).toBe(rivalKey);
  expect(modules.scopes.find(ctxOf('rival'), 'secret.plan_read')?.description).toBe('Of the rival only.');
  expect((await refresh(service, buyer.refreshToken)).sessionId).toBe(buyer.sessionId);
});

it('case 13: lists show the own tenant only', async () => {
  await Promise.all([employee(service, 'admin@rival.example'), signIn(service, 'mallory@rival.example')]);
  const { accessToken: bearer } = await employee(service);
  const answer = await graphql(
    service,
    '{ tenant { id } signingKeys { kid } scopes(first: 200, search: "secret.") { edges { node { id } } } sessions(first: 200) { edges { node { id } } } }',
    { bearer },
  );
  const { data } = answer;
  const system = service.app.modules.database.system();
  const rivals = await Promise.all([
    system.signingKey.findMany({ where: { tenantId: 'rival' } }),
    system.session.findMany({ where: { tenantId: 'rival' } }),
  ]);
  expect(answer.errors).toEqual([]);
  expect(data!.tenant).toEqual({ id: 'demo' });
  expect(data!.scopes.edges).toEqual([]);
  expect(rivals.every((rows) => rows.length > 0)).toBe(true);
  expect(rivals.flat().filter(({ id }) => answer.body.includes(id))).toEqual([]);
});
