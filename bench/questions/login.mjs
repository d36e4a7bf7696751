// A customer's login beside argon2id alone on every core, since everything but the hash should not show, and beside
// better-auth's sign-in with the same hash. And what other requests feel of it: who-am-I at a steady hundred a second,
// alone and while logins are as many as they can be.

import { ask, graphql, makeBuyers, many, operations, serviceToken } from '../kit/scopeward.mjs';
import { signIn } from '../peers/better-auth-requests.mjs';

const MOST_PER_SECOND = 200;
const DOCUMENT =
  'mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { accessToken saasToken refreshToken sessionId } }';

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'a guest signs in with a password (argon2id, durable), and what others feel of it',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const { databaseUrl } = scopeward;
    // A guest's session can be claimed once, and an account has few tries at once: many of both, prepared.
    const buyers = await makeBuyers(databaseUrl, 512);
    const guests = await many(Math.ceil(lab.totalSeconds * MOST_PER_SECOND * 2), async (index) => {
      const { issueAnonymousToken } = await ask(scopeward, operations.anonymousToken());
      return [issueAnonymousToken.accessToken, `${buyers[index % buyers.length]}@bench.example`];
    });
    const input = { anonymousToken: '{{0}}', email: '{{1}}', password: 'demo-password-1' };
    const login = { ...graphql(DOCUMENT, { input }), expect: '"refreshToken":"', once: true };
    const whoAmI = operations.currentPrincipal(await serviceToken(scopeward, 'demo-crm'));
    const steady = { ...whoAmI, expect: '"kind":"SERVICE"', connections: 8, perSecond: 100 };
    const betterAuth = await lab.server('peers/better-auth.mjs', { database: true, customers: 64 });
    const half = guests.length / 2;
    const others = await lab.load(scopeward, steady);
    const crowd = await lab.load(scopeward, { ...login, rows: guests.slice(half) });
    return {
      login: await lab.load(scopeward, { ...login, rows: guests.slice(0, half) }),
      'better-auth, sign-in': await lab.load(betterAuth, { ...signIn(), expect: '"token":"', rows: betterAuth.people }),
      'floor: argon2id, all cores': await lab.work('floors/argon2.mjs'),
      'others, alone': await lab.load(scopeward, steady),
      'others, during logins': {
        async measure(seconds) {
          const [felt, crowded] = await Promise.all([others.measure(seconds), crowd.measure(seconds)]);
          const { failed, failure } = crowded.failed ? crowded : felt;
          // The process works for both, so what one request cost can't be told.
          const shared = { cpuMicroseconds: null, statements: null, databaseMicroseconds: null, commits: null };
          return { ...felt, failed, failure, ...shared };
        },
      },
    };
  },
  targets: [
    { of: 'login', to: 'floor: argon2id, all cores', atLeast: 0.9 },
    { of: 'login', to: 'better-auth, sign-in', atLeast: 1 },
    { of: 'others, during logins', to: 'others, alone', figure: 'p99', atMost: 2 },
  ],
};
