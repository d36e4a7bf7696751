// A service that verifies by itself, as a test sees it: a verifier at the real thing, and a line between them that can
// be cut, fall silent, and lead elsewhere.

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createVerifier, type Verifier, type VerifierOptions } from '../../src/verify/verify.ts';
import { givenClient } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ISSUER, type Service } from '../kit/service.ts';
import { claimsOf, serviceToken } from '../kit/stories.ts';

const open = new Set<Verifier>();

/** Stops every verifier that a file has started. */
export function closeVerifiers(): void {
  for (const verifier of open) verifier.close();
  open.clear();
}

/** A verifier of the tenant `demo` that has begun, with a client of its own that may read revocations and nothing else. */
export async function beginVerifier(service: Service, options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const client = await givenClient(service, ['oauth.revocation_read']);
  const verifier = createVerifier({
    issuer: ISSUER,
    tenant: 'demo',
    url: service.url,
    client: { id: client.id, secret: client.clientSecret },
    onProblem: () => {},
    ...options,
  });
  open.add(verifier);
  return verifier;
}

/** A verifier that is ready. */
export async function givenVerifier(service: Service, options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const verifier = await beginVerifier(service, options);
  await verifier.ready;
  return verifier;
}

/** What the verifier makes of a token: `good`, or the code. */
export const verdictOn = (verifier: Verifier, token: string): Promise<string> =>
  verifier.verify(token).then(
    () => 'good',
    (error) => error.code,
  );

/** Waits for a verdict. @returns after how many ms; Infinity: not within `mostMs` */
export async function verdictAfter(verifier: Verifier, token: string, verdict: string, mostMs = 10_000) {
  const began = performance.now();
  while ((await verdictOn(verifier, token)) !== verdict) {
    if (performance.now() - began > mostMs) return Number.POSITIVE_INFINITY;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - began;
}

/** One revocation more, of a token that nobody uses. @returns its `jti` */
export async function revokeSomething(service: Service): Promise<string> {
  const { accessToken } = await serviceToken(service, 'demo-crm');
  await revoke(service, accessToken);
  return claimsOf(accessToken).jti;
}

/** RFC 7009. */
export const revoke = async (service: Service, token: string): Promise<void> =>
  only(
    await graphql(service, 'mutation ($token: String!) { revokeToken(input: { token: $token }) { revoked } }', {
      variables: { token },
    }),
  );

/** Every number that the tenant `demo` has, as the database has it. */
export async function sequencesOf({ app }: Service): Promise<number[]> {
  const rows = await app.modules.database
    .forTenant({ tenantId: 'demo' })
    .revocation.findMany({ orderBy: { sequence: 'asc' }, select: { sequence: true } });
  return rows.map(({ sequence }) => Number(sequence));
}

/** A line to a service. */
export interface Line {
  readonly url: string;
  /** Every connection that there is breaks; new ones are as before. */
  cut(): void;
  /** Nobody gets through, as when the service is down. */
  down(): void;
  /** As before; to another service, where one is named. */
  up(url?: string): void;
  /** The streams that are open say nothing any more, and nobody is told; everything else passes. */
  muteStreams(): void;
  /** Streams that are open, muted or not. */
  streams(): number;
  close(): void;
}

/** A line to the service at this address. */
export async function givenLine(to: string): Promise<Line> {
  let target = new URL(to);
  let isUp = true;
  const pairs = new Set<{ client: Socket; upstream: Socket; isStream: boolean; isMute: boolean }>();
  const server = createServer((client) => {
    if (!isUp) return void client.resetAndDestroy();
    const upstream = connect(Number(target.port), target.hostname);
    const pair = { client, upstream, isStream: false, isMute: false };
    pairs.add(pair);
    client.on('data', (data) => {
      const text = data.toString('latin1');
      // Connections are used again: the last request says what one is.
      if (text.includes(' HTTP/1.1\r\n')) pair.isStream = /accept: text\/event-stream/i.test(text);
      if (!pair.isMute) upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (!pair.isMute) client.write(data);
    });
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const { client } of pairs) client.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    down() {
      isUp = false;
      cut();
    },
    up(url = target.href) {
      target = new URL(url);
      isUp = true;
    },
    muteStreams() {
      for (const pair of pairs) if (pair.isStream) pair.isMute = true;
    },
    streams: () => [...pairs].filter(({ isStream }) => isStream).length,
    close() {
      cut();
      server.close();
    },
  };
}
