import { hash } from '@node-rs/argon2';
import { describe, expect, it } from 'vitest';
import { createPasswords } from '../../../src/modules/principals/passwords.ts';

const passwords = createPasswords();
const refusal = expect.objectContaining({ code: 'BAD_USER_INPUT', details: { field: 'input.password' } });
const accept = (password: string) => () => passwords.requireAcceptable(password, 'input.password');

it.each([
  ['ten characters', 'x7#kd92mqp'],
  ['256 characters', 'ab'.repeat(128)],
  ['256 characters of four bytes', '\u{1f600}'.repeat(256)],
  ['ten that are no letters', '\u{1f600}'.repeat(10)],
  ['blanks among them', 'four words with blanks'],
])('a password of %s may be set', (_what, password) => expect(accept(password)).not.toThrow());

it.each([
  ['nine characters', 'x7#kd92mq'],
  ['nine that are two units each', '\u{1f600}'.repeat(9)],
  ['ten that NFKC makes nine', 'x7#kd92me\u0301'],
  ['257 characters', 'x'.repeat(257)],
  ['1 025 bytes', `${'\u{1f600}'.repeat(256)}x`],
  ['the list of common ones', 'qwertyuiop'],
  ['the list, in capitals', 'QWERTYUIOP'],
  ['the list, in full width', 'ｑｗｅｒｔｙｕｉｏｐ'],
])('a password of %s may not be set', (_what, password) => expect(accept(password)).toThrow(refusal));

it('a hash says argon2id with the parameters of today, and is another one each time', async () => {
  const [one, two] = [await passwords.hash('x7#kd92mqp'), await passwords.hash('x7#kd92mqp')];
  expect(one).toMatch(/^\$argon2id\$v=19\$m=47104,t=1,p=1\$/);
  expect(one).not.toBe(two);
  expect(passwords.isOutdated(one)).toBe(false);
  expect(await passwords.matches('x7#kd92mqp', one)).toBe(true);
  expect(await passwords.matches('x7#kd92mqP', one)).toBe(false);
  const older = await hash('x7#kd92mqp', { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  expect(passwords.isOutdated(older)).toBe(true);
  expect(await passwords.matches('x7#kd92mqp', older)).toBe(true);
});

it('nobody has the password of an account that has none, not even the one it is compared with', async () => {
  for (const guess of ['', 'nobody has this password', 'null'])
    expect(await passwords.matches(guess, null)).toBe(false);
});

it('a NUL is a character like any other: nothing after it is cut off', async () => {
  const stored = await passwords.hash('before-nul\0after-1');
  expect(await passwords.matches('before-nul\0after-1', stored)).toBe(true);
  for (const guess of ['before-nul\0after-2', 'before-nul\0', 'before-nul']) {
    expect(await passwords.matches(guess, stored)).toBe(false);
  }
});

describe('the queue', () => {
  it('lets 64 wait, refuses the next at once, and serves those who wait', async () => {
    const own = createPasswords();
    await own.matches('warm', null);
    const asked = Array.from({ length: 100 }, () => own.hash('x7#kd92mqp'));
    expect(own.queueLength()).toBe(64);
    const settled = await Promise.allSettled(asked);
    const refused = settled.filter((one) => one.status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(100 - 64 - 4);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'SERVICE_UNAVAILABLE', status: 503 });
    expect(settled.findIndex((one) => one.status === 'rejected')).toBe(100 - refused.length);
    expect(own.queueLength()).toBe(0);
  });

  it('hashes for its share of the cores: one at a time where there are as many workers', async () => {
    const own = createPasswords({ workers: 64 });
    const asked = Array.from({ length: 4 }, () => own.hash('x7#kd92mqp'));
    expect([own.hashing(), own.queueLength()]).toEqual([1, 3]);
    await Promise.all(asked);
  });

  it('goes on after a check that failed', async () => {
    const own = createPasswords();
    const asked = Array.from({ length: 20 }, () => own.matches('x7#kd92mqp', 'no hash at all').catch(() => 'failed'));
    await Promise.all(asked);
    expect(own.queueLength()).toBe(0);
    expect(await own.hash('x7#kd92mqp')).toMatch(/^\$argon2id/);
  });
});
