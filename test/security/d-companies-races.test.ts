// Companies and contacts changed at the same moment on two instances with one PostgreSQL database. Outcomes are counted
// in the database. RACE_ROUNDS=200 for the catalogue's.

import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { contactsOf, rolesOf } from '../kit/companies.ts';
import { givenTenant } from '../kit/given.ts';
import { ctxOf, type Service } from '../kit/service.ts';
import { startPair } from './logins.ts';

const ROUNDS = Number(process.env.RACE_ROUNDS ?? 20);
const postgresUrl = inject('postgresUrl');

describe.skipIf(!postgresUrl)('on two instances with PostgreSQL', () => {
  let a: Service;
  let b: Service;
  let tenantId: string;
  let customerId: string;
  beforeAll(async () => {
    [a, b] = await startPair(postgresUrl!);
    const tenant = await givenTenant(a);
    tenantId = tenant.id;
    customerId = tenant.customer.id;
    await vi.waitUntil(() => b.app.modules.tenants.find(tenantId) !== null, { timeout: 5_000 });
  }, 120_000);
  afterAll(async () => {
    await Promise.all([a?.stop(), b?.stop()]);
  });

  const ctx = () => ctxOf(tenantId);
  const outcomes = (results: readonly PromiseSettledResult<unknown>[]) =>
    results.map((result) => (result.status === 'fulfilled' ? 'done' : (result.reason.code as string)));
  const company = (name: string, parentId?: string) => a.app.modules.legalEntities.create(ctx(), { name, parentId });
  const assign = (at: Service, id: string) => at.app.modules.contactAssignments.assign(ctx(), customerId, id);
  const unassign = (at: Service, legalEntityId: string) =>
    at.app.modules.contactAssignments.unassign(ctx(), { customerId, legalEntityId });

  it('nobody is left in a group of a company that they were taken out of meanwhile', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id } = await company(`R${round}`);
      await assign(a, id);
      const [one, other] = round % 2 ? [a, b] : [b, a];
      const results = await Promise.allSettled([
        unassign(one, id),
        other.app.modules.memberships.joinCompany(ctx(), id, 'ADMIN', customerId),
      ]);
      expect(['done', 'CONFLICT', 'NOT_FOUND']).toContain(outcomes(results)[1]);
      expect(outcomes(results)[0]).toBe('done');
      expect((await rolesOf(a, customerId, tenantId)).filter((role) => role.startsWith(id))).toEqual([]);
      expect(await contactsOf(a, customerId, tenantId)).not.toHaveProperty(id);
    }
  });

  it('two moves that would make a cycle together: one is made, the other refused', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, two] = [await company(`O${round}`), await company(`T${round}`)];
      const results = await Promise.allSettled([
        a.app.modules.legalEntities.update(ctx(), one.id, { parentId: two.id }),
        b.app.modules.legalEntities.update(ctx(), two.id, { parentId: one.id }),
      ]);
      expect(outcomes(results).sort()).toEqual(['BAD_USER_INPUT', 'done']);
    }
  });

  it('a cause that goes while another comes leaves what it caused, once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const top = await company(`Top${round}`);
      const [one, two] = [await company(`One${round}`, top.id), await company(`Two${round}`, top.id)];
      await assign(a, one.id);
      expect(outcomes(await Promise.allSettled([unassign(a, one.id), assign(b, two.id)]))).toEqual(['done', 'done']);
      const contacts = await contactsOf(a, customerId, tenantId);
      expect([contacts[top.id], contacts[one.id], contacts[two.id]]).toEqual(['inherited', undefined, 'own']);
      expect(await rolesOf(a, customerId, tenantId)).toContain(`${top.id} CONTACT`);
    }
  });

  it('a company that is deleted while somebody is assigned has no contact afterwards', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id } = await company(`D${round}`);
      const results = outcomes(
        await Promise.allSettled([assign(a, id), b.app.modules.legalEntities.delete(ctx(), id)]),
      );
      expect(results[1]).toBe('done');
      expect(['done', 'NOT_FOUND']).toContain(results[0]);
      expect(await contactsOf(a, customerId, tenantId)).not.toHaveProperty(id);
    }
  });
});
