// A guest's first tokens, two signatures and no row, beside the one signature of oidc-provider's client_credentials.

import { operations } from '../kit/scopeward.mjs';
import { jwtForClient } from '../peers/requests.mjs';

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'a guest obtains an access and a refresh token (two signatures, nothing stored)',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const oidc = await lab.server('peers/oidc-provider.mjs');
    const signing = await lab.server('floors/http.mjs', { signatures: 2 });
    const plan = operations.anonymousToken();
    return {
      scopeward: await lab.load(scopeward, { ...plan, expect: '"refreshToken":"' }),
      'oidc-provider, in memory': await lab.load(oidc, { ...jwtForClient(oidc), expect: '"access_token":"' }),
      'floor: node:http and two signatures': await lab.load(signing, { ...plan, expect: 'tokens' }),
    };
  },
  targets: [
    { of: 'scopeward', to: 'oidc-provider, in memory', atLeast: 2 },
    { of: 'scopeward', to: 'floor: node:http and two signatures' },
    { of: 'scopeward', figure: 'statements', atMost: 0 },
    { of: 'scopeward', figure: 'commits', atMost: 0 },
  ],
};
