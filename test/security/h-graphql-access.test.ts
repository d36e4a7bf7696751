// No way around a requirement, on the schema that is served. security.md cases 94 to 96; product.md section 3.

import { randomUUID } from 'node:crypto';
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import type { PrincipalKind } from '../../src/modules/principals/principal.ts';
import { isBuiltInScope } from '../../src/modules/scopes/registry.ts';
import { accessOf } from '../../src/permissions/operation-check.ts';
import { givenClient, givenCustomer } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, startService } from '../kit/service.ts';
import { employee, guest, serviceToken, signIn, tryServiceToken } from '../kit/stories.ts';
import { inputsOf, operationOf, pathsToProtectedFields, rootFields } from './h-graphql-operations.ts';

let service: Service;
let tokens: Record<PrincipalKind, string>;
beforeAll(async () => {
  service = await startService();
  tokens = {
    service: (await serviceToken(service)).accessToken,
    employee: (await employee(service)).accessToken,
    anonymous: (await guest(service)).accessToken,
    customer: (await signIn(service)).accessToken,
  };
});
afterAll(() => service?.stop());
beforeEach(() => {
  service.statements.length = 0;
});

/** Statements of requests: the service itself looks for changes now and then, and notes which scopes were used. */
const statementsOfRequests = () =>
  service.statements.filter((sql) => !/counters|INTO client_scope_usage/.test(sql) && sql !== 'SELECT 1');

/** A service token with exactly these scopes. */
const known = new Map<string, string>();
async function tokenWith(scopes: readonly string[]): Promise<string> {
  const key = scopes.join(' ');
  if (!known.has(key)) {
    const harmless = scopes.length > 0 ? scopes : ['price.price_read'];
    const client = await givenClient(service, harmless);
    const token = only<{ accessToken: string }>(await tryServiceToken(service, client.id, client.clientSecret));
    known.set(key, token.accessToken);
  }
  return known.get(key)!;
}

/** Values that every type accepts, and that name nothing. */
const argument = (type: { toString(): string }): string => {
  const name = String(type).replace(/[![\]]/g, '');
  if (name === 'Int') return '1';
  const isList = String(type).startsWith('[');
  if (name === 'ID' || name === 'String') return isList ? '["nothing"]' : '"nothing"';
  const input = schema.getType(name);
  if (isEnumType(input)) return input.getValues()[0]!.name;
  if (!isInputObjectType(input)) throw new Error(`No value for ${name} is known here.`);
  const fields = Object.entries(input.getFields()).filter(([, field]) => String(field.type).endsWith('!'));
  return `{ ${fields.map(([field, { type }]) => `${field}: ${argument(type)}`).join(', ')} }`;
};

describe('case 94', () => {
  const paths = pathsToProtectedFields(4, argument);

  it('the schema has paths to walk: every field with scopes is reached', () => {
    const declared = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type))
      .flatMap((type) =>
        Object.values(type.getFields())
          .filter((field) => accessOf(field)?.kind === 'scopes')
          .map((field) => `${type.name}.${field.name}`),
      );
    expect([...new Set(paths.map(({ field }) => field))].sort()).toEqual(declared.sort());
    expect(paths.length).toBeGreaterThanOrEqual(declared.length * 5);
  });

  it('every path of up to four steps is FORBIDDEN without the scope, naming it, and runs nothing', {
    timeout: 120_000,
  }, async () => {
    for (const { query, scopes, others } of paths) {
      const bearer = await tokenWith(others);
      service.statements.length = 0;
      const answer = await graphql(service, query, {
        bearer,
        headers: { Accept: 'application/graphql-response+json' },
      });
      const missing = scopes.filter((scope) => !others.includes(scope));
      expect([query, answer.status, answer.code, answer.errors[0]?.extensions.missingScopes]).toEqual([
        query,
        403,
        'FORBIDDEN',
        missing,
      ]);
      expect([query, answer.data, statementsOfRequests()]).toEqual([query, undefined, []]);
      for (const scope of missing) expect(isBuiltInScope(scope)).toBe(true);
    }
  });

  it('every path is UNAUTHENTICATED without a token, whatever public fields stand beside it', {
    timeout: 120_000,
  }, async () => {
    for (const { query } of paths) {
      const beside = query.replace(/^query \{/, 'query { currentPrincipal { id } ');
      const answer = await graphql(service, beside);
      expect([query, answer.code, answer.data, statementsOfRequests()]).toEqual([
        query,
        'UNAUTHENTICATED',
        undefined,
        [],
      ]);
    }
  });

  it('a scope that only looks like the one needed does not do', async () => {
    for (const [held, query] of [
      ['oauth.key_read', 'mutation { rotateSigningKey { kid } }'],
      ['oauth.session_manage', 'subscription { revocations { sequence } }'],
      ['oauth.session_manage', '{ signingKeys { kid } }'],
      ['iam.scope_manage', '{ sessions { totalCount } }'],
      ['iam.group_read_own', '{ sessions { totalCount } }'],
    ] as const) {
      const answer = await graphql(service, query, { bearer: await tokenWith([held]) });
      expect([held, query, answer.code]).toEqual([held, query, 'FORBIDDEN']);
    }
  });

  it('a field for some kinds of caller is FORBIDDEN to every other kind, and UNAUTHENTICATED to nobody', async () => {
    const values = { email: 'a@b.example', password: 'x', currentPassword: 'x', newPassword: 'x', version: 1 };
    for (const root of rootFields) {
      const { access } = root;
      if (access.kind !== 'authenticated') continue;
      const variables = inputsOf(root.field, ({ path, type }) =>
        type === 'Int'
          ? 1
          : type === 'Boolean'
            ? true
            : type === 'JSON'
              ? {}
              : (values[path.split('.').at(-1) as never] ?? 'nothing'),
      );
      const query = operationOf(root, 0);
      const ask = (bearer?: string) => graphql(service, query, { bearer, variables });
      service.statements.length = 0;
      expect([root.name, (await ask()).code]).toEqual([root.name, 'UNAUTHENTICATED']);
      for (const kind of Object.keys(tokens) as PrincipalKind[]) {
        if (!access.principals || access.principals.includes(kind)) continue;
        const answer = await ask(tokens[kind]);
        expect([root.name, kind, answer.code, answer.data]).toEqual([root.name, kind, 'FORBIDDEN', undefined]);
      }
      expect([root.name, statementsOfRequests()]).toEqual([root.name, []]);
    }
  });

  it('what is of another tenant looks as what does not exist', async () => {
    const mallory = await signIn(service, 'mallory@rival.example');
    const rivalKey = only<{ kid: string }[]>(
      await graphql(service, '{ signingKeys { kid } }', {
        bearer: (await serviceToken(service, 'rival-backend')).accessToken,
      }),
    )[0]!.kid;
    const rivalScope = `rival.secret_${randomUUID().slice(0, 8)}`;
    only(
      await graphql(service, 'mutation ($i: CreateScopeInput!) { createScope(input: $i) { id } }', {
        bearer: (await employee(service, 'admin@rival.example')).accessToken,
        variables: { i: { id: rivalScope, description: 'Theirs.' } },
      }),
    );
    const documents: [string, string, string][] = [
      ['mutation ($id: ID!) { revokeSession(id: $id) { revoked } }', mallory.sessionId, tokens.service],
      ['mutation ($id: ID!) { revokeSession(id: $id) { revoked } }', mallory.sessionId, tokens.customer],
      ['mutation ($id: ID!) { retireSigningKey(kid: $id, reason: "x") { kid } }', rivalKey, tokens.service],
      ['mutation ($id: ID!) { deleteScope(id: $id) }', rivalScope, tokens.service],
      ['query ($id: ID!) { scope(id: $id) { id description } }', rivalScope, tokens.service],
      [
        'query ($id: ID!) { sessions(customerId: $id) { totalCount nodes { id } } }',
        mallory.customer.id,
        tokens.service,
      ],
      [
        'mutation ($id: ID!) { issueAssistedCustomerToken(input: { customerId: $id, reason: "x" }) { sessionId } }',
        mallory.customer.id,
        tokens.employee,
      ],
      [
        'mutation ($id: ID!) { issueAssistedCustomerToken(input: { customerId: "nobody", legalEntityId: $id, reason: "x" }) { sessionId } }',
        'umbrella',
        tokens.employee,
      ],
    ];
    for (const [query, foreign, bearer] of documents) {
      const [theirs, nowhere] = [
        await graphql(service, query, { bearer, variables: { id: foreign } }),
        await graphql(service, query, { bearer, variables: { id: randomUUID() } }),
      ];
      expect([query, theirs.status, theirs.body]).toEqual([query, nowhere.status, nowhere.body]);
    }
    const introspect = (token: string, bearer: string) =>
      graphql(
        service,
        'query ($t: String!) { introspectToken(token: $t) { active tenant scopes subject sessionId } }',
        {
          bearer,
          variables: { t: token },
        },
      );
    for (const foreign of [mallory.accessToken, mallory.refreshToken, mallory.saasToken]) {
      expect((await introspect(foreign, tokens.service)).body).toBe((await introspect('garbage', tokens.service)).body);
      expect((await introspect(foreign, tokens.customer)).body).toBe(
        (await introspect('garbage', tokens.customer)).body,
      );
    }
    expect(await graphql(service, '{ currentPrincipal { id } }', { bearer: mallory.accessToken })).toMatchObject({
      data: { currentPrincipal: { id: mallory.customer.id } },
    });
  });
});

/**
 * Reviewed: fields without a requirement that lead from one thing to another. Each shows the caller what is the
 * caller's own, or belongs to what the caller was let see anyway. An entry needs a reason that holds for everybody
 * who can get there.
 */
const publicByReview: Record<string, string> = {
  'AccessExplanation.fields': 'of the operation that was asked about; names fields and scopes only',
  'AnonymousPrincipal.context': 'of the guest who asks; stands in the token',
  'AnonymousPrincipal.tenant': 'id and name of the tenant of the caller',
  'ClientWithSecret.client': 'made or changed by the caller, with oauth.client_manage',
  'CustomerPrincipal.actor': 'the employee who acts with this very token',
  'CustomerPrincipal.customer': 'the caller',
  'CustomerPrincipal.legalEntities': 'the companies of the caller (product.md section 5)',
  'CustomerPrincipal.legalEntity': 'the company of this very token',
  'CustomerPrincipal.session': 'the session of this very token',
  'CustomerPrincipal.tenant': 'id and name of the tenant of the caller',
  'CustomerToken.branchedFrom': 'issued to the caller',
  'CustomerToken.customer': 'who has just signed in',
  'CustomerToken.legalEntity': 'the company that the caller has just been let in to',
  'EmployeePrincipal.employee': 'the caller',
  'EmployeePrincipal.session': 'the session of this very token',
  'EmployeePrincipal.tenant': 'id and name of the tenant of the caller',
  'EmployeeToken.employee': 'who has just signed in',
  'FieldAccess.grantedBy': 'of the caller, or of somebody else with iam.access_read',
  'Principal.tenant': 'id and name of the tenant of the caller',
  'RefreshTokenBranch.legalEntity': 'a company that the caller has just been let in to',
  'ServicePrincipal.client': 'the caller',
  'ServicePrincipal.tenant': 'id and name of the tenant of the caller',
  'Session.context': 'one’s own session, or oauth.session_read',
  'Session.legalEntity': 'one’s own session, or oauth.session_read: id and name',
};

/** Reviewed: what anybody may call. */
const publicRootFields = [
  'Mutation.confirmCustomer',
  'Mutation.confirmEmailChange',
  'Mutation.exchangeToken',
  'Mutation.issueAnonymousToken',
  'Mutation.issueB2BToken',
  'Mutation.issueCustomerToken',
  'Mutation.issueEmployeeToken',
  'Mutation.issueServiceToken',
  'Mutation.issueSsoToken',
  'Mutation.refreshAnonymousToken',
  'Mutation.refreshCustomerToken',
  'Mutation.refreshEmployeeToken',
  'Mutation.requestPasswordReset',
  'Mutation.resetPassword',
  'Mutation.revokeToken',
  'Mutation.startSso',
  'Query.currentPrincipal',
];

describe('case 95', () => {
  const roots = new Set(['Query', 'Mutation', 'Subscription']);
  /** Pages are wrapping: what leads to a page leads to its items. */
  const isWrapping = (name: string) => /(?:Connection|Edge|PageInfo)$/.test(name);

  it('every field that leads to something else declares what it needs or stands on the reviewed list, and nothing else does', () => {
    const leading: string[] = [];
    for (const type of Object.values(schema.getTypeMap())) {
      if (!(isObjectType(type) || isInterfaceType(type)) || type.name.startsWith('__')) continue;
      if (roots.has(type.name) || isWrapping(type.name)) continue;
      for (const field of Object.values(type.getFields())) {
        const result = getNamedType(field.type);
        if (isLeafType(result)) continue;
        expect(isObjectType(result) || isInterfaceType(result) || isUnionType(result)).toBe(true);
        const access = accessOf(field);
        if (!access || access.kind === 'open') leading.push(`${type.name}.${field.name}`);
      }
    }
    expect(leading.sort()).toEqual(Object.keys(publicByReview).sort());
  });

  it('every root field declares what it needs; those that anybody may call are reviewed', () => {
    const open = rootFields
      .filter(({ access }) => access.kind === 'open')
      .map(({ kind, name }) => `${kind[0]!.toUpperCase()}${kind.slice(1)}.${name}`);
    expect(rootFields.filter(({ access }) => !access)).toEqual([]);
    expect(open.sort()).toEqual(publicRootFields);
  });

  it('a root field that loses its declaration is FORBIDDEN at run time, even to who holds every scope', async () => {
    const field = schema.getQueryType()!.getFields().tenant!;
    const kept = field.extensions;
    try {
      field.extensions = {};
      const answer = await graphql(service, '{ unprotected: tenant { id } }', { bearer: tokens.service });
      expect([answer.code, answer.data]).toEqual(['FORBIDDEN', undefined]);
    } finally {
      field.extensions = kept;
    }
    expect((await graphql(service, '{ again: tenant { id } }', { bearer: tokens.service })).errors).toEqual([]);
  });

  it('what is public of a customer, an employee or a company leads no further than to itself', () => {
    for (const name of [
      'Customer',
      'Employee',
      'LegalEntity',
      'Client',
      'Tenant',
      'SessionContext',
      'Scope',
      'SigningKey',
    ]) {
      const type = schema.getType(name);
      if (!isObjectType(type)) throw new Error(`${name} is gone.`);
      const onward = Object.values(type.getFields()).filter(
        (field) => !isLeafType(getNamedType(field.type)) && accessOf(field)?.kind !== 'scopes',
      );
      expect([name, onward.map((field) => field.name)]).toEqual([name, []]);
    }
  });

  it('no type shows a secret: hashes, digests, sealed keys and settings are in no field', () => {
    // The answer to making a client or rotating its secret, shown once; stored is a digest.
    const shownOnce = schema.getType('ClientWithSecret');
    expect(isObjectType(shownOnce) && Object.keys(shownOnce.getFields())).toEqual(['client', 'clientSecret']);
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type === shownOnce || type.name.startsWith('__') || roots.has(type.name)) continue;
      for (const name of Object.keys(type.getFields()))
        expect(`${type.name}.${name}`).not.toMatch(/hash|digest|secret|password|private|sealed|salt|settings/i);
    }
  });
});

describe('case 96: lists', () => {
  const page = `query ($first: Int, $after: String, $customerId: ID, $employeeId: ID) {
    sessions(first: $first, after: $after, customerId: $customerId, employeeId: $employeeId) {
      totalCount pageInfo { hasNextPage endCursor }
      nodes { id current kind legalEntity { id name } assisted context { version } }
    }
  }`;
  interface Page {
    totalCount: number;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
    nodes: { id: string; legalEntity: { id: string } | null; assisted: boolean }[];
  }
  const own = new Set<string>();
  let one: { id: string };
  let other: { id: string };

  beforeAll(async () => {
    const db = service.app.modules.database.system();
    [one, other] = [await givenCustomer(service, { acme: 'BUYER' }), await givenCustomer(service)];
    const rivals = await db.customer.findFirstOrThrow({ where: { tenantId: 'rival' } });
    const helper = await db.employee.findFirstOrThrow({ where: { tenantId: 'demo', email: 'support@demo.example' } });
    const ends = new Date(Date.now() + 3_600_000);
    await db.session.createMany({
      data: Array.from({ length: 1_000 }, (_, at) => {
        const id = `case-96-${at}`;
        const isRival = at % 3 === 0;
        const isOver = at % 7 === 1;
        const owner = isRival ? rivals.id : at % 2 ? one.id : other.id;
        if (!isRival && !isOver && owner === one.id) own.add(id);
        return {
          tenantId: isRival ? 'rival' : 'demo',
          id,
          kind: 'CUSTOMER' as const,
          customerId: owner,
          clientId: isRival ? 'rival-storefront' : 'demo-storefront',
          legalEntityId: isRival ? 'umbrella' : at % 5 ? 'acme' : 'globex',
          actorId: isRival || at % 4 ? null : helper.id,
          createdAt: new Date(Date.now() - at * 7),
          expiresAt: isOver && at % 2 ? new Date(Date.now() - 1_000) : ends,
          endsAt: ends,
          endedAt: isOver && at % 2 === 0 ? new Date() : null,
        };
      }),
    });
  });

  it('1 000 rows of mixed owners, tenants and states: only the visible ones, counted over the visible', async () => {
    const seen: string[] = [];
    let total = 0;
    for (let after: string | null = null, more = true; more; ) {
      const answer: Page = only(
        await graphql(service, page, { bearer: tokens.service, variables: { first: 60, after, customerId: one.id } }),
      );
      seen.push(...answer.nodes.map(({ id }) => id));
      ({ hasNextPage: more, endCursor: after } = answer.pageInfo);
      total = answer.totalCount;
    }
    expect(new Set(seen)).toEqual(own);
    expect([seen.length, total]).toEqual([own.size, own.size]);
  });

  it('the other tenant’s rows are in no page and in no count', async () => {
    const all: Page = only(await graphql(service, page, { bearer: tokens.service, variables: { first: 200 } }));
    const rivals: Page = only(
      await graphql(service, page, {
        bearer: (await serviceToken(service, 'rival-backend')).accessToken,
        variables: { first: 200 },
      }),
    );
    const db = service.app.modules.database.system();
    const open = (tenantId: string) =>
      db.session.count({ where: { tenantId, endedAt: null, expiresAt: { gt: new Date() } } });
    expect([all.totalCount, rivals.totalCount]).toEqual([await open('demo'), await open('rival')]);
    expect(all.nodes.every(({ id }) => !(id.startsWith('case-96-') && Number(id.slice(8)) % 3 === 0))).toBe(true);
    expect(rivals.nodes.every(({ id }) => !id.startsWith('case-96-') || Number(id.slice(8)) % 3 === 0)).toBe(true);
  });

  it('a page of 200 with its count costs three statements at most, and what it leads to one each', async () => {
    service.statements.length = 0;
    only(
      await graphql(service, '{ sessions(first: 200) { totalCount nodes { id createdAt userAgent } } }', {
        bearer: tokens.service,
      }),
    );
    expect(statementsOfRequests().length).toBeLessThanOrEqual(3);
    service.statements.length = 0;
    const full: Page = only(await graphql(service, page, { bearer: tokens.service, variables: { first: 200 } }));
    expect(full.nodes.filter(({ legalEntity }) => legalEntity !== null).length).toBeGreaterThan(100);
    expect(full.nodes.filter(({ assisted }) => assisted).length).toBeGreaterThan(20);
    expect(statementsOfRequests().length).toBeLessThanOrEqual(5);
  });

  it('nothing is counted that nobody asked to count', async () => {
    service.statements.length = 0;
    only(await graphql(service, '{ sessions(first: 1) { nodes { id } } }', { bearer: tokens.service }));
    expect(statementsOfRequests().filter((sql) => /count\(/i.test(sql))).toEqual([]);
  });

  it('a filter for whoever is of another tenant or does not exist finds nothing', async () => {
    const db = service.app.modules.database.system();
    const mallory = await db.customer.findFirstOrThrow({ where: { tenantId: 'rival' } });
    for (const variables of [
      { customerId: mallory.id },
      { employeeId: one.id },
      { customerId: one.id, employeeId: one.id },
    ]) {
      const found: Page = only(await graphql(service, page, { bearer: tokens.service, variables }));
      expect([found.totalCount, found.nodes]).toEqual([0, []]);
    }
  });

  it('mySessions shows the caller’s own open ones, in one statement and those that it leads to', async () => {
    const { accessToken, sessionId } = await signIn(service, 'requester@demo.example');
    service.statements.length = 0;
    const mine = only<{ id: string; current: boolean }[]>(
      await graphql(service, '{ mySessions { id current legalEntity { id } assisted } }', { bearer: accessToken }),
    );
    expect(mine.filter(({ current }) => current).map(({ id }) => id)).toEqual([sessionId]);
    expect(mine.some(({ id }) => id.startsWith('case-96-'))).toBe(false);
    expect(statementsOfRequests().length).toBeLessThanOrEqual(3);
  });

  it('scopes are those of the tenant, also in search and count; a search finds text, not patterns', async () => {
    const mark = randomUUID().slice(0, 8);
    const create = async (who: string, id: string) =>
      only(
        await graphql(service, 'mutation ($i: CreateScopeInput!) { createScope(input: $i) { id } }', {
          bearer: (await employee(service, who)).accessToken,
          variables: { i: { id, description: `Of case 96 ${mark}, 100% of it.` } },
        }),
      );
    await create('admin@demo.example', `shop.${mark}_read`);
    await create('admin@rival.example', `shop.${mark}_manage`);
    const search = async (variables: object, bearer = tokens.service) =>
      only<{ totalCount: number; nodes: { id: string }[] }>(
        await graphql(
          service,
          'query ($search: String, $service: String, $heldByMe: Boolean) { scopes(first: 200, search: $search, service: $service, heldByMe: $heldByMe) { totalCount nodes { id } } }',
          { bearer, variables: variables as Record<string, unknown> },
        ),
      );
    expect(await search({ search: mark })).toEqual({ totalCount: 1, nodes: [{ id: `shop.${mark}_read` }] });
    expect((await search({ search: mark.toUpperCase() })).totalCount).toBe(1);
    expect((await search({ search: '100%' })).nodes.map(({ id }) => id)).toEqual([`shop.${mark}_read`]);
    for (const pattern of ['%', '.*', '^shop', `${mark[0]}_${mark.slice(2)}`, '\\', '[a-z]']) {
      const found = await search({ search: pattern });
      expect([pattern, found.nodes.some(({ id }) => id.includes(mark) && id.endsWith('_manage'))]).toEqual([
        pattern,
        false,
      ]);
      if (pattern !== '%') expect([pattern, found.totalCount]).toEqual([pattern, 0]);
    }
    const [held, lacking] = [
      await search({ heldByMe: true }, tokens.customer),
      await search({ heldByMe: false }, tokens.customer),
    ];
    const all = await search({}, tokens.customer);
    expect(held.totalCount + lacking.totalCount).toBe(all.totalCount);
    expect(held.totalCount).toBeGreaterThan(0);
    expect(held.nodes.filter(({ id }) => lacking.nodes.some((each) => each.id === id))).toEqual([]);
  });
});
