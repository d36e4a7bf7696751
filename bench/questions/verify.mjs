// What a bearer token costs a request: the smallest GraphQL query with one, beside GraphQL and HTTP without, and beside
// Vendure's question who is signed in; and `scopeward/verify` alone, in a process of its own, beside the bare signature
// check.

import { graphql, operations, serviceToken } from '../kit/scopeward.mjs';

const HELLO = { path: '/graphql', headers: { 'Content-Type': 'application/json' }, bodies: ['{"query":"{ hello }"}'] };

/** @type {import('../kit/bench.mjs').Question} */
export const question = {
  asks: '{ currentPrincipal { kind scopes } } with a token seen before; and verification alone',
  async sides(lab) {
    const scopeward = await lab.scopeward();
    const mercurius = await lab.server('peers/mercurius.mjs');
    const vendure = await lab.server('peers/vendure.mjs', { database: true });
    const raw = await lab.server('floors/http.mjs');
    const token = await serviceToken(scopeward, 'demo-crm');
    const plan = operations.currentPrincipal(token);
    const { url, databaseUrl } = scopeward;
    const verifier = (/** @type {boolean} */ fresh) =>
      lab.work('kit/package-verifier.mjs', { url, databaseUrl, token, fresh });
    return {
      currentPrincipal: await lab.load(scopeward, { ...plan, expect: '"kind":"SERVICE"' }),
      'mercurius { hello }': await lab.load(mercurius, { ...HELLO, expect: 'world' }),
      'Vendure { activeCustomer }': await lab.load(vendure, {
        ...graphql('{ activeCustomer { id emailAddress } }', {}, { Authorization: `Bearer ${vendure.token}` }),
        expect: '"emailAddress":"bea@',
      }),
      'floor: node:http': await lab.load(raw, { ...plan, expect: 'hello' }),
      'scopeward/verify, first sight': await verifier(true),
      'scopeward/verify, seen before': await verifier(false),
      'floor: verify ES256': await lab.work('floors/verify.mjs'),
    };
  },
  targets: [
    { of: 'currentPrincipal', to: 'mercurius { hello }', atLeast: 0.5 },
    { of: 'currentPrincipal', to: 'Vendure { activeCustomer }', atLeast: 20 },
    { of: 'currentPrincipal', to: 'floor: node:http' },
    { of: 'currentPrincipal', figure: 'statements', atMost: 0 },
    { of: 'scopeward/verify, first sight', to: 'floor: verify ES256', atLeast: 0.8 },
    { of: 'scopeward/verify, seen before', figure: 'perSecond', atLeast: 500_000 },
  ],
};
