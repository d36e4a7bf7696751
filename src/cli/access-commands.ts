// `export` and `import`: the access of a tenant as a file.

import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { isStorable } from '../database/storable.ts';
import { type Difference, fieldsChanged } from '../modules/iam/access-as-code-differences.ts';
import { pathOf } from '../modules/iam/access-as-code-file.ts';
import { type Cli, examples, inTenant, jsonOption, mistaken, tenantOption } from './command.ts';
import { json, type Terminal, visible } from './terminal.ts';

const text = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

/** A difference in one line. */
function line(difference: Difference): string {
  const { kind, id, before, after } = difference;
  const fields = fieldsChanged(difference).map((field) =>
    before && after
      ? `${field}: ${text(before[field])} → ${text(after[field])}`
      : `${field}: ${text((after ?? before)?.[field])}`,
  );
  const sign = before === null ? '+' : after === null ? '-' : '~';
  return visible(`${sign} ${pathOf([kind, id])}  ${fields.join(', ')}`);
}

/** The content of a file; `-` is standard input. @throws BAD_USER_INPUT for what is not JSON, or cannot be stored */
async function contentOf(path: string, terminal: Terminal): Promise<unknown> {
  const read = path === '-' ? await terminal.read() : await readFile(path, 'utf8');
  const refuse = (key: string, value: unknown) => {
    if (!isStorable(key) || (typeof value === 'string' && !isStorable(value)))
      throw mistaken(`${path}: has a text with a zero character or half a character, which cannot be stored.`);
    return value;
  };
  try {
    return JSON.parse(read, refuse);
  } catch (error) {
    throw error instanceof SyntaxError ? mistaken(`${path}: is not JSON.`) : error;
  }
}

interface ImportOptions {
  readonly tenant: string;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly json?: true;
}

/** Adds them. */
export function addAccessCommands(program: Command, cli: Cli): void {
  const { terminal } = cli;

  program
    .command('export')
    .description('write the scopes, roles, access controls, templates and groups of a tenant as JSON')
    .addOption(tenantOption())
    .option('--out <file>', 'to this file instead of standard output')
    .addHelpText(
      'after',
      `
Everything stands under its id and in an order that stays, so two exports can be compared
line by line. What is predefined is left out, and can be named by its id all the same. Of a
group of employees the members are written as mail addresses; customers are left out.
${examples('npm run cli -- export --tenant shop --out access.json', 'npm run --silent cli -- export --tenant shop | jq .groups')}`,
    )
    .action(async ({ tenant, out }: { tenant: string; out?: string }) => {
      const access = json(await inTenant(cli, tenant, (ctx, { accessAsCode }) => accessAsCode.export(ctx)));
      if (out === undefined) return terminal.out(access);
      await writeFile(out, access);
      terminal.err(`Written to ${out}.\n`);
    });

  program
    .command('import')
    .description('bring a tenant to what a file says, and print the difference')
    .argument('<file>', 'as `export` writes it; - for standard input')
    .addOption(tenantOption())
    .option('--dry-run', 'only print the difference, and change nothing')
    .option('--prune', 'delete what the sections of the file do not have')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
All of it or nothing: a file that is wrong anywhere is refused with every place that is
wrong, and a second import of the same file does nothing. Tokens of groups that come to
give something else are refused at once. A section that is absent is left alone, also by
--prune; a group without "employees" keeps its members.

  + is added   ~ changes, from → to   - is deleted
${examples('npm run cli -- import access.json --tenant shop --dry-run', 'npm run cli -- import access.json --tenant shop --prune')}`,
    )
    .action(async (path: string, { tenant, dryRun = false, prune = false, json: isJson }: ImportOptions) => {
      const content = await contentOf(path, terminal);
      const differences = await inTenant(cli, tenant, (ctx, { accessAsCode }) =>
        accessAsCode.import(ctx, content, { dryRun, prune }),
      );
      if (isJson) return terminal.out(json(differences));
      const lines = differences.length === 0 ? ['No difference.'] : differences.map(line);
      terminal.out(`${lines.join('\n')}\n`);
    });
}
