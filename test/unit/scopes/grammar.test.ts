import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OAuthError } from '../../../src/errors/oauth-error.ts';
import {
  isScope,
  normalizeScopes,
  parseScope,
  parseScopeList,
  serviceOf,
} from '../../../src/modules/scopes/grammar.ts';

function refusalOf(act: () => unknown): OAuthError {
  try {
    act();
  } catch (error) {
    if (error instanceof OAuthError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

describe('a scope', () => {
  it.each([
    ['order.order_read', 'order', 'order_read'],
    ['customer.assistedBuying_manage', 'customer', 'assistedBuying_manage'],
    ['payment-gateway.authorize_manage', 'payment-gateway', 'authorize_manage'],
    ['order.order_manage--DE', 'order', 'order_manage--DE'],
    ['my2.a.b.c', 'my2', 'a.b.c'],
    ['order.*', 'order', '*'],
  ])('%s is taken apart at the first dot only', (scope, service, name) => {
    expect(parseScope(scope)).toEqual({ service, name });
    expect(serviceOf(scope)).toBe(service);
  });

  it.each([
    '',
    '*',
    'order',
    '.order_read',
    'order.',
    '.',
    'a b.c',
    'a.b\tc',
    'a.b\n',
    'a."b"',
    'a.b\\c',
    'a.ä',
    'a.\u007f',
    'a.\u0000',
  ])('case 57: %j is malformed', (text) => expect(isScope(text)).toBe(false));

  it('is never the pseudo scope of Emporix, whatever the tenant is called', () => {
    expect(isScope('tenant=demo')).toBe(false);
    expect(isScope('tenant=de.mo')).toBe(false);
  });

  it('has 128 characters at most', () => {
    expect(isScope(`a.${'b'.repeat(126)}`)).toBe(true);
    expect(isScope(`a.${'b'.repeat(127)}`)).toBe(false);
  });

  it('allows exactly the characters of RFC 6749 s.3.3', () => {
    const allowed = Array.from({ length: 0x180 }, (_, code) => code).filter((code) =>
      isScope(`a.b${String.fromCharCode(code)}`),
    );
    const expected = Array.from({ length: 0x7e - 0x20 }, (_, index) => 0x21 + index).filter(
      (code) => code !== 0x22 && code !== 0x5c,
    );
    expect(allowed).toEqual(expected);
  });
});

describe('a scope parameter', () => {
  it('is read in order, each scope once, without the tenant (case 57)', () => {
    expect(parseScopeList('tenant=demo b.b_read a.a_read b.b_read tenant=x')).toEqual(['b.b_read', 'a.a_read']);
  });

  it('case 57: keeps wrong case, strangers and wildcards as they are, to be refused as not held', () => {
    expect(parseScopeList('* order.* ORDER.order_read tenant=')).toEqual([
      '*',
      'order.*',
      'ORDER.order_read',
      'tenant=',
    ]);
  });

  it.each([
    ['', ['']],
    [' ', ['']],
    [' a.b', ['']],
    ['a.b ', ['']],
    ['a.b  c.d', ['']],
    ['a.b\tc.d', ['a.b\tc.d']],
    ['a.b\nc.d e.f', ['a.b\nc.d']],
    ['a.b\r\n', ['a.b\r\n']],
    ['ä.b a.b\u00a0c.d', ['a.b\u00a0c.d', 'ä.b']],
    ['"a.b"', ['"a.b"']],
  ])('case 57: %j is invalid_scope, the malformed entries listed', (text, refused) => {
    const error = refusalOf(() => parseScopeList(text));
    expect([error.code, error.details]).toEqual(['invalid_scope', { refused }]);
  });

  it('case 57: takes 200 entries and 4 096 characters, and not one more', () => {
    const of = (count: number) => Array.from({ length: count }, (_, index) => `s.${index}`);
    expect(parseScopeList(of(200).join(' '))).toHaveLength(200);
    expect(refusalOf(() => parseScopeList(of(201).join(' '))).code).toBe('invalid_request');
    expect(refusalOf(() => normalizeScopes(of(201))).code).toBe('invalid_request');
    expect(refusalOf(() => normalizeScopes(Array(201).fill('a.b'))).code).toBe('invalid_request');

    const long = `a.${'b'.repeat(4094)}`;
    expect(parseScopeList(long)).toEqual([long]);
    expect(refusalOf(() => parseScopeList(`${long}b`)).code).toBe('invalid_request');
    expect(refusalOf(() => normalizeScopes([long, 'b'])).code).toBe('invalid_request');
  });

  it('case 57: anything at all gives scopes or one of the two refusals', () => {
    const anything = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.stringMatching(/^[ab.\t ="*]*$/));
    fc.assert(
      fc.property(anything, (text) => {
        try {
          const scopes = parseScopeList(text);
          expect(new Set(scopes).size).toBe(scopes.length);
          expect(scopes.every((scope) => text.split(' ').includes(scope))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(OAuthError);
          expect(['invalid_scope', 'invalid_request']).toContain((error as OAuthError).code);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('case 57: 10 000 entries are dealt with in less than 5 ms', () => {
    const entry = fc.constantFrom('order.order_read', 'a.b', '*', '', '\t', 'ä', 'x'.repeat(100));
    const inputs = fc.sample(fc.array(entry, { minLength: 10_000, maxLength: 10_000, size: 'max' }), 5);
    for (const list of inputs) {
      const text = list.join(' ');
      const times = [() => parseScopeList(text), () => normalizeScopes(list)].map((act) => {
        // The best of three: the machine's pauses are not the parser's.
        const runs = [1, 2, 3].map(() => {
          const start = performance.now();
          expect(refusalOf(act).code).toBe('invalid_request');
          return performance.now() - start;
        });
        return Math.min(...runs);
      });
      expect(Math.max(...times)).toBeLessThan(5);
    }
  });
});

describe('a list of scopes', () => {
  it('follows the same rules', () => {
    expect(normalizeScopes(['b.b', 'tenant=demo', 'a.a', 'b.b'])).toEqual(['b.b', 'a.a']);
    expect(normalizeScopes([])).toEqual([]);
    expect(refusalOf(() => normalizeScopes(['a.a', 'b.b c.c', ''])).details).toEqual({ refused: ['', 'b.b c.c'] });
  });
});
