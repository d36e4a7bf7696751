// SQL of ours outside transactions goes straight to the driver where there is one: Prisma's client takes several times as
// long as the database does. Invariant: whatever the client would have checked first is checked here.

import { Prisma, type PrismaClient } from './generated/client.ts';

/** Runs a statement past the client, after its checks. */
export type RunDirectly = (statement: Prisma.Sql) => Promise<unknown[]>;

/** The client, with the shorter way. Transactions are begun by the client itself, so theirs stays the long one. */
export function shorten(client: PrismaClient, run: RunDirectly): PrismaClient {
  const $queryRaw = (query: TemplateStringsArray | Prisma.Sql, ...values: unknown[]) =>
    run('strings' in query ? query : Prisma.sql(query, ...values));
  return new Proxy(client, {
    get(target, name) {
      if (name === '$queryRaw') return $queryRaw;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
