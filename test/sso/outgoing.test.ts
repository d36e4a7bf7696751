// What is read of providers, how much, and for how long. security.md case 70: what is wrong is BAD_USER_INPUT when it is
// saved or SERVICE_UNAVAILABLE when somebody signs in. Addresses that must not be reached: private-addresses.test.ts.

import type { ServerResponse } from 'node:http';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOutgoing } from '../../src/modules/sso/outgoing.ts';
import { givenTenant } from '../kit/given.ts';
import { administratorOf } from '../kit/groups.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import {
  CALLBACK,
  callbackOf,
  connect,
  startSso,
  tryCreateProvider,
  tryExchange,
  tryIssueSsoToken,
  tryStartSso,
} from '../kit/oidc-stories.ts';
import { type Service, theService } from '../kit/service.ts';

const MOST = 256 * 1024;
const person = { sub: 'the person', email: 'person@test.example', email_verified: true };

describe('case 70: what a provider says of itself, and how', () => {
  let at: Service;
  let idp: MisbehavingProvider;
  let other: MisbehavingProvider;
  let tenant: Awaited<ReturnType<typeof givenTenant>>;
  let admin: string;
  beforeAll(async () => {
    at = await theService();
    tenant = await givenTenant(at);
    admin = await administratorOf(at, tenant);
  });
  beforeEach(async () => {
    [idp, other] = [await startMisbehaving(), await startMisbehaving()];
  });
  afterEach(() => Promise.all([idp.stop(), other.stop()]));

  const save = (issuer = idp.issuer) =>
    tryCreateProvider(at, admin, {
      name: `provider-${Math.random()}`,
      issuer,
      clientId: idp.clientId,
      clientSecret: idp.clientSecret,
      userTypes: ['CUSTOMER'],
      redirectUris: [CALLBACK],
    });
  const connected = (settings: object = {}) => connect(at, tenant, idp, { autoProvision: true, ...settings });
  const begin = (provider: string) => startSso(at, { tenant: tenant.id, provider });
  /** Comes back from the provider. */
  async function come(provider: string, claims: object = person) {
    const begun = await begin(provider);
    return tryIssueSsoToken(at, callbackOf(begun, idp.signIn(begun.authorizationUrl, { ...claims })));
  }
  const wrongIssuer = { code: 'BAD_USER_INPUT', field: 'input.issuer' };

  it.each<[string, () => unknown]>([
    ['another issuer', () => other.issuer],
    ['its own with a slash', () => `${idp.issuer}/`],
    ['none', () => undefined],
    ['a list of its own', () => [idp.issuer]],
  ])('case 70: metadata that name %s are BAD_USER_INPUT, and nothing is saved', async (_what, issuer) => {
    idp.metadata = { issuer: issuer() };
    const answer = await save();
    expect(answer.errors[0]?.extensions).toMatchObject(wrongIssuer);
    const db = at.app.modules.database.forTenant({ tenantId: tenant.id });
    expect(await db.identityProvider.count({ where: { issuer: idp.issuer } })).toBe(0);
    expect(other.asked.discovery).toBe(0);
  });

  it('case 70: metadata that come to name another issuer later: SERVICE_UNAVAILABLE', async () => {
    const provider = await connected();
    idp.metadata = { issuer: other.issuer };
    expect((await tryStartSso(at, { tenant: tenant.id, provider })).code).toBe('SERVICE_UNAVAILABLE');
  });

  it.each([301, 302, 303, 307, 308])('case 70: a redirect (%i) of the metadata is not followed', async (status) => {
    idp.instead.set('discovery', (_request, response) => {
      response.writeHead(status, { location: `${other.issuer}/.well-known/openid-configuration` }).end();
    });
    expect((await save()).errors[0]?.extensions).toMatchObject(wrongIssuer);
    expect(other.asked.discovery).toBe(0);
  });

  it('case 70: redirects of the other endpoints are not followed, and nothing is sent to where they point', async () => {
    const provider = await connected();
    for (const endpoint of ['token', 'jwks', 'userinfo'] as const) {
      idp.instead.set(endpoint, (_request, response) => {
        response.writeHead(307, { location: `${other.issuer}/${endpoint}` }).end();
      });
      const answer = await come(provider, { sub: 'x' });
      expect(['INVALID_GRANT', 'SERVICE_UNAVAILABLE'], `${endpoint}: ${answer.code}`).toContain(answer.code);
      idp.instead.delete(endpoint);
    }
    expect(other.asked).toEqual({ discovery: 0, jwks: 0, token: 0, userinfo: 0, introspection: 0, elsewhere: 0 });
  });

  it.each<[string, (response: ServerResponse) => unknown]>([
    ['no JSON', (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{')],
    ['a page', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['404', (response) => response.writeHead(404).end()],
    ['a list', (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('[]')],
    ['nothing', (response) => response.writeHead(204).end()],
  ])('case 70: metadata that are %s are BAD_USER_INPUT', async (_what, answer) => {
    idp.instead.set('discovery', (_request, response) => answer(response));
    expect((await save()).errors[0]?.extensions).toMatchObject(wrongIssuer);
  });

  it('case 70: nothing behind the address: SERVICE_UNAVAILABLE', async () => {
    await idp.stop();
    expect((await save()).code).toBe('SERVICE_UNAVAILABLE');
  });

  /** Answers with more and more. @returns how much was sent when the other side hung up */
  function endless(response: ServerResponse, mostBytes: number) {
    const chunk = Buffer.alloc(64 * 1024, ' ');
    let sent = 0;
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (sent < mostBytes && !response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) return response.once('drain', more);
      }
      return response.end();
    };
    more();
    return new Promise<number>((resolve) => response.once('close', () => resolve(sent)));
  }

  it.each(['discovery', 'jwks', 'token', 'userinfo'] as const)(
    'case 70: 10 MB at %s: SERVICE_UNAVAILABLE, and they are not read to the end',
    async (endpoint) => {
      const provider = endpoint === 'discovery' ? '' : await connected();
      let sent: Promise<number> | undefined;
      idp.instead.set(endpoint, (_request, response) => {
        sent = endless(response, 10_000_000);
      });
      const answer = endpoint === 'discovery' ? await save() : await come(provider, { sub: 'x' });
      expect(answer.code).toBe('SERVICE_UNAVAILABLE');
      // What the sockets hold in between is sent, but not read.
      expect(await sent).toBeLessThan(8_000_000);
    },
  );

  it('case 70: 5 000 keys: SERVICE_UNAVAILABLE, when somebody signs in and when a token is exchanged', async () => {
    idp.keys = Array.from({ length: 5_000 }, (_, index) => ({ ...idp.publicJwk, kid: `key-${index}` }));
    expect((await come(await connected())).code).toBe('SERVICE_UNAVAILABLE');
    const provider = await connected({ subjectTokens: 'JWT' });
    const subjectToken = await idp.sign(idp.claims(person), { kid: 'key-4999' });
    expect((await tryExchange(at, { tenant: tenant.id, provider, subjectToken })).code).toBe('SERVICE_UNAVAILABLE');
  });

  it.each<[string, (response: ServerResponse) => unknown]>([
    ['says nothing', () => {}],
    [
      'says a little all the time',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(' '), 100);
        response.once('close', () => clearInterval(timer));
      },
    ],
  ])('case 70: a provider that %s for a minute is given up after 5 s', async (_what, stall) => {
    const provider = await connected();
    const begun = await begin(provider);
    const returned = idp.signIn(begun.authorizationUrl, person);
    for (const endpoint of ['discovery', 'token'] as const)
      idp.instead.set(endpoint, (_request, response) => stall(response));
    const began = performance.now();
    const answers = await Promise.all([save(), tryIssueSsoToken(at, callbackOf(begun, returned))]);
    expect(answers.map(({ code }) => code)).toEqual(['SERVICE_UNAVAILABLE', 'SERVICE_UNAVAILABLE']);
    expect(performance.now() - began).toBeLessThan(7_000);
    expect(performance.now() - began).toBeGreaterThan(3_000);
  });

  it('case 70: what providers answer is nowhere told to callers', async () => {
    const provider = await connected();
    idp.instead.set('token', (_request, response) => {
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: 'invalid_client', error_description: 'the-inside-of-a-network' }));
    });
    const answer = await come(provider);
    expect([answer.code, answer.body.includes('the-inside-of-a-network')]).toEqual(['INVALID_GRANT', false]);
    idp.instead.set('discovery', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"the-inside-of-a-network":1}');
    });
    expect((await save()).body).not.toContain('the-inside-of-a-network');
  });
});

it('what is read of an answer is bounded exactly: 256 KB are taken, a byte more is not', async () => {
  const idp = await startMisbehaving();
  try {
    const outgoing = createOutgoing({ allowPrivate: true });
    for (const [size, taken] of [
      [MOST, true],
      [MOST + 1, false],
    ] as const) {
      idp.instead.set('elsewhere', (_request, response) => response.writeHead(200).end('x'.repeat(size)));
      const read = outgoing(`${idp.issuer}/big`).then(async (response) => (await response.text()).length);
      if (taken) expect(await read).toBe(size);
      else await expect(read).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    }
  } finally {
    await idp.stop();
  }
});
