// Whatever a tenant has, and whatever another one had before: exported from the one and imported into the other, the
// same groups give the same scopes to the same people.

import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { DomainError } from '../../src/errors/domain-error.ts';
import { command, givenColleague, givenNewTenant, importInto, theCommandedService } from '../kit/command-line.ts';
import { ctxOf, type Service } from '../kit/service.ts';

let at: Service;
beforeAll(async () => {
  at = await theCommandedService();
});

const people = ['eve', 'tom'];
const scopes = ['price.price_read', 'price.price_manage', 'label.label_view', 'iam.group_read', 'media.asset_manage'];
const customScopes = ['pim.text_write', 'pim.text_read', 'pim.shelf_manage'];
const actions = ['read', 'view', 'manage', 'write'];
const resources = ['price.price', 'label.label', 'iam.group', 'pim.text', 'pim.shelf'];
// What cannot be changed goes with the id, since both tenants have had other things of that id before.
const controlIds = ['free0', 'free1', 'free2', 'EMPLOYEE0', 'EMPLOYEE1', 'CUSTOMER0'];
const groupIds = ['EMPLOYEE-a', 'EMPLOYEE-b', 'CUSTOMER-a'];

const some = <Item>(items: readonly Item[], minLength = 0) => fc.subarray([...items], { minLength });
const source = fc.oneof(
  fc.record({ scopes: some([...scopes, ...customScopes], 1) }),
  fc.record({ roleId: fc.constantFrom('viewer', 'manager', 'r0', 'r1'), resourceId: fc.constantFrom(...resources) }),
);
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => /\S/.test(text) && !/\p{Cs}|\0/u.test(text));
const each = <Value>(ids: readonly string[], value: fc.Arbitrary<Value>) =>
  fc.dictionary(fc.constantFrom(...ids), value, { noNullPrototype: true });

const access = fc.record({
  customScopes: some(customScopes),
  roles: each(['r0', 'r1'], fc.record({ name, permissionIds: some(actions, 1) })),
  accessControls: each(controlIds, fc.tuple(name, source)),
  templates: each(['t0', 't1'], fc.record({ name, accessControlIds: some(controlIds, 1) })),
  groups: each(
    groupIds,
    fc.record({
      name,
      accessControlIds: some([...controlIds, 'every-scope']),
      templateIds: some(['t0', 't1']),
      members: some(people),
    }),
  ),
});

type Wanted = typeof access extends fc.Arbitrary<infer Value> ? Value : never;

/** Makes it by the use cases; what they refuse is left out. */
async function make(tenant: string, wanted: Wanted): Promise<void> {
  const ctx = ctxOf(tenant);
  const { accessControls, employees, groups, memberships, roles, scopeDefinitions, templates } = at.app.modules;
  const tried = async (work: () => Promise<unknown>) => {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return false;
    }
  };
  const made = new Set<string>(['every-scope']);
  const isMade = (id: string) => made.has(id);
  for (const id of wanted.customScopes) await scopeDefinitions.create(ctx, { id, description: id });
  for (const [id, role] of Object.entries(wanted.roles)) await tried(() => roles.create(ctx, { id, ...role }));
  for (const [id, [called, given]] of Object.entries(wanted.accessControls)) {
    const restrictedTo = (['EMPLOYEE', 'CUSTOMER'] as const).find((type) => id.startsWith(type));
    if (await tried(() => accessControls.create(ctx, { id, name: called, restrictedTo, ...given }))) made.add(id);
  }
  for (const [id, template] of Object.entries(wanted.templates)) {
    const accessControlIds = template.accessControlIds.filter(isMade);
    if (await tried(() => templates.create(ctx, { id, name: template.name, accessControlIds }))) made.add(id);
  }
  for (const [id, group] of Object.entries(wanted.groups)) {
    const userType = id.startsWith('EMPLOYEE') ? 'EMPLOYEE' : 'CUSTOMER';
    const fits = (control: string) =>
      isMade(control) &&
      (control.startsWith('free') ||
        control.startsWith(userType) ||
        (control === 'every-scope' && userType === 'EMPLOYEE'));
    const accessControlIds = group.accessControlIds.filter(fits);
    const templateIds = group.templateIds.filter(isMade);
    await groups.create(ctx, { id, name: group.name, userType, accessControlIds, templateIds });
    if (userType === 'CUSTOMER') continue;
    for (const member of group.members) {
      const { id: userId } = (await employees.findByEmail(ctx, `${member}@${tenant}.example`))!;
      await memberships.add(ctx, { groupId: id, userId, userType });
    }
  }
}

const exported = async (tenant: string) => JSON.parse((await command(at, ['export', '--tenant', tenant])).out);

/** Every group and person, and what they give or have. */
async function whoHasWhat(tenant: string) {
  const ctx = ctxOf(tenant);
  const { contents, employees } = at.app.modules;
  const ids = await Promise.all(
    people.map(async (who) => (await employees.findByEmail(ctx, `${who}@${tenant}.example`))!.id),
  );
  return { groups: await contents.scopesOfGroups(ctx, groupIds), people: await contents.scopesOfEmployees(ctx, ids) };
}

it('export and import elsewhere give the same scopes, whatever was there before', async () => {
  const [{ tenant: from }, { tenant: to }] = [await givenNewTenant(at), await givenNewTenant(at)];
  for (const tenant of [from, to]) for (const who of people) await givenColleague(at, tenant, who);
  const fresh = await exported(from);
  let largest = 0;
  await fc.assert(
    fc.asyncProperty(access, async (wanted) => {
      expect((await importInto(at, from, fresh, '--prune')).err).toBe('');
      await make(from, wanted);
      const file = JSON.parse(JSON.stringify(await exported(from)).replaceAll(`@${from}.`, `@${to}.`));
      const options = ['--prune'];
      expect((await importInto(at, to, file, ...options)).err).toBe('');
      expect(await exported(to)).toEqual(file);
      expect((await importInto(at, to, file, ...options)).out).toBe('No difference.\n');
      const have = await whoHasWhat(from);
      expect(await whoHasWhat(to)).toEqual(have);
      largest = Math.max(largest, ...have.groups.slice(0, 2).map((given) => given.length));
    }),
    { numRuns: 30, endOnFailure: true },
  );
  // It was about something.
  expect(largest).toBeGreaterThan(3);
}, 300_000);
