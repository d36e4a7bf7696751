// Mutation.assignContact and unassignContact: who may act for which legal entity, and by inheritance for which others.

import { beforeAll, describe, expect, it } from 'vitest';
import { contactsOf, rolesOf, tryAssign, tryUnassign } from '../kit/companies.ts';
import { givenCompany, givenCustomer, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { givenControl, tokenWith } from '../kit/groups.ts';
import { readPages } from '../kit/pages.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { type CustomerToken, employee, isGood, refresh, signIn, tryRefresh } from '../kit/stories.ts';

let at: Service;
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
});

const trail = (id: string, type: string) =>
  at.app.modules.database.forTenant(ctxOf('demo')).auditEvent.findMany({ where: { subjectId: id, type } });

/** A company, a subsidiary of it, and one of that. */
async function givenTree() {
  const { legalEntities } = at.app.modules;
  const top = await givenCompany(at);
  const middle = await legalEntities.create(ctxOf('demo'), { name: 'Middle', parentId: top.id });
  const bottom = await legalEntities.create(ctxOf('demo'), { name: 'Bottom', parentId: middle.id });
  return [top.id, middle.id, bottom.id] as const;
}

const assigned = async (customerId: string, legalEntityId: string) =>
  only<{ id: string }>(await tryAssign(at, admin, { customerId, legalEntityId })).id;

const actingFor = async (email: string, legalEntityId: string): Promise<CustomerToken> =>
  refresh(at, (await signIn(at, email)).refreshToken, { legalEntityId });

describe('assignContact', () => {
  it('success: a Contact, who may switch to the company; told to the trail', async () => {
    const { id: legalEntityId } = await givenCompany(at);
    const customer = await givenCustomer(at);
    const input = { customerId: customer.id, legalEntityId, type: 'BILLING', primary: true };
    const fields = 'type primary inherited customer { id } legalEntity { id }';
    expect(only(await tryAssign(at, admin, input, fields))).toEqual({
      type: 'BILLING',
      primary: true,
      inherited: false,
      customer: { id: customer.id },
      legalEntity: { id: legalEntityId },
    });
    expect(await rolesOf(at, customer.id)).toEqual([`${legalEntityId} CONTACT`]);
    expect((await actingFor(customer.email, legalEntityId)).legalEntity?.id).toBe(legalEntityId);
    expect(await trail(customer.id, 'contact.assigned')).toMatchObject([
      { legalEntityId, details: { type: 'BILLING', primary: true } },
    ]);
  });

  it('once per pair: again, type and primary change and what is absent stays; the same again is nothing', async () => {
    const { id: legalEntityId } = await givenCompany(at);
    const { id: customerId } = await givenCustomer(at);
    const id = await assigned(customerId, legalEntityId);
    const again = async (details: object) =>
      only(await tryAssign(at, admin, { customerId, legalEntityId, ...details }));
    expect(await again({ type: 'LOGISTICS' })).toEqual({ id, type: 'LOGISTICS', primary: false, inherited: false });
    expect(await again({ primary: true })).toEqual({ id, type: 'LOGISTICS', primary: true, inherited: false });
    expect(await again({})).toEqual({ id, type: 'LOGISTICS', primary: true, inherited: false });
    expect(await trail(customerId, 'contact.updated')).toHaveLength(2);
  });

  it('upwards unless said: a Contact of every company above, and nothing else there', async () => {
    const [top, middle, bottom] = await givenTree();
    const customer = await givenCustomer(at, { [bottom]: 'ADMIN' });
    expect(await contactsOf(at, customer.id)).toEqual({ [top]: 'inherited', [middle]: 'inherited', [bottom]: 'own' });
    expect(await rolesOf(at, customer.id)).toEqual(
      [`${top} CONTACT`, `${middle} CONTACT`, `${bottom} ADMIN`, `${bottom} CONTACT`].sort(),
    );
    expect(await trail(customer.id, 'contact.assigned')).toMatchObject([{ details: { byInheritance: [middle, top] } }]);
    expect((await actingFor(customer.email, top)).scopes).not.toContain('iam.assignment_create_own');
  });

  it.each([
    ['DOWNWARD', { a: 'own', b: 'inherited', c: 'inherited' }],
    ['DISABLED', { a: 'own' }],
  ])('%s by the tenant’s setting', async (contactPropagation, expected) => {
    const tenant = await givenTenant(at, { contactPropagation });
    const ctx = ctxOf(tenant.id);
    const { contactAssignments, customers, legalEntities } = at.app.modules;
    await legalEntities.create(ctx, { id: 'a', name: 'A' });
    await legalEntities.create(ctx, { id: 'b', name: 'B', parentId: 'a' });
    await legalEntities.create(ctx, { id: 'c', name: 'C', parentId: 'b' });
    const { id } = await customers.register(ctx, { email: 'c@test.example', password: 'a password of a test' });
    await contactAssignments.assign(ctx, id, 'a');
    expect(await contactsOf(at, id, tenant.id)).toEqual(expected);
  });

  it('an inherited assignment becomes one of its own, and stays when its cause goes', async () => {
    const [top, middle] = await givenTree();
    const customer = await givenCustomer(at);
    const cause = await assigned(customer.id, middle);
    await assigned(customer.id, top);
    await tryUnassign(at, admin, cause);
    expect(await contactsOf(at, customer.id)).toEqual({ [top]: 'own' });
  });

  it('forbidden: whoever lacks what contacts get; without the scope; without a bearer', async () => {
    const { id: legalEntityId } = await givenCompany(at);
    const { id: customerId } = await givenCustomer(at);
    const input = { customerId, legalEntityId };
    expect((await tryAssign(at, undefined, input)).code).toBe('UNAUTHENTICATED');
    expect((await tryAssign(at, await tokenWith(at, 'customermanagement.contactassignment_read'), input)).code).toBe(
      'FORBIDDEN',
    );
    // What every customer has needs not be held; what this company's contacts get beside does.
    const clerk = await tokenWith(at, 'customermanagement.contactassignment_manage');
    const db = at.app.modules.database.forTenant(ctxOf('demo'));
    const contacts = await db.group.findFirstOrThrow({ where: { legalEntityId, role: 'CONTACT' } });
    const control = await givenControl(at, { scopes: ['order.order_read_le'] });
    await db.groupAccessControl.create({
      data: { tenantId: 'demo', groupId: contacts.id, accessControlId: control.id },
    });
    const answer = await tryAssign(at, clerk, input);
    expect([answer.code, answer.errors[0]?.extensions.missingScopes]).toEqual(['FORBIDDEN', ['order.order_read_le']]);
    expect(await contactsOf(at, customerId)).toEqual({});
    expect((await tryAssign(at, clerk, { ...input, legalEntityId: 'acme' })).errors).toEqual([]);
  });

  it('NOT_FOUND for whom or what there is not, or of another tenant', async () => {
    const { id: customerId } = await givenCustomer(at);
    for (const legalEntityId of ['nothing', 'umbrella', ''])
      expect((await tryAssign(at, admin, { customerId, legalEntityId })).code).toBe('NOT_FOUND');
    const { customer } = await signIn(at, 'mallory@rival.example');
    for (const id of ['nobody', customer.id])
      expect((await tryAssign(at, admin, { customerId: id, legalEntityId: 'acme' })).code).toBe('NOT_FOUND');
  });
});

describe('unassignContact', () => {
  it('success: out of the company and of its groups; tokens for it end at once, the customer goes on', async () => {
    const { id: legalEntityId } = await givenCompany(at);
    const customer = await givenCustomer(at, { [legalEntityId]: 'BUYER' });
    const plain = await signIn(at, customer.email);
    const acting = await refresh(at, plain.refreshToken, { legalEntityId });
    const { id } = await at.app.modules.database
      .forTenant(ctxOf('demo'))
      .contactAssignment.findFirstOrThrow({ where: { customerId: customer.id } });
    expect(only(await tryUnassign(at, admin, id))).toBe(id);
    expect(await rolesOf(at, customer.id)).toEqual([]);
    expect(await isGood(at, acting.accessToken)).toBe(false);
    expect(await isGood(at, plain.accessToken)).toBe(true);
    expect((await tryRefresh(at, acting.refreshToken)).code).toBe('ACCESS_DENIED');
    expect((await refresh(at, acting.refreshToken, { legalEntityId: null })).legalEntity).toBeNull();
    expect(await trail(customer.id, 'contact.unassigned')).toMatchObject([{ legalEntityId }]);
    expect((await tryUnassign(at, admin, id)).code).toBe('NOT_FOUND');
  });

  it('what came by inheritance goes when its last cause goes, and its tokens with it', async () => {
    const [top, middle, bottom] = await givenTree();
    const customer = await givenCustomer(at);
    const causes = [await assigned(customer.id, bottom), await assigned(customer.id, middle)];
    const acting = await actingFor(customer.email, top);
    await tryUnassign(at, admin, causes[0]!);
    expect(await contactsOf(at, customer.id)).toEqual({ [middle]: 'own', [top]: 'inherited' });
    expect(await isGood(at, acting.accessToken)).toBe(true);
    await tryUnassign(at, admin, causes[1]!);
    expect(await contactsOf(at, customer.id)).toEqual({});
    expect(await rolesOf(at, customer.id)).toEqual([]);
    expect(await isGood(at, acting.accessToken)).toBe(false);
    expect(await trail(customer.id, 'contact.unassigned')).toMatchObject([
      { legalEntityId: bottom },
      { legalEntityId: middle, details: { byInheritance: [top] } },
    ]);
  });

  it('a role that was given beside an inherited assignment goes with it', async () => {
    const [top, middle] = await givenTree();
    const customer = await givenCustomer(at);
    const cause = await assigned(customer.id, middle);
    await at.app.modules.memberships.joinCompany(ctxOf('demo'), top, 'ADMIN', customer.id);
    await tryUnassign(at, admin, cause);
    expect(await rolesOf(at, customer.id)).toEqual([]);
  });

  it('unauthenticated, forbidden, and of another tenant', async () => {
    const { id: customerId } = await givenCustomer(at);
    const id = await assigned(customerId, 'globex');
    expect((await tryUnassign(at, undefined, id)).code).toBe('UNAUTHENTICATED');
    expect((await tryUnassign(at, await tokenWith(at, 'price.price_read'), id)).code).toBe('FORBIDDEN');
    const rival = (await employee(at, 'admin@rival.example')).accessToken;
    expect((await tryUnassign(at, rival, id)).code).toBe('NOT_FOUND');
    expect(await contactsOf(at, customerId)).toEqual({ globex: 'own' });
  });
});

describe('LegalEntity.contactAssignments', () => {
  it('a page at a time, back and forth, longest first', async () => {
    const tenant = await givenTenant(at);
    const ctx = ctxOf(tenant.id);
    const { contactAssignments, customers } = at.app.modules;
    for (let count = 0; count < 4; count += 1) {
      const email = `c${count}@test.example`;
      const { id } = await customers.register(ctx, { email, password: 'a password of a test' });
      await contactAssignments.assign(ctx, id, 'company');
    }
    const login = await graphql(
      at,
      'mutation ($input: IssueEmployeeTokenInput!) { issueEmployeeToken(input: $input) { accessToken } }',
      { variables: { input: { tenant: tenant.id, email: tenant.employee.email, password: 'demo-password-1' } } },
    );
    const bearer = only<any>(login).accessToken;
    const emails = [tenant.customer.email, ...[0, 1, 2, 3].map((count) => `c${count}@test.example`)];
    const walk = async (amount: 'first' | 'last', place: 'after' | 'before') => {
      const found: string[] = [];
      for (let cursor: string | null = null; ; ) {
        const query = `query ($c: String) { legalEntity(id: "company") { contactAssignments(${amount}: 2, ${place}: $c) {
          totalCount nodes { customer { email } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`;
        const page: any = only<any>(await graphql(at, query, { bearer, variables: { c: cursor } })).contactAssignments;
        expect(page.totalCount).toBe(5);
        const here = page.nodes.map(({ customer }: any) => customer.email);
        if (amount === 'first') found.push(...here);
        else found.unshift(...here);
        const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo;
        if (!(amount === 'first' ? hasNextPage : hasPreviousPage)) return found;
        cursor = amount === 'first' ? endCursor : startCursor;
      }
    };
    expect(await walk('first', 'after')).toEqual(emails);
    expect(await walk('last', 'before')).toEqual(emails);
    // A cursor of another list is none of this one.
    const { nodes } = await readPages(at, bearer, 'legalEntities', { size: 2 });
    expect(nodes).toHaveLength(1);
  });
});
