import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { satisfies, synonymsOf } from '../../../src/modules/scopes/matching.ts';
import { builtInScopes } from '../../../src/modules/scopes/registry.ts';

const word = fc.constantFrom('read', 'view', 'own', 'manage', 'order', 'reread', 'review', 'readall', 'x', '', 'a.b');
const anyScope = fc
  .tuple(fc.constantFrom('order', 'x', 'a_own', 'b_read'), fc.array(word, { minLength: 1, maxLength: 6 }))
  .map(([service, words]) => `${service}.${words.join('_')}`);
const either = (granted: string, needed: string) => {
  const [list, set] = [satisfies([granted], needed), satisfies(new Set([granted]), needed)];
  expect(list).toBe(set);
  return list;
};

describe('case 102: a granted scope satisfies', () => {
  it.each([
    ['order.order_read', 'order.order_read'],
    ['catalog.catalog_view', 'catalog.catalog_read'],
    ['catalog.catalog_read', 'catalog.catalog_view'],
    ['catalog.catalog_read', 'catalog.catalog_read_own'],
    ['catalog.catalog_view', 'catalog.catalog_read_own'],
    ['catalog.catalog_view_own', 'catalog.catalog_read_own'],
    ['catalog.catalog_read', 'catalog.catalog_view_own'],
    ['quote.quote_manage', 'quote.quote_manage_own'],
  ])('%s satisfies %s', (granted, needed) => expect(either(granted, needed)).toBe(true));
});

describe('case 102: nothing else satisfies', () => {
  it.each([
    ['*', 'order.order_read'],
    ['order.*', 'order.order_read'],
    ['order.order_.*', 'order.order_read'],
    ['order.order_rea.', 'order.order_read'],
    ['order.order_read', 'order.order_readall'],
    ['order.order_readall', 'order.order_read'],
    ['order.order_readall', 'order.order_viewall'],
    ['x.order_review', 'x.order_reread'],
    ['x.order_reread', 'x.order_review'],
    ['x.read_order', 'x.view_order'],
    ['category.category_read_unpublished', 'category.category_view_unpublished'],
    ['order.order_read', 'order.order_read_le'],
    ['order.order_read', 'order.order_read_by_vendor'],
    ['order.order_manage', 'order.order_read'],
    ['order.order_read_own', 'order.order_read'],
    ['order.order_view_own', 'order.order_read'],
    ['order.order_read', 'order.order_readown'],
    ['order.order_READ', 'order.order_read'],
    ['ORDER.order_read', 'order.order_read'],
    ['order.order_read ', 'order.order_read'],
    ['x.read', 'x.view'],
    ['x_read', 'x_view'],
    ['x_own', 'x'],
    ['x.', 'x._own'],
  ])('%j does not satisfy %j', (granted, needed) => expect(either(granted, needed)).toBe(false));

  it('an empty grant satisfies nothing', () => {
    fc.assert(fc.property(anyScope, (needed) => !satisfies([], needed)));
  });
});

describe('case 102: for every scope', () => {
  it('it satisfies itself, be it a scope or not', () => {
    fc.assert(fc.property(fc.oneof(anyScope, fc.string()), (scope) => either(scope, scope)));
  });

  it('the wide one covers its own, and its own never the wide one', () => {
    fc.assert(
      fc.property(anyScope, (scope) => {
        const name = scope.slice(scope.indexOf('.') + 1);
        fc.pre(name !== '');
        return either(scope, `${scope}_own`) && !either(`${scope}_own`, scope);
      }),
    );
  });

  it('the synonym means the same, both ways, and has no other', () => {
    fc.assert(
      fc.property(anyScope, (scope) =>
        synonymsOf(scope).every(
          (other) => either(scope, other) && either(other, scope) && synonymsOf(other).join() === scope,
        ),
      ),
    );
  });

  it('what satisfies what satisfies it satisfies it', () => {
    const related = fc
      .tuple(fc.constantFrom('read', 'view', 'edit'), fc.nat({ max: 3 }))
      .map(([action, times]) => `x.y_${action}${'_own'.repeat(times)}`);
    fc.assert(
      fc.property(related, related, related, (a, b, c) => !(either(a, b) && either(b, c)) || either(a, c)),
      { numRuns: 2000 },
    );
  });

  it('a different service never satisfies', () => {
    fc.assert(fc.property(anyScope, (scope) => !either(`other-${scope}`, scope) && !either(scope, `other-${scope}`)));
  });
});

describe('synonyms', () => {
  it.each([
    ['catalog.catalog_view', ['catalog.catalog_read']],
    ['order.order_read', ['order.order_view']],
    ['quote.quote_read_own', ['quote.quote_view_own']],
    ['order.order_manage', []],
    ['price.price_own', []],
    ['category.category_read_unpublished', []],
  ])('of %s are %j', (scope, synonyms) => expect(synonymsOf(scope)).toEqual(synonyms));
});

describe('speed', () => {
  it('answers for the largest grant in microseconds, strangers included', () => {
    const needed = Array.from({ length: 5000 }, (_, index) => `stranger${index}.thing_read_own`);
    const start = performance.now();
    for (const scope of needed) satisfies(builtInScopes, scope);
    expect((performance.now() - start) / needed.length).toBeLessThan(0.2);
  });

  it('an endless text costs no more than its length', () => {
    const endless = `a.b${'_own'.repeat(250_000)}`;
    const start = performance.now();
    expect(satisfies(['a.b'], endless)).toBe(false);
    expect(performance.now() - start).toBeLessThan(50);
  });
});
