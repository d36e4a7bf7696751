// The access controls that every tenant finds ready, with the platform's ids and names, and those that the four groups
// of a company start with. The platform does not publish what they give; listed are those where the registry leaves
// no doubt: a viewer reads, a manager also changes. Vendors', and whatever would be a guess, are left out.
// Invariant: assigned, never edited or deleted; no company group but the Admins' adds to the customer's own set.

import type { BuiltInScope } from '../scopes/registry.ts';

/** An access control that every tenant has. */
export interface PredefinedAccessControl {
  /** The platform's, kept so that its clients find them. */
  readonly id: string;
  /** The platform's constant. */
  readonly name: string;
  readonly scopes: readonly BuiltInScope[];
  /** Only members of this type get anything from it; null: everybody. */
  readonly restrictedTo: 'CUSTOMER' | 'EMPLOYEE' | null;
}

const idPrefixes = { viewer: '1ac', customer: '2ac', manager: '4ac' };

/** `number`: the id's last digits, after what all of the platform's share. */
const access =
  (kind: keyof typeof idPrefixes, restrictedTo: 'CUSTOMER' | 'EMPLOYEE') =>
  (number: number, name: string, ...scopes: BuiltInScope[]): PredefinedAccessControl => ({
    id: `${idPrefixes[kind]}869fc-d548-4ec8-8e06-c01491314${number}`,
    name,
    scopes,
    restrictedTo,
  });

const customer = access('customer', 'CUSTOMER');
const viewer = access('viewer', 'EMPLOYEE');
const manager = access('manager', 'EMPLOYEE');

const readOwnLegalEntities = customer(
  199,
  'LEGAL_ENTITY_READ_OWN_LEGAL_ENTITIES',
  'customermanagement.legalentity_read_own',
);
const manageUsers = customer(208, 'LEGAL_ENTITY_MANAGE_USERS', 'customer.customer_manage_own');
const readOwnUsers = customer(
  210,
  'LEGAL_ENTITY_USER_READ_OWN',
  'iam.user_read_own',
  'iam.group_read_own',
  'customer.customer_read_own',
);
const assignUsers = customer(
  211,
  'LEGAL_ENTITY_ASSIGN_USERS',
  'iam.assignment_create_own',
  'iam.assignment_delete_own',
);

/** The ids of the access controls that a company's four groups are created with. */
export const b2bGroupAccessControls: Readonly<Record<'ADMIN' | 'BUYER' | 'REQUESTER' | 'CONTACT', readonly string[]>> =
  {
    ADMIN: [readOwnLegalEntities.id, readOwnUsers.id, manageUsers.id, assignUsers.id],
    BUYER: [readOwnLegalEntities.id],
    REQUESTER: [readOwnLegalEntities.id],
    CONTACT: [readOwnLegalEntities.id],
  };

/** Gives every scope of the tenant, those that it defines later included. The platform has none such, so the id is ours. */
export const EVERY_SCOPE_ID = 'every-scope';

/** Roles that every tenant has, beside its own. */
export const predefinedRoles = [
  { id: 'viewer', name: 'Viewer', actions: ['read', 'view'] },
  { id: 'manager', name: 'Manager', actions: ['manage', 'read', 'view'] },
] as const;

/** Every predefined access control that gives scopes by name. */
export const predefinedAccessControls: readonly PredefinedAccessControl[] = [
  readOwnLegalEntities,
  readOwnUsers,
  manageUsers,
  assignUsers,
  customer(214, 'LEGAL_ENTITY_ORDERS_VIEWER', 'order.order_read_le'),
  // Marks for the check-out, which gives them their meaning. They carry no scope.
  customer(215, 'LEGAL_ENTITY_ORDER_WITHOUT_LIMIT'),
  customer(216, 'LEGAL_ENTITY_ORDER_UP_TO_LIMIT'),

  viewer(233, 'AGENT_VIEWER', 'ai.agent_read'),
  manager(225, 'AGENT_MANAGER', 'ai.agent_read', 'ai.agent_manage'),
  viewer(102, 'AVAILABILITY_VIEWER', 'availability.availability_view'),
  manager(102, 'AVAILABILITY_MANAGER', 'availability.availability_view', 'availability.availability_manage'),
  manager(221, 'CARTS_MANAGER', 'cart.cart_manage'),
  viewer(113, 'CATALOGS_VIEWER', 'catalog.catalog_view'),
  manager(113, 'CATALOGS_MANAGER', 'catalog.catalog_view', 'catalog.catalog_manage'),
  viewer(117, 'CONFIGURATION_VIEWER', 'configuration.configuration_view'),
  manager(117, 'CONFIGURATION_MANAGER', 'configuration.configuration_view', 'configuration.configuration_manage'),
  manager(175, 'COUNTRIES_MANAGER', 'country.country_read', 'country.country_manage'),
  viewer(205, 'COUPONS_VIEWER', 'coupon.coupon_read'),
  manager(120, 'COUPONS_MANAGER', 'coupon.coupon_read', 'coupon.coupon_manage'),
  viewer(214, 'CURRENCIES_VIEWER', 'currency.currency_read'),
  manager(121, 'CURRENCIES_MANAGER', 'currency.currency_read', 'currency.currency_manage'),
  viewer(122, 'CUSTOMERS_VIEWER', 'customer.customer_read'),
  manager(122, 'CUSTOMERS_MANAGER', 'customer.customer_read', 'customer.customer_manage'),
  viewer(198, 'CONTACT_ASSIGNMENTS_VIEWER', 'customermanagement.contactassignment_read'),
  manager(
    198,
    'CONTACT_ASSIGNMENTS_MANAGER',
    'customermanagement.contactassignment_read',
    'customermanagement.contactassignment_manage',
  ),
  viewer(195, 'LEGAL_ENTITIES_VIEWER', 'customermanagement.legalentity_read'),
  manager(
    195,
    'LEGAL_ENTITIES_MANAGER',
    'customermanagement.legalentity_read',
    'customermanagement.legalentity_manage',
  ),
  viewer(196, 'LOCATIONS_VIEWER', 'customermanagement.location_read'),
  manager(196, 'LOCATIONS_MANAGER', 'customermanagement.location_read', 'customermanagement.location_manage'),
  viewer(228, 'SEGMENTS_VIEWER', 'customersegment.segment_read'),
  manager(219, 'SEGMENTS_MANAGER', 'customersegment.segment_read', 'customersegment.segment_manage'),
  viewer(209, 'EXTENSIONS_VIEWER', 'extension.extension_read'),
  manager(214, 'EXTENSIONS_MANAGER', 'extension.extension_read', 'extension.extension_manage'),
  viewer(220, 'ACCESS_CONTROLS_VIEWER', 'iam.access_read'),
  manager(189, 'ACCESS_CONTROLS_MANAGER', 'iam.access_read', 'iam.access_manage'),
  manager(191, 'IAM_ASSIGNMENTS_MANAGER', 'iam.assignment_manage'),
  viewer(219, 'IAM_GROUPS_VIEWER', 'iam.group_read'),
  manager(188, 'IAM_GROUPS_MANAGER', 'iam.group_read', 'iam.group_manage'),
  viewer(237, 'SCOPES_VIEWER', 'iam.scope_read'),
  manager(186, 'SCOPES_MANAGER', 'iam.scope_read', 'iam.scope_manage'),
  viewer(222, 'IAM_TEMPLATES_VIEWER', 'iam.template_read'),
  manager(190, 'IAM_TEMPLATES_MANAGER', 'iam.template_read', 'iam.template_manage'),
  viewer(218, 'IAM_USERS_VIEWER', 'iam.user_read'),
  manager(185, 'IAM_USERS_MANAGER', 'iam.user_read', 'iam.user_create', 'iam.user_update', 'iam.user_delete'),
  viewer(208, 'LABELS_VIEWER', 'label.label_read'),
  manager(141, 'LABELS_MANAGER', 'label.label_read', 'label.label_manage'),
  viewer(202, 'MEDIA_VIEWER', 'media.asset_read'),
  manager(201, 'MEDIA_MANAGER', 'media.asset_read', 'media.asset_manage'),
  viewer(143, 'ORDERS_VIEWER', 'order.order_read'),
  viewer(224, 'PAYMENT_MODE_VIEWER', 'payment-gateway.paymentmodes_read'),
  manager(206, 'PAYMENT_MODE_MANAGER', 'payment-gateway.paymentmodes_read', 'payment-gateway.paymentmodes_manage'),
  manager(209, 'PAYMENT_REFUNDS_MANAGER', 'payment-gateway.refund_manage'),
  viewer(223, 'PAYMENT_TRANSACTIONS_VIEWER', 'payment-gateway.paymenttransactions_read'),
  viewer(226, 'PRICES_VIEWER', 'price.price_read'),
  manager(155, 'PRICES_MANAGER', 'price.price_read', 'price.price_manage'),
  viewer(170, 'PRICE_LISTS_VIEWER', 'price.pricelist_read'),
  manager(192, 'PRICE_LISTS_MANAGER', 'price.pricelist_read', 'price.pricelist_manage'),
  viewer(157, 'PRICE_MODELS_VIEWER', 'price.pricemodel_read'),
  manager(157, 'PRICE_MODELS_MANAGER', 'price.pricemodel_read', 'price.pricemodel_manage'),
  viewer(199, 'PRODUCT_TEMPLATES_VIEWER', 'product.product_template_read'),
  manager(199, 'PRODUCT_TEMPLATES_MANAGER', 'product.product_template_read', 'product.product_template_manage'),
  viewer(203, 'QUOTES_VIEWER', 'quote.quote_read'),
  manager(202, 'QUOTES_MANAGER', 'quote.quote_read', 'quote.quote_manage'),
  viewer(200, 'RETURNS_VIEWER', 'returns.returns_read'),
  manager(200, 'RETURNS_MANAGER', 'returns.returns_read', 'returns.returns_manage'),
  viewer(229, 'CUSTOM_INSTANCES_VIEWER', 'schema.custominstance_read'),
  manager(220, 'CUSTOM_INSTANCES_MANAGER', 'schema.custominstance_read', 'schema.custominstance_manage'),
  viewer(227, 'SCHEMA_VIEWER', 'schema.schema_read'),
  manager(212, 'SCHEMA_MANAGER', 'schema.schema_read', 'schema.schema_manage'),
  viewer(172, 'SEPA_JOBS_VIEWER', 'sepaexport.job_view'),
  manager(172, 'SEPA_JOBS_MANAGER', 'sepaexport.job_view', 'sepaexport.job_manage'),
  viewer(161, 'SEPA_MEDIA_VIEWER', 'sepaexport.media_view'),
  viewer(225, 'SHIPPING_VIEWER', 'shipping.shipping_read'),
  manager(165, 'SHIPPING_MANAGER', 'shipping.shipping_read', 'shipping.shipping_manage'),
  viewer(167, 'SITES_VIEWER', 'site.site_read'),
  manager(167, 'SITES_MANAGER', 'site.site_read', 'site.site_manage'),
  viewer(168, 'TAXES_VIEWER', 'tax.tax_read'),
  manager(168, 'TAXES_MANAGER', 'tax.tax_read', 'tax.tax_manage'),
  manager(169, 'UNITS_MANAGER', 'unithandling.unit_manage'),
  viewer(230, 'VENDORS_VIEWER', 'vendor.vendor_read'),
  manager(222, 'VENDORS_MANAGER', 'vendor.vendor_read', 'vendor.vendor_manage'),
  viewer(193, 'WEBHOOKS_VIEWER', 'webhook.subscription_read'),
  manager(193, 'WEBHOOKS_MANAGER', 'webhook.subscription_read', 'webhook.subscription_manage'),
];
