// `scopeward/verify/yoga`: an envelop plugin for graphql-yoga. Resolvers find `caller` and `saasToken` in their context
// and throw what `requireScopes` and its like throw; the plugin tells it with GraphQL's codes and HTTP's status.
// Invariant: nothing is executed for a token that is not good, and no event is delivered after its end.

import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { AccessError, unauthenticated } from './access-error.ts';
import type { Caller } from './caller.ts';
import { type BearerOptions, callerOfHeader } from './request-caller.ts';
import type { Verifier } from './verify.ts';

/** What the plugin adds to the context. */
export interface VerifiedContext {
  /** Null only for requests without a token, where `optional` lets them in. */
  readonly caller: Caller | null;
  /** The header `saas-token`, not looked at yet: see `Verifier.requireSaas`. */
  readonly saasToken: string | null;
}

/** An error as GraphQL tells it. */
const told = (error: AccessError, at?: GraphQLError): GraphQLError =>
  new GraphQLError(error.message, {
    ...(at && { nodes: at.nodes ?? null, path: at.path ?? null }),
    extensions: {
      ...error.details,
      code: error.code,
      http: { spec: true, status: error.status, headers: { ...error.headers } },
    },
  });

/** The cause of an error, however many executors have wrapped it. */
function causeOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}

function translated(result: ExecutionResult): ExecutionResult {
  const errors = result.errors?.map((error) => {
    const cause = causeOf(error);
    return cause instanceof AccessError ? told(cause, error) : error;
  });
  return errors ? { ...result, errors } : result;
}

type Results = ExecutionResult | AsyncIterable<ExecutionResult>;
interface Answered {
  readonly result: Results;
  setResult(result: ExecutionResult): void;
}

/** Verifies the bearer of each request before anything of it is executed. */
export function useVerifier(verifier: Verifier, options: BearerOptions = {}): Plugin<VerifiedContext> {
  const translate = ({ result, setResult }: Answered): void => {
    if (!(Symbol.asyncIterator in result)) setResult(translated(result));
  };
  return {
    async onContextBuilding({ context, extendContext }) {
      const { headers } = context.request;
      try {
        const caller = await callerOfHeader(verifier, headers.get('authorization'), options);
        extendContext({ caller, saasToken: headers.get('saas-token') });
      } catch (error) {
        throw error instanceof AccessError ? told(error) : error;
      }
    },
    // Before Yoga masks what it does not know.
    onExecute: () => ({ onExecuteDone: translate }),
    onSubscribe: ({ args }) => ({
      onSubscribeResult(answered) {
        translate(answered);
        const { caller } = args.contextValue as VerifiedContext;
        const hasEnded = () => caller !== null && !verifier.isStillGood(caller);
        return {
          onNext: ({ result, setResult }) =>
            setResult(hasEnded() ? { errors: [told(unauthenticated('ended'))] } : translated(result)),
        };
      },
    }),
  };
}
