// An employee who acts for a customer: security.md case 128. What the grant itself does stands in
// test/grants/assisted-customer.test.ts.

import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  type CustomerToken,
  claimsOf,
  type EmployeeToken,
  employee,
  isGood,
  serviceToken,
  signIn,
  tryAssist,
  tryRefresh,
} from '../kit/stories.ts';

let at: Service;
let support: EmployeeToken;
beforeAll(async () => {
  at = await theService();
  support = await employee(at, 'support@demo.example');
});

/** A company's Admin, and an employee who acts for them there. */
async function assisting(helper: EmployeeToken = support) {
  const company = await givenCompany(at);
  const customer = await givenCustomer(at, { [company.id]: 'ADMIN' });
  const colleague = await givenCustomer(at, { [company.id]: null });
  const input = { customerId: customer.id, legalEntityId: company.id };
  const token = only<CustomerToken>(await tryAssist(at, helper.accessToken, input));
  return { company, customer, colleague, token };
}

describe('case 128: an assisted token', () => {
  it('case 128: has what the customer has and nothing of the employee’s, and is refreshed by nothing', async () => {
    const { customer, company, token } = await assisting();
    const own = await signIn(at, customer.email, { legalEntityId: company.id });
    expect(token.scopes).toEqual(own.scopes);
    expect(token.scopes).not.toContain('iam.group_read');
    expect((await tryRefresh(at, token.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await tryRefresh(at, token.accessToken)).code).toBe('INVALID_GRANT');
    const bearer = token.accessToken;
    expect(only<any>(await graphql(at, '{ groups { nodes { id } } }', { bearer })).nodes).toHaveLength(4);
    for (const query of ['{ employees { nodes { id } } }', '{ auditEvents { nodes { id } } }'])
      expect((await graphql(at, query, { bearer })).code).toBe('FORBIDDEN');
  });

  it('case 128: names the employee wherever it is shown: claims, principal, introspection, sessions', async () => {
    const { customer, token } = await assisting();
    const bearer = token.accessToken;
    for (const each of [token.accessToken, token.saasToken])
      expect(claimsOf(each)).toMatchObject({ sub: customer.id, act: { sub: support.employee.id } });
    const query = '{ currentPrincipal { ... on CustomerPrincipal { customer { id } actor { id email } } } }';
    expect(only(await graphql(at, query, { bearer }))).toEqual({
      customer: { id: customer.id },
      actor: { id: support.employee.id, email: 'support@demo.example' },
    });
    const backend = (await serviceToken(at)).accessToken;
    for (const each of [token.accessToken, token.saasToken]) {
      const seen = await graphql(at, 'query ($t: String!) { introspectToken(token: $t) { active subject actor } }', {
        bearer: backend,
        variables: { t: each },
      });
      expect(only(seen)).toEqual({ active: true, subject: customer.id, actor: support.employee.id });
    }
    const mine = await signIn(at, customer.email);
    const sessions = only<any>(await graphql(at, '{ mySessions { id assisted } }', { bearer: mine.accessToken }));
    expect(sessions).toContainEqual({ id: token.sessionId, assisted: true });
  });

  it('case 128: what is done with it is on the trail as the employee’s, for the customer', async () => {
    const { company, customer, colleague, token } = await assisting();
    const group = await at.app.modules.database
      .forTenant(ctxOf('demo'))
      .group.findFirstOrThrow({ where: { legalEntityId: company.id, role: 'BUYER' } });
    const input = { groupId: group.id, userId: colleague.id, userType: 'CUSTOMER' };
    const query = 'mutation ($input: GroupMemberInput!) { addGroupMember(input: $input) { id } }';
    expect((await graphql(at, query, { bearer: token.accessToken, variables: { input } })).errors).toEqual([]);
    const [event] = await at.app.modules.database
      .forTenant(ctxOf('demo'))
      .auditEvent.findMany({ where: { type: 'group.member_added', subjectId: colleague.id } });
    expect(event).toMatchObject({
      actorId: support.employee.id,
      actor: { kind: 'employee', id: support.employee.id, onBehalfOf: customer.id },
      legalEntityId: company.id,
    });
  });

  it('case 128: is refused once the employee is disabled or deleted, and the customer’s own goes on', async () => {
    const { employees } = at.app.modules;
    const ends = {
      disabled: (id: string) => employees.update(ctxOf('demo'), id, { enabled: false }),
      deleted: (id: string) => employees.delete(ctxOf('demo'), id),
    };
    for (const end of Object.values(ends)) {
      const { id, email } = await givenEmployee(at, ['customer.assisted_buying_manage']);
      const { customer, company, token } = await assisting(await employee(at, email));
      const own = await signIn(at, customer.email, { legalEntityId: company.id });
      await end(id);
      expect([await isGood(at, token.accessToken), await isGood(at, own.accessToken)]).toEqual([false, true]);
    }
  });

  it('case 128: does not assist, even where the customer has the scope for it', async () => {
    const customer = await givenCustomer(at);
    const group = await at.app.modules.groups.create(ctxOf('demo'), { name: 'Odd', userType: 'CUSTOMER' });
    const { id } = await at.app.modules.accessControls.create(ctxOf('demo'), {
      name: 'Odd',
      scopes: ['customer.assisted_buying_manage'],
    });
    await at.app.modules.groups.update(ctxOf('demo'), group.id, { accessControlIds: [id] });
    await at.app.modules.memberships.add(ctxOf('demo'), {
      groupId: group.id,
      userId: customer.id,
      userType: 'CUSTOMER',
    });
    const token = only<CustomerToken>(await tryAssist(at, support.accessToken, { customerId: customer.id }));
    expect(token.scopes).toContain('customer.assisted_buying_manage');
    for (const { accessToken } of [token, await signIn(at, customer.email)])
      expect((await tryAssist(at, accessToken, { customerId: customer.id })).code).toBe('FORBIDDEN');
  });
});
