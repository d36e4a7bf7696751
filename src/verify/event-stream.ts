// GraphQL over Server-Sent Events (the distinct connections mode that Yoga serves): the answers of one subscription.
// Invariant: bounded. One event is 64 KB at most, and a connection that says nothing, not even a ping, is given up.

import { chunksOf } from './limited-fetch.ts';

const MOST_CHARACTERS = 64 * 1024;
/** Scopeward pings every 12 s. */
const MOST_SILENT_MS = 30_000;

/**
 * The JSON texts of a subscription's events, until it ends or `connection` is aborted, as it is when nothing comes.
 * @throws Error when it breaks, is refused or falls silent
 */
export async function* eventsOf(url: string, init: RequestInit, connection: AbortController): AsyncGenerator<string> {
  const watch = setTimeout(() => connection.abort(new Error('The stream has fallen silent.')), MOST_SILENT_MS);
  try {
    const response = await fetch(url, { ...init, redirect: 'error', signal: connection.signal });
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      await response.body?.cancel();
      throw new Error(`${url} answered ${response.status} and no stream.`);
    }
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of chunksOf(response, connection.signal)) {
      watch.refresh();
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice('data:'.length));
        if (lines.includes('event: complete')) return;
        if (data.length > 0) yield data.join('\n');
      }
      if (text.length > MOST_CHARACTERS) throw new Error('An event is longer than any revocation.');
    }
  } finally {
    clearTimeout(watch);
  }
}
