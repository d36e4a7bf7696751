// /customer-management/{tenant}/locations…: addresses, by the platform's routes; GraphQL sees those of companies.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { givenCompany } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { tokenWith } from '../kit/groups.ts';
import { type RestRequest, restClient } from '../kit/rest.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { employee, serviceToken } from '../kit/stories.ts';

let at: Service;
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
});

const ask = restClient('legal-entities');
const all = '/customer-management/demo/locations';
const call = (method: string, rest = '', request: RestRequest = {}) =>
  ask(at, method, `${all}${rest}`, { token: admin, ...request });
const newId = () => `lo-${randomUUID()}`;
const contactDetails = {
  emails: ['jon.doe@example.com', 'adam.smith@sample.org'],
  phones: ['1234567890', '123456789'],
  addressLine1: 'W Sample St',
  addressLine2: '3601-3799',
  city: 'South Bend',
  state: 'Indiana',
  postcode: '46619',
  countryCode: 'US',
  tags: ['shipping'],
};
const office = { name: 'Office', type: 'OFFICE', contactDetails };

async function inGraphql(legalEntityId: string) {
  const query = 'query ($id: ID!) { legalEntity(id: $id) { locations { id name type city countryCode } } }';
  return only<any>(await graphql(at, query, { bearer: admin, variables: { id: legalEntityId } })).locations;
}
const trail = (id: string) =>
  at.app.modules.database
    .forTenant(ctxOf('demo'))
    .auditEvent.findMany({ where: { subjectId: id }, orderBy: { at: 'asc' } });

it('POST, GET: kept as it was given, and shown to GraphQL with its company', async () => {
  const made = await call('POST', '', { body: { ...office, mixins: { a: { b: 1 } } } });
  expect([made.status, made.body]).toEqual([201, { id: expect.any(String) }]);
  const { id } = made.body;
  const shown = { id, ...office, mixins: { a: { b: 1 } }, metadata: { version: 1, createdAt: expect.any(String) } };
  expect((await call('GET', `/${id}`)).body).toEqual(shown);
  const { id: company } = await givenCompany(at);
  await at.app.modules.companyProfiles.put(ctxOf('demo'), company, { name: 'X', locationIds: [id], version: 1 });
  expect(await inGraphql(company)).toEqual([
    { id, name: 'Office', type: 'OFFICE', city: 'South Bend', countryCode: 'US' },
  ]);
  expect((await call('GET', `/${id}`, { query: { fields: 'name' } })).body).toEqual({ name: 'Office' });
});

it('GET: what GraphQL has made; a name goes without saying', async () => {
  const input = { legalEntityId: 'acme', name: 'Depot', type: 'WAREHOUSE', city: 'Bonn' };
  const made = await graphql(at, 'mutation ($input: CreateLocationInput!) { createLocation(input: $input) { id } }', {
    bearer: admin,
    variables: { input },
  });
  const { body } = await call('GET', `/${only<{ id: string }>(made).id}`);
  expect(body).toMatchObject({ name: 'Depot', type: 'WAREHOUSE', contactDetails: { city: 'Bonn' } });
  const { id } = (await call('POST', '', { body: { type: 'WAREHOUSE', contactDetails: {} } })).body;
  expect((await call('GET', `/${id}`)).body).toMatchObject({ name: 'WAREHOUSE', contactDetails: {} });
  for (const each of [body.id, id]) await call('DELETE', `/${each}`);
});

describe('lists', () => {
  const mark = randomUUID().slice(0, 8);
  const ids = [`${mark}-1`, `${mark}-2`];
  beforeAll(async () => {
    const bodies = [
      { id: ids[0], ...office, name: `${mark} One` },
      { id: ids[1], name: `${mark} Two`, type: 'WAREHOUSE', contactDetails: { city: 'Bonn', countryCode: 'DE' } },
    ];
    for (const body of bodies) expect((await call('POST', '', { body })).status).toBe(201);
  });

  it.each<[Record<string, string>, number[]]>([
    [{}, [0, 1]],
    [{ sort: 'name:desc', pageSize: '1' }, [1]],
    [{ type: 'WAREHOUSE' }, [1]],
    [{ 'contactDetails.email': 'ADAM.smith' }, [0]],
    [{ 'contactDetails.phone': '4567890' }, [0]],
    [{ 'contactDetails.address': '3601' }, [0]],
    [{ 'contactDetails.city': 'bonn' }, [1]],
    [{ 'contactDetails.state': 'indi' }, [0]],
    [{ 'contactDetails.postcode': '466' }, [0]],
    [{ 'contactDetails.countryCode': 'DE' }, [1]],
    [{ 'contactDetails.countryCode': 'D' }, []],
    [{ q: 'contactDetails.city:("Bonn","South Bend") contactDetails.postcode:exists' }, [0]],
    [{ q: 'contactDetails.email:missing' }, [1]],
  ])('%j', async (query, places) => {
    const answer = await call('GET', '', { query: { name: mark, ...query }, headers: { 'X-Total-Count': 'true' } });
    expect(answer.body.map(({ id }: { id: string }) => id)).toEqual(places.map((place) => ids[place]));
    expect(answer.headers.get('x-total-count')).toBe(String('pageSize' in query ? 2 : places.length));
  });

  it.each([
    ['type', { type: 'SHOP' }],
    ['q', { q: 'contactDetails.tags:x' }],
    ['sort', { sort: 'type' }],
  ])('400: a bad %s', async (field, query) => {
    const { status, body } = await call('GET', '', { query });
    expect([status, body.details[0].split(':')[0]]).toEqual([400, field]);
  });
});

it('PUT: makes one under the id of the path, and changes it by its version; told to the trail', async () => {
  const id = newId();
  const put = (changed: object) => call('PUT', `/${id}`, { body: { ...office, ...changed } });
  const made = await put({});
  expect([made.status, made.body]).toEqual([201, { id }]);
  const changed = { name: 'Moved', contactDetails: { city: 'Bonn', emails: [] }, metadata: { version: 1 } };
  expect((await put(changed)).status).toBe(204);
  expect((await call('GET', `/${id}`)).body).toMatchObject({
    name: 'Moved',
    contactDetails: { city: 'Bonn', emails: [] },
    metadata: { version: 2 },
  });
  expect((await put({ metadata: {} })).body).toMatchObject({
    code: 400,
    resourceId: id,
    message: 'The document version has to be provided on update operations.',
  });
  expect((await put({ metadata: { version: 1 } })).status).toBe(409);
  expect(await trail(id)).toMatchObject([
    { type: 'location.created' },
    { type: 'location.updated', details: { before: { city: 'South Bend' }, after: { name: 'Moved', city: 'Bonn' } } },
  ]);
});

it('DELETE: takes it away; 404 from then on', async () => {
  const { id } = (await call('POST', '', { body: office })).body;
  const { status, body } = await call('DELETE', `/${id}`);
  expect([status, body]).toEqual([204, undefined]);
  for (const method of ['GET', 'DELETE'])
    expect((await call(method, `/${id}`)).body).toMatchObject({
      code: 404,
      resourceId: id,
      message: 'The location with the requested code does not exist.',
    });
});

it('409: an id that is taken', async () => {
  const { id } = (await call('POST', '', { body: { ...office, id: newId() } })).body;
  const { status, body } = await call('POST', '', { body: { ...office, id } });
  expect([status, body.message]).toEqual([409, 'Given resource already exists.']);
});

it.each([
  ['type', { name: 'X', contactDetails }],
  ['type', { ...office, type: 'SHOP' }],
  ['contactDetails', { name: 'X', type: 'OFFICE' }],
  ['contactDetails.emails', { ...office, contactDetails: { emails: Array.from({ length: 11 }, () => 'a@b.example') } }],
  ['countryCode', { ...office, contactDetails: { countryCode: 'usa' } }],
  ['name', { ...office, name: 'x'.repeat(101) }],
  ['id', { ...office, id: 'a b' }],
  ['details', { ...office, contactDetails: { note: 'x'.repeat(9_000) } }],
])('400: a bad %s', async (field, body) => {
  const answer = await call('POST', '', { body });
  expect(answer.status).toBe(400);
  expect(answer.body.details[0]).toMatch(new RegExp(`^${field}: `));
});

it.each([
  ['GET', ''],
  ['POST', '', office],
  ['GET', '/some'],
  ['PUT', '/some', office],
  ['DELETE', '/some'],
])(
  '%s %s: 401 without a good bearer, or with another tenant’s; 403 without the scope',
  async (method, rest, body?: object) => {
    const with_ = (token: string | undefined) => call(method, rest, { token, ...(body && { body }) });
    const { accessToken: rivals } = await serviceToken(at, 'rival-backend');
    for (const token of [undefined, 'nonsense', rivals])
      expect(await with_(token)).toMatchObject({
        status: 401,
        body: { fault: { faultstring: 'Invalid access token' } },
      });
    const poor = await tokenWith(at, 'customermanagement.legalentity_read', 'customermanagement.legalentity_manage');
    expect(await with_(poor)).toMatchObject({ status: 403, body: { code: 403, status: 'Forbidden' } });
  },
);

it('is not seen from another tenant', async () => {
  const { id } = (await call('POST', '', { body: office })).body;
  const token = (await employee(at, 'admin@rival.example')).accessToken;
  const there = (path: string) => ask(at, 'GET', `/customer-management/rival/locations${path}`, { token });
  expect((await there(`/${id}`)).status).toBe(404);
  expect((await there('')).body.map((each: { id: string }) => each.id)).not.toContain(id);
});
