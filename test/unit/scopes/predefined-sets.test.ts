import { expect, it } from 'vitest';
import { defaultAnonymousScopes, defaultCustomerScopes } from '../../../src/modules/scopes/predefined-sets.ts';
import { isBuiltInScope } from '../../../src/modules/scopes/registry.ts';

it('a customer may whatever a guest may: logging in never takes anything away', () => {
  expect(defaultAnonymousScopes.filter((scope) => !defaultCustomerScopes.includes(scope))).toEqual([]);
});

it('a guest may redeem coupons and decide on consents, and nothing else', () => {
  expect(defaultAnonymousScopes).toEqual(['coupon.coupon_redeem', 'customer.consent_manage', 'customer.consent_view']);
});

it('both sets are sorted, without doubles, and of built-in scopes', () => {
  for (const set of [defaultAnonymousScopes, defaultCustomerScopes]) {
    expect(set).toEqual([...new Set(set)].sort());
    expect(set.every(isBuiltInScope)).toBe(true);
  }
  expect(defaultCustomerScopes).toHaveLength(18);
});

it('storefront scopes reach the shopper’s own records only', () => {
  const wide = /_(read|view|manage|create|update|delete)$/;
  expect(defaultCustomerScopes.filter((scope) => wide.test(scope))).toEqual([
    'customer.consent_manage',
    'customer.consent_view',
    'customer.customerprofile_view',
    'order.history_view',
  ]);
});
