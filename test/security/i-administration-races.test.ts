// Administrators at the same moment, on two instances with one PostgreSQL database: security.md case 100, and what a
// token from before a demotion can still do. Outcomes are counted in the database. RACE_ROUNDS=200 for the catalogue's.

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import type { Answer } from '../kit/graphql.ts';
import { givenControl, givenGroup } from '../kit/groups.ts';
import { ctxOf, type Service } from '../kit/service.ts';
import { type Colleague, givenColleague, mutate, outcomeOf } from './i-administration-acts.ts';
import { startPair } from './logins.ts';

const ROUNDS = Number(process.env.RACE_ROUNDS ?? 20);
const LAST = 'CONFLICT: LAST_ADMINISTRATOR';
const administration = [
  'iam.access_manage',
  'iam.assignment_manage',
  'iam.group_manage',
  'iam.user_delete',
  'iam.user_update',
];

const postgresUrl = inject('postgresUrl');

describe.skipIf(!postgresUrl)('on two instances with PostgreSQL', () => {
  let a: Service;
  let b: Service;
  let tenantId: string;
  let customerId: string;
  let outside: pg.Client;
  beforeAll(async () => {
    [a, b] = await startPair(postgresUrl!);
    const tenant = await givenTenant(a);
    tenantId = tenant.id;
    customerId = tenant.customer.id;
    await vi.waitUntil(() => b.app.modules.tenants.find(tenantId) !== null, { timeout: 5_000 });
    await nobodyAdministers();
    const { database } = a.config;
    if (database.kind !== 'postgresql') throw new Error('Not on PostgreSQL.');
    outside = new pg.Client(database.url);
    await outside.connect();
  }, 120_000);
  afterAll(async () => {
    await outside?.end();
    await Promise.all([a?.stop(), b?.stop()]);
  });

  const db = () => a.app.modules.database.forTenant({ tenantId });
  const nobodyAdministers = () => db().employeeMembership.deleteMany({});

  /** Employees who are enabled and in a group with `iam.group_manage`. */
  async function administrators(): Promise<string[]> {
    const found = await db().$queryRaw<{ id: string }[]>`
      SELECT DISTINCT e.id FROM employees e
      JOIN employee_memberships m ON m.tenant_id = e.tenant_id AND m.employee_id = e.id
      JOIN group_access_controls g ON g.tenant_id = m.tenant_id AND g.group_id = m.group_id
      JOIN access_controls c ON c.tenant_id = g.tenant_id AND c.id = g.access_control_id
      WHERE e.tenant_id = ${tenantId} AND e.enabled AND (c.every_scope OR 'iam.group_manage' = ANY(c.scopes))`;
    return found.map(({ id }) => id);
  }

  /** Lets `calls` come to the door of the tenant one after the other, and opens it when all of them wait there. */
  async function queued(...calls: (() => Promise<Answer<any>>)[]): Promise<Answer<any>[]> {
    await outside.query('BEGIN');
    await outside.query('SELECT 1 FROM tenants WHERE id = $1 FOR UPDATE', [tenantId]);
    const waiting = async () => {
      const { rows } = await outside.query(
        `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      return rows[0].waiting as number;
    };
    const answers: Promise<Answer<any>>[] = [];
    try {
      for (const call of calls) {
        answers.push(call());
        await vi.waitUntil(async () => (await waiting()) === answers.length, { timeout: 900, interval: 2 });
      }
    } finally {
      await outside.query('COMMIT');
    }
    return Promise.all(answers);
  }

  /** One of the two takes the other's administration away. */
  const ways: Record<string, (at: Service, by: Colleague, from: Colleague) => Promise<Answer<any>>> = {
    'remove each other': (at, by, from) =>
      mutate(at, by.accessToken, 'removeGroupMember', {
        input: { groupId: from.groupId, userId: from.id, userType: 'EMPLOYEE' },
      }),
    'disable each other': (at, by, from) =>
      mutate(at, by.accessToken, 'updateEmployee', { input: { id: from.id, enabled: false } }),
    'delete each other': (at, by, from) => mutate(at, by.accessToken, 'deleteEmployee', { id: from.id }),
    'delete each other’s groups': (at, by, from) =>
      mutate(at, by.accessToken, 'deleteGroup', { id: from.groupId, force: true }),
    'strip each other’s groups': (at, by, from) =>
      mutate(at, by.accessToken, 'updateGroup', { input: { id: from.groupId, accessControlIds: [] } }),
    'strip each other’s access controls': (at, by, from) =>
      mutate(at, by.accessToken, 'updateAccessControl', { input: { id: from.controlId, scopes: ['iam.user_update'] } }),
  };

  async function givenTwo(): Promise<[Colleague, Colleague]> {
    await nobodyAdministers();
    return [await givenColleague(a, tenantId, administration), await givenColleague(a, tenantId, administration)];
  }

  for (const [title, take] of Object.entries(ways)) {
    const many = title === 'remove each other' || title === 'disable each other' ? ROUNDS : Math.ceil(ROUNDS / 4);

    it(`case 100: two administrators ${title} at once: one is left, in each of ${many} rounds`, {
      timeout: 30_000 + many * 3_000,
    }, async () => {
      for (let round = 0; round < many; round += 1) {
        const [one, other] = await givenTwo();
        const outcomes = (await Promise.all([take(a, one, other), take(b, other, one)])).map(outcomeOf);
        expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
        // Whoever came so late that the token was known to be revoked at the door, is not told more.
        expect([LAST, 'UNAUTHENTICATED']).toContain(outcomes.find((outcome) => outcome !== 'done'));
        expect(await administrators()).toEqual([outcomes[0] === 'done' ? one.id : other.id]);
      }
    });

    it(`case 100: of two who wait to ${title}, the second gets CONFLICT`, async () => {
      for (let round = 0; round < 3; round += 1) {
        const [one, other] = await givenTwo();
        const answers = await queued(
          () => take(a, one, other),
          () => take(b, other, one),
        );
        expect(answers.map(outcomeOf)).toEqual(['done', LAST]);
        expect(await administrators()).toEqual([one.id]);
      }
    });
  }

  describe('an administrator who is demoted while making a change', () => {
    const change = (at: Service, by: Colleague, name: string) =>
      mutate(at, by.accessToken, 'createGroup', { input: { name, userType: 'EMPLOYEE' } });
    const isMade = async (name: string) => (await db().group.count({ where: { name } })) > 0;

    it.each(Object.keys(ways))('is too late when they %s and it came first', async (way) => {
      const [one, other] = await givenTwo();
      const name = `Too late to ${way}`;
      const answers = await queued(
        () => ways[way]!(a, one, other),
        () => change(b, other, name),
      );
      expect(answers.map(outcomeOf)).toEqual(['done', 'UNAUTHENTICATED']);
      expect(await isMade(name)).toBe(false);
    });

    it('is in time when the change came first', async () => {
      const [one, other] = await givenTwo();
      const answers = await queued(
        () => change(b, other, 'In time'),
        () => ways['remove each other']!(a, one, other),
      );
      expect(answers.map(outcomeOf)).toEqual(['done', 'done']);
      expect(await isMade('In time')).toBe(true);
    });

    it(`is UNAUTHENTICATED with nothing changed, or has made the change, in each of ${ROUNDS} rounds`, {
      timeout: 30_000 + ROUNDS * 3_000,
    }, async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const [one, other] = await givenTwo();
        const name = `Round ${round}`;
        const [demoted, made] = await Promise.all([ways['remove each other']!(a, one, other), change(b, other, name)]);
        expect(outcomeOf(demoted)).toBe('done');
        const outcome = outcomeOf(made);
        expect(['done', 'UNAUTHENTICATED']).toContain(outcome);
        expect(await isMade(name)).toBe(outcome === 'done');
      }
    });

    it('cannot hand on what is taken from them meanwhile', async () => {
      for (let round = 0; round < 3; round += 1) {
        const [one] = await givenTwo();
        const other = await givenColleague(a, tenantId, [...administration, 'order.order_manage']);
        const friend = await givenColleague(a, tenantId, []);
        const group = await givenGroup(a, { scopes: ['order.order_manage'] }, tenantId);
        const answers = await queued(
          () =>
            mutate(a, one.accessToken, 'updateAccessControl', {
              input: { id: other.controlId, scopes: administration },
            }),
          () =>
            mutate(b, other.accessToken, 'addGroupMember', {
              input: { groupId: group.id, userId: friend.id, userType: 'EMPLOYEE' },
            }),
        );
        expect(answers.map(outcomeOf)).toEqual(['done', 'UNAUTHENTICATED']);
        expect(await db().employeeMembership.count({ where: { groupId: group.id } })).toBe(0);
      }
    });
  });

  it('a customer who is made two things in one company at once becomes one of them', async () => {
    const ctx = ctxOf(tenantId);
    const { memberships } = a.app.modules;
    const every = await givenColleague(a, tenantId, 'every');
    const groups = await db().group.findMany({ where: { legalEntityId: 'company', role: { in: ['ADMIN', 'BUYER'] } } });
    expect(groups).toHaveLength(2);
    for (let round = 0; round < Math.ceil(ROUNDS / 2); round += 1) {
      const answers = await Promise.all(
        groups.map(({ id: groupId }, at) =>
          mutate(at === 0 ? a : b, every.accessToken, 'addGroupMember', {
            input: { groupId, userId: customerId, userType: 'CUSTOMER' },
          }),
        ),
      );
      expect(answers.map(outcomeOf).sort()).toEqual(['CONFLICT: ROLE_TAKEN', 'done']);
      const member = { customerId, group: { role: { in: ['ADMIN' as const, 'BUYER' as const] } } };
      const [membership, ...more] = await db().customerMembership.findMany({ where: member });
      expect(more).toEqual([]);
      await memberships.remove(ctx, { groupId: membership!.groupId, userId: customerId, userType: 'CUSTOMER' });
    }
  });

  describe('a scope that is deleted while it is given', () => {
    const none = (id: string) => ({ id: `c-${id.replace('.', '-')}`, name: id, kind: 'CUSTOM' as const, scopes: [] });
    // Who defines a scope holds it with the next token only: an operator gives it here.
    const givers: Record<string, (id: string) => Promise<(at: Service) => Promise<unknown>>> = {
      'to an access control': async (id) => {
        const control = await givenControl(a, { scopes: ['price.price_read'] }, tenantId);
        return (at) => at.app.modules.accessControls.update(ctxOf(tenantId), control.id, { scopes: [id] });
      },
      'to a client': async (id) => {
        await a.app.modules.clients.register(ctxOf(tenantId), none(id));
        return (at) => at.app.modules.clients.update(ctxOf(tenantId), none(id).id, { scopes: [id] });
      },
      'to a new client': async (id) => (at) =>
        at.app.modules.clients.register(ctxOf(tenantId), { ...none(id), scopes: [id] }),
    };

    it.each(Object.keys(givers))(
      `%s is one or the other, in each of ${ROUNDS} rounds`,
      {
        timeout: 30_000 + ROUNDS * 3_000,
      },
      async (giver) => {
        const { scopeDefinitions } = a.app.modules;
        for (let round = 0; round < ROUNDS; round += 1) {
          const id = `race.${giver.replaceAll(' ', '_')}${round}`;
          await scopeDefinitions.create(ctxOf(tenantId), { id, description: 'Of this round.' });
          await vi.waitUntil(() => b.app.modules.scopes.find(ctxOf(tenantId), id) !== null, { timeout: 2_000 });
          const give = await givers[giver]!(id);
          const [deleted, given] = await Promise.allSettled([scopeDefinitions.delete(ctxOf(tenantId), id), give(b)]);
          const where = { scopes: { has: id } };
          const isThere = (await db().customScope.count({ where: { id } })) > 0;
          const isGiven = (await db().accessControl.count({ where })) + (await db().client.count({ where })) > 0;
          expect([round, isGiven, deleted.status, given.status]).toEqual(
            isThere ? [round, true, 'rejected', 'fulfilled'] : [round, false, 'fulfilled', 'rejected'],
          );
          if (isThere) {
            await db().client.updateMany({ where, data: { scopes: [] } });
            await db().accessControl.deleteMany({ where });
            await scopeDefinitions.delete(ctxOf(tenantId), id);
          }
        }
      },
    );
  });
});
