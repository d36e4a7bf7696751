// Finds another tenant's id in what a query says. Shared by the rules for filters and for nested data.

/** A query that would have left its tenant: a bug of the caller. */
export class TenantIsolationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TenantIsolationError';
  }
}

/** @throws TenantIsolationError unless every `tenantId` within, at any depth, is this one. */
export function refuseForeignTenant(node: unknown, tenantId: string): void {
  if (Array.isArray(node)) {
    for (const item of node) refuseForeignTenant(item, tenantId);
  } else if (isPlain(node)) {
    for (const [key, value] of Object.entries(node)) {
      if (key !== 'tenantId') refuseForeignTenant(value, tenantId);
      else if (value !== tenantId) throw new TenantIsolationError('The query names another tenant.');
    }
  }
}

/** Whether it is an object literal: not a date, not bytes, not a decimal. */
export function isPlain(node: unknown): node is Record<string, unknown> {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return false;
  const prototype = Object.getPrototypeOf(node);
  return prototype === null || prototype === Object.prototype;
}
