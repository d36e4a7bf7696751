// Query.explainAccess: what it answers, whom it answers, and what it is asked with. Security: l-own-rules-explain.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenClient, givenCustomer, givenEmployee } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, startService, theService } from '../kit/service.ts';
import { employee, guest, serviceToken, signIn } from '../kit/stories.ts';

let at: Service;
/** Introspection is off here, as in production. */
let closed: Service;
let admin: string;
beforeAll(async () => {
  at = await theService();
  closed = await startService({ INTROSPECTION: 'false' });
  admin = (await employee(at)).accessToken;
});
afterAll(() => closed?.stop());

const question = `query ($operation: String!, $variables: JSON, $operationName: String, $principal: ID, $legalEntityId: ID) {
  explainAccess(operation: $operation, variables: $variables, operationName: $operationName, principal: $principal,
    legalEntityId: $legalEntityId) {
    allowed mayHaveToken minimalScopes
    fields { path field allowed needs requires missing grantedBy { scope source } }
  }
}`;
const ask = (bearer: string | undefined, operation: string, rest: object = {}, service = at): Promise<Answer<any>> =>
  graphql(service, question, { bearer, variables: { operation, ...rest } });
const explain = async (bearer: string, operation: string, rest: object = {}) =>
  only<any>(await ask(bearer, operation, rest));
const pathsOf = (explanation: any) => explanation.fields.map(({ path }: { path: string }) => path);

const sessions = '{ sessions { totalCount } }';
const findCustomer = async (email: string) => (await at.app.modules.customers.findByEmail(ctxOf('demo'), email))!.id;
const findEmployee = async (email: string) => (await at.app.modules.employees.findByEmail(ctxOf('demo'), email))!.id;

describe('success', () => {
  it('every selected field that declares something, open ones included, and the fewest scopes for all', async () => {
    const { accessToken } = await guest(at);
    const operation =
      'query { currentPrincipal { id } mine: mySessions { id } ...S } fragment S on Query { sessions { totalCount } }';
    expect(await explain(accessToken, operation)).toEqual({
      allowed: false,
      mayHaveToken: true,
      minimalScopes: ['oauth.session_read'],
      fields: [
        {
          path: 'currentPrincipal',
          field: 'Query.currentPrincipal',
          allowed: true,
          needs: 'Public.',
          requires: [],
          missing: [],
          grantedBy: [],
        },
        {
          path: 'mine',
          field: 'Query.mySessions',
          allowed: false,
          needs: 'Needs an access token of a kind among: customer, employee.',
          requires: [],
          missing: [],
          grantedBy: [],
        },
        {
          path: 'sessions',
          field: 'Query.sessions',
          allowed: false,
          needs: 'Needs `oauth.session_read`.',
          requires: [['oauth.session_read']],
          missing: ['oauth.session_read'],
          grantedBy: [],
        },
      ],
    });
  });

  it('mutations and subscriptions, too', async () => {
    const { accessToken } = await serviceToken(at, 'demo-crm');
    const mutation = await explain(accessToken, 'mutation { a: rotateSigningKey { kid } logout { sessionsEnded } }');
    expect([mutation.allowed, pathsOf(mutation), mutation.minimalScopes]).toEqual([
      false,
      ['a', 'logout'],
      ['oauth.key_manage'],
    ]);
    const subscription = await explain(accessToken, 'subscription { revocations { sequence } }');
    expect([subscription.allowed, subscription.minimalScopes]).toEqual([false, ['oauth.revocation_read']]);
    expect((await explain(admin, 'subscription { revocations { sequence } }')).allowed).toBe(true);
  });

  it('a token that was asked for less than its client may: its own scopes decide', async () => {
    const { accessToken } = await serviceToken(at, 'demo-backend', ['oauth.key_read']);
    const { allowed, fields } = await explain(accessToken, '{ signingKeys { kid } sessions { totalCount } }');
    expect(allowed).toBe(false);
    expect(fields.map(({ missing, grantedBy }: any) => [missing, grantedBy])).toEqual([
      [[], [{ scope: 'oauth.key_read', source: 'client demo-backend (every scope)' }]],
      [['oauth.session_read'], []],
    ]);
  });

  it.each([
    [{ all: true }, ['tenant', 'sessions']],
    [{ all: false }, ['tenant', 'signingKeys']],
    [{ all: null }, ['tenant', 'sessions', 'signingKeys']],
    [{ all: 'neither' }, ['tenant', 'sessions', 'signingKeys']],
    [undefined, ['tenant', 'sessions']],
  ])('variables %j are coerced as for running: %j are selected', async (variables, paths) => {
    const operation =
      'query ($all: Boolean = true) { tenant { id } sessions @include(if: $all) { totalCount } signingKeys @skip(if: $all) { kid } }'.replace(
        '= true',
        variables && (variables.all === null || variables.all === 'neither') ? '!' : '= true',
      );
    expect(pathsOf(await explain(admin, operation, { variables }))).toEqual(paths);
  });

  it('the operation that is named, of several', async () => {
    const operation = 'query One { sessions { totalCount } } query Two { signingKeys { kid } }';
    expect(pathsOf(await explain(admin, operation, { operationName: 'Two' }))).toEqual(['signingKeys']);
  });

  it('introspection is no field of anybody, where it is on', async () => {
    const explanation = await explain((await guest(at)).accessToken, '{ __schema { queryType { name } } __typename }');
    expect(explanation).toEqual({ allowed: true, mayHaveToken: true, fields: [], minimalScopes: [] });
  });
});

describe('invalid: BAD_USER_INPUT', () => {
  it.each([
    ['does not parse', '{ sessions { ', /^Line 1, column 14: Expected Name, found <EOF>\.$/],
    ['is empty', '', /Unexpected <EOF>/],
    [
      'names no field',
      '{\n  sesions { totalCount } }',
      /^Line 2, column 3: Cannot query field "sesions" on type "Query"\.$/,
    ],
    [
      'has an unfit value',
      '{ sessions(first: "secret-1") { totalCount } }',
      /Int cannot represent non-integer value\.$/,
    ],
    ['has a text where a name belongs', '{ "secret-2" }', /found String\.?$/],
    ['has single quotes', "{ scope(id: 'secret-3') { id } }", /^Line 1, column 13: Unexpected single quote/],
    ['has NUL', '{ scope(id: "\\u0000") { id } }', /holds NUL/],
    ['defines a type', 'type A { a: Int }', /not executable/],
    ['has fragments alone', 'fragment A on Query { tenant { id } }', /never used/],
  ])(
    'a document that %s: says where and why, without values and without guesses',
    async (_name, operation, message) => {
      const answer = await ask(admin, operation);
      expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', 'operation']);
      expect(answer.errors[0]?.message).toMatch(message);
      expect(answer.body).not.toMatch(/did you mean|secret/i);
    },
  );

  const two = 'query A { tenant { id } } query B { tenant { id } }';
  it.each([
    ['several operations and no name', { operation: two }, 'operationName'],
    ['the name of none', { operation: two, operationName: 'C' }, 'operationName'],
    ['variables as a list', { variables: ['x'] }, 'variables'],
    ['variables as a text', { variables: 'x' }, 'variables'],
    ['a company of the caller', { legalEntityId: 'acme' }, 'legalEntityId'],
  ])('%s', async (_name, given, field) => {
    const answer = await ask(admin, '{ tenant { id } }', given);
    expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', field]);
  });

  it('introspection, where it is off, as for an operation that is to run', async () => {
    const bearer = (await employee(closed)).accessToken;
    for (const operation of ['{ __schema { queryType { name } } }', '{ __type(name: "Query") { name } }']) {
      const run = await graphql(closed, operation, { bearer });
      const explained = await ask(bearer, operation, {}, closed);
      expect([run.code, explained.code, explained.data]).toEqual(['BAD_USER_INPUT', 'BAD_USER_INPUT', null]);
      expect(explained.errors[0]?.message).toContain(run.errors[0]?.message);
    }
  });
});

it('unauthenticated: UNAUTHENTICATED without a good token, whatever is asked', async () => {
  const { saasToken, refreshToken } = await signIn(at);
  for (const bearer of [undefined, 'nonsense', saasToken, refreshToken]) {
    expect((await ask(bearer, '{ currentPrincipal { id } }')).code).toBe('UNAUTHENTICATED');
  }
});

describe('another principal', () => {
  it('forbidden: FORBIDDEN without iam.access_read, also for oneself, and whether there is one or not', async () => {
    const { accessToken } = await employee(at, 'catalog@demo.example');
    const own = await findEmployee('catalog@demo.example');
    for (const principal of [own, await findEmployee('admin@demo.example'), 'demo-crm', randomUUID()]) {
      const answer = await ask(accessToken, sessions, { principal });
      expect([answer.code, answer.errors[0]?.extensions]).toEqual([
        'FORBIDDEN',
        expect.objectContaining({ requiredScopes: [['iam.access_read']], missingScopes: ['iam.access_read'] }),
      ]);
    }
    const allowed = await serviceToken(at, 'demo-backend', ['iam.access_read']);
    expect((await explain(allowed.accessToken, sessions, { principal: own })).allowed).toBe(false);
  });

  it('other tenant: the same NOT_FOUND as for one that there is not, by whatever name', async () => {
    const mallory = (await at.app.modules.customers.findByEmail(ctxOf('rival'), 'mallory@rival.example'))!.id;
    const boss = (await at.app.modules.employees.findByEmail(ctxOf('rival'), 'admin@rival.example'))!.id;
    const support = await findEmployee('support@demo.example');
    const names = [randomUUID(), '', 'guest:x', 'client:', mallory, boss, 'rival-backend', `employee:${boss}`];
    const bodies = new Set<string>();
    for (const principal of [
      ...names,
      'client:rival-storefront',
      `customer:${support}`,
      `client:employee:${support}`,
    ]) {
      const answer = await ask(admin, sessions, { principal });
      expect([principal, answer.code]).toEqual([principal, 'NOT_FOUND']);
      bodies.add(answer.body);
    }
    expect(bodies.size).toBe(1);
  });

  it('a plain id that names several is asked for its kind; with the kind each is found', async () => {
    const { id } = await givenEmployee(at, ['oauth.session_read']);
    await at.app.modules.clients.register(ctxOf('demo'), {
      id,
      name: id,
      kind: 'CUSTOM',
      scopes: ['price.price_read'],
    });
    const answer = await ask(admin, sessions, { principal: id });
    expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', 'principal']);
    expect(answer.errors[0]?.message).toContain(`employee:${id} or client:${id}`);
    expect((await explain(admin, sessions, { principal: `employee:${id}` })).allowed).toBe(true);
    expect((await explain(admin, sessions, { principal: `client:${id}` })).allowed).toBe(false);
  });

  it('by the kind that its token would be of: a guest of a storefront is anonymous', async () => {
    const operation = '{ mySessions { id } }';
    const allowed = async (principal: string) => (await explain(admin, operation, { principal })).allowed;
    expect(await allowed(await findCustomer('buyer@demo.example'))).toBe(true);
    expect(await allowed(`employee:${await findEmployee('support@demo.example')}`)).toBe(true);
    expect([await allowed('demo-backend'), await allowed('client:demo-storefront')]).toEqual([false, false]);
    const registration = 'mutation ($input: RegisterCustomerInput!) { registerCustomer(input: $input) { id } }';
    expect((await explain(admin, registration, { principal: 'demo-storefront' })).allowed).toBe(true);
    expect((await explain(admin, registration, { principal: 'demo-backend' })).allowed).toBe(false);
  });

  it('disabled, or a client without scopes: no token, so nothing but what is open', async () => {
    const { clients, database } = at.app.modules;
    const db = database.forTenant(ctxOf('demo'));
    const disable = async ({ id }: { id: string }) => {
      const where = { id };
      const data = { enabled: false };
      await db.employee.updateMany({ where, data });
      await db.customer.updateMany({ where, data });
      await db.client.updateMany({ where, data });
      return { id };
    };
    const disabled = [
      await disable(await givenEmployee(at, ['oauth.session_read'])),
      await disable(await givenCustomer(at)),
      await disable(await givenClient(at, ['oauth.session_read'])),
      await disable(await givenClient(at, [], 'STOREFRONT')),
    ];
    const { client } = await clients.register(ctxOf('demo'), {
      id: `bare-${randomUUID()}`,
      name: 'Bare',
      kind: 'CUSTOM',
      scopes: [],
    });
    for (const { id } of [...disabled, client]) {
      const explanation = await explain(admin, '{ currentPrincipal { id } tenant { id } sessions { totalCount } }', {
        principal: id,
      });
      expect(explanation).toMatchObject({ allowed: false, mayHaveToken: false, minimalScopes: ['oauth.session_read'] });
      expect(explanation.fields.map(({ allowed, grantedBy }: any) => [allowed, grantedBy])).toEqual([
        [true, []],
        [false, []],
        [false, []],
      ]);
    }
  });

  it('a company: for a customer who is assigned to it, and for nobody else', async () => {
    const buyer = await findCustomer('buyer@demo.example');
    for (const legalEntityId of ['acme', 'globex']) {
      expect((await explain(admin, '{ tenant { id } }', { principal: buyer, legalEntityId })).allowed).toBe(true);
    }
    for (const legalEntityId of ['initech', 'umbrella', 'nowhere', 'not an id']) {
      const answer = await ask(admin, sessions, { principal: buyer, legalEntityId });
      expect([legalEntityId, answer.code]).toEqual([legalEntityId, 'ACCESS_DENIED']);
    }
    for (const principal of ['demo-backend', 'demo-storefront', await findEmployee('support@demo.example')]) {
      const answer = await ask(admin, sessions, { principal, legalEntityId: 'acme' });
      expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', 'legalEntityId']);
    }
  });
});
