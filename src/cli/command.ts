// What the commands have in common: where they get the modules, whose tenant they act in, and how they speak.

import { Option } from 'commander';
import type { Modules } from '../app.ts';
import type { Ctx } from '../context.ts';
import { DomainError } from '../errors/domain-error.ts';
import { asOperator } from '../modules/tenants/in-tenant.ts';
import type { Terminal } from './terminal.ts';

/** What stands in the audit trail where a request's id would. */
export const COMMAND_LINE = 'command-line';

/** What a command is given. */
export interface Cli {
  readonly terminal: Terminal;
  /** The service, for as long as `work` takes. */
  withModules<T>(work: (modules: Modules) => Promise<T>): Promise<T>;
}

/** `--tenant`, without which nothing of a tenant is touched. */
export const tenantOption = () => new Option('--tenant <id>', 'in which tenant').makeOptionMandatory();

/** `--json`. */
export const jsonOption = () => new Option('--json', 'answer in JSON, for a machine');

/** Something that the caller got wrong. */
export const mistaken = (message: string) => new DomainError('BAD_USER_INPUT', message);

/** Within a tenant, by nobody's leave: whoever has the database may do anything. */
export function inTenant<T>(
  { withModules }: Cli,
  tenantId: string,
  work: (ctx: Ctx, modules: Modules) => Promise<T>,
): Promise<T> {
  return withModules((modules) => {
    if (!modules.tenants.find(tenantId)) throw mistaken(`There is no tenant ${tenantId}, or it is suspended.`);
    return work(asOperator(tenantId, COMMAND_LINE), modules);
  });
}

/** Examples below the options. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
