// Nobody hands out what they lack, on any write that can end in a token. security.md cases 98 and 103.

import { beforeAll, describe, expect, it } from 'vitest';
import { missingToDelegate } from '../../src/modules/scopes/delegation.ts';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { givenGroup, givenTemplate } from '../kit/groups.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  clientToken,
  employeeToken,
  givenColleague,
  mutate,
  mutations,
  outcomeOf,
  rowsOfTenant,
} from './i-administration-acts.ts';
import {
  administration,
  attempts,
  givenWorld,
  MINE,
  person,
  reviewed,
  THEIRS,
  type World,
} from './i-administration-attempts.ts';

let service: Service;
beforeAll(async () => {
  service = await theService();
});

describe('case 98', () => {
  it('every mutation that can end in a token is tried, or has been reviewed', () => {
    const tried = Object.keys(attempts({} as World));
    expect([...tried, ...Object.keys(reviewed)].sort()).toEqual(mutations);
  });

  it('what the caller lacks is FORBIDDEN, listed, and changes no row, to an employee and to a client', async () => {
    const tenant = await givenTenant(service);
    const { id: tenantId } = tenant;
    const me = await givenColleague(service, tenantId, [...administration, MINE, 'order.order_read']);
    const secret = 'a secret of this test';
    const client = { id: `${tenantId}-me`, name: 'me', kind: 'CUSTOM', scopes: me.scopes } as const;
    await service.app.modules.clients.register(ctxOf(tenantId), { ...client, clientSecret: secret });
    const world = await givenWorld(service, { tenantId, id: me.id, customerId: tenant.customer.id });
    const bearers = [me.accessToken, (await clientToken(service, client.id, secret)).accessToken];
    const admin = await employeeToken(service, tenantId, tenant.employee.id);
    const lacking = missingToDelegate(me.scopes, admin.scopes);

    await service.app.modules.clientUsage.flush();
    const before = await rowsOfTenant(service, tenantId);
    for (const [name, ways] of Object.entries(attempts(world))) {
      for (const [variables, missing = THEIRS] of ways) {
        const isAsBefore = name === 'updateAccessControl' && ways.at(-1)![0] === variables;
        for (const bearer of isAsBefore ? [] : bearers) {
          const outcome = outcomeOf(await mutate(service, bearer, name, variables));
          const wanted = missing === THEIRS ? THEIRS : lacking.join(' ');
          expect([name, variables, outcome]).toEqual([name, variables, `FORBIDDEN: ${wanted}`]);
        }
      }
    }
    expect(await rowsOfTenant(service, tenantId)).toEqual(before);

    // It was for the scope alone: who has it does all of it.
    for (const [name, ways] of Object.entries(attempts(world))) {
      for (const [variables] of ways) {
        const outcome = outcomeOf(await mutate(service, admin.accessToken, name, variables));
        expect([name, variables, outcome]).toEqual([name, variables, 'done']);
      }
    }
  });

  it('who has all scopes that there are by name gives them, and only who may give every one gives what is still to come', async () => {
    const { id: tenantId } = await givenTenant(service);
    const all = service.app.modules.scopes.everyScope({ tenantId });
    const [low, high] = [
      await givenColleague(service, tenantId, ['iam.group_manage', 'oauth.client_manage']),
      await givenColleague(service, tenantId, all),
    ];
    const group = await givenGroup(service, { scopes: all }, tenantId);
    const { client } = await service.app.modules.clients.register(ctxOf(tenantId), {
      name: 'All by name',
      kind: 'CUSTOM',
      scopes: all,
    });
    const lacking = all.filter((scope) => !low.scopes.includes(scope));
    const before = await rowsOfTenant(service, tenantId);
    for (const [name, variables] of [
      ['updateGroup', { input: { id: group.id, accessControlIds: ['every-scope'] } }],
      ['updateClient', { input: { id: client.id, everyScope: true } }],
    ] as const) {
      expect(outcomeOf(await mutate(service, low.accessToken, name, variables))).toBe(
        `FORBIDDEN: ${lacking.join(' ')}`,
      );
      expect(await rowsOfTenant(service, tenantId)).toEqual(before);
      expect(outcomeOf(await mutate(service, high.accessToken, name, variables))).toBe('done');
      Object.assign(before, await rowsOfTenant(service, tenantId));
    }
  });
});

describe('case 103: a list whose second item is not mine is refused whole', () => {
  it('by scopes that I lack', async () => {
    const tenant = await givenTenant(service);
    const { id: tenantId } = tenant;
    const me = await givenColleague(service, tenantId, [...administration, MINE, 'order.order_read']);
    const w = await givenWorld(service, { tenantId, id: me.id, customerId: tenant.customer.id });
    const mineByTemplate = (await givenTemplate(service, [w.mine], tenantId)).id;
    const lists: [string, Record<string, unknown>][] = [
      ['createAccessControl', { name: 'x', scopes: [MINE, THEIRS] }],
      ['updateAccessControl', { id: w.unused, scopes: [MINE, THEIRS] }],
      ['createAccessControlTemplate', { name: 'x', accessControlIds: [w.mine, w.theirs] }],
      ['createGroup', { name: 'x', userType: 'EMPLOYEE', accessControlIds: [w.mine, w.theirs] }],
      ['createGroup', { name: 'x', userType: 'EMPLOYEE', templateIds: [mineByTemplate, w.template] }],
      ['updateGroup', { id: w.group, accessControlIds: [w.mine, w.theirs] }],
      ['updateGroup', { id: w.group, templateIds: [mineByTemplate, w.template] }],
      ['updateRole', { id: w.role, permissionIds: ['read', 'manage'] }],
      ['createEmployee', { ...person, groupIds: [w.group, w.powerful] }],
      ['createClient', { name: 'x', kind: 'CUSTOM', scopes: [MINE, THEIRS] }],
      ['updateClient', { id: w.ownClient, scopes: [MINE, THEIRS] }],
    ];
    const before = await rowsOfTenant(service, tenantId);
    for (const [name, variables] of lists) {
      const outcome = outcomeOf(await mutate(service, me.accessToken, name, { input: variables }));
      expect([name, outcome]).toEqual([name, `FORBIDDEN: ${THEIRS}`]);
      expect(await rowsOfTenant(service, tenantId)).toEqual(before);
      // The first item alone is mine.
      const [field] = Object.entries(variables).find(([, value]) => Array.isArray(value))!;
      const alone = { ...variables, [field]: (variables[field] as string[]).slice(0, 1) };
      const done = only(await mutate(service, me.accessToken, name, { input: alone }));
      expect(done).toBeTruthy();
      Object.assign(before, await rowsOfTenant(service, tenantId));
    }
  });

  it('by being another tenant’s', async () => {
    const [own, other] = [await givenTenant(service), await givenTenant(service)];
    const admin = await employeeToken(service, own.id, own.employee.id);
    const worlds = [];
    for (const { id: tenantId, employee, customer } of [own, other])
      worlds.push(await givenWorld(service, { tenantId, id: employee.id, customerId: customer.id }));
    const [w, theirs] = worlds as [World, World];
    const foreign = `only.there_${other.id.replaceAll('-', '')}`;
    await service.app.modules.scopeDefinitions.create(ctxOf(other.id), { id: foreign, description: 'There.' });
    const lists: [string, Record<string, unknown>, string][] = [
      ['createAccessControl', { name: 'x', scopes: [MINE, foreign] }, 'BAD_USER_INPUT'],
      ['updateAccessControl', { id: w.unused, scopes: [MINE, foreign] }, 'BAD_USER_INPUT'],
      ['createAccessControlTemplate', { name: 'x', accessControlIds: [w.mine, theirs.mine] }, 'BAD_USER_INPUT'],
      ['createGroup', { name: 'x', userType: 'EMPLOYEE', accessControlIds: [w.mine, theirs.mine] }, 'BAD_USER_INPUT'],
      [
        'createGroup',
        { name: 'x', userType: 'EMPLOYEE', templateIds: [w.template, theirs.template] },
        'BAD_USER_INPUT',
      ],
      ['updateGroup', { id: w.group, accessControlIds: [w.mine, theirs.mine] }, 'BAD_USER_INPUT'],
      ['updateGroup', { id: w.group, templateIds: [w.template, theirs.template] }, 'BAD_USER_INPUT'],
      ['updateRole', { id: w.role, permissionIds: ['read', foreign.split('_').at(-1)] }, 'BAD_USER_INPUT'],
      ['createEmployee', { ...person, groupIds: [w.group, theirs.group] }, 'NOT_FOUND'],
      ['createClient', { name: 'x', kind: 'CUSTOM', scopes: [MINE, foreign] }, 'BAD_USER_INPUT'],
      ['updateClient', { id: w.ownClient, scopes: [MINE, foreign] }, 'BAD_USER_INPUT'],
    ];
    const before = [await rowsOfTenant(service, own.id), await rowsOfTenant(service, other.id)];
    for (const [name, variables, code] of lists) {
      const outcome = outcomeOf(await mutate(service, admin.accessToken, name, { input: variables }));
      expect([name, outcome]).toEqual([name, code]);
    }
    expect([await rowsOfTenant(service, own.id), await rowsOfTenant(service, other.id)]).toEqual(before);
  });
});
