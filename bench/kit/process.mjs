// Child processes: started, watched, ended, and their CPU time read from outside.

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { onEnd } from './cleanup.mjs';

const TICKS_PER_SECOND = 100;

/** @param {import('node:child_process').ChildProcess} child */
export const isRunning = (child) => child.exitCode === null && child.signalCode === null;

/**
 * Watches a child: keeps the end of what it says, and sees to its end.
 * @param {import('node:child_process').ChildProcess} child @param {NodeJS.Signals} signal
 */
function watch(child, signal) {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said = (said + chunk).slice(-4_000);
    });
  }
  async function gently() {
    if (!isRunning(child)) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 8_000);
    await exited;
    clearTimeout(timer);
  }
  const stop = onEnd(gently, () => child.kill(signal));
  return { child, pid: child.pid, stop, said: () => said };
}

/**
 * @param {string} command @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options @param {NodeJS.Signals} signal how it is ended
 */
export const startCommand = (command, args, options = {}, signal = 'SIGTERM') =>
  watch(spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }), signal);

/**
 * One of our own scripts. It gets `setup` as its first message and answers each message with one.
 * @param {string} script @param {unknown} setup @param {Record<string, string>} env
 */
export async function startScript(script, setup, env = {}) {
  const child = fork(script, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: { ...process.env, ...env } });
  const watched = watch(child, 'SIGKILL');
  const gone = once(child, 'exit').then(() => {
    throw new Error(`${script} ended.\n${watched.said()}`);
  });
  gone.catch(() => {});
  /** @param {unknown} message @returns {Promise<any>} */
  async function ask(message) {
    child.send(/** @type {any} */ (message));
    const [answer] = await Promise.race([once(child, 'message'), gone]);
    if (answer?.error) throw new Error(`${script}: ${answer.error}`);
    return answer;
  }
  return { ...watched, ask, ready: await ask(setup) };
}

/** @param {number} pid @returns {number} CPU seconds, all threads, and those of the processes that it started */
function cpuSecondsOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.reduce(
    (sum, child) => sum + cpuSecondsOf(Number(child)),
    (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  );
}

/** CPU seconds that a server has used so far, its workers with it; null where the system does not tell. @param {number} pid */
export function cpuSeconds(pid) {
  try {
    return cpuSecondsOf(pid);
  } catch {
    return null;
  }
}

/** Memory that a process holds; null where the system does not tell. @param {number | undefined} pid */
export function residentMegabytes(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
  } catch {
    return null;
  }
}

/** A TCP port that nobody has. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
