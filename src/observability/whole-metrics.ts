// What all workers of an instance have counted, as one answer. Invariant: a counter never falls while the primary lives,
// or Prometheus would take it for a restart: of a worker that is gone, or too busy to say, what it last said counts on.

import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client';

/** What one process has counted, as data that can be sent. */
export type Counted = MetricObjectWithValues<MetricValue<string>>[];

/** A worker whose event loop is busy for longer is not waited for. */
const PATIENCE_MS = 1_000;

const sum = (parts: readonly Counted[]): Registry => AggregatorRegistry.aggregate([...parts]);

/** In JSON the type of a metric is its name. */
const onlyGrows = ({ type }: Counted[number]) => ['counter', 'histogram'].includes(String(type));

/** `ask`: asks every worker what it has counted, and returns who was asked; they answer by `counted`. */
export function createWholeMetrics({ ask }: { ask: () => Iterable<number> }) {
  const latest = new Map<number, Counted>();
  let ofTheGone = Promise.resolve<Counted>([]);
  const unanswered = new Set<number>();
  let allAnswered = () => {};
  let collecting: Promise<string> | undefined;

  const answered = (worker: number) => {
    if (unanswered.delete(worker) && unanswered.size === 0) allAnswered();
  };

  async function collect(): Promise<string> {
    for (const worker of ask()) unanswered.add(worker);
    if (unanswered.size > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        allAnswered = resolve;
        timer = setTimeout(resolve, PATIENCE_MS);
      });
      clearTimeout(timer);
      unanswered.clear();
    }
    // Looked at in one moment, so that who goes meanwhile is in one of them.
    const [gone, living] = [ofTheGone, [...latest.values()]];
    return sum([await gone, ...living]).metrics();
  }

  return {
    /** A worker says what it has counted since it began. */
    counted(worker: number, counted: Counted): void {
      latest.set(worker, counted);
      answered(worker);
    },

    /** A worker has ended. */
    gone(worker: number): void {
      const last = (latest.get(worker) ?? []).filter(onlyGrows);
      ofTheGone = ofTheGone.then((before) => sum([before, last]).getMetricsAsJSON());
      latest.delete(worker);
      answered(worker);
    },

    /** In the text format of Prometheus. Who asks while an answer is made gets that one. */
    text: (): Promise<string> =>
      (collecting ??= collect().finally(() => {
        collecting = undefined;
      })),
  };
}
