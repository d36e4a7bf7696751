import { it } from 'vitest';
import { graphql } from '../kit/graphql.ts';
import { theService } from '../kit/service.ts';
import { guest, signIn, employee } from '../kit/stories.ts';

it('probe', async () => {
  const at = await theService();
  const { accessToken } = await signIn(at);
  const ctx = (input: object) => graphql(at, `mutation ($i: UpdateSessionContextInput!) { updateSessionContext(input: $i) { version siteCode attributes currency } }`, { bearer: accessToken, variables: { i: input } });
  for (const i of [{ version: 1, siteCode: 'a\u0000b' }, { version: 1, attributes: { a: 'x\u0000' } }, { version: 1, attributes: { 'k\u0000': 1 } }, { version: 1, attributes: { a: '\ud800' } }, { version: 1, currency: 'not money' }, { version: 0, attributes: [1] }, { version: 2, attributes: JSON.parse('{"__proto__": {"a":1}}') }, { version: 2**31-1 }])
    console.log(JSON.stringify(i), (await ctx(i)).body);
  const g = await guest(at);
  for (const i of [{ email: 'a@test.example', password: 'long enough password', firstName: 'x\u0000' }, { email: 'b@test.example', password: 'long enough password', firstName: 'x'.repeat(5000) }, { email: 'c@test.example', password: 'long enough password', firstName: '\ud800' }, { email: 'd@test.example', password: 'long enough \u0000 password' }])
    console.log((await graphql(at, `mutation ($i: RegisterCustomerInput!) { registerCustomer(input: $i) { id email firstName } }`, { bearer: g.accessToken, variables: { i } })).body.slice(0, 300));
  const admin = await employee(at);
  for (const i of [{ id: 'x.y_read', description: 'a\u0000' }, { id: 'x.y_read', description: 'd'.repeat(20000) }, { id: 'x.y_view', description: 'd' }])
    console.log((await graphql(at, `mutation ($i: CreateScopeInput!) { createScope(input: $i) { id } }`, { bearer: admin.accessToken, variables: { i } })).body.slice(0, 300));
  for (const id of ['x.y_\u0000', 'x.y_view', 'x.y_read'])
    console.log((await graphql(at, `mutation ($id: ID!) { deleteScope(id: $id) }`, { bearer: admin.accessToken, variables: { id } })).body.slice(0, 300));
  console.log((await graphql(at, `mutation { revokeSession(id: "a\\u0000") { revoked } }`, { bearer: admin.accessToken })).body.slice(0, 300));
  console.log((await graphql(at, `{ sessions(customerId: "a\\u0000") { totalCount } }`, { bearer: admin.accessToken })).body.slice(0, 300));
  console.log((await graphql(at, `{ sessions(first: 2) { totalCount nodes { id createdAt } pageInfo { endCursor } } }`, { bearer: admin.accessToken })).body.slice(0, 300));
  console.log((await graphql(at, `{ sessions(after: "WyJub3QgYSBkYXRlIiwieCJd") { totalCount nodes { id } } }`, { bearer: admin.accessToken })).body.slice(0, 300));
  console.log((await graphql(at, `mutation ($i: IssueAssistedCustomerTokenInput!) { issueAssistedCustomerToken(input: $i) { sessionId } }`, { bearer: admin.accessToken, variables: { i: { customerId: 'a\u0000', reason: 'x' } } })).body.slice(0, 300));
  console.log((await graphql(at, `mutation { retireSigningKey(kid: "nope\\u0000", reason: "") { kid } }`, { bearer: admin.accessToken })).body.slice(0, 300));
  for (const m of ['mySessions { id actor { email } }', 'sessions { totalCount }', 'tenant { id }']) console.log(m, (await graphql(at, `{ ${m} }`, { bearer: g.accessToken })).body.slice(0, 300));
});
