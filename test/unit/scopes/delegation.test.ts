import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missingToDelegate } from '../../../src/modules/scopes/delegation.ts';
import { builtInScopes } from '../../../src/modules/scopes/registry.ts';

describe('case 98: nobody hands out what they lack', () => {
  it('lists what the holder lacks, sorted and once', () => {
    const missing = missingToDelegate(
      ['iam.role_manage'],
      ['order.order_manage', 'iam.role_manage', 'cart.cart_manage', 'order.order_manage'],
    );
    expect(missing).toEqual(['cart.cart_manage', 'order.order_manage']);
  });

  it.each(['*', 'iam.*', 'iam.role_manage ', 'IAM.role_manage', ''])(
    '%j is lacked by whoever holds everything',
    (given) => {
      expect(missingToDelegate(builtInScopes, [given])).toEqual([given]);
    },
  );

  it('the holder of the wide one hands out its own, and read as view', () => {
    expect(
      missingToDelegate(['quote.quote_read'], ['quote.quote_read_own', 'quote.quote_view', 'quote.quote_view_own']),
    ).toEqual([]);
  });

  it('case 102: the holder of the own one never hands out the wide one', () => {
    expect(missingToDelegate(['quote.quote_read_own'], ['quote.quote_read', 'quote.quote_view'])).toEqual([
      'quote.quote_read',
      'quote.quote_view',
    ]);
  });

  it('gains nothing over two steps: what a receiver may hand out, the giver might have', () => {
    const pool = fc.subarray(['x.y_read', 'x.y_view', 'x.y_read_own', 'x.y_view_own', 'x.y_manage', 'x.y_manage_own']);
    fc.assert(
      fc.property(pool, pool, pool, (giver, receiver, third) => {
        fc.pre(missingToDelegate(giver, receiver).length === 0 && missingToDelegate(receiver, third).length === 0);
        expect(missingToDelegate(giver, third)).toEqual([]);
      }),
    );
  });
});
