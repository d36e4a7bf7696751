// Forged and tampered tokens (security.md section 3 A, cases 1 to 11 and 16), at every door of a running service.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ConfigError, readConfig } from '../../src/config/config.ts';
import { acceptedAt, forgeOf, INACTIVE, introspect, type Mutation, mirrored, mutate, respelled } from '../kit/forge.ts';
import { givenClient } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import { guest, isGood, serviceToken, signIn, tryRefreshGuest, tryServiceToken } from '../kit/stories.ts';

let service: Service;
let backend: string;
/** One of each: a bearer without a session, one with, one that refreshes, and one that is no bearer at all. */
let bases: Record<'service' | 'anonymous' | 'anonymous-refresh' | 'saas', string>;
let mutations: Record<string, Mutation[]>;
/** Whoever connects here was led by a token. */
const connections: string[] = [];
const trap = createServer((req, res) => res.end(connections.push(req.url ?? '').toString()));

/** Where an unspoilt token of the kind is good: what tells that a refusal elsewhere is the mutation's doing. */
const goodAt = {
  service: ['bearer, public field', 'bearer, protected field', 'introspectToken'],
  anonymous: ['bearer, public field', 'bearer, protected field', 'introspectToken', 'anonymousToken'],
  'anonymous-refresh': ['introspectToken', 'refreshAnonymousToken'],
  saas: ['introspectToken'],
};

beforeAll(async () => {
  service = await theService();
  trap.on('connection', () => connections.push('connection'));
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  const trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;
  backend = (await serviceToken(service)).accessToken;
  const { accessToken, refreshToken } = await guest(service);
  const { saasToken } = await signIn(service);
  bases = {
    service: (await serviceToken(service, 'demo-crm')).accessToken,
    anonymous: accessToken,
    'anonymous-refresh': refreshToken,
    saas: saasToken,
  };
  // Leeway is a matter of single seconds, so the clock stands still. Only Date: everything else goes on.
  vi.useFakeTimers({ toFake: ['Date'], now: Math.floor(Date.now() / 1000) * 1000 + 500 });
  mutations = Object.fromEntries(
    await Promise.all(
      Object.entries(bases).map(async ([kind, token]) => [kind, await mutate(service, token, trapUrl)] as const),
    ),
  );
});

afterAll(() => {
  vi.useRealTimers();
  trap.close();
});

/** What was not refused, of all mutations of a case: by kind, name and door. */
async function notRefused(number: number): Promise<string[]> {
  const found: string[] = [];
  let tried = 0;
  for (const [kind, all] of Object.entries(mutations)) {
    for (const { case: of, name, token, good } of all) {
      if (of !== number || good) continue;
      tried += 1;
      const doors = await acceptedAt(service, backend, token);
      for (const [door, answer] of Object.entries(doors)) found.push(`${kind}, ${name}, at ${door}: ${answer}`);
    }
  }
  expect(tried).toBeGreaterThan(0);
  return found;
}

/** The mutations of a case that are good, and the doors that let them in. */
async function goodOnes(number: number): Promise<Record<string, Record<string, string[]>>> {
  const found: Record<string, Record<string, string[]>> = {};
  for (const [kind, all] of Object.entries(mutations)) {
    for (const { case: of, name, token, good } of all) {
      if (of !== number || !good) continue;
      found[name] ??= {};
      found[name][kind] = Object.keys(await acceptedAt(service, backend, token));
    }
  }
  return found;
}

it('the same tokens, signed again and not spoilt, are good: what follows is refused for its mutation only', async () => {
  const doors: Record<string, string[]> = {};
  for (const [kind, token] of Object.entries(bases)) {
    const again = await (await forgeOf(service, token)).resign();
    doors[kind] = Object.keys(await acceptedAt(service, backend, again));
  }
  expect(doors).toEqual(goodAt);
});

it('case 1: a token without a signature is no token, however "none" is spelt', async () => {
  expect(await notRefused(1)).toEqual([]);
});

it('case 2: the public key is no secret: nothing signed with it by HMAC is accepted, and nothing breaks', async () => {
  expect(await notRefused(2)).toEqual([]);
});

it("case 3: only the key's own algorithm, curve, encoding and tenant make a signature", async () => {
  expect(await notRefused(3)).toEqual([]);
});

it('case 4: kid only ever names a key in memory: no statement is run for it, no connection made, little logged', async () => {
  const statements = service.statements.length;
  const lines = service.logged.length;
  for (const { token, case: of } of mutations.service!) {
    if (of !== 4) continue;
    const answer = await graphql(service, '{ currentPrincipal { id } }', { bearer: token });
    expect(token.length > 8192 ? answer.code : answer.data).toEqual(
      token.length > 8192 ? 'UNAUTHENTICATED' : { currentPrincipal: null },
    );
  }
  // The change feed polls meanwhile; it asks for counters and nothing else.
  const caused = service.statements
    .slice(statements)
    .filter((sql) => !/FROM counters$|INTO client_scope_usage/.test(sql));
  expect(caused).toEqual([]);
  expect(
    service.logged.slice(lines).filter((line) => /k{65}|(\\u001b\[31m\\n){8}|\/etc\/passwd.{65}/.test(line)),
  ).toEqual([]);

  expect(await notRefused(4)).toEqual([]);
  expect(connections).toEqual([]);
});

it('case 5: a key that the token brings along is not used, and not fetched', async () => {
  expect(await notRefused(5)).toEqual([]);
  expect(connections).toEqual([]);
});

it('case 6: an extension marked critical is not understood, so the token is refused', async () => {
  expect(await notRefused(6)).toEqual([]);
});

it('case 7: the issuer is ours, letter by letter', async () => {
  expect(await notRefused(7)).toEqual([]);
});

it.each(['', ' ', 'scopeward', 'https://'])(
  'case 7: a production start with the issuer %j fails and names the setting',
  (ISSUER) => {
    const env = {
      NODE_ENV: 'production',
      DATABASE_URL: 'postgresql://127.0.0.1/none',
      KEY_ENCRYPTION_SECRET: 'x'.repeat(40),
      ISSUER,
    };
    expect(() => readConfig(env)).toThrow(ConfigError);
    expect(() => readConfig(env)).toThrow(/^The configuration is not usable\.\n {2}ISSUER: /);
  },
);

it('case 8: the audience is ours and nobody else is among it', async () => {
  expect(await notRefused(8)).toEqual([]);
});

it('case 9: a token of one type is none of another', async () => {
  expect(await notRefused(9)).toEqual([]);
});

it('case 9: the type compares without case, and without application/', async () => {
  expect(await goodOnes(9)).toEqual({
    'typ in upper case': goodAt,
    'typ as media type': goodAt,
    'typ as media type in upper case': goodAt,
  });
});

it('case 10: a token has an end, near and finite, and every claim that it must have, of the right type', async () => {
  expect(await notRefused(10)).toEqual([]);
});

it('case 11: a token of the future, or one that ended before the leeway, is refused', async () => {
  expect(await notRefused(11)).toEqual([]);
});

it('case 11: five seconds of leeway forgive clocks that differ', async () => {
  expect(await goodOnes(11)).toEqual({ 'nbf in 4 s': goodAt, 'iat in 4 s': goodAt, 'expired 4 s ago': goodAt });
});

it('case 16: a token has one spelling', async () => {
  expect(await notRefused(16)).toEqual([]);
});

it('case 16: a revoked token stays revoked in every spelling, also under the other signature of the same claims', async () => {
  const { accessToken } = await serviceToken(service, 'demo-crm');
  const forge = await forgeOf(service, accessToken);
  // Valid ECDSA both: they are the same token, since a token is its claims.
  const alike = { mirrored: mirrored(accessToken), resigned: await forge.resign() };
  expect(await Promise.all(Object.values(alike).map((token) => isGood(service, token)))).toEqual([true, true]);

  await revoke(accessToken);
  const refused = [accessToken, ...Object.values(alike), ...respelled(accessToken).map(({ token }) => token)];
  const accepted = await Promise.all(refused.map((token) => acceptedAt(service, backend, token)));
  expect(accepted).toEqual(refused.map(() => ({})));
  expect(only(await introspect(service, backend, alike.mirrored))).toEqual(INACTIVE);
});

it("case 16: a revoked service token ends alone: its client's others live, and a misspelt one revokes nothing", async () => {
  const { id, clientSecret } = await givenClient(service, ['product.product_read']);
  const issue = async () => only<{ accessToken: string }>(await tryServiceToken(service, id, clientSecret)).accessToken;
  const tokens = [await issue(), await issue()];
  for (const { token } of respelled(tokens[1]!)) await revoke(token);
  await revoke(tokens[0]!);
  expect(await Promise.all(tokens.map((token) => isGood(service, token)))).toEqual([false, true]);
});

it("case 16: a revoked guest's refresh token ends the visit, whatever spelling comes later", async () => {
  const { accessToken, refreshToken } = await guest(service);
  await revoke(refreshToken);
  const codes = await Promise.all(
    [refreshToken, mirrored(refreshToken), ...respelled(refreshToken).map(({ token }) => token)].map(
      async (token) => (await tryRefreshGuest(service, token)).code,
    ),
  );
  expect(new Set(codes)).toEqual(new Set(['INVALID_GRANT']));
  expect(await isGood(service, accessToken)).toBe(false);
});

const revoke = async (token: string) =>
  expect(
    only(
      await graphql(service, 'mutation ($token: String!) { revokeToken(input: { token: $token }) { revoked } }', {
        variables: { token },
      }),
    ),
  ).toEqual({ revoked: true });
