// Clients (RFC 6749 s.2), held in memory and forgotten whenever any client changes: every grant asks for one.
// Invariant: what is read together with `rev` was true when `rev` was the last number known.

import type { Ctx } from '../../context.ts';
import type { ChangeFeed } from '../../database/change-feed.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import { badInput, conflict, forbidden, notFound } from '../../errors/domain-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { clientKey } from '../revocations/revocation-key.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { ScopeCatalogue } from '../scopes/custom-scopes.ts';
import { missingToDelegate } from '../scopes/delegation.ts';
import { digestOfSecret, generateClientSecret } from './client-secret.ts';

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
  readonly createdAt: Date;
}

/** A client with what proves it. */
export interface KnownClient extends Client {
  readonly secrets: readonly { readonly digest: Uint8Array; readonly expiresAt: Date | null }[];
}

/** What a client is made from. */
export interface NewClient {
  readonly id: string;
  readonly name: string;
  readonly kind: ClientKind;
  readonly scopes: readonly string[];
  readonly everyScope?: boolean;
  /** Absent: a random one. Public clients have none. */
  readonly clientSecret?: string;
}

const MOST_REMEMBERED = 50_000;
const CLIENT_ID = /^[A-Za-z0-9_-]{3,64}$/;

/** Use cases of clients. */
export function createClients(deps: {
  database: Database;
  changes: ChangeFeed;
  revocations: Revocations;
  scopes: ScopeCatalogue;
}) {
  const { database, changes, revocations, scopes } = deps;
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

  async function requireHeld(ctx: Ctx, wanted: readonly string[]): Promise<void> {
    const missing = missingToDelegate(ctx.principal?.scopes ?? [], wanted);
    if (missing.length > 0) throw forbidden([wanted], missing);
  }

  const byId = (ctx: { tenantId: string }, id: string) => ({ tenantId_id: { tenantId: ctx.tenantId, id } });

  async function register(ctx: Ctx, input: NewClient): Promise<{ client: Client; clientSecret: string | null }> {
    if (!CLIENT_ID.test(input.id))
      throw badInput('input.id', 'A client id has 3 to 64 letters, digits, hyphens or underscores.');
    const wanted = await scopes.requireKnown(ctx, input.scopes, 'input.scopes');
    const clientSecret = input.kind === 'STOREFRONT' ? null : (input.clientSecret ?? generateClientSecret());
    const client = await database.transaction(ctx, async (tx) => {
      const { id, name, kind, everyScope = false } = input;
      const [created] = await tx.client.createManyAndReturn({
        data: [{ tenantId: ctx.tenantId, id, name, kind, scopes: wanted, everyScope }],
        skipDuplicates: true,
      });
      if (!created) throw conflict('CLIENT_EXISTS', 'There is a client of that id.');
      if (clientSecret) {
        await tx.clientSecret.create({
          data: { tenantId: ctx.tenantId, clientId: id, digest: digestOfSecret(clientSecret) },
        });
      }
      await recordAudit(tx, ctx, {
        type: 'client.created',
        subject: { kind: 'client', id },
        details: { scopes: wanted },
      });
      return created;
    });
    await changes.catchUp();
    return { client, clientSecret };
  }

  return {
    /** The client of that `client_id` in whichever tenant, and the `rev` for a token on these facts. */
    async find(id: string): Promise<{ client: KnownClient | null; rev: number }> {
      for (;;) {
        const client = remembered.get(id);
        if (client !== undefined) return { client, rev: revocations.current() };
        await load(id);
      }
    },

    /** All scopes that a client may ask for. */
    scopesOf: async (client: Client): Promise<readonly string[]> =>
      client.everyScope ? scopes.everyScope(client) : [...client.scopes].sort(),

    /** Whether the client and its tenant are enabled, as of the caller's transaction. */
    async isEnabled(db: TenantClient, ctx: { tenantId: string }, id: string): Promise<boolean> {
      const client = await db.client.findUnique({
        where: byId(ctx, id),
        select: { enabled: true, tenant: { select: { status: true } } },
      });
      return client?.enabled === true && client.tenant.status === 'ACTIVE';
    },

    /** A client of this tenant. @throws NOT_FOUND */
    async get(ctx: { tenantId: string }, id: string): Promise<Client> {
      const client = await database.forTenant(ctx).client.findUnique({ where: byId(ctx, id) });
      if (!client) throw notFound('Client');
      return client;
    },

    /** Makes a client, for setting up a tenant: no caller's scopes bound it. Its secret is returned here and never again.
     * @throws BAD_USER_INPUT, CONFLICT `CLIENT_EXISTS` */
    register,

    /**
     * Changes a client. What it may no longer do is refused at once: tokens from before need to be asked for again.
     * @throws FORBIDDEN for scopes that the caller does not hold, NOT_FOUND, BAD_USER_INPUT
     */
    async update(
      ctx: Ctx,
      id: string,
      change: { name?: string | undefined; scopes?: readonly string[] | undefined; enabled?: boolean | undefined },
    ): Promise<Client> {
      const wanted = change.scopes && (await scopes.requireKnown(ctx, change.scopes, 'input.scopes'));
      if (wanted) await requireHeld(ctx, wanted);
      const client = await database.transaction(ctx, async (tx) => {
        const found = await tx.client.findUnique({ where: byId(ctx, id) });
        if (!found) throw notFound('Client');
        const updated = await tx.client.update({
          where: byId(ctx, id),
          data: {
            ...(change.name === undefined ? {} : { name: change.name }),
            ...(wanted ? { scopes: [...wanted] } : {}),
            ...(change.enabled === undefined ? {} : { enabled: change.enabled }),
            version: { increment: 1 },
          },
        });
        await recordAudit(tx, ctx, {
          type: 'client.updated',
          subject: { kind: 'client', id },
          details: { enabled: updated.enabled, scopes: updated.scopes, previousScopes: found.scopes },
        });
        if (wanted || change.enabled === false) await revocations.record(tx, ctx, [clientKey(id)], 'client.updated');
        return updated;
      });
      await revocations.felt();
      return client;
    },
  };
}

/** See `createClients`. */
export type Clients = ReturnType<typeof createClients>;
