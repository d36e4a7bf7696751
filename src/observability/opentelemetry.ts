// Traces by OpenTelemetry, sent as OTLP over HTTP in JSON. Where to, how much and as whom, the SDK reads from OTEL_*.
// Invariant: one provider of our own, nothing global; a collector that is away costs spans, never a request.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { methodLabel } from './metrics.ts';
import { reasonOf } from './reason.ts';
import type { Tracing } from './tracing.ts';

const LAST_WORDS_MS = 2_000;

/** Starts tracing. */
export function createOpenTelemetry(): Tracing {
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'scopeward' }))
      .merge(detectResources({ detectors: [serviceInstanceIdDetector, envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('scopeward');
  const current = new AsyncLocalStorage<Context>();

  return {
    isOn: true,

    request({ method, requestId, traceparent, isTrusted }) {
      const caller = traceparent === undefined ? null : parseTraceParent(traceparent);
      const parent =
        caller && isTrusted ? trace.setSpanContext(ROOT_CONTEXT, { ...caller, isRemote: true }) : ROOT_CONTEXT;
      const verb = methodLabel(method);
      const span = tracer.startSpan(
        verb,
        {
          kind: SpanKind.SERVER,
          attributes: { 'http.request.method': verb, 'scopeward.request_id': requestId },
          links: caller && !isTrusted ? [{ context: caller }] : [],
        },
        parent,
      );
      return {
        run: (work) => current.run(trace.setSpan(parent, span), work),
        end({ route, status }) {
          span.updateName(`${verb} ${route}`);
          span.setAttributes({ 'http.route': route, 'http.response.status_code': status });
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },

    async within(name, attributes, work) {
      const parent = current.getStore();
      // Outside of a request, after it, and in one that is not recorded.
      if (!parent || !trace.getSpan(parent)?.isRecording()) return work();
      const span = tracer.startSpan(name, { attributes }, parent);
      try {
        return await current.run(trace.setSpan(parent, span), work);
      } catch (error) {
        // The code and no words: a message may repeat what was sent.
        span.setAttribute('error.type', reasonOf(error)).setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    },

    async stop() {
      await Promise.race([provider.shutdown().catch(() => {}), delay(LAST_WORDS_MS, undefined, { ref: false })]);
    },
  };
}
