// Clients (RFC 6749 s.2), held in memory and forgotten whenever any client changes: every grant asks for one.
// Invariant: what is read together with `rev` was true when `rev` was the last number known.

import type { Ctx } from '../../context.ts';
import type { ChangeFeed } from '../../database/change-feed.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { keyset, type List, literally } from '../../database/keyset.ts';
import { notFound } from '../../errors/domain-error.ts';
import type { Administer } from '../administration/administration.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { ScopeCatalogue } from '../scopes/custom-scopes.ts';
import { createClientAdministration } from './client-administration.ts';

/** A kind of client, as the schema's `ClientKind` has it. */
export type ClientKind = 'BACKEND' | 'STOREFRONT' | 'CUSTOM';

/** A client as it is stored. */
export interface Client {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
  readonly kind: ClientKind;
  readonly scopes: readonly string[];
  readonly everyScope: boolean;
  readonly enabled: boolean;
  readonly version: number;
  readonly createdAt: Date;
}

/** A client with what proves it. */
export interface KnownClient extends Client {
  readonly secrets: readonly { readonly digest: Uint8Array; readonly expiresAt: Date | null }[];
}

/** Which clients to list. */
export interface ClientFilter {
  /** Text in name or id, in whatever case. */
  readonly search?: string | null | undefined;
}

const MOST_REMEMBERED = 50_000;

/** Use cases of clients. */
export function createClients(deps: {
  administer: Administer;
  database: Database;
  changes: ChangeFeed;
  revocations: Revocations;
  scopes: ScopeCatalogue;
}) {
  const { administer, database, changes, revocations, scopes } = deps;
  let remembered = new Map<string, KnownClient | null>();

  changes.watch('clients', async () => {
    remembered = new Map();
  });

  async function load(id: string): Promise<void> {
    const into = remembered;
    await changes.catchUp();
    const client = await database.system().client.findUnique({ where: { id }, include: { secrets: true } });
    if (into.size >= MOST_REMEMBERED) into.clear();
    into.set(id, client);
  }

  const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

  const scopesOf = (client: Client): readonly string[] =>
    client.everyScope ? scopes.everyScope(client) : [...client.scopes].sort();

  const lookUp = (ctx: { tenantId: string }, id: string): Promise<Client | null> =>
    database.forTenant(ctx).client.findUnique({ where: byId(ctx, id) });

  return {
    ...createClientAdministration({ administer, scopes, scopesOf }),

    /** The client of that `client_id` in whichever tenant, and the `rev` for a token on these facts. */
    async find(id: string): Promise<{ client: KnownClient | null; rev: number }> {
      for (;;) {
        const client = remembered.get(id);
        if (client !== undefined) return { client, rev: revocations.current() };
        await load(id);
      }
    },

    /** All scopes that a client may ask for, sorted. No I/O. */
    scopesOf,

    /** Whether the client and its tenant are enabled, as of the caller's transaction. */
    async isEnabled(db: TenantClient, ctx: { tenantId: string }, id: string): Promise<boolean> {
      const enabled = await db.$queryRaw<unknown[]>`
        SELECT 1 FROM clients c JOIN tenants t ON t.id = c.tenant_id
        WHERE c.tenant_id = ${ctx.tenantId} AND c.id = ${id} AND c.enabled AND t.status = 'ACTIVE'`;
      return enabled.length > 0;
    },

    /** A client of this tenant; null when it has none of that id. */
    lookUp,

    /** A client of this tenant. @throws NOT_FOUND */
    async get(ctx: { tenantId: string }, id: string): Promise<Client> {
      const client = await lookUp(ctx, id);
      if (!client) throw notFound('Client');
      return client;
    },

    /** The clients of the tenant, by name. */
    list(ctx: Ctx, { search }: ClientFilter = {}): List<Client> {
      const { client } = database.forTenant(ctx);
      const text = search ? { contains: literally(search), mode: 'insensitive' as const } : null;
      const matching = text ? { OR: [{ name: text }, { id: text }] } : {};
      return {
        page(window) {
          const { where, ...page } = keyset(window, ['name', 'id']);
          return client.findMany({ where: { AND: [matching, where] }, ...page });
        },
        count: () => client.count({ where: matching }),
      };
    },
  };
}

/** See `createClients`. */
export type Clients = ReturnType<typeof createClients>;
