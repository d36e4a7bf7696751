// `npm run orders`: the orders service beside a running Scopeward, with the demo's client unless told otherwise.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createVerifier } from 'scopeward/verify';
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
const server = createServer(createOrdersService(verifier));
server.listen(Number(port), () => {
  const { port: listening } = server.address() as AddressInfo;
  console.log(`Orders at http://localhost:${listening}/graphql, waiting for ${url}`);
});
verifier.ready.then(() => console.log('Ready: keys and revocations are known.'));

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    verifier.close();
    server.close();
    server.closeAllConnections();
  });
}
