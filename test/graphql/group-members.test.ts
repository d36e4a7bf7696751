// Mutation.addGroupMember and removeGroupMember. Group.members: group-contents.test.ts; `_own`: company-admins.test.ts;
// who may let whom into what: group-scopes.test.ts; which tokens end: group-revocations.test.ts.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenEmployee, givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import {
  administratorOf,
  companyGroup,
  eventsOf,
  everything,
  givenGroup,
  type Membership,
  revokedBy,
  tokenWith,
  tryAddMember,
  tryRemoveMember,
} from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import { type EmployeeToken, employee, isGood, signIn } from '../kit/stories.ts';

let at: Service;
let admin: EmployeeToken;
let bearer: string;
let support: string;
let rival: string;
beforeAll(async () => {
  at = await theService();
  admin = await employee(at);
  bearer = admin.accessToken;
  support = (await employee(at, 'support@demo.example')).accessToken;
  rival = (await employee(at, 'admin@rival.example')).accessToken;
});

const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const reasonOf = ({ code, errors }: Answer) => [code, errors[0]?.extensions.reason ?? errors[0]?.extensions.field];
const expectUntouched = async (attempt: () => Promise<unknown>) => {
  const before = await everything(at);
  await attempt();
  expect(await everything(at)).toEqual(before);
};
const membersOf = async (id: string): Promise<string[]> => {
  const query = `query ($id: ID!) { group(id: $id) { memberCount members { totalCount nodes {
    ... on Employee { id } ... on Customer { id } } } } }`;
  const { memberCount, members } = only(await graphql(at, query, { bearer, variables: { id } }));
  expect([memberCount, members.totalCount]).toEqual([members.nodes.length, members.nodes.length]);
  return members.nodes.map((member: { id: string }) => member.id);
};
/** The one event of a request of the administrator. */
const eventOf = (
  type: string,
  kind: string,
  userId: string,
  group: { id: string; name: string },
  legalEntityId: string | null = null,
) => [
  {
    type,
    outcome: 'success',
    actor: { kind: 'employee', id: admin.employee.id },
    subject: { kind, id: userId },
    legalEntityId,
    details: { groupId: group.id, group: group.name },
  },
];
const steps = { addGroupMember: tryAddMember, removeGroupMember: tryRemoveMember };

describe('addGroupMember', () => {
  it('success: an employee is in it; nothing is revoked; the trail tells who, whom and where', async () => {
    const [person, group] = [await givenEmployee(at), await givenGroup(at)];
    const token = await employee(at, person.email);
    let answer: Answer | undefined;
    const revoked = await revokedBy(at, async () => {
      answer = await tryAddMember(at, bearer, { groupId: group.id, userId: person.id });
    });
    expect(only(answer!)).toEqual({ id: group.id, name: group.name });
    expect([await membersOf(group.id), revoked, await isGood(at, token.accessToken)]).toEqual([[person.id], [], true]);
    expect(await eventsOf(at, answer!)).toEqual(eventOf('group.member_added', 'employee', person.id, group));
  });

  it('success: a customer, everywhere or as a contact of the company', async () => {
    const company = await givenCompany(at);
    const customer = await givenCustomer(at, { [company.id]: null });
    const membership = { userId: customer.id, userType: 'CUSTOMER' } as const;
    for (const legalEntityId of [null, company.id]) {
      const within = legalEntityId === null ? {} : { legalEntityId };
      const group = await givenGroup(at, { userType: 'CUSTOMER', ...within });
      const answer = await tryAddMember(at, bearer, { groupId: group.id, ...membership });
      expect(only(answer)).toEqual({ id: group.id, name: group.name });
      expect(await membersOf(group.id)).toEqual([customer.id]);
      expect(await eventsOf(at, answer)).toEqual(
        eventOf('group.member_added', 'customer', customer.id, group, legalEntityId),
      );
    }
  });

  it('success: who is in it already stays, and no second event tells of it', async () => {
    const person = await givenEmployee(at);
    const group = await givenGroup(at, { memberIds: [person.id] });
    await expectUntouched(async () => {
      expect(only(await tryAddMember(at, bearer, { groupId: group.id, userId: person.id })).id).toBe(group.id);
    });
  });

  it('invalid: CONFLICT `NOT_A_CONTACT` for a stranger to the company, whichever of its groups it is', async () => {
    const [company, other] = [await givenCompany(at), await givenCompany(at)];
    const customer = await givenCustomer(at, { [other.id]: 'BUYER' });
    const own = await givenGroup(at, { userType: 'CUSTOMER', legalEntityId: company.id });
    await expectUntouched(async () => {
      for (const groupId of [own.id, await companyGroup(at, company.id, 'CONTACT')])
        expect(
          reasonOf(await tryAddMember(at, bearer, { groupId, userId: customer.id, userType: 'CUSTOMER' })),
        ).toEqual(['CONFLICT', 'NOT_A_CONTACT']);
    });
  });

  it('invalid: CONFLICT `ROLE_TAKEN` for a second one of Admin, Buyer, Requester in one company, and in that only', async () => {
    const [company, other] = [await givenCompany(at), await givenCompany(at)];
    const customer = await givenCustomer(at, { [company.id]: 'REQUESTER', [other.id]: null });
    const into = async (companyId: string, role: string) =>
      tryAddMember(at, bearer, {
        groupId: await companyGroup(at, companyId, role),
        userId: customer.id,
        userType: 'CUSTOMER',
      });
    await expectUntouched(async () => {
      for (const role of ['ADMIN', 'BUYER'])
        expect(reasonOf(await into(company.id, role))).toEqual(['CONFLICT', 'ROLE_TAKEN']);
      for (const role of ['REQUESTER', 'CONTACT'])
        expect(reasonOf(await into(company.id, role))).toEqual([undefined, undefined]);
    });
    only(await into(other.id, 'ADMIN'));
  });

  it('other tenant: its groups and people are as if they did not exist', async () => {
    const [person, group] = [await givenEmployee(at), await givenGroup(at)];
    const theirs = await givenGroup(at, {}, 'rival');
    const mallory = await db('rival').employee.findFirstOrThrow();
    await expectUntouched(async () => {
      const ask = (change: object) => tryAddMember(at, bearer, { groupId: group.id, userId: person.id, ...change });
      const [noGroup, noPerson] = [await ask({ groupId: randomUUID() }), await ask({ userId: randomUUID() })];
      expect([noGroup.code, noPerson.code]).toEqual(['NOT_FOUND', 'NOT_FOUND']);
      expect((await ask({ groupId: theirs.id })).body).toBe(noGroup.body);
      expect((await ask({ userId: mallory.id })).body).toBe(noPerson.body);
    });
    expect((await tryAddMember(at, rival, { groupId: group.id, userId: mallory.id })).code).toBe('NOT_FOUND');
  });
});

describe('removeGroupMember', () => {
  it('success: an employee is out of it and stays in others; the trail tells who, whom and where', async () => {
    const [person, colleague] = [await givenEmployee(at), await givenEmployee(at)];
    const group = await givenGroup(at, { memberIds: [person.id, colleague.id] });
    const answer = await tryRemoveMember(at, bearer, { groupId: group.id, userId: person.id });
    expect(only(answer)).toEqual({ id: group.id, name: group.name });
    expect([await membersOf(group.id), await membersOf(person.groupId)]).toEqual([[colleague.id], [person.id]]);
    expect(await eventsOf(at, answer)).toEqual(eventOf('group.member_removed', 'employee', person.id, group));
  });

  it('success: a customer, also out of a predefined group, and then out of Requester into Buyer', async () => {
    const company = await givenCompany(at);
    const customer = await givenCustomer(at, { [company.id]: 'REQUESTER' });
    const group = await db().group.findFirstOrThrow({ where: { legalEntityId: company.id, role: 'REQUESTER' } });
    const membership = { userId: customer.id, userType: 'CUSTOMER' } as const;
    const answer = await tryRemoveMember(at, bearer, { groupId: group.id, ...membership });
    expect(await eventsOf(at, answer)).toEqual(
      eventOf('group.member_removed', 'customer', customer.id, group, company.id),
    );
    const buyers = await companyGroup(at, company.id, 'BUYER');
    only(await tryAddMember(at, bearer, { groupId: buyers, ...membership }));
    expect([await membersOf(group.id), await membersOf(buyers)]).toEqual([[], [customer.id]]);
  });

  it('invalid: NOT_FOUND for who is not in it', async () => {
    const [person, group] = [await givenEmployee(at), await givenGroup(at)];
    await expectUntouched(async () => {
      expect((await tryRemoveMember(at, bearer, { groupId: group.id, userId: person.id })).code).toBe('NOT_FOUND');
    });
  });

  it('case 100: the last enabled employee who can manage groups stays among those who can', async () => {
    const tenant = await givenTenant(at);
    const token = await administratorOf(at, tenant);
    const { groupId } = await db(tenant.id).employeeMembership.findFirstOrThrow();
    const userId = tenant.employee.id;
    expect(reasonOf(await tryRemoveMember(at, token, { groupId, userId }))).toEqual(['CONFLICT', 'LAST_ADMINISTRATOR']);
    const disabled = await db(tenant.id).employee.create({
      data: { tenantId: tenant.id, email: 'off@test.example', firstName: 'O', lastName: 'F', enabled: false },
    });
    only(await tryAddMember(at, token, { groupId, userId: disabled.id }));
    expect(reasonOf(await tryRemoveMember(at, token, { groupId, userId }))).toEqual(['CONFLICT', 'LAST_ADMINISTRATOR']);
    await db(tenant.id).employee.updateMany({ data: { enabled: true } });
    only(await tryRemoveMember(at, token, { groupId, userId }));
    expect(await isGood(at, token)).toBe(false);
  });

  it('other tenant: its groups and members are as if they did not exist', async () => {
    const mallory = await db('rival').employee.findFirstOrThrow();
    const theirs = await givenGroup(at, { memberIds: [mallory.id] }, 'rival');
    const ask = (userId: string) => tryRemoveMember(at, bearer, { groupId: theirs.id, userId });
    const [foreign, nowhere] = [await ask(mallory.id), await ask(randomUUID())];
    expect([foreign.code, foreign.body]).toEqual(['NOT_FOUND', nowhere.body]);
    expect(await db('rival').employeeMembership.count({ where: { groupId: theirs.id } })).toBe(1);
  });
});

for (const [name, step] of Object.entries(steps)) {
  describe(name, () => {
    const of = async (): Promise<Membership> => {
      const { id: userId } = await givenEmployee(at);
      return { groupId: (await givenGroup(at, { memberIds: [userId] })).id, userId };
    };

    it('invalid: NOT_FOUND for a group or a person that there is not, BAD_USER_INPUT for the other type of user', async () => {
      const [membership, customer] = [await of(), await givenCustomer(at)];
      const customers = await givenGroup(at, { userType: 'CUSTOMER' });
      await expectUntouched(async () => {
        for (const [change, code, field] of [
          [{ groupId: randomUUID() }, 'NOT_FOUND', undefined],
          [{ userId: randomUUID() }, 'NOT_FOUND', undefined],
          [{ userId: customer.id }, 'NOT_FOUND', undefined],
          [{ groupId: customers.id, userType: 'CUSTOMER' }, 'NOT_FOUND', undefined],
          [{ userType: 'CUSTOMER' }, 'BAD_USER_INPUT', 'input.userType'],
          [{ groupId: customers.id }, 'BAD_USER_INPUT', 'input.userType'],
        ] as const)
          expect([change, ...reasonOf(await step(at, bearer, { ...membership, ...change }))]).toEqual([
            change,
            code,
            field,
          ]);
      });
    });

    it('unauthenticated', async () => {
      expect((await step(at, undefined, await of())).code).toBe('UNAUTHENTICATED');
    });

    it('forbidden: needs iam.assignment_manage, or the `_own` one for it and not for the opposite', async () => {
      const membership = await of();
      const opposite = `iam.assignment_${name === 'addGroupMember' ? 'delete' : 'create'}_own`;
      const tokens = [support, (await signIn(at)).accessToken, await tokenWith(at, 'iam.group_manage', opposite)];
      await expectUntouched(async () => {
        for (const token of tokens) {
          const { errors } = await step(at, token, membership);
          expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['iam.assignment_manage'] });
        }
      });
    });
  });
}
