// oidc-provider: the certified OAuth server for Node, lean. Features that these questions don't use are off, the
// client is static (no look-up), access tokens are ES256 JWTs where a resource is named and opaque otherwise.
// With a database: on PostgreSQL; without: its own in-memory store.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { listening, script } from '../kit/script.mjs';
import { createPostgresAdapter } from './postgres-adapter.mjs';

const RESOURCE = 'https://api.bench.example';
const SCOPE = 'price.price_manage price.price_read product.product_read';
const off = { enabled: false };

script(async ({ databaseUrl, refreshTokens = 0 }) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'bench' };
  const provider = new Provider('http://127.0.0.1', {
    ...(databaseUrl ? { adapter: await createPostgresAdapter(databaseUrl) } : {}),
    jwks: { keys: [key] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    clients: [
      {
        client_id: 'bench',
        client_secret: 'bench-secret',
        grant_types: ['client_credentials', 'refresh_token', 'authorization_code'],
        redirect_uris: ['https://app.bench.example/callback'],
        token_endpoint_auth_method: 'client_secret_post',
        scope: `offline_access ${SCOPE}`,
      },
    ],
    scopes: ['offline_access', ...SCOPE.split(' ')],
    findAccount: async (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    rotateRefreshToken: true,
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: SCOPE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3_600,
          jwt: { sign: { alg: 'ES256', kid: 'bench' } },
        }),
        useGrantedResource: () => true,
      },
      devInteractions: off,
      dPoP: off,
      pushedAuthorizationRequests: off,
      rpInitiatedLogout: off,
      userinfo: off,
    },
    cookies: { keys: ['bench'] },
    ttl: { ClientCredentials: 3_600, RefreshToken: 86_400, Grant: 86_400, AccessToken: 3_600 },
  });

  /** A customer who has signed in: what an interaction would have left behind. */
  async function makeRefreshToken(/** @type {number} */ index) {
    const accountId = `customer-${index}`;
    const grant = new provider.Grant({ accountId, clientId: 'bench' });
    grant.addOIDCScope('offline_access');
    grant.addResourceScope(RESOURCE, SCOPE);
    const grantId = await grant.save();
    const client = await provider.Client.find('bench');
    return new provider.RefreshToken({
      accountId,
      client,
      grantId,
      gty: 'authorization_code',
      scope: `offline_access ${SCOPE}`,
      resource: RESOURCE,
      rotations: 0,
      iiat: Math.floor(Date.now() / 1_000),
    }).save();
  }

  const tokens = [];
  for (let made = 0; made < refreshTokens; made += 32) {
    tokens.push(...(await Promise.all(Array.from({ length: 32 }, (_none, index) => makeRefreshToken(made + index)))));
  }
  const server = createServer(provider.callback());
  return { ready: { ...(await listening(server)), refreshTokens: tokens, resource: RESOURCE, scope: SCOPE } };
});
