// Speaking GraphQL to a service over HTTP, as any client would.

import type { Service } from './service.ts';

/** An answer: what every assertion is about. */
export interface Answer<Data = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Data | null | undefined;
  readonly errors: readonly {
    message: string;
    path?: readonly (string | number)[];
    extensions: Record<string, unknown>;
  }[];
  /** `extensions.code` of the first error. */
  readonly code: string | undefined;
  readonly body: string;
}

interface Options {
  readonly bearer?: string | undefined;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
  readonly headers?: Record<string, string>;
}

/** Posts a document. */
export async function graphql<Data = Record<string, any>>(
  service: Pick<Service, 'url'>,
  query: string,
  { bearer, variables, operationName, headers = {} }: Options = {},
): Promise<Answer<Data>> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
      ...headers,
    },
    body: JSON.stringify({ query, variables, operationName }),
  });
  const body = await response.text();
  const { data, errors = [] } = JSON.parse(body);
  return { status: response.status, headers: response.headers, data, errors, code: errors[0]?.extensions?.code, body };
}

/** The one root field of an answer. @throws Error showing the answer when there is an error */
export function only<Value = any>(answer: Answer<any>): Value {
  if (answer.errors.length > 0 || !answer.data) throw new Error(`Expected data, got ${answer.body}`);
  return Object.values(answer.data)[0] as Value;
}
