// A Prisma client that cannot leave its tenant. Invariant: whatever a query says, it reads and writes rows of this
// tenant only; what the rules below do not know is refused. Foreign keys carry tenant_id, so includes and nested
// creates stay inside; nested connects would rewrite tenant_id, so they are refused.

import { isPlain, refuseForeignTenant, TenantIsolationError } from './foreign-tenant.ts';
import type { PrismaClient } from './generated/client.ts';
import { checkNestedWrites, type Models } from './nested-writes.ts';

type Json = Record<string, unknown>;

const reads = new Set([
  'findUnique',
  'findUniqueOrThrow',
  'findFirst',
  'findFirstOrThrow',
  'findMany',
  'count',
  'aggregate',
  'groupBy',
]);
const deletes = new Set(['delete', 'deleteMany']);
const updates = new Set(['update', 'updateMany', 'updateManyAndReturn']);
const creates = new Set(['create', 'createMany', 'createManyAndReturn']);

/** The client, bound to one tenant. Costs about 0.1 ms: keep it. */
export function isolate(client: PrismaClient, models: Models, tenantId: string): PrismaClient {
  if (typeof tenantId !== 'string' || tenantId === '')
    throw new TenantIsolationError('A tenant client needs the id of its tenant.');
  const extended = client.$extends({
    query: {
      async $allOperations({ model, operation, args, query }) {
        if (isPlain(args) && Object.hasOwn(args, 'where') && args.where === undefined) {
          throw new TenantIsolationError('An undefined filter is no filter.');
        }
        return query(
          (model === undefined
            ? checkRaw(operation, args, tenantId)
            : bind(models, model, operation, args as Json, tenantId)) as typeof args,
        );
      },
    },
  });
  return extended as unknown as PrismaClient;
}

function bind(models: Models, model: string, operation: string, args: Json = {}, tenantId: string): Json {
  if (model === 'Tenant') {
    if (!reads.has(operation)) throw new TenantIsolationError(`${operation} of Tenant needs the system client.`);
    checkSelection(args, tenantId);
    return { ...args, where: narrow(args.where, 'id', tenantId) };
  }
  if (!models[model]?.fields.some((field) => field.name === 'tenantId')) {
    throw new TenantIsolationError(`${model} belongs to no tenant: it needs the system client.`);
  }
  checkSelection(args, tenantId);
  const isUpsert = operation === 'upsert';
  if (!isUpsert && ![reads, deletes, updates, creates].some((known) => known.has(operation))) {
    throw new TenantIsolationError(`${operation} has no rule of tenant isolation.`);
  }
  const bound: Json = { ...args };
  if (!creates.has(operation)) bound.where = narrow(args.where, 'tenantId', tenantId);
  const stamp = (data: unknown) => {
    checkNestedWrites(models, model, data, tenantId);
    return { ...(data as Json), tenantId };
  };
  if (creates.has(operation)) bound.data = Array.isArray(args.data) ? args.data.map(stamp) : stamp(args.data);
  if (updates.has(operation)) checkNestedWrites(models, model, args.data, tenantId);
  if (isUpsert) {
    bound.create = stamp(args.create);
    checkNestedWrites(models, model, args.update, tenantId);
  }
  return bound;
}

/** `key` is `tenantId`, or `id` for the tenant itself. Other keys beside it are ANDed by Prisma. */
function narrow(where: unknown, key: string, tenantId: string): Json {
  refuseForeignTenant(where, tenantId);
  const given = (where ?? {}) as Json;
  if (Object.hasOwn(given, key) && given[key] !== tenantId) {
    throw new TenantIsolationError(`The filter names another ${key} than that of the tenant.`);
  }
  return { ...given, [key]: tenantId };
}

/** Filters and cursors, at any depth of the selection. A cursor without tenant would compare with a foreign row. */
function checkSelection(args: Json, tenantId: string): void {
  if (args.cursor !== undefined) {
    refuseForeignTenant(args.cursor, tenantId);
    const parts = Object.values(args.cursor as Json);
    const isBound =
      Object.hasOwn(args.cursor as Json, 'tenantId') ||
      parts.some((part) => isPlain(part) && Object.hasOwn(part, 'tenantId'));
    if (!isBound) throw new TenantIsolationError('A cursor must name its tenant: use the compound key.');
  }
  for (const key of ['include', 'select', '_count']) {
    const selection = args[key];
    if (!isPlain(selection)) continue;
    for (const [name, nested] of Object.entries(selection)) {
      if (!isPlain(nested)) continue;
      if (name === '_count') checkSelection({ _count: nested.select }, tenantId);
      refuseForeignTenant(nested.where, tenantId);
      checkSelection(nested, tenantId);
    }
  }
}

/** What a raw statement of this tenant must say. @throws TenantIsolationError */
export function checkRaw(operation: string, args: unknown, tenantId: string): unknown {
  if (operation !== '$queryRaw' && operation !== '$executeRaw') {
    throw new TenantIsolationError(`${operation} is not for tenant clients: use a tagged template.`);
  }
  const { strings, values } = args as { strings?: readonly string[]; values?: readonly unknown[] };
  if (!strings?.some((text) => /\btenant_id\b/.test(text)) || !values?.includes(tenantId)) {
    throw new TenantIsolationError(
      'SQL of a tenant client must filter by tenant_id, with the id of its tenant as a value.',
    );
  }
  return args;
}
