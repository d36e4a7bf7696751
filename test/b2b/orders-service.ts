// The orders service of examples/, for tests: in this process, or as a person starts it.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createOrdersService } from '../../examples/orders-service/service.ts';
import type { Verifier } from '../../src/verify/verify.ts';

/** Starts it with a verifier. */
export async function startOrders(verifier: Verifier): Promise<{ url: string; stop(): void }> {
  const server = createServer(createOrdersService(verifier));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
