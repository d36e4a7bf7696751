// The README of the orders service, executed: its own commands in a shell, against both services as people start them.

import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Service, startService } from '../kit/service.ts';
import { type OrdersService, startOrders, walkThrough } from '../kit/walk-through.ts';

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

it('every command of the walk-through prints what it says', async () => {
  await walkThrough('orders-service', [
    'SCOPEWARD=http://localhost:4000 ORDERS=http://localhost:4100',
    `SCOPEWARD=${at.url} ORDERS=${orders.url}`,
  ]);
  expect(orders.said()).not.toMatch(/error/i);
}, 90_000);

it('the service ends when it is told to', async () => {
  const ended = once(orders.child, 'exit');
  orders.child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});
