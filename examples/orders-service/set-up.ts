// What an administrator does once, so that people of a company may order: two groups within each company, one whose
// members place orders and one whose members see all of the company's. Run again, it changes nothing.

import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: process.env.SCOPEWARD_URL ?? 'http://localhost:4000' },
    email: { type: 'string', default: 'admin@demo.example' },
    password: { type: 'string', default: 'demo-password-1' },
  },
});

let bearer: string | undefined;

async function ask<Result>(query: string, variables: object): Promise<Result> {
  const response = await fetch(`${values.url}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(bearer && { Authorization: `Bearer ${bearer}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Record<string, Result>; errors?: { message: string }[] };
  if (errors) throw new Error(errors.map(({ message }) => message).join(' '));
  return Object.values(data)[0]!;
}

type Page = { nodes: { id: string; name: string; email?: string }[] };

/** The predefined access control LEGAL_ENTITY_ORDERS_VIEWER: `order.order_read_le`. */
const SEE_ALL = '2ac869fc-d548-4ec8-8e06-c01491314214';

async function placingOrders(): Promise<string> {
  const name = 'PLACE_ORDERS';
  const { nodes } = await ask<Page>('{ accessControls(first: 200) { nodes { id name } } }', {});
  const found = nodes.find((control) => control.name === name);
  const create = 'mutation ($input: CreateAccessControlInput!) { createAccessControl(input: $input) { id } }';
  const input = { name, restrictedTo: 'CUSTOMER', scopes: ['order.order_post'] };
  return (found ?? (await ask<{ id: string }>(create, { input }))).id;
}

async function group(legalEntityId: string, name: string, accessControlId: string, emails: string[]): Promise<void> {
  const query = 'query ($id: ID!) { groups(legalEntityId: $id, first: 200) { nodes { id name } } }';
  const found = (await ask<Page>(query, { id: legalEntityId })).nodes.find((one) => one.name === name);
  const create = 'mutation ($input: CreateGroupInput!) { createGroup(input: $input) { id } }';
  const input = { name, legalEntityId, userType: 'CUSTOMER', accessControlIds: [accessControlId] };
  const { id: groupId } = found ?? (await ask<{ id: string }>(create, { input }));
  for (const email of emails) {
    const customers = await ask<Page>('query ($email: String!) { customers(search: $email) { nodes { id email } } }', {
      email,
    });
    const userId = customers.nodes.find((customer) => customer.email === email)?.id;
    const add = 'mutation ($input: GroupMemberInput!) { addGroupMember(input: $input) { name } }';
    await ask(add, { input: { groupId, userId, userType: 'CUSTOMER' } });
  }
  console.log(`${name}: ${emails.join(', ')}`);
}

const login = `mutation ($input: IssueEmployeeTokenInput!) { issueEmployeeToken(input: $input) { accessToken } }`;
const { email, password } = values;
bearer = (await ask<{ accessToken: string }>(login, { input: { tenant: 'demo', email, password } })).accessToken;
const PLACE = await placingOrders();
await group('acme', 'ACME: place orders', PLACE, ['buyer@demo.example', 'requester@demo.example']);
await group('acme', 'ACME: see all orders', SEE_ALL, ['buyer@demo.example']);
await group('globex', 'Globex: place orders', PLACE, ['buyer@demo.example']);
