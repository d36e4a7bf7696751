// Companies for tests: what an administrator does about them, by GraphQL, and who is a contact of what.

import { type Answer, graphql } from './graphql.ts';
import { ctxOf, type Service } from './service.ts';

type At = Pick<Service, 'url'>;
type Bearer = string | undefined;
type Input = Record<string, unknown>;

const entityFields =
  'id name type enabled version parent { id } accountLimit { currency value } customerGroups { role name predefined }';

export const tryCreateLegalEntity = (at: At, bearer: Bearer, input: Input): Promise<Answer<any>> =>
  graphql(at, `mutation ($input: CreateLegalEntityInput!) { createLegalEntity(input: $input) { ${entityFields} } }`, {
    bearer,
    variables: { input },
  });

export const tryUpdateLegalEntity = (at: At, bearer: Bearer, input: Input): Promise<Answer<any>> =>
  graphql(at, `mutation ($input: UpdateLegalEntityInput!) { updateLegalEntity(input: $input) { ${entityFields} } }`, {
    bearer,
    variables: { input },
  });

export const tryDeleteLegalEntity = (at: At, bearer: Bearer, id: string): Promise<Answer<any>> =>
  graphql(at, 'mutation ($id: ID!) { deleteLegalEntity(id: $id) }', { bearer, variables: { id } });

export const tryAssign = (
  at: At,
  bearer: Bearer,
  input: Input,
  fields = 'id type primary inherited',
): Promise<Answer<any>> =>
  graphql(at, `mutation ($input: AssignContactInput!) { assignContact(input: $input) { ${fields} } }`, {
    bearer,
    variables: { input },
  });

export const tryUnassign = (at: At, bearer: Bearer, id: string): Promise<Answer<any>> =>
  graphql(at, 'mutation ($id: ID!) { unassignContact(id: $id) }', { bearer, variables: { id } });

/** Where a customer is a contact, by company: `own`, or `inherited`. As the database has it. */
export async function contactsOf({ app }: Service, customerId: string, tenantId = 'demo') {
  const rows = await app.modules.database
    .forTenant(ctxOf(tenantId))
    .contactAssignment.findMany({ where: { customerId }, orderBy: { legalEntityId: 'asc' } });
  return Object.fromEntries(
    rows.map(({ legalEntityId, causeId }) => [legalEntityId, causeId === null ? 'own' : 'inherited']),
  );
}

/** The companies in whose groups a customer is, with the roles there. As the database has it. */
export async function rolesOf({ app }: Service, customerId: string, tenantId = 'demo') {
  const rows = await app.modules.database
    .forTenant(ctxOf(tenantId))
    .customerMembership.findMany({ where: { customerId }, include: { group: true } });
  return rows.map(({ group }) => `${group.legalEntityId} ${group.role}`).sort();
}
