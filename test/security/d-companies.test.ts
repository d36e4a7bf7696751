// Acting for a company: who may, as whom, and until when. security.md section D up to case 45, and the tree of case 101.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { contactsOf, rolesOf, tryAssign, tryUnassign, tryUpdateLegalEntity } from '../kit/companies.ts';
import { givenCompany, givenCustomer, givenCustomerGroup, givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { companyGroup, givenControl, tokenWith } from '../kit/groups.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  type CustomerToken,
  claimsOf,
  employee,
  isGood,
  PASSWORD,
  refresh,
  serviceToken,
  signIn,
  tryB2B,
  tryLogin,
  tryRefresh,
} from '../kit/stories.ts';

let at: Service;
let admin: string;
let backend: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
  backend = (await serviceToken(at)).accessToken;
});

const demo = ctxOf('demo');

/** What an answer says, without what differs from request to request anyway. */
const plain = ({ status, body }: Answer) => [status, body.replaceAll(/"requestId":"[^"]+"/g, '')];

const refusals = (customerId: string) =>
  at.app.modules.database
    .forTenant(demo)
    .auditEvent.count({ where: { type: 'company.switch_refused', subjectId: customerId } });

const introspected = async (token: string) =>
  only<any>(
    await graphql(at, 'query ($token: String!) { introspectToken(token: $token) { active legalEntityId } }', {
      bearer: backend,
      variables: { token },
    }),
  );

describe('a company that is not the customer’s', () => {
  it('case 39: ACCESS_DENIED, no token, the refresh token still good, and told to the trail', async () => {
    const customer = await givenCustomer(at, { globex: 'BUYER' });
    const { refreshToken } = await signIn(at, customer.email);
    const answer = await tryRefresh(at, refreshToken, { legalEntityId: 'acme' });
    expect([answer.code, answer.data]).toEqual(['ACCESS_DENIED', null]);
    expect(await refusals(customer.id)).toBe(1);
    expect((await tryB2B(at, refreshToken, 'acme')).code).toBe('ACCESS_DENIED');
    expect((await refresh(at, refreshToken, { legalEntityId: 'globex' })).legalEntity?.id).toBe('globex');
  });

  it('case 40: unknown, of another tenant, deleted and disabled are refused in the same bytes, at login too', async () => {
    const [disabled, deleted] = [await givenCompany(at), await givenCompany(at)];
    const customer = await givenCustomer(at, { [disabled.id]: 'BUYER', [deleted.id]: 'BUYER' });
    await at.app.modules.legalEntities.update(demo, disabled.id, { enabled: false });
    await at.app.modules.legalEntities.delete(demo, deleted.id);
    const { refreshToken } = await signIn(at, customer.email);
    const ids = ['acme', 'umbrella', randomUUID(), deleted.id, disabled.id];
    const switched: Answer[] = [];
    for (const legalEntityId of ids) switched.push(await tryRefresh(at, refreshToken, { legalEntityId }));
    expect(switched[0]!.code).toBe('ACCESS_DENIED');
    expect(new Set(switched.map((answer) => JSON.stringify(plain(answer)))).size).toBe(1);
    const loggedIn: Answer[] = [];
    for (const legalEntityId of ids) {
      const { accessToken: anonymousToken } = only<any>(
        await graphql(
          at,
          'mutation { issueAnonymousToken(input: { tenant: "demo", clientId: "demo-storefront" }) { accessToken } }',
        ),
      );
      loggedIn.push(await tryLogin(at, { email: customer.email, password: PASSWORD, anonymousToken, legalEntityId }));
    }
    expect(loggedIn[0]!.code).toBe('ACCESS_DENIED');
    expect(new Set(loggedIn.map((answer) => JSON.stringify(plain(answer)))).size).toBe(1);
    expect((await tryRefresh(at, refreshToken)).errors).toEqual([]);
  });

  it('case 40: every one of them costs the same statements, so that time tells nothing either', async () => {
    const disabled = await givenCompany(at);
    const customer = await givenCustomer(at, { [disabled.id]: 'BUYER' });
    await at.app.modules.legalEntities.update(demo, disabled.id, { enabled: false });
    const { refreshToken } = await signIn(at, customer.email);
    const costs: string[][] = [];
    for (const legalEntityId of ['acme', 'umbrella', randomUUID(), disabled.id, '*']) {
      at.statements.length = 0;
      await tryRefresh(at, refreshToken, { legalEntityId });
      costs.push(at.statements.filter((sql) => !/counters|client_scope_usage|^SELECT 1$/.test(sql)));
    }
    for (const cost of costs) expect(cost).toEqual(costs[0]);
  });

  it.each([
    '*',
    "acme' OR '1'='1",
    'a'.repeat(10_240),
    'ac\u200Bme',
    'acme\u0000',
    'acme\r\nlegalEntityId: globex',
    'ACME',
    ' acme ',
    '',
  ])('case 41: %j is ACCESS_DENIED as any other', async (legalEntityId) => {
    const { refreshToken } = await signIn(at);
    const expected = plain(await tryRefresh(at, refreshToken, { legalEntityId: 'initech' }));
    const answer = await tryRefresh(at, refreshToken, { legalEntityId });
    // A text that no database can hold is refused before anything is asked.
    if (legalEntityId.includes('\u0000')) expect([answer.code, answer.data]).toEqual(['BAD_USER_INPUT', undefined]);
    else expect(plain(answer)).toEqual(expected);
  });

  it.each([[['acme']], [{ id: 'acme' }], [true]])(
    'case 41: %j is no id, and refused before anything runs',
    async (id) => {
      const { refreshToken } = await signIn(at);
      at.statements.length = 0;
      const answer = await tryRefresh(at, refreshToken, { legalEntityId: id });
      expect([answer.code, answer.data]).toEqual(['BAD_USER_INPUT', undefined]);
      expect(at.statements.filter((sql) => sql.includes('refresh_tokens'))).toEqual([]);
    },
  );
});

describe('what ends a token for a company', () => {
  it('case 42: the assignment removed: refused, inactive, and no refresh, from then on', async () => {
    const company = await givenCompany(at);
    const customer = await givenCustomer(at, { [company.id]: 'BUYER' });
    const acting = await signIn(at, customer.email, { legalEntityId: company.id });
    expect(await introspected(acting.saasToken)).toMatchObject({ active: true, legalEntityId: company.id });
    const { id } = only<any>(await tryAssign(at, admin, { customerId: customer.id, legalEntityId: company.id }));
    await tryUnassign(at, admin, id);
    expect(await isGood(at, acting.accessToken)).toBe(false);
    for (const token of [acting.accessToken, acting.saasToken])
      expect(await introspected(token)).toEqual({ active: false, legalEntityId: null });
    expect((await tryRefresh(at, acting.refreshToken)).code).toBe('ACCESS_DENIED');
  });

  it('case 43: the company disabled; assigned again: no old token comes back, and a refresh gives a new one', async () => {
    const company = await givenCompany(at);
    const customer = await givenCustomer(at, { [company.id]: 'ADMIN' });
    const colleague = await givenCustomer(at, { [company.id]: 'BUYER' });
    const input = { customerId: customer.id, legalEntityId: company.id };
    const [mine, theirs] = [
      await signIn(at, customer.email, { legalEntityId: company.id }),
      await signIn(at, colleague.email, { legalEntityId: company.id }),
    ];
    await tryUnassign(at, admin, only<any>(await tryAssign(at, admin, input)).id);
    await tryAssign(at, admin, input);
    expect([await isGood(at, mine.accessToken), await isGood(at, theirs.accessToken)]).toEqual([false, true]);
    const again = await refresh(at, mine.refreshToken);
    // A Contact now, and no longer an Admin.
    expect(again.scopes).not.toContain('iam.assignment_create_own');
    await tryUpdateLegalEntity(at, admin, { id: company.id, enabled: false });
    await tryUpdateLegalEntity(at, admin, { id: company.id, enabled: true });
    for (const { accessToken } of [again, theirs]) expect(await isGood(at, accessToken)).toBe(false);
    for (const { refreshToken } of [again, theirs])
      expect(await isGood(at, (await refresh(at, refreshToken)).accessToken)).toBe(true);
  });

  it('case 43: a group of the company comes to give more: the old token is refused, the next has it', async () => {
    const company = await givenCompany(at);
    const customer = await givenCustomer(at, { [company.id]: 'BUYER' });
    const group = await at.app.modules.groups.create(demo, {
      name: 'Sharers',
      userType: 'CUSTOMER',
      legalEntityId: company.id,
    });
    await at.app.modules.memberships.add(demo, { groupId: group.id, userId: customer.id, userType: 'CUSTOMER' });
    const acting = await signIn(at, customer.email, { legalEntityId: company.id });
    const control = await givenControl(at, { scopes: ['order.order_read_le'] });
    await at.app.modules.groups.update(demo, group.id, { accessControlIds: [control.id] });
    expect(await isGood(at, acting.accessToken)).toBe(false);
    expect((await refresh(at, acting.refreshToken)).scopes).toContain('order.order_read_le');
  });
});

describe('companies above and below each other', () => {
  it('case 44: upwards, an Admin of a subsidiary is a Contact of the company above and no more, and not the other way', async () => {
    const top = await givenCompany(at);
    const branch = await at.app.modules.legalEntities.create(demo, { name: 'Branch', parentId: top.id });
    const ofBranch = await givenCustomer(at, { [branch.id]: 'ADMIN' });
    const ofTop = await givenCustomer(at, { [top.id]: 'ADMIN' });
    const first = await signIn(at, ofBranch.email, { legalEntityId: branch.id });
    expect(first.scopes).toContain('iam.assignment_create_own');
    const above = await refresh(at, first.refreshToken, { legalEntityId: top.id });
    expect(above.scopes).toEqual((await signIn(at, ofBranch.email)).scopes);
    expect((await refresh(at, above.refreshToken, { legalEntityId: branch.id })).scopes).toEqual(first.scopes);
    const { refreshToken } = await signIn(at, ofTop.email);
    expect((await tryRefresh(at, refreshToken, { legalEntityId: branch.id })).code).toBe('ACCESS_DENIED');
  });

  it.each([
    ['DOWNWARD', undefined],
    ['DISABLED', 'ACCESS_DENIED'],
  ])('case 44: with %s, an Admin above who goes below gets %s', async (contactPropagation, code) => {
    const tenant = await givenTenant(at, { contactPropagation });
    const ctx = ctxOf(tenant.id);
    await at.app.modules.legalEntities.create(ctx, { id: 'branch', name: 'Branch', parentId: 'company' });
    const { contactAssignments } = at.app.modules;
    await contactAssignments.unassign(ctx, { customerId: tenant.customer.id, legalEntityId: 'company' });
    await contactAssignments.assign(ctx, tenant.customer.id, 'company');
    await at.app.modules.memberships.joinCompany(ctx, 'company', 'ADMIN', tenant.customer.id);
    const guest = only<any>(
      await graphql(
        at,
        'mutation ($input: IssueAnonymousTokenInput!) { issueAnonymousToken(input: $input) { accessToken } }',
        { variables: { input: { tenant: tenant.id, clientId: tenant.storefront } } },
      ),
    );
    const { refreshToken } = only<CustomerToken>(
      await tryLogin(at, { email: tenant.customer.email, anonymousToken: guest.accessToken, legalEntityId: 'company' }),
    );
    const answer = await tryRefresh(at, refreshToken, { legalEntityId: 'branch' });
    expect(answer.code).toBe(code);
    if (code === undefined) expect(only<CustomerToken>(answer).scopes).not.toContain('iam.assignment_create_own');
  });

  it('case 44: an inherited contact goes when its cause goes, with whatever was given there', async () => {
    const top = await givenCompany(at);
    const branch = await at.app.modules.legalEntities.create(demo, { name: 'Branch', parentId: top.id });
    const customer = await givenCustomer(at, { [branch.id]: 'BUYER' });
    await at.app.modules.memberships.joinCompany(demo, top.id, 'ADMIN', customer.id);
    const above = await signIn(at, customer.email, { legalEntityId: top.id });
    await at.app.modules.contactAssignments.unassign(demo, { customerId: customer.id, legalEntityId: branch.id });
    expect(await isGood(at, above.accessToken)).toBe(false);
    expect((await tryRefresh(at, above.refreshToken)).code).toBe('ACCESS_DENIED');
    expect([await contactsOf(at, customer.id), await rolesOf(at, customer.id)]).toEqual([{}, []]);
  });

  it('case 44: a cycle is BAD_USER_INPUT, and one planted by SQL ends the walk', async () => {
    const one = await givenCompany(at);
    const two = await at.app.modules.legalEntities.create(demo, { name: 'Two', parentId: one.id });
    expect((await tryUpdateLegalEntity(at, admin, { id: one.id, parentId: two.id })).code).toBe('BAD_USER_INPUT');
    await at.app.modules.database.system()
      .$executeRaw`UPDATE legal_entities SET parent_id = ${two.id} WHERE tenant_id = 'demo' AND id = ${one.id}`;
    const customer = await givenCustomer(at, { [one.id]: null });
    expect(await contactsOf(at, customer.id)).toEqual({ [one.id]: 'own', [two.id]: 'inherited' });
    expect((await tryUpdateLegalEntity(at, admin, { id: one.id, parentId: null })).errors).toEqual([]);
  });

  it('case 101: a tree of depth 50 is walked in one statement, and a cycle at its end refused', async () => {
    const { legalEntities } = at.app.modules;
    const ids = [(await givenCompany(at)).id];
    for (let depth = 1; depth < 50; depth += 1)
      ids.push((await legalEntities.create(demo, { name: `D${depth}`, parentId: ids.at(-1) })).id);
    at.statements.length = 0;
    const customer = await givenCustomer(at, { [ids[49]!]: 'BUYER' });
    expect(at.statements.filter((sql) => sql.includes('RECURSIVE'))).toHaveLength(1);
    expect(Object.keys(await contactsOf(at, customer.id))).toHaveLength(50);
    const answer = await tryUpdateLegalEntity(at, admin, { id: ids[0], parentId: ids[49] });
    expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', 'input.parentId']);
    expect((await signIn(at, customer.email, { legalEntityId: ids[0] })).legalEntity?.id).toBe(ids[0]);
  });
});

it('case 45: in each company exactly the customer’s set, the groups without a company and those of that company', async () => {
  const [e1, e2] = [await givenCompany(at), await givenCompany(at)];
  const customer = await givenCustomer(at, { [e1.id]: 'ADMIN', [e2.id]: 'BUYER' });
  await givenCustomerGroup(at, ['price.price_read'], customer.id);
  const own = await at.app.modules.groups.create(demo, {
    name: 'Sharers of E2',
    userType: 'CUSTOMER',
    legalEntityId: e2.id,
    accessControlIds: [(await givenControl(at, { scopes: ['order.order_read_le'] })).id],
  });
  await at.app.modules.memberships.add(demo, { groupId: own.id, userId: customer.id, userType: 'CUSTOMER' });
  const set = at.app.modules.tenants.get(demo).settings.customerScopes;
  const scopesOf = async (groupId: string) =>
    (await at.app.modules.contents.scopesOfGroups(demo, [groupId]))[0] as string[];
  const adminScopes = await scopesOf(await companyGroup(at, e1.id, 'ADMIN'));
  const union = (...scopes: string[]) => [...new Set([...set, 'price.price_read', ...scopes])].sort();

  const inE1 = await signIn(at, customer.email, { legalEntityId: e1.id });
  const inE2 = await refresh(at, inE1.refreshToken, { legalEntityId: e2.id });
  const back = await refresh(at, inE2.refreshToken, { legalEntityId: e1.id });
  const alone = await refresh(at, back.refreshToken, { legalEntityId: null });
  expect(inE1.scopes).toEqual(union(...adminScopes));
  expect(inE2.scopes).toEqual(union('order.order_read_le'));
  expect(back.scopes).toEqual(inE1.scopes);
  expect(alone.scopes).toEqual(union());
  // The first token gained nothing by the switch, nor by the second company.
  expect(await isGood(at, inE1.accessToken)).toBe(true);
  expect(claimsOf(inE1.accessToken)).toMatchObject({ legalEntityId: e1.id, scope: inE1.scopes.join(' ') });
  const bearer = inE1.accessToken;
  const seen = await graphql(at, '{ customers { nodes { id } } }', { bearer });
  expect(only<any>(seen).nodes).toEqual([{ id: customer.id }]);
});

it('only whoever manages assignments assigns: a company’s Admin, its token or a reader cannot', async () => {
  const company = await givenCompany(at);
  const boss = await givenCustomer(at, { [company.id]: 'ADMIN' });
  const other = await givenCustomer(at);
  const { accessToken } = await signIn(at, boss.email, { legalEntityId: company.id });
  const reader = await tokenWith(
    at,
    'customermanagement.contactassignment_read',
    'customermanagement.legalentity_manage',
  );
  for (const bearer of [accessToken, reader])
    expect((await tryAssign(at, bearer, { customerId: other.id, legalEntityId: company.id })).code).toBe('FORBIDDEN');
});
