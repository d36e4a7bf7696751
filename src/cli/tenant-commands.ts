// `tenant create | list | settings | suspend`.

import type { Command } from 'commander';
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

/** @throws BAD_USER_INPUT for what is not `name=value` */
function settingOf(given: string): [string, unknown] {
  const [, name, value] = /^(\w+)=(.*)$/s.exec(given) ?? [];
  if (name === undefined || value === undefined) throw mistaken(`Not name=value: ${given}`);
  try {
    return [name, JSON.parse(value)];
  } catch {
    return [name, value];
  }
}

/** Adds them. */
export function addTenantCommands(program: Command, cli: Cli): void {
  const { terminal, withModules } = cli;
  const tenant = program.command('tenant').description('make, list, set and suspend tenants');

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
    .command('settings')
    .description('show the settings of a tenant, or change some')
    .argument('<id>', 'which tenant')
    .argument('[settings...]', 'name=value; a value is JSON or plain text, and null goes back to the default')
    .addHelpText(
      'after',
      examples(
        'npm run cli -- tenant settings shop',
        'npm run cli -- tenant settings shop contactPropagation=DISABLED customerTokenSeconds=900',
      ),
    )
    .action(async (id: string, given: readonly string[]) => {
      const change = Object.fromEntries(given.map(settingOf));
      const { settings } = await withModules(async ({ tenants }) => {
        if (given.length > 0) return tenants.changeSettings(id, change);
        const found = tenants.find(id);
        if (!found) throw mistaken(`There is no tenant ${id}, or it is suspended.`);
        return found;
      });
      terminal.out(json(settings));
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
