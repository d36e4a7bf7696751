// What is written to callers: node's response, with the headers that every answer has (security.md section 2).
// Invariant: whoever writes the head, and however, they are in it; a route that gives one of them another value wins.

import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http';

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** On every answer. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
};

/** For `createServer({ ServerResponse: Answer })`. Headers are handed to node at once: set one by one they cost twice. */
export class Answer<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** Beside those of the route that writes the head. */
  readonly common: Record<string, string> = { ...securityHeaders, 'X-Request-Id': 'none' };

  /** As node's, but for headers as a list. Names are spelled as in `common`. */
  override writeHead(status: number, reason?: string | Headers, headers?: Headers): this {
    const given = typeof reason === 'string' ? headers : reason;
    if (Array.isArray(given)) throw new TypeError('Headers go by name here.');
    const all = { ...this.common, ...given };
    return typeof reason === 'string' ? super.writeHead(status, reason, all) : super.writeHead(status, all);
  }
}
