// What the gateway pays for each request that passes: a token seen before, of a customer for a company, whose identity is
// answered with an assertion; the same with the saas token checked; two hundred tokens in turn; and HTTP alone.

import { ask, graphql, many, serviceToken } from '../kit/scopeward.mjs';

const TOKENS = 200;
const PATH = '/forward-auth?scope=order.order_readascustomer';

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

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'a gateway asks whether a request may pass, and as whose',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const raw = await lab.server('floors/http.mjs');
    const { accessToken: visitor } = (await ask(scopeward, guest())).issueAnonymousToken;
    const { accessToken, saasToken } = (await ask(scopeward, login(visitor))).issueCustomerToken;
    const others = await many(TOKENS, () => serviceToken(scopeward, 'demo-crm'));
    const plan = (/** @type {string} */ path, /** @type {Record<string, string>} */ headers) => ({
      method: 'GET',
      path,
      headers,
      bodies: [''],
      expect: '',
    });
    const one = plan(PATH, { Authorization: `Bearer ${accessToken}` });
    const checkout = plan(`${PATH}&saas=required`, { ...one.headers, 'saas-token': saasToken });
    const turns = plan('/forward-auth?scope=price.price_read', { Authorization: 'Bearer {{0}}' });
    return {
      'seen before': await lab.load(scopeward, one),
      'with its saas token': await lab.load(scopeward, checkout),
      '200 tokens in turn': await lab.load(scopeward, { ...turns, rows: others.map((token) => [token]) }),
      'floor: node:http': await lab.load(raw, { ...one, expect: 'hello' }),
    };
  },
  targets: [
    { of: 'seen before', to: 'floor: node:http', atLeast: 0.5 },
    { of: 'with its saas token', to: 'floor: node:http' },
    { of: '200 tokens in turn', to: 'floor: node:http' },
    { of: 'seen before', figure: 'statements', atMost: 0 },
  ],
};
