// Refresh with rotation, durable, all on the same PostgreSQL. Each connection goes on with the tokens it was given.
// better-auth's switch of the organization is what a company switch is there: a row changed, no token made.

import { makeBuyers } from '../kit/scopeward.mjs';
import { familiesFor, openSessions, refreshing } from '../kit/sessions.mjs';
import { switchOrganization } from '../peers/better-auth-requests.mjs';
import { refresh } from '../peers/oidc-provider-requests.mjs';

const MOST_PER_SECOND = 6_000;
const CUSTOMERS = 64;

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'a customer refreshes (one-time tokens, durable), and switches company with it',
  async sides(lab) {
    const families = familiesFor(lab.totalSeconds * MOST_PER_SECOND);
    const scopeward = await lab.scopeward();
    const oidc = await lab.server('peers/oidc-provider.mjs', { database: true, refreshTokens: families });
    const betterAuth = await lab.server('peers/better-auth.mjs', { database: true, customers: CUSTOMERS });
    const buyers = await makeBuyers(scopeward.databaseUrl, families * 2);
    const [toGlobex, toAcme] = ['globex', 'acme'].map((legalEntityId) => refreshing({ legalEntityId }));
    return {
      refresh: await lab.load(scopeward, {
        ...refreshing(),
        rows: await openSessions(scopeward.databaseUrl, buyers.slice(families), 'acme'),
      }),
      'company switch': await lab.load(scopeward, {
        ...refreshing(),
        bodies: [...toGlobex.bodies, ...toAcme.bodies],
        rows: await openSessions(scopeward.databaseUrl, buyers.slice(0, families), 'acme'),
      }),
      'oidc-provider, refresh': await lab.load(oidc, {
        ...refresh(),
        expect: '"refresh_token":"',
        next: '"refresh_token":"([^"]+)"',
        rows: oidc.refreshTokens.map((/** @type {string} */ token) => [token]),
      }),
      'better-auth, set-active': await lab.load(betterAuth, {
        ...switchOrganization(),
        expect: '"slug":"',
        rows: betterAuth.people,
      }),
    };
  },
  targets: ['refresh', 'company switch'].flatMap((of) => [
    { of, to: 'oidc-provider, refresh', atLeast: 2.5 },
    { of, to: 'better-auth, set-active', atLeast: 8 },
    { of, figure: /** @type {const} */ ('statements'), atMost: 6 },
    { of, figure: /** @type {const} */ ('commits'), atMost: 2 },
  ]),
};
