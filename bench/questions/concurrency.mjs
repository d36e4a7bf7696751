// Throughput and p99 of four operations with 1 to 128 connections: where it levels off, and what waiting costs then.
// Drawn as a plot.

import { buyerTokens, mayReadOrders } from '../kit/gateway.mjs';
import { plot } from '../kit/plot.mjs';
import { makeBuyers, operations, serviceToken } from '../kit/scopeward.mjs';
import { familiesFor, openSessions, refreshing } from '../kit/sessions.mjs';

const CONNECTIONS = [1, 2, 4, 8, 16, 32, 64, 128];
const MOST_REFRESHES_PER_SECOND = 5_000;

const names = /** @type {const} */ ({
  gateway: '/forward-auth, seen before',
  principal: 'currentPrincipal',
  oauth: 'POST /oauth/token',
  refresh: 'refresh',
});

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'throughput and p99 with 1 to 128 connections',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const { accessToken } = await buyerTokens(scopeward);
    const token = await serviceToken(scopeward, 'demo-crm');
    const refreshes = lab.totalSeconds * CONNECTIONS.length * MOST_REFRESHES_PER_SECOND;
    const buyers = await makeBuyers(scopeward.databaseUrl, familiesFor(refreshes, Math.max(...CONNECTIONS)));
    const rows = await openSessions(scopeward.databaseUrl, buyers, 'acme');
    const loads = {
      [names.gateway]: await lab.load(scopeward, mayReadOrders(accessToken)),
      [names.principal]: await lab.load(scopeward, {
        ...operations.currentPrincipal(token),
        expect: '"kind":"SERVICE"',
      }),
      [names.oauth]: await lab.load(scopeward, {
        ...operations.oauthToken('demo-crm', 'price.price_read'),
        expect: '"access_token":"',
      }),
      [names.refresh]: await lab.load(scopeward, { ...refreshing(), rows }),
    };
    /** @type {Record<string, import('../kit/lab.mjs').Side>} */
    const sides = {};
    // From many to few: the many warm the service up sooner.
    for (const connections of CONNECTIONS.toReversed()) {
      for (const [name, load] of Object.entries(loads)) {
        sides[`${name}, ${connections}`] = { measure: (seconds) => load.measure(seconds, connections) };
      }
    }
    return sides;
  },
  times: { warmUp: 0.25, seconds: 1, rounds: 1 },
  targets: [],
  plot: (sides) =>
    plot(
      Object.values(names).map((name) => ({
        name,
        points: CONNECTIONS.map((connections) => {
          const { perSecond, p99 } = sides[`${name}, ${connections}`];
          return { connections, perSecond, p99 };
        }),
      })),
    ),
};
