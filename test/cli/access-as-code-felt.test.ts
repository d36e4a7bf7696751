// What an import does is felt: tokens, the audit trail, and the last administrator who stays.

import { beforeAll, describe, expect, it } from 'vitest';
import { accessFile } from '../kit/access-files.ts';
import { givenColleague, givenNewTenant, importInto, rowsOfAccess, theCommandedService } from '../kit/command-line.ts';
import { only } from '../kit/graphql.ts';
import { ctxOf, type Service } from '../kit/service.ts';
import { isGood, PASSWORD, tryEmployeeLogin } from '../kit/stories.ts';

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
const signedIn = async (tenant: string, name: string): Promise<string> =>
  only(await tryEmployeeLogin(at, `${name}@${tenant}.example`, PASSWORD, tenant)).accessToken;
const trail = (tenantId: string) => at.app.modules.database.forTenant({ tenantId }).auditEvent.findMany();

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
    const before = new Set((await trail(tenant)).map(({ id }) => id));
    const file = accessFile(tenant, ({ customScopes, accessControls, templates, groups }) => {
      customScopes['pim.text_write'].description = 'Write.';
      customScopes['pim.text_check'] = { description: 'Check.' };
      accessControls.checks = { name: 'Checks', scopes: ['pim.text_check'] };
      templates.editing.name = 'All';
      groups.editors.employees = [`eve@${tenant}.example`];
      delete groups.fans;
    });
    await importFile(tenant, file, '--prune');
    const events = (await trail(tenant)).filter(({ id }) => !before.has(id));
    const told = events.map(({ type, subject }) => [type, (subject as { id: string }).id]);
    const expected = [
      ['access_control.created', 'checks'],
      ['template.updated', 'editing'],
      ['group.member_removed', expect.any(String)],
      ['group.deleted', 'fans'],
      ['scope.created', 'pim.text_check'],
      ['scope.updated', 'pim.text_write'],
      ['iam.imported', tenant],
    ];
    expect(told).toHaveLength(expected.length);
    expect(told).toEqual(expect.arrayContaining(expected));
    const operator = { actor: { kind: 'operator', id: '' }, requestId: 'command-line' };
    for (const event of events) expect(event).toMatchObject(operator);
    const detailsOf = (type: string) => events.find((event) => event.type === type)!.details;
    expect(detailsOf('iam.imported')).toEqual({ added: 2, changed: 3, deleted: 1 });
    expect(detailsOf('template.updated')).toEqual({
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
