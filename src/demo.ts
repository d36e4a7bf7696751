// The demo data of an empty database outside production. Told through the use cases, and idempotent: a seeding that
// was interrupted is completed, one that was completed is left alone.

import type { Modules } from './app.ts';
import type { Ctx } from './context.ts';
import type { B2BRole } from './modules/iam/company-groups.ts';
import { builtInScopes } from './modules/scopes/registry.ts';
import { ensureEmployee, ensureEmployeeGroup, setUpTenant, unlessThere } from './tenant-set-up.ts';

const LAST_MADE = 'admin@rival.example';
const PASSWORD = 'demo-password-1';

/** Makes what is missing of the demo tenants `demo` and `rival`. */
export async function seedDemo(modules: Modules): Promise<void> {
  const { clients, contactAssignments, customers, employees, legalEntities, memberships, tenants } = modules;

  // The last thing that is made. Where it is, everything is, and what somebody changed since stays changed.
  if (tenants.find('rival') && (await employees.findByEmail({ tenantId: 'rival' }, LAST_MADE))) return;

  const tenant = (id: string, name: string) => setUpTenant(modules, id, name, 'demo-data');

  const client = (
    ctx: Ctx,
    id: string,
    rest: { name: string; kind: 'BACKEND' | 'STOREFRONT' | 'CUSTOM'; scopes?: string[] },
  ) =>
    unlessThere(
      clients.register(ctx, {
        id,
        scopes: [],
        everyScope: rest.kind === 'BACKEND',
        ...(rest.kind === 'STOREFRONT' ? {} : { clientSecret: `${id}-secret` }),
        ...rest,
      }),
    );

  async function customer(
    ctx: Ctx,
    email: string,
    firstName: string,
    companies: Partial<Record<string, B2BRole | null>> = {},
  ) {
    await unlessThere(customers.register(ctx, { email, password: PASSWORD, firstName, lastName: 'Demo' }));
    const { id } = (await customers.findByEmail(ctx, email))!;
    for (const [legalEntityId, role] of Object.entries(companies)) {
      await contactAssignments.assign(ctx, id, legalEntityId);
      if (role) await memberships.joinCompany(ctx, legalEntityId, role, id);
    }
  }

  async function employee(
    ctx: Ctx,
    email: string,
    firstName: string,
    group: string,
    scopes: readonly string[] | 'every',
  ) {
    const groupId = await ensureEmployeeGroup(modules, ctx, group, scopes);
    const account = { email, password: PASSWORD, firstName, lastName: 'Demo' };
    await ensureEmployee(modules, ctx, account, groupId);
  }

  const services = (...names: string[]) => builtInScopes.filter((scope) => names.includes(scope.split('.', 1)[0]!));
  const readsOf = (service: string) => services(service).filter((scope) => scope.endsWith('_read'));

  const demo = await tenant('demo', 'Demo shop');
  await client(demo, 'demo-backend', { name: 'Demo back end', kind: 'BACKEND' });
  await client(demo, 'demo-storefront', { name: 'Demo storefront', kind: 'STOREFRONT' });
  const crmScopes = ['price.price_manage', 'price.price_read', 'product.product_read'];
  await client(demo, 'demo-crm', { name: 'Demo CRM', kind: 'CUSTOM', scopes: crmScopes });
  for (const [id, name, parentId] of [
    ['acme', 'ACME', null],
    ['acme-berlin', 'ACME Berlin', 'acme'],
    ['globex', 'Globex', null],
    ['initech', 'Initech', null],
  ] as const) {
    await unlessThere(legalEntities.create(demo, { id, name, parentId }));
  }
  await Promise.all([
    customer(demo, 'shopper@demo.example', 'Sam'),
    customer(demo, 'buyer@demo.example', 'Bea', { acme: 'ADMIN', globex: 'BUYER' }),
    customer(demo, 'requester@demo.example', 'Rae', { acme: 'REQUESTER' }),
    employee(demo, 'admin@demo.example', 'Ada', 'Administrators', 'every'),
    employee(demo, 'catalog@demo.example', 'Cat', 'Catalog managers', services('product', 'category', 'catalog')),
    employee(demo, 'support@demo.example', 'Sue', 'Support', [
      ...readsOf('iam'),
      'customer.customer_read',
      ...readsOf('customermanagement'),
      'audit.event_read',
      'customer.assisted_buying_manage',
    ]),
  ]);

  const rival = await tenant('rival', 'Rival shop');
  await client(rival, 'rival-backend', { name: 'Rival back end', kind: 'BACKEND' });
  await client(rival, 'rival-storefront', { name: 'Rival storefront', kind: 'STOREFRONT' });
  await unlessThere(legalEntities.create(rival, { id: 'umbrella', name: 'Umbrella' }));
  await customer(rival, 'mallory@rival.example', 'Mallory', { umbrella: 'ADMIN' });
  await employee(rival, LAST_MADE, 'Roy', 'Administrators', 'every');
}
