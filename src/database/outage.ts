// Tells an outage from an answer. Invariant: a database that is away, frozen, full or out of connections is
// SERVICE_UNAVAILABLE within the deadline, never a denial and never a masked bug; everything else passes unchanged.

import { DomainError, serviceUnavailable } from '../errors/domain-error.ts';

/** No query and no transaction takes longer, waiting for a connection included. */
const deadlineMs = 4_500;

/** P1xxx: not reachable, timed out, closed. P2024, P2028, P2037: no connection, no transaction in time, too many. */
const prismaCodes = new Set(['P1001', 'P1002', 'P1008', 'P1011', 'P1017', 'P2024', 'P2028', 'P2037']);
const adapterKinds = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TlsConnectionError',
  'TooManyConnections',
  'TransactionAlreadyClosed',
]);
/** Connection, resources, operator (and statement timeout), system; lock not available; idle in transaction. */
const sqlStates = /^(08...|53...|57...|58...|55P03|25P03)$/;
const systemCodes = /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN)$/;
/** What pg and PGlite throw without any code. */
const messages =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|is not queryable|Client was closed|after calling end on the pool|PGlite is (closed|closing)/i;

interface Facts {
  readonly name?: string;
  readonly code?: unknown;
  readonly message?: string;
  readonly meta?: { driverAdapterError?: { cause?: AdapterError } };
  readonly cause?: unknown;
}

interface AdapterError {
  readonly kind?: string;
  readonly originalCode?: string;
}

/** Whether the database could not answer. */
export function isOutage(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { name, code, message = '', meta, cause } = error as Facts;
  // What the adapter throws itself has the same facts as its cause.
  const adapter = meta?.driverAdapterError?.cause ?? (cause as AdapterError | undefined);
  return (
    name === 'PrismaClientInitializationError' ||
    (typeof code === 'string' && (prismaCodes.has(code) || sqlStates.test(code) || systemCodes.test(code))) ||
    adapterKinds.has(adapter?.kind ?? '') ||
    sqlStates.test(adapter?.originalCode ?? '') ||
    messages.test(message) ||
    // PGlite after a panic, such as a full disk.
    name === 'RuntimeError' ||
    name === 'ExitStatus'
  );
}

const conflicts = /^(40001|40P01|55P03)$/;

/**
 * Whether two transactions met, and trying again is right. 55P03: lock_timeout is as short as the time after which
 * PostgreSQL looks for deadlocks, so a deadlock may show as either.
 */
export function isConflict(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, meta, cause } = error as Facts;
  const adapter = meta?.driverAdapterError?.cause;
  return (
    code === 'P2034' ||
    // What has gone straight to the driver says it in PostgreSQL's own words.
    (typeof code === 'string' && conflicts.test(code)) ||
    adapter?.kind === 'TransactionWriteConflict' ||
    conflicts.test(adapter?.originalCode ?? '') ||
    (error instanceof DomainError && isConflict(cause))
  );
}

/** Runs a query or transaction within the deadline. @throws SERVICE_UNAVAILABLE instead of an outage or conflict */
export async function withinDeadline<T>(work: () => Promise<T>, ms = deadlineMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(serviceUnavailable(new Error(`The database took longer than ${ms} ms.`))), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    throw !(error instanceof DomainError) && (isOutage(error) || isConflict(error)) ? serviceUnavailable(error) : error;
  } finally {
    clearTimeout(timer);
  }
}
