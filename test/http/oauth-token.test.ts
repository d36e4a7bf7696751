import { beforeAll, describe, expect, it } from 'vitest';
import { givenClient, givenTenant } from '../kit/given.ts';
import { asBackend, askToken, basic, introspectAs, type OauthAnswer, post, postText, shortly } from '../kit/oauth.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { claimsOf, isGood, tryServiceToken } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const credentials = { grant_type: 'client_credentials' };
const ask = (parameters: Record<string, string | undefined> = {}, headers: Record<string, string> = asBackend) =>
  askToken(at, { ...credentials, ...parameters }, headers);

describe('client credentials', () => {
  it('success: by Basic and by the body, a token that is good and that nobody keeps', async () => {
    const answers = [
      await ask({}, basic('demo-crm', 'demo-crm-secret')),
      await ask({ client_id: 'demo-crm', client_secret: 'demo-crm-secret' }, {}),
    ];
    for (const { status, headers, body } of answers) {
      expect([status, headers.get('content-type'), headers.get('cache-control'), headers.get('pragma')]).toEqual([
        200,
        'application/json; charset=utf-8',
        'no-store',
        'no-cache',
      ]);
      expect(body).toEqual({
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 14_400,
        scope: 'price.price_manage price.price_read product.product_read',
      });
      expect(claimsOf(body.access_token)).toMatchObject({ kind: 'service', sub: 'demo-crm', scope: body.scope });
      expect(await isGood(at, body.access_token)).toBe(true);
    }
  });

  it('case 56: a scope that the client lacks is left out, and the answer and the claim say what was granted', async () => {
    const crm = basic('demo-crm', 'demo-crm-secret');
    const { status, body } = await ask({ scope: 'order.order_read price.price_read iam.group_manage' }, crm);
    expect([status, body.scope, claimsOf(body.access_token).scope]).toEqual([
      200,
      'price.price_read',
      'price.price_read',
    ]);
    const none = await ask({ scope: 'order.order_read iam.group_manage' }, crm);
    expect(shortly(none)).toEqual([400, 'invalid_scope', null]);
    expect(none.body).toEqual({ error: 'invalid_scope', error_description: expect.any(String) });
    const overGraphql = await tryServiceToken(at, 'demo-crm', 'demo-crm-secret', ['order.order_read']);
    expect(overGraphql.errors[0]!.extensions).toMatchObject({ code: 'INVALID_SCOPE', refused: ['order.order_read'] });
  });

  it.each([
    ['unknown', 'no.such', 'invalid_scope'],
    ['a star', '*', 'invalid_scope'],
    ['a wildcard', 'price.*', 'invalid_scope'],
    ['in the wrong case', 'PRICE.PRICE_READ', 'invalid_scope'],
    ['with a tab', 'price.price_read\tproduct.product_read', 'invalid_scope'],
    ['with a newline', 'price.price_read\nproduct.product_read', 'invalid_scope'],
    ['not ASCII', 'price.priçe_read', 'invalid_scope'],
    ['10 000 entries', Array.from({ length: 10_000 }, () => 'a.b').join(' '), 'invalid_request'],
    ['over 4 KB', `price.price_read ${'a.'.padEnd(4_096, 'b')}`, 'invalid_request'],
    ['a stranger beside one that is held', '* price.price_read', 'price.price_read'],
    ['twice the same', 'price.price_read price.price_read', 'price.price_read'],
    ['empty', '', 'price.price_manage price.price_read product.product_read'],
  ])('case 57: a scope that is %s', async (_what, scope, outcome) => {
    const { status, body } = await ask({ scope }, basic('demo-crm', 'demo-crm-secret'));
    expect([status, body.error ?? body.scope]).toEqual([outcome.startsWith('invalid') ? 400 : 200, outcome]);
  });

  it('case 61: a storefront is no client of this grant, and no refresh token comes with it (RFC 6749 s.4.4.3)', async () => {
    expect(shortly(await ask({ client_id: 'demo-storefront' }, {}))).toEqual([400, 'unauthorized_client', null]);
    expect(shortly(await ask({ client_id: 'scopeward' }, {}))).toEqual([400, 'unauthorized_client', null]);
    expect((await ask()).body).not.toHaveProperty('refresh_token');
  });

  it.each(['password', 'authorization_code', 'implicit', 'urn:scopeward:grant-type:anonymous', 'toString'])(
    'case 61: grant_type %s is not offered',
    async (grant_type) => {
      const answer = await ask({ grant_type, username: 'buyer@demo.example', password: 'demo-password-1', code: 'c' });
      expect(shortly(answer)).toEqual([400, 'unsupported_grant_type', null]);
    },
  );
});

describe('how a client presents itself', () => {
  it('case 60: `%`, `+`, `:` and others in a secret come through, form-encoded in Basic as in the body', async () => {
    const tenant = await givenTenant(at);
    const id = `odd-${tenant.id}`;
    const clientSecret = 'a+b %2B:c&d=é%';
    const client = { id, name: 'Odd', kind: 'CUSTOM', scopes: ['order.order_read'], clientSecret } as const;
    await at.app.modules.clients.register(ctxOf(tenant.id), client);
    expect((await ask({}, basic(id, clientSecret))).status).toBe(200);
    expect((await ask({ client_id: id, client_secret: clientSecret }, {})).status).toBe(200);
    const unencoded = { Authorization: `Basic ${Buffer.from(`${id}:${clientSecret}`).toString('base64')}` };
    expect(shortly(await ask({}, unencoded))).toEqual([401, 'invalid_client', 'Basic']);
  });

  it.each([
    ['no colon', `Basic ${Buffer.from('demo-backend').toString('base64')}`],
    ['bad base64', 'Basic demo-backend:demo-backend-secret'],
    ['base64url of it', 'Basic Pz8_Pz8-'],
    ['nothing', 'Basic'],
    ['an empty pair', `Basic ${Buffer.from(':').toString('base64')}`],
    ['an empty secret', `Basic ${Buffer.from('demo-backend:').toString('base64')}`],
    ['an empty secret of a storefront', `Basic ${Buffer.from('demo-storefront:').toString('base64')}`],
    ['a broken escape', `Basic ${Buffer.from('demo-backend:%zz').toString('base64')}`],
    ['a NUL', `Basic ${Buffer.from('demo%00:x').toString('base64')}`],
    ['an id of 50 KB', `Basic ${Buffer.from(`${'x'.repeat(6_000)}:x`).toString('base64')}`],
    ['another scheme', 'Bearer demo-backend-secret'],
  ])('case 60: Basic with %s is 401 with a challenge', async (_what, Authorization) => {
    const answer = await ask({}, { Authorization });
    expect(shortly(answer)).toEqual([401, 'invalid_client', 'Basic']);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="scopeward"/);
  });

  it('case 60: an empty secret in the body is none, and none is never good for a client that has one', async () => {
    for (const client_secret of ['', undefined])
      expect(shortly(await ask({ client_id: 'demo-backend', client_secret }, {}))).toEqual([
        401,
        'invalid_client',
        'Basic',
      ]);
  });

  it('case 60: Basic and body at once, or two clients, is invalid_request, even when all of it is right', async () => {
    const twice = { client_id: 'demo-backend', client_secret: 'demo-backend-secret' };
    expect(shortly(await ask(twice))).toEqual([400, 'invalid_request', null]);
    expect(shortly(await ask({ client_secret: 'demo-backend-secret' }))).toEqual([400, 'invalid_request', null]);
    expect(shortly(await ask({ client_id: 'demo-crm' }))).toEqual([400, 'invalid_request', null]);
    expect((await ask({ client_id: 'demo-backend' })).status).toBe(200);
  });

  it('case 62: an assertion alone is invalid_client, and beside a secret invalid_request', async () => {
    const assertion = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'eyJhbGciOiJub25lIn0.e30.',
    };
    expect(shortly(await ask(assertion, {}))).toEqual([401, 'invalid_client', 'Basic']);
    expect(shortly(await ask({ ...assertion, client_id: 'demo-backend' }, {}))).toEqual([
      401,
      'invalid_client',
      'Basic',
    ]);
    expect(shortly(await ask(assertion))).toEqual([400, 'invalid_request', null]);
    const secret = { client_id: 'demo-backend', client_secret: 'demo-backend-secret' };
    expect(shortly(await ask({ ...assertion, ...secret }, {}))).toEqual([400, 'invalid_request', null]);
  });

  it('nobody at all, or a secret of nobody', async () => {
    expect(shortly(await ask({}, {}))).toEqual([401, 'invalid_client', 'Basic']);
    expect(shortly(await ask({ client_secret: 'demo-backend-secret' }, {}))).toEqual([400, 'invalid_request', null]);
  });
});

describe('the form of a request', () => {
  it.each([
    ['JSON', 'application/json', JSON.stringify({ grant_type: 'client_credentials' })],
    ['a form of parts', 'multipart/form-data; boundary=x', '--x--'],
    ['a text', 'text/plain', 'grant_type=client_credentials'],
    ['another charset', 'application/x-www-form-urlencoded; charset=latin1', 'grant_type=client_credentials'],
  ])('%s is 415', async (_what, type, text) => {
    const answer = await postText(at, '/oauth/token', text, { ...asBackend, 'Content-Type': type });
    expect([answer.status, answer.error, answer.headers.get('pragma')]).toEqual([
      415,
      'unsupported_media_type',
      'no-cache',
    ]);
  });

  it.each([
    ['a repeated parameter', 'grant_type=client_credentials&grant_type=client_credentials'],
    ['a parameter that is unknown and repeated', 'grant_type=client_credentials&x=1&x=2'],
    ['no grant_type', 'scope=order.order_read'],
    ['an empty grant_type', 'grant_type='],
    ['no body', ''],
    ['NUL', 'grant_type=client_credentials&scope=a%00b'],
  ])('%s is invalid_request', async (_what, text) => {
    expect(shortly(await postText(at, '/oauth/token', text, asBackend))).toEqual([400, 'invalid_request', null]);
  });

  it('case 31: nothing is taken from the URL: credentials and tokens there are invalid_request', async () => {
    for (const query of [
      'client_id=demo-backend&client_secret=demo-backend-secret',
      'grant_type=client_credentials',
      `refresh_token=rt_${'A'.repeat(43)}`,
    ])
      expect(shortly(await post(at, `/oauth/token?${query}`, credentials, asBackend))).toEqual([
        400,
        'invalid_request',
        null,
      ]);
  });

  it('case 31: GET is 405, and names what is allowed', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const response = await fetch(`${at.url}/oauth/token?grant_type=client_credentials`, { method });
      const { headers } = response;
      expect([response.status, headers.get('allow'), headers.get('cache-control')]).toEqual([
        405,
        'POST, OPTIONS',
        'no-store',
      ]);
    }
  });

  it('an error says what it is in the characters that RFC 6749 section 5.2 allows, and nobody keeps it', async () => {
    const answers: OauthAnswer[] = [
      await ask({ scope: 'no.such' }),
      await ask({}, {}),
      await ask({ grant_type: 'no' }),
      await postText(at, '/oauth/token', 'x=1&x=1'),
    ];
    for (const { body, headers } of answers) {
      expect(Object.keys(body).sort()).toEqual(['error', 'error_description']);
      expect(body.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
      expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
    }
  });

  it('a body above 100 KB is 413', async () => {
    expect((await ask({ scope: 'x'.repeat(100_000) })).status).toBe(413);
  });
});

describe('clients and tenants that are shut', () => {
  it('case 55: a disabled client and a suspended tenant are invalid_client, and their live tokens inactive', async () => {
    const { id: tenantId, backend } = await givenTenant(at);
    const { id, clientSecret } = await givenClient(at, ['order.order_read']);
    const own = await givenTenant(at);
    const crm = await ask({}, basic(id, clientSecret));
    const ofTenant = await ask({}, basic(backend.id, backend.clientSecret));
    await at.app.modules.clients.update(ctxOf('demo'), id, { enabled: false });
    await at.app.modules.tenants.suspend(tenantId);
    for (const client of [basic(id, clientSecret), basic(backend.id, backend.clientSecret)])
      expect(shortly(await ask({}, client))).toEqual([401, 'invalid_client', 'Basic']);
    expect((await introspectAs(at, crm.body.access_token)).text).toBe('{"active":false}');
    for (const { body } of [crm, ofTenant]) expect(await isGood(at, body.access_token)).toBe(false);
    expect(await isGood(at, (await ask({}, basic(own.backend.id, own.backend.clientSecret))).body.access_token)).toBe(
      true,
    );
  });
});

describe('an unknown client', () => {
  it('case 54: is told from a wrong secret by nothing: status, headers, body', async () => {
    const { id } = await givenClient(at, ['order.order_read']);
    const answers = [await ask({}, basic(id, 'wrong')), await ask({}, basic(`${id}-not`, 'wrong'))];
    const [one, other] = answers.map(({ status, headers, text }) => {
      const named = Object.fromEntries(headers);
      return { status, text, headers: { ...named, date: '', 'x-request-id': '' } };
    });
    expect(one).toEqual(other);
    expect(one!.status).toBe(401);
  });
});
