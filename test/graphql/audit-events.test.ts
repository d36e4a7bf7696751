// Query.auditEvents: who may read the trail, its filters and its pages. security.md cases 96 and 107.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditEventTypes } from '../../src/modules/audit/events.ts';
import { givenClient } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { type Service, startService } from '../kit/service.ts';
import { employee, guest, serviceToken, signIn, tryServiceToken } from '../kit/stories.ts';

interface Page {
  totalCount: number;
  pageInfo: { startCursor: string; endCursor: string; hasNextPage: boolean; hasPreviousPage: boolean };
  edges: { cursor: string; node: { id: string; at: string } }[];
}

let at: Service;
let support: string;
let rival: string;
beforeAll(async () => {
  at = await startService();
  support = (await employee(at, 'support@demo.example')).accessToken;
  rival = (await employee(at, 'admin@rival.example')).accessToken;
});
afterAll(() => at?.stop());

const list = `query ($first: Int, $last: Int, $after: String, $before: String, $type: String, $actorId: ID, $subjectId: ID,
  $from: DateTime, $to: DateTime) {
  auditEvents(first: $first, last: $last, after: $after, before: $before, type: $type, actorId: $actorId,
    subjectId: $subjectId, from: $from, to: $to) {
    totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage } edges { cursor node { id at } }
  }
}`;
const ask = (variables: Record<string, unknown>, bearer: string | undefined = support) =>
  graphql(at, list, { bearer, variables });
const page = async (variables: Record<string, unknown>, bearer?: string) => only<Page>(await ask(variables, bearer));
const idsOf = ({ edges }: Page) => edges.map(({ node }) => node.id);
const encode = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');

/** Writes events as they are said to be, and returns their ids. */
async function given(events: Record<string, unknown>[], tenantId = 'demo'): Promise<string[]> {
  const common = { tenantId, type: 'login.failed', outcome: 'refused', actor: { kind: 'nobody', id: '' } };
  const made = await at.app.modules.database.system().auditEvent.createManyAndReturn({
    data: events.map((event) => ({ ...common, requestId: 'test-request', ...event })),
  });
  return made.map(({ id }) => id);
}
const newestFirst = (one: string, other: string) => (one < other ? 1 : -1);
const moment = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

describe('auditEvents', () => {
  it('success: the whole of an event, for employees and for clients', async () => {
    const client = await givenClient(at, ['audit.event_read']);
    const subjectId = `customer-${randomUUID()}`;
    const [id] = await given([
      {
        at: moment(0),
        type: 'token.assisted',
        outcome: 'success',
        reason: 'On the phone',
        actor: { kind: 'employee', id: 'e', onBehalfOf: subjectId },
        actorId: 'e',
        subject: { kind: 'customer', id: subjectId },
        subjectId,
        legalEntityId: 'acme',
        ipAddress: '192.0.2.7',
        details: { before: { enabled: true }, after: { enabled: false } },
      },
    ]);
    const query = `query ($subjectId: ID!) { auditEvents(subjectId: $subjectId) { nodes {
      id at type outcome reason actor subject legalEntityId requestId ipAddress details } } }`;
    const { accessToken } = only(await tryServiceToken(at, client.id, client.clientSecret));
    for (const bearer of [support, accessToken]) {
      expect(only(await graphql(at, query, { bearer, variables: { subjectId } })).nodes).toEqual([
        {
          id,
          at: '2026-01-01T00:00:00.000Z',
          type: 'token.assisted',
          outcome: 'SUCCESS',
          reason: 'On the phone',
          actor: { kind: 'employee', id: 'e', onBehalfOf: subjectId },
          subject: { kind: 'customer', id: subjectId },
          legalEntityId: 'acme',
          requestId: 'test-request',
          ipAddress: '192.0.2.7',
          details: { before: { enabled: true }, after: { enabled: false } },
        },
      ]);
    }
  });

  it('success: newest first, and of equal moments in one order that pages keep, forwards and backwards', async () => {
    const actorId = randomUUID();
    const later = await given(Array.from({ length: 3 }, () => ({ actorId, at: moment(2) })));
    const same = await given(Array.from({ length: 8 }, () => ({ actorId, at: moment(1) })));
    const earlier = await given(Array.from({ length: 2 }, () => ({ actorId, at: moment(0) })));
    const expected = [later, same, earlier].flatMap((ids) => ids.sort(newestFirst));
    expect(idsOf(await page({ actorId }))).toEqual(expected);

    const forwards: Page[] = [];
    do forwards.push(await page({ actorId, first: 4, after: forwards.at(-1)?.pageInfo.endCursor ?? null }));
    while (forwards.at(-1)!.pageInfo.hasNextPage);
    expect(forwards.map((each) => each.edges.length)).toEqual([4, 4, 4, 1]);
    expect(forwards.flatMap(idsOf)).toEqual(expected);
    expect(forwards.map(({ pageInfo }) => pageInfo.hasPreviousPage)).toEqual([false, true, true, true]);
    expect(forwards.map(({ totalCount }) => totalCount)).toEqual([13, 13, 13, 13]);

    const backwards: Page[] = [];
    do backwards.unshift(await page({ actorId, last: 5, before: backwards[0]?.pageInfo.startCursor ?? null }));
    while (backwards[0]!.pageInfo.hasPreviousPage);
    expect(backwards.map((each) => each.edges.length)).toEqual([3, 5, 5]);
    expect(backwards.flatMap(idsOf)).toEqual(expected);
  });

  it('success: by type, actor, subject and time, each and combined; `from` counts, `to` does not', async () => {
    const [actorId, subjectId] = [randomUUID(), randomUUID()];
    const other = { actorId: randomUUID(), subjectId: randomUUID() };
    const [a, b, c, d] = await given([
      { at: moment(0), actorId, subjectId, type: 'iam.imported' },
      { at: moment(1), actorId, ...{ subjectId: other.subjectId }, type: 'signing_key.retired' },
      { at: moment(2), actorId: other.actorId, subjectId, type: 'signing_key.retired' },
      { at: moment(3), actorId, subjectId, type: 'signing_key.retired' },
    ]);
    const of = async (filter: Record<string, unknown>) => idsOf(await page(filter));
    expect(await of({ actorId })).toEqual([d, b, a]);
    expect(await of({ subjectId })).toEqual([d, c, a]);
    expect(await of({ type: 'iam.imported' })).toEqual([a]);
    expect(await of({ type: 'signing_key.retired' })).toEqual([d, c, b]);
    expect(await of({ actorId, subjectId })).toEqual([d, a]);
    expect(await of({ actorId, type: 'signing_key.retired' })).toEqual([d, b]);
    expect(await of({ actorId, subjectId, type: 'signing_key.retired', from: moment(1), to: moment(4) })).toEqual([d]);
    expect(await of({ actorId, from: moment(1) })).toEqual([d, b]);
    expect(await of({ actorId, to: moment(3) })).toEqual([b, a]);
    expect(await of({ actorId, from: moment(0), to: moment(1) })).toEqual([a]);
    expect(await of({ actorId, from: moment(1), to: moment(1) })).toEqual([]);
    expect(await of({ actorId, type: null, subjectId: null, from: null, to: null })).toEqual([d, b, a]);
    const counted = await page({ actorId, type: 'signing_key.retired', first: 1 });
    expect([counted.totalCount, counted.pageInfo.hasNextPage]).toEqual([2, true]);
  });

  it('success: ids that name nothing find nothing, and the ends of the calendar are moments like any other', async () => {
    for (const id of ['', ' ', '%', "' OR 1=1 --", 'é'.repeat(300), '00000000-0000-0000-0000-000000000000']) {
      for (const name of ['actorId', 'subjectId']) {
        const { totalCount, edges } = await page({ [name]: id });
        expect([name, id, totalCount, edges]).toEqual([name, id, 0, []]);
      }
    }
    const subjectId = randomUUID();
    const ids = await given([{ subjectId }]);
    const [first, last] = ['0000-01-01T00:00:00+23:59', '9999-12-31T23:59:59-23:59'];
    expect(idsOf(await page({ subjectId, from: first, to: last }))).toEqual(ids);
    expect(idsOf(await page({ subjectId, to: first }))).toEqual([]);
    expect(idsOf(await page({ subjectId, from: last }))).toEqual([]);
  });

  it('invalid: BAD_USER_INPUT for a type that there is not, telling which there are, and for a time that ends before it begins', async () => {
    for (const type of ['', 'login', 'LOGIN.FAILED', 'login.failed ', 'toString']) {
      const { code, errors, data } = await ask({ type });
      expect([code, errors[0]?.extensions.field, data?.auditEvents], type).toEqual([
        'BAD_USER_INPUT',
        'type',
        undefined,
      ]);
      for (const known of auditEventTypes) expect(errors[0]?.message).toContain(known);
    }
    const { code, errors } = await ask({ from: moment(2), to: moment(1) });
    expect([code, errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', 'from']);
    for (const from of ['yesterday', '2026-02-30T00:00:00Z', 1])
      expect((await ask({ from })).code).toBe('BAD_USER_INPUT');
  });

  it('unauthenticated', async () => {
    const { code, data } = await graphql(at, list);
    expect([code, data?.auditEvents]).toEqual(['UNAUTHENTICATED', undefined]);
  });

  it('forbidden: without audit.event_read, whoever asks', async () => {
    const { accessToken: crm } = await serviceToken(at, 'demo-crm');
    const { accessToken: catalog } = await employee(at, 'catalog@demo.example');
    for (const bearer of [crm, catalog, (await signIn(at)).accessToken, (await guest(at)).accessToken]) {
      const { errors, data } = await ask({}, bearer);
      expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['audit.event_read'] });
      expect(data?.auditEvents).toBeUndefined();
    }
  });

  it('other tenant: nothing of another tenant is found, neither by its ids nor by its cursors', async () => {
    const [actorId, subjectId] = [randomUUID(), randomUUID()];
    const theirs = await given([{ actorId, subjectId, at: moment(1) }], 'rival');
    const [newer, older] = await given([
      { actorId, at: moment(2) },
      { actorId, at: moment(0) },
    ]);
    expect(idsOf(await page({ actorId }, rival))).toEqual(theirs);
    expect(idsOf(await page({ actorId }))).toEqual([newer, older]);
    expect(await page({ subjectId })).toMatchObject({ totalCount: 0, edges: [] });
    const { startCursor } = (await page({ actorId }, rival)).pageInfo;
    expect(idsOf(await page({ actorId, after: startCursor }))).toEqual([older]);
    expect(idsOf(await page({ actorId, before: startCursor }))).toEqual([newer]);
  });
});

describe('case 96: 1 000 events of two tenants', () => {
  const subjectId = randomUUID();
  let own: string[];
  beforeAll(async () => {
    const events = (actor: string) =>
      Array.from({ length: 500 }, (_, n) => ({ subjectId, actorId: `${actor}-${n % 2}`, at: moment(n % 50) }));
    own = await given(events('ours'));
    await given(events('theirs'), 'rival');
  });
  const statements = () => at.statements.filter((sql) => !/counters/.test(sql) && sql !== 'SELECT 1');

  it('only those of the own tenant are shown, each once, and counted', async () => {
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const one: Page = await page({ subjectId, first: 70, after });
      expect(one.totalCount).toBe(500);
      seen.push(...idsOf(one));
      ({ hasNextPage: more, endCursor: after } = one.pageInfo);
    }
    expect(seen.length).toBe(500);
    expect(new Set(seen)).toEqual(new Set(own));
    expect((await page({ subjectId, actorId: 'ours-1' })).totalCount).toBe(250);
    expect(await page({ subjectId, actorId: 'theirs-1' })).toMatchObject({ totalCount: 0, edges: [] });
  });

  it('a full page with its count costs two statements, and nobody counts what nobody asked for', async () => {
    at.statements.length = 0;
    await page({ subjectId, first: 200 });
    expect(statements()).toHaveLength(2);
    at.statements.length = 0;
    only(await graphql(at, '{ auditEvents(first: 200) { nodes { id actor subject details } } }', { bearer: support }));
    expect(statements()).toHaveLength(1);
    expect(statements().join()).not.toMatch(/count\(/i);
  });
});

describe('case 107: cursors and sizes', () => {
  it('BAD_USER_INPUT for a size that is negative, above 200, or given twice', async () => {
    for (const size of [{ first: -1 }, { first: 201 }, { last: -1 }, { last: 201 }, { first: 1, last: 1 }])
      expect([size, (await ask(size)).code]).toEqual([size, 'BAD_USER_INPUT']);
    expect((await page({ first: 0 })).edges).toEqual([]);
  });

  it('BAD_USER_INPUT for what is no cursor of this list, also one of a list with the same kind of key', async () => {
    await signIn(at);
    const { accessToken: admin } = await employee(at);
    const others = `{ sessions(first: 1) { pageInfo { endCursor } } }`;
    const good = (await page({ first: 1 })).pageInfo.endCursor;
    const [name, when, id] = JSON.parse(Buffer.from(good, 'base64url').toString());
    const bad = [
      only(await graphql(at, others, { bearer: admin })).pageInfo.endCursor,
      ...[
        [when, id],
        ['sessions', when, id],
        [name, when, id, 'x'],
        [name, when],
        [name, id, when],
        [name, when, 1],
      ],
      ...['yesterday', '2026-02-31T00:00:00.000Z', '+275760-09-13T00:00:00.001Z', ''].map((no) => [name, no, id]),
      ...['', '%%%', good.slice(0, good.length / 2), `${good}${good}`],
    ].map((cursor) => (typeof cursor === 'string' ? cursor : encode(cursor)));
    for (const place of ['after', 'before']) {
      for (const cursor of bad) {
        const { code, errors } = await ask({ first: 1, [place]: cursor });
        expect([cursor, code, errors[0]?.extensions.field]).toEqual([cursor, 'BAD_USER_INPUT', place]);
      }
    }
  });

  it('a cursor that was edited into another place of the list shows what the tenant has there', async () => {
    const actorId = randomUUID();
    const ids = await given([{ actorId, at: moment(1) }]);
    const beforeAll = ['audit', '+275760-09-13T00:00:00.000Z', "' OR 1=1 --"];
    const afterAll = ['audit', '1970-01-01T00:00:00.000Z', ''];
    expect(idsOf(await page({ actorId, after: encode(beforeAll) }))).toEqual(ids);
    expect(idsOf(await page({ actorId, before: encode(afterAll) }))).toEqual(ids);
    expect(idsOf(await page({ actorId, after: encode(afterAll) }))).toEqual([]);
    expect(idsOf(await page({ actorId, before: encode(beforeAll) }))).toEqual([]);
  });
});
