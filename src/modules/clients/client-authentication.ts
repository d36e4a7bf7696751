// Client authentication (RFC 6749 s.2.3.1). One answer for an unknown, disabled or public client and for a wrong secret,
// in one time (security case 54): an unknown client costs a comparison too, and no answer waits for the trail.

import type { RequestContext } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { createRate } from '../limits/rates.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { digestOfSecret, isSameDigest } from './client-secret.ts';
import type { Clients, KnownClient } from './clients.ts';
import { FIRST_PARTY_CLIENT } from './first-party.ts';

/** How long after the answer the trail is told: whoever asks again at once, on the same connection, learns nothing either. */
const TOLD_AFTER_MS = 250;

const nobody = digestOfSecret('no client has this secret');

/** A client that has proved itself, and the `rev` for a token on these facts. */
export interface AuthenticatedClient {
  readonly client: KnownClient;
  readonly rev: number;
}

/** Whoever presents itself. Without a client: the service's own (see first-party.ts), which belongs to no tenant. */
export interface PresentedClient {
  readonly clientId: string;
  readonly client: KnownClient | null;
  readonly rev: number;
}

/** Client authentication. */
export function createClientAuthentication(deps: {
  database: Database;
  clients: Clients;
  logger: { error(facts: object, message: string): void };
  tenants: Tenants;
}) {
  const { database, clients, logger, tenants } = deps;
  const failures = createRate({ limit: 60, windowSeconds: 60 });
  const underWay = new Set<Promise<void>>();

  /** Only a client that there is has a trail, and writing it takes longer than everything else. */
  async function tell(request: RequestContext, client: KnownClient | null, reason: string): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, TOLD_AFTER_MS));
    if (!client) return;
    const ctx = inTenant(request, client.tenantId);
    await recordAudit(database.forTenant(ctx), ctx, {
      type: 'client.authentication_failed',
      outcome: 'refused',
      reason,
      subject: { kind: 'client', id: client.id },
    }).catch((error: unknown) => {
      logger.error({ requestId: ctx.requestId, err: error }, 'a failed client authentication is not on the trail');
    });
  }

  function refuse(request: RequestContext, client: KnownClient | null, cause: string): never {
    failures.take(client?.id ?? 'unknown clients');
    const told: Promise<void> = tell(request, client, cause).finally(() => underWay.delete(told));
    underWay.add(told);
    throw new OAuthError('invalid_client', { cause });
  }

  const isEnabled = (client: KnownClient): boolean => client.enabled && tenants.find(client.tenantId) !== null;

  /** By id and secret. @throws INVALID_CLIENT, RATE_LIMITED after 60 failures in a minute */
  async function bySecret(
    request: RequestContext,
    clientId: string,
    clientSecret: string,
  ): Promise<AuthenticatedClient> {
    const presented = digestOfSecret(clientSecret);
    const { client, rev } = await clients.find(clientId);
    const now = new Date();
    const alive = client?.secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now) ?? [];
    const matches = (alive.length > 0 ? alive : [{ digest: nobody }]).some(({ digest }) =>
      isSameDigest(digest, presented),
    );
    if (!client) return refuse(request, null, 'unknown client');
    if (!matches || clientSecret === '') return refuse(request, client, 'wrong secret');
    if (!isEnabled(client)) return refuse(request, client, 'disabled');
    return { client, rev };
  }

  /** A public client, by naming itself (RFC 6749 s.2.1). @param tenantId null: of whichever tenant @throws INVALID_CLIENT */
  async function byName(tenantId: string | null, clientId: string): Promise<AuthenticatedClient> {
    const { client, rev } = await clients.find(clientId);
    const isOfTenant = client !== null && (tenantId === null || client.tenantId === tenantId);
    if (!isOfTenant || client.kind !== 'STOREFRONT' || !isEnabled(client))
      throw new OAuthError('invalid_client', { cause: 'not an enabled storefront client of this tenant' });
    return { client, rev };
  }

  return {
    bySecret,
    byName,

    /** Either, as the request has it: whoever has a secret shows it, and a public client names itself (RFC 6749
     * s.3.2.1). @throws INVALID_CLIENT, RATE_LIMITED */
    async presented(
      request: RequestContext,
      { clientId, clientSecret }: { clientId: string; clientSecret: string | null },
    ): Promise<PresentedClient> {
      if (clientSecret === null && clientId === FIRST_PARTY_CLIENT) return { clientId, client: null, rev: 0 };
      const known =
        clientSecret === null ? await byName(null, clientId) : await bySecret(request, clientId, clientSecret);
      return { clientId, ...known };
    },

    /** Resolves when the trail has been told of everything. */
    async stop(): Promise<void> {
      await Promise.all(underWay);
    },
  };
}

/** See `createClientAuthentication`. */
export type ClientAuthentication = ReturnType<typeof createClientAuthentication>;
