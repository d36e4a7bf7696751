// Mutation.updateEmployee and deleteEmployee: who is out at once, and who may let somebody in again.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenEmployee, givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { administratorOf, eventsOf, givenGroup, revokedBy, tokenWith } from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import {
  type EmployeeToken,
  employee,
  isGood,
  PASSWORD,
  serviceToken,
  tryEmployeeLogin,
  tryRefreshEmployee,
  tryServiceToken,
} from '../kit/stories.ts';

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
const update = (input: object, bearer: string | undefined = admin.accessToken) =>
  graphql(at, `mutation ($input: UpdateEmployeeInput!) { updateEmployee(input: $input) { ${FIELDS} } }`, {
    bearer,
    variables: { input },
  });
const remove = (id: string, bearer: string | undefined = admin.accessToken) =>
  graphql(at, 'mutation ($id: ID!) { deleteEmployee(id: $id) }', { bearer, variables: { id } });
const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const stored = (id: string, tenantId = 'demo') =>
  db(tenantId).employee.findUnique({ where: { tenantId_id: { tenantId, id } } });
const refusal = (answer: Answer) => answer.errors[0]?.extensions;
const adminActor = () => ({ kind: 'employee', id: admin.employee.id });
describe('updateEmployee', () => {
  it('success: new names, which end no token; the trail tells which changed, not what they were', async () => {
    const { id, email } = await givenEmployee(at);
    let answer: Answer;
    const revoked = await revokedBy(at, async () => {
      answer = await update({ id, firstName: 'Zebulon', lastName: 'Test', enabled: null, version: null });
    });
    const shown = { id, email, firstName: 'Zebulon', lastName: 'Test', enabled: true, version: 2 };
    expect([only(answer!), revoked]).toEqual([shown, []]);
    const details = { changed: ['firstName'], before: { enabled: true }, after: { enabled: true } };
    expect(await eventsOf(at, answer!)).toEqual([
      {
        ...{ type: 'employee.updated', outcome: 'success', legalEntityId: null, actor: adminActor() },
        ...{ subject: { kind: 'employee', id }, details },
      },
    ]);
  });

  it('success: disabled, every session ends at once; enabled again, the old ones stay ended', async () => {
    const { id, email } = await givenEmployee(at, ['order.order_read']);
    const [one, other] = [await employee(at, email), await employee(at, email)];
    let answer: Answer;
    const revoked = await revokedBy(at, async () => {
      answer = await update({ id, enabled: false });
    });
    expect([only(answer!).enabled, revoked]).toEqual([false, [`PRINCIPAL employee:${id}`]]);
    for (const { accessToken, refreshToken } of [one, other]) {
      expect(await isGood(at, accessToken)).toBe(false);
      expect((await tryRefreshEmployee(at, refreshToken)).code).toBe('INVALID_GRANT');
    }
    expect((await tryEmployeeLogin(at, email)).code).toBe('INVALID_GRANT');
    expect((await eventsOf(at, answer!)).map(({ type }) => type).sort()).toEqual([
      ...['employee.updated', 'session.ended', 'session.ended'],
    ]);
    only(await update({ id, enabled: true }));
    expect(await isGood(at, one.accessToken)).toBe(false);
    expect((await tryRefreshEmployee(at, one.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await employee(at, email)).scopes).toEqual(['order.order_read']);
  });

  it('success: disabling oneself is felt by oneself', async () => {
    const { id, email } = await givenEmployee(at, ['iam.user_update']);
    const { accessToken } = await employee(at, email);
    expect(only(await update({ id, enabled: false }, accessToken)).enabled).toBe(false);
    expect((await update({ id, firstName: 'x' }, accessToken)).code).toBe('UNAUTHENTICATED');
  });

  it.each([
    ['a first name of 101 characters', { firstName: 'x'.repeat(101) }, 'input.firstName'],
    ['a last name of 101 characters', { lastName: 'x'.repeat(101) }, 'input.lastName'],
  ])('invalid: BAD_USER_INPUT for %s, and nothing changes', async (_case, input, field) => {
    const { id } = await givenEmployee(at);
    const before = await stored(id);
    expect(refusal(await update({ id, enabled: false, ...input }))).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(await stored(id)).toEqual(before);
  });

  it('invalid: CONFLICT STALE_VERSION for what the caller has not seen; without a version nobody asks', async () => {
    const { id } = await givenEmployee(at);
    only(await update({ id, version: 1, firstName: 'One' }));
    for (const version of [1, 3, 0]) {
      expect(refusal(await update({ id, version, enabled: false }))).toMatchObject({ reason: 'STALE_VERSION' });
    }
    expect(only(await update({ id, lastName: 'Two' }))).toMatchObject({ firstName: 'One', enabled: true, version: 3 });
  });

  it('unauthenticated and forbidden: needs iam.user_update', async () => {
    const { id } = await givenEmployee(at);
    const query = `mutation { updateEmployee(input: { id: "${id}", enabled: false }) { id } }`;
    expect((await graphql(at, query)).code).toBe('UNAUTHENTICATED');
    const bearer = await tokenWith(at, 'iam.user_read', 'iam.user_create', 'iam.user_delete', 'iam.group_manage');
    expect(refusal(await update({ id, enabled: false }, bearer))).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: ['iam.user_update'] },
    });
    expect(await stored(id)).toMatchObject({ enabled: true });
  });

  it('forbidden: who lets somebody in again holds all that the person gets; disabling and naming need nothing', async () => {
    const { id } = await givenEmployee(at, ['order.order_read', 'price.price_read']);
    const bearer = await tokenWith(at, 'iam.user_update', 'price.price_read');
    only(await update({ id, enabled: true, firstName: 'Still in' }, bearer));
    only(await update({ id, enabled: false }, bearer));
    expect(refusal(await update({ id, enabled: true }, bearer))).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: ['order.order_read'] },
    });
    only(await update({ id, enabled: false, firstName: 'Out' }, bearer));
    expect(await stored(id)).toMatchObject({ enabled: false, firstName: 'Out' });
    only(
      await update(
        { id, enabled: true },
        await tokenWith(at, 'iam.user_update', 'price.price_read', 'order.order_read'),
      ),
    );
  });

  it('other tenant: NOT_FOUND as for one that there is not, and nothing changes', async () => {
    const { id } = await givenEmployee(at);
    const before = await stored(id);
    const answers = [
      await update({ id, enabled: false }, rival),
      await update({ id: 'no-such-employee', enabled: true }),
    ];
    for (const { code, errors } of answers) expect([code, errors]).toEqual(['NOT_FOUND', answers[0]!.errors]);
    expect(await stored(id)).toEqual(before);
  });
});

describe('deleteEmployee', () => {
  it('success: account, memberships and sessions are gone, every token is refused at once; the address is free', async () => {
    const { id, email, groupId } = await givenEmployee(at, ['order.order_read']);
    const { accessToken, refreshToken, sessionId } = await employee(at, email);
    let answer: Answer;
    const revoked = await revokedBy(at, async () => {
      answer = await remove(id, await tokenWith(at, 'iam.user_delete'));
    });
    expect([only(answer!), revoked]).toEqual([id, [`PRINCIPAL employee:${id}`]]);
    expect(await isGood(at, accessToken)).toBe(false);
    expect((await tryRefreshEmployee(at, refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryEmployeeLogin(at, email)).code).toBe('INVALID_GRANT');
    expect([await stored(id), await db().session.count({ where: { id: sessionId } })]).toEqual([null, 0]);
    expect(await db().employeeMembership.count({ where: { groupId } })).toBe(0);
    const events = (await eventsOf(at, answer!)).toSorted((one, other) => (one.type < other.type ? -1 : 1));
    expect(events).toMatchObject([
      { type: 'employee.deleted', actor: { kind: 'client' }, subject: { kind: 'employee', id } },
      { type: 'session.ended', subject: { kind: 'session', id: sessionId } },
    ]);
    const again = only(await create({ email, password: PASSWORD }));
    expect([again.id === id, (await employee(at, email)).scopes]).toEqual([false, []]);
  });

  it('invalid, other tenant: NOT_FOUND in the same words for one that is gone, never was, or is not the caller’s', async () => {
    const [{ id }, { id: foreign }] = [only(await create({})), only(await create({}, rival))];
    only(await remove(id));
    const answers = [await remove(id), await remove('no-such-employee'), await remove(foreign)];
    for (const { code, errors } of answers) expect([code, errors]).toEqual(['NOT_FOUND', answers[0]!.errors]);
    expect(only(await remove(foreign, rival))).toBe(foreign);
  });

  it('unauthenticated and forbidden: needs iam.user_delete', async () => {
    const { id } = await givenEmployee(at);
    expect((await graphql(at, `mutation { deleteEmployee(id: "${id}") }`)).code).toBe('UNAUTHENTICATED');
    const bearer = await tokenWith(at, 'iam.user_read', 'iam.user_create', 'iam.user_update', 'iam.group_manage');
    expect(refusal(await remove(id, bearer))).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['iam.user_delete'] });
    expect(await stored(id)).not.toBeNull();
  });
});

describe('case 100: the last who can manage groups', () => {
  const refused = { code: 'CONFLICT', reason: 'LAST_ADMINISTRATOR' };

  it('is neither disabled nor deleted, as long as nobody else is there, enabled and in such a group', async () => {
    const tenant = await givenTenant(at);
    const { id: tenantId, backend, employee: person } = tenant;
    const { accessToken: bearer } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
    const disable = (id: string) => update({ id, enabled: false }, bearer);
    const last = async () => {
      const answers = [await disable(person.id), await remove(person.id, bearer)];
      for (const answer of answers) expect(refusal(answer)).toMatchObject(refused);
      expect(await stored(person.id, tenantId)).toMatchObject({ enabled: true });
    };
    const token = await administratorOf(at, tenant);
    await last();
    expect(await isGood(at, token)).toBe(true);
    const { id } = only(await create({}, bearer));
    await last();
    const group = await givenGroup(at, { scopes: ['iam.group_manage'], memberIds: [id] }, tenantId);
    only(await disable(person.id));
    expect(refusal(await disable(id))).toMatchObject(refused);
    only(await update({ id: person.id, enabled: true }, bearer));
    only(await disable(id));
    await last();
    expect(await db(tenantId).employeeMembership.count({ where: { groupId: group.id } })).toBe(1);
  });

  it('two that disable each other at the same moment: one of them is left', async () => {
    const tenant = await givenTenant(at);
    const { id: tenantId, backend, employee: person } = tenant;
    const { accessToken: bearer } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
    const other = only(await create({ password: PASSWORD }, bearer));
    await givenGroup(at, { scopes: ['iam.group_manage', 'iam.user_update'], memberIds: [other.id] }, tenantId);
    for (let round = 0; round < 3; round += 1) {
      const [one, two] = await Promise.all(
        [person, other].map(async ({ email }) => {
          const login = await tryEmployeeLogin(at, email, PASSWORD, tenantId);
          return only<EmployeeToken>(login).accessToken;
        }),
      );
      const answers = await Promise.all([
        update({ id: other.id, enabled: false }, one),
        update({ id: person.id, enabled: false }, two),
      ]);
      const enabled = await db(tenantId).employee.findMany({ where: { enabled: true } });
      expect([enabled.length, answers.filter(({ errors }) => errors.length === 0).length]).toEqual([1, 1]);
      for (const { id } of [person, other]) only(await update({ id, enabled: true }, bearer));
    }
  });
});
