// One process per PGlite folder: two would destroy each other's rows. Invariant: the lock file names a living
// process, or is taken over; of two that take over at once, one gives way before it has opened anything.
// A pid alone says little after a reboot or in a container, so start time and host stand beside it.

import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

interface Owner {
  readonly pid: number;
  /** When the process started, as the system counts it; null where it does not say. */
  readonly started: string | null;
  readonly host: string;
  readonly nonce: string;
}

/** The folder is in use. */
export class FolderInUseError extends Error {
  constructor(folder: string, lock: string, owner: Owner) {
    const where = owner.host === hostname() ? '' : ` on ${owner.host}; if that host is gone, delete ${lock}`;
    super(`The database folder ${folder} is in use by process ${owner.pid}${where}.`);
    this.name = 'FolderInUseError';
  }
}

/** Makes the folder if need be, takes its lock, and returns how to give it back. @throws FolderInUseError */
export async function lockFolder(path: string, options: { production: boolean }): Promise<() => void> {
  const folder = resolve(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (options.production && (statSync(folder).mode & 0o077) !== 0) {
    throw new Error(`The database folder ${folder} is open to other users; run: chmod 700 '${folder}'`);
  }
  const lock = join(folder, 'lock');
  const own: Owner = { pid: process.pid, started: startOf(process.pid), host: hostname(), nonce: randomUUID() };
  const draft = `${lock}.${own.nonce}`;
  writeFileSync(draft, JSON.stringify(own), { mode: 0o600 });
  try {
    // link() makes the lock appear whole, or fails where there is one.
    if (!tryLink(draft, lock)) {
      const owner = read(lock);
      if (owner && isAlive(owner)) throw new FolderInUseError(folder, lock, owner);
      takeAway(lock, owner);
      if (!tryLink(draft, lock)) refuse(folder, lock, own);
      // Another process that had read the same stale lock may have taken ours away in between.
      await delay(100);
      if (read(lock)?.nonce !== own.nonce) refuse(folder, lock, own);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (read(lock)?.nonce === own.nonce) rmSync(lock, { force: true });
  };
}

function refuse(folder: string, lock: string, own: Owner): never {
  throw new FolderInUseError(folder, lock, read(lock) ?? { ...own, pid: 0 });
}

function takeAway(lock: string, stale: Owner | undefined): void {
  const aside = `${lock}.${randomUUID()}`;
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  // Somebody was faster, and this is their new lock: put it back.
  if (read(aside)?.nonce !== stale?.nonce) tryLink(aside, lock);
  rmSync(aside, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(lock: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const started = startOf(owner.pid);
  return started === null || owner.started === null || started === owner.started;
}

/** Boot and ticks since boot at which a process started; null where there is no /proc. */
function startOf(pid: number): string | null {
  try {
    // The second field, the name in parentheses, may contain anything: count from its end.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields?.[19]}`;
  } catch {
    return null;
  }
}
