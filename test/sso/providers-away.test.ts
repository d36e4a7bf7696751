// Providers that are away, change their keys while somebody signs in, or are met by two instances. An outage there is
// SERVICE_UNAVAILABLE here, never a refusal, and whoever signs in otherwise does not notice.

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { type OpenIdProvider, passThrough, startProvider, tokensOf } from '../kit/oidc.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import {
  callbackOf,
  connect,
  type Entered,
  pass,
  startSso,
  tryExchange,
  tryIssueSsoToken,
  tryPass,
  tryStartSso,
} from '../kit/oidc-stories.ts';
import { type Service, theService } from '../kit/service.ts';
import { guest, isGood, PASSWORD, tryEmployeeLogin, tryLogin, tryRefresh } from '../kit/stories.ts';
import { onBoth, onInstances } from '../security/b-refresh-families.ts';

let at: Service;
let idp: OpenIdProvider;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
beforeAll(async () => {
  at = await theService();
  tenant = await givenTenant(at);
});
beforeEach(async () => {
  idp = await startProvider();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await idp.stop();
});

/** Somebody whom the provider brings. */
function newPerson(): string {
  const login = `person-${randomUUID()}`;
  idp.accounts.set(login, { email: `${login}@test.example`, email_verified: true });
  return login;
}
const newGuest = () => guest(at, { tenant: tenant.id, clientId: tenant.storefront });
const provisioning = (settings: object = {}) => connect(at, tenant, idp, { autoProvision: true, ...settings });
/** Everybody else signs in as ever. */
async function expectLocalLogins() {
  const { accessToken: anonymousToken } = await newGuest();
  only(await tryLogin(at, { email: tenant.customer.email, password: PASSWORD, anonymousToken }));
  only(await tryEmployeeLogin(at, tenant.employee.email, PASSWORD, tenant.id));
}

describe('a provider that is away', () => {
  it('before anybody began: SERVICE_UNAVAILABLE, local logins as ever, and well when it is back', async () => {
    const provider = await provisioning();
    const login = newPerson();
    await idp.goAway();
    expect((await tryStartSso(at, { tenant: tenant.id, provider })).code).toBe('SERVICE_UNAVAILABLE');
    await expectLocalLogins();
    await idp.comeBack();
    only(await tryPass(at, { tenant: tenant.id, provider }, login));
  });

  it('when the browser comes back: SERVICE_UNAVAILABLE; the guest stays a guest, and may begin again', async () => {
    const provider = await provisioning();
    const login = newPerson();
    const { accessToken: anonymousToken, sessionId } = await newGuest();
    const begun = await startSso(at, { tenant: tenant.id, provider, anonymousToken });
    const returned = await passThrough(begun.authorizationUrl, login);
    await idp.goAway();
    const answer = await tryIssueSsoToken(at, callbackOf(begun, returned));
    expect([answer.code, answer.body.includes(idp.issuer)]).toEqual(['SERVICE_UNAVAILABLE', false]);
    expect(await isGood(at, anonymousToken)).toBe(true);
    await expectLocalLogins();
    await idp.comeBack();
    expect((await pass(at, { tenant: tenant.id, provider, anonymousToken }, login)).sessionId).toBe(sessionId);
  });

  it('when tokens are exchanged: SERVICE_UNAVAILABLE, and the same token is good when it is back', async () => {
    const opaque = await provisioning({ subjectTokens: 'OPAQUE', audience: idp.audiences.OPAQUE });
    const signed = await provisioning({ subjectTokens: 'JWT', audience: idp.audiences.JWT });
    const login = newPerson();
    const exchanges = [
      { provider: opaque, subjectToken: (await tokensOf(idp, login, idp.audiences.OPAQUE)).access_token },
      { provider: signed, subjectToken: (await tokensOf(idp, login, idp.audiences.JWT)).access_token },
    ].map((input) => ({ tenant: tenant.id, ...input }));
    await idp.goAway();
    for (const input of exchanges) expect((await tryExchange(at, input)).code).toBe('SERVICE_UNAVAILABLE');
    await idp.comeBack();
    for (const input of exchanges) only(await tryExchange(at, input));
  });

  it('ends nobody who signed in by it: sessions and refresh tokens are ours', async () => {
    const provider = await provisioning();
    const token = await pass(at, { tenant: tenant.id, provider }, newPerson());
    await idp.goAway();
    expect(await isGood(at, token.accessToken)).toBe(true);
    only(await tryRefresh(at, token.refreshToken));
  });
});

describe('a provider that fails', () => {
  let failing: MisbehavingProvider;
  let provider: string;
  beforeAll(async () => {
    failing = await startMisbehaving();
    provider = await connect(at, tenant, failing, { autoProvision: true });
  });
  afterAll(() => failing?.stop());

  it.each(['token', 'jwks', 'userinfo'] as const)(
    'at %s with 500 or 503: SERVICE_UNAVAILABLE, no session',
    async (endpoint) => {
      const db = at.app.modules.database.forTenant({ tenantId: tenant.id });
      const before = await db.session.count();
      for (const status of [500, 503]) {
        failing.instead.set(endpoint, (_request, response) => response.writeHead(status).end());
        const begun = await startSso(at, { tenant: tenant.id, provider });
        // Without an address in the id_token userinfo has to be asked.
        const returned = failing.signIn(begun.authorizationUrl, { sub: randomUUID() });
        expect((await tryIssueSsoToken(at, callbackOf(begun, returned))).code).toBe('SERVICE_UNAVAILABLE');
        failing.instead.clear();
      }
      expect(await db.session.count()).toBe(before);
    },
  );
});

describe('a provider that changes its keys', () => {
  it('in mid-flight, when nobody has read them yet', async () => {
    const provider = await provisioning();
    const begun = await startSso(at, { tenant: tenant.id, provider });
    const returned = await passThrough(begun.authorizationUrl, newPerson());
    await idp.rotateKeys();
    only(await tryIssueSsoToken(at, callbackOf(begun, returned)));
  });

  it('in mid-flight, when the old ones are known: they are read again, and the code is asked for once', async () => {
    const provider = await provisioning();
    await pass(at, { tenant: tenant.id, provider }, newPerson());
    const begun = await startSso(at, { tenant: tenant.id, provider });
    const returned = await passThrough(begun.authorizationUrl, newPerson());
    await idp.rotateKeys();
    const later = minutesLater(1.1);
    const asked = idp.requests.filter((path) => path === '/token').length;
    const token = only<Entered>(await tryIssueSsoToken(at, callbackOf(begun, returned)));
    later.over();
    expect(token.__typename).toBe('CustomerToken');
    expect(idp.requests.filter((path) => path === '/token').length).toBe(asked + 1);
  });

  it('between two tokens that are exchanged', async () => {
    const provider = await provisioning({ subjectTokens: 'JWT', audience: idp.audiences.JWT });
    const token = async () => (await tokensOf(idp, newPerson(), idp.audiences.JWT)).access_token;
    only(await tryExchange(at, { tenant: tenant.id, provider, subjectToken: await token() }));
    await idp.rotateKeys();
    const subjectToken = await token();
    const later = minutesLater(1.1);
    only(await tryExchange(at, { tenant: tenant.id, provider, subjectToken }));
    later.over();
  });

  /** Lets the clocks of this process say that it is later. */
  function minutesLater(minutes: number) {
    const ms = minutes * 60_000;
    const [date, monotonic] = [Date.now.bind(Date), performance.now.bind(performance)];
    const spies = [
      vi.spyOn(Date, 'now').mockImplementation(() => date() + ms),
      vi.spyOn(performance, 'now').mockImplementation(() => monotonic() + ms),
    ];
    return { over: () => spies.forEach((spy) => void spy.mockRestore()) };
  }
});

const demo = { id: 'demo', employee: { email: 'admin@demo.example' } };

onInstances('two instances', (instances) => {
  it('a sign-in begins on one and ends on the other, in the guest’s session', async () => {
    const { a, b } = instances();
    const provider = await connect(a, demo, idp, { autoProvision: true });
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const { accessToken: anonymousToken, sessionId } = await guest(one);
      const begun = await startSso(one, { tenant: 'demo', provider, anonymousToken });
      const returned = await passThrough(begun.authorizationUrl, newPerson());
      const token = only<Entered>(await tryIssueSsoToken(other, callbackOf(begun, returned)));
      expect(token.sessionId).toBe(sessionId);
      expect([await isGood(other, token.accessToken), await isGood(one, token.accessToken)]).toEqual([true, true]);
      expect((await tryIssueSsoToken(one, callbackOf(begun, returned))).code).toBe('INVALID_GRANT');
    }
  });

  it('the secret of a provider that one was told is known to the other', async () => {
    const { a, b } = instances();
    const provider = await connect(a, demo, idp, { autoProvision: true });
    only(await tryPass(b, { tenant: 'demo', provider }, newPerson()));
  });
});

onBoth('case 67: one callback at once', (instances) => {
  it('case 67: makes one session, and one request to the provider', async () => {
    const { a, b } = instances();
    const counting = await startMisbehaving();
    try {
      const provider = await connect(a, demo, counting, { autoProvision: true });
      for (let round = 0; round < 5; round += 1) {
        const email = `racer-${randomUUID()}@test.example`;
        const begun = await startSso(round % 2 === 0 ? a : b, { tenant: 'demo', provider });
        const person = { sub: email, email, email_verified: true };
        const callback = callbackOf(begun, counting.signIn(begun.authorizationUrl, person));
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, index) => tryIssueSsoToken(index % 2 === 0 ? a : b, callback)),
        );
        expect(answers.map(({ code }) => code ?? 'ok').sort()).toEqual([...Array(9).fill('INVALID_GRANT'), 'ok']);
        expect(counting.asked.token).toBe(round + 1);
        const db = a.app.modules.database.system();
        const customer = await db.customer.findFirstOrThrow({ where: { email } });
        expect(await db.session.count({ where: { customerId: customer.id } })).toBe(1);
      }
    } finally {
      await counting.stop();
    }
  });

  it.each(['CUSTOMER', 'EMPLOYEE'])(
    'first sign-ins of one %s at once all come in, and make one account',
    async (userType) => {
      const { a, b } = instances();
      const counting = await startMisbehaving();
      try {
        const provider = await connect(a, demo, counting, { autoProvision: true, userTypes: [userType] });
        for (let round = 0; round < 5; round += 1) {
          const email = `racer-${randomUUID()}@test.example`;
          const callbacks = [];
          for (const at of [a, b, a, b]) {
            const begun = await startSso(at, { tenant: 'demo', provider, userType });
            const person = { sub: email, email, email_verified: true };
            callbacks.push(callbackOf(begun, counting.signIn(begun.authorizationUrl, person)));
          }
          const answers = await Promise.all(callbacks.map((each, index) => tryIssueSsoToken(index % 2 ? b : a, each)));
          expect(answers.map(({ code }) => code ?? 'ok')).toEqual(Array(4).fill('ok'));
          const db = a.app.modules.database.system();
          const people =
            userType === 'CUSTOMER' ? db.customer.count({ where: { email } }) : db.employee.count({ where: { email } });
          expect([await people, await db.externalIdentity.count({ where: { subject: email } })]).toEqual([1, 1]);
        }
      } finally {
        await counting.stop();
      }
    },
  );

  it('case 67: two sign-ins on one guest’s session at once: one has it', async () => {
    const { a, b } = instances();
    const counting = await startMisbehaving();
    try {
      const provider = await connect(a, demo, counting, { autoProvision: true });
      const { accessToken: anonymousToken, sessionId } = await guest(a);
      const callbacks = [];
      for (const at of [a, b]) {
        const email = `racer-${randomUUID()}@test.example`;
        const begun = await startSso(at, { tenant: 'demo', provider, anonymousToken });
        const person = { sub: email, email, email_verified: true };
        callbacks.push(callbackOf(begun, counting.signIn(begun.authorizationUrl, person)));
      }
      const answers = await Promise.all(callbacks.map((each, index) => tryIssueSsoToken(index ? b : a, each)));
      expect(answers.map(({ code }) => code ?? 'ok').sort()).toEqual(['UNAUTHENTICATED', 'ok']);
      const winner = answers.find(({ errors }) => errors.length === 0);
      expect(winner?.data.issueSsoToken.sessionId).toBe(sessionId);
    } finally {
      await counting.stop();
    }
  });
});
