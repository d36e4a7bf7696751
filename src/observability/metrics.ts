// What the service counts, in the text that Prometheus reads. Counted by prom-client: less than a microsecond each,
// two or three a request. Invariant: labels come from closed lists (kinds, grants, codes, routes of the table, verbs),
// never from a caller or a tenant, so the number of series has an end and nothing personal is in them.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Counted } from './whole-metrics.ts';

/** One answered request. */
export interface Answered {
  readonly method: string;
  /** The path as in the route table; `unmatched` for all others. */
  readonly route: string;
  /** 499: the caller was gone before there was an answer. */
  readonly status: number;
  readonly seconds: number;
}

/** What became of a token that was to be verified: `unavailable` is no judgement on it. */
export type Verdict = 'good' | 'refused' | 'unavailable';

/** How long things take here: from a look-up in memory to the limit of a request. Seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const STATEMENTS = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'BEGIN', 'COMMIT', 'ROLLBACK']);

/** The method, where it is one that routes can have: others are whatever a caller thinks of. */
export const methodLabel = (method: string): string => (METHODS.has(method) ? method : 'OTHER');

/** What a statement does, by its first word. */
export function statementLabel(sql: string): string {
  const verb = /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase() ?? '';
  return STATEMENTS.has(verb) ? verb : 'OTHER';
}

/** Memory, heap, event loop, processor: of the process, so counted once, however many services run in it. */
let ofThisProcess: Registry | undefined;

function countProcess(): Registry {
  if (ofThisProcess) return ofThisProcess;
  ofThisProcess = new Registry();
  collectDefaultMetrics({ register: ofThisProcess });
  return ofThisProcess;
}

/** What is asked when the metrics are read. */
export interface Observed {
  /** Milliseconds since the feed of revocations was last known to be complete. */
  feedAgeMs(): number;
  /** Logins and hashes that wait for their turn. */
  queueLength(): number;
  /** Passwords that are hashed. */
  hashing(): number;
}

/** Counters and histograms of one service. */
export function createMetrics() {
  const ofProcess = countProcess();
  const registry = new Registry();
  const registers = [registry];
  const issued = new Counter({
    name: 'scopeward_tokens_issued_total',
    help: 'Tokens signed, by kind.',
    labelNames: ['kind'],
    registers,
  });
  const refused = new Counter({
    name: 'scopeward_tokens_refused_total',
    help: 'Requests for a token that were refused, by grant and by the code of the refusal.',
    labelNames: ['grant', 'reason'],
    registers,
  });
  const verified = new Counter({
    name: 'scopeward_token_verifications_total',
    help: 'Tokens verified, by result; remembered: its signature had been checked before.',
    labelNames: ['result', 'remembered'],
    registers,
  });
  const reused = new Counter({
    name: 'scopeward_refresh_reuse_total',
    help: 'Refresh tokens presented again long after they were spent. Each has ended its family: look into every one.',
    registers,
  });
  const statements = new Histogram({
    name: 'scopeward_database_statement_duration_seconds',
    help: 'Time until the database had answered, waiting for a connection included.',
    labelNames: ['statement'],
    buckets: BUCKETS,
    registers,
  });
  const requests = new Histogram({
    name: 'scopeward_http_request_duration_seconds',
    help: 'From the headers of a request to the end of its answer; of streams, how long they lived.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers,
  });

  return {
    tokenIssued: (kind: string): void => issued.inc({ kind }),
    tokenRefused: (grant: string, reason: string): void => refused.inc({ grant, reason }),
    tokenVerified: (result: Verdict, isRemembered: boolean): void =>
      verified.inc({ result, remembered: isRemembered ? 'yes' : 'no' }),
    refreshReused: (): void => reused.inc(),
    statement: (sql: string, seconds: number): void => statements.observe({ statement: statementLabel(sql) }, seconds),
    answered({ method, route, status, seconds }: Answered): void {
      requests.observe({ method: methodLabel(method), route, status: `${Math.floor(status / 100)}xx` }, seconds);
    },

    /** Adds what is looked up when the metrics are read. Once. */
    observe({ feedAgeMs, queueLength, hashing }: Observed): void {
      new Gauge({
        name: 'scopeward_revocation_feed_age_seconds',
        help: 'Since revocations were last known completely. From 30 on every check of a token is refused.',
        // Of several workers the one that is worst off.
        aggregator: 'max',
        registers,
        collect() {
          this.set(feedAgeMs() / 1000);
        },
      });
      new Gauge({
        name: 'scopeward_password_queue_length',
        help: 'Logins and password hashes that wait for their turn; when too many wait, logins are refused.',
        registers,
        collect() {
          this.set(queueLength());
        },
      });
      new Gauge({
        name: 'scopeward_password_hashes_running',
        help: 'Passwords that are hashed right now, a core each.',
        registers,
        collect() {
          this.set(hashing());
        },
      });
    },

    /** As data, to be added to what other workers have counted. */
    counted: async (): Promise<Counted> => [
      ...(await ofProcess.getMetricsAsJSON()),
      ...(await registry.getMetricsAsJSON()),
    ],

    /** In the text format of Prometheus, version 0.0.4. */
    text: async (): Promise<string> => `${await ofProcess.metrics()}\n${await registry.metrics()}`,
  };
}

/** See `createMetrics`. */
export type Metrics = ReturnType<typeof createMetrics>;
