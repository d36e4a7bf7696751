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

/** @throws Error when there is no answer within the limits */
export async function fetchText(url: string, init: RequestInit, stopping: AbortSignal): Promise<TextAnswer> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(MOST_MS)]);
  const response = await fetch(url, { ...init, redirect: 'error', signal });
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new Error(`${url} answered more than ${MOST_BYTES} bytes.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return { status: response.status, headers: response.headers, text };
}
