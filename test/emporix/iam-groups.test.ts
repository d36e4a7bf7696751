// /iam/{tenant}/groups…: reading and changing groups, as GraphQL does it.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany, givenCustomer, givenEmployee } from '../kit/given.ts';
import { companyGroup, eventsOf, givenControl, givenGroup, givenTemplate, tokenWith } from '../kit/groups.ts';
import { type RestRequest, restClient } from '../kit/rest.ts';
import { type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { refresh, serviceToken, signIn } from '../kit/stories.ts';

let at: Service;
/** Every scope. */
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await serviceToken(at)).accessToken;
});

const client = restClient('iam');
const ask = (method: string, path: string, request: RestRequest = {}) =>
  client(at, method, `/iam/demo/groups${path}`, { token: admin, ...request });
const list = (query: Record<string, string>, request: RestRequest = {}) => ask('GET', '', { query, ...request });
const read = async (id: string) => (await ask('GET', `/${id}`)).body;
const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id);

describe('reading', () => {
  it('shows a group with its text by language, its contents, and when it was made', async () => {
    const control = await givenControl(at, { scopes: ['price.price_read'] });
    const template = await givenTemplate(at, [control.id]);
    const group = await givenGroup(at, { controlIds: [control.id], templateIds: [template.id] });
    expect(await read(group.id)).toEqual({
      id: group.id,
      name: { en: group.name },
      userType: 'EMPLOYEE',
      accessControls: [control.id],
      templates: [template.id],
      metadata: { version: 1, createdAt: group.createdAt.toISOString() },
    });
  });

  it('shows what a group gives to whoever may read that only', async () => {
    const group = await givenGroup(at, { scopes: ['price.price_read'] });
    const token = await tokenWith(at, 'iam.group_read');
    const { body } = await ask('GET', `/${group.id}`, { token });
    expect(body).not.toHaveProperty('accessControls');
    expect(body).not.toHaveProperty('templates');
  });

  it('finds the groups of a company as storefronts do, with codes and roles', async () => {
    const { id } = await givenCompany(at);
    const { body } = await list({ q: `b2b.legalEntityId:"${id}"`, userType: 'CUSTOMER' });
    const found = body.map(({ code, b2b }: any) => ({ code, ...b2b }));
    expect(found).toEqual([
      { code: 'B2B_ADMIN', role: 'Admin', legalEntityId: id },
      { code: 'B2B_BUYER', role: 'Buyer', legalEntityId: id },
      { code: 'CONTACT', role: 'Contact', legalEntityId: id },
      { code: 'B2B_REQUESTER', role: 'Requester', legalEntityId: id },
    ]);
  });

  it('finds them by a name in small letters, which is a part of their codes', async () => {
    const { body } = await list({ userType: 'customer', name: 'b2b', q: 'b2b.legalEntityId:acme', pageSize: '1000' });
    expect(body.map(({ code }: any) => code).sort()).toEqual(['B2B_ADMIN', 'B2B_BUYER', 'B2B_REQUESTER']);
  });

  it.each([
    ['id', (group: any) => ({ id: group.id })],
    ['name', (group: any) => ({ name: group.name.toUpperCase() })],
    ['q by id', (group: any) => ({ q: `id:in(${group.id},nobody)` })],
    ['q by name', (group: any) => ({ q: `name.en:~${group.name}` })],
    ['q by moment', (group: any) => ({ q: `id:${group.id} metadata.createdAt:(>="2020-01-01")` })],
  ])('filters by %s', async (_what, queryOf) => {
    const group = await givenGroup(at);
    expect(idsOf((await list(queryOf(group))).body)).toEqual([group.id]);
  });

  it.each([
    ['userType', { userType: 'VENDOR' }],
    ['code', { code: 'B2B_KING' }],
    ['q', { q: 'tenantId:rival' }],
    ['q', { q: 'id:(' }],
    ['q', { q: 'metadata.createdAt:(>"-200000-01-01T00:00:00Z")' }],
    ['q', { q: 'metadata.createdAt:(>"+200000-01-01T00:00:00Z")' }],
    ['q', { q: 'metadata.createdAt:"0000-01-01"' }],
    ['pageSize', { pageSize: '1001' }],
    ['pageNumber', { pageNumber: '0' }],
    ['sort', { sort: 'createdAt:desc' }],
  ])('refuses a %s that it does not understand', async (field, query: any) => {
    const { status, body } = await list(query);
    expect([status, body.code, body.status]).toEqual([400, 400, 'Bad Request']);
    expect(body.details[0]).toMatch(new RegExp(`^${field}: `));
  });

  it('pages by number, counts on request, and sorts either way', async () => {
    const mark = randomUUID();
    for (const letter of 'abcde') await givenGroup(at, { name: `${letter} ${mark}` });
    const named = async (query: object, headers = {}) => {
      const { body, headers: told } = await list({ name: mark, ...query }, { headers });
      return [body.map(({ name }: any) => name.en[0]).join(''), told.get('x-total-count')];
    };
    expect(await named({ pageSize: '2', pageNumber: '2' })).toEqual(['cd', null]);
    expect(await named({ pageSize: '2', pageNumber: '3' }, { 'X-Total-Count': 'true' })).toEqual(['e', '5']);
    expect(await named({ sort: 'name.en:desc' })).toEqual(['edcba', null]);
  });

  it('asks the database as often for many groups as for one', async () => {
    const mark = randomUUID();
    const ask = () => list({ name: mark }, { headers: { 'X-Total-Count': 'true' } });
    await givenGroup(at, { name: `a ${mark}`, scopes: ['price.price_read'] });
    const one = await fewestStatements(at, ask);
    for (const letter of 'bcdefg') await givenGroup(at, { name: `${letter} ${mark}`, scopes: ['price.price_read'] });
    const many = await fewestStatements(at, ask);
    expect((await ask()).body).toHaveLength(7);
    expect(many).toHaveLength(one.length);
  });

  it('with the narrow scope shows the groups of the company that the token is for, and without one none', async () => {
    const company = await givenCompany(at);
    await givenGroup(at, { userType: 'CUSTOMER' });
    const { email } = await givenCustomer(at, { [company.id]: 'ADMIN' });
    const shopper = await signIn(at, email);
    const own = await refresh(at, shopper.refreshToken, { legalEntityId: company.id });
    const { body, headers } = await list({}, { token: own.accessToken, headers: { 'X-Total-Count': 'true' } });
    expect(body.map(({ b2b }: any) => b2b.legalEntityId)).toEqual(Array(4).fill(company.id));
    expect(headers.get('x-total-count')).toBe('4');
    const foreign = await list({ q: 'b2b.legalEntityId:acme' }, { token: own.accessToken });
    expect(foreign.body).toEqual([]);
    expect((await list({}, { token: shopper.accessToken })).status).toBe(403);
  });

  it('says 404 for a group that there is not', async () => {
    const { status, body } = await ask('GET', '/nobody');
    expect([status, body]).toEqual([
      404,
      { resourceId: 'nobody', code: 404, status: 'Not Found', message: 'Group not found.' },
    ]);
  });

  it('lists what a group gives, by itself and by templates, but for what is for the other type of users', async () => {
    const direct = await givenControl(at, { name: 'a', scopes: ['price.price_read'] });
    const bundled = await givenControl(at, { name: 'b', scopes: ['price.price_manage'] });
    const misfit = await givenControl(at, { name: 'c', restrictedTo: 'CUSTOMER' });
    const template = await givenTemplate(at, [bundled.id, misfit.id]);
    const { id } = await givenGroup(at, { controlIds: [direct.id], templateIds: [template.id] });
    const { body } = await ask('GET', `/${id}/access-controls`);
    expect(body.map((each: any) => [each.id, each.scopes])).toEqual([
      [direct.id, ['price.price_read']],
      [bundled.id, ['price.price_manage']],
    ]);
    expect((await ask('GET', '/nobody/access-controls')).status).toBe(404);
  });
});

describe('making', () => {
  it('makes a group by the id that is chosen, once', async () => {
    const id = randomUUID();
    const control = await givenControl(at, { scopes: ['price.price_read'] });
    const body = { id, name: { de: 'Gruppe', en: 'Group' }, accessControls: [control.id], mixins: { a: { b: 1 } } };
    const made = await ask('POST', '', { body, headers: { 'Content-Language': '*' } });
    expect([made.status, made.body]).toEqual([201, { id }]);
    expect(await read(id)).toMatchObject({ name: { en: 'Group' }, userType: 'EMPLOYEE', accessControls: [control.id] });
    const again = await ask('POST', '', { body });
    expect([again.status, again.body]).toEqual([
      409,
      {
        resourceId: id,
        code: 409,
        status: 'Conflict',
        message: 'Duplicated key',
        details: ['There is one of that id already.'],
      },
    ]);
  });

  it('makes a group of a company, of a name in whatever language', async () => {
    const { id: legalEntityId } = await givenCompany(at);
    const input = { name: { pl: 'Grupa' }, userType: 'CUSTOMER', b2b: { legalEntityId }, accessControls: null };
    const { body } = await ask('POST', '', { body: input });
    expect(await read(body.id)).toMatchObject({ name: { en: 'Grupa' }, userType: 'CUSTOMER', b2b: { legalEntityId } });
  });

  it.each([
    ['name', { name: {} }],
    ['name', {}],
    ['id', { name: 'x', id: 'a/b' }],
    ['userType', { name: 'x', userType: 'VENDOR' }],
    ['accessControlIds.0', { name: 'x', accessControls: ['nobody'] }],
    ['templateIds.0', { name: 'x', templates: ['nobody'] }],
    ['legalEntityId', { name: 'x', userType: 'CUSTOMER', b2b: { legalEntityId: 'umbrella' } }],
    ['restrictions', { name: 'x', restrictions: ['DE'] }],
    ['vendorId', { name: 'x', vendorId: 'v' }],
  ])('refuses a %s that it cannot hold', async (field, body) => {
    const answer = await ask('POST', '', { body });
    expect([answer.status, answer.body.code]).toEqual([400, 400]);
    expect(answer.body.details[0]).toMatch(new RegExp(`^${field.replaceAll('.', '\\.')}: `));
  });
});

describe('putting', () => {
  it('makes what is not there and changes what is; what is absent stays', async () => {
    const id = randomUUID();
    const control = await givenControl(at, { scopes: ['price.price_read'] });
    const first = await ask('PUT', `/${id}`, { body: { name: { en: 'One' }, accessControls: [control.id] } });
    expect([first.status, first.body]).toEqual([201, { id }]);
    const second = await ask('PUT', `/${id}`, { body: { name: { en: 'Two' }, metadata: { version: 1 } } });
    expect([second.status, second.body]).toEqual([204, undefined]);
    expect(await read(id)).toMatchObject({
      name: { en: 'Two' },
      accessControls: [control.id],
      metadata: { version: 2 },
    });
    expect((await ask('PUT', `/${id}`, { body: { name: 'Three', accessControls: [] } })).status).toBe(204);
    expect((await read(id)).accessControls).toEqual([]);
  });

  it('refuses a version that is not the present one, and whom it is for to be changed', async () => {
    const group = await givenGroup(at);
    const put = (body: object) => ask('PUT', `/${group.id}`, { body: { name: 'x', ...body } });
    const stale = await put({ metadata: { version: 7 } });
    expect([stale.status, stale.body.code, stale.body.message]).toEqual([
      400,
      400,
      'It has been changed meanwhile: read it again.',
    ]);
    expect((await put({ userType: 'CUSTOMER' })).body.details[0]).toMatch(/^userType: /);
    expect((await put({ b2b: { legalEntityId: 'acme' } })).body.details[0]).toMatch(/^legalEntityId: /);
    expect((await read(group.id)).name.en).toBe(group.name);
  });

  it('leaves the groups of companies as they are', async () => {
    const id = await companyGroup(at, 'acme', 'ADMIN');
    expect((await ask('PUT', `/${id}`, { body: { name: 'x', accessControls: [] } })).status).toBe(400);
    expect((await ask('DELETE', `/${id}`, { query: { forceDelete: 'true' } })).status).toBe(400);
    expect((await ask('GET', `/${id}/access-controls`)).body.length).toBeGreaterThan(0);
  });
});

describe('deleting', () => {
  it('deletes what is there, and finds nothing wrong with what is not', async () => {
    const { id } = await givenGroup(at);
    const gone = await ask('DELETE', `/${id}`);
    expect([gone.status, gone.body]).toEqual([204, undefined]);
    expect((await eventsOf(at, gone as any)).map(({ type }) => type)).toEqual(['group.deleted']);
    expect((await ask('DELETE', `/${id}`)).status).toBe(204);
    expect((await ask('GET', `/${id}`)).status).toBe(404);
  });

  it('deletes a group with members by force only, and by whoever may remove them', async () => {
    const { id: memberId } = await givenEmployee(at);
    const { id } = await givenGroup(at, { memberIds: [memberId] });
    const refused = await ask('DELETE', `/${id}`);
    expect([refused.status, refused.body]).toEqual([
      400,
      {
        resourceId: id,
        code: 404,
        status: 'Bad Request',
        message: 'Constraint validation failed',
        details: [expect.stringContaining("Please use the 'forceDelete' query param")],
      },
    ]);
    const force = { query: { forceDelete: 'true' } };
    const weak = await ask('DELETE', `/${id}`, { ...force, token: await tokenWith(at, 'iam.group_manage') });
    expect([weak.status, weak.body.details]).toEqual([403, ['Required scope(s): iam.assignment_manage']]);
    expect((await ask('DELETE', `/${id}`, force)).status).toBe(204);
  });
});
