// The sequence of the B2B token, step by step, on two instances that share a PostgreSQL, with a service behind them that
// verifies by itself: security.md cases 42, 45 and 46. The two instances are asked in turn, as behind a load balancer.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { givenCompany, givenCustomer } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import {
  type CustomerToken,
  claimsOf,
  type GuestToken,
  guest,
  isGood,
  refresh,
  refusedAfter,
  serviceToken,
  signIn,
  tryB2B,
  tryLogin,
  tryRefresh,
} from '../kit/stories.ts';
import { closeVerifiers, givenVerifier } from '../verify/given.ts';
import { startOrders } from './orders-service.ts';

const cluster = inject('postgresUrl');
const root = join(import.meta.dirname, '../..');
const BEA = 'buyer@demo.example';

/** What an administrator does when somebody leaves a company. */
const unassign = (at: Service, customerId: string, legalEntityId: string) =>
  at.app.modules.contactAssignments.unassign(ctxOf('demo'), { customerId, legalEntityId });

describe.skipIf(cluster === null)('two instances, one PostgreSQL (skipped without server binaries)', () => {
  let a: Service;
  let b: Service;
  let orders: Awaited<ReturnType<typeof startOrders>>;

  beforeAll(async () => {
    const DATABASE_URL = await createDatabaseIn(cluster!);
    a = await startService({ DATABASE_URL });
    b = await startService({ DATABASE_URL, SEED_DEMO: 'false' });
    const setUp = ['--import', 'tsx', 'examples/orders-service/set-up.ts', '--url', a.url];
    await promisify(execFile)(process.execPath, setUp, { cwd: root });
    orders = await startOrders(await givenVerifier(a));
  }, 180_000);
  afterAll(async () => {
    closeVerifiers();
    orders?.stop();
    await Promise.all([a?.stop(), b?.stop()]);
  });

  const order = (token: CustomerToken, productId = 'paper') =>
    graphql(
      orders,
      'mutation ($id: ID!) { placeOrder(productId: $id) { id customerId legalEntityId product { id } placedBy } }',
      { bearer: token.accessToken, headers: { 'saas-token': token.saasToken }, variables: { id: productId } },
    );
  const ordersOf = async (bearer: string): Promise<{ id: string; customerId: string; legalEntityId: string }[]> =>
    only(await graphql(orders, '{ orders { id customerId legalEntityId } }', { bearer }));

  describe('the sequence', () => {
    let visitor: GuestToken;
    let session: CustomerToken;
    let forAcme: CustomerToken;

    it('login', async () => {
      visitor = await guest(a);
      session = only(await tryLogin(b, { email: BEA, anonymousToken: visitor.accessToken }));
      expect(session).toMatchObject({ sessionId: visitor.sessionId, legalEntity: null });
      expect(claimsOf(session.accessToken)).not.toHaveProperty('legalEntityId');
    });

    it('fetch /me', async () => {
      const me = only(
        await graphql(
          a,
          '{ currentPrincipal { kind ... on CustomerPrincipal { customer { email } legalEntity { id } legalEntities { id name } } } }',
          { bearer: session.accessToken },
        ),
      );
      expect(me).toEqual({
        kind: 'CUSTOMER',
        customer: { email: BEA },
        legalEntity: null,
        legalEntities: [
          { id: 'acme', name: 'ACME' },
          { id: 'globex', name: 'Globex' },
        ],
      });
    });

    it('choose a company', async () => {
      // One that is not hers is refused, and the refresh token is not spent.
      const foreign = await tryB2B(a, session.refreshToken, 'initech');
      const unknown = await tryB2B(b, session.refreshToken, 'no-such-company');
      expect([foreign.code, unknown.code]).toEqual(['ACCESS_DENIED', 'ACCESS_DENIED']);
      expect(unknown.errors[0]!.message).toBe(foreign.errors[0]!.message);
    });

    it('refresh with the company', async () => {
      forAcme = only(await tryB2B(b, session.refreshToken, 'acme'));
      expect(forAcme).toMatchObject({ legalEntity: { id: 'acme' }, sessionId: visitor.sessionId });
      expect(forAcme.refreshToken).not.toBe(session.refreshToken);
    });

    it('validate', async () => {
      const { accessToken: backend } = await serviceToken(a);
      const query =
        'query ($token: String!) { introspectToken(token: $token) { active kind subject sessionId legalEntityId scopes } }';
      for (const at of [a, b]) {
        const expected = {
          active: true,
          subject: forAcme.customer.id,
          sessionId: visitor.sessionId,
          legalEntityId: 'acme',
        };
        for (const [token, kind, scopes] of [
          [forAcme.accessToken, 'CUSTOMER', forAcme.scopes],
          [forAcme.saasToken, 'SAAS', []],
        ] as const) {
          expect(only(await graphql(at, query, { bearer: backend, variables: { token } }))).toEqual({
            ...expected,
            kind,
            scopes,
          });
        }
        const me = await graphql(at, '{ currentPrincipal { ... on CustomerPrincipal { legalEntity { id } } } }', {
          bearer: forAcme.accessToken,
        });
        expect(only(me)).toEqual({ legalEntity: { id: 'acme' } });
      }
    });

    it('new token', async () => {
      const [before, now] = [claimsOf(session.accessToken), claimsOf(forAcme.accessToken)];
      expect(now).toMatchObject({
        kind: 'customer',
        legalEntityId: 'acme',
        sub: before.sub,
        session_id: before.session_id,
      });
      const gained = forAcme.scopes.filter((scope) => !session.scopes.includes(scope));
      expect(gained).toEqual(expect.arrayContaining(['iam.group_read_own', 'order.order_post', 'order.order_read_le']));
      expect(session.scopes.filter((scope) => !forAcme.scopes.includes(scope))).toEqual([]);
      expect(claimsOf(forAcme.saasToken)).toMatchObject({ legalEntityId: 'acme', sub: before.sub, scope: '' });
    });

    it('passed to other services', async () => {
      const placed = only(await order(forAcme, 'drill'));
      expect(placed).toMatchObject({
        customerId: forAcme.customer.id,
        legalEntityId: 'acme',
        product: { id: 'drill' },
        placedBy: null,
      });
      expect(await ordersOf(forAcme.accessToken)).toContainEqual(expect.objectContaining({ id: placed.id }));
      // The token from before, without a company, is good and not enough.
      const { code, errors } = await order(session);
      expect([code, errors[0]!.extensions.missingScopes]).toEqual(['FORBIDDEN', ['order.order_post']]);
    });
  });

  it('with order.order_read_le a member reads all orders of the company, without it their own', async () => {
    const bea = await signIn(a, BEA, { legalEntityId: 'acme' });
    const rae = await signIn(b, 'requester@demo.example', { legalEntityId: 'acme' });
    const [hers, theirs] = [only(await order(bea)), only(await order(rae))];
    const seenByRae = await ordersOf(rae.accessToken);
    expect(seenByRae.map(({ id }) => id)).toEqual([theirs.id]);
    const seenByBea = (await ordersOf(bea.accessToken)).map(({ id }) => id);
    expect(seenByBea).toEqual(expect.arrayContaining([hers.id, theirs.id]));
  });

  it('a guest, and a customer without a company, order nothing; a saas token of the other company does not help', async () => {
    const acme = await signIn(a, BEA, { legalEntityId: 'acme' });
    const globex = await signIn(b, BEA, { legalEntityId: 'globex' });
    const mixed = await order({ ...acme, saasToken: globex.saasToken });
    expect([mixed.code, mixed.errors[0]!.extensions.reason]).toEqual(['FORBIDDEN', 'SAAS_TOKEN_REQUIRED']);
    const visitor = await guest(a);
    expect((await graphql(orders, '{ orders { id } }', { bearer: visitor.accessToken })).code).toBe('FORBIDDEN');
    expect((await graphql(orders, '{ orders { id } }')).code).toBe('UNAUTHENTICATED');
  });

  it('two tabs with two companies never see each other’s orders', async () => {
    const started = await signIn(a, BEA, { legalEntityId: 'acme' });
    const globex = await refresh(b, started.refreshToken, { legalEntityId: 'globex', branch: true });
    expect(globex.branchedFrom!.legalEntity).toEqual({ id: 'acme' });
    const acme = await refresh(a, globex.branchedFrom!.refreshToken);
    expect([acme.sessionId, globex.sessionId]).toEqual([started.sessionId, started.sessionId]);

    let tabs = { acme, globex };
    const placed: Record<string, string[]> = { acme: [], globex: [] };
    for (let round = 0; round < 5; round += 1) {
      for (const [company, tab] of Object.entries(tabs)) {
        const made = only(await order(tab));
        expect(made.legalEntityId).toBe(company);
        placed[company]!.push(made.id);
        const seen = await ordersOf(tab.accessToken);
        expect(new Set(seen.map(({ legalEntityId }) => legalEntityId))).toEqual(new Set([company]));
      }
      // Both at once, each with its own branch, on different instances.
      const [nextAcme, nextGlobex] = await Promise.all([
        refresh(round % 2 ? a : b, tabs.acme.refreshToken),
        refresh(round % 2 ? b : a, tabs.globex.refreshToken),
      ]);
      expect([nextAcme.legalEntity?.id, nextGlobex.legalEntity?.id]).toEqual(['acme', 'globex']);
      tabs = { acme: nextAcme, globex: nextGlobex };
    }
    const idsSeen = async (token: CustomerToken) => (await ordersOf(token.accessToken)).map(({ id }) => id);
    const [inAcme, inGlobex] = [await idsSeen(tabs.acme), await idsSeen(tabs.globex)];
    expect(inAcme).toEqual(expect.arrayContaining(placed.acme!));
    expect(inGlobex).toEqual(placed.globex);
    expect(inAcme.filter((id) => inGlobex.includes(id))).toEqual([]);
    // What one company's segment buys is not there for the other.
    expect((await order(tabs.globex, 'drill')).code).toBe('NOT_FOUND');
    expect((await order(tabs.acme, 'pipette')).code).toBe('NOT_FOUND');
  });

  it('case 42: a contact removed while shopping is refused everywhere within a second, and goes on as themself', async () => {
    const company = await givenCompany(a);
    const felt: Record<string, number[]> = { 'the other instance': [], 'the orders service': [] };
    for (let round = 0; round < 5; round += 1) {
      const customer = await givenCustomer(a, { [company.id]: 'BUYER', acme: 'BUYER' });
      const shopping = await signIn(a, customer.email, { legalEntityId: company.id });
      const elsewhere = await signIn(b, customer.email, { legalEntityId: 'acme' });
      expect([await isGood(a, shopping.accessToken), await isGood(b, shopping.accessToken)]).toEqual([true, true]);
      expect(await ordersOf(shopping.accessToken)).toEqual([]);

      // Removed on the other instance than the orders service follows.
      await unassign(b, customer.id, company.id);
      expect(await isGood(b, shopping.accessToken)).toBe(false);
      const began = performance.now();
      const refusedByOrders = async () => {
        for (;;) {
          const { code } = await graphql(orders, '{ orders { id } }', { bearer: shopping.accessToken });
          if (code === 'UNAUTHENTICATED' || performance.now() - began > 5_000) return performance.now() - began;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      };
      const [there, byOrders] = await Promise.all([refusedAfter(a, shopping.accessToken, 5_000), refusedByOrders()]);
      felt['the other instance']!.push(there);
      felt['the orders service']!.push(byOrders);

      // The other company's token is untouched, and the customer needs no login to go on.
      expect(await isGood(a, elsewhere.accessToken)).toBe(true);
      expect(await ordersOf(elsewhere.accessToken)).toEqual([]);
      expect((await tryRefresh(a, shopping.refreshToken)).code).toBe('ACCESS_DENIED');
      const asThemself = await refresh(b, shopping.refreshToken, { legalEntityId: null });
      expect(asThemself).toMatchObject({ legalEntity: null, sessionId: shopping.sessionId });
      for (const at of [a, b]) expect(await isGood(at, asThemself.accessToken)).toBe(true);
      expect(only(await graphql(orders, '{ products { id } }', { bearer: asThemself.accessToken }))).toEqual([
        { id: 'paper' },
      ]);
      const again = await tryRefresh(a, asThemself.refreshToken, { legalEntityId: company.id });
      expect(again.code).toBe('ACCESS_DENIED');
    }
    for (const [where, times] of Object.entries(felt)) {
      console.log(`removed contact refused by ${where} after ${times.map((ms) => Math.round(ms)).join(', ')} ms`);
      for (const ms of times) expect(ms).toBeLessThan(1_000);
    }
  });
});
