// Metrics of several workers as one: sums, the worst of what has no sum, and counters that never fall.

import { expect, it } from 'vitest';
import { createMetrics } from '../../../src/observability/metrics.ts';
import { createWholeMetrics } from '../../../src/observability/whole-metrics.ts';

/** Workers that answer, unless they are busy, and those of them that have ended. */
function givenWorkers(count: number) {
  const workers = Array.from({ length: count }, (_, index) => {
    const own = createMetrics();
    const observed = { feedAgeMs: 1000 * (index + 1), queueLength: index + 1, hashing: 1 };
    own.observe({
      feedAgeMs: () => observed.feedAgeMs,
      queueLength: () => observed.queueLength,
      hashing: () => observed.hashing,
    });
    return { id: index + 1, own, isBusy: false };
  });
  const living = new Set(workers);
  const whole = createWholeMetrics({
    ask() {
      for (const { id, own, isBusy } of living)
        if (!isBusy) void own.counted().then((counted) => whole.counted(id, JSON.parse(JSON.stringify(counted))));
      return [...living].map(({ id }) => id);
    },
  });
  return {
    workers,
    kill(worker: (typeof workers)[number]) {
      living.delete(worker);
      whole.gone(worker.id);
    },
    text: whole.text,
    async read(series: string): Promise<number | undefined> {
      const line = (await whole.text()).split('\n').find((text) => text.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.split(' ').at(-1));
    },
  };
}

const SERVICE = 'scopeward_tokens_issued_total{kind="service"}';
const ANSWERED = 'scopeward_http_request_duration_seconds_count{method="GET",route="/a",status="2xx"}';

it('counters, histograms and queues are summed; the age of the feed is the worst', async () => {
  const { workers, read, text } = givenWorkers(3);
  for (const { id, own } of workers) {
    for (let times = 0; times < id; times += 1) own.tokenIssued('service');
    own.answered({ method: 'GET', route: '/a', status: 200, seconds: 0.02 });
  }
  workers[0]!.own.tokenIssued('saas');
  expect(await read(SERVICE)).toBe(6);
  expect(await read('scopeward_tokens_issued_total{kind="saas"}')).toBe(1);
  expect(await read(ANSWERED)).toBe(3);
  const bucket = 'scopeward_http_request_duration_seconds_bucket';
  expect(await read(`${bucket}{le="0.01",method="GET",route="/a",status="2xx"}`)).toBe(0);
  expect(await read(`${bucket}{le="0.025",method="GET",route="/a",status="2xx"}`)).toBe(3);
  expect(await read(`${bucket}{le="+Inf",method="GET",route="/a",status="2xx"}`)).toBe(3);
  expect(await read('scopeward_password_queue_length')).toBe(6);
  expect(await read('scopeward_revocation_feed_age_seconds')).toBe(3);
  expect((await text()).match(/^# TYPE scopeward_tokens_issued_total counter$/gm)).toHaveLength(1);
});

it('of one that is gone the counters stay, and what it had of queues goes', async () => {
  const { workers, kill, read } = givenWorkers(2);
  for (const { own } of workers) own.tokenIssued('service');
  expect(await read(SERVICE)).toBe(2);
  kill(workers[0]!);
  expect(await read(SERVICE)).toBe(2);
  expect(await read('scopeward_password_queue_length')).toBe(2);
  kill(workers[1]!);
  expect(await read(SERVICE)).toBe(2);
  expect(await read('scopeward_password_queue_length')).toBeUndefined();
});

it('one that is too busy to answer counts with what it last said', async () => {
  const { workers, read } = givenWorkers(2);
  for (const { own } of workers) own.tokenIssued('service');
  expect(await read(SERVICE)).toBe(2);
  workers[0]!.isBusy = true;
  for (const { own } of workers) own.tokenIssued('service');
  expect(await read(SERVICE)).toBe(3);
  workers[0]!.isBusy = false;
  expect(await read(SERVICE)).toBe(4);
});

it('one that dies while it is asked is not waited for', async () => {
  const { workers, kill, read } = givenWorkers(2);
  workers[0]!.isBusy = true;
  workers[1]!.own.tokenIssued('service');
  const began = performance.now();
  const reading = read(SERVICE);
  kill(workers[0]!);
  expect(await reading).toBe(1);
  expect(performance.now() - began).toBeLessThan(900);
});
