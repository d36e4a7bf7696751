// Tokens of a provider that are to be exchanged for ours (RFC 8693): checked with its keys or by asking it, as it is set
// up. Invariants: issuer and keys come from the configuration, never from the token; a token is exchanged once, on
// whichever instance, for as long as it is good (security.md case 74).

import { createHash } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import type { TenantClient } from '../../database/database.ts';
import { serviceUnavailable } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { type ExternalPerson, personIn } from './external-person.ts';
import type { IdentityProvider } from './identity-providers.ts';
import type { Outgoing } from './outgoing.ts';
import { conversing, outageIn, type ProviderConnections } from './provider-connections.ts';

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const MOST_TOKEN_CHARACTERS = 8_192;
const MOST_KEYS = 100;
const MOST_LIFE_SECONDS = 24 * 3600;
const LEEWAY_SECONDS = 5;

/** How long keys are taken for fresh, and how soon an unknown `kid` may have them read again; milliseconds. */
const FRESH_MS = 10 * 60 * 1000;
const COOL_DOWN_MS = 30_000;

/** Someone who is known by a token that is good, and the mark that it is used by. */
export interface SubjectToken {
  readonly person: ExternalPerson;
  readonly usedId: Uint8Array<ArrayBuffer>;
  readonly expiresAt: Date;
}

interface Keys {
  readonly set: ReturnType<typeof createLocalJWKSet>;
  readonly readAt: number;
}

const refuse = (cause: unknown) => new OAuthError('invalid_grant', { cause });

/** Checking of tokens that are to be exchanged. */
export function createSubjectTokens(deps: { outgoing: Outgoing; providerConnections: ProviderConnections }) {
  const { outgoing, providerConnections } = deps;
  const keysByUrl = new Map<string, Keys>();

  async function readKeys(url: string): Promise<Keys> {
    const response = await outgoing(url, { headers: { accept: 'application/json' } });
    const body = (await response.json().catch(() => null)) as JSONWebKeySet | null;
    if (!response.ok || !Array.isArray(body?.keys) || body.keys.length > MOST_KEYS)
      throw serviceUnavailable(`${url} has no key set`);
    const keys = { set: createLocalJWKSet({ keys: body.keys }), readAt: performance.now() };
    keysByUrl.set(url, keys);
    return keys;
  }

  async function keysAt(url: string): Promise<Keys> {
    const known = keysByUrl.get(url);
    if (known && performance.now() - known.readAt < FRESH_MS) return known;
    return readKeys(url).catch((error: unknown) => {
      if (known) return known;
      throw error;
    });
  }

  async function claimsOfJwt(token: string, provider: IdentityProvider, url: string): Promise<JWTPayload> {
    const options = {
      algorithms: ALGORITHMS,
      issuer: provider.issuer,
      audience: provider.audience ?? provider.clientId,
      requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat'],
      maxTokenAge: MOST_LIFE_SECONDS,
      clockTolerance: LEEWAY_SECONDS,
    };
    // An id_token or an access token: what else is signed with the same keys (a logout token, say) is neither.
    const typ = decodeProtectedHeader(token)
      .typ?.toLowerCase()
      .replace(/^application\//, '');
    if (typ !== undefined && typ !== 'jwt' && typ !== 'at+jwt') throw refuse('a token of another type');
    const keys = await keysAt(url);
    const verify = ({ set }: Keys) => jwtVerify(token, set, options).then(({ payload }) => payload);
    return verify(keys).catch(async (error: unknown) => {
      if (!(error instanceof errors.JWKSNoMatchingKey) || performance.now() - keys.readAt < COOL_DOWN_MS) throw error;
      return verify(await readKeys(url));
    });
  }

  /** @throws INVALID_GRANT when the provider does not say that the token is good and meant for us */
  async function claimsByAsking(token: string, provider: IdentityProvider, config: oidc.Configuration) {
    const claims = await oidc.tokenIntrospection(config, token);
    if (claims.active !== true) throw refuse('not active');
    if (claims.iss !== undefined && claims.iss !== provider.issuer) throw refuse('another issuer');
    const audience = [claims.aud ?? []].flat();
    if (!audience.includes(provider.audience ?? provider.clientId)) throw refuse('another audience');
    if (typeof claims.sub !== 'string' || typeof claims.exp !== 'number') throw refuse('no sub, or no exp');
    if (claims.exp <= Date.now() / 1000) throw refuse('expired');
    return claims;
  }

  /** What userinfo adds; nothing for a token that it does not take, such as an id_token. */
  const userInfo = (config: oidc.Configuration, token: string, subject: string) =>
    oidc.fetchUserInfo(config, token, subject).catch((error: unknown) => {
      if (outageIn(error)) throw error;
      return {};
    });

  return {
    /** @throws INVALID_GRANT, SERVICE_UNAVAILABLE when the provider is away */
    read(provider: IdentityProvider, token: string): Promise<SubjectToken> {
      return conversing(async () => {
        if (token.length > MOST_TOKEN_CHARACTERS) throw refuse('too long');
        if (provider.subjectTokens === null) throw refuse('this provider’s tokens are not exchanged');
        const config = await providerConnections.connect(providerConnections.opened(provider));
        const metadata = config.serverMetadata();
        const claims: JWTPayload =
          provider.subjectTokens === 'JWT'
            ? await claimsOfJwt(token, provider, metadata.jwks_uri ?? '')
            : ((await claimsByAsking(token, provider, config)) as JWTPayload);
        if (claims.azp !== undefined && claims.azp !== provider.clientId) throw refuse('another azp');
        const { sub: subject, jti } = claims;
        if (typeof subject !== 'string' || subject === '') throw refuse('no sub');
        // Without a `jti`, what is signed: a signature has other texts that are good as well.
        const signed = token.split('.').slice(0, -1).join('.') || token;
        const mark = `${provider.issuer} ${typeof jti === 'string' ? jti : signed}`;
        const needsMore = claims[provider.emailClaim] === undefined && metadata.userinfo_endpoint !== undefined;
        const more = needsMore ? [await userInfo(config, token, subject)] : [];
        return {
          person: personIn(provider, subject, [claims, ...more]),
          usedId: new Uint8Array(createHash('sha256').update(mark).digest()),
          expiresAt: new Date(claims.exp! * 1000 + LEEWAY_SECONDS * 1000),
        };
      });
    },

    /** Marks a token as exchanged, in the transaction of the login. @throws INVALID_GRANT for one that has been */
    async use(tx: TenantClient, tenantId: string, providerId: string, { usedId, expiresAt }: SubjectToken) {
      const { count } = await tx.usedSubjectToken.createMany({
        data: [{ tenantId, id: usedId, providerId, expiresAt }],
        skipDuplicates: true,
      });
      if (count === 0) throw refuse('exchanged before');
    },
  };
}

/** See `createSubjectTokens`. */
export type SubjectTokens = ReturnType<typeof createSubjectTokens>;
