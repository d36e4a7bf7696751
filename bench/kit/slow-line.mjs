// A line between the service and its database that takes its time: everything arrives so many milliseconds later, each way,
// in order and as fast as it was sent.

import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { onEnd } from './cleanup.mjs';

/** @param {string} databaseUrl @param {number} milliseconds each way @returns {Promise<string>} the URL to use instead */
export async function slowLine(databaseUrl, milliseconds) {
  const url = new URL(databaseUrl);
  const [host, port] = [url.hostname, Number(url.port)];
  const carry = (/** @type {import('node:net').Socket} */ from, /** @type {import('node:net').Socket} */ to) => {
    from.on('data', (chunk) => setTimeout(() => to.writable && to.write(chunk), milliseconds));
    from.on('close', () => setTimeout(() => to.destroy(), milliseconds));
    from.on('error', () => {});
  };
  const server = createServer((near) => {
    const far = createConnection({ host, port, noDelay: true });
    near.setNoDelay(true);
    carry(near, far);
    carry(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onEnd(() => void server.close());
  url.port = String(/** @type {import('node:net').AddressInfo} */ (server.address()).port);
  return url.href;
}
