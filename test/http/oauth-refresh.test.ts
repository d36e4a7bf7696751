// POST /oauth/token with refresh tokens (RFC 6749 section 6): guests, customers and employees, companies, and tokens in
// other hands (security.md cases 15, 27 and 31).

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenClient, givenCompany, givenCustomer, givenOldUses } from '../kit/given.ts';
import { asBackend, askToken, basic, introspectAs, shortly, tryRefreshAs } from '../kit/oauth.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { claimsOf, employee, guest, isGood, refresh, signIn } from '../kit/stories.ts';

let at: Service;
beforeAll(async () => {
  at = await theService();
});

const SHOP = 'demo-storefront';
const eventsOf = (sessionId: string) =>
  at.app.modules.database.forTenant({ tenantId: 'demo' }).auditEvent.findMany({ where: { subjectId: sessionId } });
const foreignUsesOf = async (sessionId: string) =>
  (await eventsOf(sessionId)).filter(({ type }) => type === 'refresh.foreign_client').map(({ actorId }) => actorId);
const newCustomer = async (companies: Parameters<typeof givenCustomer>[1] = {}) =>
  signIn(at, (await givenCustomer(at, companies)).email);

describe('success', () => {
  it('a customer goes on in the session, with a new token of each kind', async () => {
    const { refreshToken, sessionId } = await newCustomer();
    const { status, headers, body } = await tryRefreshAs(at, SHOP, refreshToken);
    expect([status, headers.get('cache-control'), headers.get('pragma')]).toEqual([200, 'no-store', 'no-cache']);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: claimsOf(body.access_token).scope,
      refresh_token: expect.stringMatching(/^rt_/),
      refresh_token_expires_in: 2_592_000,
      session_id: sessionId,
      saas_token: expect.any(String),
    });
    expect(claimsOf(body.access_token)).toMatchObject({ kind: 'customer', client_id: SHOP, session_id: sessionId });
    expect(claimsOf(body.saas_token)).toMatchObject({ kind: 'saas', session_id: sessionId });
    expect(await isGood(at, body.access_token)).toBe(true);
    expect((await tryRefreshAs(at, SHOP, body.refresh_token)).status).toBe(200);
  });

  it('a guest goes on in the session, and nothing is stored', async () => {
    const { refreshToken, sessionId } = await guest(at);
    const { status, body } = await tryRefreshAs(at, SHOP, refreshToken);
    expect([status, Object.keys(body).sort()]).toEqual([
      200,
      ['access_token', 'expires_in', 'refresh_token', 'refresh_token_expires_in', 'scope', 'session_id', 'token_type'],
    ]);
    expect(claimsOf(body.access_token)).toMatchObject({ kind: 'anonymous', session_id: sessionId });
    expect((await tryRefreshAs(at, SHOP, body.refresh_token)).body.session_id).toBe(sessionId);
  });

  it('an employee goes on, as a client of the service itself, where employees sign in', async () => {
    const { refreshToken, sessionId } = await employee(at);
    const { status, body } = await tryRefreshAs(at, 'scopeward', refreshToken);
    expect([status, body.session_id, claimsOf(body.access_token).kind]).toEqual([200, sessionId, 'employee']);
    expect(body).not.toHaveProperty('saas_token');
    expect((await tryRefreshAs(at, 'scopeward', body.refresh_token)).status).toBe(200);
  });

  it('an identical retry gets the same successor', async () => {
    const { refreshToken } = await newCustomer();
    const answers = [await tryRefreshAs(at, SHOP, refreshToken), await tryRefreshAs(at, SHOP, refreshToken)];
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
  });
});

describe('legal_entity_id', () => {
  it('absent keeps the company, empty leaves it, an id switches', async () => {
    const [one, other] = [(await givenCompany(at)).id, (await givenCompany(at)).id];
    let { refreshToken } = await newCustomer({ [one]: 'BUYER', [other]: null });
    const seen: unknown[] = [];
    for (const legal_entity_id of [one, undefined, other, '', undefined]) {
      const { body } = await tryRefreshAs(at, SHOP, refreshToken, { legal_entity_id });
      seen.push([body.legal_entity_id, claimsOf(body.access_token).legalEntityId]);
      refreshToken = body.refresh_token;
    }
    expect(seen).toEqual([
      [one, one],
      [one, one],
      [other, other],
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it('a company that is not the customer’s is access_denied, in one answer for all, and nothing is spent', async () => {
    const disabled = await givenCompany(at);
    const unassigned = await givenCompany(at);
    const { refreshToken } = await newCustomer({ [disabled.id]: null });
    await at.app.modules.legalEntities.update(ctxOf('demo'), disabled.id, { enabled: false });
    const answers = [];
    for (const legal_entity_id of [disabled.id, unassigned.id, 'umbrella', randomUUID()])
      answers.push(await tryRefreshAs(at, SHOP, refreshToken, { legal_entity_id }));
    expect(shortly(answers[0]!)).toEqual([400, 'access_denied', null]);
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect((await tryRefreshAs(at, SHOP, refreshToken)).status).toBe(200);
  });

  it('is for customers: of guests and employees it is invalid_request, and nothing is spent', async () => {
    const visitor = await guest(at);
    const worker = await employee(at);
    for (const [client, token] of [
      [SHOP, visitor.refreshToken],
      ['scopeward', worker.refreshToken],
    ] as const) {
      const answer = await tryRefreshAs(at, client, token, { legal_entity_id: 'acme' });
      expect(shortly(answer)).toEqual([400, 'invalid_request', null]);
      expect((await tryRefreshAs(at, client, token)).status).toBe(200);
    }
  });
});

describe('a token in other hands', () => {
  it('case 27: client B presents A’s unspent token: invalid_grant, audited, and the family lives', async () => {
    const other = await givenClient(at, [], 'STOREFRONT');
    const crm = basic('demo-crm', 'demo-crm-secret');
    const parameters = { grant_type: 'refresh_token' };
    for (const { refreshToken: refresh_token, sessionId, client } of [
      { ...(await newCustomer()), client: SHOP },
      { ...(await guest(at)), client: SHOP },
      { ...(await employee(at)), client: 'scopeward' },
    ]) {
      const answers = [
        await tryRefreshAs(at, other.id, refresh_token),
        await tryRefreshAs(at, 'rival-storefront', refresh_token),
        await askToken(at, { ...parameters, refresh_token }, crm),
      ];
      for (const answer of answers) expect(shortly(answer)).toEqual([400, 'invalid_grant', null]);
      expect(await foreignUsesOf(sessionId)).toEqual([other.id, 'rival-storefront', 'demo-crm']);
      expect((await tryRefreshAs(at, client, refresh_token)).status).toBe(200);
    }
  });

  it('case 27: an employee’s token is not the storefront’s, nor a customer’s the service’s', async () => {
    const { refreshToken } = await newCustomer();
    expect(shortly(await tryRefreshAs(at, 'scopeward', refreshToken))).toEqual([400, 'invalid_grant', null]);
    expect(shortly(await tryRefreshAs(at, SHOP, (await employee(at)).refreshToken))).toEqual([
      400,
      'invalid_grant',
      null,
    ]);
    expect((await refresh(at, refreshToken)).sessionId).toBeTruthy();
  });

  it('a confidential client has to prove itself, a public one to be named', async () => {
    const { refreshToken } = await newCustomer();
    expect(shortly(await tryRefreshAs(at, 'demo-backend', refreshToken))).toEqual([401, 'invalid_client', 'Basic']);
    expect(shortly(await tryRefreshAs(at, 'nobody', refreshToken))).toEqual([401, 'invalid_client', 'Basic']);
    const unnamed = await askToken(at, { grant_type: 'refresh_token', refresh_token: refreshToken });
    expect(shortly(unnamed)).toEqual([401, 'invalid_client', 'Basic']);
    expect(shortly(await tryRefreshAs(at, SHOP, refreshToken, { client_secret: 'x' }))).toEqual([
      401,
      'invalid_client',
      'Basic',
    ]);
  });

  it('of a disabled client: the client is refused, whoever presents it', async () => {
    const { id } = await givenClient(at, [], 'STOREFRONT');
    const { refreshToken } = await guest(at, { clientId: id });
    await at.app.modules.clients.update(ctxOf('demo'), id, { enabled: false });
    expect(shortly(await tryRefreshAs(at, id, refreshToken))).toEqual([401, 'invalid_client', 'Basic']);
  });

  it('a token that was spent long ago ends the family', async () => {
    const { refreshToken, sessionId } = await newCustomer();
    const { body } = await tryRefreshAs(at, SHOP, refreshToken);
    await givenOldUses(at, sessionId);
    expect(shortly(await tryRefreshAs(at, SHOP, refreshToken))).toEqual([400, 'invalid_grant', null]);
    expect(shortly(await tryRefreshAs(at, SHOP, body.refresh_token))).toEqual([400, 'invalid_grant', null]);
    expect((await introspectAs(at, body.access_token)).text).toBe('{"active":false}');
  });
});

describe('what is no refresh token', () => {
  it('case 15: access tokens, saas tokens and garbage are invalid_grant, in one answer', async () => {
    const { accessToken, saasToken } = await newCustomer();
    const { accessToken: anonymous } = await guest(at);
    const answers = [];
    for (const token of [accessToken, saasToken, anonymous, 'garbage', `rt_${'A'.repeat(43)}`])
      answers.push(await tryRefreshAs(at, SHOP, token));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(shortly(answers[0]!)).toEqual([400, 'invalid_grant', null]);
  });

  it('none, or an empty one, is invalid_request', async () => {
    for (const refresh_token of [undefined, ''])
      expect(shortly(await askToken(at, { grant_type: 'refresh_token', client_id: SHOP, refresh_token }))).toEqual([
        400,
        'invalid_request',
        null,
      ]);
  });

  it('case 61: a service token comes with none, and cannot be refreshed', async () => {
    const { body } = await askToken(at, { grant_type: 'client_credentials' }, asBackend);
    expect(body).not.toHaveProperty('refresh_token');
    const parameters = { grant_type: 'refresh_token', refresh_token: body.access_token };
    expect(shortly(await askToken(at, parameters, asBackend))).toEqual([400, 'invalid_grant', null]);
  });
});

it('no secret of a body or a URL is in the log', async () => {
  const { refreshToken } = await newCustomer();
  const secret = `secret-${randomUUID()}`;
  await tryRefreshAs(at, SHOP, refreshToken, { client_secret: secret });
  await askToken(at, { grant_type: secret, refresh_token: refreshToken }, basic('demo-crm', secret));
  await fetch(`${at.url}/oauth/token?refresh_token=${refreshToken}&client_secret=${secret}`, { method: 'POST' });
  const { body } = await tryRefreshAs(at, SHOP, refreshToken);
  const log = at.logged.join('\n');
  expect(log).toContain('/oauth/token');
  for (const hidden of [refreshToken, secret, body.access_token, body.refresh_token, body.saas_token])
    expect(log).not.toContain(hidden);
});
