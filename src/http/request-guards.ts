// What every request must satisfy before anything looks at it (security.md section 2).
// Invariant: sizes are enforced on what arrives, not on what is announced, and nothing is ever decompressed.

import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError, malformed, tooLarge, unsupportedMediaType } from './http-error.ts';

/** Sizes in bytes. Headers together are limited by node itself (431); those past `headerCount` it does not read. */
export const sizes = { url: 8_192, headers: 16_384, headerCount: 100, body: 100_000 } as const;

/** The id that log, audit and answer share: ours, or the one of a trusted proxy. */
export function requestIdOf(req: IncomingMessage, fromTrustedProxy: boolean): string {
  const given = req.headers['x-request-id'];
  return fromTrustedProxy && typeof given === 'string' && /^[\w-]{8,64}$/.test(given) ? given : randomUUID();
}

/** @throws HttpError for what is too long, or names its caller twice. */
export function admit(req: IncomingMessage): void {
  if (req.url!.length > sizes.url) throw new HttpError(414, 'uri_too_long', 'The URL is too long.');
  if (Number(req.headers['content-length'] ?? 0) > sizes.body) throw tooLarge();
  // Node keeps the first of two and drops the other silently (RFC 6750 s.2: not more than one).
  let authorizations = 0;
  for (let index = 0; index < req.rawHeaders.length; index += 2) {
    const name = req.rawHeaders[index]!;
    if (name.length === 13 && name.toLowerCase() === 'authorization') authorizations += 1;
  }
  if (authorizations > 1) throw malformed('There is more than one Authorization header.');
}

/** @throws 415 unless the body is what the media type says, in UTF-8. */
export function requireContentType(req: IncomingMessage, mediaType: string): void {
  const given = req.headers['content-type'];
  if (given === mediaType) return;
  const [type = '', ...parameters] = (given ?? '').toLowerCase().split(';');
  const readable =
    type.trim() === mediaType &&
    parameters.every((parameter) => /^\s*charset\s*=\s*("utf-8"|utf-8)\s*$/.test(parameter));
  if (!readable) throw unsupportedMediaType(`The request body must be ${mediaType} in UTF-8.`, { Accept: mediaType });
}

/** Reads a body. @throws 415 for a compressed one; 413 past the limit, chunked or not; 400 when it ends early. */
export async function readBody(req: IncomingMessage, res: ServerResponse): Promise<Buffer> {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw unsupportedMediaType('Compressed request bodies are not read.', { 'Accept-Encoding': 'identity' });
  }
  // The permission to send (RFC 9110 s.10.1.1) is given here, so a refused request sends nothing.
  if (req.headers.expect !== undefined) res.writeContinue();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    req.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= sizes.body) return void chunks.push(chunk);
      // Nothing of it is kept; the server lets the rest run out, for a while.
      chunks.length = 0;
      reject(tooLarge());
    });
    req.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    req.on('error', () => reject(malformed('The request body ended early.')));
  });
}

/** Reads a body as text. @throws 400 when it is not UTF-8. */
export async function readText(req: IncomingMessage, res: ServerResponse): Promise<string> {
  const body = await readBody(req, res);
  if (!isUtf8(body)) throw malformed('The request body is not UTF-8.');
  return body.toString('utf8');
}
