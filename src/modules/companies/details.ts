// What clients of the platform keep with companies, contacts and locations beyond what this service works with: legal
// facts, ways to be reached, mixins. Invariant: it is given back as it came, and nothing in it grants anything.

import { badInput } from '../../errors/domain-error.ts';

/** Kept as JSON, by the names that the platform has for them. */
export type Details = Readonly<Record<string, unknown>>;

const MOST_BYTES = 8_192;

/** @throws BAD_USER_INPUT for more than 8 KB */
export function requireDetails(details: Details): object {
  if (Buffer.byteLength(JSON.stringify(details)) > MOST_BYTES)
    throw badInput('input.details', `What is kept beside the fields of this service has at most ${MOST_BYTES} bytes.`);
  return details;
}
