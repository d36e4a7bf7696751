// What a route says of itself in /openapi.json, beside what the table knows already: methods, path, its `{param}`
// segments and who may. Invariant: the words stand next to the handler that they are about.

import type { z } from 'zod';

/**
 * One way to say who asks. `client`: by Basic. `clientInBody`: by `client_id`, and `client_secret` where it has one.
 * `operator`: by a bearer token of the configuration.
 */
export type Authentication = 'none' | 'bearer' | 'client' | 'clientInBody' | 'operator';

/** Something that is read from the query or from a header. */
export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'header';
  readonly text: string;
  readonly required?: boolean;
  /** Default: any string. */
  readonly schema?: z.ZodType;
}

/** What is sent with a status. */
export interface DescribedAnswer {
  readonly text: string;
  /** Absent: there is no body. One with `.meta({ id })` is shared by its name. */
  readonly schema?: z.ZodType;
  /** Default: application/json. */
  readonly type?: string;
}

/** A public route. */
export interface Description {
  /** One line, without a full stop. */
  readonly summary: string;
  readonly tag: 'GraphQL' | 'OAuth' | 'Emporix' | 'Gateways' | 'Operation';
  readonly parameters?: readonly Parameter[];
  readonly body?: { readonly type: string; readonly schema: z.ZodType };
  /** By status; `default` is every other one. */
  readonly answers: Readonly<Record<number, DescribedAnswer> & { readonly default?: DescribedAnswer }>;
  /** Any one of these, where `access` is `checkedBy`; default: none. */
  readonly authentication?: readonly Authentication[];
}

/** `internal`: no part of what others may build upon. */
export type Describes = Description | 'internal';
