// What instances hold in memory is what a fresh look at the database says, whatever is granted, taken and revoked at
// whichever of them: at the one that made the change at once, at the other within a second. security.md case 104, with
// keys that differ in tenant, company or scope only. CACHE_CHECKS=10000 for the catalogue's; CACHE_SEED to repeat a run.

import { describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { ctxOf, type Service } from '../kit/service.ts';
import { isGood } from '../kit/stories.ts';
import { onBoth } from './b-refresh-families.ts';
import { clientToken, customerToken, employeeToken, mutate, type Token } from './i-administration-acts.ts';
import { EVERYTHING, entitlementsIn, read } from './i-administration-world.ts';

const CHECKS = Number(process.env.CACHE_CHECKS ?? 300);
const SEED = Number(process.env.CACHE_SEED ?? Date.now() % 1_000_000);
const SECRET = 'a secret of this test';
const companies = ['company', 'other'];
const pool = ['price.price_read', 'price.price_manage', 'order.order_read', 'catalog.catalog_view', 'twin.thing_do'];

type Tenant = Awaited<ReturnType<typeof givenTenant>>;
type Instances = { readonly a: Service; readonly b: Service };

/** Numbers that look random and are the same for a seed (mulberry32). */
function numbersOf(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const one = <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)]!;
  return { chance: (part: number) => next() < part, one, few: () => pool.filter(() => next() < 0.4) };
}

/** Two tenants in which everything has the same ids. */
async function givenTwins({ a, b }: Instances): Promise<Tenant[]> {
  const twins = [await givenTenant(a), await givenTenant(a)];
  for (const { id: tenantId } of twins) {
    const ctx = ctxOf(tenantId);
    const { clients, contactAssignments, database, legalEntities, scopeDefinitions } = a.app.modules;
    const db = database.forTenant(ctx);
    await legalEntities.create(ctx, { id: 'other', name: 'Other' });
    await scopeDefinitions.create(ctx, { id: 'twin.thing_do', description: 'Of both.' });
    const names = { firstName: 'E', lastName: 'M' };
    for (const n of [0, 1, 2]) {
      await db.employee.create({ data: { tenantId, id: `e${n}`, email: `e${n}@test.example`, ...names } });
      await db.customer.create({
        data: { tenantId, id: `c${n}`, customerNumber: `c${n}`, email: `c${n}@test.example` },
      });
      for (const company of companies) await contactAssignments.assign(ctx, `c${n}`, company);
      await clients.register(ctx, {
        id: `${tenantId}-k${n}`,
        name: 'k',
        kind: 'CUSTOM',
        scopes: [pool[n]!],
        clientSecret: SECRET,
      });
    }
    const groups = { g0: 'staff', g1: 'staff', g2: null, g3: 'company', g4: 'other' };
    for (const [id, where] of Object.entries(groups)) {
      const isStaff = where === 'staff';
      const group = { name: id, userType: isStaff ? ('EMPLOYEE' as const) : ('CUSTOMER' as const) };
      await db.group.create({ data: { tenantId, id, ...group, legalEntityId: isStaff ? null : where } });
      await db.accessControl.create({ data: { tenantId, id: `x${id}`, name: id, scopes: [pool[0]!] } });
      await db.groupAccessControl.create({ data: { tenantId, groupId: id, accessControlId: `x${id}` } });
    }
    for (const n of [0, 1, 2]) {
      const [employee, customer] = [
        { tenantId, employeeId: `e${n}` },
        { tenantId, customerId: `c${n}` },
      ];
      await db.employeeMembership.createMany({ data: ['g0', 'g1'].map((groupId) => ({ ...employee, groupId })) });
      await db.customerMembership.createMany({ data: ['g2', 'g3'].map((groupId) => ({ ...customer, groupId })) });
    }
  }
  await expect.poll(() => twins.every(({ id }) => b.app.modules.tenants.find(id))).toBe(true);
  return twins;
}

/** A token, and for whom it was issued. */
interface Held extends Token {
  readonly tenant: Tenant;
  /** As `entitlementsIn` has it. */
  readonly who: string;
  readonly customer: { readonly id: string; readonly company: string | null } | null;
}

onBoth(`case 104, seed ${SEED}`, (instances, isEmbedded) => {
  describe('random grants, revocations and checks', () => {
    it(`cached equals uncached in ${CHECKS} checks`, { timeout: 60_000 + CHECKS * 1_000 }, async () => {
      const { a, b } = instances();
      const { chance, one, few } = numbersOf(SEED);
      const twins = await givenTwins({ a, b });
      const held: Held[] = [];
      let checks = 0;
      const verdicts = { good: 0, refused: 0 };

      const rowsOf = (tenant: Tenant) => a.app.modules.database.forTenant({ tenantId: tenant.id });

      /** Something changes, at `at`. */
      async function change(at: Service, tenant: Tenant): Promise<string> {
        const ctx = ctxOf(tenant.id);
        const { accessControls, clients, contactAssignments, employees, groups, memberships } = at.app.modules;
        const customerId = one(['c0', 'c1', 'c2']);
        const employeeId = one(['e0', 'e1', 'e2']);
        const company = one(companies);
        const clientId = `${tenant.id}-${one(['k0', 'k1', 'k2'])}`;
        const toggle = async (groupId: string, userId: string, userType: 'EMPLOYEE' | 'CUSTOMER') => {
          const membership = { groupId, userId, userType };
          const add = () => memberships.add(ctx, membership);
          await memberships
            .remove(ctx, membership)
            .catch(add)
            .catch(() => {});
        };
        const acts: Record<string, () => Promise<unknown>> = {
          'an employee joins or leaves': () => toggle(one(['g0', 'g1']), employeeId, 'EMPLOYEE'),
          'a customer joins or leaves': () => toggle(one(['g2', 'g3', 'g4']), customerId, 'CUSTOMER'),
          'an access control changes': () =>
            accessControls.update(ctx, one(['xg0', 'xg1', 'xg2', 'xg3', 'xg4']), { scopes: [one(pool), ...few()] }),
          'a group changes': () =>
            groups.update(ctx, one(['g0', 'g1']), { accessControlIds: [one(['xg0', 'xg1', 'xg2'])] }),
          'an employee is disabled or enabled': async () => {
            const { enabled } = (await employees.find(ctx, employeeId))!;
            await employees.update(ctx, employeeId, { enabled: !enabled });
          },
          'a client changes': () => clients.update(ctx, clientId, { scopes: [one(pool), ...few()] }),
          'a client is disabled or enabled': async () =>
            clients.update(ctx, clientId, { enabled: !(await clients.get(ctx, clientId)).enabled }),
          'a customer leaves or joins a company': async () => {
            const which = { customerId, legalEntityId: company };
            const isContact = (await rowsOf(tenant).contactAssignment.count({ where: which })) > 0;
            if (isContact) await contactAssignments.unassign(ctx, which);
            else await contactAssignments.assign(ctx, customerId, company);
          },
          'a token is revoked': async () => {
            if (held.length > 0)
              await mutate(at, undefined, 'revokeToken', { input: { token: one(held).accessToken } });
          },
        };
        const act = one(Object.keys(acts));
        await acts[act]!();
        return act;
      }

      /** Somebody asks for a token, at `at`. Null: not now. */
      async function issue(at: Service, tenant: Tenant): Promise<Held | null> {
        const kind = one(['employee', 'customer', 'client']);
        const id = `${kind[0] === 'c' && kind !== 'customer' ? 'k' : kind[0]}${one([0, 1, 2])}`;
        const company = one([null, ...companies]);
        try {
          if (kind === 'employee')
            return { tenant, who: `employee ${id}`, customer: null, ...(await employeeToken(at, tenant.id, id)) };
          if (kind === 'client')
            return {
              tenant,
              who: `client ${tenant.id}-${id}`,
              customer: null,
              ...(await clientToken(at, `${tenant.id}-${id}`, SECRET)),
            };
          const token = await customerToken(at, tenant, id, company);
          return { tenant, who: `customer ${id} for ${company}`, customer: { id, company }, ...token };
        } catch {
          return null;
        }
      }

      /** What the database says of a token, without any memory. */
      async function uncached({ accessToken, tenant }: Held): Promise<boolean> {
        const claims = JSON.parse(Buffer.from(accessToken.split('.')[1]!, 'base64url').toString());
        const keys = [
          ['TOKEN', claims.jti],
          ['CLIENT', claims.client_id],
          ['SESSION', claims.session_id],
          ['PRINCIPAL', `${claims.kind}:${claims.sub}`],
          ['LEGAL_ENTITY_MEMBERSHIP', claims.legalEntityId],
          ['LEGAL_ENTITY_MEMBERSHIP', `${claims.legalEntityId}:${claims.sub}`],
          ...(claims.groups ?? []).map((id: string) => ['GROUP', id]),
        ].filter(([, key]) => key !== undefined);
        const OR = keys.map(([kind, key]) => ({ kind, key }));
        return (await rowsOf(tenant).revocation.count({ where: { OR, sequence: { gt: claims.rev } } })) === 0;
      }

      /** What the rows of a tenant say that somebody may do; for a company only while assigned to it. */
      async function entitlementsOf(tenant: Tenant) {
        const all = entitlementsIn(await read(a, tenant.id));
        const assignments = await rowsOf(tenant).contactAssignment.findMany();
        return ({ who, customer }: Held): Set<string> => {
          const isAssigned = assignments.some(
            ({ customerId, legalEntityId }) => customerId === customer?.id && legalEntityId === customer.company,
          );
          const scopes = customer?.company && !isAssigned ? [] : [...(all.get(who) ?? [])];
          return new Set(scopes.filter((scope) => scope !== EVERYTHING));
        };
      }

      for (let step = 0; checks < CHECKS; step += 1) {
        const at = chance(0.5) ? a : b;
        const other = at === a ? b : a;
        const tenant = one(twins);
        const where = { seed: SEED, step };
        const act = await change(at, tenant);

        const entitled = await entitlementsOf(tenant);
        const beyond = (token: Held) =>
          token.tenant === tenant ? token.scopes.filter((scope) => !entitled(token).has(scope)) : [];

        // At once where it was made, within a second elsewhere; and what says too much has been revoked.
        const some = held.length === 0 ? [] : [one(held), one(held), one(held)];
        for (const token of new Set([...some, ...held.filter((each) => beyond(each).length > 0)])) {
          const told = { ...where, act, who: token.who, tenant: token.tenant.id, beyond: beyond(token) };
          const wanted = { ...told, isGood: await uncached(token) };
          expect(wanted).toEqual({ ...wanted, isGood: wanted.isGood && told.beyond.length === 0 });
          expect({ ...told, isGood: await isGood(at, token.accessToken) }).toEqual(wanted);
          await expect
            .poll(async () => ({ ...told, isGood: await isGood(other, token.accessToken) }), {
              timeout: 1_000,
              interval: 20,
            })
            .toEqual(wanted);
          checks += 2;
          verdicts[wanted.isGood ? 'good' : 'refused'] += 1;
          if (!wanted.isGood) held.splice(held.indexOf(token), 1);
        }

        // A token that is issued says what the database says, or is refused within a second.
        const issued = await issue(chance(0.5) ? at : other, tenant);
        if (!issued) continue;
        checks += 1;
        const told = { ...where, act, issued: issued.who };
        const wanted = [...(await entitlementsOf(tenant))(issued)].sort();
        if (JSON.stringify(issued.scopes) === JSON.stringify(wanted)) held.push(issued);
        else
          await expect
            .poll(async () => ({ ...told, isGood: await isGood(at, issued.accessToken) }), {
              timeout: 1_000,
              interval: 20,
            })
            .toEqual({ ...told, isGood: false });
      }
      expect(verdicts.good).toBeGreaterThan(CHECKS / 20);
      expect(verdicts.refused).toBeGreaterThan(CHECKS / 50);
    });

    it.skipIf(isEmbedded)('what one instance gives a client, the other gives with it within a second', async () => {
      const { a, b } = instances();
      const [{ id: tenantId }] = (await givenTwins({ a, b })) as [Tenant, Tenant];
      const id = `${tenantId}-k0`;
      for (const scopes of [['order.order_read'], ['price.price_read', 'twin.thing_do'], ['catalog.catalog_view']]) {
        await a.app.modules.clients.update(ctxOf(tenantId), id, { scopes });
        const ask = () =>
          mutate(b, undefined, 'issueServiceToken', { input: { clientId: id, clientSecret: SECRET } }, 'scopes');
        await expect.poll(async () => only(await ask()).scopes, { timeout: 1_000, interval: 20 }).toEqual(scopes);
      }
    });
  });
});
