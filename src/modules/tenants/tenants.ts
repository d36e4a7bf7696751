// The tenants, held in memory and read again whenever one changes: every grant asks, and they are few.

import type { ChangeFeed } from '../../database/change-feed.ts';
import type { Database } from '../../database/database.ts';
import { badInput, conflict, notFound, serviceUnavailable } from '../../errors/domain-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { asOperator } from './in-tenant.ts';
import { type ChangeableSettings, parseTenantSettings, problemOf, type TenantSettings } from './tenant-settings.ts';

/** A merchant's world. */
export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly settings: TenantSettings;
}

/** Tenant ids are slugs, as the platform has them. */
const TENANT_ID = /^[a-z][a-z0-9-]{2,15}$/;

/** Use cases of tenants. Only what concerns a tenant as a whole; its contents belong to their own modules. */
export function createTenants(deps: { database: Database; changes: ChangeFeed }) {
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
      parseTenantSettings(tenant.settings);
      const { id, name, settings = {} } = tenant;
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

    /** Changes settings; what is absent stays. @throws NOT_FOUND for a tenant that is not there, or is shut,
     * BAD_USER_INPUT for a value that breaks a limit */
    async configure(id: string, change: Partial<ChangeableSettings>): Promise<Tenant> {
      await deps.database.systemTransaction(async (tx) => {
        const [stored] = await tx.$queryRaw<{ settings: object }[]>`
          SELECT settings FROM tenants WHERE id = ${id} AND status = 'ACTIVE' FOR NO KEY UPDATE`;
        if (!stored) throw notFound('Tenant');
        const before = parseTenantSettings(stored.settings);
        const settings = { ...stored.settings, ...change };
        const wrong = problemOf(settings);
        if (wrong) throw badInput(wrong.field, wrong.message);
        await tx.tenant.update({ where: { id }, data: { settings } });
        const names = Object.keys(change) as (keyof ChangeableSettings)[];
        const of = (from: ChangeableSettings) => Object.fromEntries(names.map((name) => [name, from[name]]));
        await recordAudit(tx, asOperator(id, 'operator'), {
          type: 'tenant.updated',
          subject: { kind: 'tenant', id },
          details: { before: of(before), after: of(parseTenantSettings(settings)) },
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
