// What a service asks of its callers: scopes by Scopeward's own rules, kind, company, and the saas token at checkout.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AccessError,
  type Caller,
  hasScopes,
  requireCaller,
  requireCompany,
  requireKind,
  requireScopes,
  type Verifier,
} from '../../src/verify/verify.ts';
import { forgeOf } from '../kit/forge.ts';
import { givenClient, givenCustomer } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { type Service, theService } from '../kit/service.ts';
import { guest, refresh, serviceToken, signIn, tryServiceToken } from '../kit/stories.ts';
import { closeVerifiers, givenVerifier } from './given.ts';

let at: Service;
let verifier: Verifier;
beforeAll(async () => {
  at = await theService();
  verifier = await givenVerifier(at);
});
afterAll(closeVerifiers);

const thrownBy = (act: () => unknown): Partial<AccessError> | null => {
  try {
    act();
    return null;
  } catch (error) {
    const { code, status, details, headers } = error as AccessError;
    expect(error).toBeInstanceOf(AccessError);
    return { code, status, details, headers };
  }
};

/** The caller of a service token with exactly these scopes. */
async function callerWith(...scopes: string[]): Promise<Caller> {
  const client = await givenClient(at, scopes);
  const { accessToken } = only<{ accessToken: string }>(
    await tryServiceToken(at, client.id, client.clientSecret, scopes),
  );
  return verifier.verify(accessToken);
}

describe('requireScopes', () => {
  it('the same scope, its synonym, and the wide one for its own; never the other way round', async () => {
    const reader = await callerWith('order.order_read', 'quote.quote_read_own', 'catalog.catalog_view');
    for (const needed of [
      'order.order_read',
      'order.order_view',
      'order.order_read_own',
      'order.order_view_own',
      'quote.quote_read_own',
      'quote.quote_view_own',
      'catalog.catalog_read',
    ]) {
      expect([needed, hasScopes(reader, needed)]).toEqual([needed, true]);
      expect(requireScopes(reader, needed)).toBe(reader);
    }
    for (const needed of [
      'quote.quote_read',
      'order.order_create',
      'order.order',
      'order.order_read_le',
      'ORDER.ORDER_READ',
      'order.*',
      '',
    ]) {
      expect([needed, hasScopes(reader, needed)]).toEqual([needed, false]);
    }
  });

  it('needs all of them, and says which are missing: 403 with the challenge of RFC 6750', async () => {
    const reader = await callerWith('order.order_read');
    expect(
      thrownBy(() => requireScopes(reader, 'order.order_read', 'order.order_create', 'order.order_delete')),
    ).toEqual({
      code: 'FORBIDDEN',
      status: 403,
      details: {
        requiredScopes: [['order.order_read', 'order.order_create', 'order.order_delete']],
        missingScopes: ['order.order_create', 'order.order_delete'],
      },
      headers: {
        'WWW-Authenticate':
          'Bearer error="insufficient_scope", scope="order.order_read order.order_create order.order_delete"',
      },
    });
  });

  it('nobody is 401 without an error code, since no token was shown (RFC 6750 s.3.1)', () => {
    for (const ask of [requireCaller, requireScopes, requireKind, requireCompany]) {
      expect(thrownBy(() => ask(null))).toMatchObject({ status: 401, headers: { 'WWW-Authenticate': 'Bearer' } });
    }
  });

  it('a caller cannot be given scopes', async () => {
    const reader = await callerWith('order.order_read');
    expect(() => (reader.scopes as string[]).push('order.order_create')).toThrow(TypeError);
    expect(() => Object.assign(reader, { legalEntityId: 'acme' })).toThrow(TypeError);
  });
});

it('requireKind and requireCompany: a guest is no customer, and a customer without a company has none', async () => {
  const customer = await givenCustomer(at, { acme: 'BUYER' });
  const [visitor, plain, buyer] = await Promise.all(
    [
      await guest(at),
      await signIn(at, customer.email),
      await signIn(at, customer.email, { legalEntityId: 'acme' }),
    ].map(({ accessToken }) => verifier.verify(accessToken)),
  );
  expect(requireKind(plain!, 'customer', 'employee')).toBe(plain);
  expect(thrownBy(() => requireKind(visitor!, 'customer'))).toMatchObject({ details: { reason: 'WRONG_KIND' } });
  expect(requireCompany(buyer!).legalEntityId).toBe('acme');
  for (const other of [visitor!, plain!]) {
    expect(thrownBy(() => requireCompany(other))).toMatchObject({
      status: 403,
      details: { reason: 'COMPANY_REQUIRED' },
    });
  }
});

describe('case 127: requireSaas', () => {
  const refusal = { code: 'FORBIDDEN', status: 403, details: { reason: 'SAAS_TOKEN_REQUIRED' } };

  it('takes the saas token of the same customer, session and company, and no other in any respect', async () => {
    const [one, other] = [await givenCustomer(at, { acme: 'BUYER', globex: 'BUYER' }), await givenCustomer(at)];
    const mine = await signIn(at, one.email, { legalEntityId: 'acme' });
    const caller = await verifier.verify(mine.accessToken);
    await verifier.requireSaas(caller, mine.saasToken);

    const sameSession = await signIn(at, one.email, { legalEntityId: 'acme' });
    const forge = await forgeOf(at, mine.saasToken);
    const now = Math.floor(Date.now() / 1000);
    const refused: Record<string, string | null | undefined> = {
      'another customer': (await signIn(at, other.email)).saasToken,
      'another customer, all else alike': await forge.resign({ claims: { sub: other.id } }),
      'another session': sameSession.saasToken,
      'another company': (await refresh(at, mine.refreshToken, { legalEntityId: 'globex' })).saasToken,
      'no company': await forge.resign({ claims: { legalEntityId: undefined } }),
      expired: await forge.resign({ claims: { iat: now - 600, exp: now - 60 } }),
      'another type': await forge.resign({ header: { typ: 'at+jwt' } }),
      'the bearer itself': mine.accessToken,
      'another tenant': (await signIn(at, 'mallory@rival.example')).saasToken,
      forged: `${mine.saasToken.slice(0, -4)}AAAA`,
      'no token': 'nonsense',
      empty: '',
      null: null,
      absent: undefined,
    };
    for (const [name, token] of Object.entries(refused)) {
      const error = await verifier.requireSaas(caller, token).then(
        () => null,
        ({ code, status, details }) => ({ code, status, details }),
      );
      expect([name, error]).toEqual([name, refusal]);
    }
    await verifier.requireSaas(caller, mine.saasToken);
  });

  it('of a customer without a company beside a bearer for one, and the other way round', async () => {
    const customer = await givenCustomer(at, { acme: 'BUYER' });
    const plain = await signIn(at, customer.email);
    const forAcme = await refresh(at, plain.refreshToken, { legalEntityId: 'acme' });
    const [asThemself, asBuyer] = [
      await verifier.verify(plain.accessToken),
      await verifier.verify(forAcme.accessToken),
    ];
    await verifier.requireSaas(asThemself, plain.saasToken);
    await verifier.requireSaas(asBuyer, forAcme.saasToken);
    await expect(verifier.requireSaas(asThemself, forAcme.saasToken)).rejects.toMatchObject(refusal);
    await expect(verifier.requireSaas(asBuyer, plain.saasToken)).rejects.toMatchObject(refusal);
  });

  it('nobody is 401, and a service or a guest has no such token', async () => {
    const { saasToken } = await signIn(at);
    await expect(verifier.requireSaas(null, saasToken)).rejects.toMatchObject({ status: 401 });
    for (const { accessToken } of [await guest(at), await serviceToken(at, 'demo-crm')]) {
      const caller = await verifier.verify(accessToken);
      await expect(verifier.requireSaas(caller, saasToken)).rejects.toMatchObject(refusal);
    }
  });
});
