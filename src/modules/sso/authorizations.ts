// Sign-ins that have begun at a provider: from the address that the browser is sent to, to its return with a code.
// Invariants: each is used once, by one conditional statement; PKCE verifier and nonce never leave the service; the
// browser that began brings back what nobody else has seen (security.md cases 64 to 68).

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import * as oidc from 'openid-client';
import { z } from 'zod';
import type { Ctx, RequestContext } from '../../context.ts';
import type { Database } from '../../database/database.ts';
import { badInput } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { deriveKey, seal, unseal } from '../keys/key-sealing.ts';
import type { AnonymousPrincipal, GuestContext } from '../principals/principal.ts';
import type { IdentityProvider } from './identity-providers.ts';
import type { ProviderConnections } from './provider-connections.ts';

const LIFE_SECONDS = 600;

/** The guest's visit that a sign-in goes on with. */
export interface GuestVisit {
  readonly sessionId: string;
  readonly clientId: string;
  readonly context: GuestContext;
}

/** What the browser is to keep, and where it goes. */
export interface BegunAuthorization {
  readonly authorizationUrl: string;
  readonly state: string;
  readonly verifier: string;
  readonly expiresAt: Date;
}

/** A sign-in that has come back: nobody else gets it. */
export interface ReturnedAuthorization {
  readonly tenantId: string;
  readonly providerId: string;
  readonly userType: IdentityProvider['userTypes'][number];
  readonly redirectUri: string;
  readonly guest: GuestVisit | null;
  readonly createdAt: Date;
  readonly nonce: string;
  readonly pkceVerifier: string;
}

const visit = z.object({
  sessionId: z.string(),
  clientId: z.string(),
  context: z.object({
    siteCode: z.string().nullable(),
    currency: z.string().nullable(),
    language: z.string().nullable(),
    targetLocation: z.string().nullable(),
  }),
});
const secrets = z.object({ nonce: z.string(), pkceVerifier: z.string() });

const secret = () => randomBytes(32).toString('base64url');
const digest = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());
const refuse = (cause: string) => new OAuthError('invalid_grant', { cause });

/** Use cases of sign-ins under way. */
export function createAuthorizations(deps: {
  database: Database;
  keyEncryptionSecret: string;
  providerConnections: ProviderConnections;
}) {
  const { database, providerConnections } = deps;
  const key = deriveKey(deps.keyEncryptionSecret, 'sso-authorization');

  return {
    /** Begins one. @throws BAD_USER_INPUT for a redirect URI that is not exactly one of the provider's (RFC 9700 s.4.1),
     * SERVICE_UNAVAILABLE when the provider is away */
    async begin(
      ctx: Ctx,
      provider: IdentityProvider,
      {
        userType,
        redirectUri,
        guest,
      }: Pick<ReturnedAuthorization, 'userType' | 'redirectUri'> & {
        readonly guest: AnonymousPrincipal | null;
      },
    ): Promise<BegunAuthorization> {
      if (!provider.redirectUris.includes(redirectUri))
        throw badInput('input.redirectUri', 'Not one that the provider is set up with.');
      const config = await providerConnections.connect(providerConnections.opened(provider));
      const [state, verifier, nonce] = [secret(), secret(), secret()];
      const pkceVerifier = oidc.randomPKCECodeVerifier();
      const id = digest(state);
      const { expiresAt } = await database.forTenant(ctx).ssoAuthorization.create({
        data: {
          tenantId: ctx.tenantId,
          id,
          providerId: provider.id,
          userType,
          redirectUri,
          verifierDigest: digest(verifier),
          sealed: seal(key, JSON.stringify({ nonce, pkceVerifier }), state),
          ...(guest
            ? { guest: { sessionId: guest.sessionId, clientId: guest.clientId, context: { ...guest.context } } }
            : {}),
          expiresAt: new Date(Date.now() + LIFE_SECONDS * 1000),
        },
      });
      const authorizationUrl = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'openid email profile',
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceVerifier),
        code_challenge_method: 'S256',
      });
      return { authorizationUrl: authorizationUrl.href, state, verifier, expiresAt };
    },

    /** Takes one back. A wrong `verifier`, or another session's bearer, leaves it to whom it belongs.
     * @throws INVALID_GRANT for what is unknown, used, too old, or another browser's */
    async take(request: RequestContext, state: string, verifier: string): Promise<ReturnedAuthorization> {
      const id = digest(state);
      const found = await database.system().ssoAuthorization.findUnique({ where: { id } });
      if (!found) throw refuse('no sign-in of that state');
      if (!timingSafeEqual(digest(verifier), found.verifierDigest)) throw refuse('another browser');
      const guest = found.guest === null ? null : visit.parse(found.guest);
      const { principal } = request;
      if (principal && principal.tenantId !== found.tenantId) throw refuse('the bearer is of another tenant');
      if (guest && principal && 'sessionId' in principal && principal.sessionId !== guest.sessionId)
        throw refuse('another session');
      const taken = await database.system().$executeRaw`
        DELETE FROM sso_authorizations
        WHERE tenant_id = ${found.tenantId} AND id = ${id} AND expires_at > now()`;
      if (taken === 0) throw refuse('used, or too old');
      const { tenantId, providerId, userType, redirectUri, createdAt } = found;
      return {
        tenantId,
        providerId,
        userType,
        redirectUri,
        guest,
        createdAt,
        ...secrets.parse(JSON.parse(unseal(key, found.sealed, state))),
      };
    },

    /** Deletes a batch of those that never came back, and of exchanged tokens that have expired. @returns how many */
    async prune(): Promise<number> {
      const system = database.system();
      const begun = await system.$executeRaw`
        DELETE FROM sso_authorizations WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM sso_authorizations WHERE expires_at < now()
          ORDER BY expires_at LIMIT 5000 FOR UPDATE SKIP LOCKED))`;
      const used = await system.$executeRaw`
        DELETE FROM used_subject_tokens WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM used_subject_tokens WHERE expires_at < now()
          ORDER BY expires_at LIMIT 5000 FOR UPDATE SKIP LOCKED))`;
      return Math.max(begun, used);
    },
  };
}

/** See `createAuthorizations`. */
export type Authorizations = ReturnType<typeof createAuthorizations>;
