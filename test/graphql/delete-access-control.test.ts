// Mutation.deleteAccessControl: taken from everybody who had it.

import { beforeAll, describe, expect, it } from 'vitest';
import { EVERY_SCOPE_ID, predefinedAccessControls } from '../../src/modules/iam/predefined.ts';
import { givenEmployee } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { eventsOf, givenControl, givenGroup, givenTemplate, revokedBy, tokenWith } from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import { type EmployeeToken, employee, isGood, serviceToken, tryRefreshEmployee } from '../kit/stories.ts';

let at: Service;
let admin: string;
let rival: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
  rival = (await serviceToken(at, 'rival-backend')).accessToken;
});

const remove = (id: string, bearer: string | undefined = admin) =>
  graphql(at, 'mutation ($id: ID!) { deleteAccessControl(id: $id) }', { bearer, variables: { id } });
const db = () => at.app.modules.database.forTenant({ tenantId: 'demo' });
const refusal = ({ errors }: Answer) => errors[0]?.extensions;

describe('deleteAccessControl', () => {
  it('success: taken from every group and template; tokens of the groups that lose by it end, and the trail keeps it', async () => {
    const control = await givenControl(at, { scopes: ['order.order_read', 'price.price_read'] });
    const { id: templateId } = await givenTemplate(at, [control.id]);
    const person = await givenEmployee(at, ['country.country_read']);
    const direct = await givenGroup(at, { controlIds: [control.id], memberIds: [person.id] });
    const bundled = await givenGroup(at, { templateIds: [templateId] });
    await givenGroup(at, { controlIds: [control.id], scopes: ['order.order_read', 'price.price_read'] });
    await givenGroup(at, { scopes: ['order.order_read'] });
    const { accessToken, refreshToken } = await employee(at, person.email);
    const remover = await tokenWith(at, 'iam.access_manage');
    let answer: Awaited<ReturnType<typeof remove>>;
    const revoked = await revokedBy(at, async () => {
      answer = await remove(control.id, remover);
    });
    expect(only(answer!)).toBe(control.id);
    expect(revoked).toEqual([`GROUP ${direct.id}`, `GROUP ${bundled.id}`].sort());
    expect(await isGood(at, accessToken)).toBe(false);
    const { scopes } = only<EmployeeToken>(await tryRefreshEmployee(at, refreshToken));
    expect(scopes).toEqual(['country.country_read']);
    const where = { accessControlId: control.id };
    expect([await db().groupAccessControl.count({ where }), await db().templateAccessControl.count({ where })]).toEqual(
      [0, 0],
    );
    const before = { name: control.name, scopes: control.scopes, roleId: null, resourceId: null, restrictedTo: null };
    expect(await eventsOf(at, answer!)).toMatchObject([
      { type: 'access_control.deleted', subject: { kind: 'access_control', id: control.id }, details: { before } },
    ]);
  });

  it('invalid: CONFLICT PREDEFINED for those that every tenant has', async () => {
    for (const id of [EVERY_SCOPE_ID, predefinedAccessControls[0]!.id]) {
      expect(refusal(await remove(id))).toMatchObject({ code: 'CONFLICT', reason: 'PREDEFINED' });
      expect(await db().accessControl.count({ where: { id } })).toBe(1);
    }
  });

  it('invalid, other tenant: NOT_FOUND in the same words for one that is gone, never was, or is not the caller’s', async () => {
    const [{ id }, foreign] = [await givenControl(at, {}), await givenControl(at, {}, 'rival')];
    only(await remove(id));
    const answers = [await remove(id), await remove('no-such-control'), await remove(foreign.id)];
    for (const { code, errors } of answers) expect([code, errors]).toEqual(['NOT_FOUND', answers[0]!.errors]);
    expect(only(await remove(foreign.id, rival))).toBe(foreign.id);
  });

  it('unauthenticated and forbidden: needs iam.access_manage', async () => {
    const { id } = await givenControl(at, {});
    expect((await graphql(at, `mutation { deleteAccessControl(id: "${id}") }`)).code).toBe('UNAUTHENTICATED');
    const others = await tokenWith(at, 'iam.access_read', 'iam.group_manage', 'iam.role_manage');
    expect(refusal(await remove(id, others))).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['iam.access_manage'],
    });
    expect(await db().accessControl.count({ where: { id } })).toBe(1);
  });
});
