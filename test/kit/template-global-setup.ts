// For vitest's `globalSetup`: an embedded database with the demo data, which every service of a test starts from a copy
// of. Making one takes seconds, copying it a fraction; it is kept until the code or a migration changes.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder to copy. Its keys are sealed with the secret of development. */
    templateFolder: string;
    /** For the copies, which are some 40 MB each; gone with the run, however its workers end. */
    copiesFolder: string;
  }
}

const root = join(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache/scopeward');

/** Of everything that can end up in the database. */
function digestOfSources(): string {
  const digest = createHash('sha256');
  for (const folder of ['src', 'prisma/migrations']) {
    const files = (readdirSync(join(root, folder), { recursive: true }) as string[]).sort();
    for (const file of files) {
      if (/\.(ts|sql)$/.test(file) && !file.includes('generated'))
        digest.update(file).update(readFileSync(join(root, folder, file)));
    }
  }
  for (const file of ['seed-template.ts', 'password-cost.ts'])
    digest.update(readFileSync(join(import.meta.dirname, file)));
  return digest.digest('hex').slice(0, 16);
}

async function makeTemplate(folder: string): Promise<void> {
  if (existsSync(folder)) return;
  await mkdir(cache, { recursive: true });
  // Another run may still be copying a younger one.
  for (const old of readdirSync(cache).map((name) => join(cache, name))) {
    if (statSync(old).mtimeMs < Date.now() - 86_400_000) await rm(old, { recursive: true, force: true });
  }
  const fresh = await mkdtemp(join(cache, 'making-'));
  await promisify(execFile)(process.execPath, ['--import', 'tsx', 'test/kit/seed-template.ts'], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'test', DATABASE_URL: `file:${join(fresh, 'data')}` },
  });
  // Two runs at once: the second finds the first one's in its place, and that is as good.
  await rename(join(fresh, 'data'), folder).catch((error) => {
    if (!existsSync(folder)) throw error;
  });
}

/** Called by vitest before the run; what it returns, after it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = join(cache, `template-${digestOfSources()}`);
  const copies = await mkdtemp(join(tmpdir(), 'scopeward-tests-'));
  await makeTemplate(folder);
  project.provide('templateFolder', folder);
  project.provide('copiesFolder', copies);
  return () => rm(copies, { recursive: true, force: true });
}
