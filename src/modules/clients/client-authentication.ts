// Client authentication by secret (RFC 6749 s.2.3.1). One answer for an unknown, disabled or public client and for
// a wrong secret, in one time: an unknown client costs a comparison too.

import type { RequestContext } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import { createRate } from '../limits/rates.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { digestOfSecret, isSameDigest } from './client-secret.ts';
import type { Clients, KnownClient } from './clients.ts';

const nobody = digestOfSecret('no client has this secret');

/** A client that has proved itself, and the `rev` for a token on these facts. */
export interface AuthenticatedClient {
  readonly client: KnownClient;
  readonly rev: number;
}

/** Client authentication. */
export function createClientAuthentication(deps: { database: Database; clients: Clients; tenants: Tenants }) {
  const { database, clients, tenants } = deps;
  const failures = createRate({ limit: 60, windowSeconds: 60 });

  async function refuse(request: RequestContext, client: KnownClient | null, cause: string): Promise<never> {
    failures.take(client?.id ?? 'unknown clients');
    if (client) {
      const ctx = inTenant(request, client.tenantId);
      await recordAudit(database.forTenant(ctx), ctx, {
        type: 'client.authentication_failed',
        outcome: 'refused',
        reason: cause,
        subject: { kind: 'client', id: client.id },
      });
    }
    throw new OAuthError('invalid_client', { cause });
  }

  return {
    /** By id and secret. @throws INVALID_CLIENT, RATE_LIMITED after 60 failures in a minute */
    async bySecret(request: RequestContext, clientId: string, clientSecret: string): Promise<AuthenticatedClient> {
      const presented = digestOfSecret(clientSecret);
      const { client, rev } = await clients.find(clientId);
      const now = new Date();
      const alive = client?.secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now) ?? [];
      const matches = (alive.length > 0 ? alive : [{ digest: nobody }]).some(({ digest }) =>
        isSameDigest(digest, presented),
      );
      if (!client) return refuse(request, null, 'unknown client');
      if (!matches || clientSecret === '') return refuse(request, client, 'wrong secret');
      if (!client.enabled || !tenants.find(client.tenantId)) return refuse(request, client, 'disabled');
      return { client, rev };
    },

    /** A public client, by naming itself (RFC 6749 s.2.1). @throws INVALID_CLIENT */
    async byName(tenantId: string, clientId: string): Promise<AuthenticatedClient> {
      const { client, rev } = await clients.find(clientId);
      if (
        !client ||
        client.tenantId !== tenantId ||
        client.kind !== 'STOREFRONT' ||
        !client.enabled ||
        !tenants.find(tenantId)
      ) {
        throw new OAuthError('invalid_client', { cause: 'not an enabled storefront client of this tenant' });
      }
      return { client, rev };
    },
  };
}

/** See `createClientAuthentication`. */
export type ClientAuthentication = ReturnType<typeof createClientAuthentication>;
