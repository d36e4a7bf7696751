// Generates the Prisma client into src/database/generated, only when the schema changed since.
// `prisma generate` wants to download a schema engine that it does not use: any executable satisfies it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'src/database/generated/.schema-digest');
const files = [
  'package-lock.json',
  'prisma/schema.prisma',
  ...readdirSync(join(root, 'prisma/models')).map((name) => `prisma/models/${name}`),
];
const digest = createHash('sha256');
for (const file of files) digest.update(readFileSync(join(root, file)));
const wanted = digest.digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  const run = spawnSync(process.execPath, [join(root, 'node_modules/prisma/build/index.js'), 'generate'], {
    cwd: root,
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
    encoding: 'utf8',
  });
  if (run.status !== 0) {
    process.stderr.write(run.stdout + run.stderr);
    process.exit(run.status ?? 1);
  }
  writeFileSync(stamp, wanted);
}
