// How refusals in the words of RFC 6749 are described, for the routes that speak so.

import { z } from 'zod';
import type { DescribedAnswer } from './description.ts';

const oauthError = z
  .object({
    error: z.string().describe('A code of RFC 6749 s.5.2, RFC 6750 s.3.1 or RFC 8693 s.2.2.2, or one of the service.'),
    error_description: z.string().describe('For people.'),
    request_id: z.string().optional().describe('With status 500: what the log calls this request.'),
  })
  .meta({ id: 'OauthError', description: 'RFC 6749 s.5.2.' });

/** A refusal. */
export const refusedFor = (text: string): DescribedAnswer => ({ text, schema: oauthError });

/** What every route may answer that speaks so. */
export const otherRefusals = {
  default: refusedFor('Refused: too large, of another type, too often, too slow, or a fault of the service.'),
} as const;

/** What the endpoints for clients refuse alike. */
export const clientRefusals = {
  400: refusedFor('Malformed, or refused by the grant.'),
  401: refusedFor('The client did not authenticate.'),
  429: refusedFor('Too often; Retry-After says when to try again.'),
  503: refusedFor('Something that the service depends on is away; try again.'),
  ...otherRefusals,
} as const;
