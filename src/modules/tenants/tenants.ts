// The tenants, held in memory and read again whenever one changes: every grant asks, and they are few.

import { isDeepStrictEqual } from 'node:util';
import type { ChangeFeed } from '../../database/change-feed.ts';
import type { Database } from '../../database/database.ts';
import type { Prisma } from '../../database/generated/client.ts';
import { badInput, conflict, notFound, serviceUnavailable } from '../../errors/domain-error.ts';
import { type AuditDetails, recordAudit } from '../audit/audit.ts';
import type { ScopeCatalogue } from '../scopes/custom-scopes.ts';
import { asOperator } from './in-tenant.ts';
import { changedSettings, parseTenantSettings, type SettingsChange, type TenantSettings } from './tenant-settings.ts';

/** A merchant's world. */
export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly settings: TenantSettings;
}

/** Tenant ids are slugs, as the platform has them. */
const TENANT_ID = /^[a-z][a-z0-9-]{2,15}$/;

/** Use cases of tenants. Only what concerns a tenant as a whole; its contents belong to their own modules. */
export function createTenants(deps: { database: Database; changes: ChangeFeed; scopes: ScopeCatalogue }) {
  let active: Map<string, Tenant> | null = null;

  deps.changes.watch('tenants', async () => {
    const rows = await deps.database.system().tenant.findMany({ where: { status: 'ACTIVE' } });
    active = new Map(
      rows.map(({ id, name, settings }) => [id, { id, name, settings: parseTenantSettings(settings) }] as const),
    );
  });

  /** @throws SERVICE_UNAVAILABLE before the first read: a tenant that is not known yet is not refused */
  function known(): Map<string, Tenant> {
    if (!active) throw serviceUnavailable('the tenants have not been read yet');
    return active;
  }

  return {
    /** The tenant of that slug; null when there is none, or it is suspended. */
    find: (id: string): Tenant | null => known().get(id) ?? null,

    /** The tenant of a request. @throws NOT_FOUND when it has been suspended meanwhile */
    get(ctx: { tenantId: string }): Tenant {
      const tenant = known().get(ctx.tenantId);
      if (!tenant) throw notFound('Tenant');
      return tenant;
    },

    /** All tenants that are not suspended. */
    all: (): Tenant[] => [...known().values()],

    /** Every tenant, suspended ones too, by id. */
    list: (): Promise<{ id: string; name: string; status: 'ACTIVE' | 'SUSPENDED'; createdAt: Date }[]> =>
      deps.database.system().tenant.findMany({ omit: { settings: true }, orderBy: { id: 'asc' } }),

    /** @throws BAD_USER_INPUT for a bad slug or setting, CONFLICT `TENANT_EXISTS`. */
    async create(tenant: { id: string; name: string; settings?: Partial<TenantSettings> }): Promise<Tenant> {
      if (!TENANT_ID.test(tenant.id))
        throw badInput('id', 'A tenant id has 3 to 16 lower-case letters, digits or hyphens.');
      const { id, name } = tenant;
      const settings = changedSettings({}, tenant.settings ?? {}) as Prisma.InputJsonObject;
      await deps.database.systemTransaction(async (tx) => {
        const created = await tx.tenant.createMany({ data: [{ id, name, settings }], skipDuplicates: true });
        if (created.count === 0) throw conflict('TENANT_EXISTS', 'There is a tenant of that id.');
        const subject = { kind: 'tenant', id } as const;
        await recordAudit(tx, asOperator(id, 'operator'), {
          type: 'tenant.created',
          subject,
          details: { after: { name } },
        });
      });
      await deps.changes.catchUp();
      return known().get(id)!;
    },

    /**
     * Changes settings; what is absent stays, null goes back to the default. They hold for what is issued from then on.
     * @throws BAD_USER_INPUT naming the setting, NOT_FOUND for a tenant that is not there, or is shut
     */
    async changeSettings(id: string, change: SettingsChange): Promise<Tenant> {
      for (const name of ['anonymousScopes', 'customerScopes'] as const)
        if (change[name]) deps.scopes.requireKnown({ tenantId: id }, change[name], `settings.${name}`);
      await deps.database.systemTransaction(async (tx) => {
        const [found] = await tx.$queryRaw<{ settings: Record<string, Prisma.JsonValue> }[]>`
          SELECT settings FROM tenants WHERE id = ${id} AND status = 'ACTIVE' FOR UPDATE`;
        if (!found) throw notFound('Tenant');
        const settings = changedSettings(found.settings, change) as Record<string, Prisma.JsonValue>;
        await tx.tenant.update({ where: { id }, data: { settings: settings as Prisma.InputJsonObject } });
        const names = Object.keys(change).filter((name) => !isDeepStrictEqual(found.settings[name], settings[name]));
        const told = (all: Record<string, Prisma.JsonValue>) =>
          Object.fromEntries(names.map((name) => [name, all[name] ?? null])) as AuditDetails;
        if (names.length === 0) return;
        await recordAudit(tx, asOperator(id, 'operator'), {
          type: 'tenant.updated',
          subject: { kind: 'tenant', id },
          details: { before: told(found.settings), after: told(settings) },
        });
      });
      await deps.changes.catchUp();
      return known().get(id)!;
    },

    /** Shuts a tenant: no grant, and every token that it ever gave is refused. @throws NOT_FOUND for one that is not
     * there, or is shut */
    async suspend(id: string): Promise<void> {
      await deps.database.systemTransaction(async (tx) => {
        const { count } = await tx.tenant.updateMany({
          where: { id, status: 'ACTIVE' },
          data: { status: 'SUSPENDED' },
        });
        if (count === 0) throw notFound('Tenant');
        await recordAudit(tx, asOperator(id, 'operator'), {
          type: 'tenant.suspended',
          subject: { kind: 'tenant', id },
        });
        await tx.revocation.create({ data: { tenantId: id, kind: 'TENANT', key: id, reason: 'tenant.suspended' } });
      });
      await deps.changes.catchUp();
    },
  };
}

/** See `createTenants`. */
export type Tenants = ReturnType<typeof createTenants>;
