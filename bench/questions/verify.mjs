// What a bearer token costs a request: the smallest GraphQL query with one, beside GraphQL and HTTP without; and the
// verifier alone, in a process of its own, beside the bare signature check.

import { operations, serviceToken } from '../kit/scopeward.mjs';

const HELLO = { path: '/graphql', headers: { 'Content-Type': 'application/json' }, bodies: ['{"query":"{ hello }"}'] };

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: '{ currentPrincipal { kind scopes } } with a token seen before; and verification alone',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const mercurius = await lab.server('peers/mercurius.mjs');
    const raw = await lab.server('floors/http.mjs');
    const token = await serviceToken(scopeward, 'demo-crm');
    const plan = operations.currentPrincipal(token);
    const { databaseUrl } = scopeward;
    return {
      scopeward: await lab.load(scopeward, { ...plan, expect: '"kind":"SERVICE"' }),
      'mercurius { hello }': await lab.load(mercurius, { ...HELLO, expect: 'world' }),
      'floor: node:http': await lab.load(raw, { ...plan, expect: 'hello' }),
      'verifier, first sight': await lab.work('kit/verifier.mjs', { databaseUrl, token, fresh: true }),
      'verifier, seen before': await lab.work('kit/verifier.mjs', { databaseUrl, token, fresh: false }),
      'floor: verify ES256': await lab.work('floors/verify.mjs'),
    };
  },
  targets: [
    { of: 'scopeward', to: 'mercurius { hello }', atLeast: 0.5 },
    { of: 'scopeward', to: 'floor: node:http' },
    { of: 'scopeward', figure: 'statements', atMost: 0 },
    { of: 'verifier, first sight', to: 'floor: verify ES256', atLeast: 0.6 },
    { of: 'verifier, seen before', to: 'floor: verify ES256' },
  ],
};
