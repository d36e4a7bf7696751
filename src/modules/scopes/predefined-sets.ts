// The scopes that storefront tokens get unless the tenant's administrator says otherwise: sets, no requests
// (product.md section 3).
// Invariant: what a guest may, a customer may: logging in never takes anything away.

import type { BuiltInScope } from './registry.ts';

/** A guest's: redeem a coupon, give and withdraw consents. */
export const defaultAnonymousScopes: readonly BuiltInScope[] = [
  'coupon.coupon_redeem',
  'customer.consent_manage',
  'customer.consent_view',
];

/** A customer's, without a company. What a company adds comes from its groups (`iam/predefined.ts`). */
export const defaultCustomerScopes: readonly BuiltInScope[] = [
  'ai.agentexecution_manage_own',
  'approval.approval_manage_own',
  'approval.approval_read_own',
  'coupon.coupon_redeem',
  'customer.consent_manage',
  'customer.consent_view',
  'customer.customerprofile_edit',
  'customer.customerprofile_view',
  'customermanagement.legalentity_read_own',
  'customersegment.segment_read_own',
  'iam.scope_read_own',
  'order.history_view',
  'order.order_readascustomer',
  'order.order_updateascustomer',
  'quote.quote_manage_own',
  'quote.quote_read_own',
  'returns.returns_manage_own',
  'returns.returns_read_own',
];
