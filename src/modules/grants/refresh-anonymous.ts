// The stateless branch of RFC 6749 s.6: a guest goes on with the same session id and context. Once a login has
// claimed the session nothing of the guest is good any more, on whichever instance: the database is asked.

import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { recordAudit } from '../audit/audit.ts';
import type { ClientAuthentication } from '../clients/client-authentication.ts';
import type { Revocations } from '../revocations/revocations.ts';
import { inTenant } from '../tenants/in-tenant.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import { revocationKeysOf } from '../tokens/revocation-keys.ts';
import type { TokenVerifier } from '../tokens/verify.ts';
import { extensionGrant, type Grant } from './grant.ts';
import { type GuestTokens, issueGuestTokens } from './guest-tokens.ts';

const parameters = z
  .object({
    refreshToken: z.string().optional(),
    /** Emporix' old way: the guest goes on by the access token. */
    anonymousToken: z.string().optional(),
    /** Whose token it is, and who presents it, where the protocol says so. */
    tenant: z.string().optional(),
    clientId: z.string().optional(),
  })
  .refine(({ refreshToken, anonymousToken }) => (refreshToken ?? anonymousToken) !== undefined, {
    path: ['refreshToken'],
    message: 'A token is needed.',
  });

type Shown = z.output<typeof parameters>;

/** Refreshing of a guest's tokens. */
export function createRefreshAnonymousGrant(deps: {
  clientAuthentication: ClientAuthentication;
  database: Database;
  revocations: Revocations;
  tenants: Tenants;
  tokens: TokenIssuer;
  verifier: TokenVerifier;
}): Grant<typeof parameters, GuestTokens, 'none'> {
  const { clientAuthentication, database, revocations, tenants, tokens, verifier } = deps;

  async function guestOf({ refreshToken, anonymousToken }: Shown) {
    try {
      if (refreshToken !== undefined) return await verifier.verify(refreshToken, 'anonymous-refresh');
      return await verifier.verify(anonymousToken!, 'anonymous');
    } catch (error) {
      if (error instanceof OAuthError) throw new OAuthError('invalid_grant', { cause: error.cause });
      throw error;
    }
  }

  return {
    grantType: extensionGrant('refresh-anonymous'),
    parameters,
    client: 'none',
    async handle(request, shown) {
      const { clientId = null } = shown;
      const claims = await guestOf(shown);
      if (shown.tenant !== undefined && shown.tenant !== claims.tenant)
        throw new OAuthError('invalid_grant', { cause: 'of another tenant' });
      const ctx = inTenant(request, claims.tenant);
      if (clientId !== null && clientId !== claims.client_id) {
        await recordAudit(database.forTenant(ctx), ctx, {
          type: 'refresh.foreign_client',
          outcome: 'refused',
          actor: { kind: 'client', id: clientId },
          subject: { kind: 'session', id: claims.session_id },
        });
        throw new OAuthError('invalid_grant', { cause: 'issued to another client' });
      }
      const tenant = tenants.find(claims.tenant);
      if (!tenant) throw new OAuthError('invalid_grant', { cause: 'the tenant is suspended' });
      const { client, rev } = await clientAuthentication
        .byName(claims.tenant, claims.client_id)
        .catch((error: unknown) => {
          throw error instanceof OAuthError ? new OAuthError('invalid_grant', { cause: error.cause }) : error;
        });
      if (await revocations.isRevokedNow(database.forTenant(ctx), revocationKeysOf(claims), claims.rev)) {
        throw new OAuthError('invalid_grant', { cause: 'claimed, ended, or the client or tenant was disabled' });
      }
      const ends = claims.session_started_at + tenant.settings.anonymousSessionSeconds;
      if (ends <= Date.now() / 1000) throw new OAuthError('invalid_grant', { cause: 'the session is over' });
      const guest = {
        sessionId: claims.session_id,
        clientId: client.id,
        context: claims.context,
        sessionStartedAt: claims.session_started_at,
      };
      return issueGuestTokens(tokens, tenant, guest, rev);
    },
  };
}
