// The command line: its commands, and how it fails. Invariant: a failure is told in words on standard error, without a
// stack, and the exit code is 1.

import { Command, CommanderError } from 'commander';
import { DomainError } from '../errors/domain-error.ts';
import { addAccessCommands } from './access-commands.ts';
import type { Cli } from './command.ts';
import { addDatabaseCommands } from './database-commands.ts';
import { addExplainCommand } from './explain-command.ts';
import { addKeyCommands } from './key-commands.ts';
import type { withService } from './service.ts';
import { addSessionCommands } from './session-commands.ts';
import { addTenantCommands } from './tenant-commands.ts';
import type { Terminal } from './terminal.ts';

/** What the command line is run with. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly withService: typeof withService;
}

/** The whole command line, not run yet. */
function createProgram({ terminal, withService }: Surroundings): Command {
  const program = new Command('cli')
    .description('Operates Scopeward: on the database that the environment names, as the service does (.env.example).')
    .option('--verbose', 'show what the service logs, and where a failure comes from')
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .exitOverride()
    .showSuggestionAfterError();
  const cli: Cli = {
    terminal,
    withModules: (work) => withService(work, program.opts().verbose ? terminal.err : undefined),
  };
  addTenantCommands(program, cli);
  addKeyCommands(program, cli);
  addSessionCommands(program, cli);
  addAccessCommands(program, cli);
  addExplainCommand(program, cli);
  addDatabaseCommands(program, cli);
  program.addHelpText(
    'after',
    `
An embedded database (DATABASE_URL=file:…) belongs to one process: stop the service first.
Whatever is done is in the audit trail of the tenant, as done by an operator.
`,
  );
  return program;
}

/** What went wrong, in words. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof DomainError && error.code === 'SERVICE_UNAVAILABLE') return 'The database cannot be reached.';
  if (error instanceof DomainError && error.reason) return `${error.message} (${error.reason})`;
  // Prisma shows the call before it says what is wrong.
  return error.name.startsWith('PrismaClient')
    ? `The database refused: ${error.message.split('\n').at(-1)}`
    : error.message;
}

/** Runs one command. @returns the exit code */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<0 | 1> {
  const program = createProgram(surroundings);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said what it had to say, the help text included.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    const stack = program.opts().verbose && error instanceof Error ? `${error.stack}\n` : '';
    surroundings.terminal.err(`${sentenceOf(error)}\n${stack}`);
    return 1;
  }
}
