// Calls to Scopeward that a request may be waiting for. Invariant: 5 s, 256 KB and no redirect; a slow, endless or
// hijacked answer costs that and no more, and nobody else's host gets the secret or gives us keys.

const MOST_MS = 5_000;
const MOST_BYTES = 256 * 1024;

/** An answer of any status, read to its end. */
export interface TextAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * The pieces of a body. Aborting ends it for certain: once the headers are there, fetch of node 20 may forget its signal
 * (both it and AbortSignal.any are held weakly), and a stream would go on for ever. @throws the reason of the abort
 */
export async function* chunksOf({ body }: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', cancel);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

/** @throws Error when there is no answer within the limits */
export async function fetchText(url: string, init: RequestInit, stopping: AbortSignal): Promise<TextAnswer> {
  const ending = new AbortController();
  const stop = () => ending.abort(stopping.reason);
  const limit = setTimeout(() => ending.abort(new Error(`${url} did not answer within ${MOST_MS} ms.`)), MOST_MS);
  stopping.addEventListener('abort', stop);
  try {
    stopping.throwIfAborted();
    const response = await fetch(url, { ...init, redirect: 'error', signal: ending.signal });
    const decoder = new TextDecoder();
    let text = '';
    let bytes = 0;
    for await (const chunk of chunksOf(response, ending.signal)) {
      bytes += chunk.byteLength;
      if (bytes > MOST_BYTES) throw new Error(`${url} answered more than ${MOST_BYTES} bytes.`);
      text += decoder.decode(chunk, { stream: true });
    }
    return { status: response.status, headers: response.headers, text };
  } finally {
    clearTimeout(limit);
    stopping.removeEventListener('abort', stop);
  }
}
