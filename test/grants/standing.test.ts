// Who somebody is when they refresh: read by SQL of our own, so it has to be all that the model has.

import { expect, it } from 'vitest';
import { givenCustomer } from '../kit/given.ts';
import { theService } from '../kit/service.ts';

it('an enabled customer is read whole, and one who is disabled or of another tenant not at all', async () => {
  const at = await theService();
  const { customers, database } = at.app.modules;
  const { id } = await givenCustomer(at);
  const db = database.forTenant({ tenantId: 'demo' });
  await db.customer.updateMany({ where: { id }, data: { firstName: 'Ada', emailVerifiedAt: new Date(), version: 7 } });
  const found = await customers.findEnabled(db, { tenantId: 'demo' }, id);
  expect(found).toEqual(await db.customer.findFirst({ where: { id } }));
  expect(found).toMatchObject({ id, firstName: 'Ada', version: 7, createdAt: expect.any(Date) });
  expect(await customers.findEnabled(database.forTenant({ tenantId: 'rival' }), { tenantId: 'rival' }, id)).toBeNull();
  await db.customer.updateMany({ where: { id }, data: { enabled: false } });
  expect(await customers.findEnabled(db, { tenantId: 'demo' }, id)).toBeNull();
  await db.customer.updateMany({ where: { id }, data: { enabled: true, unconfirmed: true } });
  expect(await customers.findEnabled(db, { tenantId: 'demo' }, id)).toBeNull();
});
