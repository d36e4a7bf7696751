// Security catalogue, C: a guest becomes a customer, and nothing of the guest is worth anything afterwards.

import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { createTokenIssuer } from '../../src/modules/tokens/issue.ts';
import { createTokenSigner } from '../../src/modules/tokens/sign.ts';
import { givenCustomer } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { theService } from '../kit/service.ts';
import {
  claimsOf,
  guest,
  isGood,
  PASSWORD,
  refresh,
  serviceToken,
  signIn,
  tryLogin,
  tryRefresh,
  tryRefreshGuest,
} from '../kit/stories.ts';
import { countingHashes, rowsOf } from './logins.ts';

const service = await theService();

it('case 32: a guest session that an attacker planted is worth nothing to the attacker once its victim has signed in', async () => {
  const planted = await guest(service, { siteCode: 'planted' });
  const victim = await givenCustomer(service);
  const other = await givenCustomer(service);

  const { data } = await tryLogin(service, { email: victim.email, anonymousToken: planted.accessToken });
  expect(data?.issueCustomerToken).toMatchObject({ sessionId: planted.sessionId, customer: { id: victim.id } });

  expect(await isGood(service, planted.accessToken)).toBe(false);
  expect((await tryRefreshGuest(service, planted.refreshToken)).code).toBe('INVALID_GRANT');
  const again = await tryLogin(service, { email: other.email, anonymousToken: planted.accessToken });
  expect(again).toMatchObject({ code: 'UNAUTHENTICATED', data: null });
  const asBearer = await tryLogin(service, { email: other.email }, planted.accessToken);
  expect(asBearer).toMatchObject({ code: 'UNAUTHENTICATED', data: null });

  const document = 'mutation { updateSessionContext(input: { version: 1, siteCode: "stolen" }) { siteCode } }';
  expect((await graphql(service, document, { bearer: planted.accessToken })).code).toBe('UNAUTHENTICATED');
  const [row] = await rowsOf(service).session.findMany({ where: { id: planted.sessionId } });
  expect(row).toMatchObject({ customerId: victim.id, siteCode: 'planted' });
});

it('case 32: the tokens of a guest that were refreshed before the login end with it, the older and the newer', async () => {
  const first = await guest(service);
  const second = only(await tryRefreshGuest(service, first.refreshToken));
  const { email } = await givenCustomer(service);
  only(await tryLogin(service, { email, anonymousToken: second.accessToken }));

  for (const token of [first, second]) {
    expect(await isGood(service, token.accessToken)).toBe(false);
    expect((await tryRefreshGuest(service, token.refreshToken)).code).toBe('INVALID_GRANT');
  }
});

it('case 33: a claimed guest token logs nobody in, shows nothing of its customer, and checks no password', async () => {
  const shared = await guest(service);
  const owner = await givenCustomer(service);
  const { email } = await givenCustomer(service);
  only(await tryLogin(service, { email: owner.email, anonymousToken: shared.accessToken }));

  const hashes = countingHashes(service);
  const right = await tryLogin(service, { email, anonymousToken: shared.accessToken });
  const wrong = await tryLogin(service, { email, password: 'not-the-password', anonymousToken: shared.accessToken });
  const owners = await tryLogin(service, { email: owner.email, anonymousToken: shared.accessToken });
  expect([right.code, wrong.code, owners.code]).toEqual(Array(3).fill('UNAUTHENTICATED'));
  expect(new Set([right.body, wrong.body, owners.body]).size).toBe(1);
  expect(right.body).not.toContain(owner.id);
  expect(right.body).not.toContain(owner.email);
  expect(hashes()).toBe(0);
});

const notGuests: [string, () => Promise<string>][] = [
  [
    'forged',
    async () => (await guest(service)).accessToken.replace(/[^.]+$/, (text) => text.split('').reverse().join('')),
  ],
  ['unsigned', async () => `${(await guest(service)).accessToken.split('.').slice(0, 2).join('.')}.`],
  ['a guest refresh token', async () => (await guest(service)).refreshToken],
  ['a service token', async () => (await serviceToken(service)).accessToken],
  ['a customer token', async () => (await signIn(service)).accessToken],
  ['a saas token', async () => (await signIn(service)).saasToken],
  ['a customer refresh token', async () => (await signIn(service)).refreshToken],
  ['a bare session id', async () => (await guest(service)).sessionId],
  ['empty', async () => ''],
];
it.each(notGuests)(
  'case 34: an anonymousToken that is %s logs nobody in and checks no password',
  async (_kind, make) => {
    const anonymousToken = await make();
    const { email } = await givenCustomer(service);
    const hashes = countingHashes(service);
    const right = await tryLogin(service, { email, anonymousToken });
    const wrong = await tryLogin(service, { email, password: 'not-the-password', anonymousToken });
    expect(right).toMatchObject({ code: 'UNAUTHENTICATED', data: null });
    expect(wrong.body).toBe(right.body);
    expect(hashes()).toBe(0);
  },
);

it('case 34: a guest token that has expired logs nobody in, and its right password is not told from a wrong one', async () => {
  const [expired, control] = await Promise.all([guestTokenFor(-60), guestTokenFor(60)]);
  const { email } = await givenCustomer(service);
  const hashes = countingHashes(service);
  expect((await tryLogin(service, { email, anonymousToken: expired })).code).toBe('UNAUTHENTICATED');
  expect(hashes()).toBe(0);
  expect((await tryLogin(service, { email, anonymousToken: control })).code).toBeUndefined();
});

it('case 34: with the guest token of another tenant no account of this one can be signed in to, nor its failures counted', async () => {
  const { accessToken } = await guest(service, { tenant: 'rival', clientId: 'rival-storefront' });
  const { email } = await givenCustomer(service);
  const before = await rowsOf(service).attempt.count();
  const there = await tryLogin(service, { email, anonymousToken: accessToken });
  expect(there).toMatchObject({ code: 'INVALID_GRANT', data: null });
  expect(await rowsOf(service).attempt.count()).toBe(before);
});

it("case 34: an anonymousToken of another tenant than the bearer's is refused before any password is checked", async () => {
  const here = await guest(service);
  const there = await guest(service, { tenant: 'rival', clientId: 'rival-storefront' });
  const hashes = countingHashes(service);
  const email = 'mallory@rival.example';
  const answer = await tryLogin(service, { email, anonymousToken: there.accessToken }, here.accessToken);
  expect(answer).toMatchObject({ code: 'UNAUTHENTICATED', data: null });
  expect(hashes()).toBe(0);
  const alone = await tryLogin(service, { email, anonymousToken: there.accessToken });
  expect(alone.code).toBeUndefined();
});

it('case 35: a bare session id, in whatever header or argument, is no way into a session', async () => {
  const { accessToken, sessionId } = await signIn(service);
  const { sessionId: guestSession } = await guest(service);
  const { email } = await givenCustomer(service);
  for (const id of [sessionId, guestSession]) {
    const headers = { 'session-id': id, 'X-Session-Id': id, Session: id, Cookie: `session_id=${id}; session-id=${id}` };
    const login = 'mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { sessionId } }';
    const attempt = await graphql(service, login, { headers, variables: { input: { email, password: PASSWORD } } });
    expect(attempt.code).toBe('INVALID_REQUEST');
    const who = await graphql(service, '{ currentPrincipal { id } }', { headers });
    expect(who.data).toEqual({ currentPrincipal: null });
    expect(await isGood(service, id)).toBe(false);
    expect((await tryRefreshGuest(service, id)).code).toBe('INVALID_GRANT');
    expect((await tryRefresh(service, id)).code).toBe('INVALID_GRANT');
    const listed = await graphql(
      service,
      '{ sessions(after: $id) { nodes { id } } }'.replace('$id', JSON.stringify(id)),
    );
    expect(listed.code).toBe('UNAUTHENTICATED');
  }
  const other = await signIn(service, 'shopper@demo.example');
  const end = 'mutation ($id: ID!) { revokeSession(id: $id) { revoked } }';
  const answers = [sessionId, randomUUID()].map((id) =>
    graphql(service, end, { bearer: other.accessToken, variables: { id } }),
  );
  const [theirs, missing] = await Promise.all(answers);
  expect([theirs?.code, missing?.code]).toEqual(['NOT_FOUND', 'NOT_FOUND']);
  expect(theirs?.body).toBe(missing?.body);
  expect(await isGood(service, accessToken)).toBe(true);
});

it('case 35: session ids are 128 random bits, and a guest header does not choose one', async () => {
  const ids = await Promise.all(Array.from({ length: 200 }, async () => (await guest(service)).sessionId));
  expect(new Set(ids).size).toBe(200);
  for (const id of ids) expect(Buffer.from(id, 'base64url')).toHaveLength(16);
  // Of 200 × 128 fair bits the ones are 12 800, give or take 80; 640 is eight deviations.
  const ones = ids
    .map((id) => [...Buffer.from(id, 'base64url')].join(' '))
    .join(' ')
    .split(' ')
    .reduce((sum, byte) => sum + Number(byte).toString(2).replaceAll('0', '').length, 0);
  expect(Math.abs(ones - 12_800)).toBeLessThan(640);

  const chosen = 'AAAAAAAAAAAAAAAAAAAAAA';
  const issue =
    'mutation { issueAnonymousToken(input: { tenant: "demo", clientId: "demo-storefront" }) { sessionId } }';
  const answer = await graphql(service, issue, { headers: { 'session-id': chosen, 'X-Session-Id': chosen } });
  expect(only(answer).sessionId).not.toBe(chosen);
});

it('case 36: on a shared device an old copy of the guest token signs nobody in after the first customer has left', async () => {
  const device = await guest(service, { currency: 'EUR' });
  const first = await givenCustomer(service);
  const second = await givenCustomer(service);
  const a = only(await tryLogin(service, { email: first.email, anonymousToken: device.accessToken }));
  only(await graphql(service, 'mutation { logout { sessionsEnded } }', { bearer: a.accessToken }));

  const old = await tryLogin(service, { email: second.email, anonymousToken: device.accessToken });
  expect(old).toMatchObject({ code: 'UNAUTHENTICATED', data: null });
  expect((await tryRefreshGuest(service, device.refreshToken)).code).toBe('INVALID_GRANT');
  expect(await isGood(service, a.accessToken)).toBe(false);
  expect((await tryRefresh(service, a.refreshToken)).code).toBe('INVALID_GRANT');

  const fresh = await guest(service);
  const b = only(await tryLogin(service, { email: second.email, anonymousToken: fresh.accessToken }));
  expect(b.sessionId).toBe(fresh.sessionId);
  expect(b.sessionId).not.toBe(device.sessionId);
  const mine = only(await graphql(service, '{ mySessions { id } }', { bearer: b.accessToken }));
  expect(mine).toEqual([{ id: fresh.sessionId }]);
  expect(claimsOf((await refresh(service, b.refreshToken)).accessToken).session_id).toBe(fresh.sessionId);
});

/** A guest token that ends when the test wants, signed with the service's own key. */
async function guestTokenFor(lifetimeSeconds: number): Promise<string> {
  const { contextEncryption, revocations, signingKeys: keys, tenants } = service.app.modules;
  const sessionId = randomUUID();
  const { issuer, audience } = service.config;
  const sign = createTokenSigner({ keys, issuer });
  const issued = await createTokenIssuer({ contextEncryption, sign, audience }).issue({
    kind: 'anonymous',
    tenant: tenants.find('demo')!,
    scopes: [],
    rev: revocations.current(),
    lifetimeSeconds,
    claims: {
      sub: sessionId,
      client_id: 'demo-storefront',
      session_id: sessionId,
      context: { siteCode: null, currency: null, language: null, targetLocation: null },
      session_started_at: Math.floor(Date.now() / 1000),
    },
  });
  return issued.token;
}
