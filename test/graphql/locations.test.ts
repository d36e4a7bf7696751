// Mutation.createLocation and deleteLocation, and LegalEntity.locations.

import { beforeAll, expect, it } from 'vitest';
import { givenCompany } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { tokenWith } from '../kit/groups.ts';
import { ctxOf, type Service, theService } from '../kit/service.ts';
import { employee } from '../kit/stories.ts';

let at: Service;
let admin: string;
beforeAll(async () => {
  at = await theService();
  admin = (await employee(at)).accessToken;
});

const fields = 'id name type city countryCode legalEntity { id }';
const tryCreate = (bearer: string | undefined, input: object, selected = fields) =>
  graphql<any>(at, `mutation ($input: CreateLocationInput!) { createLocation(input: $input) { ${selected} } }`, {
    bearer,
    variables: { input },
  });
const tryDelete = (bearer: string | undefined, id: string) =>
  graphql(at, 'mutation ($id: ID!) { deleteLocation(id: $id) }', { bearer, variables: { id } });
const locationsOf = async (id: string) =>
  only<any>(
    await graphql(at, 'query ($id: ID!) { legalEntity(id: $id) { locations { name } } }', {
      bearer: admin,
      variables: { id },
    }),
  ).locations.map(({ name }: any) => name);

it('success: shown with its company by name, until it is deleted; told to the trail', async () => {
  const { id: legalEntityId } = await givenCompany(at);
  const office = { legalEntityId, name: 'Office', type: 'OFFICE', city: 'Berlin', countryCode: 'DE' };
  const made = only<any>(await tryCreate(admin, office));
  expect(made).toMatchObject({ name: 'Office', city: 'Berlin', countryCode: 'DE', legalEntity: { id: legalEntityId } });
  await tryCreate(admin, { legalEntityId, name: 'Depot', type: 'WAREHOUSE' });
  expect(await locationsOf(legalEntityId)).toEqual(['Depot', 'Office']);
  expect(only(await tryDelete(admin, made.id))).toBe(made.id);
  expect(await locationsOf(legalEntityId)).toEqual(['Depot']);
  expect((await tryDelete(admin, made.id)).code).toBe('NOT_FOUND');
  const events = await at.app.modules.database
    .forTenant(ctxOf('demo'))
    .auditEvent.findMany({ where: { subjectId: made.id }, orderBy: { at: 'asc' } });
  expect(events).toMatchObject([
    { type: 'location.created', legalEntityId, details: { after: { name: 'Office' } } },
    { type: 'location.deleted', legalEntityId, details: { before: { city: 'Berlin' } } },
  ]);
});

it.each([
  [{ name: '' }, 'input.name'],
  [{ city: ' ' }, 'input.city'],
  [{ countryCode: 'de' }, 'input.countryCode'],
  [{ countryCode: 'DEU' }, 'input.countryCode'],
])('invalid: %j is BAD_USER_INPUT at %s', async (wrong, field) => {
  const answer = await tryCreate(admin, { legalEntityId: 'acme', name: 'X', type: 'OFFICE', ...wrong });
  expect([answer.code, answer.errors[0]?.extensions.field]).toEqual(['BAD_USER_INPUT', field]);
});

it('unauthenticated, forbidden, unknown and of another tenant', async () => {
  const input = { legalEntityId: 'acme', name: 'X', type: 'OFFICE' };
  expect((await tryCreate(undefined, input)).code).toBe('UNAUTHENTICATED');
  const reader = await tokenWith(at, 'customermanagement.location_read');
  expect((await tryCreate(reader, input, 'id')).code).toBe('FORBIDDEN');
  expect((await tryDelete(reader, 'nothing')).code).toBe('FORBIDDEN');
  expect((await tryDelete(undefined, 'nothing')).code).toBe('UNAUTHENTICATED');
  for (const legalEntityId of ['nothing', 'umbrella'])
    expect((await tryCreate(admin, { ...input, legalEntityId })).code).toBe('NOT_FOUND');
  const { id } = only<any>(await tryCreate(admin, input));
  const rival = (await employee(at, 'admin@rival.example')).accessToken;
  expect((await tryDelete(rival, id)).code).toBe('NOT_FOUND');
  expect((await tryDelete(admin, id)).errors).toEqual([]);
});
