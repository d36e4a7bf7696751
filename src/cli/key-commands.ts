// `keys list | rotate | retire`: the signing keys of a tenant.

import type { Command } from 'commander';
import { type Cli, examples, inTenant, jsonOption, tenantOption } from './command.ts';
import { json, table } from './terminal.ts';

interface Options {
  readonly tenant: string;
  readonly json?: true;
}

interface Key {
  readonly id: string;
  readonly algorithm: string;
  readonly status: string;
  readonly createdAt: Date;
  readonly retiresAt: Date | null;
}

/** What is public of a key. */
const shown = ({ id, algorithm, status, createdAt, retiresAt }: Key) => ({
  kid: id,
  algorithm,
  status,
  createdAt,
  retiresAt,
});

/** Adds them. */
export function addKeyCommands(program: Command, cli: Cli): void {
  const { terminal } = cli;
  const keys = program.command('keys').description('list, rotate and retire the keys that sign the tokens of a tenant');

  keys
    .command('list')
    .description('list the keys, newest first')
    .addOption(tenantOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('npm run cli -- keys list --tenant shop'))
    .action(async ({ tenant, json: isJson }: Options) => {
      const found = await inTenant(cli, tenant, (ctx, { signingKeys }) => signingKeys.list(ctx));
      const rows = found.map(({ id, algorithm, status, createdAt, retiresAt }) => [
        id,
        algorithm,
        status,
        createdAt.toISOString(),
        retiresAt?.toISOString() ?? '',
      ]);
      const headings = ['kid', 'algorithm', 'status', 'created', 'leaves the JWKS'];
      terminal.out(isJson ? json(found.map(shown)) : table(headings, rows));
    });

  keys
    .command('rotate')
    .description('let the next key sign from now on; tokens of the one before stay good until they expire')
    .addOption(tenantOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('npm run cli -- keys rotate --tenant shop'))
    .action(async ({ tenant, json: isJson }: Options) => {
      const key = await inTenant(cli, tenant, (ctx, { signingKeys }) => signingKeys.rotate(ctx));
      terminal.out(isJson ? json(shown(key)) : `Key ${key.id} signs from now on.\n`);
    });

  keys
    .command('retire')
    .description('in an emergency: refuse whatever this key signed, from now on')
    .argument('<kid>', 'which key')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .addOption(tenantOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('npm run cli -- keys retire 3wHs… --tenant shop --reason "The backup was stolen"'))
    .action(async (kid: string, { tenant, reason, json: isJson }: Options & { reason: string }) => {
      const key = await inTenant(cli, tenant, (ctx, { signingKeys }) => signingKeys.retire(ctx, kid, reason));
      terminal.out(isJson ? json(shown(key)) : `Whatever key ${kid} signed is refused from now on.\n`);
    });
}
