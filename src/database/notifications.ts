// LISTEN over PGlite, or over a connection of its own to PostgreSQL that is made again for ever.
// Invariant: a notification is a hint; after each gap the listener is told, and what matters is polled as well.

import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import { connectionOptions } from './postgresql.ts';

/** Who listens. */
export interface Listener {
  readonly onNotify: (payload: string) => void;
  /** Listening has begun, again or for the first time: notifications before may have been missed. */
  readonly onGap: () => void;
}

const firstPauseMs = 100;
const longestPauseMs = 2_000;

/** Listens in the embedded database. Returns how to end it. */
export async function listenOnPGlite(
  client: PGlite,
  channel: string,
  listener: Listener,
): Promise<() => Promise<void>> {
  const stop = await client.listen(channel, listener.onNotify);
  listener.onGap();
  return stop;
}

/** Listens on PostgreSQL; returns at once, connects in the background. Returns how to end it. */
export function listenOnPostgresql(url: string, channel: string, listener: Listener): () => Promise<void> {
  let stopped = false;
  let pauseMs = firstPauseMs;
  let timer: NodeJS.Timeout | undefined;
  let client: pg.Client | undefined;

  const connect = async () => {
    const connection = new pg.Client({
      ...connectionOptions(url),
      application_name: 'scopeward-listen',
      query_timeout: 4_000,
    });
    client = connection;
    let lost = false;
    const onLost = () => {
      if (lost) return;
      lost = true;
      connection.end().catch(() => {});
      if (stopped) return;
      timer = setTimeout(connect, pauseMs * (0.5 + Math.random() / 2));
      timer.unref();
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    };
    connection.on('error', onLost);
    connection.on('end', onLost);
    connection.on('notification', ({ payload }) => listener.onNotify(payload ?? ''));
    try {
      await connection.connect();
      await connection.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
      pauseMs = firstPauseMs;
      if (!stopped) listener.onGap();
    } catch {
      onLost();
    }
  };
  void connect();

  return async () => {
    stopped = true;
    clearTimeout(timer);
    await client?.end().catch(() => {});
  };
}
