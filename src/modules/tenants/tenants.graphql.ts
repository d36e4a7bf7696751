// The caller's tenant.

import { builder } from '../../graphql/builder.ts';
import { authenticated } from '../../permissions/access.ts';
import type { Tenant } from './tenants.ts';

/** Type `Tenant`. */
export const TenantType = builder.objectRef<Pick<Tenant, 'id' | 'name'>>('Tenant').implement({
  description: "A merchant's world. Nothing in it is visible from another tenant.",
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The slug that names the tenant in requests.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
  }),
});

builder.queryField('tenant', (t) =>
  t.field({
    type: TenantType,
    description: "The caller's tenant.",
    access: authenticated,
    resolve: (_root, _args, ctx) => ctx.services.tenants.get(ctx),
  }),
);
