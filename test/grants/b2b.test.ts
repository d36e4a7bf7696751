// The B2B token: a customer token for a company, by the refresh token. Emporix' name for refreshCustomerToken(id).

import { beforeAll, expect, it } from 'vitest';
import { givenCustomer } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { type CustomerToken, claimsOf, guest, refresh, signIn, tryB2B } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

it('success: legalEntityId and the scopes of the customer’s groups there, in the same session', async () => {
  const plain = await signIn(at);
  const token = only<CustomerToken>(await tryB2B(at, plain.refreshToken, 'acme'));
  expect(token).toMatchObject({ legalEntity: { id: 'acme', name: 'ACME' }, sessionId: plain.sessionId });
  expect(token.scopes).toEqual(expect.arrayContaining([...plain.scopes, 'iam.user_read_own']));
  expect(claimsOf(token.accessToken)).toMatchObject({ legalEntityId: 'acme', kind: 'customer' });
});

it('a Buyer, a Requester and a Contact have what every customer has', async () => {
  for (const role of ['BUYER', 'REQUESTER', null] as const) {
    const customer = await givenCustomer(at, { acme: role });
    const plain = await signIn(at, customer.email);
    expect(only<CustomerToken>(await tryB2B(at, plain.refreshToken, 'acme')).scopes).toEqual(plain.scopes);
  }
});

it('is the same use as refreshCustomerToken with the company: one is the identical retry of the other', async () => {
  const { refreshToken } = await signIn(at);
  const token = only<CustomerToken>(await tryB2B(at, refreshToken, 'acme'));
  const again = await refresh(at, refreshToken, { legalEntityId: 'acme' });
  expect(again.refreshToken).toBe(token.refreshToken);
});

it('with branch both companies stay open', async () => {
  const { refreshToken } = await signIn(at, 'buyer@demo.example', { legalEntityId: 'acme' });
  const token = only<CustomerToken>(await tryB2B(at, refreshToken, 'globex', { branch: true }));
  expect(token.branchedFrom?.legalEntity).toEqual({ id: 'acme' });
  expect((await refresh(at, token.branchedFrom!.refreshToken)).legalEntity?.id).toBe('acme');
});

it('invalid: INVALID_GRANT without a customer’s refresh token', async () => {
  expect((await tryB2B(at, 'nonsense', 'acme')).code).toBe('INVALID_GRANT');
  expect((await tryB2B(at, (await guest(at)).refreshToken, 'acme')).code).toBe('INVALID_GRANT');
});

it('unauthenticated: needs no bearer, but a refresh token that is not ended', async () => {
  const { refreshToken, sessionId } = await signIn(at);
  await at.app.modules.sessions.logout(ctxOf('demo'), sessionId);
  expect((await tryB2B(at, refreshToken, 'acme')).code).toBe('INVALID_GRANT');
});

it('forbidden: ACCESS_DENIED for a company that is not the customer’s, nothing spent and told to the trail', async () => {
  const { refreshToken, customer } = await signIn(at, (await givenCustomer(at, { globex: 'BUYER' })).email);
  expect((await tryB2B(at, refreshToken, 'acme')).code).toBe('ACCESS_DENIED');
  const events = await at.app.modules.database
    .forTenant(ctxOf('demo'))
    .auditEvent.findMany({ where: { type: 'company.switch_refused', subjectId: customer.id } });
  expect(events).toMatchObject([{ outcome: 'refused', details: { legalEntityId: 'acme' } }]);
  expect((await tryB2B(at, refreshToken, 'globex')).errors).toEqual([]);
});

it('an assignment to the company is not one to its subsidiary', async () => {
  const { refreshToken } = await signIn(at);
  expect((await tryB2B(at, refreshToken, 'acme-berlin')).code).toBe('ACCESS_DENIED');
});

it('other tenant: ACCESS_DENIED for a company of another tenant', async () => {
  const { refreshToken } = await signIn(at);
  expect((await tryB2B(at, refreshToken, 'umbrella')).code).toBe('ACCESS_DENIED');
});
