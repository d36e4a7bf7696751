import { describe, expect, it } from 'vitest';
import { createRate } from '../../../src/modules/limits/rates.ts';

/** How many of so many are let through at once, and the first refusal. */
function flood(rate: ReturnType<typeof createRate>, key: string, count: number) {
  let passed = 0;
  let refusal: unknown;
  for (let index = 0; index < count; index += 1) {
    try {
      rate.take(key);
      passed += 1;
    } catch (error) {
      refusal ??= error;
    }
  }
  return { passed, refusal };
}

describe('a rate', () => {
  it('lets as many through at once as its limit, then says when to come back', () => {
    const { passed, refusal } = flood(createRate({ limit: 10, windowSeconds: 900 }), 'a', 11);
    expect(passed).toBe(10);
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED', status: 429, details: { retryAfter: 90 } });
  });

  it('counts keys apart', () => {
    const rate = createRate({ limit: 3, windowSeconds: 900 });
    expect(flood(rate, 'a', 9).passed).toBe(3);
    expect(flood(rate, 'b', 9).passed).toBe(3);
  });

  it('fills steadily also for a caller who never stops trying', async () => {
    const rate = createRate({ limit: 20, windowSeconds: 1 });
    expect(flood(rate, 'a', 1_000).passed).toBeGreaterThanOrEqual(20);
    const began = performance.now();
    let passed = 0;
    // One fills every 50 ms; the caller tries far more often.
    while (performance.now() - began < 500) {
      passed += flood(rate, 'a', 1).passed;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const took = performance.now() - began;
    expect(passed).toBeGreaterThanOrEqual(8);
    expect(passed).toBeLessThanOrEqual(took / 50 + 1);
  });

  it('never lets more than its limit through at once, however long it rested', async () => {
    const rate = createRate({ limit: 5, windowSeconds: 0.05 });
    const began = performance.now();
    await expect.poll(() => performance.now() - began, { interval: 20 }).toBeGreaterThan(150);
    expect(flood(rate, 'a', 6).passed).toBe(5);
  });

  it('remembers a hundred thousand keys, and forgets the one that was used longest ago', () => {
    const rate = createRate({ limit: 1, windowSeconds: 3_600 });
    for (const key of ['oldest', 'kept']) expect(flood(rate, key, 2).passed).toBe(1);
    for (let index = 0; index < 99_999; index += 1) {
      rate.take(`key ${index}`);
      if (index === 50_000) expect(flood(rate, 'kept', 1).passed).toBe(0);
    }
    expect(flood(rate, 'kept', 1).passed).toBe(0);
    expect(flood(rate, 'oldest', 1).passed).toBe(1);
  });
});
