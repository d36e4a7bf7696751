// JSON that others may keep for a while: what every verifier and client reads, and what changes rarely (RFC 9110 s.8.8.3).

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** How routes describe that nothing has changed. */
export const UNCHANGED = { text: 'It is as the caller has it (If-None-Match).' } as const;

/** A text, and the tag that changes with it. */
export interface Cacheable {
  readonly text: string;
  readonly etag: string;
}

/** Tags a text. */
export const cacheable = (text: string): Cacheable => ({
  text,
  etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
});

/** Sends it, or that it is as the caller has it. */
export function sendCacheable(req: IncomingMessage, res: ServerResponse, { text, etag }: Cacheable): void {
  const headers = { 'Cache-Control': 'public, max-age=300', ETag: etag };
  const known = (req.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) return void res.writeHead(304, headers).end();
  res.writeHead(200, {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  res.end(text);
}
