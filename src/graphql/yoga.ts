// The GraphQL server: Yoga with its development defaults off and our walls on. security.md s.2 (HTTP and GraphQL) and
// s.4 (graphql-yoga); performance.md. Invariant: order. Shape of the request, limits, validation, operation check,
// execution; then masking of every answer, whichever of them gave it.

import { type ExecutionResult, type GraphQLError, type GraphQLSchema, NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { RequestContext } from '../context.ts';
import { serviceUnavailable } from '../errors/domain-error.ts';
import type { Principal } from '../modules/principals/principal.ts';
import type { Tracing } from '../observability/tracing.ts';
import type { Services } from './context.ts';
import { useDocumentCache } from './document-cache.ts';
import { checkDocumentLimits, parseWithinLimits } from './document-limits.ts';
import { type ErrorLogger, maskError, toGraphQLError } from './errors.ts';
import { createLiveStreams } from './live-streams.ts';
import { assertParams, useRequestShape } from './request-shape.ts';
import { type ServerContext, useOperationCheck } from './use-operation-check.ts';
import { useTracing } from './use-tracing.ts';

interface GraphQLHandlerOptions {
  /** Built and behind the rule tree: `applyRuleTree(builder.toSchema())`. */
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly config: { readonly production: boolean; readonly introspection: boolean };
  readonly logger: ErrorLogger;
  readonly tracing?: Tracing;
  /** Has nothing revoked this token since? Asked on each event of a subscription and four times a second. */
  readonly isStillValid: (principal: Principal) => boolean;
  readonly operationTimeoutMilliseconds?: number;
  readonly maxStreamsPerClient?: number;
}

/** An answer for the HTTP edge to write. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The server, for the HTTP edge; see `app.ts`. */
export type GraphQLHandler = ReturnType<typeof createGraphQLHandler>;

/** Builds the server once. */
export function createGraphQLHandler(options: GraphQLHandlerOptions) {
  const { schema, services, config, logger, tracing } = options;
  const streams = createLiveStreams({
    isStillValid: options.isStillValid,
    maxPerClient: options.maxStreamsPerClient ?? 100,
  });
  const { introspection } = config;

  const mask = (result: ExecutionResult, requestId: string): ExecutionResult =>
    result.errors?.length
      ? {
          ...result,
          errors: withoutStatusBesideData(
            result,
            result.errors.map((error) => maskError(error, { requestId, logger, suggestions: introspection })),
          ),
        }
      : result;

  const yoga = createYoga<ServerContext>({
    schema,
    graphqlEndpoint: '/graphql',
    cors: false,
    multipart: false,
    batching: false,
    graphiql: false,
    landingPage: false,
    logging: false,
    // The HTTP edge has read and measured the body already; Yoga's own limit costs more than GraphQL does.
    maxRequestBodySize: false,
    // Done here, where the request id is known.
    maskedErrors: false,
    parserAndValidationCache: false,
    plugins: [
      useRequestShape({ queriesByGet: !config.production }),
      useDocumentLimits(schema, introspection),
      useDocumentCache(),
      ...(introspection
        ? []
        : [{ onValidate: ({ addValidationRule }) => addValidationRule(NoSchemaIntrospectionCustomRule) } as Plugin]),
      useOperationCheck(services, streams),
      useTimeLimit(options.operationTimeoutMilliseconds ?? 5_000),
      ...(tracing?.isOn ? [useTracing(tracing)] : []),
      useMasking(mask),
    ],
  });

  // Taken once: each look-up on Yoga goes through a Proxy and binds anew.
  const run = yoga.getResultForParams;

  return {
    /** The short way for a POST whose JSON body is parsed: the same plugins without Yoga's HTTP layer. */
    async post(body: unknown, requestContext: RequestContext, accept: string | undefined): Promise<HttpAnswer> {
      const plainJson = !accept?.includes('application/graphql-response+json');
      try {
        assertParams(body);
        const params = body as Parameters<typeof yoga.getResultForParams>[0]['params'];
        const context = { requestContext } as Parameters<typeof yoga.getResultForParams>[1];
        const result = await run({ params, request: shortRequest }, context);
        if (isStream(result)) {
          await result[Symbol.asyncIterator]().return?.();
          return { status: 406, headers: {}, body: '' };
        }
        return toHttpAnswer(result as ExecutionResult, plainJson);
      } catch (error) {
        return toHttpAnswer(mask({ errors: [error as GraphQLError] }, requestContext.requestId), plainJson);
      }
    },

    /** Everything else over HTTP (GET, Server-Sent Events), by `fetch(request, { requestContext })`. */
    yoga,
    streams,
  };
}

/** All that Yoga's plugins ask of a request on the short way. */
const shortRequest = Object.freeze({ method: 'POST' }) as Request;

function useDocumentLimits(schema: GraphQLSchema, introspection: boolean): Plugin {
  return {
    onParse({ setParseFn, context }) {
      setParseFn((source) => parseWithinLimits(String(source)));
      return ({ result }) => {
        if (!result || result instanceof Error) return;
        const { variables } = (context as { params?: { variables?: Record<string, unknown> } }).params ?? {};
        checkDocumentLimits(schema, result, variables ?? {}, { introspection });
      };
    },
  };
}

/** What runs longer is answered SERVICE_UNAVAILABLE; fields and mutations not begun by then are not begun. */
function useTimeLimit(milliseconds: number): Plugin {
  return {
    onExecute({ executeFn, setExecuteFn }) {
      setExecuteFn((args) => {
        const controller = new AbortController();
        const running = executeFn({ ...args, signal: controller.signal } as typeof args);
        if (!isPromise(running)) return running;
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<ExecutionResult>((resolve) => {
          timer = setTimeout(() => {
            const cause = new Error(`The operation took longer than ${milliseconds} ms.`);
            resolve({ errors: [toLocatable(serviceUnavailable(cause))] });
            controller.abort(cause);
          }, milliseconds);
        });
        running.catch(() => {});
        return Promise.race([running, late]).finally(() => clearTimeout(timer));
      });
    },
  };
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (value as Promise<unknown> | null)?.then === 'function';
const isStream = (result: unknown): result is AsyncIterable<ExecutionResult> =>
  typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
const toLocatable = (error: Error): GraphQLError => toGraphQLError(error)!;

function useMasking(
  mask: (result: ExecutionResult, requestId: string) => ExecutionResult,
): Plugin<object, ServerContext> {
  const masked = new WeakSet<object>();
  const once = (result: ExecutionResult, requestId: string) => {
    if (masked.has(result)) return result;
    const safe = mask(result, requestId);
    masked.add(safe);
    return safe;
  };
  return {
    onExecutionResult({ result, setResult, context }) {
      const { requestId } = context.requestContext;
      if (!result) return;
      if (Symbol.asyncIterator in result) setResult(mapResults(result, (each) => once(each, requestId)));
      else setResult(once(result, requestId));
    },
    // Requests that never came as far as an operation.
    onResultProcess({ result, setResult, serverContext }) {
      if (Array.isArray(result) || Symbol.asyncIterator in result) return;
      setResult(once(result as ExecutionResult, serverContext.requestContext?.requestId ?? 'unknown'));
    },
  };
}

function mapResults(
  source: AsyncIterable<ExecutionResult>,
  map: (result: ExecutionResult) => ExecutionResult,
): AsyncIterableIterator<ExecutionResult> {
  const iterator = source[Symbol.asyncIterator]();
  return {
    async next() {
      try {
        const { done, value } = await iterator.next();
        return done ? { done, value } : { done: false, value: map(value) };
      } catch (error) {
        await iterator.return?.();
        return { done: false, value: map({ errors: [error as GraphQLError] }) };
      }
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** With data in the answer the request as a whole did succeed (GraphQL over HTTP s.6.4). */
function withoutStatusBesideData({ data }: ExecutionResult, errors: GraphQLError[]): GraphQLError[] {
  if (data) for (const error of errors) delete (error.extensions as { http?: object }).http;
  return errors;
}

function toHttpAnswer(result: ExecutionResult, plainJson: boolean): HttpAnswer {
  const headers: Record<string, string> = {
    'Content-Type': `${plainJson ? 'application/json' : 'application/graphql-response+json'}; charset=utf-8`,
  };
  if (!result.errors?.length) return { status: 200, headers, body: JSON.stringify(result) };
  let status = 0;
  const errors = result.errors.map((error) => {
    const { http, ...extensions } = error.extensions;
    Object.assign(headers, http?.headers);
    if (!(plainJson && http?.spec)) status = Math.max(status, http?.status ?? 0);
    return { ...error.toJSON(), extensions };
  });
  return { status: status || 200, headers, body: JSON.stringify({ ...result, errors }) };
}
