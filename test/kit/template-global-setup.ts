// For vitest's `globalSetup`: one embedded database with the demo data per run, which every service of a test starts
// from a copy of. Making one takes seconds, copying it a fraction.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder to copy. Sealed with the key of development. */
    templateFolder: string;
  }
}

/** Called by vitest before the run; what it returns, after it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = await mkdtemp(join(tmpdir(), 'scopeward-template-'));
  const folder = join(root, 'data');
  await promisify(execFile)(process.execPath, ['--import', 'tsx', 'prisma/seed.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, NODE_ENV: 'test', DATABASE_URL: `file:${folder}` },
  });
  project.provide('templateFolder', folder);
  return () => rm(root, { recursive: true, force: true });
}
