// Query.identityProviders; Mutation.createIdentityProvider, updateIdentityProvider, deleteIdentityProvider and
// unlinkExternalIdentity: what an administrator sees and changes, and who may.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { administratorOf, eventsOf, givenGroup } from '../kit/groups.ts';
import { type MisbehavingProvider, startMisbehaving } from '../kit/oidc-misbehaving.ts';
import {
  CALLBACK,
  callbackOf,
  type Entered,
  providerFields,
  startSso,
  tryCreateProvider,
  tryDeleteProvider,
  tryExchange,
  tryIssueSsoToken,
  tryStartSso,
  tryUpdateProvider,
} from '../kit/oidc-stories.ts';
import { readPages } from '../kit/pages.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { guest, isGood, PASSWORD, tryLogin, tryRefresh, tryServiceToken } from '../kit/stories.ts';

let at: Service;
let idp: MisbehavingProvider;
let tenant: Awaited<ReturnType<typeof givenTenant>>;
let admin: string;
beforeAll(async () => {
  // Its own: everything that is logged and stored is searched for secrets.
  at = await startService({ LOG_LEVEL: 'trace' });
  idp = await startMisbehaving();
  tenant = await givenTenant(at);
  admin = await administratorOf(at, tenant);
}, 60_000);
afterAll(async () => {
  await at?.stop();
  await idp?.stop();
});

const input = (change: object = {}) => ({
  name: `provider-${randomUUID()}`,
  issuer: idp.issuer,
  clientId: idp.clientId,
  userTypes: ['CUSTOMER'],
  redirectUris: [CALLBACK],
  ...change,
});
const create = (change: object = {}, bearer: string | undefined = admin) =>
  tryCreateProvider(at, bearer, input(change));
const LIST = `{ identityProviders { totalCount nodes { ${providerFields} } } }`;
const list = (bearer: string | undefined = admin) => graphql(at, LIST, { bearer });
const db = (tenantId = tenant.id) => at.app.modules.database.forTenant({ tenantId });
const stored = (id: string) => db().identityProvider.findFirst({ where: { id } });
/** A service token of a client of the tenant with exactly these scopes. */
async function tokenWith(scopes: readonly string[], tenantId = tenant.id): Promise<string> {
  const id = `client-${randomUUID()}`;
  const client = { id, name: id, kind: 'CUSTOM', scopes } as const;
  const { clientSecret } = await at.app.modules.clients.register(ctxOf(tenantId), client);
  return only(await tryServiceToken(at, id, clientSecret ?? '')).accessToken;
}
/** Somebody comes by the provider. */
async function come(provider: string, person: object, userType = 'CUSTOMER') {
  const begun = await startSso(at, { tenant: tenant.id, provider, userType });
  const returned = idp.signIn(begun.authorizationUrl, { ...person });
  return tryIssueSsoToken(at, callbackOf(begun, returned));
}
const newPerson = () => {
  const sub = randomUUID();
  return { sub, email: `${sub}@test.example`, email_verified: true };
};

describe('createIdentityProvider', () => {
  it('success: what is absent is as it says, and the trail tells of it without the secret', async () => {
    const name = `Plain ${randomUUID()}`;
    const answer = await create({ name: ` ${name} `, clientSecret: 'a secret for the trail' });
    const provider = only(answer);
    expect(provider).toEqual({
      id: expect.any(String),
      name,
      issuer: idp.issuer,
      clientId: idp.clientId,
      userTypes: ['CUSTOMER'],
      enabled: true,
      redirectUris: [CALLBACK],
      autoProvision: false,
      audience: null,
      groupClaim: null,
      subjectTokens: null,
      emailClaim: 'email',
      firstNameClaim: 'given_name',
      lastNameClaim: 'family_name',
    });
    const events = await eventsOf(at, answer);
    expect(events).toMatchObject([
      { type: 'identity_provider.created', subject: { kind: 'identity_provider', id: provider.id } },
    ]);
    expect(JSON.stringify(events)).not.toContain('a secret for the trail');
  });

  it('success: everything that can be said', async () => {
    const said = {
      userTypes: ['CUSTOMER', 'EMPLOYEE'],
      redirectUris: ['http://localhost:3000/callback', CALLBACK],
      autoProvision: true,
      audience: 'https://api.example',
      groupClaim: 'https://claims.example/groups',
      subjectTokens: 'OPAQUE',
      emailClaim: 'mail',
      firstNameClaim: 'first',
      lastNameClaim: 'last',
    };
    expect(only(await create(said))).toMatchObject(said);
  });

  it('works with the secret that it was given: the provider is asked with it', async () => {
    const seen: (string | undefined)[] = [];
    const provider = only(await create({ clientSecret: idp.clientSecret, autoProvision: true }));
    idp.instead.set('token', (request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
    });
    await come(provider.id, newPerson());
    idp.instead.clear();
    const [credentials = ''] = seen.map((each) => Buffer.from(each!.replace('Basic ', ''), 'base64').toString());
    expect(decodeURIComponent(credentials.slice(credentials.indexOf(':') + 1)).replaceAll('+', ' ')).toBe(
      idp.clientSecret,
    );
  });

  it.each<[string, object]>([
    ['name', { name: ' ' }],
    ['name', { name: 'x'.repeat(101) }],
    ['clientId', { clientId: '' }],
    ['issuer', { issuer: 'no address' }],
    ['issuer', { issuer: '' }],
    ['issuer', { issuer: 'ftp://provider.example' }],
    ['issuer', { issuer: 'file:///etc/passwd' }],
    ['issuer', { issuer: 'https://provider.example?tenant=x' }],
    ['issuer', { issuer: 'https://provider.example#x' }],
    ['issuer', { issuer: 'https://user:password@provider.example' }],
    ['userTypes', { userTypes: [] }],
    ['redirectUris.0', { redirectUris: ['/callback'] }],
    ['redirectUris.0', { redirectUris: ['*'] }],
    ['redirectUris.0', { redirectUris: ['javascript:alert(1)'] }],
    ['redirectUris.1', { redirectUris: [CALLBACK, 'https://shop.example/callback#fragment'] }],
    ['redirectUris.0', { redirectUris: ['https://shop.example/callback?of=query'] }],
    ['redirectUris.0', { redirectUris: ['https://person@shop.example/callback'] }],
    ['redirectUris.0', { redirectUris: ['https://shop.example/a/../callback'] }],
    ['groupClaim', { groupClaim: '' }],
    ['groupClaim', { groupClaim: 'two words' }],
    ['emailClaim', { emailClaim: 'x'.repeat(101) }],
  ])('invalid: BAD_USER_INPUT at input.%s for %j, and the provider is not asked', async (field, change) => {
    const before = { asked: { ...idp.asked }, count: await db().identityProvider.count() };
    const answer = await create(change);
    expect(answer.errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: `input.${field}` });
    expect({ asked: idp.asked, count: await db().identityProvider.count() }).toEqual(before);
  });

  it('one without a redirect URI is for exchanging tokens only: no browser begins', async () => {
    const { id } = only(await create({ redirectUris: [], subjectTokens: 'JWT', autoProvision: true }));
    expect((await tryStartSso(at, { tenant: tenant.id, provider: id })).code).toBe('BAD_USER_INPUT');
    const subjectToken = await idp.sign(idp.claims(newPerson()));
    only(await tryExchange(at, { tenant: tenant.id, provider: id, subjectToken }));
  });

  it('invalid: an enumeration that there is not', async () => {
    for (const change of [{ userTypes: ['SERVICE'] }, { subjectTokens: 'SAML' }])
      expect((await create(change)).code).toBe('BAD_USER_INPUT');
  });

  it('conflict: a name that is taken; in another tenant it is free', async () => {
    const name = `Taken ${randomUUID()}`;
    only(await create({ name }));
    expect((await create({ name })).errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'NAME_TAKEN' });
    const elsewhere = await givenTenant(at);
    only(await create({ name }, await administratorOf(at, elsewhere)));
  });

  it('conflict: of two at once with one name one is made', async () => {
    const name = `Raced ${randomUUID()}`;
    const answers = await Promise.all([create({ name }), create({ name }), create({ name })]);
    expect(answers.map(({ code }) => code ?? 'ok').sort()).toEqual(['CONFLICT', 'CONFLICT', 'ok']);
  });
});

describe('whoever lets a provider vouch for people holds what those people can get', () => {
  it('forbidden: oauth.idp_manage alone is not enough, and with all that is missing it is', async () => {
    for (const userTypes of [['CUSTOMER'], ['EMPLOYEE'], ['CUSTOMER', 'EMPLOYEE']]) {
      const before = await db().identityProvider.count();
      const asked = { ...idp.asked };
      const refused = await create({ userTypes }, await tokenWith(['oauth.idp_manage']));
      expect(refused.code).toBe('FORBIDDEN');
      expect(await db().identityProvider.count()).toBe(before);
      expect(idp.asked).toEqual(asked);
      const missing = refused.errors[0]?.extensions.missingScopes as string[];
      expect(missing.length).toBeGreaterThan(5);
      only(await create({ userTypes }, await tokenWith(['oauth.idp_manage', ...missing])));
      expect(idp.asked).not.toEqual(asked);
      const last = await tokenWith(['oauth.idp_manage', ...missing.slice(1)]);
      expect((await create({ userTypes }, last)).errors[0]?.extensions).toMatchObject({
        code: 'FORBIDDEN',
        missingScopes: missing.slice(0, 1),
      });
    }
  });

  it('forbidden: what a company’s Admin can get is among it, for whoever proves an address may be one', async () => {
    const { errors } = await create({}, await tokenWith(['oauth.idp_manage']));
    const { id } = await db().group.findFirstOrThrow({ where: { legalEntityId: 'company', role: 'ADMIN' } });
    const ask = 'query ($id: ID!) { group(id: $id) { scopes } }';
    const { scopes } = only(await graphql(at, ask, { bearer: admin, variables: { id } }));
    expect(scopes.length).toBeGreaterThan(0);
    expect(errors[0]?.extensions.missingScopes).toEqual(expect.arrayContaining(scopes));
  });

  it('forbidden: enabling again, and all that lets more people in; not: disabling, or a name', async () => {
    const { id } = only(await create());
    const manager = await tokenWith(['oauth.idp_manage']);
    only(await tryUpdateProvider(at, manager, { id, name: `Renamed ${randomUUID()}` }));
    for (const change of [
      { redirectUris: ['https://evil.example/callback'] },
      { autoProvision: true },
      { groupClaim: 'groups' },
      { emailClaim: 'upn' },
      { subjectTokens: 'JWT' },
      { audience: 'https://evil.example' },
    ])
      expect((await tryUpdateProvider(at, manager, { id, ...change })).code, JSON.stringify(change)).toBe('FORBIDDEN');
    only(await tryUpdateProvider(at, manager, { id, enabled: false }));
    expect((await tryUpdateProvider(at, manager, { id, enabled: true })).code).toBe('FORBIDDEN');
    expect(await stored(id)).toMatchObject({ enabled: false, redirectUris: [CALLBACK], autoProvision: false });
    only(await tryUpdateProvider(at, admin, { id, enabled: true }));
  });
});

describe('updateIdentityProvider', () => {
  it('success: what is named changes and nothing else; the trail tells of before and after', async () => {
    const made = only(await create({ audience: 'https://api.example', groupClaim: 'groups' }));
    const name = `Changed ${randomUUID()}`;
    const answer = await tryUpdateProvider(at, admin, { id: made.id, name, audience: null, autoProvision: true });
    expect(only(answer)).toEqual({ ...made, name, audience: null, autoProvision: true });
    expect(await eventsOf(at, answer)).toMatchObject([
      { type: 'identity_provider.updated', details: { before: { name: made.name }, after: { name } } },
    ]);
  });

  it('a new secret is used from then on, and told to the trail as changed only', async () => {
    const { id } = only(await create({ clientSecret: 'the old one', autoProvision: true }));
    only(await come(id, newPerson()));
    const answer = await tryUpdateProvider(at, admin, { id, clientSecret: 'the-new-one' });
    const events = await eventsOf(at, answer);
    expect(JSON.stringify(events)).not.toContain('the-new-one');
    expect(events).toMatchObject([{ details: { secretChanged: true } }]);
    let seen = '';
    idp.instead.set('token', (request, response) => {
      seen = Buffer.from(String(request.headers.authorization).replace('Basic ', ''), 'base64').toString();
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
    });
    await come(id, newPerson());
    idp.instead.clear();
    expect(decodeURIComponent(seen)).toContain(':the-new-one');
  });

  it('disabling: nobody begins, and who had begun does not come in; who is in stays', async () => {
    const { id } = only(await create({ autoProvision: true }));
    const inside = only<Entered>(await come(id, newPerson()));
    const begun = await startSso(at, { tenant: tenant.id, provider: id });
    const returned = idp.signIn(begun.authorizationUrl, newPerson());
    only(await tryUpdateProvider(at, admin, { id, enabled: false }));
    expect((await tryStartSso(at, { tenant: tenant.id, provider: id })).code).toBe('NOT_FOUND');
    expect((await tryIssueSsoToken(at, callbackOf(begun, returned))).code).toBe('INVALID_GRANT');
    expect(await isGood(at, inside.accessToken)).toBe(true);
  });

  it('invalid: BAD_USER_INPUT as when it is made', async () => {
    const { id } = only(await create());
    for (const [field, change] of [
      ['input.name', { name: '' }],
      ['input.redirectUris.0', { redirectUris: ['/callback'] }],
      ['input.groupClaim', { groupClaim: 'two words' }],
    ] as const)
      expect((await tryUpdateProvider(at, admin, { id, ...change })).errors[0]?.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        field,
      });
  });

  it('issuer, client id and user types are not for changing', async () => {
    const { id } = only(await create());
    for (const change of [{ issuer: 'https://evil.example' }, { clientId: 'x' }, { userTypes: ['EMPLOYEE'] }])
      expect((await tryUpdateProvider(at, admin, { id, ...change })).code).toBe('BAD_USER_INPUT');
    expect(await stored(id)).toMatchObject({ issuer: idp.issuer, clientId: idp.clientId, userTypes: ['CUSTOMER'] });
  });

  it('conflict: a name that another has, and a version that is no longer the one', async () => {
    const [one, other] = [only(await create()), only(await create())];
    const taken = await tryUpdateProvider(at, admin, { id: one.id, name: other.name });
    expect(taken.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'NAME_TAKEN' });
    only(await tryUpdateProvider(at, admin, { id: one.id, name: one.name, version: 1 }));
    const stale = await tryUpdateProvider(at, admin, { id: one.id, autoProvision: true, version: 1 });
    expect(stale.errors[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'STALE_VERSION' });
    expect(await stored(one.id)).toMatchObject({ autoProvision: false, version: 2 });
  });
});

describe('deleteIdentityProvider', () => {
  it('success: it is gone with the identities and with what its claims gave; accounts and their sessions stay', async () => {
    const group = await givenGroup(at, { name: `Claimed ${randomUUID()}`, scopes: ['order.order_read'] }, tenant.id);
    const both = { userTypes: ['CUSTOMER', 'EMPLOYEE'], autoProvision: true, groupClaim: 'groups' };
    const { id, name } = only(await create(both));
    const [customer, employee] = [newPerson(), { ...newPerson(), groups: [group.name] }];
    only(await come(id, customer));
    const { employee: account, scopes } = only<Entered>(await come(id, employee, 'EMPLOYEE'));
    expect(scopes).toEqual(['order.order_read']);
    const answer = await tryDeleteProvider(at, admin, id);
    expect(only(answer)).toBe(id);
    expect(await stored(id)).toBeNull();
    expect(await db().externalIdentity.count({ where: { subject: { in: [customer.sub, employee.sub] } } })).toBe(0);
    expect(await db().employeeMembership.count({ where: { employeeId: account!.id } })).toBe(0);
    expect(await db().customer.count({ where: { email: customer.email } })).toBe(1);
    expect((await eventsOf(at, answer)).map(({ type }) => type)).toContain('identity_provider.deleted');
    only(await create({ name }));
  });

  it('NOT_FOUND for one that there is not, or no longer', async () => {
    const { id } = only(await create());
    only(await tryDeleteProvider(at, admin, id));
    for (const each of [id, 'nowhere', '']) expect((await tryDeleteProvider(at, admin, each)).code).toBe('NOT_FOUND');
    expect((await tryUpdateProvider(at, admin, { id, name: 'x' })).code).toBe('NOT_FOUND');
  });
});

describe('unlinkExternalIdentity', () => {
  const unlink = (id: string, bearer: string | undefined = admin) =>
    graphql(at, 'mutation ($id: ID!) { unlinkExternalIdentity(id: $id) }', { bearer, variables: { id } });
  const seen = (id: string, bearer: string) =>
    graphql(at, 'query ($id: ID!) { customer(id: $id) { externalIdentities { id issuer subject } } }', {
      bearer,
      variables: { id },
    });

  it('success: the account is shown with it, is no longer found by it, and its sessions end', async () => {
    const { id } = only(await create({ autoProvision: true }));
    const person = newPerson();
    const token = only<Entered>(await come(id, person));
    const [identity, ...more] = only(await seen(token.customer!.id, admin)).externalIdentities;
    expect([identity, more]).toEqual([{ id: expect.any(String), issuer: idp.issuer, subject: person.sub }, []]);
    expect(only(await unlink(identity.id))).toBe(identity.id);
    expect(await isGood(at, token.accessToken)).toBe(false);
    expect((await tryRefresh(at, token.refreshToken)).code).toBe('INVALID_GRANT');
    expect((await come(id, { sub: person.sub })).code).toBe('INVALID_GRANT');
    expect((await unlink(identity.id)).code).toBe('NOT_FOUND');
  });

  it('refused: without a token, with other scopes, from another tenant', async () => {
    const { id } = only(await create({ autoProvision: true }));
    const token = only<Entered>(await come(id, newPerson()));
    const [{ id: identity }] = only(await seen(token.customer!.id, admin)).externalIdentities;
    expect((await unlink(identity, '')).code).toBe('UNAUTHENTICATED');
    expect((await unlink(identity, await tokenWith(['oauth.idp_read']))).code).toBe('FORBIDDEN');
    expect((await unlink(identity, await administratorOf(at, await givenTenant(at)))).code).toBe('NOT_FOUND');
    const reader = await tokenWith(['customer.customer_read']);
    expect((await seen(token.customer!.id, reader)).code).toBe('FORBIDDEN');
    expect(await isGood(at, token.accessToken)).toBe(true);
  });
});

describe('identityProviders', () => {
  it('success: by name, page by page, and from the end', async () => {
    const own = await givenTenant(at);
    const bearer = await administratorOf(at, own);
    const names = Array.from({ length: 7 }, (_, index) => `Provider ${index}`);
    for (const name of [...names].reverse()) only(await create({ name }, bearer));
    for (const backwards of [false, true]) {
      const { nodes, totals } = await readPages(at, bearer, 'identityProviders', {
        size: 3,
        fields: 'name',
        backwards,
      });
      expect(nodes.map(({ name }) => name)).toEqual(names);
      expect(new Set(totals)).toEqual(new Set([7]));
    }
  });

  it('with oauth.idp_read; managing alone does not read', async () => {
    only(await list(await tokenWith(['oauth.idp_read'])));
    expect((await list(await tokenWith(['oauth.idp_manage']))).errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['oauth.idp_read'],
    });
  });

  it('other tenant: sees its own only', async () => {
    only(await create());
    const elsewhere = await givenTenant(at);
    expect(only(await list(await administratorOf(at, elsewhere))).nodes).toEqual([]);
  });
});

describe('who may', () => {
  it('unauthenticated and forbidden: nothing is written, and no provider is asked', async () => {
    const { id } = only(await create());
    const guestToken = (await guest(at, { tenant: tenant.id, clientId: tenant.storefront })).accessToken;
    const login = { email: tenant.customer.email, password: PASSWORD };
    const { accessToken: anonymousToken } = await guest(at, { tenant: tenant.id, clientId: tenant.storefront });
    const customer = only(await tryLogin(at, { ...login, anonymousToken })).accessToken;
    const reader = await tokenWith(['oauth.idp_read', 'oauth.client_manage', 'iam.group_manage']);
    const before = { asked: { ...idp.asked }, rows: await db().identityProvider.findMany() };
    for (const [bearer, code] of [
      ['', 'UNAUTHENTICATED'],
      ['nonsense', 'UNAUTHENTICATED'],
      [guestToken, 'FORBIDDEN'],
      [customer, 'FORBIDDEN'],
      [reader, 'FORBIDDEN'],
    ] as const) {
      const answers = [
        await create({}, bearer),
        await tryUpdateProvider(at, bearer, { id, name: 'Theirs' }),
        await tryDeleteProvider(at, bearer, id),
      ];
      expect(answers.map((answer) => answer.code)).toEqual([code, code, code]);
      if (code === 'FORBIDDEN')
        expect(answers[0]?.errors[0]?.extensions.requiredScopes).toEqual([['oauth.idp_manage']]);
      if (bearer !== reader) expect((await list(bearer)).code).toBe(code);
    }
    expect({ asked: idp.asked, rows: await db().identityProvider.findMany() }).toEqual(before);
  });

  it('other tenant: NOT_FOUND, as for one that there is not', async () => {
    const { id } = only(await create());
    const theirs = await administratorOf(at, await givenTenant(at));
    const strip = ({ errors }: { errors: readonly { message: string; extensions: object }[] }) =>
      errors.map(({ message, extensions }) => ({ message, extensions }));
    for (const attempt of [
      (each: string) => tryUpdateProvider(at, theirs, { id: each, enabled: false }),
      (each: string) => tryDeleteProvider(at, theirs, each),
    ]) {
      const [answer, missing] = [await attempt(id), await attempt(randomUUID())];
      expect(answer.code).toBe('NOT_FOUND');
      expect(strip(answer)).toEqual(strip(missing));
    }
    expect(await stored(id)).toMatchObject({ enabled: true });
  });
});

it('case 82: a secret is never shown again: no field, no answer, no row in the clear, no line of the log', async () => {
  const clientSecret = `secret-${randomUUID()}`;
  const second = `secret-${randomUUID()}`;
  const made = await create({ clientSecret });
  const { id } = only(made);
  const changed = await tryUpdateProvider(at, admin, { id, clientSecret: second });
  const failed = await tryUpdateProvider(at, admin, { id, clientSecret: second, name: '' });
  const read = await list();
  expect((await graphql(at, '{ identityProviders { nodes { clientSecret } } }', { bearer: admin })).code).toBe(
    'BAD_USER_INPUT',
  );
  const rows = await at.app.modules.database.system().$queryRaw<{ all: string }[]>`
    SELECT p::text || encode(sealed_secret, 'escape') AS all FROM identity_providers p
    UNION ALL SELECT e::text FROM audit_events e`;
  const everything = {
    answers: [made, changed, failed, read].map(({ body }) => body).join(''),
    rows: rows.map(({ all }) => all).join(''),
    log: at.logged.join(''),
  };
  expect(rows.length).toBeGreaterThan(5);
  for (const [where, text] of Object.entries(everything))
    for (const secret of [clientSecret, second])
      for (const spelling of [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64')])
        expect(text.includes(spelling), where).toBe(false);
});

it('the same secret is sealed otherwise for each provider, and is of no use in the row of another', async () => {
  const clientSecret = `secret-${randomUUID()}`;
  const [one, other] = [
    only(await create({ clientSecret, autoProvision: true })),
    only(await create({ clientSecret })),
  ];
  const [first, second] = [await stored(one.id), await stored(other.id)];
  expect(Buffer.from(first!.sealedSecret!).equals(Buffer.from(second!.sealedSecret!))).toBe(false);
  await db().identityProvider.updateMany({
    where: { id: one.id },
    data: { sealedSecret: second!.sealedSecret, version: 9 },
  });
  expect((await tryStartSso(at, { tenant: tenant.id, provider: one.id })).errors).not.toEqual([]);
});
