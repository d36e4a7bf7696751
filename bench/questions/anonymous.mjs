// A guest's first tokens, two signatures and no row, beside the one signature of oidc-provider's client_credentials and
// better-auth's anonymous sign-in, which writes a user and a session and signs nothing but its cookies.

import { operations } from '../kit/scopeward.mjs';
import { signInAnonymously } from '../peers/better-auth-requests.mjs';
import { jwtForClient } from '../peers/oidc-provider-requests.mjs';

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'a guest obtains an access and a refresh token (two signatures, nothing stored)',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const oidc = await lab.server('peers/oidc-provider.mjs');
    const betterAuth = await lab.server('peers/better-auth.mjs', { database: true });
    const signing = await lab.server('floors/http.mjs', { signatures: 2 });
    const plan = operations.anonymousToken();
    return {
      issueAnonymousToken: await lab.load(scopeward, { ...plan, expect: '"refreshToken":"' }),
      'oidc-provider, client_credentials': await lab.load(oidc, { ...jwtForClient(oidc), expect: '"access_token":"' }),
      'better-auth, anonymous sign-in': await lab.load(betterAuth, { ...signInAnonymously(), expect: '"token":"' }),
      'floor: node:http and two signatures': await lab.load(signing, { ...plan, expect: 'tokens' }),
    };
  },
  targets: [
    { of: 'issueAnonymousToken', to: 'oidc-provider, client_credentials', atLeast: 2 },
    { of: 'issueAnonymousToken', to: 'better-auth, anonymous sign-in', atLeast: 15 },
    { of: 'issueAnonymousToken', to: 'floor: node:http and two signatures' },
    { of: 'issueAnonymousToken', figure: 'statements', atMost: 0 },
    { of: 'issueAnonymousToken', figure: 'commits', atMost: 0 },
  ],
};
