// The answer of what must not tell more.

import { builder } from '../../graphql/builder.ts';

/** Type `AcknowledgedPayload`. */
export const AcknowledgedPayload = builder.objectRef<{ acknowledged: true }>('AcknowledgedPayload').implement({
  description: 'It has been taken note of. Says no more on purpose.',
  fields: (t) => ({ acknowledged: t.exposeBoolean('acknowledged', { description: 'Always true.' }) }),
});

/** The one answer, after the work. */
export const acknowledge = async (work: Promise<void>): Promise<{ acknowledged: true }> => {
  await work;
  return { acknowledged: true };
};
