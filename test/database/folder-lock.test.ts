// One process per PGlite folder.

import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { FolderInUseError, lockFolder } from '../../src/database/folder-lock.ts';
import { startChild } from './children/child.ts';
import { quiet, temporaryFolder } from './databases.ts';

const development = { production: false };

describe('the lock of a PGlite folder', () => {
  it("case 117: refuses a second process with the owner's pid, and lets it in when the owner was killed", async () => {
    const folder = temporaryFolder();
    const owner = startChild('open-folder.ts', folder);
    await owner.said('open');
    const second = await startChild('open-folder.ts', folder).exited();
    expect(second.code).toBe(1);
    expect(second.errors).toContain(`process ${owner.pid}`);
    await expect(openDatabase({ kind: 'folder', path: folder }, quiet)).rejects.toThrow(`process ${owner.pid}`);

    await owner.kill();
    const database = await openDatabase({ kind: 'folder', path: folder }, quiet);
    await database.ping();
    await database.close();
  }, 60_000);

  it('refuses a second opening in the same process, and is gone after the release', async () => {
    const folder = temporaryFolder();
    const release = await lockFolder(folder, development);
    await expect(lockFolder(folder, development)).rejects.toThrow(FolderInUseError);
    release();
    expect(existsSync(join(folder, 'lock'))).toBe(false);
    (await lockFolder(folder, development))();
  });

  it('takes over the lock of a process whose pid another one has now, and one that was cut off', async () => {
    for (const stale of [
      JSON.stringify({ pid: 1, started: 'other boot 7', host: hostname(), nonce: 'x' }),
      '{"pid":',
    ]) {
      const folder = temporaryFolder();
      mkdirSync(folder);
      writeFileSync(join(folder, 'lock'), stale);
      const release = await lockFolder(folder, development);
      expect(JSON.parse(readFileSync(join(folder, 'lock'), 'utf8')).pid).toBe(process.pid);
      release();
    }
  });

  it('lets one of many in when all find the same stale lock', async () => {
    const folder = temporaryFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: 2 ** 30, started: null, host: hostname(), nonce: 'x' }));
    const racers = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder, development)));
    expect(racers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('does not judge a process of another host', async () => {
    const folder = temporaryFolder();
    mkdirSync(folder);
    writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: 2 ** 30, started: null, host: 'elsewhere', nonce: 'x' }));
    await expect(lockFolder(folder, development)).rejects.toThrow(/on elsewhere/);
  });

  it('makes the folder for its owner only, and refuses one open to others in production', async () => {
    const folder = temporaryFolder();
    (await lockFolder(folder, development))();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    chmodSync(folder, 0o750);
    await expect(lockFolder(folder, { production: true })).rejects.toThrow(/open to other users/);
    (await lockFolder(folder, development))();
  });
});
