// The wall between tenants, at the edge: every operation of one replayed with tokens of another and identical ids,
// and every statement that any of it took. security.md cases 106 and 109.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Prisma } from '../../src/database/generated/client.ts';
import { askNaming, givenThings, namings } from '../kit/administration.ts';
import { givenCustomer, givenEmployee } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { type Service, startService } from '../kit/service.ts';
import {
  type CustomerToken,
  type EmployeeToken,
  employee,
  type GuestToken,
  guest,
  isGood,
  PASSWORD,
  refresh,
  serviceToken,
  signIn,
  tryEmployeeLogin,
  tryLogin,
  tryRefresh,
  tryServiceToken,
} from '../kit/stories.ts';
import { rootFields } from './h-graphql-operations.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.stop());

const system = () => service.app.modules.database.system();

/** Every row that belongs to a tenant, as text, by table. */
async function rowsOf(tenantId: string): Promise<Record<string, string[]>> {
  const tables = await system().$queryRaw<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1`;
  const rows: Record<string, string[]> = {};
  for (const { name } of tables) {
    const found = await system().$queryRaw<{ row: string }[]>(
      Prisma.sql`SELECT t::text AS row FROM ${Prisma.raw(`"${name}"`)} t WHERE tenant_id = ${tenantId} ORDER BY 1`,
    );
    rows[name] = found.map(({ row }) => row);
  }
  return rows;
}

interface Side {
  readonly service: string;
  readonly admin: EmployeeToken;
  readonly guest: GuestToken;
  readonly customer: CustomerToken;
}
const sideOf = async (tenant: 'demo' | 'rival'): Promise<Side> => ({
  service: (await serviceToken(service, `${tenant}-backend`)).accessToken,
  admin: await employee(service, `admin@${tenant}.example`),
  guest: await guest(service, { tenant, clientId: `${tenant}-storefront` }),
  customer: await signIn(service, tenant === 'demo' ? 'buyer@demo.example' : 'mallory@rival.example', {
    legalEntityId: tenant === 'demo' ? 'acme' : 'umbrella',
  }),
});

describe('case 109', () => {
  let demo: Side;
  let rival: Side;
  let scope: string;
  let kid: string;
  let cursor: string;
  beforeAll(async () => {
    [demo, rival] = [await sideOf('demo'), await sideOf('rival')];
    scope = `only.demo_${randomUUID().slice(0, 8)}`;
    only(
      await graphql(service, 'mutation ($i: CreateScopeInput!) { createScope(input: $i) { id } }', {
        bearer: demo.admin.accessToken,
        variables: { i: { id: scope, description: 'Of demo.' } },
      }),
    );
    kid = only<{ kid: string }[]>(await graphql(service, '{ signingKeys { kid } }', { bearer: demo.service }))[0]!.kid;
    cursor = only<{ pageInfo: { startCursor: string } }>(
      await graphql(service, '{ sessions(first: 1) { pageInfo { startCursor } } }', { bearer: demo.service }),
    ).pageInfo.startCursor;
  });

  it('every operation replayed with the rival’s token and identical ids: no row is shown, none is changed', async () => {
    let before = await rowsOf('demo');
    const { customer, admin } = demo;
    const ask = (bearer: string | undefined, query: string, variables: Record<string, unknown> = {}) =>
      graphql(service, query, { bearer, variables });
    const nothing = (answer: Answer) => expect([answer.errors, answer.data]).toEqual([[], expect.anything()]);
    const refused = (code: string) => (answer: Answer) => {
      expect([answer.code, answer.body]).toEqual([code, answer.body]);
      expect(Object.values(answer.data ?? {}).every((value) => value === null)).toBe(true);
    };
    const inactive = (answer: Answer) =>
      expect(answer.data).toEqual({ introspectToken: { active: false, subject: null } });
    const introspect = 'query ($t: String!) { introspectToken(token: $t) { active subject } }';
    const replayed: Record<string, [Answer, (answer: Answer) => void][]> = {
      currentPrincipal: [
        [await ask(rival.admin.accessToken, '{ currentPrincipal { id tenant { id } scopes } }'), nothing],
      ],
      tenant: [[await ask(rival.service, '{ tenant { id name } }'), nothing]],
      introspectToken: [],
      mySessions: [[await ask(rival.customer.accessToken, '{ mySessions { id } }'), nothing]],
      scope: [[await ask(rival.service, 'query ($id: ID!) { scope(id: $id) { id } }', { id: scope }), nothing]],
      scopes: [
        [
          await ask(
            rival.service,
            'query ($s: String) { scopes(search: $s, first: 200) { totalCount nodes { id } } }',
            { s: 'only.demo' },
          ),
          nothing,
        ],
      ],
      sessions: [
        [
          await ask(rival.service, 'query ($id: ID) { sessions(customerId: $id) { totalCount nodes { id } } }', {
            id: customer.customer.id,
          }),
          nothing,
        ],
        [
          await ask(rival.service, 'query ($id: ID) { sessions(employeeId: $id) { totalCount nodes { id } } }', {
            id: admin.employee.id,
          }),
          nothing,
        ],
        [
          await ask(rival.service, 'query ($c: String) { sessions(after: $c) { totalCount nodes { id } } }', {
            c: cursor,
          }),
          nothing,
        ],
        [
          await ask(rival.service, 'query ($c: String) { sessions(before: $c) { totalCount nodes { id } } }', {
            c: cursor,
          }),
          nothing,
        ],
      ],
      signingKeys: [[await ask(rival.service, '{ signingKeys { kid } }'), nothing]],
      createScope: [],
      deleteScope: [
        [await ask(rival.service, 'mutation ($id: ID!) { deleteScope(id: $id) }', { id: scope }), refused('NOT_FOUND')],
      ],
      retireSigningKey: [
        [
          await ask(rival.service, 'mutation ($id: ID!) { retireSigningKey(kid: $id, reason: "x") { kid } }', {
            id: kid,
          }),
          refused('NOT_FOUND'),
        ],
      ],
      revokeSession: [],
      issueAssistedCustomerToken: [
        [
          await ask(
            rival.admin.accessToken,
            'mutation ($id: ID!) { issueAssistedCustomerToken(input: { customerId: $id, reason: "x" }) { sessionId } }',
            { id: customer.customer.id },
          ),
          refused('NOT_FOUND'),
        ],
        [
          await ask(
            rival.admin.accessToken,
            'mutation ($id: ID!) { issueAssistedCustomerToken(input: { customerId: $id, legalEntityId: "acme", reason: "x" }) { sessionId } }',
            { id: rival.customer.customer.id },
          ),
          refused('ACCESS_DENIED'),
        ],
      ],
      issueServiceToken: [
        [await tryServiceToken(service, 'demo-backend', 'rival-backend-secret'), refused('INVALID_CLIENT')],
        [await tryServiceToken(service, 'rival-backend', 'demo-backend-secret'), refused('INVALID_CLIENT')],
        [await tryServiceToken(service, 'rival-backend', 'rival-backend-secret', [scope]), refused('INVALID_SCOPE')],
      ],
      issueAnonymousToken: [
        [
          await ask(
            rival.service,
            'mutation { issueAnonymousToken(input: { tenant: "rival", clientId: "demo-storefront" }) { sessionId } }',
          ),
          refused('INVALID_CLIENT'),
        ],
        [
          await ask(
            undefined,
            'mutation { issueAnonymousToken(input: { tenant: "demo", clientId: "rival-storefront" }) { sessionId } }',
          ),
          refused('INVALID_CLIENT'),
        ],
      ],
      issueCustomerToken: [
        [
          await tryLogin(service, { email: 'buyer@demo.example', anonymousToken: rival.guest.accessToken }),
          refused('INVALID_GRANT'),
        ],
      ],
      issueEmployeeToken: [
        [await tryEmployeeLogin(service, 'admin@demo.example', PASSWORD, 'rival'), refused('INVALID_GRANT')],
      ],
      issueB2BToken: [
        [
          await ask(
            rival.customer.accessToken,
            'mutation ($t: String!) { issueB2BToken(input: { refreshToken: $t, legalEntityId: "acme" }) { sessionId } }',
            { t: rival.customer.refreshToken },
          ),
          refused('ACCESS_DENIED'),
        ],
      ],
      refreshCustomerToken: [
        [await tryRefresh(service, rival.customer.refreshToken, { legalEntityId: 'globex' }), refused('ACCESS_DENIED')],
      ],
    };
    for (const token of [
      customer.accessToken,
      customer.refreshToken,
      customer.saasToken,
      admin.accessToken,
      admin.refreshToken,
      demo.service,
      demo.guest.accessToken,
      demo.guest.refreshToken,
    ])
      replayed.introspectToken!.push([await ask(rival.service, introspect, { t: token }), inactive]);
    for (const bearer of [rival.service, rival.admin.accessToken, rival.customer.accessToken]) {
      for (const id of [customer.sessionId, admin.sessionId])
        replayed.revokeSession!.push([
          await ask(bearer, 'mutation ($id: ID!) { revokeSession(id: $id) { revoked } }', { id }),
          refused('NOT_FOUND'),
        ]);
    }

    const [things, rivals] = [await givenThings(service, 'demo'), await givenThings(service, 'rival')];
    // What the service notes of its own accord, now and then, is written by then.
    await service.app.modules.clientUsage.flush();
    before = await rowsOf('demo');
    const note = (field: string, answer: Answer, judge: (answer: Answer) => void) => {
      replayed[field] = [...(replayed[field] ?? []), [answer, judge]];
    };
    for (const [place, naming] of Object.entries(namings)) {
      const answer = await askNaming(service, rival.admin.accessToken, naming, things[naming.names], rivals);
      const judge = ({ body }: Answer) => expect(JSON.parse(body), `${place}: ${body}`).toMatchObject(naming.missing);
      note(place.split('.')[0]!, answer, judge);
    }
    const lists = [
      'accessControls',
      'accessControlTemplates',
      'auditEvents',
      'clients',
      'customers',
      'employees',
      'groups',
      'identityProviders',
      'legalEntities',
      'permissions',
      'resources',
      'roles',
    ];
    for (const list of lists) {
      const answer = await ask(rival.admin.accessToken, `{ ${list}(first: 200) { totalCount nodes { id } } }`);
      note(list, answer, nothing);
    }

    const ofDemo = [
      ...Object.entries(things).flatMap(([what, value]) => (what === 'tenant' ? [] : [value])),
      customer.customer.id,
      customer.sessionId,
      admin.employee.id,
      admin.sessionId,
      kid,
      '@demo.example',
      'Of demo.',
    ];
    for (const [name, answers] of Object.entries(replayed)) {
      for (const [answer, judge] of answers) {
        judge(answer);
        for (const secret of ofDemo) expect([name, answer.body.includes(secret)]).toEqual([name, false]);
      }
    }
    expect(JSON.stringify(replayed.sessions!.slice(0, 2).map(([answer]) => answer.data))).not.toMatch(
      /"totalCount":[1-9]/,
    );
    // Refused logins of clients of demo are demo's to know of; nothing else happened there.
    const after = await rowsOf('demo');
    const trail = after.audit_events!.filter((row) => !before.audit_events!.includes(row));
    expect(trail.filter((row) => !row.includes('client.authentication_failed'))).toEqual([]);
    expect({ ...after, audit_events: [] }).toEqual({ ...before, audit_events: [] });
    for (const token of [customer.accessToken, admin.accessToken, demo.service])
      expect(await isGood(service, token)).toBe(true);

    // What needs nobody's id concerns the caller alone, and is seen elsewhere.
    const own = [
      'changePassword',
      'confirmCustomer',
      'confirmEmailChange',
      'createClient',
      'createIdentityProvider',
      'issueSaasToken',
      // Of a state that only the browser that began knows.
      'issueSsoToken',
      'latestRevocation',
      'logout',
      'logoutEverywhere',
      'refreshAnonymousToken',
      'refreshEmployeeToken',
      'registerCustomer',
      'requestEmailChange',
      'requestPasswordReset',
      'resetPassword',
      'revocations',
      'revokeToken',
      'rotateSigningKey',
      'updateSessionContext',
    ];
    expect(rootFields.map(({ name }) => name).sort()).toEqual([...own, ...Object.keys(replayed)].sort());
  });

  it('two tenants may give the same things the same ids; neither touches the other’s', async () => {
    const id = `same.id_${randomUUID().slice(0, 8)}`;
    const create = (side: Side, description: string) =>
      graphql(service, 'mutation ($i: CreateScopeInput!) { createScope(input: $i) { id description } }', {
        bearer: side.admin.accessToken,
        variables: { i: { id, description } },
      });
    expect([only(await create(demo, 'Demo’s.')), only(await create(rival, 'Rival’s.'))]).toEqual([
      { id, description: 'Demo’s.' },
      { id, description: 'Rival’s.' },
    ]);
    only(
      await graphql(service, 'mutation ($id: ID!) { deleteScope(id: $id) }', {
        bearer: rival.service,
        variables: { id },
      }),
    );
    const look = (side: Side) =>
      graphql(service, 'query ($id: ID!) { scope(id: $id) { description } }', {
        bearer: side.service,
        variables: { id },
      });
    expect([(await look(demo)).data, (await look(rival)).data]).toEqual([
      { scope: { description: 'Demo’s.' } },
      { scope: null },
    ]);

    const email = `both-${randomUUID()}@test.example`;
    const register = async (tenant: 'demo' | 'rival', password: string) => {
      const { accessToken } = await guest(service, { tenant, clientId: `${tenant}-storefront` });
      only(
        await graphql(service, 'mutation ($i: RegisterCustomerInput!) { registerCustomer(input: $i) { id } }', {
          bearer: accessToken,
          variables: { i: { email, password } },
        }),
      );
      return async (tried: string) =>
        tryLogin(
          service,
          { email, password: tried },
          (await guest(service, { tenant, clientId: `${tenant}-storefront` })).accessToken,
        );
    };
    const [inDemo, inRival] = [
      await register('demo', 'password of demo'),
      await register('rival', 'password of rival'),
    ];
    expect((await inDemo('password of rival')).code).toBe('INVALID_GRANT');
    expect((await inRival('password of demo')).code).toBe('INVALID_GRANT');
    expect([(await inDemo('password of demo')).errors, (await inRival('password of rival')).errors]).toEqual([[], []]);
  });

  /** Statements that look something up by a key that no two tenants share, or that concern all of them on purpose. */
  const reviewed: Record<string, RegExp> = {
    'a client by its id, before its tenant is known; the id is unique over all':
      /FROM "public"\."clients" WHERE \("public"\."clients"\."id" = \$1/,
    'the first look at a refresh token: by the digest of 256 random bits':
      /FROM refresh_tokens t JOIN sessions s[\s\S]*WHERE t\.id = \$1/,
    'revocations of all tenants, into memory': /FROM revocations\s+WHERE sequence > \$1 AND sequence <= \$2/,
    'the oldest revocation that is kept, of all tenants':
      /^SELECT "public"\."revocations"\."sequence" FROM "public"\."revocations" WHERE 1=1 ORDER BY/,
    'signing keys of all tenants, into memory': /FROM "public"\."signing_keys" WHERE 1=1/,
    'custom scopes of all tenants, into memory': /FROM "public"\."custom_scopes" WHERE 1=1/,
  };

  it('every statement on a table of tenants is bound to a tenant, but for a reviewed few', async () => {
    service.statements.length = 0;
    // A life of everything that can be asked: each root field once at least.
    const ask = async (bearer: string | undefined, query: string, variables: Record<string, unknown> = {}) => {
      const answer = await graphql(service, query, { bearer, variables });
      expect([query, answer.errors]).toEqual([query, []]);
      return Object.values(answer.data!)[0] as Record<string, string>;
    };
    const someone = await givenCustomer(service, { acme: 'ADMIN', globex: 'BUYER' });
    const helper = await givenEmployee(service, ['customer.assisted_buying_manage', 'oauth.session_read']);
    const helping = only<EmployeeToken>(await tryEmployeeLogin(service, helper.email));
    const visitor = await guest(service);
    const again = await ask(
      undefined,
      'mutation ($t: String!) { refreshAnonymousToken(input: { refreshToken: $t }) { accessToken } }',
      { t: visitor.refreshToken },
    );
    const fresh = `fresh-${randomUUID()}@test.example`;
    await ask(again.accessToken, 'mutation ($i: RegisterCustomerInput!) { registerCustomer(input: $i) { id } }', {
      i: { email: fresh, password: 'a password of case 109' },
    });
    let mine = only<CustomerToken>(
      await tryLogin(service, { email: someone.email, anonymousToken: again.accessToken, legalEntityId: 'acme' }),
    );
    mine = await refresh(service, mine.refreshToken, { legalEntityId: 'globex' });
    mine = await refresh(service, mine.refreshToken, { legalEntityId: null });
    mine = only(
      await graphql(
        service,
        'mutation ($t: String!) { issueB2BToken(input: { refreshToken: $t, legalEntityId: "acme", branch: true }) { accessToken refreshToken sessionId branchedFrom { refreshToken legalEntity { id } } } }',
        { variables: { t: mine.refreshToken } },
      ),
    );
    await ask(
      mine.accessToken,
      '{ currentPrincipal { id tenant { id } ... on CustomerPrincipal { actor { id } customer { id } legalEntity { id } legalEntities { id } session { id context { version } legalEntity { id } assisted } } } }',
    );
    await ask(
      demo.admin.accessToken,
      '{ currentPrincipal { ... on EmployeePrincipal { employee { id } session { id } } } }',
    );
    await ask(demo.service, '{ currentPrincipal { ... on ServicePrincipal { client { id scopes } } } }');
    await ask(mine.accessToken, '{ mySessions { id legalEntity { id } assisted } }');
    await ask(mine.accessToken, 'mutation { issueSaasToken { saasToken } }');
    await ask(
      mine.accessToken,
      'mutation { updateSessionContext(input: { version: 1, siteCode: "de", attributes: { a: 1 } }) { version } }',
    );
    await ask(
      demo.service,
      'query ($c: ID, $e: ID) { sessions(customerId: $c, employeeId: $e, first: 5) { totalCount nodes { id legalEntity { id } assisted } } }',
      { c: someone.id },
    );
    await ask(demo.service, 'query ($c: String) { sessions(last: 5, before: $c) { totalCount nodes { id } } }', {
      c: cursor,
    });
    await ask(
      demo.service,
      '{ signingKeys { kid } tenant { id } scopes { totalCount } scope(id: "iam.group_read") { id } }',
    );
    const made = `life.of_${randomUUID().slice(0, 8)}`;
    await ask(demo.admin.accessToken, 'mutation ($i: CreateScopeInput!) { createScope(input: $i) { id } }', {
      i: { id: made, description: 'x' },
    });
    await ask(demo.admin.accessToken, 'mutation ($id: ID!) { deleteScope(id: $id) }', { id: made });
    const helped = await ask(
      helping.accessToken,
      'mutation ($id: ID!) { issueAssistedCustomerToken(input: { customerId: $id, legalEntityId: "acme", reason: "case 109" }) { accessToken sessionId } }',
      { id: someone.id },
    );
    for (const t of [mine.accessToken, mine.refreshToken, helped.accessToken])
      await ask(demo.service, 'query ($t: String!) { introspectToken(token: $t) { active } }', { t });
    await ask(undefined, 'mutation ($t: String!) { revokeToken(input: { token: $t }) { revoked } }', {
      t: helped.accessToken,
    });
    await ask(demo.service, 'mutation ($id: ID!) { revokeSession(id: $id) { revoked } }', { id: helped.sessionId });
    await ask(mine.accessToken, 'mutation ($i: ChangePasswordInput!) { changePassword(input: $i) { sessionsEnded } }', {
      i: { currentPassword: PASSWORD, newPassword: 'another password of case 109' },
    });
    await ask(mine.accessToken, 'mutation { logout { sessionsEnded } }');
    const things = await givenThings(service, 'demo');
    // Those that delete come last.
    const places = Object.keys(namings).sort(
      (one, other) => Number(/^delete/.test(one)) - Number(/^delete/.test(other)),
    );
    for (const place of places) {
      const naming = namings[place]!;
      const answer = await askNaming(service, demo.admin.accessToken, naming, things[naming.names], things);
      // Some take what another has needed: refused for that, never for a fault of ours.
      expect([
        place,
        ['NOT_FOUND', 'CONFLICT', 'BAD_USER_INPUT', 'ACCESS_DENIED', 'INVALID_GRANT', undefined].includes(answer.code),
        answer.body,
      ]).toEqual([place, true, answer.body]);
    }
    const everything = [
      '{ groups(first: 20, search: "a") { totalCount nodes { legalEntity { id } accessControls { role { permissions { id } } resource { id } } templates { accessControls { id } } scopes memberCount members(first: 5) { totalCount nodes { ... on Employee { groups { id } scopes } ... on Customer { groups { id } } } } } } }',
      '{ clients(first: 20, search: "e") { totalCount nodes { lastUsedAt unusedScopes } } }',
      '{ auditEvents(first: 5) { totalCount nodes { id } } }',
      '{ customers(first: 5, search: "e", legalEntityId: "acme") { totalCount nodes { groups { id } } } }',
      '{ employees(first: 5, search: "e") { totalCount nodes { scopes } } }',
      '{ accessControlTemplates { totalCount nodes { accessControls { id } } } }',
      '{ accessControls { totalCount nodes { role { id } } } }',
      '{ roles { totalCount nodes { id } } }',
    ];
    for (const query of everything) await ask(demo.service, query);
    await ask(
      demo.service,
      'mutation { createClient(input: { name: "x", kind: CUSTOM, scopes: [] }) { client { id } } }',
    );
    await ask(
      undefined,
      'mutation ($t: String!) { refreshEmployeeToken(input: { refreshToken: $t }) { accessToken } }',
      { t: helping.refreshToken },
    );
    await ask(helping.accessToken, 'mutation { logoutEverywhere { sessionsEnded } }');
    await tryEmployeeLogin(service, 'admin@demo.example', 'a wrong password');
    await tryServiceToken(service, 'demo-crm', 'a wrong secret');
    const rotated = await ask(rival.service, 'mutation { rotateSigningKey { kid } }');
    await ask(rival.service, 'mutation ($id: ID!) { retireSigningKey(kid: $id, reason: "case 109") { kid } }', {
      id: rotated.kid,
    });

    const owned = (
      await system().$queryRaw<{ name: string }[]>`
        SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'`
    ).map(({ name }) => name);
    const ownedTable = new RegExp(
      `\\b(?:FROM|JOIN|UPDATE|INTO)\\s+(?:"public"\\.)?"?(?:${owned.join('|')})"?(?![\\w])`,
      'i',
    );
    const isBound = (sql: string) =>
      /^\s*INSERT/i.test(sql)
        ? /^\s*INSERT INTO\s+\S+(?:\s+AS\s+\w+)?\s*\([^)]*\btenant_id\b/i.test(sql)
        : /\bWHERE\b[\s\S]*\btenant_id\b/i.test(sql);
    const touching = [...new Set(service.statements)].filter((sql) => ownedTable.test(sql));
    expect(touching.length).toBeGreaterThan(40);
    const unbound = touching.filter((sql) => !isBound(sql));
    const unreviewed = unbound.filter((sql) => !Object.values(reviewed).some((pattern) => pattern.test(sql)));
    expect(unreviewed).toEqual([]);
  });
});
