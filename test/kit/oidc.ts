// A real OpenID provider for tests: oidc-provider on a free loopback port, with accounts, consent, PKCE that it insists
// on, RFC 9207 `iss`, introspection, and keys that can be changed while somebody signs in. And a browser that walks
// through its pages by hand.

import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Server as NetServer } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { type Adapter, type AdapterPayload, Provider } from 'oidc-provider';

/** What a provider says of a person; further claims as they come. */
export interface Account {
  readonly email?: string;
  readonly email_verified?: unknown;
  readonly given_name?: string;
  readonly family_name?: string;
  readonly groups?: readonly string[];
  readonly [claim: string]: unknown;
}

/** What a browser comes back with. */
export interface Returned {
  readonly code: string;
  readonly state: string;
  readonly iss: string | null;
}

/** A provider that is up. */
export interface OpenIdProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  /** What access tokens can be for: those for the one are JWTs, those for the other opaque. */
  readonly audiences: { readonly JWT: string; readonly OPAQUE: string };
  /** By the name that they sign in with, which is their `sub`. What is changed here is told from the next sign-in on. */
  readonly accounts: Map<string, Account>;
  /** The path of every request, in their order. */
  readonly requests: string[];
  /** Signs with a new key from now on, and publishes no other. */
  rotateKeys(): Promise<void>;
  /** Stops answering. */
  goAway(): Promise<void>;
  /** Answers again, on the same port. */
  comeBack(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

interface ProviderOptions {
  /** Where claims of the person are told: in userinfo, as is the rule of the code flow, or in the id_token too. */
  readonly claimsIn?: 'userinfo' | 'id_token';
  readonly redirectUris?: readonly string[];
}

const audiences = { JWT: 'https://api.provider.example/jwt', OPAQUE: 'https://api.provider.example/opaque' };
let providers = 0;

async function newKeys(): Promise<{ keys: JWK[] }> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { keys: [{ ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256' }] };
}

/** What a provider remembers, so that codes outlive a change of its keys. */
function newMemory() {
  const rows = new Map<string, AdapterPayload>();
  const keyOf = (model: string, id: string) => `${model}:${id}`;
  return (model: string): Adapter => {
    const by = (field: 'uid' | 'userCode', value: string) =>
      [...rows].find(([key, row]) => key.startsWith(`${model}:`) && row[field] === value)?.[1];
    return {
      upsert: async (id, payload) => void rows.set(keyOf(model, id), payload),
      find: async (id) => rows.get(keyOf(model, id)),
      findByUid: async (uid) => by('uid', uid),
      findByUserCode: async (userCode) => by('userCode', userCode),
      async consume(id) {
        const row = rows.get(keyOf(model, id));
        if (row) row.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void rows.delete(keyOf(model, id)),
      async revokeByGrantId(grantId) {
        for (const [key, row] of rows) if (row.grantId === grantId) rows.delete(key);
      },
    };
  };
}

/** It warns of every choice that is for development; these are for tests. */
function quietly<T>(work: () => T): T {
  const { info, warn } = console;
  console.info = console.warn = () => {};
  try {
    return work();
  } finally {
    Object.assign(console, { info, warn });
  }
}

/** Starts a server on a free port of the loopback address, or on this one. */
export async function listen(server: NetServer, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return address.port;
}

/** Closes it, with the connections that are open. */
export async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Starts a provider. */
export async function startProvider(options: ProviderOptions = {}): Promise<OpenIdProvider> {
  const { claimsIn = 'userinfo', redirectUris = ['https://shop.example/callback'] } = options;
  providers += 1;
  const memory = newMemory();
  const clientId = `scopeward-${process.pid}-${providers}`;
  const clientSecret = `provider-secret-of-${clientId}`;
  const accounts = new Map<string, Account>();
  const requests: string[] = [];
  let handle: (request: IncomingMessage, response: ServerResponse) => unknown = () => {};
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    // The next test may find it away, and come back.
    response.shouldKeepAlive = false;
    requests.push(new URL(request.url ?? '/', 'http://provider').pathname);
    handle(request, response);
  };
  let server = createServer(onRequest);
  const port = await listen(server);
  const issuer = `http://127.0.0.1:${port}`;

  async function sayWith(jwks: { keys: JWK[] }): Promise<void> {
    const provider = quietly(
      () =>
        new Provider(issuer, {
          adapter: memory,
          jwks: jwks as never,
          clients: [
            {
              client_id: clientId,
              client_secret: clientSecret,
              redirect_uris: [...redirectUris],
              grant_types: ['authorization_code'],
              response_types: ['code'],
            },
          ],
          cookies: { keys: ['a key of the tests'] },
          claims: {
            openid: ['sub'],
            email: ['email', 'email_verified', 'mail'],
            profile: ['given_name', 'family_name', 'groups', 'roles'],
          },
          conformIdTokenClaims: claimsIn === 'userinfo',
          pkce: { required: () => true },
          features: {
            devInteractions: { enabled: true },
            introspection: { enabled: true, allowedPolicy: () => true },
            resourceIndicators: {
              enabled: true,
              getResourceServerInfo: (_ctx, resource) => ({
                scope: 'api',
                audience: resource,
                accessTokenFormat: resource === audiences.JWT ? 'jwt' : 'opaque',
                ...(resource === audiences.JWT ? { jwt: { sign: { alg: 'RS256' } } } : {}),
              }),
            },
          },
          // They cannot be shown to userinfo, since they are for another audience.
          extraTokenClaims(_ctx, token) {
            return 'accountId' in token && token.aud ? { ...accounts.get(token.accountId) } : undefined;
          },
          ttl: {
            AccessToken: 3600,
            AuthorizationCode: 600,
            Grant: 3600,
            IdToken: 3600,
            Interaction: 3600,
            Session: 3600,
          },
          findAccount: (_ctx, sub) =>
            accounts.has(sub) ? { accountId: sub, claims: () => ({ ...accounts.get(sub), sub }) } : undefined,
          renderError(ctx, out) {
            ctx.type = 'text';
            ctx.body = JSON.stringify(out);
          },
        }),
    );
    handle = provider.callback();
  }
  await sayWith(await newKeys());

  return {
    issuer,
    clientId,
    clientSecret,
    redirectUris,
    audiences,
    accounts,
    requests,
    rotateKeys: async () => sayWith(await newKeys()),
    goAway: () => close(server),
    async comeBack() {
      server = createServer(onRequest);
      await listen(server, port);
    },
    stop: () => close(server),
  };
}

/** A browser with cookies of its own. */
export function newBrowser() {
  const cookies = new Map<string, string>();

  async function go(url: string, form?: Record<string, string>): Promise<Response> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  }

  return {
    /** Signs in as `login` and consents, until the provider sends the browser to an address that is not its own. */
    async signIn(authorizationUrl: string, login: string): Promise<URL> {
      const { origin } = new URL(authorizationUrl);
      let at = authorizationUrl;
      let response = await go(at);
      for (let step = 0; step < 20; step += 1) {
        const location = response.headers.get('location');
        if (location) {
          const target = new URL(location, at);
          if (target.origin !== origin) return target;
          at = target.href;
          response = await go(at);
          continue;
        }
        const page = await response.text();
        const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
        const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
        if (response.status !== 200 || !action || !prompt)
          throw new Error(`The provider answers ${response.status}: ${page}`);
        at = new URL(action, at).href;
        response = await go(at, prompt === 'login' ? { prompt, login, password: 'any' } : { prompt });
      }
      throw new Error('The provider’s pages have no end.');
    },
  };
}

/** What an address that the browser was sent back to says. @throws Error when it is an error */
export function returnedIn(url: URL): Returned {
  const { code, state, iss = null } = Object.fromEntries(url.searchParams) as Record<string, string>;
  if (!code || !state) throw new Error(`No code: ${url.href}`);
  return { code, state, iss };
}

/** From the authorization URL to the code, as a person with a new browser. */
export const passThrough = async (authorizationUrl: string, login: string): Promise<Returned> =>
  returnedIn(await newBrowser().signIn(authorizationUrl, login));

/** A code for the person, as an application gets it that asks the provider on its own. */
export async function codeOf(
  provider: OpenIdProvider,
  login: string,
  asked: { verifier?: string; nonce?: string; redirectUri?: string; resource?: string },
): Promise<string> {
  const { verifier, nonce, redirectUri = provider.redirectUris[0] ?? '', resource } = asked;
  const challenge = createHash('sha256')
    .update(verifier ?? '')
    .digest('base64url');
  const url = new URL(`${provider.issuer}/auth`);
  url.search = new URLSearchParams({
    client_id: provider.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: resource ? 'openid email profile api' : 'openid email profile',
    state: 'state-of-the-application',
    ...(nonce && { nonce }),
    ...(verifier && { code_challenge: challenge, code_challenge_method: 'S256' }),
    ...(resource && { resource }),
  }).toString();
  return (await passThrough(url.href, login)).code;
}

/** Tokens of the provider for the person, as an application of the provider's own gets them. */
export async function tokensOf(
  provider: OpenIdProvider,
  login: string,
  resource?: string,
): Promise<{ access_token: string; id_token: string }> {
  const verifier = 'a-verifier-of-an-application-that-the-tests-stand-in-for';
  const asked = { verifier, nonce: randomUUID(), ...(resource && { resource }) };
  const code = await codeOf(provider, login, asked);
  const response = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${provider.clientId}:${provider.clientSecret}`).toString('base64')}`,
    },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: provider.redirectUris[0] ?? '',
      code_verifier: verifier,
      ...(resource ? { resource } : {}),
    }),
  });
  const body = (await response.json()) as { access_token: string; id_token: string };
  if (!response.ok) throw new Error(`The provider answers ${response.status}: ${JSON.stringify(body)}`);
  return body;
}
