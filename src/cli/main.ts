// The entrance of the command line: `npm run cli -- --help`, in production `node dist/cli/main.js --help`.

import { run } from './program.ts';
import { withService } from './service.ts';
import { terminal } from './terminal.ts';

process.exitCode = await run(process.argv.slice(2), { terminal, withService });
