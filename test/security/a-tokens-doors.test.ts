// Tokens that are what they say, at a door or in a tenant that is not theirs (security.md section 3 A, cases 12, 13, 15
// and 17).

import { connect } from 'node:net';
import { getNamedType, isInputObjectType } from 'graphql';
import { beforeAll, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { acceptedAt, INACTIVE, introspect, UNAUTHENTICATED } from '../kit/forge.ts';
import { givenCustomer } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  employee,
  guest,
  isGood,
  PASSWORD,
  refresh,
  serviceToken,
  signIn,
  tryLogin,
  tryRefresh,
  tryRefreshEmployee,
  tryRefreshGuest,
  tryServiceToken,
} from '../kit/stories.ts';

let service: Service;
let backend: string;

beforeAll(async () => {
  service = await theService();
  backend = (await serviceToken(service)).accessToken;
});

/** Bytes that no client would send. @returns everything that came back until the connection was closed or silent */
const raw = (...parts: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    let received = '';
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () => {
      for (const part of parts) socket.write(part);
    });
    socket.on('data', (data) => {
      received += data.toString('latin1');
      if (/\r\n\r\n/.test(received)) socket.setTimeout(200);
    });
    socket.on('error', () => {});
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('timeout', () => socket.destroy());
    socket.on('close', () => resolve(received));
  });

const post = (body: string, ...headers: string[]): string =>
  [
    'POST /graphql HTTP/1.1',
    'Host: scopeward.test',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(headers.some((header) => /^content-type/i.test(header)) ? [] : ['Content-Type: application/json']),
    ...headers,
    'Connection: close',
    '',
    body,
  ].join('\r\n');

const whoAmI = JSON.stringify({ query: '{ currentPrincipal { id } }' });
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
const jsonOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
const oversized = (characters: number) => `${'A'.repeat(characters - 4)}.A.A`;

it('case 12: a bearer above 8 KB is refused whole, before anything looks into it', async () => {
  const statuses: Record<string, number> = {};
  for (const [size, characters] of [
    ['9 KB', 9_216],
    ['64 KB', 65_536],
    ['1 MB', 1_048_576],
    ['20 MB', 20_971_520],
  ] as const) {
    statuses[size] = statusOf(await raw(post(whoAmI, `Authorization: Bearer ${oversized(characters)}`)));
  }
  expect(statuses).toEqual({ '9 KB': 401, '64 KB': 431, '1 MB': 431, '20 MB': 431 });

  const answer = await graphql(service, '{ currentPrincipal { id } }', { bearer: oversized(9_216) });
  expect(answer.errors).toEqual([UNAUTHENTICATED]);
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
});

it('case 12: a token above 8 KB is no token in any argument, and one above the body limit is 413', async () => {
  for (const characters of [9_216, 65_536]) {
    const accepted = await acceptedAt(service, backend, oversized(characters).replaceAll('.', ' .'));
    expect(accepted).toEqual({});
  }
  for (const characters of [1_048_576, 20_971_520]) {
    const answer = await introspect(service, backend, oversized(characters));
    expect([answer.status, answer.code]).toEqual([413, 'INVALID_REQUEST']);
  }
});

it('case 12: refusing a token takes no longer when it is long', async () => {
  const { verifier } = service.app.modules;
  const took = async (token: string) => {
    const began = performance.now();
    await expect(verifier.verify(token, 'service')).rejects.toMatchObject({ code: 'invalid_token' });
    return performance.now() - began;
  };
  const tokens = {
    short: 'A.A.A',
    '9 KB': oversized(9_216),
    '1 MB': oversized(1_048_576),
    '20 MB': oversized(20_971_520),
  };
  const slowest = async () => {
    const times = Object.values(tokens).map((): number[] => []);
    for (let round = 0; round < 40; round += 1) {
      for (const [index, token] of Object.values(tokens).entries()) times[index]!.push(await took(token));
    }
    // The first rounds warm up.
    return times.map((all) => all.slice(10).sort((one, other) => one - other)[28]!);
  };
  const isQuick = (times: number[]) => times.every((time) => time < 10);
  expect(isQuick(await slowest()) || isQuick(await slowest())).toBe(true);
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
  await modules.scopes.create(ctxOf('rival'), { id: 'secret.plan_read', description: 'Of the rival only.' });
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
  /** Whoever knows these is who they stand for, in the tenant that they are of: the caller's own bearer adds nothing. */
  const ownProof = [
    'issueAnonymousToken.tenant',
    'issueB2BToken.refreshToken',
    'issueCustomerToken.anonymousToken',
    'issueEmployeeToken.tenant',
    'issueServiceToken.clientId',
    'refreshAnonymousToken.refreshToken',
    'refreshCustomerToken.refreshToken',
    'refreshEmployeeToken.refreshToken',
    'revokeToken.token',
  ];
  expect(namingArguments().sort()).toEqual([...Object.keys(rows), ...ownProof].sort());

  for (const [place, [attempt, theirs, nobodys, expected]] of Object.entries(rows)) {
    const answers = await Promise.all([nobodys, ...theirs].map(attempt));
    expect(JSON.parse(answers[0]!.body), place).toMatchObject(expected);
    expect(new Set(answers.map(withoutRequestId)).size, place).toBe(1);
  }

  // And nothing came of it.
  const rivalBearers = [rivalService, rivalEmployee, rivalCustomer, rivalGuest].map(({ accessToken }) => accessToken);
  expect(await Promise.all(rivalBearers.map((token) => isGood(service, token)))).toEqual([true, true, true, true]);
  expect(modules.signingKeys.current('rival').kid).toBe(rivalKey);
  expect(modules.scopes.find(ctxOf('rival'), 'secret.plan_read')?.id).toBe('secret.plan_read');
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

it('case 15: a token of one purpose does not serve another', async () => {
  const { accessToken: anonymous, refreshToken: anonymousRefresh } = await guest(service);
  const customer = await signIn(service);
  const worker = await employee(service);
  const mySessions = (bearer: string) => graphql(service, '{ mySessions { id } }', { bearer });
  const rows: [string, Answer, string][] = [
    ['customer RT as bearer', await mySessions(customer.refreshToken), 'UNAUTHENTICATED'],
    ['employee RT as bearer', await mySessions(worker.refreshToken), 'UNAUTHENTICATED'],
    ['anonymous RT as bearer', await mySessions(anonymousRefresh), 'UNAUTHENTICATED'],
    ['saas as bearer', await mySessions(customer.saasToken), 'UNAUTHENTICATED'],
    ['customer AT as RT', await tryRefresh(service, customer.accessToken), 'INVALID_GRANT'],
    ['employee AT as RT', await tryRefreshEmployee(service, worker.accessToken), 'INVALID_GRANT'],
    ['anonymous AT as RT', await tryRefreshGuest(service, anonymous), 'INVALID_GRANT'],
    ['employee RT as customer RT', await tryRefresh(service, worker.refreshToken), 'INVALID_GRANT'],
    ['customer RT as employee RT', await tryRefreshEmployee(service, customer.refreshToken), 'INVALID_GRANT'],
    ['anonymous AT on mySessions', await mySessions(anonymous), 'FORBIDDEN'],
    [
      'customer AT on sessions',
      await graphql(service, '{ sessions { totalCount } }', { bearer: customer.accessToken }),
      'FORBIDDEN',
    ],
    [
      'customer bearer instead of a guest',
      await tryLogin(service, { email: 'buyer@demo.example' }, customer.accessToken),
      'UNAUTHENTICATED',
    ],
  ];
  expect(rows.map(([name, answer]) => [name, answer.code])).toEqual(rows.map(([name, , code]) => [name, code]));
  // The wrong door has spent nothing.
  expect((await tryRefresh(service, customer.refreshToken)).errors).toEqual([]);
  expect((await tryRefreshEmployee(service, worker.refreshToken)).errors).toEqual([]);
});

it('case 15: a token in query, form or body is ignored', async () => {
  const ignored = { data: { currentPrincipal: null } };
  const form = new URLSearchParams({ access_token: backend, query: '{ currentPrincipal { id } }' }).toString();
  const query = await fetch(`${service.url}/graphql?access_token=${backend}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: whoAmI,
  });
  expect(await query.json()).toEqual(ignored);
  const get = new URLSearchParams({ access_token: backend, query: '{ currentPrincipal { id } }' });
  const got = await fetch(`${service.url}/graphql?${get}`, { headers: { Accept: 'application/json' } });
  expect(await got.json()).toEqual(ignored);
  expect(statusOf(await raw(post(form, 'Content-Type: application/x-www-form-urlencoded')))).toBe(415);
  const cookie = await raw(post(whoAmI, `Cookie: access_token=${backend}`));
  expect(jsonOf(cookie)).toEqual(ignored);
});

it('case 15: two Authorization headers are INVALID_REQUEST, also when they are alike', async () => {
  const { accessToken } = await serviceToken(service, 'demo-crm');
  for (const second of [accessToken, backend, 'x']) {
    const answer = await raw(post(whoAmI, `Authorization: Bearer ${backend}`, `AUTHORIZATION: Bearer ${second}`));
    expect([statusOf(answer), jsonOf(answer)]).toEqual([
      400,
      {
        errors: [{ message: 'There is more than one Authorization header.', extensions: { code: 'INVALID_REQUEST' } }],
      },
    ]);
  }
  const joined = await graphql(service, '{ currentPrincipal { id } }', { bearer: `${backend}, Bearer ${accessToken}` });
  expect(joined.data).toEqual({ currentPrincipal: null });
});

it("case 17: a client whose id is a customer's id is that client and never that customer", async () => {
  const customer = await givenCustomer(service);
  const session = await signIn(service, customer.email);
  const { clients } = service.app.modules;
  const { clientSecret } = await clients.register(ctxOf('demo'), {
    id: customer.id,
    name: 'A namesake',
    kind: 'CUSTOM',
    scopes: ['oauth.session_read'],
  });
  const { accessToken: bearer } = only(await tryServiceToken(service, customer.id, clientSecret!));

  expect(only(await graphql(service, '{ currentPrincipal { __typename id kind } }', { bearer }))).toEqual({
    __typename: 'ServicePrincipal',
    id: customer.id,
    kind: 'SERVICE',
  });
  for (const field of [
    'query { mySessions { id } }',
    'mutation { issueSaasToken { token } }',
    'mutation { logout { sessionsEnded } }',
    'mutation { logoutEverywhere { sessionsEnded } }',
    'mutation { changePassword(input: { currentPassword: "demo-password-1", newPassword: "another-password-1" }) { sessionsEnded } }',
  ]) {
    const answer = await graphql(service, field, { bearer });
    expect([field, answer.code]).toEqual([field, 'FORBIDDEN']);
  }
  const revoked = await graphql(service, 'mutation ($id: ID!) { revokeSession(id: $id) { revoked } }', {
    bearer,
    variables: { id: session.sessionId },
  });
  expect(revoked.code).toBe('NOT_FOUND');
  expect((await introspect(service, bearer, session.accessToken)).code).toBe('FORBIDDEN');

  // What ends one does not end the other.
  await graphql(service, 'mutation { logoutEverywhere { sessionsEnded } }', { bearer: session.accessToken });
  expect([await isGood(service, session.accessToken), await isGood(service, bearer)]).toEqual([false, true]);
  const again = await signIn(service, customer.email);
  await clients.update(ctxOf('demo'), customer.id, { enabled: false });
  expect([await isGood(service, again.accessToken), await isGood(service, bearer)]).toEqual([true, false]);
});
