// POST /oauth/token: what its time tells (security.md case 54).

import { createHash } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { givenClient } from '../kit/given.ts';
import { askToken, basic } from '../kit/oauth.ts';
import { startService } from '../kit/service.ts';

const credentials = { grant_type: 'client_credentials' };

it('case 54: an unknown client is not told from a wrong secret by time, within 5 % by the medians of interleaved samples', {
  timeout: 120_000,
}, async () => {
  const service = await startService({ LOG_LEVEL: 'silent' });
  const { id } = await givenClient(service, ['order.order_read']);
  const now = () => Number(process.hrtime.bigint()) / 1e6;
  // The brake of 60 failures a minute sees a second pass between two requests.
  vi.useFakeTimers({ toFake: ['performance'], now: performance.now() });
  try {
    const took = async (clientId: string, round: number) => {
      vi.advanceTimersByTime(1_001);
      const headers = basic(clientId, createHash('sha256').update(`${round}`).digest('base64url'));
      const began = now();
      const { status } = await askToken(service, credentials, headers);
      const time = now() - began;
      expect(status).toBe(401);
      return time;
    };
    const medians = async (rounds: number) => {
      const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
      for (let round = 0; round < rounds; round += 1) {
        const order = round % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const);
        // The trail is told after a quarter of a second: between two batches, and not while anybody is timed.
        if (round % 12 === 0) await new Promise((resolve) => setTimeout(resolve, 350));
        for (const who of order) times[who].push(await took(who === 'known' ? id : 'nobody-knows-me', round));
      }
      const median = (all: number[]) => all.sort((one, other) => one - other)[Math.floor(all.length / 2)]!;
      return [median(times.known), median(times.unknown)] as const;
    };
    const apart = ([known, unknown]: readonly [number, number]) => Math.max(known / unknown, unknown / known);
    await medians(60);
    let measured = apart(await medians(360));
    if (measured > 1.05) measured = apart(await medians(720));
    expect(measured).toBeLessThan(1.05);
  } finally {
    vi.useRealTimers();
    await service.stop();
  }
});
