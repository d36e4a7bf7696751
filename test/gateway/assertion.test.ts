// `X-Identity-Assertion`: what a service that does not trust the network takes for true, and nothing else (case 131).

import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type AssertionVerifier,
  type AssertionVerifierOptions,
  createAssertionVerifier,
  requireSaasChecked,
} from '../../src/verify/verify.ts';
import { forgeOf, introspect, mutate, UNAUTHENTICATED } from '../kit/forge.ts';
import { givenEmployee, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, ISSUER, type Service, theService } from '../kit/service.ts';
import {
  claimsOf,
  employee,
  guest,
  headerOf,
  serviceToken,
  signIn,
  tryAssist,
  tryServiceToken,
} from '../kit/stories.ts';
import { by, check, FA, givenBuyer, refusal } from './check.ts';

let at: Service;
let buyer: Awaited<ReturnType<typeof givenBuyer>>;
let verifier: AssertionVerifier;
const made = new Set<AssertionVerifier>();

function verifierOf(options: Partial<AssertionVerifierOptions> = {}): AssertionVerifier {
  const one = createAssertionVerifier({ issuer: ISSUER, tenant: 'demo', url: at.url, onProblem: () => {}, ...options });
  made.add(one);
  return one;
}

beforeAll(async () => {
  at = await theService();
  buyer = await givenBuyer(at);
  verifier = verifierOf();
  await verifier.ready;
});
afterAll(() => {
  for (const one of made) one.close();
});

const assertionOf = async (accessToken: string, query = '', headers: Record<string, string> = {}) =>
  (await check(at, query, { ...by(accessToken), ...headers })).identity['X-Identity-Assertion']!;

const verdictOn = (assertion: string | string[] | undefined, of = verifier): Promise<string> =>
  of.verify(assertion).then(
    () => 'good',
    (error) => error.code,
  );

/** From now on it is so many milliseconds later. */
function later(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
  onTestFinished(() => void vi.useRealTimers());
}

describe('an assertion says what the other headers say', () => {
  it('a customer for a company, with the proof for checkout where it was asked for', async () => {
    const { acme, customer } = buyer;
    const assertion = await assertionOf(acme.accessToken);
    expect(headerOf(assertion).typ).toBe('identity-assertion+jwt');
    expect(claimsOf(assertion).exp - claimsOf(assertion).iat).toBe(60);
    const caller = await verifier.verify(assertion);
    expect(caller).toEqual({
      kind: 'customer',
      tenant: 'demo',
      id: customer.id,
      clientId: 'demo-storefront',
      scopes: acme.scopes,
      sessionId: acme.sessionId,
      legalEntityId: 'acme',
      actorId: null,
      tokenId: claimsOf(assertion).jti,
      expiresAt: new Date(claimsOf(assertion).exp * 1_000),
      hasSaas: false,
    });
    expect(() => requireSaasChecked(caller)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
    const atCheckout = await assertionOf(acme.accessToken, 'saas=required', { 'saas-token': acme.saasToken });
    expect(await verifier.verify(atCheckout)).toMatchObject({ legalEntityId: 'acme', hasSaas: true });
    // And from there it does not reach the location next door.
    expect(await verifier.verify(await assertionOf(acme.accessToken))).toMatchObject({ hasSaas: false });
  });

  it('a customer of no company, a guest, a service, an employee, and one who assists', async () => {
    const visitor = await guest(at);
    const assistant = await givenEmployee(at, ['customer.assisted_buying_manage']);
    const worker = await employee(at, assistant.email);
    const assisted = only(await tryAssist(at, worker.accessToken, { customerId: buyer.customer.id }));
    const callers = [buyer.plain, visitor, await serviceToken(at, 'demo-crm'), worker, assisted].map(
      async ({ accessToken }) => verifier.verify(await assertionOf(accessToken)),
    );
    const expected = [
      { kind: 'customer', id: buyer.customer.id, legalEntityId: null, actorId: null },
      { kind: 'anonymous', id: visitor.sessionId, sessionId: visitor.sessionId, legalEntityId: null },
      { kind: 'service', id: 'demo-crm', sessionId: null, legalEntityId: null },
      { kind: 'employee', id: assistant.id, sessionId: worker.sessionId },
      { kind: 'customer', id: buyer.customer.id, actorId: assistant.id },
    ];
    expect(await Promise.all(callers)).toMatchObject(expected);
  });
});

describe('case 131: what the sample verifier refuses', () => {
  it('none, two, an empty one, garbage', async () => {
    const assertion = await assertionOf(buyer.plain.accessToken);
    for (const header of [
      undefined,
      '',
      [assertion, assertion],
      `${assertion}, ${assertion}`,
      'garbage',
      `${assertion} `,
    ])
      expect([header, await verdictOn(header)]).toEqual([header, 'UNAUTHENTICATED']);
    await expect(verifier.verify(undefined)).rejects.toMatchObject({
      status: 401,
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  });

  it('after 61 s: at its end, whatever the clocks may differ by', async () => {
    const { accessToken } = await serviceToken(at, 'demo-crm');
    const assertion = await assertionOf(accessToken);
    const { iat } = claimsOf(assertion);
    for (const [seconds, verdict] of [
      [59, 'good'],
      [60, 'UNAUTHENTICATED'],
      [61, 'UNAUTHENTICATED'],
      [-4, 'good'],
      [-7, 'UNAUTHENTICATED'],
    ] as const) {
      vi.useFakeTimers({ toFake: ['Date'], now: (iat + seconds) * 1_000 });
      onTestFinished(() => void vi.useRealTimers());
      expect([seconds, await verdictOn(assertion)]).toEqual([seconds, verdict]);
    }
  });

  it('for another audience, of another issuer, of another tenant', async () => {
    const assertion = await assertionOf(buyer.plain.accessToken);
    for (const options of [
      { audience: 'https://api.test' },
      { audience: `${ISSUER}#behind-the-gateway` },
      { issuer: 'https://other.test' },
      { issuer: `${ISSUER}/`, audience: ISSUER },
      { tenant: 'rival' },
    ])
      expect([options, await verdictOn(assertion, verifierOf(options))]).toEqual([options, 'UNAUTHENTICATED']);
    const rivals = await assertionOf((await serviceToken(at, 'rival-backend')).accessToken);
    expect(await verdictOn(rivals)).toBe('UNAUTHENTICATED');
    expect(await verdictOn(rivals, verifierOf({ tenant: 'rival' }))).toBe('good');
  });

  it('a token of another kind, however good', async () => {
    const { plain } = buyer;
    const tokens = [plain.accessToken, plain.saasToken, plain.refreshToken, (await guest(at)).refreshToken];
    tokens.push((await serviceToken(at)).accessToken, (await employee(at)).accessToken);
    for (const token of tokens) expect(await verdictOn(token)).toBe('UNAUTHENTICATED');
    // Not for its type alone, nor for its audience alone.
    const forge = await forgeOf(at, plain.accessToken);
    const { iat } = forge.claims as { iat: number };
    const aud = `${ISSUER}#behind-the-gateway`;
    const shortLived = { exp: iat + 60 };
    for (const parts of [
      { header: { typ: 'identity-assertion+jwt' }, claims: shortLived },
      { claims: { ...shortLived, aud } },
      { header: { typ: 'identity-assertion+jwt' }, claims: { aud } },
      { header: { typ: 'identity-assertion+jwt' }, claims: { ...shortLived, aud: [aud] } },
      { header: { typ: 'identity-assertion+jwt' }, claims: { ...shortLived, aud, kind: 'saas' } },
      { header: { typ: 'identity-assertion+jwt' }, claims: { ...shortLived, aud, saas: 'true' } },
      { header: { typ: 'identity-assertion+jwt' }, claims: { ...shortLived, aud, act: 'somebody' } },
    ])
      expect([parts, await verdictOn(await forge.resign(parts))]).toEqual([parts, 'UNAUTHENTICATED']);
  });

  it('everything that cases 1 to 9 do to a token', async () => {
    const assertion = await assertionOf((await serviceToken(at, 'demo-crm')).accessToken);
    later(0);
    const mutations = (await mutate(at, assertion, 'http://127.0.0.1:9/trap')).filter(
      ({ case: number }) => number < 10,
    );
    expect(mutations.length).toBeGreaterThan(100);
    const wrong: string[] = [];
    for (const { name, token, good } of mutations) {
      const verdict = await verdictOn(token);
      if (verdict !== (good ? 'good' : 'UNAUTHENTICATED')) wrong.push(`${name}: ${verdict}`);
    }
    expect(wrong).toEqual([]);
  });

  it('one by a key that was retired in an emergency, once the keys are read again', async () => {
    const tenant = await givenTenant(at);
    const issue = async () =>
      only<{ accessToken: string }>(await tryServiceToken(at, tenant.backend.id, tenant.backend.clientSecret));
    const stolen = await assertionOf((await issue()).accessToken);
    const { signingKeys } = at.app.modules;
    await signingKeys.retire(ctxOf(tenant.id), signingKeys.current(tenant.id).kid, 'a test');
    const theirs = verifierOf({ tenant: tenant.id });
    expect(await verdictOn(stolen, theirs)).toBe('UNAUTHENTICATED');
    expect(await verdictOn(await assertionOf((await issue()).accessToken), theirs)).toBe('good');
  });

  it('all of them, as an outage, while there are no keys', async () => {
    const assertion = await assertionOf(buyer.plain.accessToken);
    expect(await verdictOn(assertion, verifierOf({ url: 'http://127.0.0.1:9' }))).toBe('SERVICE_UNAVAILABLE');
  });

  it('a tolerance out of bounds is refused at the start', () => {
    expect(() => verifierOf({ clockToleranceSeconds: 31 })).toThrow(RangeError);
  });
});

it('case 131: an assertion is no bearer, no saas-token, and nothing that introspection knows', async () => {
  const assertion = await assertionOf(buyer.acme.accessToken, 'saas=required', { 'saas-token': buyer.acme.saasToken });
  const asBearer = await graphql(at, '{ tenant { id } }', { bearer: assertion });
  expect(asBearer.errors).toEqual([expect.objectContaining(UNAUTHENTICATED)]);
  expect(refusal(await check(at, '', by(assertion)))).toEqual(FA(401));
  expect(refusal(await check(at, 'optional=true', by(assertion)))).toEqual(FA(401));
  const beside = { ...by(buyer.acme.accessToken), 'saas-token': assertion };
  expect(refusal(await check(at, 'saas=required', beside))).toEqual(FA(403));
  expect(only<{ active: boolean }>(await introspect(at, (await serviceToken(at)).accessToken, assertion)).active).toBe(
    false,
  );
});

describe('an assertion is made once for a while', () => {
  it('the same one for half a minute, then another; and never one that outlives its token', async () => {
    const { accessToken } = await serviceToken(at, 'demo-crm');
    const first = await assertionOf(accessToken);
    expect(await assertionOf(accessToken)).toBe(first);
    later(31_000);
    const second = await assertionOf(accessToken);
    expect(second).not.toBe(first);
    expect(claimsOf(second).exp - Math.floor(Date.now() / 1_000)).toBe(60);
    vi.setSystemTime((claimsOf(accessToken).exp - 20) * 1_000);
    // With the leeway that the token itself is given.
    expect(claimsOf(await assertionOf(accessToken)).exp).toBe(claimsOf(accessToken).exp + 5);
  });

  it('two tokens of one session, and two companies, never share one', async () => {
    const { plain, acme, globex } = buyer;
    const made = await Promise.all([plain, acme, globex, acme].map(({ accessToken }) => assertionOf(accessToken)));
    expect(made.map((assertion) => claimsOf(assertion).legalEntityId)).toEqual([undefined, 'acme', 'globex', 'acme']);
    expect(made[1]).toBe(made[3]);
  });

  it('not after its token was revoked', async () => {
    const session = await signIn(at);
    await assertionOf(session.accessToken);
    await graphql(at, 'mutation { logout { sessionsEnded } }', { bearer: session.accessToken });
    expect(refusal(await check(at, '', by(session.accessToken)))).toEqual(FA(401));
  });

  it('a rotated key signs from the next one on', async () => {
    const tenant = await givenTenant(at);
    const { accessToken } = only<{ accessToken: string }>(
      await tryServiceToken(at, tenant.backend.id, tenant.backend.clientSecret),
    );
    const before = headerOf(await assertionOf(accessToken)).kid;
    const current = await at.app.modules.signingKeys.rotate(ctxOf(tenant.id));
    expect(headerOf(await assertionOf(accessToken)).kid).toBe(current.id);
    expect(before).not.toBe(current.id);
  });
});
