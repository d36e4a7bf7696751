// GET /healthz and /readyz: is the process alive, and may it get traffic. Readiness names what is missing.
// Invariant: liveness asks nothing of anybody, or an outage of the database would have every instance restarted (case 112).

import { z } from 'zod';
import { open } from '../../permissions/access.ts';
import type { Description } from '../description.ts';
import { sendJson } from '../oauth-response.ts';
import type { Route } from '../router.ts';

/** One condition of readiness: false, a rejection, or no answer in time means that it is not met. */
export interface ReadinessCheck {
  readonly name: string;
  readonly check: () => boolean | Promise<boolean>;
}

const health = z
  .object({
    status: z.enum(['alive', 'ready', 'unavailable', 'stopping']),
    failing: z.array(z.string()).optional().describe('What is missing, by name.'),
  })
  .meta({ id: 'Health' });

const liveness: Description = {
  summary: 'Is the process alive?',
  tag: 'Operation',
  answers: { 200: { text: 'It is, whatever else is away.', schema: health } },
};

const readiness: Description = {
  summary: 'May it get traffic?',
  tag: 'Operation',
  answers: {
    200: { text: 'It may.', schema: health },
    503: { text: 'It may not: something is missing, or it is stopping.', schema: health },
  },
};

/** `patience`: milliseconds that each check may take. */
export function createHealthRoutes({
  checks,
  patience = 2_000,
}: {
  checks: readonly ReadinessCheck[];
  patience?: number;
}): Route[] {
  const isMet = async ({ check }: ReadinessCheck): Promise<boolean> => {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, patience, false);
    });
    try {
      return await Promise.race([(async () => (await check()) === true)(), tooLate]);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  };

  const failingNow = async () => {
    const met = await Promise.all(checks.map(isMet));
    return checks.filter((_check, index) => !met[index]).map(({ name }) => name);
  };

  // Whoever asks while an answer is under way gets that one: probing can't be turned into load.
  let underWay: Promise<string[]> | null = null;

  return [
    {
      methods: ['GET', 'HEAD'],
      path: '/healthz',
      access: open,
      describes: liveness,
      handle: (_req, res) => sendJson(res, 200, { status: 'alive' }),
    },
    {
      methods: ['GET', 'HEAD'],
      path: '/readyz',
      access: open,
      describes: readiness,
      async handle(_req, res, call) {
        if (call.draining) return sendJson(res, 503, { status: 'stopping', failing: ['draining'] });
        underWay ??= failingNow().finally(() => {
          underWay = null;
        });
        const failing = await underWay;
        if (failing.length === 0) sendJson(res, 200, { status: 'ready' });
        else sendJson(res, 503, { status: 'unavailable', failing });
      },
    },
  ];
}
