// What may stand in the `data` of a tenant's write. Invariant: it names no other tenant at any depth, and links
// rows by the columns of a foreign key only: Prisma's `connect` would copy the tenant_id of the row it is given.
// JSON columns may contain anything.

import { isPlain, refuseForeignTenant, TenantIsolationError } from './foreign-tenant.ts';

/** Prisma's own description of the models. */
export type Models = Record<string, { fields: readonly { name: string; kind: string; type: string }[] }>;

/** Reads it from a client; there is no public way in Prisma 7. */
export function readModels(client: object): Models {
  const models = (client as { _runtimeDataModel?: { models?: Models } })._runtimeDataModel?.models;
  if (!models?.Tenant) throw new Error('Prisma no longer describes its models where tenant isolation looks for them.');
  return models;
}

/** @throws TenantIsolationError where `data` could reach another tenant. */
export function checkNestedWrites(models: Models, model: string, data: unknown, tenantId: string): void {
  if (Array.isArray(data)) {
    for (const item of data) checkNestedWrites(models, model, item, tenantId);
    return;
  }
  if (!isPlain(data)) return;
  for (const [key, value] of Object.entries(data)) {
    if (key === 'tenantId') refuseForeignTenant({ tenantId: value }, tenantId);
    const field = models[model]?.fields.find(({ name }) => name === key);
    if (field?.kind !== 'object') continue;
    if (field.type === 'Tenant') throw new TenantIsolationError(`${model}.${key}: write tenantId instead.`);
    if (isPlain(value)) checkRelation(models, field.type, value, tenantId);
  }
}

function checkRelation(models: Models, target: string, relation: Record<string, unknown>, tenantId: string): void {
  const check = (data: unknown) => checkNestedWrites(models, target, data, tenantId);
  for (const [operation, argument] of Object.entries(relation)) {
    for (const item of Array.isArray(argument) ? argument : [argument]) {
      const parts = isPlain(item) ? item : {};
      switch (operation) {
        case 'create':
          check(item);
          break;
        case 'createMany':
          check(parts.data);
          break;
        case 'update':
        case 'updateMany':
          refuseForeignTenant(parts.where, tenantId);
          // To one row, the data may stand without `data` around it.
          check(isPlain(parts.data) ? parts.data : item);
          break;
        case 'upsert':
          refuseForeignTenant(parts.where, tenantId);
          check(parts.create);
          check(parts.update);
          break;
        case 'delete':
        case 'deleteMany':
          refuseForeignTenant(item, tenantId);
          break;
        default:
          throw new TenantIsolationError(`${operation} in nested data: write the columns of the foreign key instead.`);
      }
    }
  }
}
