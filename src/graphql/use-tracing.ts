// Yoga plugin: an operation that runs is a span. Invariant: it is told by its type and its root fields, which the schema
// knows; never by the name that the caller gave it, nor by anything it carries.

import { getOperationAST, Kind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Tracing } from '../observability/tracing.ts';

/** Put behind what may refuse: whatever is refused has run nothing. */
export function useTracing({ within }: Pick<Tracing, 'within'>): Plugin {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (!operation) return;
      const fields = operation.selectionSet.selections.flatMap((selection) =>
        selection.kind === Kind.FIELD ? selection.name.value : [],
      );
      const attributes = { 'graphql.operation.type': operation.operation, 'graphql.root_fields': fields };
      const name = [operation.operation, ...fields.slice(0, 1)].join(' ');
      setExecuteFn((given) => within(name, attributes, async () => executeFn(given)));
    },
  };
}
