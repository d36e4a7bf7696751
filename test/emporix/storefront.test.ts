// The sequence of a storefront as the platform's specification has it, over REST alone, with exactly the fields that the
// specification names; GraphQL sees the same sessions.

import { beforeAll, expect, it } from 'vitest';
import { givenCompany, givenCustomer } from '../kit/given.ts';
import { graphql } from '../kit/graphql.ts';
import { fieldsOf, hasSpecifications, type RestRequest, restClient } from '../kit/rest.ts';
import { type Service, theService } from '../kit/service.ts';
import { PASSWORD } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const shop = restClient('customer-managed');
const iam = restClient('iam');

/** Calls, and holds the names of the answer's members against the specification's, beside their types. */
async function step(method: string, path: string, request: RestRequest) {
  const { status, body } = await shop(at, method, path, request);
  const named = hasSpecifications && body ? fieldsOf('customer-managed', method, path, status) : null;
  // The specification's schema of a guest's tokens lacks the refresh token, its examples have it.
  const known =
    named &&
    new Set([...named, ...(path.startsWith('/customerlogin') ? ['refresh_token', 'refresh_token_expires_in'] : [])]);
  if (known)
    expect(
      Object.keys(body).filter((name) => !known.has(name)),
      path,
    ).toEqual([]);
  return { status, body };
}

const sessionSeenByGraphql = async (bearer: string) => {
  const fields =
    '... on CustomerPrincipal { session { id } legalEntity { id } } ... on AnonymousPrincipal { sessionId }';
  const { data } = await graphql(at, `{ currentPrincipal { kind scopes ${fields} } }`, { bearer });
  return data?.currentPrincipal;
};

it('guest with a context, login, me, a company, validate, scopes, another company, none, logout', async () => {
  const [acme, globex] = [await givenCompany(at), await givenCompany(at)];
  const { email, id } = await givenCustomer(at, { [acme.id]: 'ADMIN', [globex.id]: 'BUYER' });

  const query = { tenant: 'demo', client_id: 'demo-storefront', currency: 'EUR', siteCode: 'main', language: 'de' };
  const guest = (await step('GET', '/customerlogin/auth/anonymous/login', { query })).body;
  expect(await sessionSeenByGraphql(guest.access_token)).toMatchObject({
    kind: 'ANONYMOUS',
    sessionId: guest.sessionId,
  });

  const token = guest.access_token;
  const login = (await step('POST', '/customer/demo/login', { token, body: { email, password: PASSWORD } })).body;
  expect(login.session_id).toBe(guest.sessionId);
  const me = (await step('GET', '/customer/demo/me', { token: login.access_token })).body;
  expect(me).toMatchObject({ id, businessModel: 'B2B' });
  const offered = me.b2b.legalEntities.map((company: { id: string }) => company.id).sort();
  expect(offered).toEqual([acme.id, globex.id].sort());

  /** Goes on, for a company or for none, by the last tokens. */
  async function goOn(last: { access_token: string; refresh_token: string }, legalEntityId?: string) {
    const chosen = { refreshToken: last.refresh_token, ...(legalEntityId && { legalEntityId }) };
    const next = (await step('GET', '/customer/demo/refreshauthtoken', { token: last.access_token, query: chosen }))
      .body;
    expect(next.session_id).toBe(guest.sessionId);
    const said = (await step('GET', '/customer/demo/validateauthtoken', { token: next.access_token })).body;
    expect([said.sessionId, said.email, said.legalEntityId]).toEqual([guest.sessionId, email, legalEntityId]);
    const mine = (await iam(at, 'GET', '/iam/demo/users/me/scopes', { token: next.access_token })).body;
    expect(mine).toEqual({ userId: id, scopes: said.scope });
    const seen = await sessionSeenByGraphql(next.access_token);
    expect(seen).toMatchObject({ kind: 'CUSTOMER', session: { id: guest.sessionId } });
    expect(seen.legalEntity?.id).toBe(legalEntityId);
    expect(`${[...seen.scopes].sort().join(' ')} tenant=demo`).toBe(said.scope);
    return { ...next, scopes: said.scope.split(' ') };
  }

  const admin = await goOn(login, acme.id);
  const buyer = await goOn(admin, globex.id);
  const oneself = await goOn(buyer);
  expect(admin.scopes).toContain('customer.customer_manage_own');
  expect(buyer.scopes).not.toContain('customer.customer_manage_own');
  expect(oneself.scopes).not.toContain('customer.customer_manage_own');

  const leaving = { accessToken: oneself.access_token };
  expect((await step('GET', '/customer/demo/logout', { token: oneself.access_token, query: leaving })).status).toBe(
    204,
  );
  for (const last of [login, admin, buyer, oneself]) {
    expect((await shop(at, 'GET', '/customer/demo/validateauthtoken', { token: last.access_token })).status).toBe(401);
    expect(await sessionSeenByGraphql(last.access_token)).toBeNull();
  }
});
