// The primary of several workers (node:cluster): it hands each connection to the next of them, replaces who dies, and
// stops all of them together. Invariant: it answers no request and opens no database, so nothing that callers do ends it.

import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from './config/config.ts';
import type { Logger } from './observability/logger.ts';
import { createWholeMetrics } from './observability/whole-metrics.ts';
import { announce } from './welcome.ts';
import type { ToPrimary, ToWorker } from './worker.ts';

/** Who has lived for longer had no reason to die that is still there: another takes its place at once. */
const SETTLED_MS = 60_000;
/** For who dies sooner: doubled each time. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** Past the time to drain: what is left then is closing the database and sending the last traces. */
const GRACE_MS = 2_500;

/** How far a worker has come. */
type Progress = 'loads' | 'may start?' | 'starts' | 'has started';

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Resolves when it has ended, or could not be made at all. */
const ended = (worker: Worker): Promise<Exit> =>
  new Promise((resolve) => {
    worker.once('exit', (code, signal) => resolve({ code, signal }));
    worker.on('error', () => {
      if (worker.process.pid === undefined) resolve({ code: null, signal: null });
    });
  });

/** Ends the connection that was on its way to a worker when that died: node forgets it, and its caller would wait for
 * ever. There is at most one, as the next goes only when the last has arrived; one that has is closed here already. */
function endWhatIsOnItsWay(worker: Worker): void {
  const child = worker.process;
  const send = child.send.bind(child) as (...sent: unknown[]) => boolean;
  let onItsWay: { close(): void } | undefined;
  child.send = (...sent: unknown[]) => {
    if (sent[1]) onItsWay = sent[1] as typeof onItsWay;
    return send(...sent);
  };
  worker.once('exit', () => onItsWay?.close());
}

/** Runs as many workers as are configured, until it is told to stop; then the process ends. */
export async function runPrimary(config: Config, logger: Logger): Promise<never> {
  const living = new Map<Worker, Progress>();
  const stopping = new AbortController();
  let hasStartedOnce = false;
  let isReady = false;
  let port = config.port;
  let exitCode = 0;

  const tell = (worker: Worker, message: ToWorker) => void (worker.isConnected() && worker.send(message));
  const wholeMetrics = createWholeMetrics({
    ask() {
      const asked = [...living.keys()].filter((worker) => worker.isConnected());
      for (const worker of asked) tell(worker, { kind: 'count' });
      return asked.map(({ id }) => id);
    },
  });

  const killAll = () => {
    for (const worker of living.keys()) worker.process.kill('SIGKILL');
  };

  /** One starts alone, then the others together. The port is ready when all are: until then each says that it isn't. */
  function proceed(): void {
    for (const [worker, progress] of living) {
      const isFree = hasStartedOnce || ![...living.values()].includes('starts');
      if (progress !== 'may start?' || !isFree) continue;
      living.set(worker, 'starts');
      tell(worker, { kind: 'start' });
    }
    if (living.size === 0 || [...living.values()].some((progress) => progress !== 'has started')) return;
    for (const worker of living.keys()) tell(worker, { kind: 'all started' });
    if (isReady) return;
    isReady = true;
    announce(config, logger.child({ workers: living.size }), port);
  }

  function moveOn(worker: Worker, progress: Progress): void {
    if (living.has(worker)) living.set(worker, progress);
    proceed();
  }

  function stop(reason: object): void {
    if (stopping.signal.aborted) return;
    logger.info(reason, 'stopping');
    stopping.abort();
    for (const worker of living.keys()) worker.process.kill('SIGTERM');
    setTimeout(
      () => {
        logger.error(
          { workers: [...living.keys()].map(({ id }) => id) },
          'workers that did not stop in time are killed',
        );
        exitCode = 1;
        killAll();
      },
      config.shutdownSeconds * 1_000 + GRACE_MS,
    ).unref();
  }

  function giveUp(worker: Worker, sentence: string): void {
    process.stderr.write(`${sentence}\n`);
    exitCode = 1;
    // While the others serve, what they have begun is finished.
    if (isReady) stop({ because: 'a worker cannot start' });
    else {
      stopping.abort();
      killAll();
    }
    worker.process.kill('SIGKILL');
  }

  cluster.on('message', (worker, message: ToPrimary) => {
    if (message.kind === 'counted') wholeMetrics.counted(worker.id, message.counted);
    else if (message.kind === 'metrics wanted')
      void wholeMetrics.text().then((text) => tell(worker, { kind: 'metrics', text }));
    else if (message.kind === 'may I start') moveOn(worker, 'may start?');
    else if (message.kind === 'started') {
      hasStartedOnce = true;
      moveOn(worker, 'has started');
    } else if (message.kind === 'cannot start' && exitCode === 0) giveUp(worker, message.sentence);
  });
  cluster.on('listening', (_worker, address) => {
    port = address.port;
  });

  /** One place among the workers, whoever holds it. */
  async function keep(): Promise<void> {
    for (let quickDeaths = 0; !stopping.signal.aborted; ) {
      const began = performance.now();
      const worker = cluster.fork();
      const facts = { worker: worker.id, pid: worker.process.pid };
      endWhatIsOnItsWay(worker);
      living.set(worker, 'loads');
      logger.info(facts, 'worker started');
      const { code, signal } = await ended(worker);
      living.delete(worker);
      wholeMetrics.gone(worker.id);
      if (stopping.signal.aborted) {
        // Told to stop before it could listen to that, it ends by the signal.
        if (code !== 0 && signal !== 'SIGTERM') exitCode = 1;
        return;
      }
      quickDeaths = performance.now() - began < SETTLED_MS ? quickDeaths + 1 : 0;
      const pauseMs = quickDeaths === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (quickDeaths - 1));
      logger.error({ ...facts, exitCode: code, signal, pauseMs }, 'worker ended; another takes its place');
      proceed();
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!stopping.signal.aborted) return stop({ signal });
      killAll();
      process.exit(1);
    });
  }
  // In turn. Left to the kernel, most connections may end up with one, and stay there.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  await Promise.all(Array.from({ length: config.workers }, keep));
  if (exitCode === 0) logger.info('stopped');
  process.exit(exitCode);
}
