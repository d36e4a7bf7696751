// Query.groups and group. What leads on from a group: group-contents.test.ts; changing one: group-changes.test.ts;
// members: group-members.test.ts; `_own`: company-admins.test.ts.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenTenant } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { administratorOf, givenGroup, tokenWith } from '../kit/groups.ts';
import { type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { employee, guest, serviceToken, signIn } from '../kit/stories.ts';

interface Page {
  totalCount: number;
  nodes: { id: string; name: string }[];
  pageInfo: { startCursor: string; endCursor: string; hasNextPage: boolean; hasPreviousPage: boolean };
}

let at: Service;
let admin: string;
let support: string;
let rival: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
  support = (await employee(at, 'support@demo.example')).accessToken;
  rival = (await employee(at, 'admin@rival.example')).accessToken;
});

const LIST = `query ($first: Int, $last: Int, $after: String, $before: String, $userType: UserType, $legalEntityId: ID,
  $search: String) {
  groups(first: $first, last: $last, after: $after, before: $before, userType: $userType, legalEntityId: $legalEntityId,
    search: $search) { totalCount nodes { id name } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } }
}`;
const list = (variables: Record<string, unknown>, bearer: string | undefined = admin) =>
  graphql(at, LIST, { bearer, variables });
const page = async (variables: Record<string, unknown>, bearer?: string): Promise<Page> =>
  only(await list(variables, bearer));
const namesOf = ({ nodes }: Page) => nodes.map(({ name }) => name);
const idsOf = ({ nodes }: Page) => nodes.map(({ id }) => id);
const FIND = `query ($id: ID!) { group(id: $id) { id name userType predefined role version legalEntity { id } } }`;
const find = (id: string, bearer: string | undefined = admin) => graphql(at, FIND, { bearer, variables: { id } });

describe('groups', () => {
  it('success: by a text in the name, literally, in whatever case', async () => {
    const mark = randomUUID().slice(0, 8);
    const names = [`${mark} 100% sure`, `${mark} 100 sure`, `${mark} A_B`, `${mark} AXB`, `${mark} C\\D`, `${mark} CD`];
    for (const name of names) await givenGroup(at, { name });
    const found = async (search: string) => namesOf(await page({ search }));
    expect((await found(mark)).sort()).toEqual([...names].sort());
    expect(await found(`${mark} 100%`)).toEqual([names[0]]);
    expect(await found(`${mark} a_b`)).toEqual([names[2]]);
    expect(await found(`${mark} c\\d`)).toEqual([names[4]]);
    expect(await found(`${mark.toUpperCase()} 100 SURE`)).toEqual([names[1]]);
    expect(await found(`${mark[0]}%${mark.slice(2)}`)).toEqual([]);
    expect(await page({ search: `${mark} %` })).toMatchObject({ totalCount: 0, nodes: [] });
    for (const search of ['', null]) expect((await page({ search, first: 1 })).totalCount).toBeGreaterThan(6);
  });

  it('success: by user type and by company, each and combined, and counted so', async () => {
    const search = randomUUID();
    const [one, other] = [await givenCompany(at), await givenCompany(at)];
    const of = async (name: string, more: object) => (await givenGroup(at, { name: `${name} ${search}`, ...more })).id;
    const staff = await of('1', {});
    const everywhere = await of('2', { userType: 'CUSTOMER' });
    const here = await of('3', { userType: 'CUSTOMER', legalEntityId: one.id });
    const there = await of('4', { userType: 'CUSTOMER', legalEntityId: other.id });
    const found = async (filter: object) => {
      const { totalCount, ...rest } = await page({ search, ...filter });
      expect(totalCount).toBe(rest.nodes.length);
      return idsOf({ totalCount, ...rest });
    };
    expect(await found({})).toEqual([staff, everywhere, here, there]);
    expect(await found({ userType: 'EMPLOYEE' })).toEqual([staff]);
    expect(await found({ userType: 'CUSTOMER' })).toEqual([everywhere, here, there]);
    expect(await found({ legalEntityId: one.id })).toEqual([here]);
    expect(await found({ legalEntityId: one.id, userType: 'CUSTOMER' })).toEqual([here]);
    expect(await found({ legalEntityId: one.id, userType: 'EMPLOYEE' })).toEqual([]);
    expect(await found({ legalEntityId: randomUUID() })).toEqual([]);
    expect(await found({ legalEntityId: null, userType: null })).toEqual([staff, everywhere, here, there]);
    const four = await page({ legalEntityId: one.id, first: 10 });
    expect([four.totalCount, namesOf(four)]).toEqual([
      5,
      [`3 ${search}`, ...['Admin', 'Buyer', 'Contact', 'Requester'].map((role) => `${one.name} ${role}`)],
    ]);
  });

  it('success: counts only when asked', async () => {
    const counts = async (run: () => Promise<unknown>) =>
      (await fewestStatements(at, run)).filter((sql) => /count\(/i.test(sql)).length;
    expect(await counts(() => graphql(at, '{ groups(first: 5) { nodes { id } } }', { bearer: admin }))).toBe(0);
    expect(await counts(() => page({ first: 5 }))).toBe(1);
  });

  it('invalid: BAD_USER_INPUT for a user type that there is not, and for a size beyond the bounds', async () => {
    expect((await list({ userType: 'GUEST' })).code).toBe('BAD_USER_INPUT');
    for (const size of [{ first: -1 }, { first: 201 }, { last: -1 }, { last: 201 }, { first: 1, last: 1 }])
      expect([size, (await list(size)).code]).toEqual([size, 'BAD_USER_INPUT']);
    expect((await page({ first: 0 })).nodes).toEqual([]);
  });

  it('unauthenticated', async () => {
    const { code, data } = await graphql(at, LIST);
    expect([code, data?.groups]).toEqual(['UNAUTHENTICATED', undefined]);
  });

  it('forbidden: needs iam.group_read, or iam.group_read_own', async () => {
    const [other, shopper] = [
      await tokenWith(at, 'iam.role_read'),
      (await signIn(at, 'shopper@demo.example')).accessToken,
    ];
    for (const bearer of [other, shopper, (await guest(at)).accessToken]) {
      const { errors, data } = await list({}, bearer);
      expect(errors[0]?.extensions).toMatchObject({
        code: 'FORBIDDEN',
        requiredScopes: [['iam.group_read'], ['iam.group_read_own']],
        missingScopes: ['iam.group_read'],
      });
      expect(data?.groups).toBeUndefined();
    }
  });

  it('other tenant: neither shown, nor found, nor counted', async () => {
    const search = randomUUID();
    const [ours, theirs] = [await givenGroup(at, { name: search }), await givenGroup(at, { name: search }, 'rival')];
    expect(idsOf(await page({ search }))).toEqual([ours.id]);
    expect(idsOf(await page({ search }, rival))).toEqual([theirs.id]);
    for (const [companyId, bearer] of [
      ['umbrella', admin],
      ['acme', rival],
    ] as const)
      expect(await page({ legalEntityId: companyId }, bearer)).toMatchObject({ totalCount: 0, nodes: [] });
  });
});

describe('case 107: 120 groups', () => {
  let bearer: string;
  let tenantId: string;
  const name = (n: number) => `Page ${String(Math.floor(n / 3)).padStart(3, '0')}`;
  const id = (n: number) => `page-${String(n).padStart(3, '0')}`;
  const all = Array.from({ length: 120 }, (_, n) => id(n));
  const insert = (rows: { id: string; name: string }[]) =>
    at.app.modules.database
      .forTenant({ tenantId })
      .group.createMany({ data: rows.map((row) => ({ tenantId, userType: 'EMPLOYEE' as const, ...row })) });
  beforeAll(async () => {
    const tenant = await givenTenant(at);
    tenantId = tenant.id;
    bearer = await administratorOf(at, tenant);
    // Three of each name, so that pages end between equal names.
    await insert(all.map((each, n) => ({ id: each, name: name(n) })).reverse());
  });
  const ask = (variables: Record<string, unknown>) => page({ search: 'Page ', ...variables }, bearer);

  it('a page has 50 of them unless said', async () => {
    expect(await ask({})).toMatchObject({ totalCount: 120, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    expect(idsOf(await ask({}))).toEqual(all.slice(0, 50));
    expect(idsOf(await ask({ first: 200 }))).toEqual(all);
  });

  it('forwards and backwards every one is shown once, in the order of name and id', async () => {
    const forwards: Page[] = [];
    do forwards.push(await ask({ first: 50, after: forwards.at(-1)?.pageInfo.endCursor ?? null }));
    while (forwards.at(-1)!.pageInfo.hasNextPage);
    expect(forwards.map(({ nodes }) => nodes.length)).toEqual([50, 50, 20]);
    expect(forwards.flatMap(idsOf)).toEqual(all);
    expect(forwards.map(({ pageInfo }) => pageInfo.hasPreviousPage)).toEqual([false, true, true]);
    expect(forwards.map(({ totalCount }) => totalCount)).toEqual([120, 120, 120]);

    const backwards: Page[] = [];
    do backwards.unshift(await ask({ last: 49, before: backwards[0]?.pageInfo.startCursor ?? null }));
    while (backwards[0]!.pageInfo.hasPreviousPage);
    expect(backwards.map(({ nodes }) => nodes.length)).toEqual([22, 49, 49]);
    expect(backwards.flatMap(idsOf)).toEqual(all);

    const [first, , third] = forwards;
    const between = await ask({ after: first!.pageInfo.endCursor, before: third!.pageInfo.startCursor });
    expect(idsOf(between)).toEqual(all.slice(50, 100));
  });

  it('pages stay whole when groups come and go between them', async () => {
    const first = await ask({ first: 50 });
    await insert([
      { id: 'new-early', name: 'Page 000' },
      { id: 'new-late', name: 'Page 020' },
    ]);
    const db = at.app.modules.database.forTenant({ tenantId });
    await db.group.deleteMany({ where: { id: { in: [id(0), id(49)] } } });
    const second = await ask({ first: 200, after: first.pageInfo.endCursor });
    expect(idsOf(second).filter((each) => each.startsWith('page'))).toEqual(all.slice(50));
    expect(idsOf(second)).toContain('new-late');
    expect(idsOf(second)).not.toContain('new-early');
    await db.group.deleteMany({ where: { id: { startsWith: 'new-' } } });
    await insert([0, 49].map((n) => ({ id: id(n), name: name(n) })));
  });

  it('BAD_USER_INPUT for what is no cursor of this list, also one of a list with the same kind of key', async () => {
    const endOf = async (query: string) => only(await graphql(at, query, { bearer: admin })).pageInfo.endCursor;
    const good = await endOf('{ groups(first: 1) { pageInfo { endCursor } } }');
    const bad = [
      await endOf('{ employees(first: 1) { pageInfo { endCursor } } }'),
      await endOf('{ sessions(first: 1) { pageInfo { endCursor } } }'),
      await endOf('{ roles(first: 1) { pageInfo { endCursor } } }'),
      await endOf('{ accessControls(first: 1) { pageInfo { endCursor } } }'),
      ...['', '%%%', good.slice(0, good.length / 2), `${good}${good}`],
      ...[
        [],
        ['Page 000'],
        ['Page 000', 1],
        ['groups', 'Page 000'],
        ['groups', 'Page 000', 1],
        { name: 'Page 000' },
      ].map((key) => Buffer.from(JSON.stringify(key)).toString('base64url')),
    ];
    const wrong: unknown[] = [];
    for (const place of ['after', 'before']) {
      for (const cursor of bad) {
        const { code, errors } = await list({ [place]: cursor });
        const field = errors[0]?.extensions.field;
        if (code !== 'BAD_USER_INPUT' || field !== place)
          wrong.push([place, Buffer.from(cursor, 'base64url').toString(), code]);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('a cursor of another tenant shows what the own tenant has there', async () => {
    const { endCursor } = (await ask({ first: 1 })).pageInfo;
    const there = await page({ after: endCursor, first: 200 });
    expect(there.nodes.length).toBeGreaterThan(0);
    expect(idsOf(there).filter((each) => each.startsWith('page-'))).toEqual([]);
  });
});

describe('group', () => {
  it('success: one of each kind', async () => {
    const staff = await givenGroup(at);
    const common = { predefined: false, role: null, version: 1, legalEntity: null };
    expect(only(await find(staff.id))).toEqual({ id: staff.id, name: staff.name, userType: 'EMPLOYEE', ...common });
    const company = await givenCompany(at);
    const [buyers] = (await page({ search: `${company.id} Buyer` })).nodes;
    expect(only(await find(buyers!.id, support))).toEqual({
      id: buyers!.id,
      name: `${company.id} Buyer`,
      userType: 'CUSTOMER',
      predefined: true,
      role: 'BUYER',
      version: 1,
      legalEntity: { id: company.id },
    });
  });

  it('invalid: null for an id that there is not', async () => {
    for (const id of ['', 'nothing', '%', randomUUID()]) expect(only(await find(id))).toBeNull();
  });

  it('unauthenticated', async () => {
    expect((await graphql(at, FIND, { variables: { id: 'x' } })).code).toBe('UNAUTHENTICATED');
  });

  it('forbidden: needs iam.group_read, or iam.group_read_own', async () => {
    const { accessToken: bearer } = await serviceToken(at, 'demo-crm');
    const { errors } = await graphql(at, '{ group(id: "x") { id } }', { bearer });
    expect(errors[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', missingScopes: ['iam.group_read'] });
  });

  it('other tenant: looks as what does not exist', async () => {
    const ours = await givenGroup(at);
    const [foreign, nowhere] = [await find(ours.id, rival), await find(randomUUID(), rival)];
    expect([foreign.status, foreign.body]).toEqual([nowhere.status, nowhere.body]);
  });
});
