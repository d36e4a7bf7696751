// `export` and `import`: what is written, what is brought about, and what is felt of it.

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { accessFile } from '../kit/access-files.ts';
import { command, fileOf, givenColleague, givenNewTenant, rowsOfAccess, writesAmong } from '../kit/command-line.ts';
import { only } from '../kit/graphql.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { isGood, PASSWORD, tryEmployeeLogin } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

/** A tenant in which eve and tom work. */
async function given(): Promise<string> {
  const { tenant } = await givenNewTenant(at);
  for (const name of ['eve', 'tom', 'sue']) await givenColleague(at, tenant, name);
  return tenant;
}
const importFile = (tenant: string, file: unknown, ...options: string[]) =>
  command(at, ['import', fileOf(file), '--tenant', tenant, ...options]);
const exported = async (tenant: string) => JSON.parse((await command(at, ['export', '--tenant', tenant])).out);
const lines = (out: string) => out.trimEnd().split('\n');
const signedIn = async (tenant: string, name: string): Promise<string> =>
  only(await tryEmployeeLogin(at, `${name}@${tenant}.example`, PASSWORD, tenant)).accessToken;
const trail = (tenantId: string) =>
  at.app.modules.database.forTenant({ tenantId }).auditEvent.findMany({ orderBy: [{ at: 'asc' }, { id: 'asc' }] });

describe('export', () => {
  it('is the file that was imported, in the order of ids, without what is predefined', async () => {
    const tenant = await given();
    await importFile(tenant, accessFile(tenant));
    const { code, out, err } = await command(at, ['export', '--tenant', tenant]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const sorted = accessFile(tenant, (file) => {
      const { labels, prices, texts } = file.accessControls;
      file.accessControls = { labels, prices, texts };
    });
    expect(Object.keys(JSON.parse(out).accessControls)).toEqual(['labels', 'prices', 'texts']);
    expect(JSON.parse(out)).toEqual(sorted);
    expect(out).toContain('\n  "groups": {\n    "administrators": {\n');
  });

  it('--out writes the same to a file, and says so on standard error', async () => {
    const tenant = await given();
    const path = fileOf('');
    const { out, err } = await command(at, ['export', '--tenant', tenant, '--out', path]);
    expect({ out, err }).toEqual({ out: '', err: `Written to ${path}.\n` });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(await exported(tenant));
  });
});

describe('import', () => {
  it('into a fresh tenant brings about what was exported elsewhere', async () => {
    const [from, to] = [await given(), await given()];
    await importFile(from, accessFile(from));
    const file = JSON.parse(JSON.stringify(await exported(from)).replaceAll(from, to));
    expect((await importFile(to, file)).code).toBe(0);
    expect(await exported(to)).toEqual(file);
    const scopes = (tenant: string) => {
      const { contents } = at.app.modules;
      return contents.scopesOfGroups(ctxOf(tenant), ['editors', 'fans']);
    };
    expect(await scopes(to)).toEqual(await scopes(from));
    expect(await scopes(to)).toEqual([
      ['label.label_read', 'pim.text_write', 'price.price_manage', 'price.price_read'],
      ['label.label_read'],
    ]);
  });

  it('says what it did, a line each, and the second time: no difference', async () => {
    const tenant = await given();
    const file = accessFile(tenant);
    const first = await importFile(tenant, file);
    expect(lines(first.out)).toEqual([
      '+ customScopes["pim.text_write"]  description: "Write the texts of products."',
      '+ roles.writer  name: "Writer", permissionIds: ["read","write"]',
      '+ accessControls.labels  name: "Labels", roleId: "viewer", resourceId: "label.label"',
      '+ accessControls.prices  name: "Prices", scopes: ["price.price_manage","price.price_read"], restrictedTo: "EMPLOYEE"',
      '+ accessControls.texts  name: "Texts", roleId: "writer", resourceId: "pim.text"',
      '+ templates.editing  name: "Editing", accessControlIds: ["labels","texts"]',
      `+ groups.editors  name: "Editors", userType: "EMPLOYEE", accessControlIds: ["prices"], templateIds: ["editing"], employees: ["eve@${tenant}.example","tom@${tenant}.example"]`,
      '+ groups.fans  name: "Fans", userType: "CUSTOMER", accessControlIds: ["labels"], templateIds: []',
    ]);
    const before = await rowsOfAccess(at, tenant);
    expect(await importFile(tenant, file, '--prune')).toEqual({ code: 0, out: 'No difference.\n', err: '' });
    expect(await rowsOfAccess(at, tenant)).toEqual(before);
  });

  it('changes every field that can change, and tells it from → to', async () => {
    const tenant = await given();
    await importFile(tenant, accessFile(tenant));
    const file = accessFile(tenant, ({ customScopes, roles, accessControls, templates, groups }) => {
      customScopes['pim.text_write'].description = 'Write.';
      roles.writer.permissionIds = ['write'];
      accessControls.texts = { name: 'Words', scopes: ['pim.text_write'] };
      accessControls.labels.roleId = 'manager';
      templates.editing = { name: 'All', accessControlIds: ['texts'] };
      Object.assign(groups.editors, { name: 'Authors', templateIds: [], employees: [`SUE@${tenant}.example `] });
    });
    const { out } = await importFile(tenant, file);
    expect(lines(out)).toEqual([
      '~ customScopes["pim.text_write"]  description: "Write the texts of products." → "Write."',
      '~ roles.writer  permissionIds: ["read","write"] → ["write"]',
      '~ accessControls.labels  roleId: "viewer" → "manager"',
      '~ accessControls.texts  name: "Texts" → "Words", roleId: "writer" → nothing, resourceId: "pim.text" → nothing, scopes: nothing → ["pim.text_write"]',
      '~ templates.editing  name: "Editing" → "All", accessControlIds: ["labels","texts"] → ["texts"]',
      `~ groups.editors  name: "Editors" → "Authors", templateIds: ["editing"] → [], employees: ["eve@${tenant}.example","tom@${tenant}.example"] → ["sue@${tenant}.example"]`,
    ]);
    expect((await importFile(tenant, file)).out).toBe('No difference.\n');
    // And back again: a list becomes a role.
    expect((await importFile(tenant, accessFile(tenant))).code).toBe(0);
    expect(await exported(tenant)).toEqual(accessFile(tenant));
  });

  it('--dry-run tells the same, and not one statement writes', async () => {
    const tenant = await given();
    await importFile(tenant, accessFile(tenant));
    const file = accessFile(tenant, ({ roles, accessControls, groups }) => {
      roles.reader = { name: 'Reader', permissionIds: ['read'] };
      accessControls.prices.scopes = ['price.price_read'];
      delete groups.fans;
    });
    const before = await rowsOfAccess(at, tenant);
    const from = at.statements.length;
    const dry = await importFile(tenant, file, '--dry-run', '--prune');
    expect(writesAmong(at.statements.slice(from))).toEqual([]);
    expect(await rowsOfAccess(at, tenant)).toEqual(before);
    const real = await importFile(tenant, file, '--prune');
    expect(writesAmong(at.statements.slice(from)).length).toBeGreaterThan(0);
    expect(real).toEqual(dry);
    expect(lines(real.out).map((line) => line.slice(0, 24))).toEqual([
      '+ roles.reader  name: "R',
      '~ accessControls.prices ',
      '- groups.fans  name: "Fa',
    ]);
  });

  it('--prune deletes what a section does not have, backwards; without it everything stays', async () => {
    const tenant = await given();
    await importFile(tenant, accessFile(tenant));
    const { administrators } = accessFile(tenant).groups;
    const empty = {
      version: 1,
      customScopes: {},
      roles: {},
      accessControls: {},
      templates: {},
      groups: { administrators },
    };
    expect((await importFile(tenant, empty)).out).toBe('No difference.\n');
    // A section that is absent is left alone.
    const { groups: _, ...withoutGroups } = {
      ...empty,
      customScopes: undefined,
      roles: undefined,
      accessControls: undefined,
    };
    expect(lines((await importFile(tenant, withoutGroups, '--prune')).out)).toEqual([
      '- templates.editing  name: "Editing", accessControlIds: ["labels","texts"]',
    ]);
    const { code, out } = await importFile(tenant, empty, '--prune');
    expect({ code, count: lines(out).length }).toEqual({ code: 0, count: 7 });
    expect(lines(out).every((line) => line.startsWith('- '))).toBe(true);
    expect(await exported(tenant)).toEqual(empty);
  });

  it('leaves the members of a group alone that does not name any', async () => {
    const tenant = await given();
    await importFile(tenant, accessFile(tenant));
    const file = accessFile(tenant, ({ groups }) => {
      delete groups.editors.employees;
      groups.editors.name = 'Authors';
    });
    expect(lines((await importFile(tenant, file)).out)).toEqual(['~ groups.editors  name: "Editors" → "Authors"']);
    expect((await exported(tenant)).groups.editors.employees).toEqual(accessFile(tenant).groups.editors.employees);
  });

  it('--json tells the differences to a machine, and - reads standard input', async () => {
    const { tenant } = await givenNewTenant(at);
    const file = { version: 1, roles: { reader: { name: 'Reader', permissionIds: ['read'] } } };
    const { out } = await command(at, ['import', '-', '--tenant', tenant, '--json'], JSON.stringify(file));
    expect(JSON.parse(out)).toEqual([{ kind: 'roles', id: 'reader', before: null, after: file.roles.reader }]);
  });
});

describe('what an import does is felt', () => {
  it('tokens of a group that gives something else are refused, those of others are not', async () => {
    const tenant = await given();
    await importFile(tenant, accessFile(tenant));
    const [eve, admin] = [await signedIn(tenant, 'eve'), await signedIn(tenant, 'admin')];
    // By a role, two steps away; the scopes come and go in between, but what comes out counts.
    const file = accessFile(tenant, ({ roles, accessControls, groups }) => {
      roles.writer.permissionIds = ['read'];
      accessControls.texts = { name: 'Texts', scopes: ['label.label_read'] };
      groups.fans.name = 'Friends';
    });
    expect((await importFile(tenant, file)).code).toBe(0);
    expect([await isGood(at, eve), await isGood(at, admin)]).toEqual([false, true]);
    const revoked = await at.app.modules.database.forTenant(ctxOf(tenant)).revocation.findMany();
    expect(revoked.map(({ kind, key, reason }) => ({ kind, key, reason }))).toEqual([
      { kind: 'GROUP', key: 'editors', reason: 'iam.imported' },
    ]);
  });

  it('a group that gives the same by other means keeps its tokens', async () => {
    const tenant = await given();
    await importFile(tenant, accessFile(tenant));
    const eve = await signedIn(tenant, 'eve');
    const file = accessFile(tenant, ({ templates, groups }) => {
      templates.editing.accessControlIds = ['texts'];
      groups.editors.accessControlIds = ['labels', 'prices'];
    });
    expect((await importFile(tenant, file)).code).toBe(0);
    expect(await isGood(at, eve)).toBe(true);
  });

  it('who leaves a group loses the tokens, who joins has the scopes with the next', async () => {
    const tenant = await given();
    await importFile(tenant, accessFile(tenant));
    const eve = await signedIn(tenant, 'eve');
    await importFile(
      tenant,
      accessFile(tenant, ({ groups }) => (groups.editors.employees = [`sue@${tenant}.example`])),
    );
    expect(await isGood(at, eve)).toBe(false);
    const { scopes } = only(await tryEmployeeLogin(at, `sue@${tenant}.example`, PASSWORD, tenant));
    expect(scopes).toContain('pim.text_write');
  });

  it('every step is in the audit trail, and the import with its counts', async () => {
    const tenant = await given();
    await importFile(tenant, accessFile(tenant));
    const from = (await trail(tenant)).length;
    const file = accessFile(tenant, ({ customScopes, accessControls, templates, groups }) => {
      customScopes['pim.text_write'].description = 'Write.';
      customScopes['pim.text_check'] = { description: 'Check.' };
      accessControls.checks = { name: 'Checks', scopes: ['pim.text_check'] };
      templates.editing.name = 'All';
      groups.editors.employees = [`eve@${tenant}.example`];
      delete groups.fans;
    });
    await importFile(tenant, file, '--prune');
    const events = (await trail(tenant)).slice(from);
    expect(events.map(({ type, subject }) => [type, (subject as { id: string }).id])).toEqual([
      ['access_control.created', 'checks'],
      ['template.updated', 'editing'],
      ['group.member_removed', expect.any(String)],
      ['group.deleted', 'fans'],
      ['scope.created', 'pim.text_check'],
      ['scope.updated', 'pim.text_write'],
      ['iam.imported', tenant],
    ]);
    const operator = { actor: { kind: 'operator', id: '' }, requestId: 'command-line' };
    for (const event of events) expect(event).toMatchObject(operator);
    expect(events.at(-1)!.details).toEqual({ added: 2, changed: 3, deleted: 1 });
    expect(events[1]!.details).toEqual({
      before: { name: 'Editing', accessControlIds: ['labels', 'texts'] },
      after: { name: 'All', accessControlIds: ['labels', 'texts'] },
    });
  });
});

describe('the last administrator', () => {
  const words = 'Nobody would be left who can manage groups. (LAST_ADMINISTRATOR)\n';

  it.each([
    ['by leaving the group', ({ groups }: any) => (groups.administrators.employees = [])],
    ['by a group that gives less', ({ groups }: any) => (groups.administrators.accessControlIds = ['prices'])],
    ['by deleting the group', ({ groups }: any) => delete groups.administrators],
  ])('stays: %s is refused, dry or not, and nothing is changed', async (_how, change) => {
    const tenant = await given();
    const before = await rowsOfAccess(at, tenant);
    for (const options of [['--dry-run'], []]) {
      const outcome = await importFile(tenant, accessFile(tenant, change), '--prune', ...options);
      expect(outcome).toEqual({ code: 1, out: '', err: words });
    }
    expect(await rowsOfAccess(at, tenant)).toEqual(before);
  });

  it('may be another afterwards, whatever was in between', async () => {
    const tenant = await given();
    const file = accessFile(tenant, ({ accessControls, groups }) => {
      groups.administrators.accessControlIds = ['prices'];
      accessControls.managing = { name: 'Managing', roleId: 'manager', resourceId: 'iam.group' };
      groups.editors.accessControlIds = ['managing'];
    });
    const { code, err } = await importFile(tenant, file);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { scopes } = only(await tryEmployeeLogin(at, `eve@${tenant}.example`, PASSWORD, tenant));
    expect(scopes).toContain('iam.group_manage');
  });
});
