// Two processes behind one port against one, WORKERS=2 and 1, load from the same machine: on two cores what is not won
// is what the load generator takes. Each has a database of its own, and nothing else in common.

import { buyerTokens, mayReadOrders } from '../kit/gateway.mjs';
import { operations } from '../kit/scopeward.mjs';

const operationsOf = /** @type {const} */ (['POST /oauth/token', 'forward-auth']);

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'two workers (WORKERS=2) against one',
  async sides(lab) {
    /** @type {Record<string, import('../kit/lab.mjs').Side>} */
    const sides = {};
    for (const [workers, name] of [
      ['1', 'one worker'],
      ['2', 'two workers'],
    ]) {
      const service = await lab.scopeward(`workers_${workers}`, { env: { WORKERS: workers } });
      const { accessToken } = await buyerTokens(service);
      const oauth = { ...operations.oauthToken('demo-crm', 'price.price_read'), expect: '"access_token":"' };
      sides[`POST /oauth/token, ${name}`] = await lab.load(service, oauth);
      sides[`forward-auth, ${name}`] = await lab.load(service, mayReadOrders(accessToken));
    }
    return sides;
  },
  targets: operationsOf.map((of) => ({ of: `${of}, two workers`, to: `${of}, one worker`, atLeast: 1.5 })),
};
