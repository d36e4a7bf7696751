// Calls from browsers on other origins (security.md section 2 "CORS", case 92).
// Invariant: an origin is named exactly or it gets nothing; never with credentials, as bearers are no cookies.

import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';

const ALLOWED_HEADERS = 'Authorization, Content-Type, Accept, Accept-Language, saas-token';
const EXPOSED_HEADERS = 'X-Request-Id, WWW-Authenticate, Retry-After';

/** Answers preflights and marks answers for allowed origins. In production `*` stands for nobody. */
export function createCors(config: { production: boolean; corsOrigins: readonly string[] }) {
  const listed = new Set(config.corsOrigins);
  const everybody = !config.production && listed.has('*');
  listed.delete('*');

  return (req: IncomingMessage, res: Answer, methods: readonly string[]): 'answered' | 'goes on' => {
    if (!everybody && listed.size === 0) return 'goes on';
    if (!everybody) res.common.Vary = 'Origin';
    const { origin } = req.headers;
    if (origin === undefined) return 'goes on';
    const allowed = everybody || listed.has(origin);
    if (allowed) {
      res.common['Access-Control-Allow-Origin'] = everybody ? '*' : origin;
      res.common['Access-Control-Expose-Headers'] = EXPOSED_HEADERS;
    }
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) return 'goes on';
    if (allowed) {
      res.common['Access-Control-Allow-Methods'] = methods.join(', ');
      res.common['Access-Control-Allow-Headers'] = ALLOWED_HEADERS;
      res.common['Access-Control-Max-Age'] = '600';
    }
    res.writeHead(204).end();
    return 'answered';
  };
}
