// Yoga plugin: the first wall, and the operation's own context. Architecture s.6; security.md cases 94 and 97.
// Invariants: a refused operation has run nothing, neither resolver nor subscription source; resolvers see our
// context only, fresh for each operation and each event, never Yoga's.

import { createSourceEventStream, type ExecutionArgs, type ExecutionResult, execute, getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { RequestContext } from '../context.ts';
import type { Principal } from '../modules/principals/principal.ts';
import { checkOperation, coercedVariables, refusalOf } from '../permissions/operation-check.ts';
import { createGraphQLContext, type Services } from './context.ts';
import { badRequest, toGraphQLError } from './errors.ts';
import type { LiveStreams } from './live-streams.ts';

/** What the HTTP edge hands to Yoga beside the request. Not named `request`: Yoga overwrites that. */
export interface ServerContext {
  readonly requestContext: RequestContext;
}

/** What the check reads of envelop's arguments. */
type Arguments = Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>;

/** Refuses before execute and before subscribe. */
export function useOperationCheck(services: Services, streams: LiveStreams): Plugin<object, ServerContext> {
  return {
    onExecute({ args, executeFn, setExecuteFn, setResultAndStopExecution }) {
      const request = requestContextOf(args);
      const refusal = refuse(args, request.principal);
      if (refusal) return setResultAndStopExecution(refusal);
      // envelop puts its own context back into `args`, so ours goes in here.
      setExecuteFn((given) => executeFn({ ...given, contextValue: createGraphQLContext(request, services) }));
    },
    onSubscribe({ args, setResultAndStopExecution, setSubscribeFn }) {
      const request = requestContextOf(args);
      const refusal = refuse(args, request.principal);
      if (refusal) return setResultAndStopExecution(refusal);
      const { signal } = args.contextValue.request;
      setSubscribeFn((given) => follow(given as ExecutionArgs, request, services, streams, signal));
    },
  };
}

function requestContextOf({ contextValue }: { contextValue?: unknown }): RequestContext {
  const { requestContext } = contextValue as Partial<ServerContext>;
  if (!requestContext) throw new Error('The HTTP edge passed no requestContext.');
  return requestContext;
}

function refuse(args: Arguments, principal: Principal | null): ExecutionResult | null {
  const operation = getOperationAST(args.document, args.operationName);
  if (!operation) return { errors: [badRequest('Name the operation to run: operationName.')] };
  const variables = coercedVariables(args.schema, operation, args.variableValues);
  const decision = checkOperation(args.schema, args.document, operation, variables, principal);
  return decision.allowed ? null : { errors: [toGraphQLError(refusalOf(decision))!] };
}

/** graphql-js' `subscribe`, with a fresh context for each event and an end when the token ends. */
async function follow(
  args: ExecutionArgs,
  request: RequestContext,
  services: Services,
  streams: LiveStreams,
  left: AbortSignal | undefined,
) {
  const { principal } = request;
  const freshArgs = (): ExecutionArgs => ({ ...args, contextValue: createGraphQLContext(request, services) });
  const release = streams.admit(principal);
  try {
    const source = await createSourceEventStream(freshArgs());
    if (!(Symbol.asyncIterator in source)) return source;
    const results = mapEvents(source, (event) => execute({ ...freshArgs(), rootValue: event }));
    return streams.guard(results, principal, left);
  } finally {
    release();
  }
}

/** Not a generator: one that waits for an event could not be told to stop, and would keep the source open. */
function mapEvents(
  source: AsyncIterable<unknown>,
  map: (event: unknown) => ExecutionResult | Promise<ExecutionResult>,
): AsyncIterableIterator<ExecutionResult> {
  const events = source[Symbol.asyncIterator]();
  return {
    async next() {
      const event = await events.next();
      return event.done ? { done: true, value: undefined } : { done: false, value: await map(event.value) };
    },
    async return() {
      await events.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
