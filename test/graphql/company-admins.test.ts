// `_own` in administration, product.md section 4: the Admin of a company sees and sorts its people into its groups, and
// nobody else's; acting for no company, nothing is one's own.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenCustomerGroup, givenEmployee } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import {
  companyGroup,
  eventsOf,
  everything,
  givenGroup,
  type Membership,
  revokedBy,
  tokenWith,
  tryAddMember,
  tryCreateGroup,
  tryRemoveMember,
} from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import { employee, isGood, signIn, tryAssist } from '../kit/stories.ts';

type Customer = Awaited<ReturnType<typeof givenCustomer>>;

let at: Service;
let company: string;
let other: string;
let admin: Customer;
let requester: Customer;
/** Admin of the other company, and a contact of the company. */
let both: Customer;
let stranger: Customer;
let bearer: string;
beforeAll(async () => {
  at = await theService();
  [company, other] = [(await givenCompany(at)).id, (await givenCompany(at)).id];
  admin = await givenCustomer(at, { [company]: 'ADMIN', [other]: null });
  requester = await givenCustomer(at, { [company]: 'REQUESTER' });
  both = await givenCustomer(at, { [company]: null, [other]: 'ADMIN' });
  stranger = await givenCustomer(at, { [other]: 'BUYER' });
  bearer = await tokenOf(admin);
});

const tokenOf = async ({ email }: { email: string }, legalEntityId: string | null = company): Promise<string> =>
  (await signIn(at, email, { legalEntityId })).accessToken;
const ask = (query: string, variables: Record<string, unknown> = {}, token = bearer): Promise<Answer<any>> =>
  graphql(at, query, { bearer: token, variables });
const GROUPS = `query ($legalEntityId: ID, $search: String, $userType: UserType) {
  groups(first: 200, legalEntityId: $legalEntityId, search: $search, userType: $userType) {
    totalCount nodes { id role legalEntity { id } } } }`;
const CUSTOMERS = `query ($legalEntityId: ID, $search: String) {
  customers(first: 200, legalEntityId: $legalEntityId, search: $search) { totalCount nodes { id } } }`;
const MEMBERS = `query ($id: ID!) { group(id: $id) {
  memberCount members { totalCount nodes { __typename ... on Customer { id } } } } }`;
const idsOf = ({ nodes }: { nodes: { id: string }[] }) => nodes.map(({ id }) => id).sort();
const membersOf = async (id: string, token = bearer) => {
  const { memberCount, members } = only(await ask(MEMBERS, { id }, token));
  expect([memberCount, members.totalCount]).toEqual([members.nodes.length, members.nodes.length]);
  return idsOf(members);
};
const nothing = { totalCount: 0, nodes: [] };
const steps = { addGroupMember: tryAddMember, removeGroupMember: tryRemoveMember };
const customers = (groupId: string, userId: string): Membership => ({ groupId, userId, userType: 'CUSTOMER' });
const reasonOf = ({ code, errors }: Answer) => [code, errors[0]?.extensions.reason];
const expectUntouched = async (attempt: () => Promise<unknown>) => {
  const before = await everything(at);
  await attempt();
  expect(await everything(at)).toEqual(before);
};

describe('what an Admin sees', () => {
  it('of the demo data: buyer@demo.example the groups, members and customers of ACME, and no others', async () => {
    const token = await tokenOf({ email: 'buyer@demo.example' }, 'acme');
    const db = at.app.modules.database.forTenant({ tenantId: 'demo' });
    const groups = only(await ask(GROUPS, {}, token));
    expect(groups.nodes.map(({ role }: { role: string }) => role)).toEqual(
      expect.arrayContaining(['ADMIN', 'BUYER', 'CONTACT', 'REQUESTER']),
    );
    expect(idsOf(groups)).toEqual(idsOf({ nodes: await db.group.findMany({ where: { legalEntityId: 'acme' } }) }));
    const contacts = await db.customer.findMany({
      where: { contactAssignments: { some: { legalEntityId: 'acme' } } },
      orderBy: { email: 'asc' },
    });
    const seen = only(await ask(CUSTOMERS, {}, token));
    expect([idsOf(seen), seen.totalCount]).toEqual([idsOf({ nodes: contacts }), contacts.length]);
    const emails = new Map(contacts.map(({ email, id }) => [email, id]));
    const [buyer, rae] = ['buyer@demo.example', 'requester@demo.example'].map((email) => emails.get(email)!);
    expect(await membersOf(await companyGroup(at, 'acme', 'ADMIN'), token)).toContain(buyer);
    expect(await membersOf(await companyGroup(at, 'acme', 'REQUESTER'), token)).toContain(rae);
    expect(emails.has('shopper@demo.example')).toBe(false);
  });

  it('the groups of the company, its own ones, too; filters find nothing beyond', async () => {
    const search = randomUUID();
    const own = await givenGroup(at, { name: search, userType: 'CUSTOMER', legalEntityId: company });
    const hidden = [
      await givenGroup(at, { name: search, userType: 'CUSTOMER', legalEntityId: other }),
      await givenGroup(at, { name: search, userType: 'CUSTOMER' }),
      await givenGroup(at, { name: search }),
    ];
    const all = only(await ask(GROUPS));
    expect([all.totalCount, idsOf(all)]).toEqual([all.nodes.length, expect.arrayContaining([own.id])]);
    for (const { legalEntity } of all.nodes) expect(legalEntity).toEqual({ id: company });
    expect(only(await ask(GROUPS, { search }))).toMatchObject({ totalCount: 1, nodes: [{ id: own.id }] });
    for (const filter of [{ legalEntityId: other }, { userType: 'EMPLOYEE' }, { search, legalEntityId: 'acme' }])
      expect(only(await ask(GROUPS, filter))).toEqual(nothing);
    const missing = await ask(MEMBERS, { id: randomUUID() });
    expect(only(missing)).toBeNull();
    for (const { id } of hidden) expect((await ask(MEMBERS, { id })).body).toBe(missing.body);
  });

  it('the contacts of the company as members and customers; of a contact no groups elsewhere', async () => {
    const { id } = await givenGroup(at, {
      userType: 'CUSTOMER',
      legalEntityId: company,
      memberIds: [both.id, stranger.id],
    });
    expect(await membersOf(id)).toEqual([both.id]);
    expect(await membersOf(await companyGroup(at, company, 'CONTACT'))).toEqual(
      [admin.id, requester.id, both.id].sort(),
    );
    const seen = only(await ask(CUSTOMERS));
    expect([seen.totalCount, idsOf(seen)]).toEqual([3, [admin.id, requester.id, both.id].sort()]);
    expect(only(await ask(CUSTOMERS, { search: stranger.email }))).toEqual(nothing);
    const contact = 'query ($id: ID!) { customer(id: $id) { id groups { legalEntity { id } } } }';
    const { groups } = only(await ask(contact, { id: both.id }));
    expect(groups).toEqual([{ legalEntity: { id: company } }, { legalEntity: { id: company } }]);
    const missing = await ask(contact, { id: randomUUID() });
    expect((await ask(contact, { id: stranger.id })).body).toBe(missing.body);
  });

  it('no employees, and nothing of what a group gives', async () => {
    const id = await companyGroup(at, company, 'BUYER');
    for (const [query, lacking] of [
      ['{ employees { nodes { id } } }', 'iam.user_read'],
      [`{ group(id: "${id}") { scopes } }`, 'iam.access_read'],
      [`{ group(id: "${id}") { accessControls { id } } }`, 'iam.access_read'],
      [`{ group(id: "${id}") { templates { id } } }`, 'iam.template_read'],
      [`{ group(id: "${id}") { members { nodes { ... on Employee { groups { id } } } } } }`, 'iam.group_read'],
      [`{ accessControls { nodes { id } } }`, 'iam.access_read'],
    ] as const) {
      const { code, errors } = await ask(query);
      expect([query, code, errors[0]?.extensions.missingScopes]).toEqual([query, 'FORBIDDEN', [lacking]]);
    }
  });
});

describe('what an Admin does', () => {
  it('puts a Requester into Buyer once out of Requester; the trail names the Admin, the customer and the company', async () => {
    const person = await givenCustomer(at, { [company]: 'REQUESTER' });
    const tokens = [await tokenOf(person), await tokenOf(person, null)];
    const [requesters, buyers] = [
      await companyGroup(at, company, 'REQUESTER'),
      await companyGroup(at, company, 'BUYER'),
    ];
    await expectUntouched(async () => {
      const taken = await tryAddMember(at, bearer, customers(buyers, person.id));
      expect(reasonOf(taken)).toEqual(['CONFLICT', 'ROLE_TAKEN']);
    });
    let [removed, added]: Answer[] = [];
    const revoked = await revokedBy(at, async () => {
      removed = await tryRemoveMember(at, bearer, customers(requesters, person.id));
      added = await tryAddMember(at, bearer, customers(buyers, person.id));
    });
    expect([only(removed!).id, only(added!).id]).toEqual([requesters, buyers]);
    expect(revoked).toEqual([`LEGAL_ENTITY_MEMBERSHIP ${company}:${person.id}`]);
    expect(await Promise.all(tokens.map((token) => isGood(at, token)))).toEqual([false, true]);
    const told = {
      outcome: 'success',
      actor: { kind: 'customer', id: admin.id },
      subject: { kind: 'customer', id: person.id },
      legalEntityId: company,
    };
    expect(await eventsOf(at, removed!)).toEqual([
      { ...told, type: 'group.member_removed', details: { groupId: requesters, group: `${company} Requester` } },
    ]);
    expect(await eventsOf(at, added!)).toEqual([
      { ...told, type: 'group.member_added', details: { groupId: buyers, group: `${company} Buyer` } },
    ]);
    expect([await membersOf(buyers), await membersOf(requesters)]).toEqual([[person.id], [requester.id]]);
  });

  it('makes another Admin, who removes the first: felt at once', async () => {
    const [first, second] = [
      await givenCustomer(at, { [company]: 'ADMIN' }),
      await givenCustomer(at, { [company]: null }),
    ];
    const admins = await companyGroup(at, company, 'ADMIN');
    const firsts = await tokenOf(first);
    only(await tryAddMember(at, firsts, customers(admins, second.id)));
    only(await tryRemoveMember(at, await tokenOf(second), customers(admins, first.id)));
    expect((await ask(GROUPS, {}, firsts)).code).toBe('UNAUTHENTICATED');
    expect((await ask(GROUPS, {}, await tokenOf(first))).code).toBe('FORBIDDEN');
  });

  it('case 99: NOT_FOUND for groups of others, everywhere, of employees, of another tenant, as for none at all', async () => {
    const person = await givenEmployee(at);
    const within = async (legalEntityId: string, role: string) =>
      customers(await companyGroup(at, legalEntityId, role), both.id);
    const foreign: Membership[] = [
      await within(other, 'ADMIN'),
      await within(other, 'BUYER'),
      await within('globex', 'CONTACT'),
      customers((await givenGroup(at, { userType: 'CUSTOMER', memberIds: [both.id] })).id, both.id),
      customers((await givenGroup(at, { userType: 'CUSTOMER' }, 'rival')).id, both.id),
      { groupId: person.groupId, userId: person.id },
      { groupId: person.groupId, userId: both.id, userType: 'CUSTOMER' },
    ];
    await expectUntouched(async () => {
      for (const [name, step] of Object.entries(steps)) {
        const nowhere = await step(at, bearer, customers(randomUUID(), both.id));
        expect(nowhere.code).toBe('NOT_FOUND');
        for (const membership of foreign) {
          const answer = await step(at, bearer, membership);
          expect([name, membership, answer.status, answer.body]).toEqual([
            name,
            membership,
            nowhere.status,
            nowhere.body,
          ]);
        }
      }
    });
  });

  it('case 99: NOT_FOUND for who is no contact of the company, even in its groups, as for nobody at all', async () => {
    const mallory = await at.app.modules.customers.findByEmail({ tenantId: 'rival' }, 'mallory@rival.example');
    const { id: groupId } = await givenGroup(at, {
      userType: 'CUSTOMER',
      legalEntityId: company,
      memberIds: [stranger.id],
    });
    const shopper = await at.app.modules.customers.findByEmail({ tenantId: 'demo' }, 'shopper@demo.example');
    await expectUntouched(async () => {
      for (const step of Object.values(steps)) {
        const nobody = await step(at, bearer, customers(groupId, randomUUID()));
        expect(nobody.code).toBe('NOT_FOUND');
        for (const { id } of [stranger, shopper!, mallory!, await givenUser()])
          expect((await step(at, bearer, customers(groupId, id))).body).toBe(nobody.body);
      }
    });
  });
  const givenUser = async () =>
    (await at.app.modules.employees.findByEmail({ tenantId: 'demo' }, 'support@demo.example'))!;

  it('cannot hand out what the Admins lack, but can take it away', async () => {
    const { id: groupId } = await givenGroup(at, {
      userType: 'CUSTOMER',
      legalEntityId: company,
      scopes: ['order.order_read_le', 'iam.user_read_own'],
      memberIds: [both.id],
    });
    await expectUntouched(async () => {
      const { code, errors } = await tryAddMember(at, bearer, customers(groupId, requester.id));
      expect([code, errors[0]?.extensions.missingScopes]).toEqual(['FORBIDDEN', ['order.order_read_le']]);
    });
    only(await tryRemoveMember(at, bearer, customers(groupId, both.id)));
    expect(await membersOf(groupId)).toEqual([]);
  });

  it('makes no groups', async () => {
    const { code } = await tryCreateGroup(at, bearer, { name: 'x', userType: 'CUSTOMER', legalEntityId: company });
    expect(code).toBe('FORBIDDEN');
  });

  it('with an employee’s help: the trail names the employee, and for whom', async () => {
    const person = await givenCustomer(at, { [company]: null });
    const support = await employee(at, 'support@demo.example');
    const help = { customerId: admin.id, legalEntityId: company };
    const { accessToken } = only(await tryAssist(at, support.accessToken, help));
    const buyers = await companyGroup(at, company, 'BUYER');
    for (const step of Object.values(steps)) {
      const answer = await step(at, accessToken, customers(buyers, person.id));
      expect(only(answer).id).toBe(buyers);
      expect(await eventsOf(at, answer)).toMatchObject([
        {
          actor: { kind: 'employee', id: support.employee.id, onBehalfOf: admin.id },
          subject: { kind: 'customer', id: person.id },
          legalEntityId: company,
        },
      ]);
    }
  });
});

describe('who is no Admin of the company', () => {
  const refused = [GROUPS, CUSTOMERS, MEMBERS];

  it('a Buyer, a Requester, a contact, and an Admin without the company are FORBIDDEN everything', async () => {
    const buyer = await givenCustomer(at, { [company]: 'BUYER' });
    const buyers = await companyGroup(at, company, 'BUYER');
    for (const token of [
      await tokenOf(buyer),
      await tokenOf(requester),
      await tokenOf(both),
      await tokenOf(admin, null),
      await tokenOf(admin, other),
    ]) {
      for (const query of refused) expect((await ask(query, { id: buyers }, token)).code).toBe('FORBIDDEN');
      for (const step of Object.values(steps))
        expect((await step(at, token, customers(buyers, buyer.id))).code).toBe('FORBIDDEN');
    }
  });

  it('with the `_own` scopes but for no company: nothing is theirs, whoever they are', async () => {
    const scopes = [
      ...['iam.group_read_own', 'iam.user_read_own', 'customer.customer_read_own'],
      ...['iam.assignment_create_own', 'iam.assignment_delete_own', 'customermanagement.legalentity_read_own'],
    ];
    const person = await givenCustomer(at, { [company]: null });
    await givenCustomerGroup(at, scopes, person.id);
    const staff = await givenEmployee(at, scopes);
    const tokens = [
      await tokenOf(person, null),
      (await employee(at, staff.email)).accessToken,
      await tokenWith(at, ...scopes),
    ];
    const contacts = await companyGroup(at, company, 'CONTACT');
    await expectUntouched(async () => {
      for (const token of tokens) {
        expect(only(await ask(GROUPS, {}, token))).toEqual(nothing);
        expect(only(await ask(GROUPS, { legalEntityId: company }, token))).toEqual(nothing);
        expect(only(await ask(CUSTOMERS, {}, token))).toEqual(nothing);
        expect(only(await ask(MEMBERS, { id: contacts }, token))).toBeNull();
        for (const step of Object.values(steps)) {
          expect((await step(at, token, customers(contacts, person.id))).code).toBe('NOT_FOUND');
          expect((await step(at, token, { groupId: staff.groupId, userId: staff.id })).code).toBe('NOT_FOUND');
        }
      }
    });
    const forCompany = await tokenOf(person);
    expect(only(await ask(GROUPS, {}, forCompany)).totalCount).toBeGreaterThanOrEqual(4);
  });

  it('who may read every group, but only members of the own company, sees the groups without members', async () => {
    const token = await tokenWith(at, 'iam.group_read', 'iam.user_read_own');
    const person = await givenEmployee(at);
    for (const id of [await companyGroup(at, company, 'CONTACT'), person.groupId])
      expect(await membersOf(id, token)).toEqual([]);
  });

  it('an Admin in another tenant sees and touches nothing here', async () => {
    const token = (await signIn(at, 'mallory@rival.example', { legalEntityId: 'umbrella' })).accessToken;
    const { nodes } = only(await ask(GROUPS, {}, token));
    expect(nodes.map(({ legalEntity }: any) => legalEntity.id)).toEqual(Array(4).fill('umbrella'));
    expect(only(await ask(GROUPS, { legalEntityId: 'acme' }, token))).toEqual(nothing);
    const groupId = await companyGroup(at, company, 'CONTACT');
    expect(only(await ask(MEMBERS, { id: groupId }, token))).toBeNull();
    for (const step of Object.values(steps))
      expect((await step(at, token, customers(groupId, admin.id))).code).toBe('NOT_FOUND');
  });
});
