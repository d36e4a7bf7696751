// The gateway check by itself: who passes, as whose, and what a gateway can get wrong (security.md section 3 D, cases 13,
// 49 to 53, 127 and 130).

import { connect } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { identityHeaders } from '../../src/http/identity-headers.ts';
import { forgeOf } from '../kit/forge.ts';
import { givenClient, givenCompany, givenCustomer, givenEmployee, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { restClient } from '../kit/rest.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import {
  claimsOf,
  employee,
  guest,
  isGood,
  refresh,
  serviceToken,
  signIn,
  tryAssist,
  tryServiceToken,
} from '../kit/stories.ts';
import { by, check, FA, givenBuyer, refusal } from './check.ts';

let at: Service;
let buyer: Awaited<ReturnType<typeof givenBuyer>>;
beforeAll(async () => {
  at = await theService();
  buyer = await givenBuyer(at);
});

/** Every header of identity, empty but for these. */
const identity = (said: Record<string, unknown>) => ({
  ...Object.fromEntries(identityHeaders.map((name) => [name, ''])),
  'X-Identity-Assertion': expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
  ...said,
});
const rest = restClient('customer-managed');
const nobody = identity({ 'X-Identity-Assertion': '' });

describe('who passes, and as whose: every header is there, empty where there is nothing to say', () => {
  it('a customer, without a company and for one', async () => {
    const { plain, acme, customer } = buyer;
    const person = { 'X-Tenant': 'demo', 'X-Principal-Kind': 'customer', 'X-Principal-Id': customer.id };
    const own = await check(at, '', by(plain.accessToken));
    expect([own.status, own.body]).toEqual([200, '']);
    const scopesOf = ({ scopes }: { scopes: string[] }) => scopes.join(' ');
    expect(own.identity).toEqual(identity({ ...person, 'X-Session-Id': plain.sessionId, 'X-Scopes': scopesOf(plain) }));
    const forCompany = await check(at, '', by(acme.accessToken));
    const company = { legalEntityId: 'acme', 'Legal-Entity-Id': 'acme' };
    expect(forCompany.identity).toEqual(
      identity({ ...person, ...company, 'X-Session-Id': acme.sessionId, 'X-Scopes': scopesOf(acme) }),
    );
  });

  it('a guest, a service and an employee', async () => {
    const visitor = await guest(at);
    expect((await check(at, '', by(visitor.accessToken))).identity).toMatchObject({
      'X-Principal-Kind': 'anonymous',
      'X-Principal-Id': visitor.sessionId,
      'X-Session-Id': visitor.sessionId,
      legalEntityId: '',
    });
    const { accessToken } = await serviceToken(at, 'demo-crm', ['price.price_read']);
    expect((await check(at, '', by(accessToken))).identity).toEqual(
      identity({
        'X-Tenant': 'demo',
        'X-Principal-Kind': 'service',
        'X-Principal-Id': 'demo-crm',
        'X-Scopes': 'price.price_read',
      }),
    );
    const person = await givenEmployee(at, ['order.order_read']);
    const worker = await employee(at, person.email);
    expect((await check(at, '', by(worker.accessToken))).identity).toMatchObject({
      'X-Principal-Kind': 'employee',
      'X-Principal-Id': person.id,
      'X-Session-Id': worker.sessionId,
    });
  });

  it('case 128: X-Actor names the employee who acts for a customer', async () => {
    const person = await givenEmployee(at, ['customer.assisted_buying_manage']);
    const { accessToken } = await employee(at, person.email);
    const assisted = only(await tryAssist(at, accessToken, { customerId: buyer.customer.id }));
    expect((await check(at, '', by(assisted.accessToken))).identity).toMatchObject({
      'X-Actor': person.id,
      'X-Principal-Id': buyer.customer.id,
    });
  });

  it('whoever carries every scope there is still passes', async () => {
    const { accessToken, scopes } = await serviceToken(at);
    const { status, identity } = await check(at, '', by(accessToken));
    expect(status).toBe(200);
    expect(identity['X-Scopes']!.split(' ')).toEqual(scopes);
  });
});

describe('scopes: all of `scope`, any of `any`, by the rules of every other check', () => {
  const SCOPES = ['catalog.catalog_view', 'price.price_read', 'order.order_read'];
  let token: string;
  beforeAll(async () => {
    const { id, clientSecret } = await givenClient(at, SCOPES);
    token = only<{ accessToken: string }>(await tryServiceToken(at, id, clientSecret)).accessToken;
  });

  it.each([
    ['', 200],
    ['scope=price.price_read', 200],
    ['scope=catalog.catalog_read', 200],
    ['scope=order.order_read_own', 200],
    ['scope=price.price_read&scope=catalog.catalog_view', 200],
    ['scope=price.price_read,catalog.catalog_view', 200],
    ['scope=price.price_read+catalog.catalog_view', 200],
    ['scope=price.price_read%20order.order_read', 200],
    ['any=price.price_manage,price.price_read', 200],
    ['scope=price.price_read&any=x.y_read,order.order_read', 200],
    ['scope=price.price_manage', 403],
    ['scope=price.price_read&scope=price.price_manage', 403],
    ['scope=price.price_read,price.price_manage', 403],
    ['any=price.price_manage,product.product_read', 403],
    ['scope=price.price_read&any=price.price_manage', 403],
    ['scope=price.price_manage&any=price.price_read', 403],
    ['scope=order.order_read_own_own', 200],
    ['scope=price.Price_read', 403],
    ['scope=price.*', 403],
  ])('?%s: %i', async (query, status) => {
    const verdict = await check(at, query, by(token));
    expect(verdict.status).toBe(status);
    if (status === 403) expect(refusal(verdict)).toEqual(FA(403));
  });

  it('401 and 403 challenge as RFC 6750 has it, and say nothing else', async () => {
    const without = await check(at, 'scope=price.price_manage');
    expect(refusal(without)).toEqual(FA(401));
    expect(without.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
    const lacking = await check(at, 'scope=price.price_manage', by(token));
    expect(lacking.headers.get('www-authenticate')).toMatch(/error="insufficient_scope", scope="price.price_manage"$/);
    expect([without, lacking].map(({ headers }) => headers.get('content-type'))).toEqual([null, null]);
    expect([without, lacking].map(({ headers }) => headers.get('cache-control'))).toEqual(['no-store', 'no-store']);
  });
});

describe('without a bearer', () => {
  it('optional: nobody passes as nobody, somebody as themself, and needs what is needed', async () => {
    expect(refusal(await check(at, 'optional=true'))).toEqual({ status: 200, body: '', identity: nobody });
    const signedIn = await check(at, 'optional=true', by(buyer.acme.accessToken));
    expect([signedIn.status, signedIn.identity.legalEntityId]).toEqual([200, 'acme']);
    const query = 'optional=true&scope=price.price_manage';
    expect(refusal(await check(at, query))).toEqual({ status: 200, body: '', identity: nobody });
    expect(refusal(await check(at, query, by(buyer.acme.accessToken)))).toEqual(FA(403));
  });

  it('a bearer that is not good is refused, where none is needed too', async () => {
    const { accessToken } = await serviceToken(at, 'demo-crm');
    const forge = await forgeOf(at, accessToken);
    const now = Math.floor(Date.now() / 1000);
    const ended = await forge.resign({ claims: { iat: now - 60, exp: now - 6 } });
    for (const bad of [
      'garbage',
      `${accessToken}x`,
      ended,
      buyer.plain.refreshToken,
      buyer.plain.saasToken,
      '',
      'a b',
    ]) {
      for (const query of ['', 'optional=true', 'scope=price.price_read&optional=true'])
        expect([bad, query, refusal(await check(at, query, { Authorization: `Bearer ${bad}` }))]).toEqual([
          bad,
          query,
          FA(401),
        ]);
    }
    expect(refusal(await check(at, 'optional=true', by('A'.repeat(9_000))))).toEqual(FA(401));
  });

  it('a token in the query, a cookie or another scheme is none', async () => {
    const { accessToken } = await serviceToken(at);
    expect(refusal(await check(at, '', { Cookie: `access_token=${accessToken}` }))).toEqual(FA(401));
    expect(refusal(await check(at, '', { Authorization: `Basic ${accessToken}` }))).toEqual(FA(401));
    expect(refusal(await check(at, `access_token=${accessToken}`))).toEqual(FA(403));
  });
});

it("case 13: a token of another tenant is that tenant's, and one signed across is 401", async () => {
  const { accessToken } = await serviceToken(at, 'rival-backend');
  expect((await check(at, '', by(accessToken))).identity['X-Tenant']).toBe('rival');
  const own = await serviceToken(at, 'demo-crm');
  const across = await (await forgeOf(at, own.accessToken, 'rival')).resign();
  expect(refusal(await check(at, '', by(across)))).toEqual(FA(401));
  expect(refusal(await check(at, 'optional=true', by(across)))).toEqual(FA(401));
});

it('the same token is good at GraphQL, REST and the gateway, and at none of them from its revocation on', async () => {
  const company = await givenCompany(at);
  const customer = await givenCustomer(at, { [company.id]: 'BUYER' });
  const session = await signIn(at, customer.email, { legalEntityId: company.id });
  const verdicts = async () => [
    await isGood(at, session.accessToken),
    (await rest(at, 'GET', '/customer/demo/validateauthtoken', { token: session.accessToken })).status,
    (await check(at, '', by(session.accessToken))).status,
    (await check(at, 'optional=true', by(session.accessToken))).status,
    (await check(at, 'saas=required', { ...by(session.accessToken), 'saas-token': session.saasToken })).status,
  ];
  expect(await verdicts()).toEqual([true, 200, 200, 200, 200]);
  expect(await verdicts()).toEqual([true, 200, 200, 200, 200]);
  await at.app.modules.contactAssignments.unassign(ctxOf('demo'), {
    customerId: customer.id,
    legalEntityId: company.id,
  });
  expect(await verdicts()).toEqual([false, 401, 401, 401, 401]);
});

it.each([
  ['logout', async (token: string) => graphql(at, 'mutation { logout { sessionsEnded } }', { bearer: token })],
  [
    'revokeToken',
    async (token: string) =>
      graphql(at, 'mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', {
        variables: { t: token },
      }),
  ],
])('a token that was seen before is refused from %s on', async (_name, end) => {
  const { accessToken } = await signIn(at);
  expect((await check(at, '', by(accessToken))).status).toBe(200);
  await end(accessToken);
  expect(refusal(await check(at, '', by(accessToken)))).toEqual(FA(401));
});

it('a token that was seen before ends when it ends, and with its key and its tenant', async () => {
  const tenant = await givenTenant(at);
  const token = async () =>
    only<{ accessToken: string }>(await tryServiceToken(at, tenant.backend.id, tenant.backend.clientSecret))
      .accessToken;
  const [first, second] = [await token(), await token()];
  const status = async (bearer: string) => (await check(at, '', by(bearer))).status;
  expect([await status(first), await status(second)]).toEqual([200, 200]);

  vi.useFakeTimers({ toFake: ['Date'], now: claimsOf(first).exp * 1_000 + 4_900 });
  onTestFinished(() => void vi.useRealTimers());
  expect(await status(first)).toBe(200);
  vi.setSystemTime(claimsOf(first).exp * 1_000 + 5_000);
  expect(await status(first)).toBe(401);
  vi.useRealTimers();

  const { signingKeys, tenants } = at.app.modules;
  await signingKeys.retire(ctxOf(tenant.id), signingKeys.current(tenant.id).kid, 'a test');
  expect(await status(second)).toBe(401);
  const third = await token();
  expect(await status(third)).toBe(200);
  await tenants.suspend(tenant.id);
  expect(await status(third)).toBe(401);
});

describe('case 127: the saas-token', () => {
  const checkout = (session: { accessToken: string }, saasToken?: string, query = 'saas=required') =>
    check(at, query, { ...by(session.accessToken), ...(saasToken !== undefined && { 'saas-token': saasToken }) });

  it('passes beside its own bearer, and is ignored where it is not asked for', async () => {
    for (const session of [buyer.plain, buyer.acme])
      expect((await checkout(session, session.saasToken)).status).toBe(200);
    for (const other of ['garbage', buyer.globex.saasToken, ''])
      expect((await checkout(buyer.acme, other, '')).identity.legalEntityId).toBe('acme');
  });

  it('of another customer, session or company, ended, revoked, of another kind, or absent: 403', async () => {
    const { plain, acme, globex, customer } = buyer;
    const stranger = await signIn(at, (await givenCustomer(at, { acme: 'BUYER' })).email, { legalEntityId: 'acme' });
    const later = await signIn(at, customer.email, { legalEntityId: 'acme' });
    const branch = await refresh(at, later.refreshToken, { legalEntityId: 'globex' });
    const forge = await forgeOf(at, acme.saasToken);
    const rows: Record<string, [session: { accessToken: string }, saasToken?: string]> = {
      'another customer': [acme, stranger.saasToken],
      'another session': [acme, later.saasToken],
      'another company': [acme, globex.saasToken],
      'another company of the same session': [branch, later.saasToken],
      'without the company': [acme, plain.saasToken],
      'with a company': [plain, acme.saasToken],
      expired: [acme, await forge.resign({ claims: { exp: Math.floor(Date.now() / 1000) - 6 } })],
      'of another tenant': [acme, await forge.resign({ claims: { tenant: 'rival' } })],
      forged: [acme, `${acme.saasToken.slice(0, -4)}AAAA`],
      'the bearer itself': [acme, acme.accessToken],
      'the refresh token': [acme, acme.refreshToken],
      twice: [acme, `${acme.saasToken}, ${acme.saasToken}`],
      empty: [acme, ''],
      absent: [acme],
      'of a guest': [await guest(at), acme.saasToken],
      'of a service': [await serviceToken(at), acme.saasToken],
    };
    for (const [name, [session, saasToken]] of Object.entries(rows))
      expect([name, refusal(await checkout(session, saasToken))]).toEqual([name, FA(403)]);
    await graphql(at, 'mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', {
      variables: { t: later.saasToken },
    });
    expect(refusal(await checkout(later, later.saasToken))).toEqual(FA(403));
  });
});

describe('case 130: what a gateway asks wrongly is refused to everybody, and the log says so', () => {
  it.each([
    ['unknown=1', 'there is no parameter "unknown"'],
    ['Scope=price.price_read', 'there is no parameter "Scope"'],
    ['scopes=price.price_read', 'there is no parameter "scopes"'],
    ['optional=true&', null],
    ['=', 'there is no parameter of no proper name'],
    ['optional=true&optional=true', '"optional" is given more than once'],
    ['saas=required&saas=required', '"saas" is given more than once'],
    ['any=price.price_read&any=order.order_read', '"any" is given more than once'],
    ['optional', '"optional" can be "true" and nothing else'],
    ['optional=1', '"optional" can be "true" and nothing else'],
    ['optional=false', '"optional" can be "true" and nothing else'],
    ['saas=maybe', '"saas" can be "required" and nothing else'],
    ['saas=', '"saas" can be "required" and nothing else'],
    ['scope=', '"scope" has a value that is no list of scopes'],
    ['scope', '"scope" has a value that is no list of scopes'],
    ['scope=price.price_read&scope=', '"scope" has a value that is no list of scopes'],
    ['scope=price.price_read,', '"scope" has a value that is no list of scopes'],
    ['scope=price', '"scope" has a value that is no list of scopes'],
    ['any=', '"any" has a value that is no list of scopes'],
    ['any=price.price_read,,order.order_read', '"any" has a value that is no list of scopes'],
    ['scope=price.price_read%00', '"scope" has a value that is no list of scopes'],
    ['__proto__=x', 'there is no parameter "__proto__"'],
    ['constructor=x', 'there is no parameter "constructor"'],
    ['scope=price.price_read?optional=true', null],
  ])('?%s', async (query, fault) => {
    const { accessToken } = await serviceToken(at);
    const before = at.logged.length;
    const verdict = await check(at, query, by(accessToken));
    const told = at.logged
      .slice(before)
      .map((line) => JSON.parse(line))
      .filter(({ level }) => level === 'warn');
    if (fault === null) {
      // Understood, and not wider than it was written.
      expect(told).toEqual([]);
      expect(verdict.status).toBe(query.startsWith('scope') ? 403 : 200);
      return;
    }
    expect(refusal(verdict)).toEqual(FA(403));
    expect(refusal(await check(at, query))).toEqual(FA(403));
    expect(told).toMatchObject([{ fault, msg: 'A gateway asks /forward-auth for what it does not know.' }]);
  });

  it('queries do not end up in the log, whatever a gateway puts there', async () => {
    const secret = 'a-customers-own-secret-value';
    const before = at.logged.length;
    await check(at, `scope=${secret}`);
    await check(at, `${secret.repeat(2)}=${secret}`);
    expect(at.logged.slice(before).join('')).not.toContain(secret);
  });
});

/** A request as it is written. */
const raw = (service: Service, line: string, ...headers: string[]): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () =>
      socket.write([line, 'Host: scopeward.test', 'Connection: close', ...headers, '', ''].join('\r\n')),
    );
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('close', () => resolve(text));
  });
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
const authorization = (token: string) => `Authorization: Bearer ${token}`;

describe('case 49: a request that carries an identity is refused, however it spells it', () => {
  const spellings = identityHeaders.flatMap((name) => [
    name,
    name.toUpperCase(),
    name.toLowerCase(),
    name.replaceAll('-', '_'),
    name.toLowerCase().replaceAll('-', '_'),
    name.replace('-', '_'),
    name.replaceAll('-', ''),
    name.replaceAll('-', '.'),
  ]);

  it.each([...new Set([...spellings, 'Legal_Entity_Id', 'legal-entityid', '_X_Scopes', 'x__tenant', 'X~Actor'])])(
    '%s',
    async (name) => {
      const { accessToken } = buyer.acme;
      for (const query of ['', '?optional=true']) {
        const line = `GET /forward-auth${query} HTTP/1.1`;
        expect(statusOf(await raw(at, line, authorization(accessToken), `${name}: x`))).toBe(403);
        expect(statusOf(await raw(at, line, `${name}:`))).toBe(403);
      }
    },
  );

  it('case 50: naming one in Connection is carrying it', async () => {
    for (const named of ['legalEntityId', 'close, X-Actor, X-Identity-Assertion', 'keep-alive,x_scopes'])
      expect([
        named,
        statusOf(await raw(at, 'GET /forward-auth?optional=true HTTP/1.1', `Connection: ${named}`)),
      ]).toEqual([named, 403]);
  });

  it('more headers than are read may hold one', async () => {
    const many = Array.from({ length: 110 }, (_none, index) => `X-Filler-${index}: x`);
    expect(statusOf(await raw(at, 'GET /forward-auth?optional=true HTTP/1.1', ...many, 'X-Tenant: x'))).toBe(403);
    expect(statusOf(await raw(at, 'GET /forward-auth?optional=true HTTP/1.1', ...many.slice(0, 90)))).toBe(200);
  });

  it("what only looks alike is nobody's identity", async () => {
    for (const name of ['X-Tenants', 'Legal-Entity', 'X-Scope', 'Tenant', 'X-Request-Id', 'X-Forwarded-User'])
      expect([name, statusOf(await raw(at, 'GET /forward-auth?optional=true HTTP/1.1', `${name}: x`))]).toEqual([
        name,
        200,
      ]);
  });
});

it('case 51: only the query that the gateway gave counts, and nothing that a gateway says of the original request', async () => {
  const forged = {
    ...by(buyer.acme.accessToken),
    'X-Forwarded-Uri': '/public?optional=true&scope=&any=',
    'X-Original-URL': '/public?optional=true',
    'X-Original-URI': '/public',
    'X-Forwarded-Method': 'OPTIONS',
    'X-HTTP-Method-Override': 'OPTIONS',
    'X-Forwarded-Host': 'evil.test',
    Forwarded: 'for=127.0.0.1;host=evil.test',
  };
  expect(refusal(await check(at, 'scope=price.price_manage', forged))).toEqual(FA(403));
  const { Authorization, ...without } = forged;
  expect(refusal(await check(at, 'scope=order.order_post', without))).toEqual(FA(401));
  expect((await check(at, 'scope=order.order_post', forged)).identity.legalEntityId).toBe('acme');
});

describe('case 52: methods', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])('%s is the same check', async (method) => {
    const { status, identity } = await check(at, 'scope=order.order_post', by(buyer.acme.accessToken), method);
    expect([status, identity.legalEntityId]).toEqual([200, 'acme']);
    expect(refusal(await check(at, 'scope=price.price_manage', by(buyer.acme.accessToken), method))).toEqual(FA(403));
    expect(refusal(await check(at, '', {}, method))).toEqual(FA(401));
  });

  it('OPTIONS yields no identity, and is not answered as a preflight of our own', async () => {
    const preflight = { Origin: 'https://shop.test', 'Access-Control-Request-Method': 'POST' };
    for (const headers of [
      {},
      by(buyer.acme.accessToken),
      preflight,
      { ...preflight, ...by(buyer.acme.accessToken) },
    ]) {
      const verdict = await check(at, 'scope=order.order_post', headers, 'OPTIONS');
      expect(refusal(verdict)).toEqual(FA(401));
      expect(verdict.headers.get('access-control-allow-origin')).toBeNull();
      expect(refusal(await check(at, 'optional=true', headers, 'OPTIONS'))).toEqual({
        status: 200,
        body: '',
        identity: nobody,
      });
    }
  });

  it('other methods, and whatever follows the path, are closed', async () => {
    const token = authorization(buyer.acme.accessToken);
    for (const line of [
      'PROPFIND /forward-auth',
      'TRACE /forward-auth',
      'GET /forward-auth/orders',
      'GET /Forward-Auth',
    ])
      expect([line, statusOf(await raw(at, `${line} HTTP/1.1`, token))]).not.toEqual([line, 200]);
    const answer = await raw(at, 'PROPFIND /forward-auth HTTP/1.1', token);
    expect([statusOf(answer), answer.split('\r\n\r\n')[1]]).toEqual([403, '']);
  });

  it('a body of the original request that a gateway leaves announced changes nothing', async () => {
    const headers = { ...by(buyer.acme.accessToken), 'Content-Encoding': 'gzip', 'Content-Type': 'application/json' };
    expect((await check(at, '', headers)).status).toBe(200);
  });
});

it('two Authorization headers are refused', async () => {
  const token = authorization(buyer.acme.accessToken);
  expect(statusOf(await raw(at, 'GET /forward-auth?optional=true HTTP/1.1', token, token))).toBe(403);
});

describe('case 53', () => {
  it('CR, LF, NUL, other scripts and the percent sign in a claim are percent-encoded, and decode to what they were', async () => {
    const { accessToken } = buyer.acme;
    const forge = await forgeOf(at, accessToken);
    for (const id of ['a\r\nX-Scopes: x.y_manage', 'größe 中', 'a%0Ab', '\u0000', 'with blank ', '\u{1f6d2}']) {
      const forged = await forge.resign({ claims: { legalEntityId: id, sub: id, session_id: id } });
      const { status, identity } = await check(at, '', by(forged));
      expect([id, status]).toEqual([id, 200]);
      for (const name of ['legalEntityId', 'Legal-Entity-Id', 'X-Principal-Id', 'X-Session-Id'])
        expect([name, decodeURIComponent(identity[name]!)]).toEqual([name, id]);
      expect(identity.legalEntityId).toMatch(/^[\x21-\x7e]+$/);
      expect(identity['X-Scopes']).not.toContain('x.y_manage');
    }
  });

  it('answers ask no database', async () => {
    const { accessToken, saasToken } = await signIn(at);
    const before = at.statements.length;
    for (let count = 0; count < 20; count += 1) {
      await check(at, 'saas=required', { ...by(accessToken), 'saas-token': saasToken });
      await check(at, 'scope=x.y_manage', by(accessToken));
      await check(at, 'optional=true');
    }
    // The feed's polling goes on meanwhile.
    expect(at.statements.slice(before).filter((sql) => !/counters/.test(sql))).toEqual([]);
  });
});
