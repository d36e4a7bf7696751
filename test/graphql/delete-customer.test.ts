// Mutation.deleteCustomer: an account with all that is of it is gone, and every token of it is refused at once.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { givenCustomer, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { newEmail, tryRequestEmailChange, tryRequestReset, tryReset } from '../kit/letters.ts';
import { type Mailbox, openMailbox, tokenIn } from '../kit/mailbox.ts';
import { type Service, startService } from '../kit/service.ts';
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

let mailbox: Mailbox;
let at: Service;
let admin: string;
beforeAll(async () => {
  mailbox = await openMailbox();
  at = await startService(mailbox.env);
  admin = (await employee(at)).accessToken;
});
afterAll(async () => {
  await at?.stop();
  await mailbox?.close();
});

const remove = (bearer: string | undefined, id: string) =>
  graphql(at, 'mutation ($id: ID!) { deleteCustomer(id: $id) }', { bearer, variables: { id } });
const isThere = async (id: string) =>
  (await at.app.modules.database.forTenant({ tenantId: 'demo' }).customer.count({ where: { id } })) > 0;

it('success: account, sessions, memberships, assignments and letters are gone; tokens are refused at once', async () => {
  const { id, email } = await givenCustomer(at, { acme: 'BUYER' });
  const { accessToken, refreshToken, saasToken } = await signIn(at, email, { legalEntityId: 'acme' });
  const assisted = only(await tryAssist(at, admin, { customerId: id })).accessToken;
  only(await tryRequestReset(at, email));
  const link = tokenIn((await mailbox.to(email, at))[0]!);
  mailbox.manner.refuse = 451;
  only(await tryRequestEmailChange(at, accessToken, newEmail(), PASSWORD));
  only(await tryRequestReset(at, email));
  await at.app.modules.postman.deliver();
  mailbox.manner.refuse = 0;

  expect(only(await remove(admin, id))).toBe(id);
  for (const token of [accessToken, assisted]) expect(await isGood(at, token)).toBe(false);
  const introspected = await graphql(at, 'query ($t: String!) { introspectToken(token: $t) { active } }', {
    bearer: (await serviceToken(at)).accessToken,
    variables: { t: saasToken },
  });
  expect(only(introspected)).toEqual({ active: false });
  expect((await tryRefresh(at, refreshToken)).code).toBe('INVALID_GRANT');
  expect((await tryReset(at, link)).code).toBe('INVALID_GRANT');
  const { accessToken: anonymousToken } = await guest(at);
  expect((await tryLogin(at, { email, anonymousToken })).code).toBe('INVALID_GRANT');
  const db = at.app.modules.database.forTenant({ tenantId: 'demo' });
  const where = { customerId: id };
  expect([
    await db.customer.count({ where: { id } }),
    await db.session.count({ where }),
    await db.customerMembership.count({ where }),
    await db.contactAssignment.count({ where }),
    await db.letterToken.count({ where }),
    await db.letter.count({ where: { OR: [where, { address: email }] } }),
  ]).toEqual([0, 0, 0, 0, 0, 0]);
});

it('success: the trail tells that it is gone, and knows neither address nor name', async () => {
  const { id, email } = await givenCustomer(at);
  const rename = 'mutation ($i: UpdateCustomerInput!) { updateCustomer(input: $i) { id } }';
  only(await graphql(at, rename, { bearer: admin, variables: { i: { id, firstName: 'Zebulon' } } }));
  only(await remove(admin, id));
  const events = await at.app.modules.database
    .forTenant({ tenantId: 'demo' })
    .auditEvent.findMany({ where: { subjectId: id }, orderBy: { id: 'asc' } });
  expect(events.map(({ type }) => type)).toEqual(['customer.registered', 'customer.updated', 'customer.deleted']);
  for (const personal of [email, 'Zebulon']) expect(JSON.stringify(events)).not.toContain(personal);
});

it('success: the address is free again, for another account', async () => {
  const { id, email } = await givenCustomer(at);
  only(await remove((await serviceToken(at)).accessToken, id));
  expect((await givenCustomer(at, {}, email)).id).not.toBe(id);
});

it('of a deletion and ten logins at once no session is left', async () => {
  const { id, email } = await givenCustomer(at);
  const guests = await Promise.all(Array.from({ length: 10 }, () => guest(at)));
  const [removed, ...logins] = await Promise.all([
    remove(admin, id),
    ...guests.map(({ accessToken }) => tryLogin(at, { email, anonymousToken: accessToken })),
  ]);
  expect(removed.errors).toEqual([]);
  for (const login of logins) {
    if (login.errors.length > 0) expect(login.code).toBe('INVALID_GRANT');
    else expect(await isGood(at, only(login).accessToken)).toBe(false);
  }
});

it('unauthenticated, forbidden: with customer.customer_manage only, and nobody themself', async () => {
  const { id, email } = await givenCustomer(at, { acme: 'ADMIN' });
  const boss = (await signIn(at, email, { legalEntityId: 'acme' })).accessToken;
  const assisted = only(await tryAssist(at, admin, { customerId: id, legalEntityId: 'acme' })).accessToken;
  const reader = await employee(at, (await givenEmployee(at, ['customer.customer_read'])).email);
  expect((await remove(undefined, id)).code).toBe('UNAUTHENTICATED');
  for (const bearer of [boss, assisted, reader.accessToken, (await guest(at)).accessToken])
    expect((await remove(bearer, id)).code).toBe('FORBIDDEN');
  expect(await isThere(id)).toBe(true);
});

it('missing, twice, and of another tenant: NOT_FOUND', async () => {
  const { id } = await givenCustomer(at);
  const rival = (await serviceToken(at, 'rival-backend')).accessToken;
  expect((await remove(rival, id)).code).toBe('NOT_FOUND');
  expect(await isThere(id)).toBe(true);
  only(await remove(admin, id));
  expect((await remove(admin, id)).code).toBe('NOT_FOUND');
  expect((await remove(admin, 'no-such-customer')).code).toBe('NOT_FOUND');
});
