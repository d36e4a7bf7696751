// `tenant create | list | set | suspend`.

import { type Command, Option } from 'commander';
import type { ChangeableSettings } from '../modules/tenants/tenant-settings.ts';
import { type Cli, examples, jsonOption, mistaken } from './command.ts';
import { type CreatedTenant, createTenant } from './create-tenant.ts';
import { json, table } from './terminal.ts';

interface CreateOptions {
  readonly name: string;
  readonly adminEmail: string;
  readonly adminFirstName: string;
  readonly adminLastName: string;
  readonly adminPasswordStdin?: true;
  readonly backend?: true;
  readonly storefront?: true;
  readonly json?: true;
}

interface SetOptions {
  readonly doubleOptIn?: 'on' | 'off';
  readonly storefrontUrl?: string;
  readonly consoleUrl?: string;
  readonly json?: true;
}

const urlOf = (given: string) => (given === 'default' ? null : given);

/** What is to change. */
const changeOf = ({ doubleOptIn, storefrontUrl, consoleUrl }: SetOptions): Partial<ChangeableSettings> => ({
  ...(doubleOptIn === undefined ? {} : { doubleOptIn: doubleOptIn === 'on' }),
  ...(storefrontUrl === undefined ? {} : { storefrontUrl: urlOf(storefrontUrl) }),
  ...(consoleUrl === undefined ? {} : { consoleUrl: urlOf(consoleUrl) }),
});

/** What is said of a new tenant, for the only time. */
function told({ tenant, administrator, backend, storefront }: CreatedTenant, isGenerated: boolean): string {
  const lines = [
    `Tenant ${tenant} is ready.`,
    '',
    `  administrator  ${administrator.email}`,
    ...(isGenerated ? [`  password       ${administrator.password}`] : []),
    ...(backend ? [`  back end       ${backend.clientId}`, `  secret         ${backend.clientSecret}`] : []),
    ...(storefront ? [`  storefront     ${storefront.clientId} (public: no secret)`] : []),
    ...(isGenerated || backend ? ['', 'What is secret is stored as a hash only, and never shown again.'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Adds them. */
export function addTenantCommands(program: Command, cli: Cli): void {
  const { terminal, withModules } = cli;
  const tenant = program.command('tenant').description('make, list, configure and suspend tenants');

  tenant
    .command('create')
    .description('make a tenant with its keys and its first administrator, who may do everything in it')
    .argument('<id>', '3 to 16 lower-case letters, digits or hyphens')
    .requiredOption('--name <name>', 'what people call it')
    .requiredOption('--admin-email <address>', "the administrator's mail address")
    .option('--admin-first-name <name>', 'first name', 'First')
    .option('--admin-last-name <name>', 'last name', 'Administrator')
    .option('--admin-password-stdin', 'read the password from standard input instead of making one up')
    .option('--backend', 'with a client for the back end, which has every scope')
    .option('--storefront', 'with a client for the storefront, which is public')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Passwords and secrets are printed once and stored as hashes. A tenant of that id that
somebody is in is never touched; a creation that was interrupted is completed by running
the same command again.
${examples(
  'npm run cli -- tenant create shop --name "My shop" --admin-email ada@shop.example --backend --storefront',
  'cat password.txt | npm run cli -- tenant create shop --name Shop --admin-email ada@shop.example --admin-password-stdin',
)}`,
    )
    .action(async (id: string, options: CreateOptions) => {
      const given = options.adminPasswordStdin ? (await terminal.read()).replace(/\r?\n$/, '') : undefined;
      if (given === '') throw mistaken('There is no password on standard input.');
      const created = await withModules((modules) =>
        createTenant(modules, {
          id,
          name: options.name,
          administrator: {
            email: options.adminEmail,
            firstName: options.adminFirstName,
            lastName: options.adminLastName,
          },
          password: given,
          backend: options.backend ?? false,
          storefront: options.storefront ?? false,
        }),
      );
      const { email, password } = created.administrator;
      const administrator = given === undefined ? { email, password } : { email };
      terminal.out(options.json ? json({ ...created, administrator }) : told(created, given === undefined));
    });

  tenant
    .command('list')
    .description('list all tenants')
    .addOption(jsonOption())
    .addHelpText('after', examples('npm run cli -- tenant list'))
    .action(async (options: { json?: true }) => {
      const tenants = await withModules((modules) => modules.tenants.list());
      const rows = tenants.map(({ id, name, status, createdAt }) => [id, name, status, createdAt.toISOString()]);
      terminal.out(options.json ? json(tenants) : table(['id', 'name', 'status', 'created'], rows));
    });

  tenant
    .command('set')
    .description('change how customers of a tenant register, and where the links in its letters lead')
    .argument('<id>', 'which tenant')
    .addOption(
      new Option('--double-opt-in <choice>', 'must owners confirm their address before they sign in?').choices([
        'on',
        'off',
      ]),
    )
    .option('--storefront-url <url>', 'for customers, instead of STOREFRONT_URL; "default" goes back to it')
    .option('--console-url <url>', 'for employees, instead of CONSOLE_URL; "default" goes back to it')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('npm run cli -- tenant set shop --double-opt-in on --storefront-url https://my-shop.example'),
    )
    .action(async (id: string, options: SetOptions) => {
      const { settings } = await withModules(({ tenants }) => tenants.configure(id, changeOf(options)));
      const { doubleOptIn, storefrontUrl, consoleUrl } = settings;
      const rows = [
        ['double opt-in', doubleOptIn ? 'on' : 'off'],
        ['storefront URL', storefrontUrl ?? 'default'],
        ['console URL', consoleUrl ?? 'default'],
      ];
      terminal.out(options.json ? json({ doubleOptIn, storefrontUrl, consoleUrl }) : table(['setting', 'value'], rows));
    });

  tenant
    .command('suspend')
    .description('shut a tenant: every token that it ever gave is refused, and it gives no more')
    .argument('<id>', 'which tenant')
    .addHelpText('after', examples('npm run cli -- tenant suspend shop'))
    .action(async (id: string) => {
      await withModules((modules) => modules.tenants.suspend(id));
      terminal.out(`Tenant ${id} is suspended.\n`);
    });
}
