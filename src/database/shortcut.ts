// SQL of ours outside transactions goes straight to the driver where there is one: Prisma's engine takes several times as
// long as the database does. Invariant: applied last, so that every check of the other layers comes first.

import type { DatabaseOptions } from './database.ts';
import type { Prisma, PrismaClient } from './generated/client.ts';
import type { Storage } from './storage.ts';

/** The client, with the shorter way. */
export function shorten(
  client: PrismaClient,
  { directly }: Pick<Storage, 'directly'>,
  { onQuery, watch }: Pick<DatabaseOptions, 'onQuery' | 'watch'>,
): PrismaClient {
  if (!directly) return client;
  const extended = client.$extends({
    query: {
      $queryRaw(call) {
        const { args, query } = call;
        const { transaction } = (call as unknown as { __internalParams: { transaction?: unknown } }).__internalParams;
        if (transaction !== undefined) return query(args);
        const statement = args as Prisma.Sql;
        onQuery?.(statement.text);
        const run = () => directly(statement) as ReturnType<typeof query>;
        return watch ? watch(statement.text, run) : run();
      },
    },
  });
  return extended as unknown as PrismaClient;
}
