// Query.accessControlTemplates, Mutation.createAccessControlTemplate and deleteAccessControlTemplate.

import { beforeAll, describe, expect, it } from 'vitest';
import { EVERY_SCOPE_ID } from '../../src/modules/iam/predefined.ts';
import { givenEmployee, givenTenant } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { eventsOf, givenControl, givenGroup, givenTemplate, revokedBy, tokenWith } from '../kit/groups.ts';
import { readPages } from '../kit/pages.ts';
import { type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import {
  type EmployeeToken,
  employee,
  isGood,
  serviceToken,
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

const ask = (query: string, bearer: string | undefined, variables = {}) => graphql(at, query, { bearer, variables });
const create = (input: object, bearer: string | undefined = admin.accessToken, fields = 'id name') =>
  ask(
    `mutation ($input: CreateAccessControlTemplateInput!) { createAccessControlTemplate(input: $input) { ${fields} } }`,
    bearer,
    { input: { name: 'Template', ...input } },
  );
const remove = (id: string, bearer: string | undefined = admin.accessToken) =>
  ask('mutation ($id: ID!) { deleteAccessControlTemplate(id: $id) }', bearer, { id });
const db = (tenantId = 'demo') => at.app.modules.database.forTenant({ tenantId });
const refusal = ({ errors }: Answer) => errors[0]?.extensions;

describe('accessControlTemplates', () => {
  const contents = 'id name accessControls { id name scopes role { id } resource { id } }';

  it('success: by name and id, from either end, each with what it bundles, by name', async () => {
    const { id: tenantId, backend } = await givenTenant(at);
    const { accessToken } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
    const controls = [];
    for (const name of ['C', 'A', 'B']) controls.push(await givenControl(at, { name, scopes: [] }, tenantId));
    const ids = controls.map(({ id }) => id);
    for (let i = 0; i < 25; i += 1) await givenTemplate(at, ids.slice(i % 3), tenantId);
    await db(tenantId).accessControlTemplate.updateMany({ data: { name: 'Same' } });
    const read = (backwards: boolean) =>
      readPages(at, accessToken, 'accessControlTemplates', {
        ...{ size: 10, backwards },
        fields: 'id name accessControls { name }',
      });
    const { nodes, sizes, totals } = await read(false);
    expect([sizes, totals]).toEqual([
      [10, 10, 5],
      [25, 25, 25],
    ]);
    expect(nodes.map(({ id }) => id)).toEqual([...new Set(nodes.map(({ id }) => id))].sort());
    const bundles = nodes.map(({ accessControls }) =>
      accessControls.map(({ name }: { name: string }) => name).join(''),
    );
    expect(bundles.toSorted()).toEqual([...Array(8).fill('AB'), ...Array(9).fill('ABC'), ...Array(8).fill('B')]);
    expect((await read(true)).nodes).toEqual(nodes);
  });

  it('success: a page with all that it bundles costs the same few statements for 3 templates as for 30', async () => {
    const control = await givenControl(at, {
      roleId: 'viewer',
      resourceId: 'order.order',
      scopes: ['order.order_read'],
    });
    for (let i = 0; i < 30; i += 1) await givenTemplate(at, [control.id, EVERY_SCOPE_ID]);
    const costs: number[] = [];
    for (const first of [3, 30]) {
      const query = `{ accessControlTemplates(first: ${first}) { totalCount nodes { ${contents} } } }`;
      const statements = await fewestStatements(at, async () => {
        expect(only(await ask(query, admin.accessToken)).nodes).toHaveLength(first);
      });
      costs.push(statements.length);
    }
    expect(costs[1]).toBe(costs[0]);
    expect(costs[1]).toBeLessThanOrEqual(5);
  });

  it('invalid: BAD_USER_INPUT for too large a page and for a cursor of another kind', async () => {
    const { endCursor } = only(await ask('{ scopes(first: 1) { pageInfo { endCursor } } }', rival)).pageInfo;
    for (const [args, field] of [
      ['first: 201', 'first'],
      [`after: "${endCursor}"`, 'after'],
    ]) {
      const answer = await ask(`{ accessControlTemplates(${args}) { totalCount } }`, admin.accessToken);
      expect(refusal(answer)).toMatchObject({ code: 'BAD_USER_INPUT', field });
    }
  });

  it('unauthenticated and forbidden: needs iam.template_read, and what it bundles iam.access_read', async () => {
    const query = (fields: string) => `{ accessControlTemplates { nodes { ${fields} } } }`;
    expect((await ask(query('id'), undefined)).code).toBe('UNAUTHENTICATED');
    const others = await tokenWith(at, 'iam.template_manage', 'iam.access_read', 'iam.group_read');
    expect(refusal(await ask(query('id'), others))).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: ['iam.template_read'] },
    });
    const reader = await tokenWith(at, 'iam.template_read');
    expect((await ask(query('id name'), reader)).errors).toEqual([]);
    expect(refusal(await ask(query('accessControls { id }'), reader))).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: ['iam.access_read'] },
    });
  });

  it('other tenant: its templates are neither shown nor counted', async () => {
    const { id } = await givenTemplate(at, [EVERY_SCOPE_ID]);
    const seen = await readPages(at, rival, 'accessControlTemplates', { size: 200 });
    expect(seen.nodes).not.toContainEqual({ id });
    expect(seen.totals).toEqual([await db('rival').accessControlTemplate.count()]);
  });
});

describe('createAccessControlTemplate', () => {
  it('success: each access control once, predefined ones too; and the trail says who made what', async () => {
    const control = await givenControl(at, { name: 'A', scopes: ['price.price_read'] });
    const fields = 'id name accessControls { id }';
    const accessControlIds = [EVERY_SCOPE_ID, control.id, control.id];
    const answer = await create({ name: ' Bundle ', accessControlIds }, admin.accessToken, fields);
    const template = only(answer);
    expect(template).toEqual({
      ...{ id: expect.any(String), name: 'Bundle' },
      accessControls: [{ id: control.id }, { id: EVERY_SCOPE_ID }],
    });
    expect(await eventsOf(at, answer)).toEqual([
      {
        ...{ type: 'template.created', outcome: 'success', legalEntityId: null },
        actor: { kind: 'employee', id: admin.employee.id },
        subject: { kind: 'access_control_template', id: template.id },
        details: { after: { name: 'Bundle', accessControlIds: [control.id, EVERY_SCOPE_ID].sort() } },
      },
    ]);
  });

  it.each([
    ['an empty name', { name: ' ', accessControlIds: [EVERY_SCOPE_ID] }, 'input.name'],
    ['a name of 101 characters', { name: 'x'.repeat(101), accessControlIds: [EVERY_SCOPE_ID] }, 'input.name'],
    ['nothing to bundle', { accessControlIds: [] }, 'input.accessControlIds'],
    ['an unknown access control', { accessControlIds: [EVERY_SCOPE_ID, 'no-such'] }, 'input.accessControlIds.1'],
    ['more than 500', { accessControlIds: Array(501).fill(EVERY_SCOPE_ID) }, 'input.accessControlIds'],
  ])('invalid: BAD_USER_INPUT for %s, and nothing is made', async (_case, input, field) => {
    const before = await db().accessControlTemplate.count();
    const answer = await create(input);
    expect(refusal(answer)).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect([await db().accessControlTemplate.count(), await eventsOf(at, answer)]).toEqual([before, []]);
  });

  it('unauthenticated and forbidden: needs iam.template_manage', async () => {
    const input = `{ name: "x", accessControlIds: ["${EVERY_SCOPE_ID}"] }`;
    const query = `mutation { createAccessControlTemplate(input: ${input}) { id } }`;
    expect((await ask(query, undefined)).code).toBe('UNAUTHENTICATED');
    const others = await tokenWith(at, 'iam.template_read', 'iam.access_manage', 'iam.group_manage');
    expect(refusal(await ask(query, others))).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: ['iam.template_manage'] },
    });
  });

  it('forbidden, cases 98 and 103: one that gives what the caller lacks, be it the second, and nothing is made', async () => {
    const may = await givenControl(at, { scopes: ['price.price_read', 'customer.customer_read_own'] });
    const mayNot = await givenControl(at, { scopes: ['order.order_delete', 'price.price_read', 'order.order_manage'] });
    const bearer = await tokenWith(at, 'iam.template_manage', 'price.price_read', 'customer.customer_read');
    const before = await db().accessControlTemplate.count();
    expect(refusal(await create({ accessControlIds: [may.id, mayNot.id] }, bearer))).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['order.order_delete', 'order.order_manage'],
    });
    expect(refusal(await create({ accessControlIds: [EVERY_SCOPE_ID] }, bearer))?.code).toBe('FORBIDDEN');
    expect(await db().accessControlTemplate.count()).toBe(before);
    only(await create({ accessControlIds: [may.id] }, bearer));
  });

  it('other tenant: an access control of another tenant is none; it is made in the caller’s', async () => {
    const control = await givenControl(at, { scopes: ['price.price_read'] });
    expect(refusal(await create({ accessControlIds: [EVERY_SCOPE_ID, control.id] }, rival))).toMatchObject({
      ...{ code: 'BAD_USER_INPUT', field: 'input.accessControlIds.1' },
    });
    const { id } = only(await create({ accessControlIds: [EVERY_SCOPE_ID] }, rival));
    const counts = [db('rival'), db()].map((tenant) => tenant.accessControlTemplate.count({ where: { id } }));
    expect(await Promise.all(counts)).toEqual([1, 0]);
    only(await remove(id, rival));
  });
});

describe('deleteAccessControlTemplate', () => {
  it('success: taken from every group; tokens of those that lose by it end, and the trail keeps it', async () => {
    const control = await givenControl(at, { scopes: ['order.order_read'] });
    const template = await givenTemplate(at, [control.id]);
    const person = await givenEmployee(at, ['country.country_read']);
    const losing = await givenGroup(at, { templateIds: [template.id], memberIds: [person.id] });
    const kept = await givenGroup(at, { templateIds: [template.id], controlIds: [control.id] });
    const { accessToken, refreshToken } = await employee(at, person.email);
    const remover = await tokenWith(at, 'iam.template_manage');
    let answer: Awaited<ReturnType<typeof remove>>;
    const revoked = await revokedBy(at, async () => {
      answer = await remove(template.id, remover);
    });
    expect([only(answer!), revoked]).toEqual([template.id, [`GROUP ${losing.id}`]]);
    expect(await isGood(at, accessToken)).toBe(false);
    const { scopes } = only<EmployeeToken>(await tryRefreshEmployee(at, refreshToken));
    expect(scopes).toEqual(['country.country_read']);
    const where = { groupId: { in: [losing.id, kept.id] } };
    expect([await db().groupTemplate.count({ where }), await db().groupAccessControl.count({ where })]).toEqual([0, 1]);
    expect(await eventsOf(at, answer!)).toMatchObject([
      {
        ...{ type: 'template.deleted', actor: { kind: 'client' } },
        subject: { kind: 'access_control_template', id: template.id },
        details: { before: { name: template.name, accessControlIds: [control.id] } },
      },
    ]);
  });

  it('invalid, case 100: CONFLICT LAST_ADMINISTRATOR when nobody could manage groups any more', async () => {
    const { id: tenantId, backend, employee: person } = await givenTenant(at);
    const { accessToken } = only(await tryServiceToken(at, backend.id, backend.clientSecret));
    const { id } = await givenTemplate(at, [EVERY_SCOPE_ID], tenantId);
    await db(tenantId).employeeMembership.deleteMany({});
    await givenGroup(at, { templateIds: [id], memberIds: [person.id] }, tenantId);
    expect(refusal(await remove(id, accessToken))).toMatchObject({ code: 'CONFLICT', reason: 'LAST_ADMINISTRATOR' });
    expect(await db(tenantId).groupTemplate.count()).toBe(1);
    await givenGroup(at, { scopes: ['iam.group_manage'], memberIds: [person.id] }, tenantId);
    only(await remove(id, accessToken));
  });

  it('invalid, other tenant: NOT_FOUND in the same words for one that is gone, never was, or is not the caller’s', async () => {
    const [{ id }, foreign] = [await givenTemplate(at, []), await givenTemplate(at, [], 'rival')];
    only(await remove(id));
    const answers = [await remove(id), await remove('no-such-template'), await remove(foreign.id)];
    for (const { code, errors } of answers) expect([code, errors]).toEqual(['NOT_FOUND', answers[0]!.errors]);
    expect(only(await remove(foreign.id, rival))).toBe(foreign.id);
  });

  it('unauthenticated and forbidden: needs iam.template_manage', async () => {
    const { id } = await givenTemplate(at, []);
    expect((await ask(`mutation { deleteAccessControlTemplate(id: "${id}") }`, undefined)).code).toBe(
      'UNAUTHENTICATED',
    );
    const others = await tokenWith(at, 'iam.template_read', 'iam.access_manage', 'iam.group_manage');
    expect(refusal(await remove(id, others))).toMatchObject({
      ...{ code: 'FORBIDDEN', missingScopes: ['iam.template_manage'] },
    });
    expect(await db().accessControlTemplate.count({ where: { id } })).toBe(1);
  });
});
