// Tokens that are what they say, at a door or in a tenant that is not theirs (security.md section 3 A, cases 12, 15 and
// 17).

import { connect } from 'node:net';
import { beforeAll, expect, it } from 'vitest';
import { acceptedAt, introspect, UNAUTHENTICATED } from '../kit/forge.ts';
import { givenCustomer } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  employee,
  guest,
  isGood,
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
    'mutation { issueSaasToken { saasToken } }',
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
