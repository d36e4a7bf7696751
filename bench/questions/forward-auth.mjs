// What the gateway pays for each request that passes: a token seen before, of a customer for a company, whose identity is
// answered with an assertion; the same with the saas token checked; and a token that the service has to check anew, since
// more others have come by than it remembers. Beside better-auth's session check, and HTTP and the signature check alone.

import { buyerTokens, gatewayCheck, mayReadOrders, serviceTokens } from '../kit/gateway.mjs';
import { getSession } from '../peers/better-auth-requests.mjs';

/** The service remembers 5 000; each of these comes again when all others have been there. */
const MORE_THAN_REMEMBERED = 8_000;
const CUSTOMERS = 64;

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'a gateway asks whether a request may pass, and as whose',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const raw = await lab.server('floors/http.mjs');
    const betterAuth = await lab.server('peers/better-auth.mjs', { database: true, customers: CUSTOMERS });
    const { accessToken, saasToken } = await buyerTokens(scopeward);
    const tokens = await serviceTokens(scopeward, MORE_THAN_REMEMBERED);
    const one = mayReadOrders(accessToken);
    const checkout = gatewayCheck('scope=order.order_readascustomer&saas=required', {
      ...one.headers,
      'saas-token': saasToken,
    });
    const turns = gatewayCheck('scope=price.price_read', { Authorization: 'Bearer {{0}}' });
    const session = { expect: '"userId":"', rows: betterAuth.people };
    return {
      'seen before': await lab.load(scopeward, one),
      'with its saas token': await lab.load(scopeward, checkout),
      'first sight': await lab.load(scopeward, { ...turns, rows: tokens }),
      'better-auth, session from its cookie': await lab.load(betterAuth, { ...getSession(), ...session }),
      'better-auth, session from PostgreSQL': await lab.load(betterAuth, {
        ...getSession({ database: true }),
        ...session,
      }),
      'floor: node:http': await lab.load(raw, { ...one, expect: 'hello' }),
      'floor: verify ES256': await lab.work('floors/verify.mjs'),
    };
  },
  targets: [
    { of: 'seen before', to: 'floor: node:http', atLeast: 0.5 },
    { of: 'seen before', to: 'better-auth, session from its cookie' },
    { of: 'seen before', to: 'better-auth, session from PostgreSQL' },
    { of: 'seen before', figure: 'statements', atMost: 0 },
    { of: 'with its saas token', to: 'floor: node:http' },
    { of: 'first sight', to: 'floor: verify ES256', atLeast: 0.6 },
    { of: 'first sight', figure: 'statements', atMost: 0 },
  ],
};
