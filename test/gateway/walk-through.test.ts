// The README of the gateways, executed: its own commands in a shell, against Scopeward, the orders service as people start
// it, and each gateway that is installed.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, startService } from '../kit/service.ts';
import { type OrdersService, startOrders, walkThrough } from '../kit/walk-through.ts';
import { gateways } from './gateways.ts';

let at: Service;
let orders: OrdersService;
beforeAll(async () => {
  at = await startService();
  orders = await startOrders(at);
}, 120_000);
afterAll(async () => {
  orders?.child.kill('SIGKILL');
  await at?.stop();
});

describe.each(gateways)('$title', ({ name, start }) => {
  // Where it is not installed, and GATEWAYS=required does not make a failure of that.
  if (!start) return it.skip(`${name} is not installed`, () => {});

  it('every command of the walk-through prints what it says', async () => {
    const gateway = await start({ scopeward: at.url, service: orders.url });
    try {
      await walkThrough('gateway', [
        'SCOPEWARD=http://localhost:4000 ORDERS=http://localhost:4100 SHOP=http://localhost:8080',
        `SCOPEWARD=${at.url} ORDERS=${orders.url} SHOP=${gateway.url}`,
      ]);
      expect(orders.said()).not.toMatch(/error/i);
    } finally {
      await gateway.stop();
    }
  }, 90_000);
});
