// Guarantees of the log: no secret leaves in usable form (security.md section 2 "logs", cases 4 and 110).

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OAuthError } from '../../src/errors/oauth-error.ts';
import { createLogger, type Logger } from '../../src/observability/logger.ts';

const logged = (write: (logger: Logger) => void): string => {
  const lines: string[] = [];
  write(createLogger({ level: 'trace', write: (line) => lines.push(line) }));
  return lines.join('');
};
const entry = (write: (logger: Logger) => void) => JSON.parse(logged(write)) as Record<string, unknown>;

const base64url = fc.string({
  unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'),
  minLength: 43,
  maxLength: 43,
});
const shaped = fc.oneof(
  base64url.map((text) => `rt_${text}`),
  base64url.map((text) => `cs_${text}`),
  fc.tuple(base64url, base64url, base64url).map((parts) => `eyJ${parts.join('.')}`),
);
const surroundings = fc.string({ unit: 'grapheme', maxLength: 40 });
const secretKey = fc
  .constantFrom(
    'authorization',
    'Cookie',
    'set-cookie',
    'password',
    'currentPassword',
    'clientSecret',
    'client_secret',
    'accessToken',
    'refresh_token',
    'saas-token',
    'code',
    'state',
    'nonce',
    'code_verifier',
    'VERIFIER',
    'client_assertion',
    'KEY_ENCRYPTION_SECRET',
  )
  .chain((key) => fc.constantFrom(key, key.toUpperCase(), key.toLowerCase()));

/** The secret itself, not the three letters that tell its kind. */
const core = (secret: string) => secret.slice(3, 40);

describe('redaction', () => {
  it('case 110: no secret survives that can be told by its shape, wherever it stands', () => {
    const wrap = fc.constantFrom<(text: string) => (logger: Logger) => void>(
      (text) => (logger) => logger.info(text),
      (text) => (logger) => logger.info('value %s', text),
      (text) => (logger) => logger.info({ deep: { list: [{ note: text }] } }),
      (text) => (logger) => logger.info({ [text]: 1 }),
      (text) => (logger) => logger.child({ note: text }).warn('bound'),
      (text) => (logger) => logger.error(new Error(text)),
      (text) => (logger) =>
        logger.error({ err: new OAuthError('invalid_grant', { cause: new Error(text) }) }, 'failed'),
      (text) => (logger) => logger.error({ error: Object.assign(new Error('x'), { reason: text }) }),
    );
    fc.assert(
      fc.property(wrap, surroundings, shaped, surroundings, (write, before, secret, after) => {
        expect(logged(write(before + secret + after))).not.toContain(core(secret));
      }),
      { numRuns: 500 },
    );
  });

  it('case 110: no secret survives under a key that names one, at any depth and of any type', () => {
    const secretValue = fc.oneof(
      fc.string({ minLength: 6, unit: fc.constantFrom(...'qxzj') }),
      fc.bigInt({ min: 10n ** 15n, max: 9n * 10n ** 15n }).map(Number),
    );
    fc.assert(
      fc.property(
        secretKey,
        secretValue,
        fc.array(fc.constantFrom('a', 'b', 'input'), { maxLength: 3 }),
        fc.boolean(),
        (key, value, path, listed) => {
          let object: Record<string, unknown> = { [key]: listed ? [{ inner: value }] : value };
          for (const name of path) object = { [name]: object };
          expect(logged((logger) => logger.info(object, 'request'))).not.toContain(String(value));
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a query string', 'GET /customer/demo/refreshauthtoken?refreshToken=hush&legalEntityId=acme failed', 'hush'],
    ['a fragment', 'https://shop.example/cb#access_token=hush', 'hush'],
    ['a password in a URL', 'cannot reach postgresql://app:hush@db:5432/x', 'hush'],
    ['a password with a question mark in a URL', 'postgresql://app:hu?sh@db:5432/x', 'hu?sh'],
    ['a form', 'body was grant_type=password&client_secret=hush', 'hush'],
    ['JSON in a text', 'sent {"clientSecret":"hush hush","a":1}', 'hush'],
    ['escaped JSON in a text', 'sent {\\"password\\": \\"hush\\"}', 'hush'],
    ['a Basic credential', 'Authorization: Basic aHVzaDpodXNo', 'aHVzaDpodXNo'],
    ['an opaque bearer', 'Bearer abcdef0123456789', 'abcdef0123456789'],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nMIGHhush\n-----END PRIVATE KEY-----', 'MIGHhush'],
  ])('hides %s', (_what, text, secret) => {
    expect(logged((logger) => logger.info(text))).not.toContain(secret);
  });

  it('keeps what operators need: status, error codes, ids, paths', () => {
    const failure = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
    expect(
      entry((logger) =>
        logger.info(
          { statusCode: 200, errorCode: 'P2002', requestId: 'r-1', route: '/oauth/token', err: failure },
          'answered',
        ),
      ),
    ).toMatchObject({
      level: 'info',
      statusCode: 200,
      errorCode: 'P2002',
      requestId: 'r-1',
      route: '/oauth/token',
      err: { type: 'Error', message: 'connect ECONNREFUSED 127.0.0.1:5432', errorCode: 'ECONNREFUSED' },
      msg: 'answered',
    });
  });

  it('shows an e-mail address as a mark: the same for the same person, and no address', () => {
    const mark = createHash('sha256').update('buyer@demo.example').digest('hex').slice(0, 12);
    const line = logged((logger) =>
      logger.info({ who: 'Buyer@demo.example' }, 'login of <buyer@demo.example> refused'),
    );
    expect(line.split(`email:${mark}`)).toHaveLength(3);
    expect(line).not.toMatch(/buyer@|demo\.example/i);
  });

  it('case 4: control characters become visible, and no text can start a line or reorder one', () => {
    const line = logged((logger) => logger.info('kid \u0000\u001b[31m\r\n{"level":"fatal"}\u202e\u2028'));
    expect(line.trimEnd().split(/[\r\n\u2028]/)).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect((JSON.parse(line) as { msg: string }).msg).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e\u2028]/);
  });

  it('bounds every string, in time, and a cut does not spare half of a secret', () => {
    const started = performance.now();
    const hostile = [
      'a@'.repeat(200_000),
      '/'.repeat(400_000),
      '://'.repeat(100_000),
      `${'x '.repeat(7_990)}rt_${'S'.repeat(43)}`,
      'secret'.repeat(60_000),
      '"'.repeat(300_000),
      'a.'.repeat(200_000),
    ];
    for (const text of hostile) expect(logged((logger) => logger.info({ text })).length).toBeLessThan(10_000);
    expect(logged((logger) => logger.info({ text: hostile[3] }))).not.toContain('SSS');
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it('binds the request id to every line of a request', () => {
    expect(entry((logger) => logger.child({ requestId: 'r-2' }).info('hello'))).toMatchObject({
      requestId: 'r-2',
      msg: 'hello',
    });
  });

  it('writes nothing below its level', () => {
    const lines: string[] = [];
    createLogger({ level: 'silent', write: (line) => lines.push(line) }).fatal('no');
    expect(lines).toEqual([]);
  });
});
