// A service token for a client with three scopes: GraphQL beside oidc-provider's token endpoint. Nothing is stored on
// either side, so what remains is reading the request, knowing the client, one ES256 signature and the answer.

import { operations } from '../kit/scopeward.mjs';
import { jwtForClient } from '../peers/requests.mjs';

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'a client obtains a service token (ES256 JWT, three scopes)',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const oidc = await lab.server('peers/oidc-provider.mjs');
    const raw = await lab.server('floors/http.mjs');
    const signing = await lab.server('floors/http.mjs', { signatures: 1 });
    const plan = { ...operations.serviceToken('demo-crm'), expect: '"accessToken":"' };
    const everyScope = { ...operations.serviceToken('demo-backend'), expect: '"accessToken":"' };
    return {
      scopeward: await lab.load(scopeward, plan),
      'scopeward, every scope': await lab.load(scopeward, everyScope),
      'oidc-provider, in memory': await lab.load(oidc, { ...jwtForClient(oidc), expect: '"access_token":"' }),
      'floor: node:http and a signature': await lab.load(signing, { ...plan, expect: 'tokens' }),
      'floor: node:http': await lab.load(raw, { ...plan, expect: 'hello' }),
      'floor: sign ES256': await lab.work('floors/sign.mjs'),
    };
  },
  targets: [
    { of: 'scopeward', to: 'oidc-provider, in memory', atLeast: 2 },
    { of: 'scopeward', to: 'floor: node:http and a signature' },
    { of: 'scopeward', to: 'floor: node:http' },
    { of: 'scopeward', to: 'floor: sign ES256' },
    { of: 'scopeward', figure: 'statements', atMost: 0 },
  ],
};
