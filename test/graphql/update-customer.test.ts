// Mutation.updateCustomer: administrators, the Admins of companies for people of theirs alone, and customers themselves.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenCustomerGroup, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import {
  employee,
  guest,
  isGood,
  PASSWORD,
  serviceToken,
  signIn,
  tryAssist,
  tryLogin,
  tryRefresh,
} from '../kit/stories.ts';

let at: Service;
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
});

const update = (bearer: string | undefined, input: object) =>
  graphql(
    at,
    'mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { id firstName lastName enabled version } }',
    { bearer, variables: { input } },
  );
const refusal = (answer: Awaited<ReturnType<typeof update>>) => answer.errors[0]?.extensions;
const login = async (email: string) =>
  tryLogin(at, { email, password: PASSWORD, anonymousToken: (await guest(at)).accessToken });
const account = (id: string) => at.app.modules.customers.get({ tenantId: 'demo' }, id);
const needsManage = { code: 'FORBIDDEN', missingScopes: ['customer.customer_manage'] };
const withScopes = async (...scopes: string[]) =>
  (await employee(at, (await givenEmployee(at, scopes)).email)).accessToken;

/** A company with an Admin who has signed in for it. */
async function givenBoss() {
  const company = await givenCompany(at);
  const boss = await givenCustomer(at, { [company.id]: 'ADMIN' });
  const { accessToken } = await signIn(at, boss.email, { legalEntityId: company.id });
  return { company, boss, bearer: accessToken };
}

describe('an administrator', () => {
  it('success: changes names; what is absent stays, null removes', async () => {
    const { id } = await givenCustomer(at);
    expect(only(await update(admin, { id, firstName: 'Ann', lastName: 'Bee' }))).toEqual({
      id,
      firstName: 'Ann',
      lastName: 'Bee',
      enabled: true,
      version: 2,
    });
    expect(only(await update(admin, { id, lastName: null }))).toMatchObject({ firstName: 'Ann', lastName: null });
    expect(only(await update(admin, { id, enabled: null }))).toMatchObject({ firstName: 'Ann', enabled: true });
  });

  it('success: disabling ends every session at once and shuts the door; enabling opens it and revives nothing', async () => {
    const { id, email } = await givenCustomer(at);
    const { accessToken, refreshToken } = await signIn(at, email);
    const bearer = await withScopes('customer.customer_manage');
    expect(only(await update(bearer, { id, enabled: false }))).toMatchObject({ enabled: false });
    expect(await isGood(at, accessToken)).toBe(false);
    expect((await tryRefresh(at, refreshToken)).code).toBe('INVALID_GRANT');
    expect((await login(email)).code).toBe('INVALID_GRANT');
    only(await update(bearer, { id, enabled: true }));
    expect(await isGood(at, accessToken)).toBe(false);
    expect((await login(email)).errors).toEqual([]);
  });

  it('success: the trail says what changed, and knows no name', async () => {
    const { id } = await givenCustomer(at);
    only(await update(admin, { id, firstName: 'Zebulon', enabled: false }));
    const [event] = await at.app.modules.database
      .forTenant({ tenantId: 'demo' })
      .auditEvent.findMany({ where: { subjectId: id, type: 'customer.updated' } });
    expect(event).toMatchObject({ details: { changed: ['firstName', 'enabled'], after: { enabled: false } } });
    expect(JSON.stringify(event)).not.toContain('Zebulon');
  });

  it('invalid: BAD_USER_INPUT for a name without end', async () => {
    const { id } = await givenCustomer(at);
    expect(refusal(await update(admin, { id, firstName: 'x'.repeat(101) }))).toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.firstName',
    });
  });

  it('conflict: STALE_VERSION for another version than the present one; of ten who saw the same, one changes it', async () => {
    const { id } = await givenCustomer(at);
    only(await update(admin, { id, firstName: 'Ann', version: 1 }));
    expect(refusal(await update(admin, { id, firstName: 'Bob', version: 1 }))).toMatchObject({
      code: 'CONFLICT',
      reason: 'STALE_VERSION',
    });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => update(admin, { id, firstName: `N${i}`, version: 2 })),
    );
    expect(answers.filter(({ errors }) => errors.length === 0).length).toBe(1);
    expect((await account(id)).version).toBe(3);
  });

  it('unauthenticated, forbidden, missing', async () => {
    const { id } = await givenCustomer(at);
    expect((await update(undefined, { id, firstName: 'X' })).code).toBe('UNAUTHENTICATED');
    for (const bearer of [(await guest(at)).accessToken, await withScopes('customer.customer_read')])
      expect((await update(bearer, { id, firstName: 'X' })).code).toBe('FORBIDDEN');
    expect((await update(admin, { id: 'no-such-customer', firstName: 'X' })).code).toBe('NOT_FOUND');
    expect((await account(id)).version).toBe(1);
  });

  it('other tenant: NOT_FOUND, and nothing changes', async () => {
    const { id } = await givenCustomer(at);
    const rival = (await serviceToken(at, 'rival-backend')).accessToken;
    expect((await update(rival, { id, firstName: 'X' })).code).toBe('NOT_FOUND');
    expect((await account(id)).version).toBe(1);
  });

  it('forbidden: nobody lets in again whoever has more by groups than they hold; with it, they do', async () => {
    const { id } = await givenCustomer(at);
    await givenCustomerGroup(at, ['order.order_read_le'], id);
    only(await update(admin, { id, enabled: false }));
    const refused = await update(await withScopes('customer.customer_manage'), { id, enabled: true });
    expect(refusal(refused)).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['order.order_read_le'] });
    expect((await account(id)).enabled).toBe(false);
    only(await update(await withScopes('customer.customer_manage', 'order.order_read_le'), { id, enabled: true }));
  });
});

describe('a company’s Admin', () => {
  it('success: renames, disables and enables people of the own company alone', async () => {
    const { company, bearer } = await givenBoss();
    const { id, email } = await givenCustomer(at, { [company.id]: 'BUYER' });
    const session = await signIn(at, email, { legalEntityId: company.id });
    expect(only(await update(bearer, { id, firstName: 'Ann' }))).toMatchObject({ firstName: 'Ann' });
    only(await update(bearer, { id, enabled: false }));
    expect(await isGood(at, session.accessToken)).toBe(false);
    only(await update(bearer, { id, enabled: true }));
    expect((await login(email)).errors).toEqual([]);
  });

  it('not found: people of other companies and of none, who are strangers', async () => {
    const { bearer } = await givenBoss();
    const other = await givenCompany(at);
    for (const { id } of [await givenCustomer(at, { [other.id]: 'BUYER' }), await givenCustomer(at)]) {
      for (const change of [{ firstName: 'X' }, { enabled: false }])
        expect((await update(bearer, { id, ...change })).code).toBe('NOT_FOUND');
      expect((await account(id)).version).toBe(1);
    }
  });

  it('forbidden: somebody who belongs to another company too is neither shut out of it nor renamed there', async () => {
    const { company, bearer } = await givenBoss();
    const other = await givenCompany(at);
    const { id, email } = await givenCustomer(at, { [company.id]: 'BUYER', [other.id]: null });
    const session = await signIn(at, email, { legalEntityId: other.id });
    for (const change of [{ firstName: 'X' }, { enabled: false }, { enabled: true }])
      expect(refusal(await update(bearer, { id, ...change }))).toMatchObject(needsManage);
    expect(await isGood(at, session.accessToken)).toBe(true);
    expect((await account(id)).version).toBe(1);
    only(await update(admin, { id, enabled: false }));
  });

  it('success: what follows from the assignment to the own company is no other company', async () => {
    const { company, bearer } = await givenBoss();
    const parent = await givenCompany(at);
    const { id } = await givenCustomer(at, { [company.id]: 'BUYER' });
    const db = at.app.modules.database.forTenant({ tenantId: 'demo' });
    const cause = await db.contactAssignment.findFirstOrThrow({ where: { customerId: id } });
    await db.contactAssignment.create({
      data: { tenantId: 'demo', customerId: id, legalEntityId: parent.id, causeId: cause.id },
    });
    only(await update(bearer, { id, firstName: 'Ann' }));
    // The parent's Admin sees a contact whose own company is another.
    const above = await givenCustomer(at, { [parent.id]: 'ADMIN' });
    const { accessToken } = await signIn(at, above.email, { legalEntityId: parent.id });
    expect(refusal(await update(accessToken, { id, enabled: false }))).toMatchObject(needsManage);
  });

  it('forbidden: whom the merchant has disabled, in whatever order, no company enables', async () => {
    const { company, bearer } = await givenBoss();
    const { id } = await givenCustomer(at, { [company.id]: 'BUYER' });
    only(await update(admin, { id, enabled: false }));
    only(await update(bearer, { id, enabled: false }));
    expect(refusal(await update(bearer, { id, enabled: true }))).toMatchObject(needsManage);
    only(await update(admin, { id, enabled: true }));
    only(await update(bearer, { id, enabled: false }));
    only(await update(admin, { id, enabled: false }));
    expect(refusal(await update(bearer, { id, enabled: true }))).toMatchObject(needsManage);
    only(await update(admin, { id, enabled: true }));
    only(await update(bearer, { id, enabled: false }));
    only(await update(bearer, { id, enabled: true }));
    expect(await account(id)).toMatchObject({ enabled: true, disabledFor: null });
  });

  it('forbidden: nobody is let in again with more than the Admin holds', async () => {
    const { company, bearer } = await givenBoss();
    const { id } = await givenCustomer(at, { [company.id]: 'BUYER' });
    await givenCustomerGroup(at, ['order.order_manage'], id);
    only(await update(bearer, { id, enabled: false }));
    expect(refusal(await update(bearer, { id, enabled: true }))).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['order.order_manage'],
    });
  });

  it('without a token for the company, or as its Buyer, everybody else is a stranger', async () => {
    const { company, boss } = await givenBoss();
    const { id } = await givenCustomer(at, { [company.id]: null });
    const buyer = await givenCustomer(at, { [company.id]: 'BUYER' });
    for (const { accessToken } of [
      await signIn(at, boss.email),
      await signIn(at, buyer.email, { legalEntityId: company.id }),
    ])
      expect((await update(accessToken, { id, firstName: 'X' })).code).toBe('NOT_FOUND');
  });
});

describe('customers themselves', () => {
  it('success: change their own names, and tokens stay good', async () => {
    const { id, email } = await givenCustomer(at);
    const { accessToken } = await signIn(at, email);
    expect(only(await update(accessToken, { id, firstName: 'Me', lastName: 'Myself' }))).toMatchObject({
      firstName: 'Me',
      lastName: 'Myself',
    });
    expect(refusal(await update(accessToken, { id, firstName: 'I', version: 1 }))).toMatchObject({
      reason: 'STALE_VERSION',
    });
    expect(await isGood(at, accessToken)).toBe(true);
  });

  it('forbidden: neither disable nor enable themselves, a company’s Admin included', async () => {
    const { boss, bearer } = await givenBoss();
    const { id, email } = await givenCustomer(at);
    const { accessToken } = await signIn(at, email);
    for (const enabled of [true, false]) {
      expect(refusal(await update(accessToken, { id, enabled }))).toMatchObject(needsManage);
      expect(refusal(await update(bearer, { id: boss.id, enabled }))).toMatchObject(needsManage);
    }
    only(await update(bearer, { id: boss.id, firstName: 'Boss' }));
  });

  it('not found: anybody else', async () => {
    const { id } = await givenCustomer(at);
    const { email } = await givenCustomer(at);
    expect((await update((await signIn(at, email)).accessToken, { id, firstName: 'X' })).code).toBe('NOT_FOUND');
  });

  it('forbidden: an employee who acts for a customer, or for a company’s Admin', async () => {
    const { company, boss } = await givenBoss();
    const { id } = await givenCustomer(at, { [company.id]: 'BUYER' });
    const assisted = only(await tryAssist(at, admin, { customerId: boss.id, legalEntityId: company.id })).accessToken;
    for (const whom of [boss.id, id])
      expect((await update(assisted, { id: whom, firstName: 'X' })).code).toBe('FORBIDDEN');
  });
});
