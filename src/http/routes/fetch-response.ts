// A fetch Response onto node's own, streams included (Server-Sent Events of subscriptions).
// Invariant: a stream ends when its reader goes away and when the server stops, and its source is told (case 119).

import type { ServerResponse } from 'node:http';
import { sendText } from '../oauth-response.ts';
import type { Call } from '../router.ts';

/** Ours to say, or node's. Yoga's streams carry `content-encoding: none`, which is no encoding. */
const NOT_PASSED_ON = new Set([
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'transfer-encoding',
]);

/** Sends it; resolves when it is sent. */
export async function sendResponse(res: ServerResponse, call: Call, response: Response): Promise<void> {
  const contentType = response.headers.get('content-type') ?? 'text/plain; charset=utf-8';
  const headers: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    if (!NOT_PASSED_ON.has(name.toLowerCase())) headers[name] = value;
  });
  const isStream = contentType.startsWith('text/event-stream') || contentType.startsWith('multipart/');
  if (res.headersSent || res.destroyed) return void response.body?.cancel();
  if (!isStream || !response.body) return sendText(res, response.status, contentType, await response.text(), headers);

  // Proxies that gather answers before passing them on would hold events back.
  res.writeHead(response.status, { ...headers, 'Content-Type': contentType, 'X-Accel-Buffering': 'no' });
  const reader = response.body.getReader();
  let over = false;
  let wake: () => void = () => {};
  res.on('drain', () => wake());
  res.on('close', () => {
    over = true;
    wake();
    reader.cancel().catch(() => {});
  });
  call.streaming(() => {
    if (over) return;
    over = true;
    res.end(contentType.startsWith('text/event-stream') ? 'event: complete\ndata:\n\n' : undefined);
    reader.cancel().catch(() => {});
  });
  while (!over) {
    const { done, value } = await reader.read();
    if (over) return;
    if (done) break;
    if (!res.write(value)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  if (!over) res.end();
}
