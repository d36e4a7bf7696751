// Where a trace goes through the service. Off, it costs a call; on, opentelemetry.ts is loaded, and nothing else knows it.
// Invariant: attributes are names from closed lists, statuses, and SQL without values. No URL, no token, no address.

import type { Attributes } from '@opentelemetry/api';
import type { Answered } from './metrics.ts';

/** A request that has arrived. */
export interface Arrived {
  readonly method: string;
  readonly requestId: string;
  /** W3C Trace Context, as it came. */
  readonly traceparent: string | undefined;
  /** May the caller say which trace this belongs to? Others are linked to: they can't make us record. */
  readonly isTrusted: boolean;
}

/** The span of a request. */
export interface RequestSpan {
  /** Whatever the work does, now and later, belongs to the span. */
  run(work: () => void): void;
  end(answered: Answered): void;
}

/** Traces of one service. */
export interface Tracing {
  readonly isOn: boolean;
  /** Begins the span of a request; null: it is not traced. */
  request(arrived: Arrived): RequestSpan | null;
  /** The work as a span within that of the request, until it is answered; of its own accord the service traces nothing. */
  within<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T>;
  /** Sends what is left, or gives up after two seconds. */
  stop(): Promise<void>;
}

const off: Tracing = {
  isOn: false,
  request: () => null,
  within: (_name, _attributes, work) => work(),
  stop: async () => {},
};

/** Loads OpenTelemetry only when it is wanted. */
export const createTracing = async (isOn: boolean): Promise<Tracing> =>
  isOn ? (await import('./opentelemetry.ts')).createOpenTelemetry() : off;
