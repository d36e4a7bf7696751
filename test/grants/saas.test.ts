// The saas token: the customer's proof for checkout. Same customer, session and company as the bearer, and no longer.

import { beforeAll, expect, it } from 'vitest';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { claimsOf, employee, guest, headerOf, isGood, refresh, serviceToken, signIn } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const trySaas = (bearer?: string) =>
  graphql(at, 'mutation { issueSaasToken { saasToken expiresIn expiresAt } }', { bearer });

const proof = (token: string) => {
  const { sub, session_id, legalEntityId, tenant, client_id } = claimsOf(token);
  return { sub, session_id, legalEntityId, tenant, client_id };
};

it('success: of the same customer, session and company as the bearer, with its rev, ending with it', async () => {
  const { accessToken } = await signIn(at, 'buyer@demo.example', { legalEntityId: 'acme' });
  const { saasToken, expiresIn } = only(await trySaas(accessToken));
  const [bearer, saas] = [claimsOf(accessToken), claimsOf(saasToken)];
  expect(proof(saasToken)).toEqual(proof(accessToken));
  expect(saas).toMatchObject({ kind: 'saas', scope: '', rev: bearer.rev, groups: bearer.groups });
  expect(headerOf(saasToken).typ).toBe('saas+jwt');
  expect(saas.exp).toBeLessThanOrEqual(bearer.exp);
  expect(expiresIn).toBe(saas.exp - saas.iat);
});

it('comes with every customer token, of its session and company, and follows each switch', async () => {
  const plain = await signIn(at);
  const acme = await refresh(at, plain.refreshToken, { legalEntityId: 'acme' });
  const left = await refresh(at, acme.refreshToken, { legalEntityId: null });
  for (const { accessToken, saasToken } of [plain, acme, left]) {
    expect(proof(saasToken)).toEqual(proof(accessToken));
    expect(claimsOf(saasToken).exp).toBe(claimsOf(accessToken).exp);
  }
});

it('opens no door by itself: as a bearer it is no token', async () => {
  const { saasToken } = await signIn(at);
  expect(await isGood(at, saasToken)).toBe(false);
});

it('ends with the session, however it was come by', async () => {
  const { accessToken, saasToken, sessionId } = await signIn(at);
  const { saasToken: another } = only(await trySaas(accessToken));
  await at.app.modules.sessions.logout(ctxOf('demo'), sessionId);
  const { accessToken: bearer } = await serviceToken(at);
  for (const token of [saasToken, another]) {
    const query = 'query ($token: String!) { introspectToken(token: $token) { active } }';
    expect(only(await graphql(at, query, { bearer, variables: { token } }))).toEqual({ active: false });
  }
});

it('invalid, unauthenticated: UNAUTHENTICATED without a bearer or with one that is no good', async () => {
  expect((await trySaas()).code).toBe('UNAUTHENTICATED');
  expect((await trySaas('nonsense')).code).toBe('UNAUTHENTICATED');
});

it('forbidden: for anybody but a customer', async () => {
  const others = [await guest(at), await serviceToken(at, 'demo-crm'), await employee(at, 'catalog@demo.example')];
  for (const { accessToken } of others) expect((await trySaas(accessToken)).code).toBe('FORBIDDEN');
});

it('other tenant: is of the tenant of the bearer', async () => {
  const { accessToken } = await signIn(at, 'mallory@rival.example');
  expect(claimsOf(only(await trySaas(accessToken)).saasToken).tenant).toBe('rival');
});
