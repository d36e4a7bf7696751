// Forged tokens: everything that security.md section 3 A does to one, made with the service's real keys where a
// signature is to be right, so that the refusal can only come from the check under test.

import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Answer, graphql } from './graphql.ts';
import type { Service } from './service.ts';

type Json = Record<string, unknown>;

/** A token that was tampered with. `good`: it has to be accepted all the same. */
export interface Mutation {
  readonly case: number;
  readonly name: string;
  readonly token: string;
  readonly good?: true;
}

/** How a token is put together: members that are undefined are left out, texts are taken as they are. */
export interface Parts {
  readonly header?: Json | string;
  readonly claims?: Json | string;
}

/** Signs like the service. */
export interface Forge {
  readonly kid: string;
  readonly header: Json;
  readonly claims: Json;
  /** The public key, as anybody has it from the JWKS. */
  readonly publicJwk: JsonWebKey & { kid: string };
  /** The token of the service again, with other parts and a good signature. */
  resign(parts?: Parts, hash?: string): Promise<string>;
  /** What is signed: header and claims, encoded. */
  input(parts?: Parts): string;
}

const encode = (part: string | Uint8Array): string => Buffer.from(part).toString('base64url');
const decode = (part: string): Json => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
const textOf = (base: Json, part: Json | string = {}): string =>
  typeof part === 'string' ? part : JSON.stringify({ ...base, ...part });

/** The order of the curve P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The other signature (r, n - s) of the same text and key: valid ECDSA, another text. */
export function mirrored(token: string): string {
  const [header, claims, signature] = token.split('.') as [string, string, string];
  const bytes = Buffer.from(signature, 'base64url');
  const s = ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
  return [header, claims, encode(other)].join('.');
}

/** DER, as most libraries sign, for the fixed-length r and s that a JWS has. */
export function derOf(signature: Buffer): Buffer {
  const integer = (bytes: Buffer) => {
    let value = bytes;
    while (value.length > 1 && value[0] === 0 && value[1]! < 0x80) value = value.subarray(1);
    if (value[0]! >= 0x80) value = Buffer.concat([Buffer.from([0]), value]);
    return Buffer.concat([Buffer.from([2, value.length]), value]);
  };
  const both = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
  return Buffer.concat([Buffer.from([0x30, both.length]), both]);
}

/** @param tenantId whose key signs; absent: the tenant of the token */
export async function forgeOf(service: Service, token: string, tenantId?: string): Promise<Forge> {
  const [header, claims] = token.split('.').slice(0, 2).map(decode) as [Json, Json];
  const { kid, privateKey } = service.app.modules.signingKeys.current(tenantId ?? String(claims.tenant));
  const jwks = (await (await fetch(`${service.url}/.well-known/jwks.json`)).json()) as { keys: Forge['publicJwk'][] };
  const publicJwk = jwks.keys.find((key) => key.kid === kid)!;
  const own = { ...header, kid };
  const input = (parts: Parts = {}) => `${encode(textOf(own, parts.header))}.${encode(textOf(claims, parts.claims))}`;
  return {
    kid,
    header: own,
    claims,
    publicJwk,
    input,
    async resign(parts = {}, hash = 'SHA-256') {
      const signed = input(parts);
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
      return `${signed}.${encode(new Uint8Array(sign(hash.replace('-', ''), Buffer.from(signed), key)))}`;
    },
  };
}

/** The spellings of one signature that decoders take for the same bytes. */
export function respelled(token: string): Mutation[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.at(-1)!);
  const [header, claims, signature] = token.split('.') as [string, string, string];
  const standard = token.replaceAll('-', '+').replaceAll('_', '/');
  const spellings: [string, string][] = [
    ...[1, 2, 7, 15].map((bits): [string, string] => [
      `unused bits of the signature ^ ${bits}`,
      token.slice(0, -1) + alphabet[last ^ bits],
    ]),
    ['padded', `${token}==`],
    ['padded with one', `${token}=`],
    ['padded claims', `${header}.${claims}=.${signature}`],
    ['newline after', `${token}\n`],
    ['newline within', `${header}.${claims}.${signature.slice(0, 40)}\n${signature.slice(40)}`],
    ['blank before', ` ${token}`],
    ['blank after', `${token} `],
    ['tab in the header', `${header.slice(0, 9)}\t${header.slice(9)}.${claims}.${signature}`],
    ['a fourth part', `${token}.`],
    ['no signature', `${header}.${claims}.`],
    ['only two parts', `${header}.${claims}`],
    ['full width dot', token.replace('.', '．')],
    ['JSON serialization', JSON.stringify({ protected: header, payload: claims, signature })],
  ];
  // Without either letter in it the token is the same in both alphabets.
  if (standard !== token) spellings.push(['+/ alphabet', standard]);
  return spellings.map(([name, spelled]) => ({ case: 16, name, token: spelled }));
}

/** Everything that must not be taken for the token, and the few variants that must. Times are relative to `now`. */
export async function mutate(service: Service, token: string, trap: string): Promise<Mutation[]> {
  const forge = await forgeOf(service, token);
  const foreign = await forgeOf(service, token, forge.claims.tenant === 'demo' ? 'rival' : 'demo');
  const { header, claims, kid, publicJwk } = forge;
  const made: Mutation[] = [];
  const add = (number: number, name: string, forged: string, good?: true) =>
    made.push({ case: number, name, token: forged, ...(good ? { good } : {}) });
  const signed = async (number: number, name: string, parts: Parts, good?: true) =>
    add(number, name, await forge.resign(parts), good);
  const signature = token.split('.')[2]!;
  const iat = Math.floor(Date.now() / 1000);

  for (const alg of ['none', 'None', 'nOnE', 'NONE', '', undefined, null, ['ES256'], 0]) {
    const parts = { header: { alg } };
    add(1, `alg ${JSON.stringify(alg)}, empty signature`, `${forge.input(parts)}.`);
    add(1, `alg ${JSON.stringify(alg)}, old signature`, `${forge.input(parts)}.${signature}`);
    if (alg !== undefined) await signed(1, `alg ${JSON.stringify(alg)}, good signature`, parts);
  }

  const key = createPublicKey({ key: publicJwk as never, format: 'jwk' });
  const [x, y] = [publicJwk.x, publicJwk.y].map((part) => Buffer.from(part!, 'base64url')) as [Buffer, Buffer];
  const secrets: [string, string | Buffer][] = [
    ['PEM', key.export({ type: 'spki', format: 'pem' })],
    ['PEM without the last newline', String(key.export({ type: 'spki', format: 'pem' })).trim()],
    ['DER', key.export({ type: 'spki', format: 'der' })],
    ['JWK text', JSON.stringify(publicJwk)],
    ['coordinates', Buffer.concat([x, y])],
    ['point', Buffer.concat([Buffer.from([4]), x, y])],
    ['coordinate as text', publicJwk.x!],
    ['nothing', ''],
    ['kid', kid],
  ];
  for (const [name, secret] of secrets) {
    for (const bits of [256, 384, 512]) {
      const input = forge.input({ header: { alg: `HS${bits}` } });
      add(2, `HS${bits} with ${name}`, `${input}.${encode(createHmac(`sha${bits}`, secret).update(input).digest())}`);
    }
  }

  for (const alg of ['ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'PS256', 'ES256K', 'es256', 'ES256 ', 'A256GCM']) {
    await signed(3, `right key, alg ${alg}`, { header: { alg } });
  }
  add(3, 'ES384 with its own hash', await forge.resign({ header: { alg: 'ES384' } }, 'SHA-384'));
  add(3, 'ES256 with another hash', await forge.resign({}, 'SHA-512'));
  const raw = Buffer.from(signature, 'base64url');
  const zero = Buffer.alloc(32);
  const order = Buffer.from(ORDER.toString(16), 'hex');
  for (const [name, bytes] of [
    ['all zero', Buffer.alloc(64)],
    ['r zero', Buffer.concat([zero, raw.subarray(32)])],
    ['s zero', Buffer.concat([raw.subarray(0, 32), zero])],
    ['r and s the order', Buffer.concat([order, order])],
    ['DER', derOf(raw)],
    ['one byte short', raw.subarray(0, 63)],
    ['one byte long', Buffer.concat([raw, Buffer.from([0])])],
    ['halves swapped', Buffer.concat([raw.subarray(32), raw.subarray(0, 32)])],
    ['random', randomBytes(64)],
  ] as [string, Buffer][]) {
    add(3, `signature ${name}`, `${token.slice(0, -signature.length)}${encode(bytes)}`);
  }
  const byOther = (other: KeyObject, hash: string, parts: Parts) => {
    const input = forge.input(parts);
    return `${input}.${encode(sign(hash, Buffer.from(input), { key: other, dsaEncoding: 'ieee-p1363' }))}`;
  };
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  add(3, 'wrong curve', byOther(p384.privateKey, 'sha256', {}));
  add(3, 'wrong curve and its alg', byOther(p384.privateKey, 'sha384', { header: { alg: 'ES384' } }));
  add(3, "an attacker's key", byOther(p256.privateKey, 'sha256', {}));
  add(3, 'other claims, old signature', `${forge.input({ claims: { sub: 'somebody-else' } })}.${signature}`);
  add(3, "another tenant's key", await foreign.resign());
  add(3, "another tenant's key, this tenant's kid", await foreign.resign({ header: { kid } }));
  await signed(3, "this tenant's key, another tenant's claim", {
    claims: { tenant: foreign.claims.tenant === 'demo' ? 'rival' : 'demo' },
  });
  await signed(3, 'no tenant of ours', { claims: { tenant: 'nobody' } });

  for (const [name, value] of [
    ['a path', '../../../../../../dev/null'],
    ['a file URL', 'file:///etc/passwd'],
    ['SQL', `${kid}' OR '1'='1`],
    ['NUL', `${kid}\0`],
    ['a blank', `${kid} `],
    ['an upper-case', kid.toUpperCase()],
    ['a URL', `${trap}/kid`],
    ['10 KB', 'k'.repeat(10_240)],
    ['5 KB', '\u001b[31m\n'.repeat(640)],
    ['an object', { kid }],
    ['a list', [kid]],
    ['a number', 0],
    ['null', null],
    ['unknown', 'unknown-key'],
    ['absent', undefined],
    ['empty', ''],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
  ] as [string, unknown][]) {
    await signed(4, `kid ${name}`, { header: { kid: value } });
  }

  const attackers = p256.publicKey.export({ format: 'jwk' });
  const certificate = p256.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  for (const [name, extra] of [
    ['jwk', { jwk: attackers }],
    ['jwk with our kid', { jwk: { ...attackers, kid, alg: 'ES256', use: 'sig' } }],
    ['jwk without kid', { jwk: attackers, kid: undefined }],
    ['jku', { jku: `${trap}/jwks.json` }],
    ['jku without kid', { jku: `${trap}/jwks.json`, kid: undefined }],
    ['x5u', { x5u: `${trap}/certificate.pem` }],
    ['x5c', { x5c: [certificate] }],
    ['x5c without kid', { x5c: [certificate], kid: undefined }],
    ['all of them', { jwk: attackers, jku: `${trap}/jwks.json`, x5u: `${trap}/c.pem`, x5c: [certificate] }],
  ] as [string, Json][]) {
    add(5, name, byOther(p256.privateKey, 'sha256', { header: extra }));
  }

  await signed(6, 'crit foo', { header: { crit: ['foo'], foo: true } });
  await signed(6, 'crit without the parameter', { header: { crit: ['foo'] } });
  await signed(6, 'crit empty', { header: { crit: [] } });
  await signed(6, 'crit exp', { header: { crit: ['exp'], exp: iat + 60 } });
  await signed(6, 'crit b64 false', { header: { crit: ['b64'], b64: false } });
  const unencoded = `${encode(JSON.stringify({ ...header, crit: ['b64'], b64: false }))}.${JSON.stringify(claims)}`;
  add(6, 'b64 false, claims in the clear', `${unencoded}.${signature}`);

  const { iss, aud, kind } = claims as { iss: string; aud: string; kind: string };
  for (const [name, value] of [
    ['absent', undefined],
    ['other', 'https://attacker.test'],
    ['trailing slash', `${iss}/`],
    ['a list', [iss]],
    ['http', iss.replace('https:', 'http:')],
    ['upper case', iss.toUpperCase()],
    ['empty', ''],
    ['null', null],
    ['with a path', `${iss}/tenant`],
  ] as [string, unknown][]) {
    await signed(7, `iss ${name}`, { claims: { iss: value } });
  }

  for (const [name, value] of [
    ['absent', undefined],
    ['other', 'https://attacker.test'],
    ['a list of another', ['https://attacker.test']],
    ['a list of ours and another', [aud, 'https://attacker.test']],
    ['empty', ''],
    ['an empty list', []],
    ['null', null],
    ['a prefix', aud.slice(0, -1)],
  ] as [string, unknown][]) {
    await signed(8, `aud ${name}`, { claims: { aud: value } });
  }

  const typ = String(header.typ);
  for (const [name, value] of [
    ['absent', undefined],
    ['JWT', 'JWT'],
    ['another of ours', typ === 'saas+jwt' ? 'at+jwt' : 'saas+jwt'],
    ['the one of refresh or access', typ === 'at+jwt' ? 'anonymous-refresh+jwt' : 'at+jwt'],
    ['empty', ''],
    ['a list', [typ]],
    ['another tree', `text/${typ}`],
    ['twice the prefix', `application/application/${typ}`],
    ['a parameter', `${typ};x=1`],
  ] as [string, unknown][]) {
    await signed(9, `typ ${name}`, { header: { typ: value } });
  }
  await signed(9, 'typ in upper case', { header: { typ: typ.toUpperCase() } }, true);
  await signed(9, 'typ as media type', { header: { typ: `application/${typ}` } }, true);
  await signed(9, 'typ as media type in upper case', { header: { typ: `APPLICATION/${typ.toUpperCase()}` } }, true);

  for (const [name, value] of [
    ['absent', undefined],
    ['a text', String(claims.exp)],
    ['null', null],
    ['a list', [claims.exp]],
    ['past', iat - 3600],
    ['equal to now, leeway past', iat - 5],
    ['negative', -1],
    ['zero', 0],
    ['now + 10 y', iat + 315_576_000],
    ['true', true],
  ] as [string, unknown][]) {
    await signed(10, `exp ${name}`, { claims: { exp: value } });
  }
  const withNumber = (name: string, number: string) =>
    JSON.stringify({ ...claims, [name]: '#' }).replace('"#"', number);
  for (const number of ['1e400', '-1e400', '1e20', '9007199254740993']) {
    await signed(10, `exp ${number}`, { claims: withNumber('exp', number) });
  }
  const year = 31_557_600;
  await signed(10, 'issued now for a year', { claims: { iat, exp: iat + year } });

  await signed(11, 'nbf in 60 s', { claims: { nbf: iat + 60 } });
  await signed(11, 'nbf a text', { claims: { nbf: String(iat) } });
  await signed(11, 'nbf in 4 s', { claims: { nbf: iat + 4 } }, true);
  await signed(11, 'iat in 10 min', { claims: { iat: iat + 600, exp: iat + 1200 } });
  await signed(11, 'iat in 4 s', { claims: { iat: iat + 4 } }, true);
  await signed(11, 'iat absent', { claims: { iat: undefined } });
  await signed(11, 'iat a text', { claims: { iat: String(iat) } });
  await signed(11, 'iat two days ago', { claims: { iat: iat - 172_800, exp: iat + 60 } });
  await signed(11, 'expired 4 s ago', { claims: { iat: iat - 60, exp: iat - 4 } }, true);
  await signed(11, 'expired 31 s ago', { claims: { iat: iat - 60, exp: iat - 31 } });

  // What claims.ts promises beside the registered claims (RFC 8725 s.3.2): missing or of another type is not harmless.
  for (const name of [
    'sub',
    'client_id',
    'tenant',
    'kind',
    'scope',
    'jti',
    'rev',
    ...('session_id' in claims ? ['session_id'] : []),
  ]) {
    await signed(10, `${name} absent`, { claims: { [name]: undefined } });
    await signed(10, `${name} null`, { claims: { [name]: null } });
    await signed(10, `${name} a list`, { claims: { [name]: [claims[name]] } });
  }
  await signed(10, 'rev a text', { claims: { rev: String(claims.rev) } });
  await signed(10, 'rev infinite', { claims: withNumber('rev', '1e400') });
  await signed(10, 'rev negative', { claims: { rev: -1 } });
  await signed(10, 'kind unknown', { claims: { kind: 'root' } });
  await signed(10, 'kind of another', { claims: { kind: kind === 'saas' ? 'customer' : 'saas' } });
  await signed(10, 'claims no object', { claims: '[]' });
  await signed(10, 'claims no JSON', { claims: '{"iss":' });
  await signed(3, 'header no JSON', { header: '{"alg":' });
  await signed(3, 'header no object', { header: '["ES256"]' });

  return [...made, ...respelled(token)];
}

const everything =
  'active kind tenant scopes subject clientId sessionId legalEntityId issuedAt expiresAt issuer audience actor';

/** What introspection says of a token that is not good: `active: false` and nothing else. */
export const INACTIVE = {
  active: false,
  ...Object.fromEntries(
    everything
      .split(' ')
      .slice(1)
      .map((name) => [name, null]),
  ),
};

/** Introspection by a caller who may. */
export const introspect = (service: Service, bearer: string, token: string) =>
  graphql(service, `query ($token: String!) { introspectToken(token: $token) { ${everything} } }`, {
    bearer,
    variables: { token },
  });

/** The one text of every refusal. */
export const UNAUTHENTICATED = { message: 'A valid access token is needed.', extensions: { code: 'UNAUTHENTICATED' } };

const isSendable = (token: string) => /^[\x21-\x7e]+$/.test(token);

/**
 * Shows a token at every door there is. @returns what each door made of it, when it is not the plain refusal
 * @param backend a bearer that may introspect
 */
export async function acceptedAt(service: Service, backend: string, token: string): Promise<Record<string, unknown>> {
  const input = (name: string) => ({ variables: { input: { [name]: token } } });
  const [principal, field, introspected, asGuest, guestRefresh, customerRefresh, employeeRefresh] = await Promise.all([
    isSendable(token) ? graphql(service, '{ currentPrincipal { id kind } }', { bearer: token }) : null,
    isSendable(token) ? graphql(service, '{ tenant { id } }', { bearer: token }) : null,
    introspect(service, backend, token),
    graphql(
      service,
      'mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { sessionId } }',
      {
        variables: { input: { email: 'nobody@demo.example', password: 'wrong-password', anonymousToken: token } },
      },
    ),
    graphql(
      service,
      'mutation ($input: RefreshAnonymousTokenInput!) { refreshAnonymousToken(input: $input) { sessionId } }',
      input('refreshToken'),
    ),
    graphql(
      service,
      'mutation ($input: RefreshCustomerTokenInput!) { refreshCustomerToken(input: $input) { sessionId } }',
      input('refreshToken'),
    ),
    graphql(
      service,
      'mutation ($input: RefreshEmployeeTokenInput!) { refreshEmployeeToken(input: $input) { sessionId } }',
      input('refreshToken'),
    ),
  ]);
  const accepted: Record<string, unknown> = {};
  const note = (door: string, isRefused: boolean, answer: Answer | null) => {
    if (!isRefused) accepted[door] = answer?.body;
  };
  const isUnauthenticated = (answer: Answer) =>
    isDeepStrictEqual(
      answer.errors.map(({ message, extensions: { code } }) => ({ message, extensions: { code } })),
      [UNAUTHENTICATED],
    );
  // Above 8 KB nothing is looked at: the request as a whole is refused.
  const isNobody = (answer: Answer) =>
    token.length > 8192
      ? answer.status === 401 && isUnauthenticated(answer)
      : isDeepStrictEqual([answer.data, answer.errors], [{ currentPrincipal: null }, []]);
  note('bearer, public field', principal === null || isNobody(principal), principal);
  note('bearer, protected field', field === null || isUnauthenticated(field), field);
  note('introspectToken', isDeepStrictEqual(introspected.data?.introspectToken, INACTIVE), introspected);
  note('anonymousToken', isUnauthenticated(asGuest), asGuest);
  note('refreshAnonymousToken', guestRefresh.code === 'INVALID_GRANT', guestRefresh);
  note('refreshCustomerToken', customerRefresh.code === 'INVALID_GRANT', customerRefresh);
  note('refreshEmployeeToken', employeeRefresh.code === 'INVALID_GRANT', employeeRefresh);
  return accepted;
}
