import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { satisfies } from '../../../src/modules/scopes/matching.ts';
import { resolveScopes } from '../../../src/modules/scopes/resolution.ts';

const entitled = ['order.order_read', 'catalog.catalog_view', 'quote.quote_read_own'];

describe('what is granted', () => {
  it('case 58: no scope named: all that the client has, sorted, spelt as it has them', () => {
    expect(resolveScopes({ requested: null, ceiling: null, entitled })).toEqual({
      granted: ['catalog.catalog_view', 'order.order_read', 'quote.quote_read_own'],
      refused: [],
    });
  });

  it('case 58: a subset: exactly the subset', () => {
    expect(resolveScopes({ requested: ['order.order_read'], ceiling: null, entitled }).granted).toEqual([
      'order.order_read',
    ]);
  });

  it('case 58: less than what is held, or the same in the other spelling, is a subset too', () => {
    const requested = ['order.order_read_own', 'catalog.catalog_read'];
    expect(resolveScopes({ requested, ceiling: null, entitled })).toEqual({
      granted: [...requested].sort(),
      refused: [],
    });
  });

  it('case 56: what the client lacks is refused, listed, and never replaced by its narrower form', () => {
    const requested = [
      'quote.quote_read',
      '*',
      'order.*',
      'order.order_manage',
      'order.order_read',
      'ORDER.order_read',
    ];
    expect(resolveScopes({ requested, ceiling: null, entitled })).toEqual({
      granted: ['order.order_read'],
      refused: ['*', 'ORDER.order_read', 'order.*', 'order.order_manage', 'quote.quote_read'],
    });
  });

  it('an empty list asks for nothing and gets nothing, which is not everything', () => {
    expect(resolveScopes({ requested: [], ceiling: null, entitled })).toEqual({ granted: [], refused: [] });
  });

  it('an empty ceiling lets nothing through', () => {
    expect(resolveScopes({ requested: null, ceiling: [], entitled }).granted).toEqual([]);
    expect(resolveScopes({ requested: ['order.order_read'], ceiling: [], entitled }).refused).toEqual([
      'order.order_read',
    ]);
  });

  it('the ceiling narrows what is entitled', () => {
    const ceiling = ['order.order_view_own', 'catalog.catalog_read', 'cart.cart_manage'];
    expect(resolveScopes({ requested: null, ceiling, entitled }).granted).toEqual([
      'catalog.catalog_view',
      'order.order_view_own',
    ]);
    expect(resolveScopes({ requested: ['order.order_read', 'order.order_read_own'], ceiling, entitled })).toEqual({
      granted: ['order.order_read_own'],
      refused: ['order.order_read'],
    });
  });
});

describe('for all sets', () => {
  const pool = [
    'x.y_read',
    'x.y_view',
    'x.y_read_own',
    'x.y_view_own',
    'x.y_manage',
    'x.y_manage_own',
    'z.a_own',
    'z.a',
  ];
  const scopes = fc.subarray(pool);

  it('never more than entitled, nor than the ceiling, nor than requested', () => {
    fc.assert(
      fc.property(fc.option(scopes), fc.option(scopes), scopes, (requested, ceiling, has) => {
        const { granted } = resolveScopes({ requested, ceiling, entitled: has });
        for (const scope of granted) {
          expect(satisfies(has, scope)).toBe(true);
          if (ceiling) expect(satisfies(ceiling, scope)).toBe(true);
          if (requested) expect(requested).toContain(scope);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('nothing that all three allow is withheld', () => {
    fc.assert(
      fc.property(
        fc.option(scopes),
        fc.option(scopes),
        scopes,
        fc.constantFrom(...pool),
        (requested, ceiling, has, needed) => {
          const allowed =
            satisfies(has, needed) &&
            (!ceiling || satisfies(ceiling, needed)) &&
            (!requested || requested.includes(needed));
          const { granted } = resolveScopes({ requested, ceiling, entitled: has });
          if (allowed) expect(satisfies(granted, needed)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('each requested scope is either granted or refused, sorted and once', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pool)), fc.option(scopes), scopes, (requested, ceiling, has) => {
        const { granted, refused } = resolveScopes({ requested, ceiling, entitled: has });
        expect([...granted, ...refused].sort()).toEqual([...new Set(requested)].sort());
        expect([granted, refused]).toEqual([[...granted].sort(), [...refused].sort()]);
      }),
    );
  });

  it('leaves what it was given as it was', () => {
    const frozen = Object.freeze([...entitled]);
    resolveScopes({ requested: frozen, ceiling: frozen, entitled: frozen });
    expect(frozen).toEqual(entitled);
  });
});
