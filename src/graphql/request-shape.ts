// Yoga plugin: what a GraphQL request must look like before anything reads it. security.md cases 87, 88 and 91;
// GraphQL over HTTP. Invariants: JSON bodies only; one operation per request; the document itself, never its hash;
// a parser's own words stay inside; no text goes on that cannot be stored.

import type { Plugin } from 'graphql-yoga';
import { isStorable } from '../database/storable.ts';
import { badRequest } from './errors.ts';

const jsonContentType = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

interface RequestShapeOptions {
  /** GET is answered to anybody who makes a browser ask, without a preflight: production has no use for that. */
  readonly queriesByGet: boolean;
}

/** Refuses requests that are not one JSON object with a document. */
export function useRequestShape({ queriesByGet }: RequestShapeOptions): Plugin {
  return {
    onRequestParse({ request, requestParser, setRequestParser }) {
      if (request.method === 'POST' && !jsonContentType.test(request.headers.get('content-type') ?? '')) {
        throw badRequest('Send application/json in UTF-8.', 415);
      }
      if (!requestParser) return;
      setRequestParser(async (toParse) => {
        const params = await (async () => requestParser(toParse))().catch(() => {
          throw badRequest('The request is not valid JSON, or not an object.');
        });
        assertParams(params);
        if (request.method === 'GET' && !queriesByGet) {
          throw badRequest('Send operations by POST.', 405, { Allow: 'POST' });
        }
        return params;
      });
    },
  };
}

/** The checks of a body that is parsed already. */
export function assertParams(params: unknown): void {
  if (Array.isArray(params)) throw badRequest('One operation per request.');
  if (typeof params !== 'object' || params === null) throw badRequest('The body is not an object.');
  const { query, variables, extensions, operationName } = params as Record<string, unknown>;
  if (typeof extensions === 'object' && extensions !== null && 'persistedQuery' in extensions) {
    throw badRequest('Persisted operations are not supported: send the document.');
  }
  if (typeof query !== 'string') throw badRequest('There is no document: send it as `query`.');
  if (operationName != null && typeof operationName !== 'string') throw badRequest('`operationName` is not a string.');
  if (variables != null && (typeof variables !== 'object' || Array.isArray(variables))) {
    throw badRequest('`variables` is not an object.');
  }
  refuseUnfit(params);
}

/** Iterative, as the body may be nested as deep as its size allows. */
function refuseUnfit(value: object): void {
  const pending: object[] = [value];
  const look = (item: unknown) => {
    if (typeof item === 'string' && !isStorable(item)) {
      throw badRequest('The request holds NUL, or half a character.');
    }
    if (typeof item === 'object' && item !== null) pending.push(item);
  };
  for (let part = pending.pop(); part; part = pending.pop()) {
    if (Object.hasOwn(part, '__proto__')) throw badRequest('The request uses a name that is not allowed.');
    if (Array.isArray(part)) for (const item of part) look(item);
    else {
      for (const [key, item] of Object.entries(part)) {
        look(key);
        look(item);
      }
    }
  }
}
