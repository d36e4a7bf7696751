// The command line as a process of its own: exit codes, the two streams, and whose database it is.

import { join } from 'node:path';
import { expect, inject, it, onTestFinished, vi } from 'vitest';
import { predefinedAccessControls } from '../../src/modules/iam/predefined.ts';
import { cliProcess, folderOfTest } from '../kit/command-line.ts';
import { only } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { startService } from '../kit/service.ts';
import { PASSWORD, refusedAfter, tryEmployeeLogin, tryServiceToken } from '../kit/stories.ts';

it('help ends with 0 on standard output; no command, a wrong one and a wrong setting with 1 on standard error', async () => {
  const [help, none, wrong, setting, memory] = await Promise.all([
    cliProcess(['--help'], {}),
    cliProcess([], {}),
    cliProcess(['tenant', 'make'], {}),
    cliProcess(['tenant', 'list'], { DATABASE_URL: 'mysql://x' }),
    cliProcess(['tenant', 'list'], { DATABASE_URL: 'memory:' }),
  ]);
  expect(help).toMatchObject({ code: 0, out: expect.stringContaining('Usage: cli '), err: '' });
  expect(none).toMatchObject({ code: 1, out: '', err: expect.stringContaining('Usage: cli ') });
  expect(wrong).toMatchObject({ code: 1, out: '', err: expect.stringContaining("unknown command 'make'") });
  const unusable = (problem: string) => ({
    code: 1,
    out: '',
    err: `The configuration is not usable.\n  DATABASE_URL: ${problem}\n`,
  });
  expect(setting).toEqual(unusable('must be memory:, file:PATH or postgresql://…'));
  expect(memory).toEqual(unusable('memory: keeps nothing, so there is nothing to operate'));
}, 120_000);

it('a database that is away is told at once', async () => {
  const { code, out, err } = await cliProcess(['tenant', 'list'], { DATABASE_URL: 'postgresql://x@127.0.0.1:1/x' });
  expect({ code, out, err }).toEqual({ code: 1, out: '', err: 'The database cannot be reached.\n' });
}, 60_000);

it('a tenant that was made here is there when the service starts; while it runs, the folder is its own', async () => {
  const env = { DATABASE_URL: `file:${join(folderOfTest(), 'data')}` };
  const args = [
    'tenant',
    'create',
    'shop',
    '--name',
    'Shop',
    '--admin-email',
    'ada@shop.example',
    '--backend',
    '--json',
  ];
  const created = await cliProcess(args, env);
  expect({ code: created.code, err: created.err }).toEqual({ code: 0, err: '' });
  const { administrator, backend } = JSON.parse(created.out);
  const refused = await cliProcess(args, env);
  expect(refused).toEqual({ code: 1, out: '', err: 'There is a tenant of that id. (TENANT_EXISTS)\n' });

  const service = await startService({ ...env, SEED_DEMO: 'false' });
  onTestFinished(() => service.stop());
  const ada = only(await tryEmployeeLogin(service, 'ada@shop.example', administrator.password, 'shop'));
  expect(ada.scopes).toContain('iam.group_manage');
  expect((await tryServiceToken(service, backend.clientId, backend.clientSecret)).code).toBeUndefined();
  const locked = await cliProcess(['tenant', 'list'], env);
  expect(locked).toMatchObject({ code: 1, out: '' });
  expect(locked.err).toMatch(new RegExp(`^The database folder \\S+ is in use by process ${process.pid}\\.\n$`));
}, 180_000);

const postgresUrl = inject('postgresUrl');
it.skipIf(!postgresUrl)(
  'with PostgreSQL it works beside the service, which feels what it does',
  async () => {
    const env = { DATABASE_URL: await createDatabaseIn(postgresUrl!) };
    const service = await startService({ ...env, SEED_DEMO: 'false' });
    onTestFinished(() => service.stop());
    const args = ['tenant', 'create', 'shop', '--name', 'Shop', '--admin-email', 'ada@shop.example'];
    const created = await cliProcess([...args, '--admin-password-stdin'], env, PASSWORD);
    expect(created).toEqual({ code: 0, err: '', out: 'Tenant shop is ready.\n\n  administrator  ada@shop.example\n' });
    // The service hears of the tenant and of its keys by the change feed.
    const signIn = async () => only(await tryEmployeeLogin(service, 'ada@shop.example', PASSWORD, 'shop'));
    const { accessToken } = await vi.waitFor(signIn, { timeout: 10_000, interval: 100 });

    const { id } = predefinedAccessControls.find(({ name }) => name === 'IAM_GROUPS_MANAGER')!;
    const file = JSON.parse((await cliProcess(['export', '--tenant', 'shop'], env)).out);
    file.groups.administrators.accessControlIds = [id];
    const imported = await cliProcess(['import', '-', '--tenant', 'shop'], env, JSON.stringify(file));
    const out = `~ groups.administrators  accessControlIds: ["every-scope"] → ["${id}"]\n`;
    expect(imported).toEqual({ code: 0, err: '', out });
    expect(await refusedAfter(service, accessToken, 10_000)).toBeLessThan(10_000);
  },
  180_000,
);
