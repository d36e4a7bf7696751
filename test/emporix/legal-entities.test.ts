// /customer-management/{tenant}/legal-entities…: companies, by the platform's routes; GraphQL sees the same.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { tryCreateLegalEntity } from '../kit/companies.ts';
import { givenCompany, givenCustomer } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { givenGroup, tokenWith } from '../kit/groups.ts';
import { type RestRequest, restClient } from '../kit/rest.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { fewestStatements } from '../kit/statements.ts';
import { employee, isGood, refresh, serviceToken, signIn } from '../kit/stories.ts';

let at: Service;
let admin: string;
let reader: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
  reader = await tokenWith(at, 'customermanagement.legalentity_read');
});

const ask = restClient('legal-entities');
const all = '/customer-management/demo/legal-entities';
const call = (method: string, rest = '', request: RestRequest = {}) =>
  ask(at, method, `${all}${rest}`, { token: admin, ...request });
const newId = () => `le-${randomUUID()}`;
const idsOf = ({ body }: { body: { id: string }[] }) => body.map(({ id }) => id);

async function inGraphql(id: string) {
  const query = `query ($id: ID!) { legalEntity(id: $id) { name type version parent { id } accountLimit { currency value }
    locations { id } customerGroups { id role } } }`;
  return only<any>(await graphql(at, query, { bearer: admin, variables: { id } }));
}
const newLocation = () => at.app.modules.locations.create(ctxOf('demo'), { name: 'HQ', type: 'HEADQUARTER' });
const legalInfo = {
  legalName: 'Acme Ltd.',
  registrationDate: '2022-03-31T13:18:02.379Z',
  taxRegistrationNumber: '1234',
  registrationAgency: 'Agency',
  countryOfRegistration: 'DE',
  registrationId: 'HRB 1',
};

describe('POST and GET', () => {
  it('a company in one piece: its groups, its locations, and what is only kept', async () => {
    const { id: locationId } = await newLocation();
    const body = {
      name: 'Initrode',
      accountLimit: { currency: 'EUR', value: 1000.99 },
      legalInfo,
      entitiesAddresses: [{ id: locationId }],
      customerGroups: [],
      approvalGroup: [],
      mixins: { erp: { code: 7, deep: [{ x: null }] } },
      metadata: { mixins: { erp: 'https://schemas.example/erp.json' } },
    };
    const made = await call('POST', '', { body });
    expect([made.status, made.body]).toEqual([201, { id: expect.any(String) }]);
    const { id } = made.body;
    const { status, body: shown } = await call('GET', `/${id}`, { token: reader });
    const seen = await inGraphql(id);
    expect(status).toBe(200);
    expect(shown).toEqual({
      id,
      name: 'Initrode',
      type: 'COMPANY',
      accountLimit: body.accountLimit,
      legalInfo,
      mixins: body.mixins,
      metadata: { version: 1, createdAt: expect.any(String), mixins: body.metadata.mixins },
      customerGroups: [
        ['Initrode Admin', 'B2B_ADMIN'],
        ['Initrode Buyer', 'B2B_BUYER'],
        ['Initrode Contact', 'CONTACT'],
        ['Initrode Requester', 'B2B_REQUESTER'],
      ].map(([name, role], place) => ({ id: seen.customerGroups[place].id, name: { en: name }, role })),
      entitiesAddresses: [expect.objectContaining({ id: locationId, name: 'HQ', type: 'HEADQUARTER' })],
    });
    expect(seen).toMatchObject({
      name: 'Initrode',
      version: 1,
      accountLimit: { currency: 'EUR', value: '1000.99' },
      locations: [{ id: locationId }],
    });
    const some = await call('GET', `/${id}`, { query: { fields: 'name, metadata.version' } });
    expect(Object.keys(some.body).sort()).toEqual(['metadata', 'name']);
  });

  it('what GraphQL has made, a subsidiary with its parent', async () => {
    const { id: parentId } = await givenCompany(at);
    const id = newId();
    only(await tryCreateLegalEntity(at, admin, { id, name: 'Sub', parentId }));
    expect((await call('GET', `/${id}`)).body).toMatchObject({ id, name: 'Sub', type: 'SUBSIDIARY', parentId });
  });

  it.each([
    ['no name', { type: 'COMPANY' }, 'name'],
    ['an empty name', { name: ' ' }, 'name'],
    ['an unknown type', { name: 'X', type: 'FACTORY' }, 'type'],
    ['a bad id', { name: 'X', id: 'a b' }, 'id'],
    ['a subsidiary without parent', { name: 'X', type: 'SUBSIDIARY' }, 'parentId'],
    ['an unknown parent', { name: 'X', parentId: 'nobody' }, 'parentId'],
    ['a limit below 0', { name: 'X', accountLimit: { currency: 'EUR', value: -1 } }, 'accountLimit.value'],
    ['a limit that is a text', { name: 'X', accountLimit: { currency: 'EUR', value: '1' } }, 'accountLimit.value'],
    ['more than is kept', { name: 'X', mixins: { big: 'x'.repeat(9_000) } }, 'details'],
    ['groups that it cannot have', { name: 'X', customerGroups: [{ id: 'some' }] }, 'customerGroups.0'],
    ['unknown locations', { name: 'X', entitiesAddresses: [{ id: 'some' }] }, 'entitiesAddresses.0'],
    ['an approval group', { name: 'X', approvalGroup: [{ id: 'some' }] }, 'approvalGroup'],
    ['restrictions', { name: 'X', restrictions: ['DE'] }, 'restrictions'],
    ['no object', [], ''],
  ])('400: %s, and nothing is made', async (_what, body, field) => {
    const count = () => at.app.modules.database.forTenant(ctxOf('demo')).legalEntity.count();
    const before = await count();
    const answer = await call('POST', '', { body });
    expect(answer).toMatchObject({ status: 400, body: { code: 400, status: 'Bad Request' } });
    if (field) expect(answer.body.details[0]).toMatch(new RegExp(`^${field}: `));
    expect(await count()).toBe(before);
  });

  it('409: an id that is taken; 404: one that is not there, or is of another tenant', async () => {
    const { id } = await givenCompany(at);
    const taken = await call('POST', '', { body: { id, name: 'X' } });
    expect([taken.status, taken.body]).toEqual([
      409,
      { code: 409, status: 'Conflict', message: 'Given resource already exists.' },
    ]);
    for (const unknown of ['nobody', 'rival-co', 'a%20b'])
      expect(await call('GET', `/${unknown}`)).toMatchObject({
        status: 404,
        body: { status: 'Not Found', message: 'The legal entity with the requested code does not exist.' },
      });
  });

  it('keeps mixins as deep as a body can be, or says no', async () => {
    const deep = (levels: number) => JSON.parse(`${'[{"x":'.repeat(levels)}1${'}]'.repeat(levels)}`);
    const made = await call('POST', '', { body: { name: 'Deep', mixins: { deep: deep(500) } } });
    expect(made.status).toBe(201);
    expect((await call('GET', `/${made.body.id}`)).body.mixins).toEqual({ deep: deep(500) });
    const brackets = `{"name":"X","mixins":{"x":${'['.repeat(3_900)}${']'.repeat(3_900)}}}`;
    const headers = { Authorization: `Bearer ${admin}`, 'Content-Type': 'application/json' };
    const { status } = await fetch(`${at.url}${all}`, { method: 'POST', headers, body: brackets });
    expect([201, 400]).toContain(status);
  });
});

describe('lists', () => {
  const mark = randomUUID().slice(0, 8);
  const ids = ['a', 'b', 'c'].map((letter) => `${mark}-${letter}`);
  beforeAll(async () => {
    const [a, b, c] = ids;
    const make = (input: object) => at.app.modules.companyProfiles.create(ctxOf('demo'), input as never);
    await make({ id: a, name: `${mark} A`, details: { legalInfo } });
    await make({ id: b, name: `${mark} B`, parentId: a, details: { legalInfo: { legalName: 'Bolt 100%' } } });
    await make({ id: c, name: `${mark} C`, parentId: b });
  });

  it.each<[Record<string, string>, number[]]>([
    [{}, [0, 1, 2]],
    [{ sort: 'name:desc' }, [2, 1, 0]],
    [{ pageSize: '2' }, [0, 1]],
    [{ pageSize: '2', pageNumber: '2' }, [2]],
    [{ type: 'SUBSIDIARY' }, [1, 2]],
    [{ q: 'type:COMPANY' }, [0]],
    [{ 'legalInfo.legalName': 'acme' }, [0]],
    [{ 'legalInfo.legalName': '100%' }, [1]],
    [{ 'legalInfo.registrationId': 'HRB 1' }, [0]],
    [{ 'legalInfo.registrationId': 'HRB' }, []],
    [{ 'legalInfo.countryOfRegistration': 'de' }, [0]],
    [{ q: 'legalInfo.legalName:~BOLT' }, [1]],
    [{ q: 'legalInfo.legalName:("Bolt 100%","Acme Ltd.")' }, [0, 1]],
    [{ q: 'legalInfo.registrationId:exists' }, [0]],
    [{ q: 'legalInfo.legalName:missing parentId:exists' }, [2]],
    [{ q: 'metadata.createdAt:(>"2020-01-01T00:00:00Z" AND <"2021-01-01T00:00:00Z")' }, []],
  ])('%j', async (query, places) => {
    const answer = await call('GET', '', {
      query: { name: mark.toUpperCase(), ...query },
      headers: { 'X-Total-Count': 'true' },
    });
    expect([answer.status, idsOf(answer)]).toEqual([200, places.map((place) => ids[place])]);
    const isPaged = 'pageSize' in query;
    expect(answer.headers.get('x-total-count')).toBe(String(isPaged ? 3 : places.length));
    const { q, ...others } = query;
    const search = { query: { name: mark, ...others }, body: { q } };
    expect(idsOf(await call('POST', '/search', search))).toEqual(idsOf(answer));
  });

  it('by id and by parent', async () => {
    expect(idsOf(await call('GET', '', { query: { parentId: ids[0]! } }))).toEqual([ids[1]]);
    expect(idsOf(await call('GET', '', { query: { id: ids[2]! } }))).toEqual([ids[2]]);
  });

  it.each([
    ['type', { type: 'FACTORY' }],
    ['q', { q: 'owner:me' }],
    ['q', { q: 'legalInfo.legalName:(>"2020-01-01T00:00:00Z")' }],
    ['sort', { sort: 'type' }],
    ['pageSize', { pageSize: '0' }],
    ['pageSize', { pageSize: '1001' }],
    ['pageNumber', { pageNumber: 'x' }],
  ])('400: a bad %s (%j)', async (field, query) => {
    const { status, body } = await call('GET', '', { query });
    expect([status, body.details[0].split(':')[0]]).toEqual([400, field]);
  });

  it('asks the database the same, however long the page is', async () => {
    const asked = (pageSize: string) =>
      fewestStatements(at, () =>
        call('GET', '', { query: { name: mark, pageSize }, headers: { 'X-Total-Count': 'true' } }),
      );
    const few = await asked('1');
    // Warmed up: the page with parents asks for these too.
    expect((await asked('3')).length - few.length).toBeLessThanOrEqual(1);
    expect(few.length).toBeLessThanOrEqual(6);
  });

  it('with _own: the companies that the customer is assigned to, and not what is above them', async () => {
    const [a, b] = ids;
    const customer = await givenCustomer(at, { [b!]: null });
    await at.app.modules.database.forTenant(ctxOf('demo')).contactAssignment.deleteMany({
      where: { customerId: customer.id, legalEntityId: a! },
    });
    const { accessToken: token } = await signIn(at, customer.email);
    const list = await call('GET', '', { token, headers: { 'X-Total-Count': 'true' } });
    expect([idsOf(list), list.headers.get('x-total-count')]).toEqual([[b], '1']);
    expect(list.body[0]).not.toHaveProperty('parentId');
    expect(idsOf(await call('POST', '/search', { token, body: { q: `id:(${a},${b})` } }))).toEqual([b]);
    expect((await call('GET', `/${b}`, { token })).status).toBe(403);
    expect((await call('GET', `/${b}/parent-hierarchy`, { token })).status).toBe(403);
  });

  it('parent-hierarchy: from the child to the top; empty for what is not there', async () => {
    const [a, b, c] = ids;
    const manager = await tokenWith(at, 'customermanagement.legalentity_manage');
    for (const token of [reader, manager])
      expect(idsOf(await call('GET', `/${c}/parent-hierarchy`, { token }))).toEqual([c, b, a]);
    expect((await call('GET', '/nobody/parent-hierarchy')).body).toEqual([]);
  });
});

describe('PUT', () => {
  it('makes a company under the id of the path', async () => {
    const id = newId();
    const made = await call('PUT', `/${id}`, { body: { name: 'Put', type: 'COMPANY' } });
    expect([made.status, made.body]).toEqual([201, { id }]);
    expect(await inGraphql(id)).toMatchObject({ name: 'Put', version: 1 });
    expect((await call('PUT', '/a%20b', { body: { name: 'Put', type: 'COMPANY' } })).status).toBe(400);
  });

  it('makes it what the body says; groups and locations stay unless the body speaks of them', async () => {
    const { id: parentId } = await givenCompany(at);
    const [one, other] = [await newLocation(), await newLocation()];
    const body = { name: 'Before', accountLimit: { currency: 'EUR', value: 5 }, legalInfo, type: 'COMPANY' };
    const { id } = (await call('POST', '', { body: { ...body, entitiesAddresses: [{ id: one.id }] } })).body;
    const put = async (version: number, changed: object) => {
      const { status } = await call('PUT', `/${id}`, {
        body: { name: 'After', type: 'COMPANY', ...changed, metadata: { version } },
      });
      return [status, await inGraphql(id)];
    };
    const [status, seen] = await put(1, { parentId, type: 'SUBSIDIARY' });
    expect(status).toBe(204);
    expect(seen).toMatchObject({ name: 'After', type: 'SUBSIDIARY', parent: { id: parentId }, accountLimit: null });
    expect([seen.version, seen.customerGroups.length, seen.locations]).toEqual([2, 4, [{ id: one.id }]]);
    expect((await call('GET', `/${id}`)).body).not.toHaveProperty('legalInfo');

    const [, moved] = await put(2, { customerGroups: [], entitiesAddresses: [{ id: other.id }] });
    expect([moved.parent, moved.customerGroups.length, moved.locations]).toEqual([null, 4, [{ id: other.id }]]);
    const own = { customerGroups: moved.customerGroups.map((group: any) => ({ id: group.id })) };
    expect((await put(3, own))[0]).toBe(204);
    expect((await put(4, { entitiesAddresses: [] }))[1].locations).toEqual([]);
    const details = (
      await at.app.modules.database.forTenant(ctxOf('demo')).auditEvent.findMany({
        where: { subjectId: id, type: 'legal_entity.updated' },
        orderBy: { at: 'asc' },
      })
    ).map((event) => event.details);
    expect(details).toContainEqual({ locations: { given: [other.id], taken: [one.id] } });
  });

  it('takes back what GET has given, and changes nothing by it but the version', async () => {
    const { id: parentId } = await givenCompany(at);
    const body = { name: 'Same', type: 'SUBSIDIARY', parentId, legalInfo, mixins: { a: { b: 1 } } };
    const { id } = (
      await call('POST', '', { body: { ...body, entitiesAddresses: [{ id: (await newLocation()).id }] } })
    ).body;
    const { body: before } = await call('GET', `/${id}`);
    expect((await call('PUT', `/${id}`, { body: before })).status).toBe(204);
    const { body: after } = await call('GET', `/${id}`);
    expect(after).toEqual({ ...before, metadata: { ...before.metadata, version: 2 } });
  });

  it('400: without a version; of another’s groups or locations; below itself; 409: of an old version', async () => {
    const { id } = await givenCompany(at);
    const other = await givenCompany(at);
    const { id: childId } = await at.app.modules.legalEntities.create(ctxOf('demo'), { name: 'Child', parentId: id });
    const { customerGroups } = await inGraphql(other.id);
    const taken = await at.app.modules.locations.create(ctxOf('demo'), {
      legalEntityId: other.id,
      name: 'Depot',
      type: 'WAREHOUSE',
    });
    const put = (changed: object) =>
      call('PUT', `/${id}`, { body: { name: 'X', type: 'COMPANY', metadata: { version: 1 }, ...changed } });
    expect(await put({ metadata: {} })).toMatchObject({
      status: 400,
      body: { resourceId: id, message: 'The document version has to be provided on update operations.' },
    });
    for (const wrong of [
      { customerGroups: [{ id: customerGroups[0].id }] },
      { customerGroups: [{ id: (await givenGroup(at, { userType: 'CUSTOMER' })).id }] },
      { entitiesAddresses: [{ id: taken.id }] },
      { type: 'SUBSIDIARY' },
      { type: 'SUBSIDIARY', parentId: id },
      { type: 'SUBSIDIARY', parentId: childId },
      { restrictions: ['DE'] },
    ])
      expect((await put(wrong)).status, JSON.stringify(wrong)).toBe(400);
    expect((await put({ metadata: { version: 2 } })).status).toBe(409);
    expect(await inGraphql(id)).toMatchObject({ version: 1, name: id });
    expect((await inGraphql(other.id)).locations).toEqual([{ id: taken.id }]);
  });
});

describe('DELETE', () => {
  it('takes the company away with its groups, and refuses tokens for it at once', async () => {
    const { id } = await givenCompany(at);
    const customer = await givenCustomer(at, { [id]: 'BUYER' });
    const { refreshToken } = await signIn(at, customer.email);
    const { accessToken } = await refresh(at, refreshToken, { legalEntityId: id });
    expect(await isGood(at, accessToken)).toBe(true);
    const { status, body } = await call('DELETE', `/${id}`);
    expect([status, body]).toEqual([204, undefined]);
    expect(await isGood(at, accessToken)).toBe(false);
    expect(await inGraphql(id)).toBeNull();
    expect((await call('DELETE', `/${id}`)).status).toBe(404);
  });

  it('400: not with subsidiaries', async () => {
    const { id } = await givenCompany(at);
    await at.app.modules.legalEntities.create(ctxOf('demo'), { name: 'Child', parentId: id });
    const { status, body } = await call('DELETE', `/${id}`);
    expect([status, body.message]).toEqual([400, 'Delete its subsidiaries first, or give them another parent.']);
    expect(await inGraphql(id)).not.toBeNull();
  });
});

it.each([
  ['GET', ''],
  ['POST', '', { name: 'X' }],
  ['POST', '/search', {}],
  ['GET', '/acme'],
  ['PUT', '/acme', { name: 'X', type: 'COMPANY' }],
  ['DELETE', '/acme'],
  ['GET', '/acme/parent-hierarchy'],
])(
  '%s %s: 401 without a good bearer, or with another tenant’s; 403 without the scope',
  async (method, rest, body?: object) => {
    const with_ = (token: string | undefined) => call(method, rest, { token, ...(body && { body }) });
    const fault = {
      fault: { faultstring: 'Invalid access token', detail: { errorcode: 'oauth.v2.InvalidAccessToken' } },
    };
    const { accessToken: rivals } = await serviceToken(at, 'rival-backend');
    for (const token of [undefined, 'nonsense', rivals])
      expect(await with_(token)).toMatchObject({ status: 401, body: fault });
    const poor = await tokenWith(at, 'customermanagement.contactassignment_read', 'customermanagement.location_manage');
    expect(await with_(poor)).toMatchObject({
      status: 403,
      body: { code: 403, status: 'Forbidden', message: 'The access to the given resource is forbidden.' },
    });
  },
);

it('400: a header that names another tenant than the path', async () => {
  const { status, body } = await call('GET', '', { headers: { 'Emporix-Tenant': 'rival' } });
  expect([status, body.message]).toEqual([
    400,
    'Tenant in the header is not matching with the one provided in the URI.',
  ]);
});
