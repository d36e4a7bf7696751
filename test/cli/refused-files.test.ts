// Files that `import` refuses: every place that is wrong is told by its path, dry or not, and nothing is changed.

import { beforeAll, describe, expect, it } from 'vitest';
import { accessFile } from '../kit/access-files.ts';
import {
  command,
  givenColleague,
  givenNewTenant,
  importInto,
  rowsOfAccess,
  theCommandedService,
  writesAmong,
} from '../kit/command-line.ts';
import { ctxOf, type Service } from '../kit/service.ts';

let at: Service;
let tenant: string;
beforeAll(async () => {
  at = await theCommandedService();
  ({ tenant } = await givenNewTenant(at));
  for (const name of ['eve', 'tom']) await givenColleague(at, tenant, name);
  await at.app.modules.legalEntities.create(ctxOf(tenant), { id: 'company', name: 'Company' });
  await importInto(at, tenant, accessFile(tenant));
});

const idRule = 'an id has 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit';
const tryImport = (content: unknown, ...options: string[]) => importInto(at, tenant, content, ...options);

/** Is refused with exactly these problems, and not a statement writes. */
async function expectRefused(content: unknown, ...problems: string[]): Promise<void> {
  const before = await rowsOfAccess(at, tenant);
  const from = at.statements.length;
  const err = ['The file is refused, and nothing is changed.', ...problems.map((one) => `  ${one}`), ''].join('\n');
  for (const options of [['--dry-run'], []])
    expect(await tryImport(content, '--prune', ...options)).toEqual({ code: 1, out: '', err });
  expect(writesAmong(at.statements.slice(from))).toEqual([]);
  expect(await rowsOfAccess(at, tenant)).toEqual(before);
}

describe('is refused for its shape', () => {
  it.each([
    ['another version', { version: 2 }, 'version: Invalid input: expected 1'],
    ['no object', [], 'the file: Invalid input: expected object, received array'],
    ['a section that there is not', { version: 1, users: {} }, 'the file: Unrecognized key: "users"'],
    [
      'a field that there is not',
      { version: 1, roles: { a: { name: 'A', permissionIds: ['read'], scopes: [] } } },
      'roles.a: Unrecognized key: "scopes"',
    ],
    [
      'no name',
      { version: 1, templates: { t: { accessControlIds: ['labels'] } } },
      'templates.t.name: Invalid input: expected string, received undefined',
    ],
    [
      'role and scopes at once',
      { version: 1, accessControls: { a: { name: 'A', roleId: 'viewer', resourceId: 'x.y', scopes: ['a.b'] } } },
      'accessControls.a: either roleId and resourceId, or scopes',
    ],
    [
      'an id with a space',
      { version: 1, roles: { 'a b': { name: 'A', permissionIds: ['read'] } } },
      `roles["a b"]: ${idRule}`,
    ],
    ['the id __proto__', '{ "version": 1, "groups": { "__proto__": {} } }', `groups.__proto__: ${idRule}`],
  ])('%s', async (_what, content, problem) => expectRefused(content, problem));

  it('no JSON at all, a file that is not there, and a text that cannot be stored', async () => {
    expect(await tryImport('{ "version": 1,')).toEqual({ code: 1, out: '', err: '-: is not JSON.\n' });
    const zero = '{ "version": 1, "roles": { "a": { "name": "\\u0000", "permissionIds": ["read"] } } }';
    const words = '-: has a text with a zero character or half a character, which cannot be stored.\n';
    expect(await tryImport(zero)).toEqual({ code: 1, out: '', err: words });
    const nowhere = await command(at, ['import', '/nowhere/at.all', '--tenant', tenant]);
    expect(nowhere.err).toBe("ENOENT: no such file or directory, open '/nowhere/at.all'\n");
  });
});

describe('is refused for what it names', () => {
  const editors = ['groups', 'editors'] as const;
  const cases: [string, (file: any) => void, ...string[]][] = [
    [
      'an unknown scope, by its place in the list',
      ({ accessControls }) => accessControls.prices.scopes.push('price.price_burn'),
      'accessControls.prices.scopes[2]: is no scope of this tenant',
    ],
    [
      'a scope that the file no longer defines',
      (file) => {
        delete file.customScopes['pim.text_write'];
        file.roles.writer.permissionIds = ['read'];
        file.accessControls.texts = { name: 'Texts', scopes: ['pim.text_write'] };
      },
      'accessControls.texts.scopes[0]: is no scope of this tenant',
    ],
    [
      'an unknown permission, resource and role',
      ({ roles, accessControls }) => {
        roles.writer.permissionIds = ['read', 'burn'];
        accessControls.texts.resourceId = 'pim.nothing';
        accessControls.labels.roleId = 'nobody';
      },
      'roles.writer.permissionIds[1]: is no permission of this tenant',
      'accessControls.texts.resourceId: is no resource of this tenant',
      'accessControls.labels.roleId: is no role of this tenant',
    ],
    [
      'a role that has nothing to say about the resource',
      ({ roles, accessControls }) => {
        roles.writer.permissionIds = ['write'];
        accessControls.texts.resourceId = 'label.label';
      },
      'accessControls.texts.roleId: is a role without a permission that this resource knows',
    ],
    [
      'an access control that is pruned, in a template and in a group',
      ({ accessControls }) => delete accessControls.labels,
      'templates.editing.accessControlIds[0]: is no access control of this tenant',
      'groups.fans.accessControlIds[0]: is no access control of this tenant',
    ],
    [
      'what only an object’s prototype has',
      ({ groups }) => {
        groups.editors.accessControlIds = ['constructor'];
        groups.editors.templateIds = ['toString'];
      },
      'groups.editors.accessControlIds[0]: is no access control of this tenant',
      'groups.editors.templateIds[0]: is no template of this tenant',
    ],
    [
      'an access control for the other type of people',
      ({ groups }) => groups.fans.accessControlIds.push('prices'),
      'groups.fans.accessControlIds[1]: is not for groups of type CUSTOMER',
    ],
    [
      'an unknown mail address, and one of nobody',
      (file) => (file[editors[0]][editors[1]].employees = ['nobody@x.example', 'no address']),
      'groups.editors.employees[0]: is not the mail address of an employee',
      'groups.editors.employees[1]: is not the mail address of an employee',
    ],
    [
      'employees in a group of customers',
      ({ groups }) => (groups.fans.employees = []),
      'groups.fans.employees: only a group of employees has employees',
    ],
    [
      'an unknown company, and a company for employees',
      ({ groups }) => {
        const group = { accessControlIds: [], templateIds: [] };
        groups.buyers = { name: 'Buyers', userType: 'CUSTOMER', legalEntityId: 'nowhere', ...group };
        groups.clerks = { name: 'Clerks', userType: 'EMPLOYEE', legalEntityId: 'company', ...group };
      },
      'groups.buyers.legalEntityId: is no company of this tenant',
      'groups.clerks.legalEntityId: only customers have groups in a company',
    ],
    [
      'predefined ids as its own',
      ({ roles, accessControls }) => {
        roles.viewer = { name: 'Viewer', permissionIds: ['read'] };
        accessControls['every-scope'] = { name: 'All', scopes: ['label.label_read'] };
      },
      'roles.viewer: is predefined: it can be named, but not edited',
      'accessControls["every-scope"]: is predefined: it can be named, but not edited',
    ],
    [
      'another user type, company or restriction for what is there',
      ({ accessControls, groups }) => {
        delete accessControls.prices.restrictedTo;
        groups.fans.legalEntityId = 'company';
        delete groups.editors.employees;
        groups.editors.userType = 'CUSTOMER';
        groups.editors.accessControlIds = [];
      },
      'accessControls.prices.restrictedTo: cannot be changed: take another id',
      'groups.editors.userType: cannot be changed: take another id',
      'groups.fans.legalEntityId: cannot be changed: take another id',
    ],
    [
      'scopes that cannot be defined',
      ({ customScopes }) => {
        customScopes['no scope'] = { description: 'A space.' };
        customScopes['price.price_view'] = { description: 'Another spelling of a built-in one.' };
        customScopes['pim.shelf_read'] = { description: 'One spelling.' };
        customScopes['pim.shelf_view'] = { description: 'And the other.' };
      },
      'customScopes["no scope"]: A scope is written service.resource_action, in printable ASCII.',
      'customScopes["pim.shelf_read"]: There is a scope of that meaning.',
      'customScopes["pim.shelf_view"]: There is a scope of that meaning.',
      'customScopes["price.price_view"]: There is a built-in scope of that meaning.',
    ],
    [
      'more scopes than a token has room for',
      ({ customScopes }) => {
        for (let at = 0; at < 20; at += 1) customScopes[`pim.${'x'.repeat(100)}${at}_write`] = { description: 'Long.' };
      },
      ...[...Array(20).keys()]
        .map((at) => `pim.${'x'.repeat(100)}${at}_write`)
        .sort()
        .map((id) => `customScopes["${id}"]: All scopes of a tenant have to fit into one token.`),
    ],
  ];
  it.each(cases)('%s', async (_what, change, ...problems) => expectRefused(accessFile(tenant, change), ...problems));

  it('a predefined group of a company as its own', async () => {
    const { group } = at.app.modules.database.forTenant({ tenantId: tenant });
    const { id } = await group.findFirstOrThrow({ where: { legalEntityId: 'company', role: 'ADMIN' } });
    const change = ({ groups }: any) => {
      groups[id] = { ...groups.fans, legalEntityId: 'company' };
    };
    await expectRefused(accessFile(tenant, change), `groups["${id}"]: is predefined: it can be named, but not edited`);
  });

  it('a scope that a client still has is not pruned', async () => {
    const { clients } = at.app.modules;
    const scopes = ['pim.text_read'];
    const define = ({ customScopes }: any) => (customScopes['pim.text_read'] = { description: 'Read.' });
    await tryImport(accessFile(tenant, define));
    const { client } = await clients.register(ctxOf(tenant), { name: 'Reader', kind: 'CUSTOM', scopes });
    await expectRefused(
      accessFile(tenant),
      'customScopes["pim.text_read"]: cannot be deleted, for clients still have it',
    );
    await clients.delete(ctxOf(tenant), client.id);
    expect((await tryImport(accessFile(tenant), '--prune')).code).toBe(0);
  });
});

it('what a use case refuses in the middle is told with its place, and nothing of the rest stays', async () => {
  const { accessControls } = at.app.modules;
  const ctx = ctxOf(tenant);
  await accessControls.create(ctx, { id: 'other', name: 'Other', roleId: 'writer', resourceId: 'pim.text' });
  const before = await rowsOfAccess(at, tenant);
  // The file does not speak of access controls, so that the role that is to go is still in use.
  const file = accessFile(tenant, (whole) => {
    whole.customScopes['pim.new_write'] = { description: 'New.' };
    delete whole.roles.writer;
    delete whole.accessControls;
    whole.groups.fans.name = 'Friends';
  });
  const { code, err } = await tryImport(file, '--prune');
  expect({ code, err }).toEqual({
    code: 1,
    err: 'roles.writer: Access controls still apply this role. (ROLE_IN_USE)\n',
  });
  expect(await rowsOfAccess(at, tenant)).toEqual(before);
  await accessControls.delete(ctx, 'other');
});
