// Subscriptions end with what allowed them: at the token's `exp`, and within a second of its revocation.
// security.md case 97. Invariants: nothing is delivered after the end; one timer for all streams; a cap per client.

import type { ExecutionResult } from 'graphql';
import { rateLimited, unauthenticated } from '../errors/domain-error.ts';
import type { Principal } from '../modules/principals/principal.ts';
import { toGraphQLError } from './errors.ts';

/** How often open streams are looked at. */
const checkEveryMilliseconds = 250;

interface OpenStream {
  readonly principal: Principal | null;
  end(): void;
}

/** The open streams of one process. */
export interface LiveStreams {
  /**
   * Throws RATE_LIMITED when the client has its fill; called before the source starts. Holds a place until the
   * returned function is called, so that many at once do not all find the last one free.
   */
  admit(principal: Principal | null): () => void;
  /**
   * The source's results, for as long as the token is good; then one UNAUTHENTICATED, and the end. `left` aborts when
   * the caller is gone: Yoga tells nobody if that happens before it has read anything.
   */
  guard(
    source: AsyncIterable<ExecutionResult>,
    principal: Principal | null,
    left?: AbortSignal,
  ): AsyncGenerator<ExecutionResult, void, void>;
  readonly size: number;
}

/** `isStillValid`: has nothing revoked this token since? */
export function createLiveStreams(options: {
  readonly isStillValid: (principal: Principal) => boolean;
  readonly maxPerClient: number;
}): LiveStreams {
  const streams = new Set<OpenStream>();
  const openByClient = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  const isOver = ({ principal }: OpenStream): boolean =>
    principal !== null && (Date.now() >= principal.expiresAt * 1000 || !options.isStillValid(principal));

  function open(stream: OpenStream): void {
    streams.add(stream);
    count(stream.principal, 1);
    timer ??= setInterval(() => {
      for (const each of streams) if (isOver(each)) each.end();
    }, checkEveryMilliseconds).unref();
  }

  function close(stream: OpenStream): void {
    if (!streams.delete(stream)) return;
    count(stream.principal, -1);
    if (streams.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  function count(principal: Principal | null, change: number): void {
    const client = clientOf(principal);
    const now = (openByClient.get(client) ?? 0) + change;
    if (now > 0) openByClient.set(client, now);
    else openByClient.delete(client);
  }

  return {
    admit(principal) {
      if ((openByClient.get(clientOf(principal)) ?? 0) >= options.maxPerClient) throw rateLimited(60);
      count(principal, 1);
      return () => count(principal, -1);
    },

    guard(source, principal, left) {
      const iterator = source[Symbol.asyncIterator]();
      let finished = false;
      let announceEnd: (over: IteratorResult<ExecutionResult>) => void = () => {};
      const ended = new Promise<IteratorResult<ExecutionResult>>((resolve) => {
        announceEnd = resolve;
      });
      const done: IteratorReturnResult<void> = { done: true, value: undefined };
      const stream: OpenStream = {
        principal,
        end() {
          close(stream);
          announceEnd({ done: false, value: { errors: [toGraphQLError(unauthenticated())!] } });
        },
      };

      async function finish(): Promise<IteratorReturnResult<void>> {
        finished = true;
        close(stream);
        announceEnd(done as IteratorResult<ExecutionResult>);
        // A source that waits for its next event answers `return` only then: nobody may wait for it.
        Promise.resolve(iterator.return?.()).catch(() => {});
        return done;
      }

      open(stream);
      left?.addEventListener('abort', () => void finish(), { once: true });
      if (left?.aborted) void finish();
      return {
        async next() {
          if (finished) return done;
          if (!streams.has(stream)) return last();
          const upcoming = iterator.next();
          upcoming.catch(() => {});
          try {
            const result = await Promise.race([upcoming, ended]);
            // Asked again on each event: the timer may not have come round yet.
            if (isOver(stream)) stream.end();
            if (!streams.has(stream)) return finished ? done : last();
            if (result.done) return finish();
            return result;
          } catch (error) {
            await finish();
            throw error;
          }
        },
        return: finish,
        async throw(error) {
          await finish();
          throw error;
        },
        [Symbol.asyncIterator]() {
          return this;
        },
        async [Symbol.asyncDispose]() {
          await finish();
        },
      };

      async function last(): Promise<IteratorResult<ExecutionResult, void>> {
        const verdict = await ended;
        await finish();
        return verdict as IteratorResult<ExecutionResult, void>;
      }
    },

    get size() {
      return streams.size;
    },
  };
}

const clientOf = (principal: Principal | null): string =>
  principal ? `${principal.tenantId} ${principal.clientId}` : '';
