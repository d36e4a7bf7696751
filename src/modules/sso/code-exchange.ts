// The code that came back, for the person it stands for (OpenID Connect Core 1.0 s.3.1.3). What openid-client leaves to
// its callers is checked here: `azp`, `at_hash` and an id_token older than the sign-in (security.md case 69).

import { createHash } from 'node:crypto';
import * as oidc from 'openid-client';
import { OAuthError } from '../../errors/oauth-error.ts';
import { type ExternalPerson, personIn } from './external-person.ts';
import type { IdentityProvider } from './identity-providers.ts';
import { conversing, type ProviderConnections } from './provider-connections.ts';

const LEEWAY_SECONDS = 60;

const refuse = (cause: string) => new OAuthError('invalid_grant', { cause });

/** The left half of the access token's hash, by the algorithm that the id_token is signed with (s.3.1.3.6). */
function accessTokenHash(idToken: string, accessToken: string): string {
  const { alg } = JSON.parse(Buffer.from(idToken.split('.')[0] ?? '', 'base64url').toString()) as { alg: string };
  const hash = createHash(alg === 'EdDSA' || alg === 'Ed25519' ? 'sha512' : `sha${alg.slice(2)}`)
    .update(accessToken)
    .digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}

/** What was asked for at the provider, by this service or by a client on its own. */
export interface AskedForCode {
  readonly redirectUri: string;
  /** Of an id_token that was asked for; null: none may come. */
  readonly nonce: string | null;
  /** RFC 7636; null: the client asked without. */
  readonly pkceVerifier: string | null;
  /** No id_token is older. */
  readonly createdAt: Date;
}

/** What came back to the browser. */
interface ReturnedCode {
  readonly code: string;
  /** Null: whoever asked keeps it, and has compared it. */
  readonly state: string | null;
  readonly iss: string | null;
}

/** A person, and the provider's own tokens. */
export interface ExchangedCode {
  readonly person: ExternalPerson;
  readonly accessToken: string;
  readonly idToken: string;
}

/** Asking a provider what a code stands for. */
export function createCodeExchange(deps: { providerConnections: ProviderConnections }) {
  const { providerConnections } = deps;

  return {
    /** @throws INVALID_GRANT for whatever is wrong with the answer, SERVICE_UNAVAILABLE when the provider is away */
    exchange(provider: IdentityProvider, asked: AskedForCode, returned: ReturnedCode): Promise<ExchangedCode> {
      const { nonce, pkceVerifier } = asked;
      return conversing(async () => {
        const config = await providerConnections.connect(providerConnections.opened(provider));
        const url = new URL(asked.redirectUri);
        for (const [name, value] of Object.entries(returned)) if (value !== null) url.searchParams.set(name, value);
        const tokens = await oidc.authorizationCodeGrant(config, url, {
          ...(nonce !== null && { expectedNonce: nonce }),
          ...(returned.state !== null && { expectedState: returned.state }),
          ...(pkceVerifier !== null && { pkceCodeVerifier: pkceVerifier }),
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (!claims || !tokens.id_token) throw refuse('no id_token');
        if (claims.sub === '') throw refuse('no sub');
        if (claims.azp !== undefined && claims.azp !== provider.clientId) throw refuse('another azp');
        if (claims.iat < asked.createdAt.getTime() / 1000 - LEEWAY_SECONDS) throw refuse('older than the sign-in');
        if (claims.at_hash !== undefined && claims.at_hash !== accessTokenHash(tokens.id_token, tokens.access_token))
          throw refuse('another at_hash');
        const { emailClaim, groupClaim } = provider;
        const isWhole = claims[emailClaim] !== undefined && (groupClaim === null || claims[groupClaim] !== undefined);
        const asks = !isWhole && config.serverMetadata().userinfo_endpoint !== undefined;
        const more = asks ? [await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)] : [];
        const person = personIn(provider, claims.sub, [claims, ...more]);
        return { person, accessToken: tokens.access_token, idToken: tokens.id_token };
      });
    },
  };
}

/** See `createCodeExchange`. */
export type CodeExchange = ReturnType<typeof createCodeExchange>;
