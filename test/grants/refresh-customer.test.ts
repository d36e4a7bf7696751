// Grant: the customer's refresh. Rotation, the switch of company, and two companies side by side (product.md s.2).

import { beforeAll, describe, expect, it } from 'vitest';
import {
  givenClient,
  givenCompany,
  givenCustomer,
  givenCustomerGroup,
  givenOldUses,
  givenTenant,
} from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  type CustomerToken,
  claimsOf,
  employee,
  guest,
  isGood,
  refresh,
  signIn,
  tryLogin,
  tryRefresh,
} from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const adminAdds = [
  'customer.customer_manage_own',
  'customer.customer_read_own',
  'iam.assignment_create_own',
  'iam.assignment_delete_own',
  'iam.group_read_own',
  'iam.user_read_own',
];
const added = (token: CustomerToken, to: CustomerToken) => token.scopes.filter((scope) => !to.scopes.includes(scope));
const auditOf = (sessionId: string) =>
  at.app.modules.database.forTenant(ctxOf('demo')).auditEvent.findMany({
    where: { subjectId: sessionId },
    orderBy: { id: 'asc' },
  });

describe('rotation', () => {
  it('success: a successor, new tokens, the same session', async () => {
    const first = await signIn(at, 'shopper@demo.example');
    const next = await refresh(at, first.refreshToken);
    expect(next).toMatchObject({
      expiresIn: 3600,
      sessionId: first.sessionId,
      scopes: first.scopes,
      branchedFrom: null,
    });
    expect(next.refreshToken).not.toBe(first.refreshToken);
    const [before, after] = [claimsOf(first.accessToken), claimsOf(next.accessToken)];
    expect(after).toMatchObject({ sub: before.sub, session_id: before.session_id, client_id: before.client_id });
    expect(after.jti).not.toBe(before.jti);
  });

  it('leaves the access token of before good until it ends', async () => {
    const first = await signIn(at, 'shopper@demo.example');
    await refresh(at, first.refreshToken);
    expect(await isGood(at, first.accessToken)).toBe(true);
  });

  it('an identical retry gets the same successor, also when both come at once', async () => {
    const { refreshToken } = await signIn(at);
    const input = { legalEntityId: 'acme' };
    const both = await Promise.all([refresh(at, refreshToken, input), refresh(at, refreshToken, input)]);
    const again = await refresh(at, refreshToken, input);
    expect(new Set([...both, again].map((token) => token.refreshToken)).size).toBe(1);
    expect(await isGood(at, again.accessToken)).toBe(true);
    expect((await tryRefresh(at, again.refreshToken)).errors).toEqual([]);
  });

  it.each([
    ['another company', { legalEntityId: 'globex' }],
    ['no company', { legalEntityId: null }],
    ['the company left out', {}],
    ['a branch', { legalEntityId: 'acme', branch: true }],
  ])('a retry that differs (%s) is INVALID_GRANT, and nothing else happens', async (_case, other) => {
    const { refreshToken } = await signIn(at);
    const next = await refresh(at, refreshToken, { legalEntityId: 'acme' });
    expect((await tryRefresh(at, refreshToken, other)).code).toBe('INVALID_GRANT');
    expect(await isGood(at, next.accessToken)).toBe(true);
    expect((await tryRefresh(at, next.refreshToken)).errors).toEqual([]);
  });

  it('any use after the retry time ends the session and all that came of it, and is audited once', async () => {
    const first = await signIn(at);
    const next = await refresh(at, first.refreshToken);
    await givenOldUses(at, first.sessionId);
    expect((await tryRefresh(at, first.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefresh(at, first.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefresh(at, next.refreshToken)).code).toBe('INVALID_GRANT');
    expect(await isGood(at, next.accessToken)).toBe(false);
    const reuses = (await auditOf(first.sessionId)).filter(({ type }) => type === 'refresh.reuse_detected');
    expect(reuses).toHaveLength(1);
  });

  it('extends the session by thirty days, and never beyond its end', async () => {
    const { refreshToken, sessionId } = await signIn(at, 'shopper@demo.example');
    const system = at.app.modules.database.system();
    await system.$executeRaw`UPDATE sessions SET expires_at = now() + interval '1 hour' WHERE id = ${sessionId}`;
    const extended = await refresh(at, refreshToken);
    expect(extended.refreshTokenExpiresIn).toBeGreaterThan(30 * 86_400 - 30);
    await system.$executeRaw`UPDATE sessions SET ends_at = now() + interval '10 minutes' WHERE id = ${sessionId}`;
    const last = await refresh(at, extended.refreshToken);
    expect(last.refreshTokenExpiresIn).toBeLessThanOrEqual(600);
    expect(last.expiresIn).toBeLessThanOrEqual(600);
    await system.$executeRaw`UPDATE sessions SET ends_at = now() - interval '1 second' WHERE id = ${sessionId}`;
    expect((await tryRefresh(at, last.refreshToken)).code).toBe('INVALID_GRANT');
  });

  it('a new session ends after 180 days at most', async () => {
    const { sessionId } = await signIn(at, 'shopper@demo.example');
    const { endsAt, createdAt } = await at.app.modules.sessions.get(ctxOf('demo'), sessionId);
    expect(endsAt.getTime() - createdAt.getTime()).toBe(180 * 86_400_000);
  });

  it('computes the scopes anew', async () => {
    const customer = await givenCustomer(at);
    const { refreshToken, scopes } = await signIn(at, customer.email);
    await givenCustomerGroup(at, ['order.order_read'], customer.id);
    const next = await refresh(at, refreshToken);
    expect(next.scopes).toEqual([...scopes, 'order.order_read'].sort());
  });

  it('stamps the token with the last revocation number before the facts were read', async () => {
    const { refreshToken } = await signIn(at, 'shopper@demo.example');
    const before = await at.app.modules.revocations.latest();
    const { rev } = claimsOf((await refresh(at, refreshToken)).accessToken);
    expect(rev).toBeGreaterThanOrEqual(before);
    expect(rev).toBeLessThanOrEqual(await at.app.modules.revocations.latest());
  });
});

describe('legalEntityId', () => {
  it('an id switches: company, its scopes, the same session, no login', async () => {
    const plain = await signIn(at);
    const acme = await refresh(at, plain.refreshToken, { legalEntityId: 'acme' });
    expect(acme.legalEntity).toEqual({ id: 'acme', name: 'ACME' });
    expect(acme.sessionId).toBe(plain.sessionId);
    expect(added(acme, plain)).toEqual(adminAdds);
    expect(claimsOf(acme.accessToken).legalEntityId).toBe('acme');
  });

  it('absent keeps the company', async () => {
    const { refreshToken } = await signIn(at, 'buyer@demo.example', { legalEntityId: 'acme' });
    const kept = await refresh(at, refreshToken);
    expect(kept.legalEntity?.id).toBe('acme');
    expect((await refresh(at, kept.refreshToken)).legalEntity?.id).toBe('acme');
  });

  it('null leaves it, with its scopes', async () => {
    const plain = await signIn(at);
    const acme = await refresh(at, plain.refreshToken, { legalEntityId: 'acme' });
    const left = await refresh(at, acme.refreshToken, { legalEntityId: null });
    expect(left).toMatchObject({ legalEntity: null, scopes: plain.scopes });
    expect(claimsOf(left.accessToken)).not.toHaveProperty('legalEntityId');
  });

  it('there and back: in each company exactly the customer set, groups without company and groups of that company', async () => {
    const company = await givenCompany(at);
    const customer = await givenCustomer(at, { acme: 'ADMIN', [company.id]: 'REQUESTER' });
    await givenCustomerGroup(at, ['order.order_read'], customer.id);
    const plain = await signIn(at, customer.email);
    expect(plain.scopes).toContain('order.order_read');
    const acme = await refresh(at, plain.refreshToken, { legalEntityId: 'acme' });
    const other = await refresh(at, acme.refreshToken, { legalEntityId: company.id });
    const back = await refresh(at, other.refreshToken, { legalEntityId: 'acme' });
    expect(added(acme, plain)).toEqual(adminAdds);
    expect(acme.scopes).toHaveLength(plain.scopes.length + adminAdds.length);
    expect(other.scopes).toEqual(plain.scopes);
    expect(back.scopes).toEqual(acme.scopes);
    expect(new Set([plain, acme, other, back].map(({ sessionId }) => sessionId)).size).toBe(1);
  });

  it('an access token of the earlier company keeps it until it ends', async () => {
    const acme = await signIn(at, 'buyer@demo.example', { legalEntityId: 'acme' });
    await refresh(at, acme.refreshToken, { legalEntityId: 'globex' });
    const query = '{ currentPrincipal { ... on CustomerPrincipal { legalEntity { id } } } }';
    expect(only(await graphql(at, query, { bearer: acme.accessToken })).legalEntity).toEqual({ id: 'acme' });
  });

  it('forbidden, other tenant: not the customer’s, unknown, malformed, of another tenant: one ACCESS_DENIED, nothing spent', async () => {
    const { refreshToken, sessionId } = await signIn(at);
    const answers = [];
    for (const legalEntityId of ['initech', 'no-such-company', '*', '', 'umbrella']) {
      const { status, data, errors } = await tryRefresh(at, refreshToken, { legalEntityId });
      answers.push({ status, data, errors });
    }
    expect(answers[0]?.errors[0]?.extensions.code).toBe('ACCESS_DENIED');
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect((await refresh(at, refreshToken, { legalEntityId: 'globex' })).sessionId).toBe(sessionId);
  });

  it('the refresh that finds the assignment gone is ACCESS_DENIED, and the customer may go on with null', async () => {
    const customer = await givenCustomer(at, { acme: 'BUYER', globex: null });
    const { refreshToken } = await signIn(at, customer.email, { legalEntityId: 'acme' });
    await at.app.modules.contactAssignments.unassign(ctxOf('demo'), { customerId: customer.id, legalEntityId: 'acme' });
    expect((await tryRefresh(at, refreshToken)).code).toBe('ACCESS_DENIED');
    expect((await tryRefresh(at, refreshToken, { legalEntityId: 'acme' })).code).toBe('ACCESS_DENIED');
    const plain = await refresh(at, refreshToken, { legalEntityId: null });
    expect(plain.legalEntity).toBeNull();
    expect((await refresh(at, plain.refreshToken, { legalEntityId: 'globex' })).legalEntity?.id).toBe('globex');
  });

  it('a disabled company is as one that is not the customer’s', async () => {
    const company = await givenCompany(at);
    const customer = await givenCustomer(at, { [company.id]: 'BUYER' });
    const { refreshToken } = await signIn(at, customer.email, { legalEntityId: company.id });
    const db = at.app.modules.database.forTenant(ctxOf('demo'));
    await db.legalEntity.updateMany({ where: { id: company.id }, data: { enabled: false } });
    expect((await tryRefresh(at, refreshToken)).code).toBe('ACCESS_DENIED');
  });

  it('the switch is told to the audit trail, a plain refresh is not', async () => {
    const { refreshToken, sessionId } = await signIn(at);
    const kept = await refresh(at, refreshToken);
    await refresh(at, kept.refreshToken, { legalEntityId: 'acme' });
    const told = (await auditOf(sessionId)).filter(({ type }) => type === 'token.company_switched');
    expect(told.map(({ details }) => details)).toEqual([{ from: null, to: 'acme' }]);
  });
});

describe('branch: true', () => {
  const branched = async () => {
    const acme = await signIn(at, 'buyer@demo.example', { legalEntityId: 'acme' });
    const globex = await refresh(at, acme.refreshToken, { legalEntityId: 'globex', branch: true });
    return { acme, globex, kept: globex.branchedFrom! };
  };

  it('opens the new company and goes on with the present one', async () => {
    const { acme, globex, kept } = await branched();
    expect(globex).toMatchObject({ legalEntity: { id: 'globex' }, sessionId: acme.sessionId });
    expect(kept.legalEntity).toEqual({ id: 'acme' });
    expect(kept.refreshTokenExpiresIn).toBe(globex.refreshTokenExpiresIn);
    expect(await isGood(at, acme.accessToken)).toBe(true);
  });

  it('spends the presented token', async () => {
    const { acme } = await branched();
    expect((await tryRefresh(at, acme.refreshToken)).code).toBe('INVALID_GRANT');
  });

  it('an identical retry gets both successors again', async () => {
    const { acme, globex, kept } = await branched();
    const again = await refresh(at, acme.refreshToken, { legalEntityId: 'globex', branch: true });
    expect(again.refreshToken).toBe(globex.refreshToken);
    expect(again.branchedFrom).toMatchObject({ refreshToken: kept.refreshToken, legalEntity: kept.legalEntity });
  });

  it('each branch rotates by itself and knows its company by itself', async () => {
    const { globex, kept } = await branched();
    let [left, right] = [kept.refreshToken, globex.refreshToken];
    for (let time = 0; time < 3; time += 1) {
      const [one, other] = await Promise.all([refresh(at, left), refresh(at, right)]);
      expect([one.legalEntity?.id, other.legalEntity?.id]).toEqual(['acme', 'globex']);
      expect(added(one, other)).toEqual(adminAdds);
      [left, right] = [one.refreshToken, other.refreshToken];
    }
  });

  it('a switch in one branch leaves the other where it is', async () => {
    const { globex, kept } = await branched();
    await refresh(at, globex.refreshToken, { legalEntityId: null });
    expect((await refresh(at, kept.refreshToken)).legalEntity?.id).toBe('acme');
  });

  it('from no company: the branch of before goes on without one', async () => {
    const plain = await signIn(at);
    const { branchedFrom } = await refresh(at, plain.refreshToken, { legalEntityId: 'acme', branch: true });
    expect(branchedFrom?.legalEntity).toBeNull();
    expect((await refresh(at, branchedFrom!.refreshToken)).scopes).toEqual(plain.scopes);
  });

  it('a company that is refused spends nothing', async () => {
    const { refreshToken } = await signIn(at);
    expect((await tryRefresh(at, refreshToken, { legalEntityId: 'initech', branch: true })).code).toBe('ACCESS_DENIED');
    expect((await tryRefresh(at, refreshToken)).errors).toEqual([]);
  });

  it('all branches end with the session', async () => {
    const { acme, globex, kept } = await branched();
    only(await graphql(at, 'mutation { logout { sessionsEnded } }', { bearer: globex.accessToken }));
    expect((await tryRefresh(at, kept.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefresh(at, globex.refreshToken)).code).toBe('INVALID_GRANT');
    expect(await isGood(at, acme.accessToken)).toBe(false);
  });

  it('a stolen token is noticed in either branch, and ends both', async () => {
    for (const branch of ['kept', 'new'] as const) {
      const { globex, kept } = await branched();
      const [stolen, other] =
        branch === 'kept' ? [kept.refreshToken, globex.refreshToken] : [globex.refreshToken, kept.refreshToken];
      await refresh(at, stolen);
      await givenOldUses(at, globex.sessionId);
      expect((await tryRefresh(at, stolen)).code).toBe('INVALID_GRANT');
      expect((await tryRefresh(at, other)).code).toBe('INVALID_GRANT');
      expect(await isGood(at, globex.accessToken)).toBe(false);
    }
  });

  it('is told to the audit trail', async () => {
    const { acme } = await branched();
    const told = (await auditOf(acme.sessionId)).filter(({ type }) => type === 'token.branched');
    expect(told.map(({ details }) => details)).toEqual([{ from: 'acme', to: 'globex' }]);
  });
});

it('invalid: INVALID_GRANT for text that is none, for an access token, a guest’s and an employee’s refresh token', async () => {
  const { accessToken, saasToken } = await signIn(at);
  const tokens = ['', 'rt_', `rt_${'a'.repeat(43)}`, accessToken, saasToken];
  tokens.push((await guest(at)).refreshToken, (await employee(at, 'catalog@demo.example')).refreshToken);
  for (const token of tokens) expect((await tryRefresh(at, token)).code, token.slice(0, 20)).toBe('INVALID_GRANT');
});

it('unauthenticated: needs no bearer, the refresh token is the credential', async () => {
  const { refreshToken } = await signIn(at);
  expect((await tryRefresh(at, refreshToken)).errors).toEqual([]);
});

it('INVALID_GRANT when the customer or the storefront has been disabled', async () => {
  const customer = await givenCustomer(at);
  const { refreshToken } = await signIn(at, customer.email);
  await at.app.modules.customers.update(ctxOf('demo'), customer.id, { enabled: false });
  expect((await tryRefresh(at, refreshToken)).code).toBe('INVALID_GRANT');

  const { id } = await givenClient(at, [], 'STOREFRONT');
  const { accessToken: anonymousToken } = await guest(at, { clientId: id });
  const ofClosed = only<CustomerToken>(await tryLogin(at, { email: 'shopper@demo.example', anonymousToken }));
  await at.app.modules.clients.update(ctxOf('demo'), id, { enabled: false });
  expect((await tryRefresh(at, ofClosed.refreshToken)).code).toBe('INVALID_GRANT');
});

it('other tenant: a refresh token works in its tenant only, whichever bearer comes along', async () => {
  const { refreshToken } = await signIn(at, 'mallory@rival.example', { legalEntityId: 'umbrella' });
  const { accessToken: bearer } = await signIn(at);
  const query = `mutation ($t: String!) { refreshCustomerToken(input: { refreshToken: $t }) { accessToken } }`;
  const { accessToken } = only(await graphql(at, query, { bearer, variables: { t: refreshToken } }));
  expect(claimsOf(accessToken)).toMatchObject({ tenant: 'rival', legalEntityId: 'umbrella' });
});

it('lives as long as the tenant says', async () => {
  const settings = { customerTokenSeconds: 120, customerRefreshSeconds: 900, customerSessionSeconds: 600 };
  const tenant = await givenTenant(at, settings);
  const { accessToken: anonymousToken } = await guest(at, { tenant: tenant.id, clientId: tenant.storefront });
  const { refreshToken } = only<CustomerToken>(await tryLogin(at, { email: tenant.customer.email, anonymousToken }));
  const next = await refresh(at, refreshToken);
  expect(next.expiresIn).toBe(120);
  expect(next.refreshTokenExpiresIn).toBeLessThanOrEqual(600);
});
