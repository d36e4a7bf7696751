// GET /metrics: what the service counts, for Prometheus. Outside production for everybody; in production for whoever has
// METRICS_TOKEN, and without one the path does not exist: numbers tell how much business there is, and when to attack.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { open } from '../../permissions/access.ts';
import { otherRefusals, refusedFor } from '../oauth-answers.ts';
import { sendText } from '../oauth-response.ts';
import { checkedBy, type Route } from '../router.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

const digestOf = (text: string) => createHash('sha256').update(text).digest();

/** @throws OAuthError `invalid_token` unless the request carries this token */
function requireToken({ headers }: IncomingMessage, digest: Buffer): void {
  const given = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  if (!timingSafeEqual(digestOf(given), digest)) throw new OAuthError('invalid_token', { cause: 'not METRICS_TOKEN' });
}

/** The route, where there is to be one. */
export function createMetricsRoutes(deps: {
  metrics: { text(): Promise<string> };
  readers: Config['metrics'];
}): Route[] {
  const { metrics, readers } = deps;
  if (readers.kind === 'nobody') return [];
  const digest = readers.kind === 'token' ? digestOf(readers.token) : null;
  return [
    {
      methods: ['GET'],
      path: '/metrics',
      access: digest ? checkedBy('METRICS_TOKEN') : open,
      describes: {
        summary: 'What the service counts, for Prometheus',
        tag: 'Operation',
        authentication: ['operator'],
        answers: {
          200: { text: 'The text format of Prometheus.', schema: z.string(), type: TEXT },
          401: refusedFor('METRICS_TOKEN is needed.'),
          ...otherRefusals,
        },
      },
      async handle(req, res) {
        if (digest) requireToken(req, digest);
        sendText(res, 200, TEXT, await metrics.text());
      },
    },
  ];
}
