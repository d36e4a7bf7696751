// Where requests to providers must not go: addresses of the inside, however they are written and whatever a name resolves
// to. security.md case 70. Tests and development allow them, so what production does is asked for here.

import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it, onTestFinished, vi } from 'vitest';
import { createOutgoing } from '../../src/modules/sso/outgoing.ts';
import { givenTenant } from '../kit/given.ts';
import { administratorOf } from '../kit/groups.ts';
import { listen } from '../kit/oidc.ts';
import { startMisbehaving } from '../kit/oidc-misbehaving.ts';
import { CALLBACK, tryCreateProvider } from '../kit/oidc-stories.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { startService } from '../kit/service.ts';

let server: Server;
let port: number;
let connections = 0;
beforeAll(async () => {
  server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  port = await listen(server);
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  connections = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** Our own loopback address, as it can be written; and others of the inside, which must not be tried at all. */
const loopback = () => [
  `https://127.0.0.1:${port}/`,
  `https://127.1:${port}/`,
  `https://127.0.0.2:${port}/`,
  `https://0.0.0.0:${port}/`,
  `https://2130706433:${port}/`,
  `https://0x7f000001:${port}/`,
  `https://0177.0.0.1:${port}/`,
  `https://localhost:${port}/`,
  `https://LOCALHOST.:${port}/`,
  `https://[::1]:${port}/`,
  `https://[::]:${port}/`,
  `https://[::ffff:127.0.0.1]:${port}/`,
  `https://[::ffff:7f00:1]:${port}/`,
  `https://[::127.0.0.1]:${port}/`,
  `https://[64:ff9b::7f00:1]:${port}/`,
  `https://１２７.0.0.1:${port}/`,
];
const inside = [
  'https://169.254.169.254/latest/meta-data/',
  'https://[fd00:ec2::254]/',
  'https://[fe80::1]/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://192.168.0.1/',
  'https://100.64.0.1/',
  'https://198.18.0.1/',
  'https://224.0.0.1/',
  'https://255.255.255.255/',
  'https://[::ffff:10.0.0.1]/',
  'https://[::ffff:169.254.169.254]/',
  'https://[2002:7f00:1::]/',
];

it('case 70: are not connected to, however they are written, and refused without waiting', async () => {
  const outgoing = createOutgoing({ allowPrivate: false });
  const seen = [];
  for (const url of [...loopback(), ...inside]) {
    const began = performance.now();
    const error = await outgoing(url).then(
      ({ status }) => ({ code: `answered ${status}` }),
      (thrown: { code: string }) => thrown,
    );
    seen.push([url, error.code, performance.now() - began < 1_000]);
  }
  expect(seen).toEqual([...loopback(), ...inside].map((url) => [url, 'SERVICE_UNAVAILABLE', true]));
  expect(connections).toBe(0);
});

it('case 70: nor over plain http, nor by other schemes', async () => {
  const outgoing = createOutgoing({ allowPrivate: false });
  for (const url of [`http://127.0.0.1:${port}/`, 'http://example.com/', 'file:///etc/passwd', 'ftp://127.0.0.1/'])
    await expect(outgoing(url), url).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(connections).toBe(0);
});

/** Lets every name resolve to these, one list for each look-up. */
function resolving(...answers: { address: string; family: number }[][]) {
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(((...args: unknown[]) => {
    const callback = args.at(-1) as (error: Error | null, ...found: unknown[]) => void;
    const options = typeof args[1] === 'object' ? (args[1] as { all?: boolean }) : {};
    const found = answers.length > 1 ? answers.shift()! : answers[0]!;
    if (options.all) callback(null, found);
    else callback(null, found[0]!.address, found[0]!.family);
  }) as never);
  syncBuiltinESMExports();
  return spy;
}
const home = { address: '127.0.0.1', family: 4 };
const home6 = { address: '::1', family: 6 };
const mapped = { address: '::ffff:127.0.0.1', family: 6 };
const abroad = { address: '93.184.215.14', family: 4 };

it.each([
  ['to the inside', [home]],
  ['to the inside, in IPv6', [home6]],
  ['to the inside, in IPv6 that means IPv4', [mapped]],
  ['to the outside and the inside', [abroad, home]],
  ['to the inside and the outside', [home, abroad]],
])('case 70: a name that resolves %s is not connected to', async (_what, addresses) => {
  resolving(addresses);
  const outgoing = createOutgoing({ allowPrivate: false });
  const url = `https://provider.example:${port}/`;
  await expect(outgoing(url)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(connections).toBe(0);
});

it('case 70: a name that is rebound is looked up once for each connection: what was checked is what is used', async () => {
  const spy = resolving([home], [abroad]);
  const outgoing = createOutgoing({ allowPrivate: false });
  await expect(outgoing(`https://provider.example:${port}/`)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(spy).toHaveBeenCalledTimes(1);
  expect(connections).toBe(0);
});

it.skipIf(!inject('postgresUrl'))(
  'case 70: in production no administrator has them connected to, and no answer tells what is there from what is not',
  async () => {
    const at = await startService({
      NODE_ENV: 'production',
      DATABASE_URL: await createDatabaseIn(inject('postgresUrl')!),
      KEY_ENCRYPTION_SECRET: 'a secret of this test alone, 32 characters and more',
    });
    const idp = await startMisbehaving();
    onTestFinished(() => Promise.all([at.stop(), idp.stop()]).then(() => {}));
    const admin = await administratorOf(at, await givenTenant(at));
    const bodies = new Set<string>();
    const addresses = [...loopback(), ...inside, `http://127.0.0.1:${port}`, idp.issuer, 'https://127.0.0.1:1'];
    for (const [index, issuer] of addresses.entries()) {
      const input = { name: `p-${index}`, clientId: 'c', userTypes: ['CUSTOMER'], redirectUris: [CALLBACK] };
      const answer = await tryCreateProvider(at, admin, { ...input, issuer: issuer.replace(/\/$/, '') });
      expect(['BAD_USER_INPUT', 'SERVICE_UNAVAILABLE'], issuer).toContain(answer.code);
      if (/^https:\/\/(127|localhost)/.test(issuer)) {
        const { message, extensions } = answer.errors[0]!;
        bodies.add(JSON.stringify([message, extensions]));
      }
    }
    expect(connections).toBe(0);
    expect(idp.asked.discovery).toBe(0);
    expect(bodies.size).toBe(1);
  },
  60_000,
);
