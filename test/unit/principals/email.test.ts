import fc from 'fast-check';
import { expect, it } from 'vitest';
import { attemptKey, canonicalEmail, requireEmail } from '../../../src/modules/principals/email.ts';

it.each(['a@b.example', "o'hara+tag@mail.example", 'a@xn--bcher-kva.example', `${'a'.repeat(64)}@b.example`])(
  '%s is an address',
  (text) => expect(canonicalEmail(text)).toBe(text),
);

it.each([
  '',
  '@',
  'a@b',
  'a@b.',
  'a@.example',
  'a@b..example',
  'a b@c.example',
  'a@b.example.',
  'a@-b.example',
  'a@b.e',
  'a@bücher.example',
  'a@b.example\0',
  'a@b.example\r\nBcc: c@d.example',
  `${'a'.repeat(65)}@b.example`,
  `a@${'b.'.repeat(130)}example`,
])('%j is none', (text) => {
  expect(canonicalEmail(text)).toBeNull();
  expect(() => requireEmail(text, 'input.email')).toThrow(
    expect.objectContaining({ code: 'BAD_USER_INPUT', details: { field: 'input.email' } }),
  );
});

it('whatever the spelling, one account has one canonical address and one key that attempts are counted by', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9.+-]{1,20}$/);
  const blanks = fc.stringMatching(/^[ \t\n\u00a0\u3000\ufeff]{0,3}$/);
  fc.assert(
    fc.property(name, blanks, blanks, (local, before, after) => {
      const plain = `${local.toLowerCase()}@test.example`;
      const spelling = `${before}${local}@TEST.example${after}`;
      expect(canonicalEmail(spelling)).toBe(canonicalEmail(plain));
      expect(attemptKey(spelling)).toBe(attemptKey(plain));
    }),
    { numRuns: 500 },
  );
});

it('no text outside ASCII is ever folded into an address', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (part) => {
      const address = canonicalEmail(`m${part}e@test.example`);
      if (address !== null) expect(address).toBe(`m${part}e@test.example`.toLowerCase());
      if (/[^\x20-\x7e]/.test(part)) expect(address).toBeNull();
    }),
    { numRuns: 2_000 },
  );
});
