// How many cores this process may use. Node 20 counts those of the machine, so a container that was given two of 64
// would be taken for 64: what Linux grants (cgroup v2) counts too.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** What a `cpu.max` grants, begun cores counted whole; without a limit `all`. */
export function granted(cpuMax: string, all: number): number {
  const [quota, period] = cpuMax.trim().split(' ').map(Number);
  const cores = Math.ceil(quota! / period!);
  return cores >= 1 ? Math.min(all, cores) : all;
}

/** At least 1. */
export function availableCores(): number {
  const all = availableParallelism();
  try {
    const [, group = '/'] = /^0::(.+)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? [];
    return granted(readFileSync(join('/sys/fs/cgroup', group, 'cpu.max'), 'utf8'), all);
  } catch {
    // No such files: nothing is limited this way.
    return all;
  }
}
