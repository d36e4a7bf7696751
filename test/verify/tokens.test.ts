// Which tokens another service accepts by itself: the same as Scopeward, and no others.

import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Verifier } from '../../src/verify/verify.ts';
import { forgeOf, mutate } from '../kit/forge.ts';
import { givenCustomer, givenEmployee } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { ISSUER, type Service, startService, theService } from '../kit/service.ts';
import { claimsOf, employee, guest, serviceToken, signIn, tryAssist } from '../kit/stories.ts';
import { closeVerifiers, givenVerifier, verdictOn } from './given.ts';

let at: Service;
let verifier: Verifier;
beforeAll(async () => {
  at = await theService();
  verifier = await givenVerifier(at);
});
afterAll(closeVerifiers);

const B2B = { legalEntityId: 'acme' };

describe('good tokens say who calls', () => {
  const expectedOf = (token: string) => {
    const claims = claimsOf(token);
    return {
      tenant: 'demo',
      id: claims.sub,
      clientId: claims.client_id,
      scopes: claims.scope === '' ? [] : claims.scope.split(' '),
      tokenId: claims.jti,
      expiresAt: new Date(claims.exp * 1000),
      sessionId: claims.session_id ?? null,
      legalEntityId: null,
      actorId: null,
    };
  };

  it('a service', async () => {
    const { accessToken } = await serviceToken(at, 'demo-crm');
    const caller = await verifier.verify(accessToken);
    expect(caller).toEqual({ ...expectedOf(accessToken), kind: 'service' });
    expect(caller).toMatchObject({ id: 'demo-crm', clientId: 'demo-crm', sessionId: null });
  });

  it('an employee', async () => {
    const person = await givenEmployee(at, ['order.order_read']);
    const { accessToken } = await employee(at, person.email);
    const caller = await verifier.verify(accessToken);
    expect(caller).toEqual({ ...expectedOf(accessToken), kind: 'employee' });
    expect(caller).toMatchObject({ id: person.id, scopes: ['order.order_read'] });
  });

  it('a guest', async () => {
    const { accessToken, sessionId } = await guest(at);
    const caller = await verifier.verify(accessToken);
    expect(caller).toEqual({ ...expectedOf(accessToken), kind: 'anonymous' });
    expect(caller).toMatchObject({ sessionId });
  });

  it('a customer, without a company and for one', async () => {
    const customer = await givenCustomer(at, { acme: 'BUYER' });
    const plain = await signIn(at, customer.email);
    expect(await verifier.verify(plain.accessToken)).toEqual({
      ...expectedOf(plain.accessToken),
      kind: 'customer',
    });
    const forAcme = await signIn(at, customer.email, B2B);
    const caller = await verifier.verify(forAcme.accessToken);
    expect(caller).toEqual({ ...expectedOf(forAcme.accessToken), kind: 'customer', legalEntityId: 'acme' });
    expect(caller).toMatchObject({ id: customer.id, scopes: forAcme.scopes });
  });

  it('a customer whom an employee assists: the actor is named', async () => {
    const customer = await givenCustomer(at);
    const person = await givenEmployee(at, ['customer.assisted_buying_manage']);
    const { accessToken: bearer } = await employee(at, person.email);
    const { accessToken } = only(await tryAssist(at, bearer, { customerId: customer.id }));
    const caller = await verifier.verify(accessToken);
    expect(caller).toEqual({ ...expectedOf(accessToken), kind: 'customer', actorId: person.id });
  });
});

describe('no others', () => {
  it.each([
    ['a service', () => serviceToken(at, 'demo-crm').then(({ accessToken }) => accessToken)],
    ['an employee', () => employee(at).then(({ accessToken }) => accessToken)],
    ['a guest', () => guest(at).then(({ accessToken }) => accessToken)],
    ['a customer for a company', () => signIn(at, 'buyer@demo.example', B2B).then(({ accessToken }) => accessToken)],
  ])('cases 1 to 12: everything that can be done to the token of %s is refused', async (_name, issue) => {
    const token = await issue();
    // Some are good for less than a second more.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    onTestFinished(() => void vi.useRealTimers());
    const mutations = await mutate(at, token, 'http://127.0.0.1:9/trap');
    expect(mutations.length).toBeGreaterThan(150);
    const wrong: string[] = [];
    for (const { case: number, name, token: forged, good } of mutations) {
      const verdict = await verdictOn(verifier, forged);
      if (verdict !== (good ? 'good' : 'UNAUTHENTICATED')) wrong.push(`${number} ${name}: ${verdict}`);
    }
    expect(wrong).toEqual([]);
  });

  it('saas tokens and refresh tokens are no bearers', async () => {
    const { saasToken, refreshToken } = await signIn(at);
    const { refreshToken: ofGuest } = await guest(at);
    for (const token of [saasToken, refreshToken, ofGuest, '', 'x', 'a.b.c']) {
      expect(await verdictOn(verifier, token)).toBe('UNAUTHENTICATED');
    }
  });

  it('expired, by more than the leeway', async () => {
    const { accessToken } = await serviceToken(at, 'demo-crm');
    const forge = await forgeOf(at, accessToken);
    const now = Math.floor(Date.now() / 1000);
    const endedAgo = (seconds: number) => forge.resign({ claims: { iat: now - 600, exp: now - seconds } });
    expect(await verdictOn(verifier, await endedAgo(3))).toBe('good');
    expect(await verdictOn(verifier, await endedAgo(7))).toBe('UNAUTHENTICATED');
  });

  it('of another tenant: neither its own tokens, nor what its key says of this one', async () => {
    const { accessToken } = await serviceToken(at, 'rival-backend');
    expect(await verdictOn(verifier, accessToken)).toBe('UNAUTHENTICATED');
    const own = await serviceToken(at, 'demo-crm');
    const rival = await forgeOf(at, own.accessToken, 'rival');
    expect(await verdictOn(verifier, await rival.resign())).toBe('UNAUTHENTICATED');
    const client = { id: 'rival-backend', secret: 'rival-backend-secret' };
    const theirs = await givenVerifier(at, { tenant: 'rival', client });
    expect(await verdictOn(theirs, accessToken)).toBe('good');
    expect(await verdictOn(theirs, own.accessToken)).toBe('UNAUTHENTICATED');
  });

  it('of another issuer or audience than the service was told', async () => {
    const { accessToken } = await serviceToken(at, 'demo-crm');
    for (const options of [
      { issuer: 'https://other.test' },
      { issuer: `${ISSUER}/`, audience: ISSUER },
      { audience: 'https://api.test' },
    ]) {
      const other = await givenVerifier(at, { url: at.url, ...options });
      expect(await verdictOn(other, accessToken)).toBe('UNAUTHENTICATED');
    }
  });

  it('says nothing of why, and challenges as RFC 6750 has it', async () => {
    await expect(verifier.verify('garbage')).rejects.toMatchObject({
      message: 'A valid access token is needed.',
      status: 401,
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    });
  });
});

it('tokens signed with EdDSA are verified alike', async () => {
  const service = await startService({ SIGNING_ALGORITHM: 'EdDSA', DATABASE_URL: 'memory:' });
  try {
    const other = await givenVerifier(service);
    const { accessToken } = await serviceToken(service, 'demo-crm');
    expect(await verdictOn(other, accessToken)).toBe('good');
    other.close();
  } finally {
    await service.stop();
  }
});

it('a tolerance that would let ended tokens live on is refused at the start', async () => {
  await expect(givenVerifier(at, { clockToleranceSeconds: 31 })).rejects.toThrow(RangeError);
  await expect(givenVerifier(at, { staleAfterSeconds: 0 })).rejects.toThrow(RangeError);
});
