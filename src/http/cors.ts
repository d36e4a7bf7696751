// Calls from browsers on other origins (security.md section 2 "CORS", case 92).
// Invariant: an origin is named exactly or it gets nothing; never with credentials, as bearers are no cookies.

import type { IncomingMessage, ServerResponse } from 'node:http';

const ALLOWED_HEADERS = 'Authorization, Content-Type, Accept, Accept-Language, saas-token';
const EXPOSED_HEADERS = 'X-Request-Id, WWW-Authenticate, Retry-After';

/** Answers preflights and marks answers for allowed origins. In production `*` stands for nobody. */
export function createCors(config: { production: boolean; corsOrigins: readonly string[] }) {
  const listed = new Set(config.corsOrigins);
  const everybody = !config.production && listed.has('*');
  listed.delete('*');

  return (req: IncomingMessage, res: ServerResponse, methods: readonly string[]): 'answered' | 'goes on' => {
    if (!everybody && listed.size === 0) return 'goes on';
    if (!everybody) res.setHeader('Vary', 'Origin');
    const { origin } = req.headers;
    if (origin === undefined) return 'goes on';
    const allowed = everybody || listed.has(origin);
    if (allowed) {
      res.setHeader('Access-Control-Allow-Origin', everybody ? '*' : origin);
      res.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
    }
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) return 'goes on';
    if (allowed) {
      res.setHeader('Access-Control-Allow-Methods', methods.join(', '));
      res.setHeader('Access-Control-Allow-Headers', ALLOWED_HEADERS);
      res.setHeader('Access-Control-Max-Age', '600');
    }
    res.writeHead(204).end();
    return 'answered';
  };
}
