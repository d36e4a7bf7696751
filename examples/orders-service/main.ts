// `npm run orders`: the orders service beside a running Scopeward, with the demo's client unless told otherwise. GraphQL
// for who brings a token; the rest for who comes through a gateway.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAssertionVerifier, createVerifier } from 'scopeward/verify';
import { createGatewayService } from './behind-gateway.ts';
import { createOrders } from './orders.ts';
import { createOrdersService } from './service.ts';

const {
  SCOPEWARD_URL: url = 'http://localhost:4000',
  SCOPEWARD_ISSUER: issuer = url,
  TENANT: tenant = 'demo',
  CLIENT_ID: id = 'demo-backend',
  CLIENT_SECRET: secret = 'demo-backend-secret',
  PORT: port = '4100',
} = process.env;

const verifier = createVerifier({ issuer, url, tenant, client: { id, secret } });
const assertions = createAssertionVerifier({ issuer, url, tenant });
const orders = createOrders();
const graphql = createOrdersService(verifier, orders);
const behindGateway = createGatewayService(assertions, orders);
const server = createServer((req, res) => (/^\/graphql(?:$|\?)/.test(req.url!) ? graphql : behindGateway)(req, res));
server.listen(Number(port), () => {
  const { port: listening } = server.address() as AddressInfo;
  console.log(`Orders at http://localhost:${listening}/graphql, waiting for ${url}`);
});
Promise.all([verifier.ready, assertions.ready]).then(() => console.log('Ready: keys and revocations are known.'));

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    verifier.close();
    assertions.close();
    server.close();
    server.closeAllConnections();
  });
}
