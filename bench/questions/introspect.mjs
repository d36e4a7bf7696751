// Introspection of two hundred live tokens in turn: Scopeward's are JWTs, checked from memory; oidc-provider's are
// opaque (it introspects no others), looked up in PostgreSQL.

import { graphql, many, serviceToken } from '../kit/scopeward.mjs';
import { introspect, opaqueForClient } from '../peers/oidc-provider-requests.mjs';

const TOKENS = 200;

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: 'a service asks what a token says (RFC 7662), 200 live tokens in turn',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const oidc = await lab.server('peers/oidc-provider.mjs', { database: true });
    const raw = await lab.server('floors/http.mjs');
    const bearer = await serviceToken(scopeward, 'demo-backend', 'oauth.token_introspect');
    const plan = graphql(
      'query ($token: String!) { introspectToken(token: $token) { active kind scopes subject clientId expiresAt } }',
      { token: '{{0}}' },
      { Authorization: `Bearer ${bearer}` },
    );
    const ours = await many(TOKENS, () => serviceToken(scopeward, 'demo-crm'));
    const { path, headers, bodies } = opaqueForClient(oidc);
    const theirs = await many(TOKENS, async () => {
      const answer = await fetch(oidc.url + path, { method: 'POST', headers, body: bodies[0] });
      return (await answer.json()).access_token;
    });
    const rows = (/** @type {string[]} */ tokens) => tokens.map((token) => [token]);
    return {
      introspectToken: await lab.load(scopeward, { ...plan, expect: '"active":true', rows: rows(ours) }),
      'oidc-provider, PostgreSQL': await lab.load(oidc, {
        ...introspect(),
        expect: '"active":true',
        rows: rows(theirs),
      }),
      'floor: node:http': await lab.load(raw, { ...plan, expect: 'hello', rows: rows(ours) }),
    };
  },
  targets: [
    { of: 'introspectToken', to: 'oidc-provider, PostgreSQL', atLeast: 5 },
    { of: 'introspectToken', to: 'floor: node:http' },
    { of: 'introspectToken', figure: 'statements', atMost: 0 },
  ],
};
