// `npm run bench` from the root: everything. `npm run bench -- refresh login` asks two questions only.
// --quick: a second or so per measurement, to see that it works. --profile: CPU profiles of Scopeward, beside the table.
// --side text: only the sides that have this text in their name. --no-build: dist/ as it is.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const bench = import.meta.dirname;
const root = join(bench, '..');

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    side: { type: 'string', default: '' },
    build: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

/** @param {string} folder @param {...string} args */
function npm(folder, ...args) {
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], shell: false });
  if (status !== 0) {
    console.error(`bench: "npm ${args.join(' ')}" failed in ${folder}.`);
    process.exit(1);
  }
}

for (const folder of [root, bench]) {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const isInstalled = (/** @type {string} */ name) => existsSync(join(folder, 'node_modules', name));
  if (!Object.keys(dependencies).every(isInstalled)) npm(folder, 'ci', '--loglevel=error');
}
if (options.build) npm(root, 'run', 'build');

const { run } = await import('./kit/bench.mjs');
process.exit(await run({ ...options, wanted }));
