// A provider that does what a test says, and otherwise what it should: for what no honest provider would ever send. It
// counts what it is asked.

import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { close, listen, type Returned } from './oidc.ts';

type Claims = Record<string, unknown>;
type Endpoint = 'discovery' | 'jwks' | 'token' | 'userinfo' | 'introspection' | 'elsewhere';

/** A provider in the hands of a test. */
export interface MisbehavingProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** How often each endpoint has been asked. */
  readonly asked: Record<Endpoint, number>;
  /** The forms that came to the token endpoint. */
  readonly tokenRequests: URLSearchParams[];
  /** The key that it signs with: ES256. */
  readonly key: CryptoKey;
  /** Its public half, as it is published. */
  readonly publicJwk: JWK;
  /** Alters what is said of itself; `undefined` takes something away. */
  metadata: Claims;
  /** What it publishes. */
  keys: JWK[];
  /** What userinfo says besides the `sub` that the access token is of, or in its place. */
  userinfo: Claims;
  /** What introspection says. */
  introspection: Claims;
  /** Answers in place of an endpoint. */
  readonly instead: Map<Endpoint, (request: IncomingMessage, response: ServerResponse) => unknown>;
  /** Signs claims, as they are. */
  sign(claims: Claims, header?: Partial<JWTHeaderParameters>, key?: CryptoKey | Uint8Array): Promise<string>;
  /** The claims of a good token of `person`, for the client. */
  claims(person: Claims): Claims;
  /** Has the person sign in: the next token request of this code is answered with `idToken`, or with a good one. */
  signIn(
    authorizationUrl: string,
    person: Claims,
    idToken?: (good: Claims, accessToken: string) => Promise<string> | string | undefined,
  ): Returned;
  stop(): Promise<void>;
}

/** The left half of a hash, as `at_hash` has it. */
export const halfHash = (text: string): string =>
  createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');

const now = () => Math.floor(Date.now() / 1000);

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}

function send(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Starts one. */
export async function startMisbehaving(): Promise<MisbehavingProvider> {
  const clientId = 'scopeward-at-the-misbehaving';
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid: 'the-key', alg: 'ES256', use: 'sig' };
  const asked = { discovery: 0, jwks: 0, token: 0, userinfo: 0, introspection: 0, elsewhere: 0 };
  const answers = new Map<string, () => Promise<Claims | null>>();
  const subjects = new Map<string, unknown>();

  const server = createServer(async (request, response) => {
    response.shouldKeepAlive = false;
    const { pathname } = new URL(request.url ?? '/', 'http://provider');
    const paths: Record<string, Endpoint> = {
      '/.well-known/openid-configuration': 'discovery',
      '/jwks': 'jwks',
      '/token': 'token',
      '/userinfo': 'userinfo',
      '/introspection': 'introspection',
    };
    const endpoint = paths[pathname] ?? 'elsewhere';
    asked[endpoint] += 1;
    const instead = provider.instead.get(endpoint);
    if (instead) return instead(request, response);
    if (endpoint === 'discovery') return send(response, metadataNow());
    if (endpoint === 'jwks') return send(response, { keys: provider.keys });
    if (endpoint === 'introspection') return send(response, provider.introspection);
    if (endpoint === 'userinfo') {
      const sub = subjects.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
      return send(response, { sub, ...provider.userinfo });
    }
    if (endpoint !== 'token') return send(response, { error: 'not_found' }, 404);
    const form = await formOf(request);
    provider.tokenRequests.push(form);
    const answer = answers.get(form.get('code') ?? '');
    answers.delete(form.get('code') ?? '');
    const tokens = await answer?.();
    return tokens ? send(response, tokens) : send(response, { error: 'invalid_grant' }, 400);
  });
  const port = await listen(server);
  const issuer = `http://127.0.0.1:${port}`;

  const metadataNow = (): Claims => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    introspection_endpoint: `${issuer}/introspection`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
    ...provider.metadata,
  });

  const provider: MisbehavingProvider = {
    issuer,
    clientId,
    clientSecret: 'the secret that the misbehaving provider knows',
    asked,
    tokenRequests: [],
    key: privateKey,
    publicJwk,
    metadata: {},
    keys: [publicJwk],
    userinfo: {},
    introspection: { active: false },
    instead: new Map(),
    sign: (claims, header = {}, key = privateKey) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'the-key', ...header }).sign(key),
    claims: (person) => ({
      iss: issuer,
      aud: clientId,
      iat: now(),
      exp: now() + 300,
      jti: randomUUID(),
      ...person,
    }),
    signIn(authorizationUrl, person, idToken = (good) => provider.sign(good)) {
      const { state, nonce } = Object.fromEntries(new URL(authorizationUrl).searchParams) as Record<string, string>;
      const code = `code-${randomUUID()}`;
      answers.set(code, async () => {
        const accessToken = `access-${randomUUID()}`;
        subjects.set(accessToken, person.sub);
        const token = await idToken({ ...provider.claims(person), nonce }, accessToken);
        return {
          access_token: accessToken,
          token_type: 'Bearer',
          expires_in: 300,
          ...(token === undefined ? {} : { id_token: token }),
        };
      });
      return { code, state: state ?? '', iss: issuer };
    },
    stop: () => close(server),
  };
  return provider;
}
