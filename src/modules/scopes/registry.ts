// THE catalogue: one line per built-in scope, from which the `BuiltInScope` union, `scopes_supported` (RFC 8414 s.2),
// the scopes query and the docs follow. A bare sentence: a field of our own schema asks for the scope. external('…'):
// none does, other services enforce it behind forward auth. legacy('…'): external, and kept only for compatibility.
// Invariant: test/registry.test.ts holds every line against schema.graphql, in both directions.

const external = (description: string) => ({ description, external: true, legacy: false });
const legacy = (description: string) => ({ description, external: true, legacy: true });

const lines = {
  'ai.agent_manage': external('Create, change and delete AI agents, their tools, MCP servers and tokens.'),
  'ai.agent_read': external('List AI agents and read their configuration and analytics.'),
  'ai.agentexecution_manage': external('Chat with any AI agent and continue any conversation.'),
  'ai.agentexecution_manage_own': external('Chat with AI agents in conversations of one’s own.'),
  'ai.completion_manage': external('Have a language model complete a prompt.'),
  'ai.text_manage': external('Have product and marketing texts generated.'),

  'approval.approval_manage': legacy('Decide and change any approval; named in guides only.'),
  'approval.approval_manage_own': external('Request approvals, and decide those that one is the approver of.'),
  'approval.approval_read': legacy('Read every approval of the tenant; named in guides only.'),
  'approval.approval_read_own': external('Read approvals that one has requested or has to decide.'),

  'audit.event_read': 'Read the tenant’s audit trail: who did what, when and to whom.',

  'availability.availability_manage': external('Set the stock of products at sites and locations.'),
  'availability.availability_manage_by_vendor': external('Set the stock of the calling vendor’s products.'),
  'availability.availability_view': external('Read the stock of products at sites and locations.'),
  'availability.availability_view_by_vendor': external('Read the stock of the calling vendor’s products.'),

  'brand.brand_delete': external('Delete brands.'),
  'brand.brand_manage': external('Create and change brands.'),

  'cart.cart_manage': external('Read, change and delete any shopper’s cart, its items and discounts.'),
  'cart.cart_manage_external_prices': external('Put items into a cart at prices that come from outside.'),

  'catalog.catalog_create': legacy('Create catalogs; replaced by catalog.catalog_manage.'),
  'catalog.catalog_delete': legacy('Delete catalogs; replaced by catalog.catalog_manage.'),
  'catalog.catalog_manage': external('Create, change and delete catalogs.'),
  'catalog.catalog_update': legacy('Change catalogs; replaced by catalog.catalog_manage.'),
  'catalog.catalog_view': external('Read catalogs and the category trees that they publish.'),

  'category.category_create': legacy('Create categories; replaced by category.category_manage.'),
  'category.category_delete': legacy('Delete categories; replaced by category.category_manage.'),
  'category.category_manage': external('Create, change and delete categories and what is assigned to them.'),
  'category.category_publish': external('Make a category visible in the storefront.'),
  'category.category_read_unpublished': external('Read categories that the storefront does not show yet.'),
  'category.category_unpublish': external('Hide a category from the storefront.'),
  'category.category_update': legacy('Change categories; replaced by category.category_manage.'),

  'configuration.configuration_manage': external('Set and remove the tenant’s and its clients’ configuration values.'),
  'configuration.configuration_view': external('Read the tenant’s and its clients’ configuration values.'),

  'country.country_manage': external('Switch countries on and off for the tenant.'),
  'country.country_read': external('Read the countries that the tenant trades with.'),
  'country.region_read': external('Read the regions that countries are grouped into.'),

  'coupon.coupon_manage': external('Create, change and delete coupons and their redemptions.'),
  'coupon.coupon_read': external('List coupons and their conditions.'),
  'coupon.coupon_redeem': external('Validate a coupon and redeem it for oneself.'),
  'coupon.coupon_redeem_on_behalf': external('Validate and redeem coupons in a customer’s name.'),

  'currency.currency_manage': external('Create, change and delete currencies and exchange rates.'),
  'currency.currency_read': external('Read currencies and exchange rates.'),

  'customer.assisted_buying_manage': 'Obtain a customer’s token in order to assist with buying.',
  'customer.assistedBuying_manage': legacy('Assist with buying; older form of customer.assisted_buying_manage.'),
  'customer.consent_manage': legacy('Give and withdraw one’s consents, as on cookies and newsletters.'),
  'customer.consent_view': legacy('Read the consents that one has given.'),
  'customer.customer_create': legacy('Create customers; replaced by customer.customer_manage.'),
  'customer.customer_delete': legacy('Delete customers; replaced by customer.customer_manage.'),
  'customer.customer_manage': 'Create, change, disable and delete any customer and their addresses.',
  'customer.customer_manage_own': 'Create and change customers of one’s own company.',
  'customer.customer_read': 'Find any customer and read profile and addresses.',
  'customer.customer_read_own': 'Read customers of one’s own company.',
  'customer.customer_update': legacy('Change customers; replaced by customer.customer_manage.'),
  'customer.customerprofile_edit': 'Change one’s own profile, addresses and credentials.',
  'customer.customerprofile_view': legacy('Read one’s own profile and addresses.'),
  'customer.import_manage': external('Import customers and set how long migrated passwords are kept.'),
  'customer.import_read': external('Read how long migrated passwords are kept.'),

  'customermanagement.contactassignment_manage': 'Assign customers to companies, and remove them again.',
  'customermanagement.contactassignment_read': 'Read which customers are assigned to which companies.',
  'customermanagement.legalentity_manage': 'Create, change and delete companies and subsidiaries.',
  'customermanagement.legalentity_read': 'Read every company of the tenant and its place in the hierarchy.',
  'customermanagement.legalentity_read_own': 'Read the companies that one is assigned to.',
  'customermanagement.location_manage': 'Create, change and delete the locations of companies.',
  'customermanagement.location_read': 'Read the locations of companies.',

  'customersegment.segment_manage': external('Create, change and delete customer segments and their members.'),
  'customersegment.segment_read': external('Read every customer segment, its items and members.'),
  'customersegment.segment_read_own': external('Read the segments that one belongs to, and their items.'),

  'extension.extension_manage': legacy('Install, change and remove dashboard extensions; not for clients upstream.'),
  'extension.extension_read': legacy('Read the installed dashboard extensions; not for clients upstream.'),

  'fee.fee_create': external('Create fees, such as for handling or deposit.'),
  'fee.fee_delete': external('Delete fees, and take them off products.'),
  'fee.fee_update': external('Change fees.'),
  'fee.item_create': external('Attach fees to items.'),
  'fee.item_delete': external('Detach fees from items and products.'),
  'fee.item_update': external('Replace the fees that an item or a product carries.'),

  'gateway.authorize_manage': legacy('Authorize payments; older spelling of payment-gateway.authorize_manage.'),
  'gateway.cancel_manage': legacy('Cancel payments; older spelling of payment-gateway.cancel_manage.'),
  'gateway.capture_manage': legacy('Capture payments; older spelling of payment-gateway.capture_manage.'),
  'gateway.paymentmodes_manage': legacy('Configure payment modes; older form of payment-gateway.paymentmodes_manage.'),
  'gateway.paymentmodes_read': legacy('Read payment modes; older spelling of payment-gateway.paymentmodes_read.'),
  'gateway.paymenttransactions_read': legacy('Read payments; older form of payment-gateway.paymenttransactions_read.'),
  'gateway.refund_manage': legacy('Refund payments; older spelling of payment-gateway.refund_manage.'),

  'iam.access_manage': 'Create, change and delete access controls.',
  'iam.access_read': 'Read access controls, and who gets which scope through them.',
  'iam.assignment_create': legacy('Add anybody to groups; replaced by iam.assignment_manage.'),
  'iam.assignment_create_own': 'Add customers of one’s own company to its groups.',
  'iam.assignment_delete': legacy('Remove anybody from groups; replaced by iam.assignment_manage.'),
  'iam.assignment_delete_own': 'Remove customers of one’s own company from its groups.',
  'iam.assignment_manage': 'Add employees and customers to groups, and remove them.',
  'iam.group_create': legacy('Create groups; replaced by iam.group_manage.'),
  'iam.group_delete': legacy('Delete groups; replaced by iam.group_manage.'),
  'iam.group_manage': 'Create, change and delete groups and what they give.',
  'iam.group_read': 'Read every group and the access controls that it gives.',
  'iam.group_read_own': 'Read the customer groups of one’s own company.',
  'iam.group_update': legacy('Change groups; replaced by iam.group_manage.'),
  'iam.permission_create': external('Define actions that roles can allow.'),
  'iam.permission_delete': external('Delete actions that no role needs any more.'),
  'iam.permission_read': 'Read the actions that roles can allow.',
  'iam.permission_update': external('Change how an action is described.'),
  'iam.resource_read': 'Read the resources that roles can be applied to.',
  'iam.role_create': 'Create roles.',
  'iam.role_delete': 'Delete roles.',
  'iam.role_manage': 'Create, change and delete roles and the actions that they allow.',
  'iam.role_read': 'Read roles and the actions that they allow.',
  'iam.role_update': 'Change which actions a role allows.',
  'iam.roles_read': legacy('Read roles; a misspelling of iam.role_read that is still around.'),
  'iam.scope_manage': 'Define scopes of the tenant’s own, and delete them.',
  'iam.scope_read': 'Read the scopes that any user holds.',
  'iam.scope_read_own': external('Read the scopes that one holds oneself.'),
  'iam.template_manage': 'Create and delete templates, which are bundles of access controls.',
  'iam.template_read': 'Read templates, which are bundles of access controls.',
  'iam.user_create': 'Create employees.',
  'iam.user_delete': 'Delete employees.',
  'iam.user_read': 'Read employees and the members of every group.',
  'iam.user_read_own': 'Read the members of groups as far as they belong to one’s own company.',
  'iam.user_update': 'Change and disable employees.',

  'importtool.import_manage': legacy('Configure data imports; named in guides only.'),
  'importtool.import_trigger': external('Start data imports, and read their configuration and runs.'),

  'indexing.search_manage': external('Configure search providers and have data indexed anew.'),
  'indexing.search_view': external('Read the search configuration and the state of indexing.'),

  'label.label_manage': external('Create, change and delete product labels.'),
  'label.label_read': external('Read product labels.'),

  'media.asset_manage': external('Upload, change and delete images and documents.'),
  'media.asset_manage_by_vendor': external('Upload, change and delete the calling vendor’s images and documents.'),
  'media.asset_read': external('Read and download images and documents.'),
  'media.asset_read_by_vendor': external('Read and download the calling vendor’s images and documents.'),

  'oauth.client_manage': 'Register, change and delete clients, and rotate their secrets.',
  'oauth.client_read': 'Read clients, their scopes, and which of them go unused.',
  'oauth.idp_manage': 'Connect, change and remove external identity providers.',
  'oauth.idp_read': 'Read how external identity providers are connected.',
  'oauth.key_manage': 'Rotate signing keys, and retire one in an emergency.',
  'oauth.key_read': 'Read the signing keys with their states and dates.',
  'oauth.revocation_read': 'Follow the stream of revocations.',
  'oauth.session_manage': external('End the sessions of employees and customers.'),
  'oauth.session_read': 'Read the sessions of employees and customers.',
  'oauth.token_introspect': external('Ask whether a token is good, and what it stands for (RFC 7662).'),

  'order.history_view': external('Read the orders that one has placed.'),
  'order.order_create': external('Create sales orders in a customer’s name.'),
  'order.order_delete': external('Delete sales orders.'),
  'order.order_manage': legacy('Create, change and delete sales orders; named in guides only.'),
  'order.order_manage_by_vendor': external('Read and process the calling vendor’s part of orders.'),
  'order.order_post': external('Place an order as the shopper.'),
  'order.order_read': external('Read every sales order of the tenant.'),
  'order.order_read_by_vendor': external('Read the calling vendor’s part of orders.'),
  'order.order_read_le': external('Read all orders of the company that one acts for.'),
  'order.order_readascustomer': external('Read one’s own orders as their customer.'),
  'order.order_update': external('Change sales orders and move them to their next status.'),
  'order.order_update_completed': external('Change sales orders even when they are completed.'),
  'order.order_updateascustomer': external('Move one’s own orders on, as by cancelling them.'),

  'payment-gateway.authorize_manage': external('Authorize payments.'),
  'payment-gateway.cancel_manage': external('Cancel authorized payments.'),
  'payment-gateway.capture_manage': external('Capture authorized payments.'),
  'payment-gateway.paymentmodes_manage': external('Configure payment modes and their providers.'),
  'payment-gateway.paymentmodes_read': external('Read how payment modes are configured.'),
  'payment-gateway.paymenttransactions_read': external('Read payment transactions.'),
  'payment-gateway.refund_manage': external('Refund captured payments.'),

  'pickpack.pickpack_manage': external('Assign, pick and pack orders in the warehouse.'),
  'pickpack.pickpack_view': external('Read the warehouse’s order cycles and packing events.'),

  'price.price_delete_all': external('Delete all prices of the tenant at once.'),
  'price.price_manage': external('Create, change and delete prices.'),
  'price.price_manage_by_vendor': external('Create, change and delete prices of the calling vendor’s products.'),
  'price.price_match_own': external('Have prices matched for one’s own session.'),
  'price.price_own': external('Read the prices that apply to oneself.'),
  'price.price_read': external('Find prices, and have them matched for any context.'),
  'price.price_read_by_vendor': external('Read prices of the calling vendor’s products.'),
  'price.pricelist_manage': external('Create, change and delete price lists and their prices.'),
  'price.pricelist_read': external('Read price lists and their prices.'),
  'price.pricemodel_manage': external('Create, change and delete price models.'),
  'price.pricemodel_manage_admin': external('Delete price models together with the prices that use them.'),
  'price.pricemodel_read': external('Read price models.'),
  'price.prod_price_calculate': external('Have the price of a product calculated.'),

  'product.price_manage': external('Change the prices that are kept with products.'),
  'product.product_create': legacy('Create products; replaced by product.product_manage.'),
  'product.product_delete': legacy('Delete products; replaced by product.product_manage.'),
  'product.product_manage': external('Create, change and delete products.'),
  'product.product_manage_by_vendor': external('Create, change and delete the calling vendor’s products.'),
  'product.product_publish': external('Make a product visible in the storefront.'),
  'product.product_read': external('Read published products.'),
  'product.product_read_by_vendor': external('Read the calling vendor’s products.'),
  'product.product_read_unpublished': external('Read products that the storefront does not show yet.'),
  'product.product_template_manage': external('Create, change and delete product templates.'),
  'product.product_template_read': external('Read product templates.'),
  'product.product_unpublish': external('Hide a product from the storefront.'),
  'product.product_update': legacy('Change products; replaced by product.product_manage.'),

  'quote.quote_manage': external('Create, change and delete any quote, and the reasons to choose from.'),
  'quote.quote_manage_own': external('Request quotes, and answer the offers made on them.'),
  'quote.quote_read': external('Read every quote of the tenant and its history.'),
  'quote.quote_read_own': external('Read the quotes that one has requested.'),

  'returns.returns_manage': external('Create, change and delete any return.'),
  'returns.returns_manage_own': external('Announce, change and withdraw returns of one’s own orders.'),
  'returns.returns_read': external('Read every return of the tenant.'),
  'returns.returns_read_own': external('Read one’s own returns.'),

  'rewardspoints.rewardpoints_manage': external('Add and redeem customers’ reward points, and set their worth.'),
  'rewardspoints.rewardpoints_view': external('Read the reward points of customers.'),

  'schema.custominstance_manage': external('Create, change and delete instances of every custom entity.'),
  'schema.custominstance_read': external('Read instances of every custom entity.'),
  'schema.schema_manage': external('Define and change schemas and custom entities.'),
  'schema.schema_read': external('Read schemas and the definitions of custom entities.'),

  'sepaexport.job_manage': external('Start exports of SEPA direct debits.'),
  'sepaexport.job_view': external('Read the state of SEPA exports.'),
  'sepaexport.media_view': external('Download exported SEPA files.'),

  'sequentialid.schema_manage': external('Define and activate number ranges, such as for invoices.'),
  'sequentialid.schema_view': external('Read number ranges, and draw the next number from one.'),

  'sessioncontext.context_manage': external('Read and change the context of any session.'),

  'shipping.shipping_manage': external('Configure shipping zones, methods, delivery times and slots.'),
  'shipping.shipping_read': external('Read delivery times and slots.'),

  'shoppinglist.shoppinglist_delete': external('Delete a customer’s shopping lists.'),
  'shoppinglist.shoppinglist_manage': external('Create, change and delete shopping lists of customers.'),
  'shoppinglist.shoppinglist_read': external('Read shopping lists of customers.'),

  'site.site_manage': external('Create, change and delete sites.'),
  'site.site_read': external('List every site, inactive ones included.'),

  'tax.tax_manage': external('Create, change and delete tax rates of locations.'),
  'tax.tax_read': external('Read tax rates of locations.'),

  'unithandling.unit_manage': external('Create, change and delete units of measure and their conversions.'),

  'vendor.vendor_manage': external('Create, change and delete vendors and their locations.'),
  'vendor.vendor_read': external('Read vendors and their locations.'),

  'webhook.subscription_manage': external('Subscribe to events, and configure where they are sent.'),
  'webhook.subscription_read': external('Read event subscriptions and their delivery statistics.'),
} satisfies Record<string, string | ScopeEntry>;

/** What the catalogue says of a scope. */
export interface ScopeEntry {
  /** One sentence: what its holder may do. */
  readonly description: string;
  /** No field of our schema asks for it: other services enforce it. */
  readonly external: boolean;
  /** Kept for compatibility: no published endpoint of the platform asks for it any more. */
  readonly legacy: boolean;
}

/** A scope that every tenant has. */
export type BuiltInScope = keyof typeof lines;

const entryOf = (line: string | ScopeEntry): ScopeEntry =>
  typeof line === 'string' ? { description: line, external: false, legacy: false } : line;

/** The catalogue, all lines in one form. */
export const registry = Object.fromEntries(
  Object.entries(lines).map(([scope, line]) => [scope, entryOf(line)]),
) as Readonly<Record<BuiltInScope, ScopeEntry>>;

/** Every built-in scope, sorted. */
export const builtInScopes: readonly BuiltInScope[] = (Object.keys(registry) as BuiltInScope[]).sort();

/** Is it one that every tenant has? */
export const isBuiltInScope = (scope: string): scope is BuiltInScope => Object.hasOwn(registry, scope);
