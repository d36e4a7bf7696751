// The scopes of a token are those of a naive reference model: groups, templates, access controls by list and by role,
// restrictions, companies. Each run makes a chain of its own in the test's tenant. PROPERTY_RUNS=500 for the long run;
// fast-check prints the seed of a counterexample.

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { Change } from '../../src/modules/administration/administration.ts';
import { defaultCustomerScopes } from '../../src/modules/scopes/predefined-sets.ts';
import { builtInScopes } from '../../src/modules/scopes/registry.ts';
import { givenTenant } from '../kit/given.ts';
import { graphql } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { customerToken, employeeToken } from './i-administration-acts.ts';

const RUNS = Number(process.env.PROPERTY_RUNS ?? 30);

const listed = [
  'approval.approval_read_own',
  'catalog.catalog_view',
  'customer.customer_read',
  'customer.customer_read_own',
  'iam.group_read',
  'order.order_manage',
  'order.order_read',
  'price.price_read',
];
const resources = ['catalog.catalog', 'customer.customer', 'iam.group', 'order.order', 'price.price'];
const actions = ['create', 'manage', 'read', 'read_own', 'update', 'view'];
const companies = ['company', 'other'] as const;

type UserType = 'EMPLOYEE' | 'CUSTOMER';
interface Control {
  readonly restrictedTo: UserType | null;
  readonly source: { scopes: string[] } | { role: number; resource: string } | 'every scope';
}
interface Chain {
  readonly roles: readonly { actions: string[]; later: string[] | null }[];
  readonly controls: readonly Control[];
  readonly templates: readonly number[][];
  /** Employees' groups, customers' groups without a company, and those of a company. */
  readonly groups: readonly {
    where: 'staff' | 'everywhere' | 'company' | 'other';
    controls: number[];
    templates: number[];
    isMember: boolean;
  }[];
}

const some = fc.uniqueArray(fc.constantFrom(...actions), { minLength: 1, maxLength: 3 });
const few = fc.array(fc.nat(20), { maxLength: 3 });
const chains: fc.Arbitrary<Chain> = fc.record({
  roles: fc.array(fc.record({ actions: some, later: fc.option(some) }), { minLength: 1, maxLength: 3 }),
  controls: fc.array(
    fc.record({
      restrictedTo: fc.option(fc.constantFrom<UserType[]>('EMPLOYEE', 'CUSTOMER')),
      source: fc.oneof(
        { weight: 6, arbitrary: fc.record({ scopes: fc.uniqueArray(fc.constantFrom(...listed), { minLength: 1 }) }) },
        { weight: 6, arbitrary: fc.record({ role: fc.nat(20), resource: fc.constantFrom(...resources) }) },
        { weight: 1, arbitrary: fc.constant('every scope' as const) },
      ),
    }),
    { minLength: 1, maxLength: 7 },
  ),
  templates: fc.array(few, { maxLength: 3 }),
  groups: fc.array(
    fc.record({
      where: fc.constantFrom('staff' as const, 'everywhere' as const, ...companies),
      controls: few,
      templates: few,
      isMember: fc.boolean(),
    }),
    { maxLength: 7 },
  ),
});

const at = <Item>(items: readonly Item[], index: number): Item[] =>
  items.length === 0 ? [] : [items[index % items.length]!];
const distinct = <Item>(items: readonly Item[]) => [...new Set(items)];
const isScope = (scope: string) => (builtInScopes as readonly string[]).includes(scope);

/** What a role's actions give: the scope of that name, or the one that says view for read. */
const ofRole = (role: readonly string[], resource: string): string[] =>
  role.flatMap((action) => {
    const other = action.replace(/^(read|view)(?=$|_own$)/, (word) => (word === 'read' ? 'view' : 'read'));
    return [`${resource}_${action}`, `${resource}_${other}`].filter(isScope).slice(0, 1);
  });

const roleOf = ({ roles }: Chain, index: number) => roles[index % roles.length]!;
const isMade = (chain: Chain, { source }: Control) =>
  typeof source !== 'object' ||
  !('role' in source) ||
  ofRole(roleOf(chain, source.role).actions, source.resource).length > 0;

/** The reference: what a group gives to its members. */
function givenBy(chain: Chain, group: Chain['groups'][number]): string[] {
  const userType: UserType = group.where === 'staff' ? 'EMPLOYEE' : 'CUSTOMER';
  const controls = [
    ...group.controls.flatMap((index) => at(chain.controls, index)),
    ...group.templates
      .flatMap((index) => at(chain.templates, index))
      .flatMap((template) => template.flatMap((index) => at(chain.controls, index))),
  ];
  return controls
    .filter((control) => isMade(chain, control))
    .flatMap(({ restrictedTo, source }) => {
      if (source === 'every scope') return userType === 'EMPLOYEE' ? [...builtInScopes] : [];
      if (restrictedTo !== null && restrictedTo !== userType) return [];
      if ('scopes' in source) return source.scopes;
      const { actions: first, later } = roleOf(chain, source.role);
      return ofRole(later ?? first, source.resource);
    });
}

/** The reference: what somebody who is in the groups marked so is entitled to. */
function entitled(chain: Chain, places: readonly string[], base: readonly string[]): string[] {
  const groups = chain.groups.filter(({ where, isMember }) => isMember && places.includes(where));
  return distinct([...base, ...groups.flatMap((group) => givenBy(chain, group))]).sort();
}

let service: Service;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
beforeAll(async () => {
  service = await theService();
  tenant = await givenTenant(service);
  await service.app.modules.legalEntities.create(ctxOf(tenant.id), { id: 'other', name: 'Other' });
});

/** Makes the chain by the use cases, and what they refuse, such as a control for others in a group, by rows. */
async function make(chain: Chain, change: Change, people: { employeeId: string; customerId: string }) {
  const { accessControls, groups, memberships, roles } = service.app.modules;
  const { tx, tenantId } = change;
  const roleIds: string[] = [];
  for (const { actions: permissionIds } of chain.roles)
    roleIds.push((await roles.create(change, { name: 'Role', permissionIds })).id);
  const controlIds: (string | null)[] = [];
  for (const control of chain.controls) {
    const { restrictedTo, source } = control;
    if (source === 'every scope') controlIds.push('every-scope');
    else if (!isMade(chain, control)) controlIds.push(null);
    else {
      const given = 'scopes' in source ? source : { roleId: at(roleIds, source.role)[0]!, resourceId: source.resource };
      controlIds.push((await accessControls.create(change, { name: 'Control', restrictedTo, ...given })).id);
    }
  }
  const made = (indices: readonly number[]) =>
    distinct(indices.flatMap((index) => at(controlIds, index))).filter((id) => id !== null);
  const templateIds: string[] = [];
  for (const template of chain.templates) {
    const { id: templateId } = await tx.accessControlTemplate.create({ data: { tenantId, name: 'Template' } });
    await tx.templateAccessControl.createMany({
      data: made(template).map((accessControlId) => ({ tenantId, templateId, accessControlId })),
    });
    templateIds.push(templateId);
  }
  const groupIds: string[] = [];
  for (const { where, controls, templates, isMember } of chain.groups) {
    const userType: UserType = where === 'staff' ? 'EMPLOYEE' : 'CUSTOMER';
    const legalEntityId = where === 'staff' || where === 'everywhere' ? null : where;
    const group = await groups.create(change, {
      name: 'Group',
      userType,
      legalEntityId,
      templateIds: distinct(templates.flatMap((index) => at(templateIds, index))),
    });
    groupIds.push(group.id);
    await tx.groupAccessControl.createMany({
      data: made(controls).map((accessControlId) => ({ tenantId, groupId: group.id, accessControlId })),
    });
    const userId = where === 'staff' ? people.employeeId : people.customerId;
    if (isMember) await memberships.add(change, { groupId: group.id, userId, userType });
  }
  for (const [index, { later }] of chain.roles.entries())
    if (later) await roles.update(change, roleIds[index]!, { permissionIds: later });
  return groupIds;
}

async function givenPeople() {
  const tenantId = tenant.id;
  const db = service.app.modules.database.forTenant({ tenantId });
  const email = `${randomUUID()}@test.example`;
  const { id: employeeId } = await db.employee.create({ data: { tenantId, email, firstName: 'E', lastName: 'M' } });
  const customer = await db.customer.create({ data: { tenantId, email, customerNumber: email.slice(0, 8) } });
  for (const company of companies)
    await service.app.modules.contactAssignments.assign(ctxOf(tenantId), customer.id, company);
  return { employeeId, customerId: customer.id };
}

it(`the scopes of tokens and groups are those of the reference model, in ${RUNS} random chains`, {
  timeout: 30_000 + RUNS * 5_000,
}, async () => {
  const ctx = ctxOf(tenant.id);
  const { accessToken: admin } = await employeeToken(service, tenant.id, tenant.employee.id);
  const property = fc.asyncProperty(chains, async (chain) => {
    const people = await givenPeople();
    const groupIds = await service.app.modules.administer(ctx, (change) => make(chain, change, people));

    const employee = await employeeToken(service, tenant.id, people.employeeId);
    expect(employee.scopes).toEqual(entitled(chain, ['staff'], []));
    for (const company of [null, ...companies]) {
      const { scopes } = await customerToken(service, tenant, people.customerId, company);
      const places = ['everywhere', ...(company ? [company] : [])];
      expect([company, scopes]).toEqual([company, entitled(chain, places, defaultCustomerScopes)]);
    }

    // What the console shows is the same.
    const asked = groupIds.map((id, index) => `g${index}: group(id: "${id}") { scopes }`).slice(0, 7);
    const query = `{ employee(id: "${people.employeeId}") { scopes } ${asked.join(' ')} }`;
    const { data, errors } = await graphql(service, query, { bearer: admin });
    expect(errors).toEqual([]);
    expect(data!.employee.scopes).toEqual(employee.scopes);
    for (const [index] of asked.entries())
      expect(data![`g${index}`].scopes).toEqual(distinct(givenBy(chain, chain.groups[index]!)).sort());
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
});

it('the reference tells chains apart: it is not empty, and knows restrictions, companies and templates', () => {
  const sampled = fc.sample(chains, { numRuns: 300, seed: 7 });
  const ofStaff = sampled.map((chain) => entitled(chain, ['staff'], []).length);
  expect(ofStaff.filter((count) => count > 0).length).toBeGreaterThan(50);
  const inOne = sampled.filter(
    (chain) =>
      `${entitled(chain, ['everywhere', 'company'], [])}` !== `${entitled(chain, ['everywhere', 'other'], [])}`,
  );
  expect(inOne.length).toBeGreaterThan(50);
});
