// Mutation.deleteGroup. Which tokens it ends: group-revocations.test.ts.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCustomer, givenEmployee, givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import {
  administratorOf,
  eventsOf,
  everything,
  givenControl,
  givenGroup,
  revokedBy,
  tokenWith,
  tryDeleteGroup,
  tryUpdateGroup,
} from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import { type EmployeeToken, employee } from '../kit/stories.ts';

let at: Service;
let admin: EmployeeToken;
let bearer: string;
let rival: string;
beforeAll(async () => {
  at = await theService();
  admin = await employee(at);
  bearer = admin.accessToken;
  rival = (await employee(at, 'admin@rival.example')).accessToken;
});

const isThere = async (id: string): Promise<boolean> =>
  only(await graphql(at, 'query ($id: ID!) { group(id: $id) { id } }', { bearer, variables: { id } })) !== null;
const reasonOf = ({ code, errors }: Answer) => [code, errors[0]?.extensions.reason];

describe('deleteGroup', () => {
  it('success: without members it is gone, nothing is revoked, and the trail tells what it was', async () => {
    const control = await givenControl(at, { scopes: ['order.order_read'] });
    const { id, name } = await givenGroup(at, { controlIds: [control.id] });
    let answer: Answer | undefined;
    expect(await revokedBy(at, async () => (answer = await tryDeleteGroup(at, bearer, id)))).toEqual([]);
    expect(only(answer!)).toBe(id);
    expect(await isThere(id)).toBe(false);
    const told = { name, userType: 'EMPLOYEE', legalEntityId: null, accessControlIds: [control.id], templateIds: [] };
    expect(await eventsOf(at, answer!)).toEqual([
      {
        type: 'group.deleted',
        outcome: 'success',
        actor: { kind: 'employee', id: admin.employee.id },
        subject: { kind: 'group', id },
        legalEntityId: null,
        details: { before: { ...told, members: 0 } },
      },
    ]);
    const kept = only(
      await graphql(at, 'query ($id: ID!) { accessControl(id: $id) { id } }', {
        bearer,
        variables: { id: control.id },
      }),
    );
    expect(kept).toEqual({ id: control.id });
    expect((await tryDeleteGroup(at, bearer, id)).code).toBe('NOT_FOUND');
  });

  it('with members it is CONFLICT `GROUP_HAS_MEMBERS` without force; force needs iam.assignment_manage, too', async () => {
    const [person, customer] = [await givenEmployee(at), await givenCustomer(at)];
    const limited = await tokenWith(at, 'iam.group_manage');
    const enough = await tokenWith(at, 'iam.group_manage', 'iam.assignment_manage');
    for (const [userType, userId] of [
      ['EMPLOYEE', person.id],
      ['CUSTOMER', customer.id],
    ] as const) {
      const { id } = await givenGroup(at, { userType, memberIds: [userId], scopes: ['order.order_read'] });
      const before = await everything(at);
      for (const force of [undefined, null, false])
        expect(reasonOf(await tryDeleteGroup(at, enough, id, force))).toEqual(['CONFLICT', 'GROUP_HAS_MEMBERS']);
      const { errors } = await tryDeleteGroup(at, limited, id, true);
      expect(errors[0]?.extensions).toMatchObject({
        code: 'FORBIDDEN',
        requiredScopes: [['iam.assignment_manage']],
        missingScopes: ['iam.assignment_manage'],
      });
      expect(await everything(at)).toEqual(before);
      const answer = await tryDeleteGroup(at, enough, id, true);
      expect(only(answer)).toBe(id);
      expect(await eventsOf(at, answer)).toMatchObject([
        { type: 'group.deleted', details: { before: { members: 1 } } },
      ]);
      expect(await isThere(id)).toBe(false);
      const empty = await givenGroup(at, { userType });
      expect(only(await tryDeleteGroup(at, limited, empty.id, true))).toBe(empty.id);
    }
  });

  it('case 100: the last group that lets an enabled employee manage groups is neither deleted nor stripped', async () => {
    const tenant = await givenTenant(at);
    const token = await administratorOf(at, tenant);
    const db = at.app.modules.database.forTenant({ tenantId: tenant.id });
    const { groupId: id } = await db.employeeMembership.findFirstOrThrow();
    const last = ['CONFLICT', 'LAST_ADMINISTRATOR'];
    expect(reasonOf(await tryDeleteGroup(at, token, id, true))).toEqual(last);
    expect(reasonOf(await tryUpdateGroup(at, token, { id, accessControlIds: [] }))).toEqual(last);
    expect(await db.groupAccessControl.count({ where: { groupId: id } })).toBe(1);
    const other = await givenGroup(at, { scopes: ['iam.group_manage'], memberIds: [tenant.employee.id] }, tenant.id);
    only(await tryDeleteGroup(at, token, id, true));
    const again = await administratorOf(at, tenant);
    expect(reasonOf(await tryUpdateGroup(at, again, { id: other.id, accessControlIds: [] }))).toEqual(last);
  });

  it('invalid: NOT_FOUND for an id that there is not', async () => {
    for (const id of ['', 'nothing', randomUUID()])
      expect((await tryDeleteGroup(at, bearer, id, true)).code).toBe('NOT_FOUND');
  });

  it('unauthenticated', async () => {
    const { id } = await givenGroup(at);
    expect((await tryDeleteGroup(at, undefined, id)).code).toBe('UNAUTHENTICATED');
  });

  it('forbidden: needs iam.group_manage', async () => {
    const { id } = await givenGroup(at);
    const token = await tokenWith(at, 'iam.assignment_manage', 'iam.group_read');
    const { errors } = await tryDeleteGroup(at, token, id, true);
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['iam.group_manage'] });
  });

  it('other tenant: looks as what does not exist, and stays', async () => {
    const { id } = await givenGroup(at);
    const [foreign, nowhere] = [await tryDeleteGroup(at, rival, id), await tryDeleteGroup(at, rival, randomUUID())];
    expect([foreign.code, foreign.body]).toEqual(['NOT_FOUND', nowhere.body]);
    expect(await isThere(id)).toBe(true);
  });
});
