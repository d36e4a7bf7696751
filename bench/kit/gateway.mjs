// What the gateway asks: the check of a token, as a load plan; and tokens to be checked.

import { ask, graphql, many, operations } from './scopeward.mjs';

const guest = () =>
  graphql('mutation ($input: IssueAnonymousTokenInput!) { issueAnonymousToken(input: $input) { accessToken } }', {
    input: { tenant: 'demo', clientId: 'demo-storefront' },
  });
const login = (/** @type {string} */ anonymousToken) =>
  graphql(
    'mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { accessToken saasToken } }',
    {
      input: { email: 'buyer@demo.example', password: 'demo-password-1', legalEntityId: 'acme', anonymousToken },
    },
  );

/** The demo's buyer, signed in for a company. @param {{ url: string }} server @returns {Promise<{ accessToken: string, saasToken: string }>} */
export async function buyerTokens(server) {
  const { accessToken: visitor } = (await ask(server, guest())).issueAnonymousToken;
  return (await ask(server, login(visitor))).issueCustomerToken;
}

/** Service tokens that may read prices, as rows. @param {{ url: string }} server @param {number} count */
export function serviceTokens({ url }, count) {
  const { path, headers, bodies } = operations.oauthToken('demo-crm', 'price.price_read');
  return many(count, async () => {
    const answer = await fetch(url + path, { method: 'POST', headers, body: bodies[0] });
    return [/** @type {string} */ ((await answer.json()).access_token)];
  });
}

/** @param {string} query @param {Record<string, string>} headers */
export const gatewayCheck = (query, headers) => ({
  method: 'GET',
  path: `/forward-auth?${query}`,
  headers,
  bodies: [''],
  expect: '',
});

/** May a customer read orders? @param {string} accessToken */
export const mayReadOrders = (accessToken) =>
  gatewayCheck('scope=order.order_readascustomer', { Authorization: `Bearer ${accessToken}` });
