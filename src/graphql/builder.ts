// The Pothos builder that every *.graphql.ts declares its types with, and the scalars. No types here.
// Architecture s.6, contract.graphql. Invariants: fields are non-null unless they say `nullable: true`; a root field
// does not compile without `access`; ids are plain (no global ids, no `node` field).

import './access-plugin.ts';
import SchemaBuilder from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';
import type { GraphQLContext } from './context.ts';
import { DateTimeScalar, JsonScalar, type JsonValue } from './scalars.ts';

/** What `builder` knows without being told: scalars, context, nullability. */
export interface BuilderTypes {
  Context: GraphQLContext;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Connection: { totalCount: number | (() => number | Promise<number>) };
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: JsonValue; Output: unknown };
  };
}

/** A builder of its own, with a Query type and the scalars; the service uses `builder`, tests build small schemas. */
export function createBuilder() {
  const created = new SchemaBuilder<BuilderTypes>({
    plugins: ['access', RelayPlugin],
    defaultFieldNullability: false,
    relay: {
      clientMutationId: 'omit',
      cursorType: 'String',
      nodeQueryOptions: false,
      nodesQueryOptions: false,
      nodesOnConnection: { description: 'The items of this page.' },
      edgesFieldOptions: {
        nullable: { list: false, items: false },
        description: 'The items of this page, each with its cursor.',
      },
      nodeFieldOptions: { nullable: false, description: 'The item.' },
      cursorFieldOptions: { description: 'Where this item stands in the list: for `after` and `before`.' },
      pageInfoFieldOptions: { description: 'Whether there is more, and where to go on.' },
      pageInfoTypeOptions: { description: 'Where a page begins and ends, and whether there is more (Relay).' },
      hasNextPageFieldOptions: { description: 'Are there items after this page?' },
      hasPreviousPageFieldOptions: { description: 'Are there items before this page?' },
      startCursorFieldOptions: { description: 'Cursor of the first item here; null on an empty page.' },
      endCursorFieldOptions: { description: 'Cursor of the last item here; null on an empty page.' },
      firstArgOptions: { description: 'How many items, counted from the start: 50 unless said, 200 at most.' },
      lastArgOptions: { description: 'How many items, counted from the end: 200 at most.' },
      afterArgOptions: { description: 'Only items after this cursor.' },
      beforeArgOptions: { description: 'Only items before this cursor.' },
    },
  });
  created.addScalarType('DateTime', DateTimeScalar);
  created.addScalarType('JSON', JsonScalar);
  created.globalConnectionField('totalCount', (t) =>
    t.int({
      description: 'How many items the whole list has, of those that the caller may see.',
      resolve: ({ totalCount }) => (typeof totalCount === 'function' ? totalCount() : totalCount),
    }),
  );
  created.queryType({ description: 'What can be asked. Nothing here changes anything.' });
  return created;
}

/** The one builder of the service. */
export const builder = createBuilder();
builder.mutationType({ description: 'What can be changed or issued.' });
builder.subscriptionType({ description: 'What can be followed, over Server-Sent Events.' });
