// Questions of the same moment, put to the database in one statement: under load a statement costs the service and the
// database several times what one more row in it does. Nobody waits: a turn of the event loop is what they have in common.
// Invariant: nothing is remembered, and the questions of a tenant are put with its own only.

import DataLoader from 'dataloader';

/** Rows of one statement at most: a longer one would keep its first from their answers. */
const MOST = 64;

/**
 * A question that is put to the database together with those that the same tenant asks in the same turn of the event loop.
 * @param ask answers in the order of the questions; if it throws, nobody has an answer. The tenant is null for questions
 *   that are to find out which it is
 */
export function together<Tenant extends string | null, Question, Answer>(
  ask: (tenantId: Tenant, questions: readonly Question[]) => Promise<readonly Answer[]>,
): (tenantId: Tenant, question: Question) => Promise<Answer> {
  const asking = new Map<Tenant, DataLoader<Question, Answer>>();
  return (tenantId, question) => {
    let loader = asking.get(tenantId);
    if (!loader) {
      loader = new DataLoader<Question, Answer>(
        (questions) => {
          asking.delete(tenantId);
          return ask(tenantId, questions);
        },
        { cache: false, maxBatchSize: MOST, batchScheduleFn: setImmediate },
      );
      asking.set(tenantId, loader);
    }
    return loader.load(question);
  };
}
