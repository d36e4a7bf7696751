// Mutation.createEmployee: who gets in, and with what. Changing and deleting accounts: employee-changes.test.ts.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenEmployee } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { eventsOf, givenGroup, revokedBy, tokenWith } from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import { type EmployeeToken, employee, PASSWORD, serviceToken, tryEmployeeLogin } from '../kit/stories.ts';

let at: Service;
let admin: EmployeeToken;
let rival: string;
beforeAll(async () => {
  at = await theService();
  admin = await employee(at);
  rival = (await serviceToken(at, 'rival-backend')).accessToken;
});

const FIELDS = 'id email firstName lastName enabled version';
const newEmail = () => `new-${randomUUID()}@test.example`;
const create = (input: object, bearer: string | undefined = admin.accessToken) =>
  graphql(at, `mutation ($input: CreateEmployeeInput!) { createEmployee(input: $input) { ${FIELDS} } }`, {
    bearer,
    variables: { input: { email: newEmail(), firstName: 'Nina', lastName: 'New', ...input } },
  });
const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const stored = (id: string, tenantId = 'demo') =>
  db(tenantId).employee.findUnique({ where: { tenantId_id: { tenantId, id } } });
const refusal = (answer: Answer) => answer.errors[0]?.extensions;
const adminActor = () => ({ kind: 'employee', id: admin.employee.id });
/** Neither an account nor a membership nor an event has come of it. */
async function nothingMade(work: () => Promise<Answer>): Promise<Answer> {
  const counts = () => Promise.all([db().employee.count(), db().employeeMembership.count(), db().auditEvent.count()]);
  const before = await counts();
  const answer = await work();
  expect(await counts()).toEqual(before);
  return answer;
}

describe('createEmployee', () => {
  it('success: with a password, in groups from the start; the trail says who made what, without address or secret', async () => {
    const [one, other] = [
      await givenGroup(at, { scopes: ['order.order_read'] }),
      await givenGroup(at, { scopes: ['price.price_read'] }),
    ];
    const password = 'a password of this test only';
    const email = newEmail();
    const answer = await create({ email: ` ${email.toUpperCase()} `, password, groupIds: [one.id, other.id, one.id] });
    const person = only(answer);
    expect(person).toEqual({
      ...{ id: expect.any(String), email, firstName: 'Nina', lastName: 'New', enabled: true, version: 1 },
    });
    const { scopes } = only<EmployeeToken>(await tryEmployeeLogin(at, email, password));
    expect(scopes).toEqual(['order.order_read', 'price.price_read']);
    const subject = { kind: 'employee', id: person.id };
    const common = { actor: adminActor(), subject, outcome: 'success', legalEntityId: null };
    const events = await eventsOf(at, answer);
    const groups = [one, other].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(events).toHaveLength(3);
    expect(events).toEqual(
      expect.arrayContaining([
        { ...common, type: 'employee.created', details: { after: { hasPassword: true } } },
        ...groups.map(({ id, name }) => ({
          ...{ ...common, type: 'group.member_added', details: { groupId: id, group: name } },
        })),
      ]),
    );
    expect(JSON.stringify(events)).not.toMatch(/argon2|a password of|@test\.example|Nina/);
    expect((await stored(person.id))?.passwordHash).toMatch(/^\$argon2id\$/);
  });

  it('success: without a password nobody signs in with one; one event, and no token ends', async () => {
    let answer: Answer;
    expect(
      await revokedBy(at, async () => {
        answer = await create({ password: null, groupIds: null });
      }),
    ).toEqual([]);
    const { id, email } = only(answer!);
    expect(await stored(id)).toMatchObject({ passwordHash: null });
    for (const password of [PASSWORD, '', 'null']) {
      expect((await tryEmployeeLogin(at, email, password)).code).toBe('INVALID_GRANT');
    }
    expect(await eventsOf(at, answer!)).toMatchObject([
      { type: 'employee.created', subject: { kind: 'employee', id }, details: { after: { hasPassword: false } } },
    ]);
  });

  it.each([
    ['no address', { email: 'nobody' }, 'input.email'],
    ['an address that looks like another', { email: 'mıke@test.example' }, 'input.email'],
    ['a first name of 101 characters', { firstName: 'x'.repeat(101) }, 'input.firstName'],
    ['a last name of 101 characters', { lastName: 'x'.repeat(101) }, 'input.lastName'],
    ['a short password', { password: 'too short' }, 'input.password'],
    ['a common password', { password: 'password123' }, 'input.password'],
    ['an empty password', { password: '' }, 'input.password'],
    ['an endless list of groups', { groupIds: Array(501).fill('x') }, 'input.groupIds'],
  ])('invalid: BAD_USER_INPUT for %s, and nothing is made', async (_case, input, field) => {
    const answer = await nothingMade(() => create(input));
    expect(refusal(answer)).toMatchObject({ code: 'BAD_USER_INPUT', field });
  });

  it('success: names of 100 characters', async () => {
    const name = 'ä'.repeat(100);
    expect(only(await create({ firstName: name, lastName: name }))).toMatchObject({ firstName: name, lastName: name });
  });

  it('invalid: CONFLICT EMAIL_TAKEN in whatever case; the account that is there stays as it is', async () => {
    const { id, email } = await givenEmployee(at);
    const before = await stored(id);
    const input = { email: email.toUpperCase(), firstName: 'Other', password: 'a password of this test only' };
    const answer = await nothingMade(() => create(input));
    expect(refusal(answer)).toMatchObject({ code: 'CONFLICT', reason: 'EMAIL_TAKEN' });
    expect(await stored(id)).toEqual(before);
  });

  it('invalid: NOT_FOUND for a group that there is not, be it the second; BAD_USER_INPUT for one of customers', async () => {
    const [{ id }, customers] = [await givenGroup(at), await givenGroup(at, { userType: 'CUSTOMER' })];
    const foreign = await givenGroup(at, {}, 'rival');
    for (const groupId of ['zz-no-such-group', foreign.id]) {
      expect((await nothingMade(() => create({ groupIds: [id, groupId] }))).code).toBe('NOT_FOUND');
    }
    const answer = await nothingMade(() => create({ groupIds: [id, customers.id] }));
    expect(refusal(answer)).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.groupIds.1' });
  });

  it('unauthenticated and forbidden: needs iam.user_create; other rights on people are not enough', async () => {
    const input = `{ email: "${newEmail()}", firstName: "x", lastName: "y" }`;
    const query = `mutation { createEmployee(input: ${input}) { id } }`;
    expect((await graphql(at, query)).code).toBe('UNAUTHENTICATED');
    const bearer = await tokenWith(at, 'iam.user_read', 'iam.user_update', 'iam.user_delete', 'iam.assignment_manage');
    expect(refusal(await nothingMade(() => create({}, bearer)))).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: ['iam.user_create'] },
    });
  });

  it('forbidden: groups need iam.assignment_manage too; none and an empty list do not', async () => {
    const { id } = await givenGroup(at);
    const bearer = await tokenWith(at, 'iam.user_create', 'iam.assignment_create_own', 'iam.group_manage');
    expect(refusal(await nothingMade(() => create({ groupIds: [id] }, bearer)))).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: ['iam.assignment_manage'] },
    });
    only(await create({ groupIds: [] }, bearer));
  });

  it('forbidden, cases 98, 99 and 103: nobody makes somebody who may do more, be it by the second group', async () => {
    const may = await givenGroup(at, { scopes: ['price.price_read', 'customer.customer_read_own'] });
    const mayNot = await givenGroup(at, { scopes: ['price.price_read', 'order.order_read', 'brand.brand_manage'] });
    const held = ['iam.user_create', 'iam.assignment_manage', 'price.price_read', 'customer.customer_read'];
    const bearer = await tokenWith(at, ...held);
    expect(refusal(await nothingMade(() => create({ groupIds: [may.id, mayNot.id] }, bearer)))).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: ['brand.brand_manage', 'order.order_read'] },
    });
    only(await create({ groupIds: [may.id] }, bearer));
  });

  it('other tenant: it is made in the caller’s, where an address of another tenant is free', async () => {
    const { email } = await givenEmployee(at);
    const { id } = only(await create({ email }, rival));
    expect([(await stored(id, 'rival'))?.email, await stored(id)]).toEqual([email, null]);
  });
});
