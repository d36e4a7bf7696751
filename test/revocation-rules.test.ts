// Revocation is felt at once (product.md section 2): every change that ends tokens is felt by the instance that made it
// before it answers, and by every other within a second; and it ends nothing else. Two instances, one PostgreSQL.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { givenClient, givenCompany, givenCustomer, givenEmployee, givenTenant } from './kit/given.ts';
import { graphql, only } from './kit/graphql.ts';
import { createDatabaseIn } from './kit/postgres.ts';
import { ctxOf, type Service, startService } from './kit/service.ts';
import {
  type CustomerToken,
  claimsOf,
  type EmployeeToken,
  employee,
  guest,
  isGood,
  PASSWORD,
  refresh,
  refusedAfter,
  signIn,
  tryAssist,
  tryEmployeeLogin,
  tryLogin,
  tryRefresh,
  tryRefreshEmployee,
  tryRefreshGuest,
  tryServiceToken,
} from './kit/stories.ts';

const cluster = inject('postgresUrl');
const demo = ctxOf('demo');

describe.skipIf(cluster === null)('on two instances that share a PostgreSQL (skipped without server binaries)', () => {
  let here: Service;
  let there: Service;

  beforeAll(async () => {
    const DATABASE_URL = await createDatabaseIn(cluster!);
    here = await startService({ DATABASE_URL });
    there = await startService({ DATABASE_URL });
  }, 180_000);
  afterAll(async () => {
    await here?.stop();
    await there?.stop();
  });

  /** Both instances take the tokens; then the change; then neither takes them, and both still take the others. */
  async function expectEnds(tokens: readonly string[], others: readonly string[], change: () => Promise<unknown>) {
    for (const token of [...tokens, ...others]) {
      expect([await isGood(here, token), await isGood(there, token)]).toEqual([true, true]);
    }
    await change();
    const everywhere = await Promise.all(tokens.map((token) => refusedAfter(there, token, 5_000)));
    for (const token of tokens) expect(await isGood(here, token)).toBe(false);
    for (const ms of everywhere) expect(ms).toBeLessThan(1_000);
    for (const token of others) {
      expect([await isGood(here, token), await isGood(there, token)]).toEqual([true, true]);
    }
  }

  /** The change is felt before it answers: asked of the verifier itself, without a moment between. */
  async function expectFeltBeforeTheAnswer(token: string, change: () => Promise<unknown>) {
    await here.app.modules.verifier.principal(token);
    await change();
    await expect(here.app.modules.verifier.principal(token)).rejects.toMatchObject({ code: 'invalid_token' });
  }

  const ask = (query: string, bearer: string) => graphql(here, `mutation { ${query} }`, { bearer }).then(only);
  const serviceTokenOf = async (client: { id: string; clientSecret: string }): Promise<string> =>
    only(await tryServiceToken(here, client.id, client.clientSecret)).accessToken;

  it('a logout ends its session, saas token and refresh token included, and no other session', async () => {
    const [one, other] = [await signIn(here), await signIn(here)];
    await expectEnds([one.accessToken], [other.accessToken], () => ask('logout { sessionsEnded }', one.accessToken));
    expect((await tryRefresh(there, one.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefresh(there, other.refreshToken)).errors).toEqual([]);
    const { accessToken: bearer } = await employee(here);
    const query = 'query ($token: String!) { introspectToken(token: $token) { active } }';
    for (const [token, active] of [
      [one.saasToken, false],
      [other.saasToken, true],
    ]) {
      expect(only(await graphql(there, query, { bearer, variables: { token } }))).toEqual({ active });
    }
  });

  it('a login ends the guest’s tokens, and no other guest’s', async () => {
    const [one, other] = [await guest(here), await guest(here)];
    await expectEnds([one.accessToken], [other.accessToken], async () =>
      only(await tryLogin(here, { email: 'shopper@demo.example', anonymousToken: one.accessToken })),
    );
    expect((await tryRefreshGuest(there, one.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefreshGuest(there, other.refreshToken)).errors).toEqual([]);
  });

  it('a revoked session ends, and the one that revoked it does not', async () => {
    const { email } = await givenCustomer(here);
    const [one, other] = [await signIn(here, email), await signIn(here, email)];
    await expectEnds([one.accessToken], [other.accessToken], () =>
      ask(`revokeSession(id: "${one.sessionId}") { revoked }`, other.accessToken),
    );
    expect((await tryRefresh(there, one.refreshToken)).code).toBe('INVALID_GRANT');
  });

  it('a changed password ends the other sessions, and leaves this one', async () => {
    const { email } = await givenCustomer(here);
    const [one, other, mine] = [await signIn(here, email), await signIn(here, email), await signIn(here, email)];
    await expectEnds([one.accessToken, other.accessToken], [mine.accessToken], () =>
      ask(
        `changePassword(input: { currentPassword: "${PASSWORD}", newPassword: "an entirely new one" }) { sessionsEnded }`,
        mine.accessToken,
      ),
    );
    expect((await tryRefresh(there, one.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefresh(there, mine.refreshToken)).errors).toEqual([]);
  });

  it('a removed contact assignment ends the customer’s tokens for that company, and nothing else', async () => {
    const { contactAssignments } = here.app.modules;
    const company = await givenCompany(here);
    const customer = await givenCustomer(here, { [company.id]: 'BUYER', acme: 'BUYER' });
    const colleague = await givenCustomer(here, { [company.id]: 'BUYER' });
    const forCompany = await signIn(here, customer.email, { legalEntityId: company.id });
    const forAcme = await signIn(here, customer.email, { legalEntityId: 'acme' });
    const forNone = await signIn(here, customer.email);
    const ofColleague = await signIn(here, colleague.email, { legalEntityId: company.id });
    await expectEnds(
      [forCompany.accessToken],
      [forAcme, forNone, ofColleague].map(({ accessToken }) => accessToken),
      () => contactAssignments.unassign(demo, { customerId: customer.id, legalEntityId: company.id }),
    );
    expect((await tryRefresh(there, forCompany.refreshToken)).code).toBe('ACCESS_DENIED');
    expect((await refresh(there, forCompany.refreshToken, { legalEntityId: null })).legalEntity).toBeNull();

    // Assigned again: what was revoked stays so, and a new token is good.
    await contactAssignments.assign(demo, customer.id, company.id);
    expect(await isGood(here, forCompany.accessToken)).toBe(false);
    const again = await refresh(here, forNone.refreshToken, { legalEntityId: company.id });
    expect([await isGood(here, again.accessToken), await isGood(there, again.accessToken)]).toEqual([true, true]);
  });

  it('a company that is disabled, deleted or moved ends the tokens that answered to that, and nothing else', async () => {
    const { contactAssignments, legalEntities } = here.app.modules;
    const [parent, other] = [await givenCompany(here), await givenCompany(here)];
    const branch = await legalEntities.create(demo, { name: 'Branch', parentId: parent.id });
    const customer = await givenCustomer(here, { [branch.id]: 'BUYER', acme: 'BUYER' });
    const tokens = async () => {
      const of = (legalEntityId?: string) => signIn(here, customer.email, legalEntityId ? { legalEntityId } : {});
      const signedIn = [await of(branch.id), await of(parent.id), await of('acme'), await of()];
      return signedIn.map(({ accessToken }) => accessToken);
    };
    const [forBranch, forParent, ...rest] = await tokens();
    await expectEnds([forParent!], [forBranch!, ...rest], () =>
      legalEntities.update(demo, branch.id, { parentId: other.id }),
    );
    await expectEnds([forBranch!], rest, () => legalEntities.update(demo, branch.id, { enabled: false }));
    await legalEntities.update(demo, branch.id, { enabled: true, parentId: parent.id });
    const [again, above, ...others] = await tokens();
    await expectEnds([again!, above!], [...rest, ...others], () => legalEntities.delete(demo, branch.id));
    // By inheritance downwards or upwards, what is taken away takes with it what came from it only.
    const leaf = await legalEntities.create(demo, { name: 'Leaf', parentId: parent.id });
    await contactAssignments.assign(demo, customer.id, leaf.id);
    const [leafToken, parentToken] = [
      await signIn(here, customer.email, { legalEntityId: leaf.id }),
      await signIn(here, customer.email, { legalEntityId: parent.id }),
    ];
    await expectEnds([leafToken.accessToken, parentToken.accessToken], others, () =>
      contactAssignments.unassign(demo, { customerId: customer.id, legalEntityId: leaf.id }),
    );
  });

  it('a removed group membership ends the employee’s tokens; a refresh gives one with the scopes of now', async () => {
    const person = await givenEmployee(here, ['order.order_read']);
    const colleague = await givenEmployee(here, ['order.order_read']);
    await here.app.modules.memberships.add(demo, {
      groupId: person.groupId,
      userId: colleague.id,
      userType: 'EMPLOYEE',
    });
    const [token, other] = [await employee(here, person.email), await employee(here, colleague.email)];
    await expectEnds([token.accessToken], [other.accessToken], () =>
      here.app.modules.memberships.remove(demo, { groupId: person.groupId, userId: person.id, userType: 'EMPLOYEE' }),
    );
    const next = only<EmployeeToken>(await tryRefreshEmployee(there, token.refreshToken));
    expect(next.scopes).toEqual([]);
    expect([await isGood(here, next.accessToken), await isGood(there, next.accessToken)]).toEqual([true, true]);
  });

  it('a disabled customer has no good token; enabled again, the old ones stay refused', async () => {
    const customer = await givenCustomer(here, { acme: 'BUYER' });
    const [one, two] = [
      await signIn(here, customer.email),
      await signIn(here, customer.email, { legalEntityId: 'acme' }),
    ];
    const other = await signIn(here);
    await expectEnds([one.accessToken, two.accessToken], [other.accessToken], () =>
      here.app.modules.customers.update(demo, customer.id, { enabled: false }),
    );
    for (const { refreshToken } of [one, two]) {
      expect((await tryRefresh(there, refreshToken)).code).toBe('INVALID_GRANT');
    }
    await here.app.modules.customers.update(demo, customer.id, { enabled: true });
    expect(await isGood(here, one.accessToken)).toBe(false);
    expect((await tryRefresh(here, one.refreshToken)).code).toBe('INVALID_GRANT');
    expect(await isGood(here, (await signIn(here, customer.email)).accessToken)).toBe(true);
  });

  it('other changes of a customer, as of the name, end nothing', async () => {
    const customer = await givenCustomer(here);
    const { accessToken } = await signIn(here, customer.email);
    await here.app.modules.customers.update(demo, customer.id, { firstName: 'Renamed' });
    expect(await isGood(here, accessToken)).toBe(true);
  });

  it('a disabled employee has no good token, nor one on behalf of a customer, who goes on', async () => {
    const person = await givenEmployee(here, ['customer.assisted_buying_manage']);
    const token = await employee(here, person.email);
    const own = await signIn(here, 'shopper@demo.example');
    const assisted = only<CustomerToken>(await tryAssist(here, token.accessToken, { customerId: own.customer.id }));
    const colleague = await employee(here, 'support@demo.example');
    await expectEnds([token.accessToken, assisted.accessToken], [own.accessToken, colleague.accessToken], () =>
      here.app.modules.employees.update(demo, person.id, { enabled: false }),
    );
    expect((await tryRefreshEmployee(there, token.refreshToken)).code).toBe('INVALID_GRANT');
    await here.app.modules.employees.update(demo, person.id, { enabled: true });
    expect(await isGood(here, token.accessToken)).toBe(false);
    expect(await isGood(here, (await employee(here, person.email)).accessToken)).toBe(true);
  });

  it('a disabled client gets no token, and those it has are refused', async () => {
    const [client, other] = [
      await givenClient(here, ['price.price_read']),
      await givenClient(here, ['price.price_read']),
    ];
    const [token, another] = [await serviceTokenOf(client), await serviceTokenOf(other)];
    await expectEnds([token], [another], () => here.app.modules.clients.update(demo, client.id, { enabled: false }));
    expect((await tryServiceToken(here, client.id, client.clientSecret)).code).toBe('INVALID_CLIENT');
    expect((await tryServiceToken(there, client.id, client.clientSecret)).code).toBe('INVALID_CLIENT');
  });

  it('a disabled storefront takes its guests and customers along', async () => {
    const { id } = await givenClient(here, [], 'STOREFRONT');
    const [visitor, begun] = [await guest(here, { clientId: id }), await guest(here, { clientId: id })];
    const login = { email: 'shopper@demo.example', anonymousToken: begun.accessToken };
    const customer = only<CustomerToken>(await tryLogin(here, login));
    const elsewhere = await signIn(here, 'shopper@demo.example');
    await expectEnds([visitor.accessToken, customer.accessToken], [elsewhere.accessToken], () =>
      here.app.modules.clients.update(demo, id, { enabled: false }),
    );
    expect((await tryRefresh(there, customer.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefreshGuest(there, visitor.refreshToken)).code).toBe('INVALID_GRANT');
  });

  it('a client whose scopes change has to ask again; a new name changes nothing', async () => {
    const client = await givenClient(here, ['price.price_read', 'product.product_read']);
    const token = await serviceTokenOf(client);
    await here.app.modules.clients.update(demo, client.id, { name: 'Renamed' });
    expect(await isGood(here, token)).toBe(true);
    const { accessToken } = await employee(here);
    const admin = { ...demo, principal: await here.app.modules.verifier.principal(accessToken) };
    await expectEnds([token], [accessToken], () =>
      here.app.modules.clients.update(admin, client.id, { scopes: ['price.price_read'] }),
    );
    for (const at of [here, there]) {
      const next = only(await tryServiceToken(at, client.id, client.clientSecret));
      expect(next.scopes).toEqual(['price.price_read']);
      expect([await isGood(here, next.accessToken), await isGood(there, next.accessToken)]).toEqual([true, true]);
    }
  });

  it('a suspended tenant gives no token, and every one that it gave is refused; others go on', async () => {
    const tenant = await givenTenant(here);
    const begin = () => guest(here, { tenant: tenant.id, clientId: tenant.storefront });
    const [visitor, begun] = [await begin(), await begin()];
    const { email } = tenant.customer;
    const customer = only<CustomerToken>(await tryLogin(here, { email, anonymousToken: begun.accessToken }));
    const person = only<EmployeeToken>(await tryEmployeeLogin(here, tenant.employee.email, PASSWORD, tenant.id));
    const client = await serviceTokenOf(tenant.backend);
    const tokens = [visitor, customer, person].map(({ accessToken }) => accessToken);
    // The other instance has to have heard of the tenant before it can take its tokens.
    await expect.poll(() => isGood(there, client), { timeout: 5_000 }).toBe(true);
    const other = await signIn(here);
    await expectEnds([...tokens, client], [other.accessToken], () => here.app.modules.tenants.suspend(tenant.id));
    for (const at of [here, there]) {
      expect((await tryRefresh(at, customer.refreshToken)).code).toBe('INVALID_GRANT');
      expect((await tryRefreshEmployee(at, person.refreshToken)).code).toBe('INVALID_GRANT');
      expect((await tryRefreshGuest(at, visitor.refreshToken)).code).toBe('INVALID_GRANT');
      expect((await tryEmployeeLogin(at, tenant.employee.email, PASSWORD, tenant.id)).code).toBe('INVALID_GRANT');
      expect((await tryServiceToken(at, tenant.backend.id, tenant.backend.clientSecret)).code).toBe('INVALID_CLIENT');
    }
  });

  it('a spent refresh token seen again ends the session on both', async () => {
    const [one, other] = [await signIn(here), await signIn(here)];
    const next = await refresh(here, one.refreshToken);
    await here.app.modules.database.system()
      .$executeRaw`UPDATE refresh_tokens SET spent_at = spent_at - interval '1 hour' WHERE session_id = ${one.sessionId}`;
    await expectEnds([one.accessToken, next.accessToken], [other.accessToken], () =>
      tryRefresh(here, one.refreshToken),
    );
    expect((await tryRefresh(there, next.refreshToken)).code).toBe('INVALID_GRANT');
  });

  it('a revoked access token ends alone', async () => {
    const { accessToken, refreshToken } = await signIn(here);
    const next = await refresh(here, refreshToken);
    await expectEnds([accessToken], [next.accessToken], () =>
      ask(`revokeToken(input: { token: "${accessToken}" }) { revoked }`, next.accessToken),
    );
  });

  it('is known to this instance before the answer', async () => {
    const { modules } = here.app;
    const [customer, person] = [await givenCustomer(here, { acme: 'BUYER' }), await givenEmployee(here)];
    const client = await givenClient(here, ['price.price_read']);
    const forAcme = await signIn(here, customer.email, { legalEntityId: 'acme' });
    const session = await signIn(here, customer.email);
    await expectFeltBeforeTheAnswer(session.accessToken, () => modules.sessions.logout(demo, session.sessionId));
    await expectFeltBeforeTheAnswer(forAcme.accessToken, () =>
      modules.contactAssignments.unassign(demo, { customerId: customer.id, legalEntityId: 'acme' }),
    );
    const last = await signIn(here, customer.email);
    await expectFeltBeforeTheAnswer(last.accessToken, () =>
      modules.customers.update(demo, customer.id, { enabled: false }),
    );
    const inGroup = await employee(here, person.email);
    await expectFeltBeforeTheAnswer(inGroup.accessToken, () =>
      modules.memberships.remove(demo, { groupId: person.groupId, userId: person.id, userType: 'EMPLOYEE' }),
    );
    const enabled = await employee(here, person.email);
    await expectFeltBeforeTheAnswer(enabled.accessToken, () =>
      modules.employees.update(demo, person.id, { enabled: false }),
    );
    await expectFeltBeforeTheAnswer(await serviceTokenOf(client), () =>
      modules.clients.update(demo, client.id, { enabled: false }),
    );
    const tenant = await givenTenant(here);
    await expectFeltBeforeTheAnswer(await serviceTokenOf(tenant.backend), () => modules.tenants.suspend(tenant.id));
  });

  it('a token refreshed on the other instance right after a change is not refused for that change', async () => {
    const person = await givenEmployee(here, ['order.order_read']);
    for (let round = 0; round < 5; round += 1) {
      const { refreshToken } = await employee(here, person.email);
      await here.app.modules.memberships.remove(demo, {
        groupId: person.groupId,
        userId: person.id,
        userType: 'EMPLOYEE',
      });
      const next = only<EmployeeToken>(await tryRefreshEmployee(there, refreshToken));
      expect(next.scopes).toEqual([]);
      expect([await isGood(here, next.accessToken), await isGood(there, next.accessToken)]).toEqual([true, true]);
      await here.app.modules.memberships.add(demo, {
        groupId: person.groupId,
        userId: person.id,
        userType: 'EMPLOYEE',
      });
    }
  });

  it('each entry has the next number, and a token’s rev is the last one before it', async () => {
    const { revocations } = here.app.modules;
    const { accessToken } = await signIn(here);
    const before = await revocations.latest();
    expect(claimsOf(accessToken).rev).toBeLessThanOrEqual(before);
    await ask('logout { sessionsEnded }', accessToken);
    expect(await revocations.latest()).toBe(before + 1);
    const { accessToken: next } = await employee(here, 'catalog@demo.example');
    expect(claimsOf(next).rev).toBe(before + 1);
  });

  it('a change that is rolled back revokes nothing', async () => {
    const { accessToken, sessionId } = await signIn(here);
    const { database, sessions } = here.app.modules;
    const failed = database.transaction(demo, async (tx) => {
      await sessions.end(tx, demo, sessionId, 'a test');
      throw new Error(`rolled back ${randomUUID()}`);
    });
    await expect(failed).rejects.toThrow('rolled back');
    await here.app.modules.revocations.felt();
    expect(await isGood(here, accessToken)).toBe(true);
  });
});
