// Security catalogue, G: how often a password may be guessed, by whom, from where.

import { afterAll, describe, expect, inject, it } from 'vitest';
import { givenCustomer, givenEmployee } from '../kit/given.ts';
import { graphql, only } from '../kit/graphql.ts';
import { REAL } from '../kit/password-cost.ts';
import { type Service, startService } from '../kit/service.ts';
import { guest } from '../kit/stories.ts';
import {
  anywhere,
  type Credentials,
  countingHashes,
  customerLogin,
  employeeLogin,
  registration,
  rowsOf,
  someEmail,
  startPair,
} from './logins.ts';

const postgresUrl = inject('postgresUrl');
const services: Service[] = [];
afterAll(() => Promise.all(services.map((service) => service.stop())));

async function startBehindProxy(): Promise<Service> {
  const service = await startService({ TRUSTED_PROXIES: '127.0.0.1' });
  services.push(service);
  return service;
}
const behindProxy = startBehindProxy();

const codes = (answers: readonly { code: string | undefined }[]) => answers.map(({ code }) => code ?? 'good');
const times = async <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> => {
  const results: T[] = [];
  for (let index = 0; index < count; index += 1) results.push(await act(index));
  return results;
};
/** A hundred, no more at once than may wait for a hash, and then one more. */
const hundredAndOne = async <T>(act: (index: number) => Promise<T>): Promise<T[]> => {
  const batch = (from: number) => Promise.all(Array.from({ length: 50 }, (_, index) => act(from + index)));
  return [...(await batch(0)), ...(await batch(50)), await act(100)];
};
/** Lets a quarter of an hour pass for what has been counted. */
const endWindows = ({ app }: Service) =>
  app.modules.database.system().$executeRaw`UPDATE attempts SET window_start = window_start - interval '901 seconds'`;

const password = 'not-the-password';

describe.each(['customer', 'employee'] as const)('the account of a %s', (kind) => {
  async function attempts() {
    const service = await behindProxy;
    const { email } = kind === 'customer' ? await givenCustomer(service) : await givenEmployee(service);
    const attempt = async (shown: Credentials) =>
      kind === 'customer'
        ? customerLogin(service, (await guest(service)).accessToken, shown)
        : employeeLogin(service, shown);
    return { service, email, attempt };
  }

  it('case 77: after ten failures it is RATE_LIMITED, also for the right password, until the window ends', async () => {
    const { service, email, attempt } = await attempts();
    expect(codes(await times(10, () => attempt({ email, password })))).toEqual(Array(10).fill('INVALID_GRANT'));
    const hashes = countingHashes(service);
    for (const shown of [password, undefined]) {
      const refused = await attempt({ email, ...(shown && { password: shown }) });
      expect(refused.code).toBe('RATE_LIMITED');
      const { retryAfter } = refused.errors[0]!.extensions;
      expect(retryAfter).toBeGreaterThan(880);
      expect(retryAfter).toBeLessThanOrEqual(900);
      expect(refused.headers.get('Retry-After')).toBe(String(retryAfter));
    }
    expect(hashes()).toBe(0);
    await endWindows(service);
    expect((await attempt({ email })).code).toBeUndefined();
  });

  it('case 77: an account that does not exist is limited in the same words', async () => {
    const { email, attempt } = await attempts();
    const unknown = someEmail('unknown');
    const known = await times(11, () => attempt({ email, password }));
    const other = await times(11, () => attempt({ email: unknown, password }));
    const words = ({ status, body }: { status: number; body: string }) =>
      [status, body.replace(/"retryAfter":\d+/, '')].join(' ');
    expect(other.map(words)).toEqual(known.map(words));
    expect(other.at(-1)?.code).toBe('RATE_LIMITED');
  });

  it('case 77: every spelling of an address counts against the one account', async () => {
    const { email, attempt } = await attempts();
    const spellings = [
      email,
      email.toUpperCase(),
      ` ${email} `,
      `\u3000${email}`,
      email.replace('e', '\uff45'),
      `\t${email}\n`,
      email.replace('e', 'E'),
      `${email}\u00a0`,
      email.replace('@', '\uff20'),
      email.replace('m', '\uff2d'),
    ];
    expect(new Set(spellings).size).toBe(10);
    await times(10, (index) => attempt({ email: spellings[index]!, password }));
    expect((await attempt({ email })).code).toBe('RATE_LIMITED');
  });

  it('case 78: a success gives that account ten fresh guesses, and no other account any', async () => {
    const { service, email, attempt } = await attempts();
    const other = kind === 'customer' ? await givenCustomer(service) : await givenEmployee(service);
    await times(9, () => attempt({ email, password }));
    await times(9, () => attempt({ email: other.email, password }));
    expect((await attempt({ email })).code).toBeUndefined();
    const fresh = codes(await times(11, () => attempt({ email, password })));
    expect(fresh).toEqual([...Array(10).fill('INVALID_GRANT'), 'RATE_LIMITED']);
    const left = codes(await times(2, () => attempt({ email: other.email, password })));
    expect(left).toEqual(['INVALID_GRANT', 'RATE_LIMITED']);
  });
});

it('case 77: a customer and an employee of one address are limited apart', async () => {
  const service = await behindProxy;
  const { email } = await givenEmployee(service);
  const { accessToken } = await guest(service);
  await times(10, () => customerLogin(service, accessToken, { email, password }));
  expect((await employeeLogin(service, { email })).code).toBeUndefined();
});

const networks: [string, (index: number) => string, string][] = [
  ['one IPv4 address', () => '203.0.113.5', '203.0.113.6'],
  ['the addresses of one IPv6 /64', (index) => `2001:db8:7:8:${index.toString(16)}::1`, '2001:db8:7:9::1'],
  ['one IPv4 address inside IPv6', (index) => (index % 2 ? '::ffff:203.0.113.9' : '203.0.113.9'), '203.0.113.10'],
];
it.each(networks)(
  'case 77: one password tried on many accounts from %s is stopped after a hundred',
  async (_name, at, elsewhere) => {
    const service = await behindProxy;
    const tries = await hundredAndOne((index) =>
      employeeLogin(service, { email: someEmail(), password, address: at(index) }),
    );
    expect(codes(tries)).toEqual([...Array(100).fill('INVALID_GRANT'), 'RATE_LIMITED']);
    const { email } = await givenEmployee(service);
    expect((await employeeLogin(service, { email, address: at(1) })).code).toBe('RATE_LIMITED');
    expect((await employeeLogin(service, { email, address: elsewhere })).code).toBeUndefined();
    await endWindows(service);
    expect((await employeeLogin(service, { email, address: at(1) })).code).toBeUndefined();
  },
);

it('case 77: good logins do not use up what an address may fail', async () => {
  const service = await behindProxy;
  const { email } = await givenEmployee(service);
  const address = '203.0.113.77';
  const good = await times(13, () =>
    Promise.all(Array.from({ length: 8 }, () => employeeLogin(service, { email, address }))),
  );
  expect(new Set(codes(good.flat()))).toEqual(new Set(['good']));
});

it('case 77: a forged X-Forwarded-For changes nothing where no proxy is trusted, nor left of a trusted one', async () => {
  const direct = await startService();
  services.push(direct);
  const forged = await hundredAndOne((index) =>
    employeeLogin(direct, { email: someEmail(), password, address: `198.51.100.${index % 250}, 192.0.2.${index}` }),
  );
  expect(forged.at(-1)?.code).toBe('RATE_LIMITED');

  const service = await behindProxy;
  const appended = await hundredAndOne((index) =>
    employeeLogin(service, { email: someEmail(), password, address: `198.51.100.${index % 250}, 203.0.113.200` }),
  );
  expect(appended.at(-1)?.code).toBe('RATE_LIMITED');
});

it('case 77: logins to a tenant that does not exist are limited per address too', async () => {
  const service = await behindProxy;
  const hashes = countingHashes(service);
  const address = '203.0.113.99';
  const tries = await hundredAndOne(() =>
    employeeLogin(service, { email: someEmail(), password, address }, 'no-such-tenant'),
  );
  expect(codes(tries)).toEqual([...Array(100).fill('INVALID_GRANT'), 'RATE_LIMITED']);
  expect(hashes()).toBe(100);
});

it('case 75: registration is limited to a hundred an hour from one address, whether or not they succeed', async () => {
  const service = await behindProxy;
  const { email } = await givenCustomer(service);
  const address = '203.0.113.150';
  const tries = await hundredAndOne((index) =>
    registration(service, { email: index % 2 ? email : someEmail('new'), address }),
  );
  expect(codes(tries.slice(0, 100)).filter((code) => code === 'good')).toHaveLength(50);
  expect(tries.at(-1)).toMatchObject({ code: 'RATE_LIMITED', data: null });
  expect((await registration(service, { email, address: '203.0.113.151' })).code).toBe('CONFLICT');
});

it('changing a password is a guess like any other: its failures count against the account, and logins are refused then', async () => {
  const service = await behindProxy;
  const { email } = await givenEmployee(service);
  const { accessToken } = only(await employeeLogin(service, { email }));
  const change = 'mutation ($i: ChangePasswordInput!) { changePassword(input: $i) { sessionsEnded } }';
  const input = { currentPassword: password, newPassword: 'another-good-password' };
  const tries = await times(11, () =>
    graphql(service, change, {
      bearer: accessToken,
      variables: { i: input },
      headers: { 'X-Forwarded-For': anywhere() },
    }),
  );
  expect(codes(tries)).toEqual([...Array(10).fill('INVALID_GRANT'), 'RATE_LIMITED']);
  expect((await employeeLogin(service, { email })).code).toBe('RATE_LIMITED');
});

describe.skipIf(!postgresUrl)(postgresUrl ? 'on PostgreSQL' : 'on PostgreSQL (no server installed)', () => {
  it('case 78: of 200 guesses at once on one account over two instances eleven at most are hashed', async () => {
    const pair = await startPair(postgresUrl!, { TRUSTED_PROXIES: '127.0.0.1' }, REAL);
    services.push(...pair);
    const { email } = await givenCustomer(pair[0]);
    const bystander = await givenCustomer(pair[0]);
    const { accessToken } = await guest(pair[0]);
    await customerLogin(pair[0], accessToken, { email: bystander.email, password });
    const hashes = countingHashes(...pair);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        customerLogin(pair[index % 2]!, accessToken, { email, password: `guess-number-${index}` }),
      ),
    );
    // A flood is told to come back later before it is counted (case 81); nothing else may be the answer.
    const counted = codes(answers).filter((code) => code !== 'SERVICE_UNAVAILABLE');
    expect(new Set(counted)).toEqual(new Set(['INVALID_GRANT', 'RATE_LIMITED']));
    expect(hashes()).toBeLessThanOrEqual(11);
    expect(codes(answers).filter((code) => code === 'INVALID_GRANT')).toHaveLength(hashes());
    const counts = await rowsOf(pair[0]).attempt.findMany({ orderBy: { count: 'desc' }, take: 2 });
    expect(counts.map(({ count }) => count)).toEqual([counted.length, 1]);
  }, 60_000);

  it('case 78: right passwords at once over two instances leave nothing counted, neither for the account nor the address', async () => {
    const pair = await startPair(postgresUrl!, { TRUSTED_PROXIES: '127.0.0.1' }, REAL);
    services.push(...pair);
    const { email } = await givenEmployee(pair[0]);
    const address = '203.0.113.42';
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, index) => employeeLogin(pair[index % 2]!, { email, address })),
      );
      expect(new Set(codes(answers))).toEqual(new Set(['good']));
    }
    const left = await rowsOf(pair[0]).attempt.findMany({ where: { count: { gt: 0 } } });
    expect(left).toEqual([]);
  }, 60_000);
});
