// How the routes that Emporix' clients call are described in /openapi.json. The platform's own specifications have their
// bodies, and tests hold answers against them: repeated here they could only drift.

import { z } from 'zod';
import type { Description, Parameter } from '../description.ts';

/** What a route says of itself, where more is to be said than that the platform specifies it. */
export interface Says {
  readonly summary?: string;
  /** Parameters of the URL by name; an asterisk marks one that is needed. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: z.ZodType;
  /** Default: 200. */
  readonly status?: 200 | 201 | 204;
}

const AS_SPECIFIED = "As the platform's specification of this route has it.";
const answered = z.unknown().meta({ id: 'EmporixAnswer', description: AS_SPECIFIED });
const refused = z.record(z.string(), z.unknown()).meta({ id: 'EmporixRefusal', description: AS_SPECIFIED });

/** The description of such a route. */
export const emporixDescription = ({ summary, query = {}, body, status = 200 }: Says = {}): Description => ({
  summary: summary ?? 'As Emporix has it',
  tag: 'Emporix',
  parameters: Object.entries(query).map(
    ([name, text]): Parameter => ({ name: name.replace('*', ''), in: 'query', text, required: name.endsWith('*') }),
  ),
  ...(body && { body: { type: 'application/json', schema: body } }),
  answers: {
    [status]: { text: AS_SPECIFIED, ...(status !== 204 && { schema: answered }) },
    default: { text: 'Refused, in the words of the platform.', schema: refused },
  },
});
