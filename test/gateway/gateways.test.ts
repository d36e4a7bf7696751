// The configurations of examples/gateway, run in nginx and Caddy in front of a service that tells what it got: a company
// reaches it, and nothing that a caller makes up does (security.md section 3 D, cases 47 to 52).

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { identityHeaders } from '../../src/http/identity-headers.ts';
import { givenCustomer } from '../kit/given.ts';
import { graphql } from '../kit/graphql.ts';
import { type Service, startService, theService } from '../kit/service.ts';
import { serviceToken, signIn } from '../kit/stories.ts';
import { by, check, givenBuyer } from './check.ts';
import { ask, bearer, type Gateway, gateways, type Received, startEcho, startSkipping } from './gateways.ts';

let at: Service;
let lax: Service;
let echo: Awaited<ReturnType<typeof startEcho>>;
beforeAll(async () => {
  at = await theService();
  lax = await startService({ FORWARD_AUTH_STRICT: 'false' });
  echo = await startEcho();
});
afterAll(async () => {
  echo?.stop();
  await lax?.stop();
});
afterEach(() => void echo.taken());

/** How a loose reader sees a name. */
const bare = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** What a service would take for an identity: by loose name, every value that is not empty. */
function identityIn({ raw }: Received): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of raw) {
    const known = bare(name);
    if (value === '' || !identityHeaders.map(bare).includes(known)) continue;
    found[known] = found[known] === undefined ? value : `${found[known]} | ${value}`;
  }
  return found;
}

const smuggled = (value = 'EVIL') => identityHeaders.map((name) => `${name}: ${value}`);
const SPELLINGS = [
  'LEGALENTITYID: EVIL',
  'legal_entity_id: EVIL',
  'Legal_Entity_Id: EVIL',
  'legal-entity_id: EVIL',
  'X_Scopes: x.y_manage',
  'x_tenant: EVIL',
  'X.Actor: EVIL',
  'X_Identity_Assertion: EVIL',
  'x-principal_id: EVIL',
];
/** Lines of the Caddyfile that delete at the edge; what the check then sees are the caller's own. */
const withoutEdge = (text: string) => text.replace(/^\trequest_header -(Legal|X).*\n/gm, '');

describe.each(gateways)('$title', ({ name, start }) => {
  // Where it is not installed, and GATEWAYS=required does not make a failure of that.
  if (!start) return it.skip(`${name} is not installed`, () => {});

  let gateway: Gateway;
  let open: Gateway;
  let buyer: Awaited<ReturnType<typeof givenBuyer>>;
  let laxBuyer: Awaited<ReturnType<typeof givenBuyer>>;
  beforeAll(async () => {
    [buyer, laxBuyer] = [await givenBuyer(at), await givenBuyer(lax)];
    gateway = await start({ scopeward: at.url, service: echo.url });
    open = await start({ scopeward: lax.url, service: echo.url });
  });
  afterAll(async () => {
    await gateway?.stop();
    await open?.stop();
  });

  /** The one request that came through. */
  function served(): Received {
    const received = echo.taken();
    expect(received).toHaveLength(1);
    return received[0]!;
  }

  it('a B2B token reaches the service as its company, with who it is and what they may do', async () => {
    const { acme, customer } = buyer;
    expect((await ask(gateway, '/orders?page=2', [bearer(acme.accessToken)])).status).toBe(200);
    const received = served();
    expect(received.url).toBe('/orders?page=2');
    expect(identityIn(received)).toEqual({
      // One header under two names: a loose reader finds it twice, and the same.
      legalentityid: 'acme | acme',
      xtenant: 'demo',
      xprincipalkind: 'customer',
      xprincipalid: customer.id,
      xsessionid: acme.sessionId,
      xscopes: acme.scopes.join(' '),
      xidentityassertion: expect.stringMatching(/^eyJ/),
    });
    // Neither credential is any business of the service.
    expect([received.headers.authorization, received.headers['saas-token']]).toEqual([undefined, undefined]);
  });

  it('no company is an empty header or none, and nobody is nobody', async () => {
    expect((await ask(gateway, '/orders', [bearer(buyer.plain.accessToken)])).status).toBe(200);
    expect(served().headers.legalentityid ?? '').toBe('');
    expect((await ask(gateway, '/products')).status).toBe(200);
    expect(identityIn(served())).toEqual({});
    expect((await ask(gateway, '/products', [bearer(buyer.acme.accessToken)])).status).toBe(200);
    expect(served().headers.legalentityid).toBe('acme');
    expect((await ask(gateway, '/public/hours', [bearer(buyer.acme.accessToken)])).status).toBe(200);
    expect(identityIn(served())).toEqual({});
  });

  it('who lacks the token or the scope does not come through', async () => {
    const { accessToken } = await serviceToken(at, 'demo-crm');
    const rows: [string, string[], number][] = [
      ['/orders', [], 401],
      ['/orders', [bearer('garbage')], 401],
      ['/orders', [bearer(accessToken)], 403],
      ['/products', [bearer('garbage')], 401],
      ['/checkout', [bearer(accessToken)], 403],
      ['/nowhere', [bearer(buyer.acme.accessToken)], 404],
      ['/', [], 404],
    ];
    for (const [path, headers, status] of rows)
      expect([path, (await ask(gateway, path, headers)).status]).toEqual([path, status]);
    expect((await ask(gateway, '/orders')).text).toMatch(/^www-authenticate: Bearer /im);
    expect(echo.taken()).toEqual([]);
  });

  it('case 127: checkout needs the saas-token of the same session and company', async () => {
    const { acme, globex, plain } = buyer;
    const tries: [saas: string | null, status: number][] = [
      [null, 403],
      [globex.saasToken, 403],
      [plain.saasToken, 403],
      [acme.accessToken, 403],
      [acme.saasToken, 200],
    ];
    for (const [saas, status] of tries) {
      const headers = [bearer(acme.accessToken), ...(saas ? [`saas-token: ${saas}`] : [])];
      expect((await ask(gateway, '/checkout', [...headers, 'Content-Length: 0'], 'POST')).status).toBe(status);
    }
    expect(served()).toMatchObject({ method: 'POST', headers: { legalentityid: 'acme' } });
  });

  it('a body passes, and the check is not asked to read it', async () => {
    const { acme } = buyer;
    const answer = await fetch(`${gateway.url}/checkout`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${acme.accessToken}`,
        'saas-token': acme.saasToken,
        'Content-Type': 'application/json',
        'Content-Encoding': 'gzip',
      },
      body: 'x'.repeat(300_000),
    });
    expect([answer.status, served().bodyLength]).toEqual([200, 300_000]);
  });

  it('every scope there is comes through', async () => {
    const { accessToken, scopes } = await serviceToken(at);
    expect((await ask(gateway, '/orders', [bearer(accessToken)])).status).toBe(200);
    expect(served().headers['x-scopes']).toBe(scopes.join(' '));
  });

  it('case 47: a customer without a company who makes up an identity is nobody else at the service', async () => {
    for (const [through, session] of [
      [gateway, buyer.plain],
      [open, laxBuyer.plain],
    ] as const) {
      for (const path of ['/orders', '/products', '/public/hours']) {
        const { status } = await ask(through, path, [bearer(session.accessToken), ...smuggled()]);
        expect([200, 403]).toContain(status);
        for (const received of echo.taken()) {
          expect(JSON.stringify(received.raw)).not.toContain('EVIL');
          expect(identityIn(received).legalentityid).toBeUndefined();
        }
      }
      await ask(through, '/products', smuggled());
      for (const received of echo.taken()) expect(identityIn(received)).toEqual({});
    }
  });

  it('case 47: the check alone refuses it, where the gateway deletes nothing', async () => {
    const bare = await start({ scopeward: at.url, service: echo.url }, withoutEdge);
    try {
      for (const path of ['/orders', '/products']) {
        const headers = [bearer(buyer.plain.accessToken), ...smuggled()];
        expect((await ask(bare, path, headers)).status).toBe(403);
        expect((await ask(bare, path, [headers[0]!])).status).toBe(200);
        expect(identityIn(served()).legalentityid).toBeUndefined();
      }
    } finally {
      await bare.stop();
    }
  });

  it("case 48: a company token beside another company of the caller's own making: refused, or its own and no other", async () => {
    const evils = ['legalEntityId: globex', 'Legal-Entity-Id: globex', 'legal_entity_id: globex'];
    for (const [through, { acme }] of [
      [gateway, buyer],
      [open, laxBuyer],
    ] as const) {
      for (const evil of [...evils.map((one) => [one]), evils]) {
        const { status } = await ask(through, '/orders', [bearer(acme.accessToken), ...evil]);
        expect([200, 403]).toContain(status);
        for (const received of echo.taken()) expect(identityIn(received).legalentityid).toBe('acme | acme');
      }
    }
  });

  it.each(SPELLINGS)('case 49: %s reaches no service', async (header) => {
    for (const [through, { plain }] of [
      [gateway, buyer],
      [open, laxBuyer],
    ] as const) {
      const doubled = [header, header, header.replace(': ', ': acme, ')];
      for (const path of ['/orders', '/products', '/public/hours']) {
        await ask(through, path, [bearer(plain.accessToken), ...doubled]);
        for (const received of echo.taken()) expect(JSON.stringify(received.raw)).not.toMatch(/EVIL|x\.y_manage/);
      }
    }
  });

  it('case 50: what Connection names is less at the service, never more', async () => {
    const { acme } = buyer;
    for (const named of [
      'close, legalEntityId, X-Actor, X-Identity-Assertion',
      'close, X-Scopes',
      'Legal-Entity-Id, close',
    ]) {
      const headers = [`Connection: ${named}`, bearer(acme.accessToken)];
      const { status } = await ask(gateway, '/orders', headers);
      expect([200, 403]).toContain(status);
      for (const { headers: got } of echo.taken())
        for (const name of ['legalentityid', 'legal-entity-id']) expect(['acme', '', undefined]).toContain(got[name]);
    }
  });

  it("case 51: the query of the original request is not the check's, and forged X-Forwarded-* change nothing", async () => {
    const forged = ['X-Forwarded-Uri: /public/hours', 'X-Original-URL: /public/hours', 'X-Forwarded-Method: OPTIONS'];
    for (const query of ['?optional=true&scope=&any=', '?scope=x', '?optional=true', '?&optional=true#'])
      expect((await ask(gateway, `/orders${query}`, forged)).status).toBe(401);
    expect(echo.taken()).toEqual([]);
    const headers = [bearer(buyer.acme.accessToken), ...forged];
    expect((await ask(gateway, '/orders?optional=false&scope=price.price_manage', headers)).status).toBe(200);
    expect(served().url).toBe('/orders?optional=false&scope=price.price_manage');
  });

  it('case 52: a path has one reading, or it is answered 400', async () => {
    const paths = [
      '/public/../orders',
      '/public/..%2forders',
      '/public/%2e%2e/orders',
      '/public/%2E%2E%2Forders',
      '/public/.%2e/orders',
      '/public/..;/orders',
      '/public/x;/../../orders',
      '//orders',
      '/public//../orders',
      '/public/./../orders',
      '/orders;x',
      '/orders/.',
      '/orders/',
      '/orders%00',
      '/public/%5c..%5corders',
      '/public\\..\\orders',
      '/ORDERS',
      '/Public/../orders',
      '/%6frders',
    ];
    for (const path of paths) {
      const { status } = await ask(gateway, path);
      // Without a token nothing but the public location may be served, as what it is.
      for (const { url } of echo.taken()) {
        expect(new URL(url, 'http://service.test').pathname, path).toMatch(/^\/public\//i);
        expect(decodeURIComponent(url), path).not.toMatch(/orders/i);
      }
      expect([path, status]).toEqual([path, expect.toBeOneOf([400, 401, 404])]);
    }
    expect((await ask(gateway, '/%6frders', [bearer(buyer.acme.accessToken)])).status).toBe(200);
    expect(served().url).toMatch(/^\/(o|%6f)rders$/i);
  });

  it('case 52: HEAD is checked as GET is, OPTIONS yields no identity, an override is not obeyed', async () => {
    expect((await ask(gateway, '/orders', [], 'HEAD')).status).toBe(401);
    expect((await ask(gateway, '/orders', [bearer(buyer.acme.accessToken)], 'HEAD')).status).toBe(200);
    expect(served()).toMatchObject({ method: 'HEAD', headers: { legalentityid: 'acme' } });
    for (const method of ['OPTIONS', 'PUT', 'DELETE', 'PROPFIND', 'TRACE'])
      for (const path of ['/orders', '/products', '/public/hours']) {
        const headers = [bearer(buyer.acme.accessToken), 'Content-Length: 0'];
        expect([method, (await ask(gateway, path, headers, method)).status]).toEqual([method, 405]);
      }
    const overrides = ['X-HTTP-Method-Override: OPTIONS', 'X-HTTP-Method: OPTIONS', 'X-Method-Override: OPTIONS'];
    expect((await ask(gateway, '/orders', overrides)).status).toBe(401);
    expect(echo.taken()).toEqual([]);
  });

  it('revocation is felt at the gateway at once', async () => {
    const session = await signIn(at, (await givenCustomer(at)).email);
    expect((await ask(gateway, '/orders', [bearer(session.accessToken)])).status).toBe(200);
    await graphql(at, 'mutation { logout { sessionsEnded } }', { bearer: session.accessToken });
    expect((await ask(gateway, '/orders', [bearer(session.accessToken)])).status).toBe(401);
  });

  it("when the check can't be reached nothing passes but what needs none", async () => {
    const alone = await start({ scopeward: 'http://127.0.0.1:9', service: echo.url });
    try {
      expect((await ask(alone, '/orders', [bearer(buyer.acme.accessToken)])).status).toBeGreaterThanOrEqual(500);
      expect((await ask(alone, '/products')).status).toBeGreaterThanOrEqual(500);
      expect(echo.taken()).toEqual([]);
      expect((await ask(alone, '/public/hours')).status).toBe(200);
    } finally {
      await alone.stop();
    }
  });
});

describe('case 47: a gateway that skips empty answers, as Caddy 2.9.1 to 2.11.1 did', () => {
  const query = 'optional=true';

  it('strict: refused before the service sees anything', async () => {
    const gateway = await startSkipping({ scopeward: at.url, service: echo.url }, { query, deletes: false });
    const { accessToken } = await signIn(at, (await givenCustomer(at)).email);
    for (const header of [...smuggled(), ...SPELLINGS])
      expect([header, (await ask(gateway, '/orders', [bearer(accessToken), header])).status]).toEqual([header, 403]);
    expect(echo.taken()).toEqual([]);
    expect((await ask(gateway, '/orders', [bearer(accessToken)])).status).toBe(200);
    await gateway.stop();
  });

  it('not strict: the service sees none of it, as the gateway deletes at the edge', async () => {
    const gateway = await startSkipping({ scopeward: lax.url, service: echo.url }, { query, deletes: true });
    const { accessToken } = await signIn(lax, (await givenCustomer(lax)).email);
    expect((await ask(gateway, '/orders', [bearer(accessToken), ...smuggled(), ...SPELLINGS])).status).toBe(200);
    const [received] = echo.taken();
    expect(JSON.stringify(received!.raw)).not.toMatch(/EVIL|x\.y_manage/);
    expect(identityIn(received!)).toMatchObject({ xprincipalkind: 'customer' });
    await gateway.stop();
  });

  it('not strict and not deleting is what both are for: the smuggled company would arrive', async () => {
    const gateway = await startSkipping({ scopeward: lax.url, service: echo.url }, { query, deletes: false });
    const { accessToken } = await signIn(lax, (await givenCustomer(lax)).email);
    await ask(gateway, '/orders', [bearer(accessToken), 'legalEntityId: EVIL']);
    expect(echo.taken()[0]!.headers.legalentityid).toBe('EVIL');
    await gateway.stop();
  });
});

it('case 49: with FORWARD_AUTH_STRICT=false, for gateways that delete them: answered, and nothing of it believed', async () => {
  const { accessToken } = await signIn(lax);
  const carried = {
    ...by(accessToken),
    legalEntityId: 'EVIL',
    'X-Scopes': 'x.y_manage',
    'X-Identity-Assertion': 'x',
  };
  const { status, identity } = await check(lax, '', carried);
  expect([status, identity.legalEntityId, identity['X-Tenant']]).toEqual([200, '', 'demo']);
  expect(Object.values(identity).join()).not.toMatch(/EVIL|x\.y_manage/);
});
