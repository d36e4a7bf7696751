// The code flow, attacked: state, verifier, PKCE, replay, mix-up and redirect URIs. security.md cases 64, 66, 67, 68, 73
// and 82. What the provider is asked is counted at the provider.

import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { only } from '../kit/graphql.ts';
import { administratorOf } from '../kit/groups.ts';
import { type OpenIdProvider, passThrough, startProvider } from '../kit/oidc.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import {
  CALLBACK,
  callbackOf,
  connect,
  type Entered,
  startSso,
  tryIssueSsoToken,
  tryStartSso,
  tryUpdateProvider,
} from '../kit/oidc-stories.ts';
import { type Service, startService } from '../kit/service.ts';
import { guest, PASSWORD, tryLogin } from '../kit/stories.ts';

let at: Service;
let idp: MisbehavingProvider;
let honest: OpenIdProvider;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
let provider: string;
let second: string;
beforeAll(async () => {
  // Its own: everything that is logged and stored is searched.
  at = await startService({ LOG_LEVEL: 'trace' });
  idp = await startMisbehaving();
  honest = await startProvider();
  tenant = await givenTenant(at);
  provider = await connect(at, tenant, idp, { autoProvision: true });
  second = await connect(at, tenant, honest, { autoProvision: true });
});
afterAll(async () => {
  await at?.stop();
  await idp?.stop();
  await honest?.stop();
});
beforeEach(() => {
  idp.metadata = {};
});

const person = { sub: 'the person', email: 'person@test.example', email_verified: true };
const begin = (input: object = {}, bearer?: string) => startSso(at, { tenant: tenant.id, provider, ...input }, bearer);
const newGuest = () => guest(at, { tenant: tenant.id, clientId: tenant.storefront });
const db = () => at.app.modules.database.forTenant({ tenantId: tenant.id });
/** Begins and comes back from the provider: everything for `tryIssueSsoToken`. */
async function comeBack(input: object = {}) {
  const begun = await begin(input);
  const returned = idp.signIn(begun.authorizationUrl, person);
  return { begun, callback: callbackOf(begun, returned) };
}
const asked = () => idp.asked.token;

describe('what the browser is given', () => {
  it('success: everything that the flow needs in the URL, ten minutes, and three secrets of 256 bits', async () => {
    const { authorizationUrl, state, verifier, expiresAt } = await begin();
    const url = new URL(authorizationUrl);
    expect(`${url.origin}${url.pathname}`).toBe(`${idp.issuer}/authorize`);
    const { nonce, code_challenge, scope, ...rest } = Object.fromEntries(url.searchParams);
    expect(rest).toEqual({
      client_id: idp.clientId,
      redirect_uri: CALLBACK,
      response_type: 'code',
      state,
      code_challenge_method: 'S256',
    });
    expect(scope?.split(' ')).toContain('openid');
    for (const secret of [state, verifier, nonce, code_challenge])
      expect(Buffer.from(secret!, 'base64url').length).toBeGreaterThanOrEqual(32);
    expect(new Set([state, verifier, nonce, code_challenge]).size).toBe(4);
    expect(authorizationUrl).not.toContain(verifier);
    const left = Date.parse(expiresAt) - Date.now();
    expect(left).toBeGreaterThan(590_000);
    expect(left).toBeLessThanOrEqual(600_000);
  });

  it('is another each time', async () => {
    const [one, other] = [await begin(), await begin()];
    const nonceOf = (begun: { authorizationUrl: string }) => new URL(begun.authorizationUrl).searchParams.get('nonce');
    expect([one.state === other.state, one.verifier === other.verifier, nonceOf(one) === nonceOf(other)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('NOT_FOUND, in one and the same words, for a provider that is unknown, disabled, of another tenant or for others', async () => {
    const elsewhere = await givenTenant(at);
    const disabled = await connect(at, tenant, idp);
    only(await tryUpdateProvider(at, await administratorOf(at, tenant), { id: disabled, enabled: false }));
    const answers = [];
    for (const input of [
      { provider: 'nowhere' },
      { provider: disabled },
      { provider: await connect(at, elsewhere, idp) },
      { userType: 'EMPLOYEE' },
      { tenant: elsewhere.id },
      { tenant: 'no-such-tenant' },
    ])
      answers.push(await tryStartSso(at, { tenant: tenant.id, provider, ...input }));
    const seen = answers.map(({ errors }) =>
      errors.map(({ message, extensions }) => ({ message, code: extensions.code })),
    );
    expect(seen).toEqual(Array(6).fill([{ message: expect.any(String), code: 'NOT_FOUND' }]));
    expect(new Set(seen.map((each) => each[0]?.message)).size).toBe(1);
  });
});

describe('case 64: what does not belong to the sign-in that began', () => {
  it.each<[string, (state: string) => string]>([
    ['is missing', () => ''],
    ['is wrong', () => Buffer.alloc(32, 7).toString('base64url')],
    ['has one letter changed', (state) => `${state.startsWith('A') ? 'B' : 'A'}${state.slice(1)}`],
    ['has something behind it', (state) => `${state} `],
    ['is very long', () => 'x'.repeat(50_000)],
  ])('case 64: INVALID_GRANT when `state` %s; the code is not sent', async (_what, wrong) => {
    const { callback } = await comeBack();
    const before = asked();
    expect((await tryIssueSsoToken(at, { ...callback, state: wrong(callback.state) })).code).toBe('INVALID_GRANT');
    expect(asked()).toBe(before);
    expect((await tryIssueSsoToken(at, callback)).errors).toEqual([]);
  });

  it('case 64: INVALID_GRANT for a `state` that has been used, whatever the code', async () => {
    const { begun, callback } = await comeBack();
    only(await tryIssueSsoToken(at, callback));
    const before = asked();
    const another = idp.signIn(begun.authorizationUrl, person);
    expect((await tryIssueSsoToken(at, callback)).code).toBe('INVALID_GRANT');
    expect((await tryIssueSsoToken(at, callbackOf(begun, another))).code).toBe('INVALID_GRANT');
    expect(asked()).toBe(before);
  });

  it('case 64: INVALID_GRANT after ten minutes', async () => {
    const { callback } = await comeBack();
    const id = new Uint8Array(createHash('sha256').update(callback.state).digest());
    const { count } = await db().ssoAuthorization.updateMany({
      where: { id },
      data: { createdAt: new Date(Date.now() - 600_500), expiresAt: new Date(Date.now() - 500) },
    });
    expect(count).toBe(1);
    const before = asked();
    expect((await tryIssueSsoToken(at, callback)).code).toBe('INVALID_GRANT');
    expect(asked()).toBe(before);
  });

  it('case 64: a `verifier` that is missing or another browser’s is refused, and cancels nothing', async () => {
    const { callback } = await comeBack();
    const other = await begin();
    const before = asked();
    for (const verifier of ['', other.verifier, other.state, callback.state, `${callback.verifier}=`])
      expect((await tryIssueSsoToken(at, { ...callback, verifier })).code).toBe('INVALID_GRANT');
    expect(asked()).toBe(before);
    expect((await tryIssueSsoToken(at, callback)).errors).toEqual([]);
  });

  it('case 64: nobody is signed in as an attacker who sends them a callback of their own', async () => {
    const attackers = await comeBack();
    const victims = await begin();
    const lured = { ...attackers.callback, verifier: victims.verifier };
    expect((await tryIssueSsoToken(at, lured)).code).toBe('INVALID_GRANT');
  });

  it('case 64: a sign-in that began with a guest does not come back on the session of another guest', async () => {
    const { accessToken: anonymousToken, sessionId } = await newGuest();
    for (const bearer of [(await newGuest()).accessToken, (await guest(at)).accessToken]) {
      const { callback } = await comeBack({ anonymousToken });
      const before = asked();
      expect((await tryIssueSsoToken(at, callback, bearer)).code).toBe('INVALID_GRANT');
      expect(asked()).toBe(before);
    }
    const { callback } = await comeBack({ anonymousToken });
    expect(only<Entered>(await tryIssueSsoToken(at, callback, anonymousToken)).sessionId).toBe(sessionId);
  });

  it('case 64: a sign-in that began with a guest does not come back on the session of a customer', async () => {
    const { accessToken: anonymousToken } = await newGuest();
    const login = { email: tenant.customer.email, password: PASSWORD };
    const other = only(await tryLogin(at, { ...login, anonymousToken: (await newGuest()).accessToken }));
    const { callback } = await comeBack({ anonymousToken });
    const before = asked();
    expect((await tryIssueSsoToken(at, callback, other.accessToken)).code).toBe('INVALID_GRANT');
    expect(asked()).toBe(before);
  });

  it('case 64: it does not come back in another tenant’s name either', async () => {
    const { callback } = await comeBack();
    const before = asked();
    expect((await tryIssueSsoToken(at, callback, (await guest(at)).accessToken)).code).toBe('INVALID_GRANT');
    expect(asked()).toBe(before);
  });

  it('case 64: a provider that was disabled meanwhile is not asked', async () => {
    const fleeting = await connect(at, tenant, idp, { autoProvision: true });
    const { callback } = await comeBack({ provider: fleeting });
    only(await tryUpdateProvider(at, await administratorOf(at, tenant), { id: fleeting, enabled: false }));
    const before = asked();
    expect((await tryIssueSsoToken(at, callback)).code).toBe('INVALID_GRANT');
    expect(asked()).toBe(before);
  });
});

describe('case 66: PKCE', () => {
  it('case 66: a provider that says nothing of it gets it all the same, and the verifier fits', async () => {
    const { begun, callback } = await comeBack();
    only(await tryIssueSsoToken(at, callback));
    const form = idp.tokenRequests.at(-1)!;
    const challenge = new URL(begun.authorizationUrl).searchParams.get('code_challenge');
    const verifier = form.get('code_verifier') ?? '';
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(challenge);
    expect(verifier).toMatch(/^[\w.~-]{43,128}$/);
    expect(verifier).not.toBe(begun.verifier);
    expect([form.get('redirect_uri'), form.get('grant_type')]).toEqual([CALLBACK, 'authorization_code']);
  });

  it('case 66: verifier and nonce never leave the service in the clear: not in answers, log or database', async () => {
    const begun = await begin();
    const rows = await at.app.modules.database.system().$queryRaw<{ all: string }[]>`
      SELECT s::text || encode(sealed, 'escape') AS all FROM sso_authorizations s`;
    const answer = await tryIssueSsoToken(at, callbackOf(begun, idp.signIn(begun.authorizationUrl, person)));
    const nonce = new URL(begun.authorizationUrl).searchParams.get('nonce')!;
    const pkce = idp.tokenRequests.at(-1)!.get('code_verifier')!;
    const code = idp.tokenRequests.at(-1)!.get('code')!;
    const stored = rows.map((row) => row.all).join('');
    const logged = at.logged.join('');
    const told = answer.body + JSON.stringify(begun).replace(begun.authorizationUrl, '');
    expect(rows.length).toBeGreaterThan(0);
    for (const [name, secret] of Object.entries({ pkce, nonce, code })) {
      const hex = Buffer.from(secret).toString('hex');
      for (const [where, text] of Object.entries({ stored, logged, told }))
        expect(text.includes(secret) || text.includes(hex), `${name} in ${where}`).toBe(false);
    }
    for (const secret of [begun.state, begun.verifier, idp.clientSecret])
      for (const text of [stored, logged])
        expect(text.includes(secret) || text.includes(Buffer.from(secret).toString('hex'))).toBe(false);
  });
});

describe('case 67: a code is for once', () => {
  it('case 67: the same state and code twice: one session, and one request to the provider', async () => {
    const { callback } = await comeBack();
    const before = { asked: asked(), sessions: await db().session.count() };
    const answers = [await tryIssueSsoToken(at, callback), await tryIssueSsoToken(at, callback)];
    expect(answers.map(({ code }) => code)).toEqual([undefined, 'INVALID_GRANT']);
    expect({ asked: asked(), sessions: await db().session.count() }).toEqual({
      asked: before.asked + 1,
      sessions: before.sessions + 1,
    });
  });

  it('case 67: a code that the provider refuses is INVALID_GRANT, and is never tried again', async () => {
    const begun = await begin();
    const callback = callbackOf(begun, { code: 'no such code', state: begun.state, iss: idp.issuer });
    const before = asked();
    expect((await tryIssueSsoToken(at, callback)).code).toBe('INVALID_GRANT');
    expect((await tryIssueSsoToken(at, callback)).code).toBe('INVALID_GRANT');
    expect(asked()).toBe(before + 1);
  });

  it('case 67: a code of another sign-in does not fit: the provider refuses the verifier', async () => {
    honest.accounts.set('one', { email: 'one@test.example', email_verified: true });
    const [mine, theirs] = [await begin({ provider: second }), await begin({ provider: second })];
    const stolen = await passThrough(theirs.authorizationUrl, 'one');
    const injected = { ...callbackOf(mine, stolen), state: mine.state };
    expect((await tryIssueSsoToken(at, injected)).code).toBe('INVALID_GRANT');
  });
});

describe('case 68: mix-up', () => {
  it.each<[string, () => string | null | undefined]>([
    ['another provider', () => honest.issuer],
    ['nobody, though the provider says that it always names itself', () => null],
    ['nothing at all', () => undefined],
    ['the provider with a slash behind it', () => `${idp.issuer}/`],
    ['the provider in capitals', () => idp.issuer.toUpperCase()],
    ['the empty text', () => ''],
  ])('case 68: `iss` names %s: INVALID_GRANT before anything is asked', async (_what, iss) => {
    const { callback } = await comeBack();
    const before = asked();
    const theirs = honest.requests.length;
    expect((await tryIssueSsoToken(at, { ...callback, iss: iss() })).code).toBe('INVALID_GRANT');
    expect([asked(), honest.requests.length]).toEqual([before, theirs]);
  });

  it('case 68: a provider that does not name itself may leave it away, and may not name another', async () => {
    const modest = await startMisbehaving();
    modest.metadata = { authorization_response_iss_parameter_supported: undefined };
    try {
      const quiet = await connect(at, tenant, modest, { autoProvision: true });
      for (const [iss, code] of [
        [undefined, undefined],
        [honest.issuer, 'INVALID_GRANT'],
      ] as const) {
        const begun = await begin({ provider: quiet });
        const returned = modest.signIn(begun.authorizationUrl, person);
        expect((await tryIssueSsoToken(at, { ...callbackOf(begun, returned), iss })).code).toBe(code);
      }
    } finally {
      await modest.stop();
    }
  });

  it('case 68: the code of one provider is not sent to another by a callback of the other', async () => {
    const mine = await begin();
    const theirs = await begin({ provider: second });
    honest.accounts.set('two', { email: 'two@test.example', email_verified: true });
    const returned = await passThrough(theirs.authorizationUrl, 'two');
    const before = asked();
    expect((await tryIssueSsoToken(at, callbackOf(mine, { ...returned, state: mine.state }))).code).toBe(
      'INVALID_GRANT',
    );
    expect(asked()).toBe(before);
  });
});

describe('case 73: redirect URIs', () => {
  it.each([
    'https://shop.example/callback/',
    'https://shop.example/callback/more',
    'https://shop.example/callback/../callback',
    'https://shop.example/./callback',
    'https://shop.example/callback?next=https://evil.example',
    'https://shop.example/callback?',
    'https://shop.example/callback#',
    'https://shop.example/callback#fragment',
    'https://person@shop.example/callback',
    'https://shop.example@evil.example/callback',
    'https://shop.example\\@evil.example/callback',
    'https://shop.example:443/callback',
    'https://shop.example:8443/callback',
    'https://evil.shop.example/callback',
    'https://shop.example.evil.example/callback',
    'https://shop.example./callback',
    'https://evil.example/callback',
    'http://shop.example/callback',
    '//shop.example/callback',
    'https:/shop.example/callback',
    'HTTPS://SHOP.EXAMPLE/callback',
    'https://shop.example/Callback',
    'https://shop.example/%63allback',
    'https://shop.example/callback%00',
    ' https://shop.example/callback',
    'https://shop.example/callback\n',
    'https://ѕhop.example/callback',
    'javascript:alert(1)',
    '*',
    '',
    `https://shop.example/callback${'x'.repeat(10_000)}`,
  ])('case 73: %j is BAD_USER_INPUT, and nothing begins', async (redirectUri) => {
    const before = await db().ssoAuthorization.count();
    const answer = await tryStartSso(at, { tenant: tenant.id, provider, redirectUri });
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.redirectUri' });
    expect(await db().ssoAuthorization.count()).toBe(before);
  });

  it('case 73: a NUL in it is BAD_USER_INPUT as anywhere, and nothing begins', async () => {
    const before = await db().ssoAuthorization.count();
    const answer = await tryStartSso(at, { tenant: tenant.id, provider, redirectUri: `${CALLBACK}\u0000` });
    expect(answer.code).toBe('BAD_USER_INPUT');
    expect(await db().ssoAuthorization.count()).toBe(before);
  });

  it('case 73: a list is no pattern: a star in it is a star', async () => {
    const star = await connect(at, tenant, idp, { redirectUris: ['https://*.shop.example/*'] });
    for (const redirectUri of ['https://a.shop.example/callback', 'https://*.shop.example/callback', CALLBACK])
      expect((await tryStartSso(at, { tenant: tenant.id, provider: star, redirectUri })).code).toBe('BAD_USER_INPUT');
  });

  it('case 73: one that was taken off the list is refused from then on', async () => {
    const uris = [CALLBACK, 'https://old.example/callback'];
    const changing = await connect(at, tenant, idp, { redirectUris: uris });
    const input = { tenant: tenant.id, provider: changing, redirectUri: uris[1] };
    only(await tryStartSso(at, input));
    only(await tryUpdateProvider(at, await administratorOf(at, tenant), { id: changing, redirectUris: [CALLBACK] }));
    expect((await tryStartSso(at, input)).code).toBe('BAD_USER_INPUT');
  });
});

describe('case 82: addresses come from the configuration', () => {
  it('case 82: not from Host or what a proxy says of it', async () => {
    const body = JSON.stringify({
      query: 'mutation ($input: StartSsoInput!) { startSso(input: $input) { authorizationUrl } }',
      variables: { input: { tenant: tenant.id, provider, userType: 'CUSTOMER', redirectUri: CALLBACK } },
    });
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      forwarded: 'host=evil.example;proto=http',
      'content-type': 'application/json',
    };
    const answer = await new Promise<string>((resolve, reject) => {
      const request = httpRequest(`${at.url}/graphql`, { method: 'POST', headers }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      });
      request.on('error', reject);
      request.end(body);
    });
    const url = new URL(JSON.parse(answer).data.startSso.authorizationUrl);
    expect(url.searchParams.get('redirect_uri')).toBe(CALLBACK);
    expect(answer).not.toContain('evil');
  });

  it('case 82: the state of a sign-in is stored as a digest, and used by one conditional statement', async () => {
    const { state } = await begin();
    const rows = await at.app.modules.database.system().$queryRaw<{ all: string }[]>`
      SELECT s::text AS all FROM sso_authorizations s`;
    expect(rows.map(({ all }) => all).join('')).not.toContain(Buffer.from(state).toString('hex'));
    const { callback } = await comeBack();
    const answers = await Promise.all(Array.from({ length: 5 }, () => tryIssueSsoToken(at, callback)));
    expect(answers.map(({ code }) => code ?? 'ok').sort()).toEqual([...Array(4).fill('INVALID_GRANT'), 'ok']);
  });
});
