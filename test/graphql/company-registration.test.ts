// Mutation.registerCustomer with a company: account and company at once, and nobody acts for it before an employee says so.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { newEmail, tryConfirm, tryRegister } from '../kit/letters.ts';
import { type Mailbox, openMailbox, tokenIn } from '../kit/mailbox.ts';
import { type Service, startService } from '../kit/service.ts';
import { type CustomerToken, guest, tryLogin, tryRefresh } from '../kit/stories.ts';

const PASSWORD = 'a password of this test';
let mailbox: Mailbox;
let at: Service;
beforeAll(async () => {
  mailbox = await openMailbox();
  at = await startService(mailbox.env);
});
afterAll(async () => {
  await at?.stop();
  await mailbox?.close();
});

const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const person = () => ({ email: newEmail(), password: PASSWORD, firstName: 'Carla', lastName: 'Chief' });
const companyOf = (customerId: string, tenantId?: string) =>
  db(tenantId).legalEntity.findFirst({
    where: { contactAssignments: { some: { customerId } } },
    include: { customerGroups: { include: { customers: true } }, contactAssignments: true },
  });

it('success: a disabled company with its four groups, and the customer as primary contact and Admin of it', async () => {
  const visitor = await guest(at);
  const account = person();
  const { id } = only(await tryRegister(at, visitor.accessToken, { ...account, company: { name: ' Carla & Co ' } }));
  const company = await companyOf(id);
  expect(company).toMatchObject({ name: 'Carla & Co', type: 'COMPANY', enabled: false, parentId: null });
  expect(company!.contactAssignments).toMatchObject([{ customerId: id, type: 'PRIMARY', primary: true }]);
  const groups = company!.customerGroups.map(({ role, customers }) => [
    role,
    customers.map(({ customerId }) => customerId),
  ]);
  expect(groups.sort()).toEqual([
    ['ADMIN', [id]],
    ['BUYER', []],
    ['CONTACT', [id]],
    ['REQUESTER', []],
  ]);
});

it('nobody acts for it, and it gives nothing, until an employee has enabled it', async () => {
  const visitor = await guest(at);
  const account = person();
  const { id } = only(await tryRegister(at, visitor.accessToken, { ...account, company: { name: 'Carla & Co' } }));
  const company = (await companyOf(id))!;
  const login = { email: account.email, password: PASSWORD };
  const early = { ...login, anonymousToken: visitor.accessToken, legalEntityId: company.id };
  expect((await tryLogin(at, early)).code).toBe('ACCESS_DENIED');
  const token = only<CustomerToken>(await tryLogin(at, { ...login, anonymousToken: visitor.accessToken }));
  expect(token).toMatchObject({ sessionId: visitor.sessionId, legalEntity: null });
  expect(token.scopes).not.toContain('customer.customer_manage_own');
  expect((await tryRefresh(at, token.refreshToken, { legalEntityId: company.id })).code).toBe('ACCESS_DENIED');

  await db().legalEntity.updateMany({ where: { id: company.id }, data: { enabled: true } });
  const acting = only<CustomerToken>(await tryRefresh(at, token.refreshToken, { legalEntityId: company.id }));
  expect(acting.legalEntity).toMatchObject({ id: company.id });
  expect(acting.scopes).toContain('customer.customer_manage_own');
});

it('with double opt-in: account and company wait, and one confirmation is not the other', async () => {
  const shop = await givenTenant(at, { doubleOptIn: true });
  const visitor = await guest(at, { tenant: shop.id, clientId: shop.storefront });
  const account = person();
  const { id } = only(await tryRegister(at, visitor.accessToken, { ...account, company: { name: 'Carla & Co' } }));
  const [mail] = await mailbox.to(account.email, at);
  expect(mail!.text).not.toContain('Carla');
  only(await tryConfirm(at, tokenIn(mail!)));
  expect(await companyOf(id, shop.id)).toMatchObject({ enabled: false });
  const login = { email: account.email, password: PASSWORD, anonymousToken: visitor.accessToken };
  expect(only(await tryLogin(at, login))).toMatchObject({ sessionId: visitor.sessionId });
});

describe('invalid', () => {
  it.each([
    [{ firstName: undefined }, 'input.firstName'],
    [{ lastName: ' ' }, 'input.lastName'],
    [{ company: { name: ' ' } }, 'input.company.name'],
    [{ company: { name: 'x'.repeat(101) } }, 'input.company.name'],
    [{ password: 'short' }, 'input.password'],
  ])('BAD_USER_INPUT for %j: nothing is made', async (change, field) => {
    const before = await db().legalEntity.count();
    const input = { ...person(), company: { name: 'Carla & Co' }, ...change };
    const { errors } = await tryRegister(at, (await guest(at)).accessToken, input);
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(await at.app.modules.customers.findByEmail({ tenantId: 'demo' }, input.email)).toBeNull();
    expect(await db().legalEntity.count()).toBe(before);
  });

  it('CONFLICT EMAIL_TAKEN without double opt-in, and no company is left over', async () => {
    const before = await db().legalEntity.count();
    const input = { ...person(), email: 'shopper@demo.example', company: { name: 'Carla & Co' } };
    const { errors } = await tryRegister(at, (await guest(at)).accessToken, input);
    expect(errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'EMAIL_TAKEN' });
    expect(await db().legalEntity.count()).toBe(before);
  });

  it('with double opt-in a known address is answered alike, and no company is left over', async () => {
    const shop = await givenTenant(at, { doubleOptIn: true });
    const before = await db(shop.id).legalEntity.count();
    const bearer = async () => (await guest(at, { tenant: shop.id, clientId: shop.storefront })).accessToken;
    const company = { name: 'Carla & Co' };
    const known = only(await tryRegister(at, await bearer(), { ...person(), email: shop.customer.email, company }));
    expect(known).toMatchObject({ email: shop.customer.email, confirmed: false, version: 1 });
    expect(known.id).not.toBe(shop.customer.id);
    expect(await db(shop.id).legalEntity.count()).toBe(before);
    expect(await db(shop.id).customer.count({ where: { id: known.id } })).toBe(0);
  });
});
