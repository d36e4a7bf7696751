// Through what somebody holds a scope, as explainAccess tells it: of the demo data, of templates, of whatever groups.

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createBuilder } from '../../src/graphql/builder.ts';
import { explainOperation } from '../../src/graphql/explain-access.ts';
import { createEntitlements } from '../../src/modules/iam/entitlements.ts';
import { requires, requiresAnyOf } from '../../src/permissions/access.ts';
import { givenCompany, givenCustomer, givenEmployee, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { employee, guest, serviceToken, signIn } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

/** Fields for what the demo's principals hold; the served schema leaves most of it to other services. */
const builder = createBuilder();
builder.queryFields((t) => ({
  product: t.string({ access: requires('product.product_read'), resolve: () => '' }),
  price: t.string({ access: requires('price.price_read'), resolve: () => '' }),
  coupon: t.string({ access: requires('coupon.coupon_redeem'), resolve: () => '' }),
  users: t.string({ access: requiresAnyOf('iam.user_read', 'iam.user_read_own'), resolve: () => '' }),
  company: t.string({ access: requires('customermanagement.legalentity_read_own'), resolve: () => '' }),
}));
const schema = builder.toSchema();

const demo = () => at.app.modules.database.forTenant(ctxOf('demo'));
const explain = (principal: string, legalEntityId?: string) => {
  const operation = '{ product price coupon users company }';
  return explainOperation(schema, at.app.modules, ctxOf('demo'), { operation, principal, legalEntityId });
};
/** Every field that is allowed, with everything that gives it. */
async function sourcesOf(principal: string, legalEntityId?: string) {
  const { fields } = await explain(principal, legalEntityId);
  const texts = fields
    .filter(({ allowed }) => allowed)
    .map(({ path, grantedBy }) => [path, grantedBy.map(({ scope, source }) => `${scope}: ${source}`)]);
  return Object.fromEntries(texts);
}
const findEmployee = async (email: string) => (await at.app.modules.employees.findByEmail(ctxOf('demo'), email))!.id;
const findCustomer = async (email: string) => (await at.app.modules.customers.findByEmail(ctxOf('demo'), email))!.id;

/** What a group of employees has that gives this scope. */
async function controlsOf(group: string, scope: string): Promise<string[]> {
  const include = { accessControls: { include: { accessControl: true } } };
  const { accessControls } = await demo().group.findFirstOrThrow({
    where: { name: group, userType: 'EMPLOYEE' },
    include,
  });
  return accessControls
    .map(({ accessControl }) => accessControl)
    .filter(({ scopes, everyScope }) => everyScope || scopes.includes(scope))
    .map(({ name }) => `${scope}: group ${group} > access control ${name}`)
    .sort();
}

describe('the demo', () => {
  it('employees: group and access control', async () => {
    expect(await sourcesOf(await findEmployee('catalog@demo.example'))).toEqual({
      product: await controlsOf('Catalog managers', 'product.product_read'),
    });
    expect(await sourcesOf(await findEmployee('support@demo.example'))).toEqual({
      users: await controlsOf('Support', 'iam.user_read'),
      company: await controlsOf('Support', 'customermanagement.legalentity_read'),
    });
    const { users, ...others } = await sourcesOf(await findEmployee('admin@demo.example'));
    expect(users).toHaveLength(2);
    expect(users).toEqual(expect.arrayContaining(await controlsOf('Administrators', 'iam.user_read')));
    expect(others).toMatchObject({
      product: await controlsOf('Administrators', 'product.product_read'),
      coupon: await controlsOf('Administrators', 'coupon.coupon_redeem'),
    });
  });

  it('a customer: the predefined set, and the groups of the company acted for, never of another one', async () => {
    const own = 'customermanagement.legalentity_read_own';
    const coupon = ['coupon.coupon_redeem: predefined set for customers'];
    const always = [`${own}: predefined set for customers`];
    const buyer = await findCustomer('buyer@demo.example');
    expect(await sourcesOf(buyer)).toEqual({ coupon, company: always });
    const control = `access control LEGAL_ENTITY_READ_OWN_LEGAL_ENTITIES`;
    expect(await sourcesOf(buyer, 'acme')).toEqual({
      coupon,
      company: [`${own}: group ACME Admin > ${control}`, `${own}: group ACME Contact > ${control}`, ...always],
      users: ['iam.user_read_own: group ACME Admin > access control LEGAL_ENTITY_USER_READ_OWN'],
    });
    expect(await sourcesOf(buyer, 'globex')).toEqual({
      coupon,
      company: [`${own}: group Globex Buyer > ${control}`, `${own}: group Globex Contact > ${control}`, ...always],
    });
    expect((await explain(buyer, 'globex')).minimalScopes).toContain('iam.user_read_own');
  });

  it('clients and guests', async () => {
    expect(await sourcesOf('demo-crm')).toEqual({
      product: ['product.product_read: client demo-crm'],
      price: ['price.price_read: client demo-crm'],
    });
    expect(await sourcesOf('demo-storefront')).toEqual({
      coupon: ['coupon.coupon_redeem: predefined set for guests'],
    });
    expect(await sourcesOf('demo-backend')).toMatchObject({
      product: ['product.product_read: client demo-backend (every scope)'],
      users: [
        'iam.user_read: client demo-backend (every scope)',
        'iam.user_read_own: client demo-backend (every scope)',
      ],
    });
  });

  it('each would be given just the scopes that its token has', async () => {
    const { tokenPreviews } = at.app.modules;
    const buyer = await findCustomer('buyer@demo.example');
    const tokens: [string, string | null, { scopes: string[] }][] = [
      ['demo-backend', null, await serviceToken(at)],
      ['demo-crm', null, await serviceToken(at, 'demo-crm')],
      ['demo-storefront', null, await guest(at)],
      [buyer, null, await signIn(at)],
      [buyer, 'acme', await signIn(at, 'buyer@demo.example', { legalEntityId: 'acme' })],
      [buyer, 'globex', await signIn(at, 'buyer@demo.example', { legalEntityId: 'globex' })],
    ];
    for (const name of ['admin', 'catalog', 'support']) {
      const email = `${name}@demo.example`;
      tokens.push([await findEmployee(email), null, await employee(at, email)]);
    }
    for (const [principal, company, { scopes }] of tokens) {
      const preview = await tokenPreviews.ofPrincipal(ctxOf('demo'), principal, company);
      expect([principal, company, preview.mayHaveToken, preview.scopes]).toEqual([principal, company, true, scopes]);
    }
  });
});

/** A group with controls of its own and in a template, by SQL: how it comes about is not the matter here. */
async function givenGroup(
  tenantId: string,
  group: { userType: 'EMPLOYEE' | 'CUSTOMER'; legalEntityId?: string | null },
  members: readonly string[],
  controls: readonly {
    scopes: readonly string[];
    everyScope?: boolean;
    restrictedTo?: 'EMPLOYEE' | 'CUSTOMER' | null;
    inTemplate: boolean;
  }[],
) {
  const db = at.app.modules.database.forTenant({ tenantId });
  const [groupId, templateId] = [randomUUID(), randomUUID()];
  const made = controls.map(({ inTemplate, scopes, everyScope = false, restrictedTo = null }) => {
    const id = randomUUID();
    return { row: { tenantId, id, name: `control-${id}`, scopes: [...scopes], everyScope, restrictedTo }, inTemplate };
  });
  const links = (wanted: boolean) =>
    made.filter(({ inTemplate }) => inTemplate === wanted).map(({ row }) => ({ tenantId, accessControlId: row.id }));
  await db.group.create({ data: { tenantId, id: groupId, name: `group-${groupId}`, ...group } });
  await db.accessControlTemplate.create({ data: { tenantId, id: templateId, name: `template-${templateId}` } });
  await db.groupTemplate.create({ data: { tenantId, groupId, templateId } });
  await db.accessControl.createMany({ data: made.map(({ row }) => row) });
  await db.templateAccessControl.createMany({ data: links(true).map((link) => ({ ...link, templateId })) });
  await db.groupAccessControl.createMany({ data: links(false).map((link) => ({ ...link, groupId })) });
  if (group.userType === 'EMPLOYEE') {
    await db.employeeMembership.createMany({ data: members.map((employeeId) => ({ tenantId, groupId, employeeId })) });
  } else {
    await db.customerMembership.createMany({ data: members.map((customerId) => ({ tenantId, groupId, customerId })) });
  }
  return {
    group: `group-${groupId}`,
    template: `template-${templateId}`,
    controls: made.map(({ row }) => row.name),
  };
}

describe('groups', () => {
  it('a template is named between group and access control; several sources are all told, sorted', async () => {
    const { id } = await givenEmployee(at);
    const scopes = ['product.product_read'];
    const one = await givenGroup(
      'demo',
      { userType: 'EMPLOYEE' },
      [id],
      [
        { scopes, inTemplate: true },
        { scopes, inTemplate: false },
      ],
    );
    const other = await givenGroup(
      'demo',
      { userType: 'EMPLOYEE' },
      [id],
      [
        { scopes, inTemplate: true },
        { scopes, inTemplate: false, restrictedTo: 'CUSTOMER' },
      ],
    );
    await givenGroup('demo', { userType: 'EMPLOYEE' }, [], [{ scopes, inTemplate: false }]);
    expect(await sourcesOf(id)).toEqual({
      product: [
        `product.product_read: group ${one.group} > template ${one.template} > access control ${one.controls[0]}`,
        `product.product_read: group ${one.group} > access control ${one.controls[1]}`,
        `product.product_read: group ${other.group} > template ${other.template} > access control ${other.controls[0]}`,
      ].sort(),
    });
  });

  it('together the sources give exactly what a token would carry, for groups of every make', async () => {
    const { database, scopes: catalogue, tenants } = at.app.modules;
    const { id: tenantId, employee: member, customer } = await givenTenant(at);
    const ctx = ctxOf(tenantId);
    await at.app.modules.scopeDefinitions.create(ctx, { id: 'shop.window_dress', description: 'Dress the window.' });
    const db = database.forTenant(ctx);
    const entitlements = createEntitlements({ scopes: catalogue, tenants });
    const control = fc.record({
      scopes: fc.subarray([
        'order.order_read',
        'order.order_manage',
        'iam.user_read_own',
        'shop.window_dress',
        'gone.scope_read',
      ]),
      everyScope: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
      restrictedTo: fc.constantFrom('EMPLOYEE' as const, 'CUSTOMER' as const, null),
      inTemplate: fc.boolean(),
    });
    const group = fc.record({
      userType: fc.constantFrom('EMPLOYEE' as const, 'CUSTOMER' as const),
      company: fc.constantFrom(null, 'company'),
      isMember: fc.boolean(),
      controls: fc.array(control, { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(group, { maxLength: 4 }), async (groups) => {
        await db.group.deleteMany({ where: { role: null } });
        for (const { userType, company, isMember, controls } of groups) {
          const legalEntityId = userType === 'CUSTOMER' ? company : null;
          const members = isMember ? [userType === 'CUSTOMER' ? customer.id : member.id] : [];
          await givenGroup(tenantId, { userType, legalEntityId }, members, controls);
        }
        const { tokenPreviews } = at.app.modules;
        const expected = [
          [member.id, null, await entitlements.ofEmployee(db, { tenantId }, member.id)],
          [customer.id, null, await entitlements.ofCustomer(db, { tenantId }, customer.id, null)],
          [customer.id, 'company', await entitlements.ofCustomer(db, { tenantId }, customer.id, 'company')],
        ] as const;
        for (const [principal, company, { scopes }] of expected) {
          const { sources } = await tokenPreviews.ofPrincipal(ctx, principal, company);
          const union = new Set(sources.flatMap((source) => source.scopes));
          expect([principal, company, [...union].sort()]).toEqual([principal, company, scopes]);
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('statements', () => {
  const ask = (bearer: string, operation: string, principal: string | null = null) => {
    const query =
      'query ($o: String!, $p: ID) { explainAccess(operation: $o, principal: $p) { fields { grantedBy { source } } } }';
    const variables = { o: operation, p: principal };
    return fewestStatements(at, async () => only(await graphql(at, query, { bearer, variables })));
  };
  const wide = `{ ${Array.from({ length: 10 }, (_, n) => `s${n}: sessions { totalCount }`).join(' ')} }`;

  it('two at most for the caller, one more for another principal, whatever the number of fields', async () => {
    const admin = (await employee(at)).accessToken;
    const company = await givenCompany(at);
    const { email } = await givenCustomer(at, { [company.id]: 'ADMIN' });
    const customer = (await signIn(at, email, { legalEntityId: company.id })).accessToken;
    const bearers: [string, number][] = [
      [admin, 2],
      [customer, 2],
      [(await serviceToken(at)).accessToken, 1],
      [(await guest(at)).accessToken, 0],
    ];
    for (const [bearer, count] of bearers) {
      for (const operation of ['{ tenant { id } }', wide]) expect(await ask(bearer, operation)).toHaveLength(count);
    }
    const others: [string, number][] = [
      [(await givenEmployee(at)).id, 3],
      ['demo-crm', 2],
    ];
    for (const [principal, count] of others) {
      for (const operation of ['{ tenant { id } }', wide]) {
        expect(await ask(admin, operation, principal)).toHaveLength(count);
      }
    }
  });
});
