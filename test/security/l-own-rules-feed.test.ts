// The feed of revocations when its connection fails (security.md section 3 L, case 125): one instance reaches PostgreSQL
// through a proxy of the test's, which can fall silent; the other is well.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { introspect } from '../kit/forge.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { type Service, startService } from '../kit/service.ts';
import { guest, isGood, serviceToken, tryRefreshGuest, tryServiceToken } from '../kit/stories.ts';

/** Passes bytes on, until told to keep those of some connections to itself: nothing is closed, nothing arrives. */
async function silentProxy(target: URL) {
  const pairs: { client: Socket; upstream: Socket; isListener: boolean }[] = [];
  let silence: 'none' | 'listener' | 'all' = 'none';
  const isSilent = (pair: (typeof pairs)[number]) => silence === 'all' || (silence === 'listener' && pair.isListener);
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const pair = { client, upstream, isListener: false };
    pairs.push(pair);
    client.on('data', (data) => {
      // The start-up packet names the application.
      if (data.includes('scopeward-listen')) pair.isListener = true;
      if (!isSilent(pair)) upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (!isSilent(pair)) client.write(data);
    });
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    listeners: () => pairs.filter(({ isListener, client }) => isListener && !client.destroyed).length,
    silence(what: 'listener' | 'all') {
      silence = what;
    },
    /** What was silent is reset, as a network does in the end; what comes next passes. */
    heal() {
      const silent = pairs.filter(isSilent);
      silence = 'none';
      for (const { client } of silent) client.destroy();
    },
    close() {
      for (const { client, upstream } of pairs) for (const socket of [client, upstream]) socket.destroy();
      server.close();
    },
  };
}

const clusterUrl = inject('postgresUrl');
const title = 'case 125: the notification channel fails on one instance';

describe.skipIf(clusterUrl === null)(clusterUrl ? title : `${title} (no PostgreSQL server installed)`, () => {
  let well: Service;
  let cut: Service;
  let proxy: Awaited<ReturnType<typeof silentProxy>>;
  let admin: pg.Client;

  beforeAll(async () => {
    const url = await createDatabaseIn(clusterUrl!);
    proxy = await silentProxy(new URL(url));
    well = await startService({ DATABASE_URL: url });
    cut = await startService({ DATABASE_URL: proxy.url });
    admin = new pg.Client(url);
    await admin.connect();
    await vi.waitFor(() => expect(proxy.listeners()).toBe(1));
  }, 120_000);

  afterAll(async () => {
    await admin?.end();
    proxy?.heal();
    await Promise.all([well?.stop(), cut?.stop()]);
    proxy?.close();
  });

  const revoke = async (at: Service, token: string) =>
    only(
      await graphql(at, 'mutation ($token: String!) { revokeToken(input: { token: $token }) { revoked } }', {
        variables: { token },
      }),
    );

  /** Revokes at the well instance. @returns milliseconds until the other one refuses */
  async function felt(): Promise<number> {
    const { accessToken } = await serviceToken(well, 'demo-crm');
    expect(await isGood(cut, accessToken)).toBe(true);
    await revoke(well, accessToken);
    const began = performance.now();
    await vi.waitFor(async () => expect(await isGood(cut, accessToken)).toBe(false), { timeout: 5_000, interval: 10 });
    return performance.now() - began;
  }

  it('case 125: revocations are felt within a second while the listener is being replaced', { retry: 1 }, async () => {
    const listeners = async () =>
      (
        await admin.query(
          "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'scopeward-listen'",
        )
      ).rows.map(({ pid }) => pid as number);
    const before = await listeners();
    expect(before).toHaveLength(2);
    for (const pid of before) await admin.query('SELECT pg_terminate_backend($1)', [pid]);
    expect(await felt()).toBeLessThan(1_000);
    await vi.waitFor(
      async () => {
        const now = await listeners();
        expect(now).toHaveLength(2);
        expect(now.filter((pid) => before.includes(pid))).toEqual([]);
      },
      { timeout: 5_000, interval: 50 },
    );
    expect(await felt()).toBeLessThan(1_000);
  });

  it('case 125: polling keeps the second when the listener falls silent and nobody notices', { retry: 1 }, async () => {
    proxy.silence('listener');
    for (let round = 0; round < 5; round += 1) expect(await felt()).toBeLessThan(1_000);
    expect(proxy.listeners()).toBe(1);
    proxy.heal();
    await vi.waitFor(() => expect(proxy.listeners()).toBe(1), { timeout: 5_000 });
  });

  it('case 125: cut off, it answers from memory for 30 s, then says that it cannot tell: 503, never 401', async () => {
    const { accessToken } = await serviceToken(well, 'demo-crm');
    const backend = (await serviceToken(well)).accessToken;
    const visitor = await guest(well);
    expect(await isGood(cut, accessToken)).toBe(true);
    // A client that it has met it remembers.
    await tryServiceToken(cut, 'demo-crm', 'demo-crm-secret');
    const status = async (at: Service, path: string) => (await fetch(`${at.url}${path}`)).status;

    proxy.silence('all');
    expect([await isGood(cut, accessToken), await isGood(cut, backend)]).toEqual([true, true]);
    expect(only(await tryServiceToken(cut, 'demo-crm', 'demo-crm-secret')).scopes).toContain('product.product_read');

    const real = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => real() + 31_000);
    try {
      const answers: Record<string, Answer> = {
        'public field': await graphql(cut, '{ currentPrincipal { id } }', { bearer: accessToken }),
        'protected field': await graphql(cut, '{ tenant { id } }', { bearer: accessToken }),
        'as GraphQL response': await graphql(cut, '{ tenant { id } }', {
          bearer: accessToken,
          headers: { Accept: 'application/graphql-response+json' },
        }),
        introspection: await introspect(cut, backend, accessToken),
        'a refresh': await tryRefreshGuest(cut, visitor.refreshToken),
        'a login': await graphql(
          cut,
          'mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { sessionId } }',
          {
            variables: {
              input: { email: 'buyer@demo.example', password: 'demo-password-1', anonymousToken: visitor.accessToken },
            },
          },
        ),
      };
      const codes = Object.fromEntries(Object.entries(answers).map(([name, { code }]) => [name, code]));
      expect(codes).toEqual(Object.fromEntries(Object.keys(answers).map((name) => [name, 'SERVICE_UNAVAILABLE'])));
      expect(answers['as GraphQL response']!.status).toBe(503);
      expect([await status(cut, '/healthz'), await status(cut, '/.well-known/jwks.json')]).toEqual([200, 200]);
      // Without a token nothing has to be known.
      expect((await graphql(cut, '{ currentPrincipal { id } }')).data).toEqual({ currentPrincipal: null });
      expect(await status(cut, '/readyz')).toBe(503);
      // The other one is well: it has read since the clock moved.
      await vi.waitFor(async () => expect(await isGood(well, accessToken)).toBe(true), { timeout: 5_000 });

      // What is revoked meanwhile is refused as soon as it can tell again, not before and not later.
      await revoke(well, accessToken);
      proxy.heal();
      await vi.waitFor(async () => expect(await isGood(cut, backend)).toBe(true), { timeout: 5_000, interval: 20 });
      expect(await isGood(cut, accessToken)).toBe(false);
      expect(await status(cut, '/readyz')).toBe(200);
    } finally {
      clock.mockRestore();
    }
  });
});
