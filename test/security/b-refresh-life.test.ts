// Section B over time: what a refresh says of scopes and companies of now (cases 29, 30), and when it is the last one
// (case 31). Not here yet: `scope` at /oauth/token (case 29), and tokens in query strings (case 31).

import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { givenCompany, givenCustomer, givenEmployee, givenEmployeeGroup } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  claimsOf,
  employee,
  guest,
  isGood,
  refresh,
  signIn,
  tryRefresh,
  tryRefreshEmployee,
  tryRefreshGuest,
} from '../kit/stories.ts';
import { beginFamily, familyRows, letPass } from './b-refresh-families.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

let service: Service;
beforeAll(async () => {
  service = await theService();
});

const someone = async (companies: Parameters<typeof givenCustomer>[1] = {}) => givenCustomer(service, companies);
const family = async () => beginFamily(service, (await someone()).id);

describe('scopes and companies at a refresh', () => {
  it("case 29: a scope of a group left in between is gone, and is not copied from the employee's old token", async () => {
    const worker = await givenEmployee(service, ['product.product_read', 'product.product_manage']);
    const { memberships } = service.app.modules;
    const other = await givenEmployeeGroup(service, ['price.price_read']);
    await memberships.add(ctxOf('demo'), { groupId: other.id, userId: worker.id, userType: 'EMPLOYEE' });
    const first = await employee(service, worker.email);
    expect(first.scopes).toEqual(['price.price_read', 'product.product_manage', 'product.product_read']);
    await memberships.remove(ctxOf('demo'), { groupId: worker.groupId, userId: worker.id, userType: 'EMPLOYEE' });
    expect(await isGood(service, first.accessToken)).toBe(false);
    const second = only(await tryRefreshEmployee(service, first.refreshToken));
    expect(second.scopes).toEqual(['price.price_read']);
    expect(claimsOf(second.accessToken).scope).toBe('price.price_read');
    expect(await isGood(service, second.accessToken)).toBe(true);
  });

  it('case 29: holds for a retry too: the successor is the same, the scopes are those of now', async () => {
    const worker = await givenEmployee(service, ['product.product_read']);
    const first = await employee(service, worker.email);
    const second = only(await tryRefreshEmployee(service, first.refreshToken));
    await service.app.modules.memberships.remove(ctxOf('demo'), {
      groupId: worker.groupId,
      userId: worker.id,
      userType: 'EMPLOYEE',
    });
    const again = only(await tryRefreshEmployee(service, first.refreshToken));
    expect(again.refreshToken).toBe(second.refreshToken);
    expect(again.scopes).toEqual([]);
    expect(await isGood(service, second.accessToken)).toBe(false);
    expect(await isGood(service, again.accessToken)).toBe(true);
  });

  it('case 30: once the assignment is gone the company is refused with nothing spent; without it, or for another, all is well', async () => {
    const [left, kept] = [await givenCompany(service), await givenCompany(service)];
    const customer = await someone({ [left.id]: 'ADMIN', [kept.id]: 'BUYER' });
    const first = await signIn(service, customer.email, { legalEntityId: left.id });
    const alone = await signIn(service, customer.email);
    await service.app.modules.contactAssignments.unassign(ctxOf('demo'), {
      customerId: customer.id,
      legalEntityId: left.id,
    });
    expect(await isGood(service, first.accessToken)).toBe(false);

    for (const input of [{}, { legalEntityId: left.id }, { branch: true }]) {
      expect((await tryRefresh(service, first.refreshToken, input)).code).toBe('ACCESS_DENIED');
    }
    const { rows, spent } = await familyRows(service, first.sessionId);
    expect({ rows, spent }).toEqual({ rows: 1, spent: 0 });
    const other = await refresh(service, first.refreshToken, { legalEntityId: kept.id });
    expect(other.legalEntity?.id).toBe(kept.id);
    expect(other.scopes).toEqual((await signIn(service, customer.email, { legalEntityId: kept.id })).scopes);
    const none = await refresh(service, other.refreshToken, { legalEntityId: null });
    expect(none.legalEntity).toBeNull();
    expect(claimsOf(none.accessToken)).not.toHaveProperty('legalEntityId');
    expect(none.scopes).toEqual(alone.scopes);
  });

  it('case 30: a retry after the assignment is gone does not hand out the company again', async () => {
    const company = await givenCompany(service);
    const customer = await someone({ [company.id]: 'ADMIN' });
    const { refreshToken, sessionId } = await beginFamily(service, customer.id);
    const next = await refresh(service, refreshToken, { legalEntityId: company.id });
    await service.app.modules.contactAssignments.unassign(ctxOf('demo'), {
      customerId: customer.id,
      legalEntityId: company.id,
    });
    expect((await tryRefresh(service, refreshToken, { legalEntityId: company.id })).code).toBe('ACCESS_DENIED');
    expect((await familyRows(service, sessionId)).endedAt).toBeNull();
    expect((await refresh(service, next.refreshToken, { legalEntityId: null })).legalEntity).toBeNull();
  });
});

describe('limits of life', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('case 31: an employee who refreshes every hour is signed out 12 h after the login', async () => {
    const { email } = await givenEmployee(service);
    let { refreshToken, sessionId } = await employee(service, email);
    for (let hour = 1; hour < 12; hour += 1) {
      await letPass(service, sessionId, HOUR);
      const next = only(await tryRefreshEmployee(service, refreshToken));
      expect(next.refreshTokenExpiresIn).toBeLessThanOrEqual((12 - hour) * HOUR);
      refreshToken = next.refreshToken;
    }
    await letPass(service, sessionId, HOUR - 60);
    const last = only(await tryRefreshEmployee(service, refreshToken));
    expect(last.expiresIn).toBeLessThanOrEqual(60);
    await letPass(service, sessionId, 60);
    expect((await tryRefreshEmployee(service, last.refreshToken)).code).toBe('INVALID_GRANT');
    // Nor does the retry of a refresh that was in time.
    expect((await tryRefreshEmployee(service, refreshToken)).code).toBe('INVALID_GRANT');
  });

  it('case 31: a customer who refreshes for ever is signed out 180 d after the login, one who does not after 30 d', async () => {
    let { refreshToken, sessionId } = await family();
    for (let days = 29; days < 180; days += 29) {
      await letPass(service, sessionId, 29 * DAY);
      const next = await refresh(service, refreshToken);
      expect(next.refreshTokenExpiresIn).toBeLessThanOrEqual(Math.min(30, 180 - days) * DAY);
      refreshToken = next.refreshToken;
    }
    await letPass(service, sessionId, 6 * DAY - 60);
    const last = await refresh(service, refreshToken);
    expect(last.expiresIn).toBeLessThanOrEqual(60);
    expect(claimsOf(last.saasToken).exp - claimsOf(last.saasToken).iat).toBeLessThanOrEqual(60);
    await letPass(service, sessionId, 60);
    expect((await tryRefresh(service, last.refreshToken)).code).toBe('INVALID_GRANT');

    const idle = await family();
    await letPass(service, idle.sessionId, 30 * DAY);
    expect((await tryRefresh(service, idle.refreshToken)).code).toBe('INVALID_GRANT');
  });

  it('case 31: one branch that is refreshed does not keep the other alive', async () => {
    const company = await givenCompany(service);
    const customer = await someone({ [company.id]: null });
    const { sessionId, refreshToken } = await beginFamily(service, customer.id);
    const forked = await refresh(service, refreshToken, { legalEntityId: company.id, branch: true });
    await letPass(service, sessionId, 29 * DAY);
    const kept = await refresh(service, forked.refreshToken);
    await letPass(service, sessionId, 2 * DAY);
    expect((await tryRefresh(service, forked.branchedFrom!.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await refresh(service, kept.refreshToken)).legalEntity?.id).toBe(company.id);
  });

  it('case 31: a guest who refreshes for ever ends 30 d after the first token, one who does not after 24 h', async () => {
    const began = Date.now();
    const at = (milliseconds: number) => vi.useFakeTimers({ toFake: ['Date'], now: began + milliseconds });
    let { refreshToken, sessionId } = await guest(service);
    const first = refreshToken;
    for (let hours = 23; hours < 720; hours += 23) {
      at(hours * HOUR * 1000);
      const next = only(await tryRefreshGuest(service, refreshToken));
      expect(next.sessionId).toBe(sessionId);
      expect(next.refreshTokenExpiresIn).toBeLessThanOrEqual((720 - hours) * HOUR + 1);
      expect(next.expiresIn).toBeLessThanOrEqual((720 - hours) * HOUR + 1);
      refreshToken = next.refreshToken;
    }
    at(720 * HOUR * 1000 + 10_000);
    expect((await tryRefreshGuest(service, refreshToken)).code).toBe('INVALID_GRANT');
    at(24 * HOUR * 1000 + 10_000);
    expect((await tryRefreshGuest(service, first)).code).toBe('INVALID_GRANT');
  });
});
