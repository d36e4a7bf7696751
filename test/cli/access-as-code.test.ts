// `export` and `import`: what is written and what is brought about.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { accessFile } from '../kit/access-files.ts';
import {
  command,
  folderOfTest,
  givenColleague,
  givenNewTenant,
  importInto,
  rowsOfAccess,
  theCommandedService,
  writesAmong,
} from '../kit/command-line.ts';
import { ctxOf, type Service } from '../kit/service.ts';

let at: Service;
beforeAll(async () => {
  at = await theCommandedService();
});

/** A tenant in which eve and tom work. */
async function given(): Promise<string> {
  const { tenant } = await givenNewTenant(at);
  for (const name of ['eve', 'tom', 'sue']) await givenColleague(at, tenant, name);
  return tenant;
}
const importFile = (tenant: string, file: unknown, ...options: string[]) => importInto(at, tenant, file, ...options);
const exported = async (tenant: string) => JSON.parse((await command(at, ['export', '--tenant', tenant])).out);
const lines = (out: string) => out.trimEnd().split('\n');

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
    const path = join(folderOfTest(), 'access.json');
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

  it('--json tells the differences to a machine', async () => {
    const { tenant } = await givenNewTenant(at);
    const file = { version: 1, roles: { reader: { name: 'Reader', permissionIds: ['read'] } } };
    const { out } = await importFile(tenant, file, '--json');
    expect(JSON.parse(out)).toEqual([{ kind: 'roles', id: 'reader', before: null, after: file.roles.reader }]);
  });
});
