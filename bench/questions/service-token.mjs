// A service token for a client with three scopes, over OAuth's token endpoint and over GraphQL, beside oidc-provider's
// token endpoint: the same form, the same client authentication (client_secret_post). Nothing is stored on any side, so
// what remains is reading the request, knowing the client, one ES256 signature and the answer.

import { operations } from '../kit/scopeward.mjs';
import { jwtForClient } from '../peers/oidc-provider-requests.mjs';

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'a client obtains a service token (ES256 JWT, three scopes)',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const oidc = await lab.server('peers/oidc-provider.mjs');
    const signing = await lab.server('floors/http.mjs', { signatures: 1 });
    const oauth = { ...operations.oauthToken('demo-crm', ...oidc.scope.split(' ')), expect: '"access_token":"' };
    const plan = { ...operations.serviceToken('demo-crm'), expect: '"accessToken":"' };
    const everyScope = { ...operations.serviceToken('demo-backend'), expect: '"accessToken":"' };
    return {
      'POST /oauth/token': await lab.load(scopeward, oauth),
      issueServiceToken: await lab.load(scopeward, plan),
      'issueServiceToken, every scope': await lab.load(scopeward, everyScope),
      'oidc-provider, in memory': await lab.load(oidc, { ...jwtForClient(oidc), expect: '"access_token":"' }),
      'floor: node:http and a signature': await lab.load(signing, { ...plan, expect: 'tokens' }),
      'floor: sign ES256': await lab.work('floors/sign.mjs'),
    };
  },
  targets: [
    { of: 'POST /oauth/token', to: 'oidc-provider, in memory', atLeast: 3 },
    { of: 'issueServiceToken', to: 'oidc-provider, in memory', atLeast: 2 },
    ...['POST /oauth/token', 'issueServiceToken'].flatMap((of) => [
      { of, to: 'floor: node:http and a signature' },
      { of, figure: /** @type {const} */ ('statements'), atMost: 0 },
    ]),
    { of: 'POST /oauth/token', to: 'floor: sign ES256' },
  ],
};
