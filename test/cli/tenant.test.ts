// `tenant create | list | settings | suspend`: a tenant that can be worked with, made whole or completed; and one that is shut.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTenant } from '../../src/cli/create-tenant.ts';
import { command, givenNewTenant, theCommandedService } from '../kit/command-line.ts';
import { only } from '../kit/graphql.ts';
import type { Service } from '../kit/service.ts';
import { claimsOf, guest, isGood, PASSWORD, tryEmployeeLogin, tryServiceToken } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theCommandedService();
});
const cli = (...args: string[]) => command(at, args);
const newId = () => `n-${randomUUID().slice(0, 12)}`;
const create = (id: string, ...more: string[]) =>
  ['tenant', 'create', id, '--name', 'New', '--admin-email', `ada@${id}.example`, ...more] as const;
const failure = (err: string) => ({ code: 1, out: '', err });

describe('tenant create', () => {
  it('makes one that its administrator and its clients can work with, and prints each secret once', async () => {
    const id = newId();
    const { code, out } = await cli(...create(id, '--backend', '--storefront'));
    expect(code).toBe(0);
    const [, email, password, backend, secret, storefront] = new RegExp(
      `^Tenant ${id} is ready\\.\n\n  administrator  (\\S+)\n  password       (\\S{24})\n  back end       (cl_\\S+)\n` +
        '  secret         (cs_\\S+)\n  storefront     (cl_\\S+) \\(public: no secret\\)\n\nWhat is secret .+\\.\n$',
    ).exec(out)!;
    expect(email).toBe(`ada@${id}.example`);
    const ada = only(await tryEmployeeLogin(at, email!, password, id));
    const every = at.app.modules.scopes.everyScope({ tenantId: id });
    expect(ada.scopes).toEqual(every);
    expect(only(await tryServiceToken(at, backend!, secret!)).scopes).toEqual(every);
    expect(claimsOf((await guest(at, { tenant: id, clientId: storefront })).accessToken)).toMatchObject({ tenant: id });
    const stored = JSON.stringify(await at.app.modules.database.forTenant({ tenantId: id }).auditEvent.findMany());
    for (const word of [password, secret]) expect(stored).not.toContain(word);
    expect(at.logged.join('\n')).not.toContain(password);
  });

  it('takes the password from standard input, and then prints none', async () => {
    const id = newId();
    const args = create(id, '--admin-password-stdin', '--json', '--admin-first-name', 'Ada');
    const { out } = await command(at, args, 'a password of my own\n');
    expect(JSON.parse(out)).toEqual({
      tenant: id,
      administrator: { email: `ada@${id}.example` },
      backend: null,
      storefront: null,
    });
    expect((await tryEmployeeLogin(at, `ada@${id}.example`, 'a password of my own', id)).code).toBeUndefined();
    const person = await at.app.modules.employees.findByEmail({ tenantId: id }, `ada@${id}.example`);
    expect(person).toMatchObject({ firstName: 'Ada', lastName: 'Administrator' });
  });

  it('refuses a tenant that somebody is in, or that is suspended, and leaves it as it is', async () => {
    const { tenant } = await givenNewTenant(at);
    const db = at.app.modules.database.forTenant({ tenantId: tenant });
    const before = await db.auditEvent.count();
    const exists = failure('There is a tenant of that id. (TENANT_EXISTS)\n');
    expect(await cli(...create(tenant, '--backend'))).toEqual(exists);
    await at.app.modules.tenants.suspend(tenant);
    expect(await cli(...create(tenant))).toEqual(exists);
    expect(await db.auditEvent.count()).toBe(before + 1);
    expect(await db.client.count()).toBe(0);
  });

  it.each([
    ['a bad id', (_: string) => create('No'), '', 'A tenant id has 3 to 16 lower-case letters, digits or hyphens.\n'],
    [
      'a bad mail address',
      (id: string) => ['tenant', 'create', id, '--name', 'x', '--admin-email', 'ada'],
      '',
      'This is not a mail address. International domains are written in xn-- form.\n',
    ],
    [
      'a bad password',
      (id: string) => create(id, '--admin-password-stdin'),
      'short\n',
      'A password has at least 10 characters.\n',
    ],
    [
      'no password',
      (id: string) => create(id, '--admin-password-stdin'),
      '\n',
      'There is no password on standard input.\n',
    ],
    [
      'no name',
      (id: string) => ['tenant', 'create', id, '--name', ' ', '--admin-email', 'ada@x.example'],
      '',
      'A name has 1 to 100 characters.\n',
    ],
  ])('refuses %s before anything is made', async (_what, args, input, err) => {
    const id = newId();
    expect(await command(at, args(id), input)).toEqual(failure(err));
    expect(at.app.modules.tenants.find(id)).toBeNull();
  });

  it('says what is there when it fails in the middle, and completes it when it is run again', async () => {
    const id = newId();
    const { modules } = at.app;
    const register = () => Promise.reject(new Error('the lights went out'));
    const broken = { ...modules, clients: { ...modules.clients, register } };
    const administrator = { email: `ada@${id}.example`, firstName: 'Ada', lastName: 'Test' };
    const wanted = { id, name: 'New', administrator, password: PASSWORD, backend: true, storefront: false };
    await expect(createTenant(broken, wanted)).rejects.toThrow(
      `Tenant ${id} was made, but nobody is in it yet; run the command again to complete it. ` +
        'The reason: the lights went out',
    );
    expect((await tryEmployeeLogin(at, administrator.email, PASSWORD, id)).code).toBe('INVALID_GRANT');
    const created = await createTenant(modules, wanted);
    expect((await tryEmployeeLogin(at, administrator.email, PASSWORD, id)).code).toBeUndefined();
    expect(created.backend).not.toBeNull();
    await expect(createTenant(modules, wanted)).rejects.toMatchObject({ reason: 'TENANT_EXISTS' });
  });
});

describe('tenant list and suspend', () => {
  it('suspended: its tokens are refused, and it is listed as such', async () => {
    const { tenant } = await givenNewTenant(at);
    const { accessToken } = only(await tryEmployeeLogin(at, `admin@${tenant}.example`, PASSWORD, tenant));
    expect((await cli('tenant', 'list')).out).toMatch(new RegExp(`^${tenant} +${tenant} +ACTIVE +20`, 'm'));
    expect(await cli('tenant', 'suspend', tenant)).toEqual({
      code: 0,
      out: `Tenant ${tenant} is suspended.\n`,
      err: '',
    });
    expect(await isGood(at, accessToken)).toBe(false);
    const listed = JSON.parse((await cli('tenant', 'list', '--json')).out);
    expect(listed).toContainEqual(expect.objectContaining({ id: tenant, name: tenant, status: 'SUSPENDED' }));
    expect(listed[0]).not.toHaveProperty('settings');
    expect(await cli('tenant', 'suspend', tenant)).toEqual(failure('Tenant not found.\n'));
  });
});

describe('tenant settings', () => {
  const settings = async (...args: string[]) => JSON.parse((await cli('tenant', 'settings', ...args)).out);

  it('shows what holds, changes what is given and goes back to the default; told to the trail', async () => {
    const { tenant } = await givenNewTenant(at);
    const before = await settings(tenant);
    expect(before).toMatchObject({ contactPropagation: 'UPWARD', employeeTokenSeconds: 900, employeePasswords: true });
    const changed = await settings(tenant, 'contactPropagation=DOWNWARD', 'employeeTokenSeconds=120');
    expect(changed).toEqual({ ...before, contactPropagation: 'DOWNWARD', employeeTokenSeconds: 120 });
    const login = await tryEmployeeLogin(at, `admin@${tenant}.example`, PASSWORD, tenant);
    expect(only(login).expiresIn).toBe(120);
    expect(await settings(tenant, 'employeeTokenSeconds=null', 'contactPropagation=DOWNWARD')).toEqual({
      ...before,
      contactPropagation: 'DOWNWARD',
    });
    const events = await at.app.modules.database
      .forTenant({ tenantId: tenant })
      .auditEvent.findMany({ where: { type: 'tenant.updated' }, orderBy: { at: 'asc' } });
    expect(events.map(({ details }) => details)).toEqual([
      {
        before: { contactPropagation: null, employeeTokenSeconds: null },
        after: { contactPropagation: 'DOWNWARD', employeeTokenSeconds: 120 },
      },
      { before: { employeeTokenSeconds: 120 }, after: { employeeTokenSeconds: null } },
    ]);
  });

  it.each([
    ['colour=red', 'There is no such setting.\n'],
    ['employeeTokenSeconds=1', 'Too small: expected number to be >=60\n'],
    ['contactPropagation=SIDEWAYS', 'Invalid option: expected one of "UPWARD"|"DOWNWARD"|"DISABLED"\n'],
    ['customerScopes=["no.such_scope"]', 'Not scopes of this tenant: no.such_scope.\n'],
    ['employeePasswords', 'Not name=value: employeePasswords\n'],
  ])('refuses %s, and changes nothing', async (given, err) => {
    const { tenant } = await givenNewTenant(at);
    const before = await settings(tenant);
    const refused = await cli('tenant', 'settings', tenant, 'employeePasswords=false', given);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain(err);
    expect(await settings(tenant)).toEqual(before);
  });

  it('refuses a tenant that there is not, or that is suspended', async () => {
    const { tenant } = await givenNewTenant(at);
    await at.app.modules.tenants.suspend(tenant);
    for (const id of [tenant, 'nothing']) {
      expect((await cli('tenant', 'settings', id)).code).toBe(1);
      expect(await cli('tenant', 'settings', id, 'employeePasswords=false')).toEqual(failure('Tenant not found.\n'));
    }
  });
});
