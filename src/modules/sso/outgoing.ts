// Requests to identity providers: addresses that an administrator typed in, so they reach nothing but what they should
// (security.md case 70). Invariants: 5 s and 256 KB each, no redirect is followed, and unless allowed no private address
// is connected to, whatever a name resolves to at that moment.

import { lookup as resolve } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { serviceUnavailable } from '../../errors/domain-error.ts';

const MOST_MS = 5_000;
const MOST_BYTES = 256 * 1024;

const privateRanges = new BlockList();
for (const range of [
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24',
  '192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4',
].flatMap((ranges) => ranges.split(' '))) {
  const [address, bits] = range.split('/');
  privateRanges.addSubnet(address!, Number(bits), 'ipv4');
}
for (const range of '::/96 64:ff9b::/96 100::/64 2001:db8::/32 2002::/16 fc00::/7 fe80::/10 ff00::/8'.split(' ')) {
  const [address, bits] = range.split('/');
  privateRanges.addSubnet(address!, Number(bits), 'ipv6');
}

/** Is it an address that only insiders reach: private, local, reserved? */
export const isPrivateAddress = (address: string): boolean =>
  privateRanges.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

const lookupPublic: LookupFunction = (hostname, options, callback) =>
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '');
    const hidden = addresses.find(({ address }) => isPrivateAddress(address));
    if (hidden || !addresses[0]) return callback(new Error('resolves to a private address'), '');
    if (options.all) return callback(null, addresses);
    callback(null, addresses[0].address, addresses[0].family);
  });

/** What `fetch` is called with, as far as it is needed here. */
export interface OutgoingRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** Makes the fetch. `allowPrivate`: http and private addresses too. */
export function createOutgoing({ allowPrivate }: { allowPrivate: boolean }) {
  /** @throws SERVICE_UNAVAILABLE for whatever keeps an answer from coming, and for one that says that the server failed */
  return function outgoing(address: string | URL, init: OutgoingRequest = {}): Promise<Response> {
    const url = new URL(address);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const isAllowed = url.protocol === 'https:' ? true : allowPrivate && url.protocol === 'http:';
    if (!isAllowed || (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)))
      return Promise.reject(serviceUnavailable(`${url.origin} may not be asked`));
    return new Promise<Response>((answer, refuse) => {
      const fail = (cause: unknown) => refuse(serviceUnavailable(cause));
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      const request = send(
        url,
        {
          method: init.method ?? 'GET',
          headers: init.headers ?? {},
          signal: AbortSignal.timeout(MOST_MS),
          agent: false,
          ...(allowPrivate ? {} : { lookup: lookupPublic }),
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > MOST_BYTES) request.destroy(new Error('the answer is too long'));
            else chunks.push(chunk);
          });
          response.on('error', fail);
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            if (status >= 500) return fail(`${url.origin} answers ${status}`);
            const headers = new Headers();
            for (const [name, value] of Object.entries(response.headers))
              if (value !== undefined) headers.set(name, String(value));
            const isEmpty = status === 204 || status === 304;
            answer(new Response(isEmpty ? null : Buffer.concat(chunks), { status, headers }));
          });
        },
      );
      request.on('error', fail);
      if (init.body != null) request.write(String(init.body));
      request.end();
    });
  };
}

/** See `createOutgoing`. */
export type Outgoing = ReturnType<typeof createOutgoing>;
