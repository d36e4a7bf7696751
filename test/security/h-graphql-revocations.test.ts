// The stream of revocations, followed over HTTP as services do that verify tokens themselves. security.md case 97.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { givenClient } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, startService } from '../kit/service.ts';
import { claimsOf, guest, isGood, serviceToken, signIn, tryServiceToken } from '../kit/stories.ts';

let service: Service;
let watcher: string;
const opened: Stream[] = [];
beforeAll(async () => {
  service = await startService();
  watcher = (await serviceToken(service, 'demo-backend', ['oauth.revocation_read'])).accessToken;
});
afterAll(async () => {
  await Promise.all(opened.map((stream) => stream.leave()));
  await service?.stop();
});

interface Entry {
  sequence: number;
  kind: string;
  key: string;
  reason: string;
}
interface Message {
  data?: { revocations: Entry } | null;
  errors?: { message: string; extensions: Record<string, unknown> }[];
}
interface Stream {
  readonly status: number;
  readonly contentType: string;
  readonly messages: Message[];
  readonly entries: () => Entry[];
  readonly code: () => unknown;
  readonly isOver: () => boolean;
  leave(): Promise<void>;
}

const query = `subscription ($after: Int) { revocations(after: $after) { sequence kind key reason } }`;

/** Opens a stream and reads along. */
async function follow(bearer: string | null, after?: number | null, document = query): Promise<Stream> {
  const leaving = new AbortController();
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'text/event-stream',
      ...(bearer === null ? {} : { Authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify({ query: document, variables: after === undefined ? {} : { after } }),
    signal: leaving.signal,
  });
  const messages: Message[] = [];
  let over = false;
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const found = /^data: (\{.*\})$/m.exec(text.slice(0, end));
        text = text.slice(end + 2);
        if (found) messages.push(JSON.parse(found[1]!));
      }
    }
  })()
    .catch(() => {})
    .finally(() => {
      over = true;
    });
  const stream: Stream = {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    messages,
    entries: () => messages.flatMap(({ data }) => (data ? [data.revocations] : [])),
    code: () => messages.at(-1)?.errors?.[0]?.extensions.code,
    isOver: () => over,
    async leave() {
      leaving.abort();
      await reading;
    },
  };
  opened.push(stream);
  return stream;
}

async function until(condition: () => boolean | Promise<boolean>, what: string, milliseconds = 5_000): Promise<number> {
  const startedAt = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedAt > milliseconds) throw new Error(`It did not come to that: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - startedAt;
}

/** One revocation more, of a token that nobody uses. @returns its key, the `jti` */
async function revokeSomething(client = 'demo-crm'): Promise<string> {
  const { accessToken } = await serviceToken(service, client);
  only(
    await graphql(service, 'mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', {
      variables: { t: accessToken },
    }),
  );
  return claimsOf(accessToken).jti;
}
const latest = () => service.app.modules.revocations.current();
const isAscending = (entries: Entry[]) =>
  entries.every(({ sequence }, at) => at === 0 || sequence > entries[at - 1]!.sequence);

describe('case 97', () => {
  it('without a token, or without the scope, the source is never started', async () => {
    const without = (await serviceToken(service, 'demo-crm')).accessToken;
    const anonymous = (await guest(service)).accessToken;
    const before = service.statements.filter((sql) => /"?revocations"?/.test(sql)).length;
    for (const [bearer, code] of [
      [null, 'UNAUTHENTICATED'],
      ['garbage', 'UNAUTHENTICATED'],
      [without, 'FORBIDDEN'],
      [anonymous, 'FORBIDDEN'],
    ] as const) {
      const stream = await follow(bearer, 0);
      await until(stream.isOver, 'the refusal ends');
      expect([stream.code(), stream.messages.length, stream.entries()]).toEqual([code, 1, []]);
    }
    const selected = service.statements.filter(
      (sql) => /select[\s\S]*"?revocations"?/i.test(sql) && !/counters/.test(sql),
    );
    expect(selected.length).toBeLessThanOrEqual(before);
  });

  it('is only served as a stream: as JSON it is refused, and takes up no place', async () => {
    const client = await givenClient(service, ['oauth.revocation_read']);
    const { accessToken } = only<{ accessToken: string }>(
      await tryServiceToken(service, client.id, client.clientSecret),
    );
    for (let round = 0; round < 60; round += 1) {
      for (const accept of ['application/json', 'application/graphql-response+json']) {
        const answer = await fetch(`${service.url}/graphql`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', Accept: accept, Authorization: `Bearer ${accessToken}` },
          body: JSON.stringify({ query }),
        });
        await answer.text();
        expect([accept, answer.status]).toEqual([accept, 406]);
      }
    }
    const stream = await follow(accessToken);
    const key = await revokeSomething();
    await until(() => stream.entries().some((entry) => entry.key === key), 'it delivers');
    await stream.leave();
  });

  it('delivers what is revoked from now on, with what every verifier needs, within a second', async () => {
    const stream = await follow(watcher);
    expect([stream.status, stream.contentType]).toEqual([200, expect.stringContaining('text/event-stream')]);
    const before = await signIn(service, 'shopper@demo.example');
    const startedAt = performance.now();
    only(await graphql(service, 'mutation { logout { sessionsEnded } }', { bearer: before.accessToken }));
    const isThere = () => stream.entries().some(({ key, reason }) => key === before.sessionId && reason === 'logout');
    await until(isThere, 'the logout arrives');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(stream.entries().find(({ reason }) => reason === 'logout')).toMatchObject({
      kind: 'SESSION',
      key: before.sessionId,
      sequence: expect.any(Number),
    });
    await stream.leave();
  });

  it('cut and resumed with `after`, again and again: ascending, nothing missing, nothing twice', async () => {
    const start = latest();
    const revoked: string[] = [];
    const received: Entry[] = [];
    for (let round = 0; round < 4; round += 1) {
      const stream = await follow(watcher, received.at(-1)?.sequence ?? start);
      revoked.push(await revokeSomething(), await revokeSomething());
      await until(() => stream.entries().length >= (round % 2 ? 2 : 1), 'some arrive');
      // Cut wherever it stands; more happens while nobody listens.
      await stream.leave();
      received.push(...stream.entries());
      revoked.push(await revokeSomething());
    }
    const last = await follow(watcher, received.at(-1)!.sequence);
    const stored = await service.app.modules.database
      .forTenant({ tenantId: 'demo' })
      .revocation.findMany({ where: { sequence: { gt: start } }, orderBy: { sequence: 'asc' } });
    await until(() => received.length + last.entries().length >= stored.length, 'the rest arrives');
    await last.leave();
    received.push(...last.entries());
    expect(isAscending(received)).toBe(true);
    expect(received.map(({ sequence, key }) => [sequence, key])).toEqual(
      stored.map(({ sequence, key }) => [Number(sequence), key]),
    );
    expect(revoked.every((id) => received.some(({ key }) => key === id))).toBe(true);
  });

  it('shows one tenant nothing of another', async () => {
    const start = latest();
    const rival = (await serviceToken(service, 'rival-backend')).accessToken;
    const [ours, theirs] = [await follow(watcher, start), await follow(rival, start)];
    const [mine, other] = [await revokeSomething(), await revokeSomething('rival-backend')];
    await until(() => ours.entries().length >= 1 && theirs.entries().length >= 1, 'both arrive');
    expect(JSON.stringify(ours.messages)).toContain(mine);
    expect(JSON.stringify(ours.messages)).not.toContain(other);
    expect(JSON.stringify(theirs.messages)).toContain(other);
    expect(JSON.stringify(theirs.messages)).not.toContain(mine);
    await Promise.all([ours.leave(), theirs.leave()]);
  });

  it('`after` that is negative is BAD_USER_INPUT, one that is no longer kept is CONFLICT: never silence', async () => {
    const negative = await follow(watcher, -1);
    await until(negative.isOver, 'it ends');
    expect(negative.code()).toBe('BAD_USER_INPUT');
    const overflow = await follow(watcher, 2 ** 31);
    await until(overflow.isOver, 'it ends');
    expect(overflow.code()).toBe('BAD_USER_INPUT');
  });

  it('ends within a second of its token’s revocation, with a last word, and delivers nothing after it', async () => {
    const client = await givenClient(service, ['oauth.revocation_read']);
    const { accessToken } = only<{ accessToken: string }>(
      await tryServiceToken(service, client.id, client.clientSecret),
    );
    const stream = await follow(accessToken);
    await revokeSomething();
    await until(() => stream.entries().length > 0, 'it delivers');
    only(
      await graphql(service, 'mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', {
        variables: { t: accessToken },
      }),
    );
    const sequence = latest();
    const unheard = await revokeSomething();
    expect(await until(stream.isOver, 'it ends')).toBeLessThan(1_000);
    expect(stream.code()).toBe('UNAUTHENTICATED');
    expect(JSON.stringify(stream.messages)).not.toContain(unheard);
    expect(stream.entries().every((entry) => entry.sequence < sequence)).toBe(true);
    const again = await follow(accessToken);
    await until(again.isOver, 'a new one is refused');
    expect(again.code()).toBe('UNAUTHENTICATED');
  });

  it('ends when its client is disabled, and an idle one just as well', async () => {
    const client = await givenClient(service, ['oauth.revocation_read']);
    const { accessToken } = only<{ accessToken: string }>(
      await tryServiceToken(service, client.id, client.clientSecret),
    );
    const idle = await follow(accessToken);
    const { database, revocations } = service.app.modules;
    await database.transaction({ tenantId: 'demo' }, async (tx) => {
      await revocations.record(tx, { tenantId: 'demo' }, [{ kind: 'CLIENT', key: client.id }], 'client.disabled');
    });
    await revocations.felt();
    expect(await until(idle.isOver, 'it ends')).toBeLessThan(1_000);
    expect(idle.code()).toBe('UNAUTHENTICATED');
  });

  it('ends at the token’s exp', async () => {
    // Issued as if hours ago, so that it ends in a moment.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - (4 * 3_600 - 3) * 1_000 });
    const { accessToken, expiresIn } = await serviceToken(service, 'demo-backend', ['oauth.revocation_read']).finally(
      () => vi.useRealTimers(),
    );
    expect(expiresIn).toBe(4 * 3_600);
    const ends = claimsOf(accessToken).exp * 1_000;
    const stream = await follow(accessToken);
    const key = await revokeSomething();
    await until(() => stream.entries().some((entry) => entry.key === key), 'it delivers');
    expect(Date.now()).toBeLessThan(ends);
    await until(stream.isOver, 'it ends');
    expect(Date.now()).toBeGreaterThanOrEqual(ends);
    expect(Date.now()).toBeLessThan(ends + 1_000);
    expect(stream.code()).toBe('UNAUTHENTICATED');
    expect(await isGood(service, watcher)).toBe(true);
  });

  it('a client has 100 streams and no more; another client has its own; places come back', async () => {
    const [one, other] = [
      await givenClient(service, ['oauth.revocation_read']),
      await givenClient(service, ['oauth.revocation_read']),
    ];
    const tokenOf = async (client: { id: string; clientSecret: string }) =>
      only<{ accessToken: string }>(await tryServiceToken(service, client.id, client.clientSecret)).accessToken;
    // Two tokens of one client share its places.
    const bearers = [await tokenOf(one), await tokenOf(one)];
    const streams = await Promise.all(Array.from({ length: 104 }, (_, at) => follow(bearers[at % 2]!)));
    await until(() => streams.filter((stream) => stream.isOver()).length === 4, 'four too many end');
    const refused = streams.filter((stream) => stream.isOver());
    expect(refused.map((stream) => stream.code())).toEqual(Array(4).fill('RATE_LIMITED'));
    expect(refused[0]!.messages[0]!.errors![0]!.extensions.retryAfter).toBeGreaterThan(0);
    const others = await Promise.all(Array.from({ length: 30 }, async () => follow(await tokenOf(other))));

    // With all of them idle everything else goes on, and each of them hears of a change.
    const health: number[] = [];
    for (let probe = 0; probe < 50; probe += 1) {
      const startedAt = performance.now();
      expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
      health.push(performance.now() - startedAt);
    }
    expect(health.sort((a, b) => a - b)[25]).toBeLessThan(50);
    const id = await revokeSomething();
    const living = [...streams.filter((stream) => !stream.isOver()), ...others];
    expect(living).toHaveLength(130);
    await until(
      () => living.every((stream) => stream.entries().some(({ key }) => key === id)),
      'every stream hears of it',
      10_000,
    );
    expect(living.every((stream) => isAscending(stream.entries()))).toBe(true);

    // Places of those that left come back, and no more than those.
    await Promise.all(living.slice(0, 10).map((stream) => stream.leave()));
    const late: Stream[] = [];
    await until(
      async () => {
        const stream = await follow(bearers[late.length % 2]!);
        const next = await revokeSomething();
        await until(() => stream.isOver() || stream.entries().some((entry) => entry.key === next), 'an answer');
        if (!stream.isOver()) late.push(stream);
        return late.length === 10;
      },
      'ten places come back',
      15_000,
    );
    const oneMore = await follow(bearers[0]!);
    await until(oneMore.isOver, 'one more ends');
    expect(oneMore.code()).toBe('RATE_LIMITED');
    await Promise.all([...late, ...living].map((stream) => stream.leave()));
  });
});
