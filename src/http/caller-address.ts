// Who is at the other end: the socket, or what a proxy that we were told to trust says (security.md section 2,
// "caller's address"). Invariant: an X-Forwarded-For that no trusted proxy wrote is never believed.

import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, SocketAddress } from 'node:net';

/** An address in its one spelling: IPv4 inside IPv6 as IPv4, no port, no zone; null when it is none. */
function canonical(text: string): string | null {
  const bare =
    /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ??
    (/^[\d.]+:\d+$/.test(text) ? text.slice(0, text.lastIndexOf(':')) : text);
  const address = bare.split('%', 1)[0]!;
  const family = isIP(address);
  if (family === 0) return null;
  if (family === 4) return address;
  const spelled = new SocketAddress({ address, family: 'ipv6' }).address;
  return /^::ffff:([\d.]+)$/i.exec(spelled)?.[1] ?? spelled;
}

/** What the transport knows about the caller. */
export interface CallerAddress {
  /** null where it can't be told: nobody said whether there is a proxy in front. */
  readonly ipAddress: string | null;
  /** The peer is one of TRUSTED_PROXIES. */
  readonly fromTrustedProxy: boolean;
}

/** Reads TRUSTED_PROXIES: null is "not said", the empty list is "there is none". */
export function createCallerAddress(trustedProxies: readonly string[] | null): (req: IncomingMessage) => CallerAddress {
  const trusted = new BlockList();
  for (const entry of trustedProxies ?? []) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');

  if (trustedProxies === null) return () => ({ ipAddress: null, fromTrustedProxy: false });
  return (req) => {
    const peer = canonical(req.socket.remoteAddress ?? '');
    if (peer === null || trustedProxies.length === 0 || !isTrusted(peer))
      return { ipAddress: peer, fromTrustedProxy: false };

    // From the right: each trusted hop vouches for the entry before it. An entry that is no address ends the chain.
    const hops = String(req.headers['x-forwarded-for'] ?? '').split(',');
    let ipAddress = peer;
    for (let index = hops.length - 1; index >= 0 && isTrusted(ipAddress); index -= 1) {
      const hop = canonical(hops[index]!.trim());
      if (hop === null) break;
      ipAddress = hop;
    }
    return { ipAddress, fromTrustedProxy: true };
  };
}
