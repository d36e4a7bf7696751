// `database restored`: the step after a backup has been put back.

import type { Command } from 'commander';
import { afterRestore } from '../after-restore.ts';
import { type Cli, examples } from './command.ts';

/** Adds them. */
export function addDatabaseCommands(program: Command, { terminal, withModules }: Cli): void {
  const database = program.command('database').description('see to the database after it was restored');

  database
    .command('restored')
    .description('after a backup was put back: end all that was issued before, and number on where nobody has been')
    .addHelpText(
      'after',
      `
A backup makes refresh tokens fresh again that were spent since, and gives numbers again
that tokens carry already. Stop every instance, restore, run this, then start them.
Everybody signs in again; clients ask for a new token. Client secrets, passwords and
signing keys are those of the backup: rotate what was rotated since.
${examples('npm run cli -- database restored')}`,
    )
    .action(async () => {
      const ended = await withModules(afterRestore);
      terminal.out(`Every token from before is refused; ${ended} sessions were ended.\n`);
    });
}
