// Starts one of the programs beside this file as a process of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Starts it; `said` waits for a line, `exited` for the end. */
export function startChild(name: string, ...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, name), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    pid: child.pid ?? 0,
    async said(line: string): Promise<void> {
      while (!output.includes(line)) {
        if (child.exitCode !== null) throw new Error(`It ended before it said ${line}: ${errors}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async exited(): Promise<{ code: number | null; errors: string }> {
      const [code] = await exit;
      return { code, errors };
    },
    async kill(): Promise<void> {
      child.kill('SIGKILL');
      await exit;
    },
  };
}
