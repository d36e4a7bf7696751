// The few places where the service is watched, and what metrics and traces each of them makes. The places take these
// functions and know nothing of either.

import { createMetrics, statementLabel } from './metrics.ts';
import { reasonOf } from './reason.ts';
import { createTracing } from './tracing.ts';

/** SQL that is longer says nothing more: lists of placeholders. */
const LONGEST_SQL = 1_000;

/** Metrics always, traces where they are wanted. */
export async function createTelemetry({ tracing: isTraced }: { readonly tracing: boolean }) {
  const metrics = createMetrics();
  const tracing = await createTracing(isTraced);

  return {
    metrics,
    tracing,

    /** A grant at work. */
    async grant<T>(grantType: string, work: () => Promise<T>): Promise<T> {
      // An extension's name is a URN; its last word tells it apart.
      const grant = grantType.slice(grantType.lastIndexOf(':') + 1);
      try {
        return await tracing.within(`grant ${grant}`, { 'oauth.grant_type': grantType }, work);
      } catch (error) {
        metrics.tokenRefused(grant, reasonOf(error));
        throw error;
      }
    },

    /** A statement on its way to the database. */
    async statement<T>(sql: string, run: () => Promise<T>): Promise<T> {
      const began = performance.now();
      try {
        if (!tracing.isOn) return await run();
        const operation = statementLabel(sql);
        const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': operation };
        return await tracing.within(operation, { ...attributes, 'db.query.text': sql.slice(0, LONGEST_SQL) }, run);
      } finally {
        metrics.statement(sql, (performance.now() - began) / 1000);
      }
    },
  };
}

/** See `createTelemetry`. */
export type Telemetry = Awaited<ReturnType<typeof createTelemetry>>;
