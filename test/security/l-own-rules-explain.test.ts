// explainAccess looks at operations and never runs them. security.md section 3 L, case 129, and case 88 for it.

import fc from 'fast-check';
import {
  type GraphQLInputType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { accessOf } from '../../src/permissions/operation-check.ts';
import { givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { employee, guest, isGood, serviceToken, signIn } from '../kit/stories.ts';
import { documents } from './h-graphql-documents.ts';
import { operationOf, rootFields, selectionOf } from './h-graphql-operations.ts';

let at: Service;
let everything: string;
let bearers: Record<string, string>;
beforeAll(async () => {
  at = await startService();
  everything = (await serviceToken(at)).accessToken;
  bearers = {
    admin: (await employee(at)).accessToken,
    catalog: (await employee(at, 'catalog@demo.example')).accessToken,
    support: (await employee(at, 'support@demo.example')).accessToken,
    guest: (await guest(at)).accessToken,
    customer: (await signIn(at)).accessToken,
    'Admin of a company': (await signIn(at, 'buyer@demo.example', { legalEntityId: 'acme' })).accessToken,
  };
});
afterAll(() => at?.stop());

const question = `query ($operation: String!, $variables: JSON, $principal: ID) {
  explainAccess(operation: $operation, variables: $variables, principal: $principal) {
    allowed minimalScopes fields { allowed requires missing }
  }
}`;
const ask = (bearer: string, operation: string, rest: object = {}) =>
  graphql(at, question, { bearer, variables: { operation, ...rest } });

describe('case 88', () => {
  it.each(documents)('the document of case %i, %s, is refused as if it were to run; no query runs', async (...row) => {
    const [, , document] = row;
    const sent = await graphql(at, document, { bearer: everything });
    const { code, errors, data } = await ask(everything, document);
    expect([code, errors[0]?.extensions.reason, errors[0]?.message, data]).toEqual([
      'OPERATION_TOO_COMPLEX',
      sent.errors[0]?.extensions.reason,
      sent.errors[0]?.message,
      null,
    ]);
    expect(await fewestStatements(at, () => ask(everything, document))).toEqual([]);
  });

  it('a page size in the variables counts as for an operation that is to run', async () => {
    const document = 'query ($n: Int) { sessions(first: $n) { nodes { id } } scopes(first: $n) { nodes { id } } }';
    const variables = { n: 2_501 };
    expect((await graphql(at, document, { bearer: everything, variables })).code).toBe('OPERATION_TOO_COMPLEX');
    expect((await ask(everything, document, { variables })).code).toBe('OPERATION_TOO_COMPLEX');
    expect((await ask(everything, document, { variables: { n: 50 } })).code).toBeUndefined();
  });
});

describe('case 129', () => {
  const rows = async () => {
    const db = at.app.modules.database.system();
    const counts = [db.auditEvent, db.customScope, db.session, db.revocation, db.attempt, db.client, db.refreshToken];
    return Promise.all(counts.map((table) => (table as unknown as typeof db.session).count()));
  };

  it('a mutation: nothing runs and nothing is written, by whomever it is explained', async () => {
    const bearer = (await employee(at)).accessToken;
    const before = await rows();
    const statements = await fewestStatements(at, async () => {
      for (const root of rootFields.filter(({ kind }) => kind !== 'query')) {
        const answer = await ask(bearer, operationOf(root, 1));
        expect([root.name, answer.errors]).toEqual([root.name, []]);
        expect(only<any>(answer).fields.length).toBeGreaterThan(0);
      }
      const literal =
        'mutation { createScope(input: { id: "shop.never_made", description: "Never." }) { id } logout { sessionsEnded } }';
      for (const principal of [null, 'demo-backend']) {
        const { allowed } = only<any>(await ask(bearer, literal, { principal }));
        expect(allowed).toBe(principal === null);
      }
    });
    expect(statements.filter((sql) => !/^\s*SELECT\b/i.test(sql))).toEqual([]);
    expect(await rows()).toEqual(before);
    expect(await isGood(at, bearer)).toBe(true);
  });

  it('for another principal without iam.access_read: FORBIDDEN, and nobody is looked for', async () => {
    const { id } = await givenEmployee(at, ['iam.user_read']);
    const statements = await fewestStatements(at, async () => {
      for (const [name, bearer] of Object.entries(bearers)) {
        if (name === 'admin' || name === 'support') continue;
        for (const principal of [id, 'nobody']) {
          const { code, errors } = await ask(bearer, '{ tenant { id } }', { principal });
          expect([name, code, errors[0]?.extensions.missingScopes]).toEqual([name, 'FORBIDDEN', ['iam.access_read']]);
        }
      }
    });
    expect(statements).toEqual([]);
  });

  it('of rival: NOT_FOUND, as if there were none', async () => {
    const { customers } = at.app.modules;
    const mallory = (await customers.findByEmail(ctxOf('rival'), 'mallory@rival.example'))!.id;
    const answers = await Promise.all(
      [mallory, `customer:${mallory}`, 'rival-backend', 'client:rival-storefront', 'nobody'].map((principal) =>
        ask(everything, '{ tenant { id } }', { principal }),
      ),
    );
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['NOT_FOUND']));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
  });
});

/** A value that every type accepts, and that names nothing. */
function literal(type: GraphQLInputType): string {
  const given = getNullableType(type);
  if (isListType(given)) return '[]';
  if (isEnumType(given)) return given.getValues()[0]!.name;
  if (!isInputObjectType(given)) return given.toString() === 'Int' ? '1' : '"nothing"';
  const mandatory = Object.values(given.getFields()).filter((field) => isNonNullType(field.type));
  return `{ ${mandatory.map((field) => `${field.name}: ${literal(field.type)}`).join(', ')} }`;
}

/** Every scope that a field asks for. */
const declared = [
  ...new Set(
    Object.values(schema.getTypeMap())
      .flatMap((type) => ('getFields' in type ? Object.values(type.getFields()) : []))
      .flatMap((field) => {
        const access = accessOf(field);
        return access?.kind === 'scopes' ? access.scopes.flat() : [];
      }),
  ),
];

const selected = fc
  .record({
    root: fc.constantFrom(...rootFields.filter(({ kind }) => kind === 'query')),
    depth: fc.nat({ max: 1 }),
    condition: fc.constantFrom('', '', '@include(if: $yes)', '@skip(if: $yes)', '@include(if: true)'),
    inFragment: fc.boolean(),
  })
  .map(({ root: { name, field }, depth, condition, inFragment }) => (alias: string) => {
    const args = field.args.filter((arg) => isNonNullType(arg.type)).map((arg) => `${arg.name}: ${literal(arg.type)}`);
    const called = `${alias}: ${name}${args.length > 0 ? `(${args.join(', ')})` : ''}`;
    const selection = selectionOf(field.type, depth);
    return inFragment ? `... ${condition} { ${called} ${selection} }` : `${called} ${condition} ${selection}`;
  });
const operation = fc
  .array(selected, { minLength: 1, maxLength: 3 })
  .map((fields) => fields.map((field, index) => field(`f${index}`)).join(' '))
  .map((fields) => `query ($yes: Boolean!) { currentPrincipal @skip(if: $yes) { id } ${fields} }`);

describe('case 129: the verdict is what running gives', () => {
  const known = new Map<string, string>();
  async function tokenWith(scopes: readonly string[]): Promise<string> {
    const key = scopes.join(' ');
    if (!known.has(key)) known.set(key, (await serviceToken(at, 'demo-backend', scopes)).accessToken);
    return known.get(key)!;
  }
  const seen = { allowed: 0, refused: 0 };
  /** A service token for nothing at all there is not. */
  const harmless = 'price.price_read';

  async function sameVerdict(bearer: string, query: string, yes: boolean): Promise<readonly string[]> {
    const run = await graphql(at, query, { bearer, variables: { yes } });
    const explained = await ask(bearer, query, { variables: { yes } });
    // Whatever was executed answers with `data`, be it null.
    const isRefused = run.data === undefined;
    if (isRefused && run.code !== 'FORBIDDEN') {
      expect([query, explained.code]).toEqual([query, run.code]);
      return [];
    }
    seen[isRefused ? 'refused' : 'allowed'] += 1;
    const { allowed, fields, minimalScopes } = only<any>(explained);
    const missing = [...new Set(fields.flatMap((field: any) => field.missing))].sort();
    const told = isRefused ? run.errors[0]?.extensions.missingScopes : [];
    expect([query, allowed, missing]).toEqual([query, !isRefused, told]);
    expect([query, fields.every((field: any) => field.allowed)]).toEqual([query, allowed]);
    return minimalScopes;
  }

  it('for any operation and service tokens of any scopes; and the minimal scopes lack nothing', async () => {
    await fc.assert(
      fc.asyncProperty(operation, fc.subarray(declared), fc.boolean(), async (query, scopes, yes) => {
        const minimal = await sameVerdict(await tokenWith([harmless, ...scopes].sort()), query, yes);
        const run = await graphql(at, query, {
          bearer: await tokenWith([harmless, ...minimal].sort()),
          variables: { yes },
        });
        if (run.data === undefined && run.code === 'FORBIDDEN') {
          // Refused for its kind alone.
          expect([query, run.errors[0]?.extensions.missingScopes]).toEqual([query, []]);
        }
      }),
      { numRuns: 500 },
    );
  }, 240_000);

  it('for callers of every kind', async () => {
    const who = fc.constantFrom(...['admin', 'catalog', 'support', 'guest', 'customer', 'Admin of a company']);
    await fc.assert(
      fc.asyncProperty(operation, who, fc.boolean(), async (query, name, yes) => {
        await sameVerdict(bearers[name]!, query, yes);
      }),
      { numRuns: 200 },
    );
    expect(Math.min(seen.allowed, seen.refused)).toBeGreaterThan(50);
  }, 240_000);
});
