// Identity providers as openid-client knows them: discovered once, read again every ten minutes, and kept for as long as
// the provider is away. Invariant: signatures of id_tokens are always checked, wherever the token came from.

import * as oidc from 'openid-client';
import { badInput, DomainError, serviceUnavailable } from '../../errors/domain-error.ts';
import { OAuthError } from '../../errors/oauth-error.ts';
import { deriveKey, seal, unseal } from '../keys/key-sealing.ts';
import type { IdentityProvider } from './identity-providers.ts';
import type { Outgoing } from './outgoing.ts';

/** How long metadata is taken for fresh; milliseconds. */
const FRESH_MS = 10 * 60 * 1000;

interface Connection {
  readonly config: oidc.Configuration;
  readonly discoveredAt: number;
}

/** What a connection is made from. */
export type Connectable = Pick<IdentityProvider, 'tenantId' | 'id' | 'issuer' | 'clientId' | 'version'> & {
  readonly clientSecret: string | null;
};

/** Does it say that something is away, rather than that something is wrong? */
export function outageIn(error: unknown): DomainError | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof DomainError && cause.code === 'SERVICE_UNAVAILABLE') return cause;
  return null;
}

/** Runs a conversation with a provider. @throws SERVICE_UNAVAILABLE where it is away, INVALID_GRANT for all else */
export async function conversing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DomainError || error instanceof OAuthError) throw error;
    throw outageIn(error) ?? new OAuthError('invalid_grant', { cause: error });
  }
}

/** Connections to the providers of all tenants. */
export function createProviderConnections(deps: {
  outgoing: Outgoing;
  allowPrivate: boolean;
  keyEncryptionSecret: string;
}) {
  const { outgoing, allowPrivate } = deps;
  const key = deriveKey(deps.keyEncryptionSecret, 'identity-provider-secret');
  const place = ({ tenantId, id }: Pick<IdentityProvider, 'tenantId' | 'id'>) => `${tenantId}/${id}`;
  const connections = new Map<string, Connection>();

  async function discover({ issuer, clientId, clientSecret }: Connectable): Promise<oidc.Configuration> {
    const authentication = clientSecret === null ? oidc.None() : oidc.ClientSecretBasic(clientSecret);
    const config = await oidc.discovery(new URL(issuer), clientId, undefined, authentication, {
      [oidc.customFetch]: (url, init) => outgoing(url, init),
      execute: allowPrivate ? [oidc.allowInsecureRequests] : [],
    });
    // openid-client compares them as URLs, where a slash more is the same.
    if (config.serverMetadata().issuer !== issuer) throw new Error('the metadata name another issuer');
    oidc.enableNonRepudiationChecks(config);
    return config;
  }

  return {
    /** What is stored of a client secret: it has to be sent to the provider, so a digest would not do. */
    sealSecret: (of: Pick<IdentityProvider, 'tenantId' | 'id'>, secret: string) => seal(key, secret, place(of)),

    /** The provider with its secret in the clear, for `connect`. */
    opened: (provider: IdentityProvider): Connectable => ({
      ...provider,
      clientSecret: provider.sealedSecret === null ? null : unseal(key, provider.sealedSecret, place(provider)),
    }),

    /** Looks whether a provider is what it is said to be. @throws BAD_USER_INPUT at `input.issuer`, SERVICE_UNAVAILABLE
     * `IDENTITY_PROVIDER_UNREACHABLE` */
    async probe(provider: Connectable): Promise<void> {
      try {
        await discover(provider);
      } catch (error) {
        if (!outageIn(error)) throw badInput('input.issuer', 'This is not an OpenID provider of that issuer.');
        throw new DomainError('SERVICE_UNAVAILABLE', 'The provider cannot be reached.', {
          reason: 'IDENTITY_PROVIDER_UNREACHABLE',
          cause: error,
        });
      }
    },

    /** The provider's configuration. @throws SERVICE_UNAVAILABLE when it is away and was not known before */
    async connect(provider: Connectable): Promise<oidc.Configuration> {
      const name = `${place(provider)} ${provider.version}`;
      const known = connections.get(name);
      if (known && performance.now() - known.discoveredAt < FRESH_MS) return known.config;
      try {
        const config = await discover(provider);
        // Of an earlier version nobody asks again.
        for (const other of connections.keys()) if (other.startsWith(`${place(provider)} `)) connections.delete(other);
        connections.set(name, { config, discoveredAt: performance.now() });
        return config;
      } catch (error) {
        if (known) return known.config;
        throw outageIn(error) ?? serviceUnavailable(error);
      }
    },
  };
}

/** See `createProviderConnections`. */
export type ProviderConnections = ReturnType<typeof createProviderConnections>;
