// What the service sells and has sold. In memory: this is an example of access, not of storage.
// Invariant: an order belongs to the customer and the company of the token that placed it, never to what a caller writes.

import { randomUUID } from 'node:crypto';

/** Something to buy; `segment`: for the companies of that segment only. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly segment: string | null;
}

/** What a company has bought. */
export interface Order {
  readonly id: string;
  readonly product: Product;
  readonly quantity: number;
  readonly customerId: string;
  readonly legalEntityId: string;
  /** The employee who placed it for the customer. */
  readonly placedBy: string | null;
}

const products: readonly Product[] = [
  { id: 'paper', name: 'Paper, 500 sheets', segment: null },
  { id: 'drill', name: 'Column drill', segment: 'industry' },
  { id: 'pipette', name: 'Pipettes, 100 pieces', segment: 'laboratory' },
];

const segments: Readonly<Record<string, string>> = {
  acme: 'industry',
  'acme-berlin': 'industry',
  globex: 'laboratory',
};

/** The products for a company; without one, those for everybody. */
export const productsFor = (legalEntityId: string | null): Product[] => {
  const segment = legalEntityId === null ? null : (segments[legalEntityId] ?? null);
  return products.filter((product) => product.segment === null || product.segment === segment);
};

/** An order book. */
export type Orders = ReturnType<typeof createOrders>;

/** An empty one. */
export function createOrders() {
  const orders: Order[] = [];
  return {
    place(order: Omit<Order, 'id'>): Order {
      const placed = { id: randomUUID(), ...order };
      orders.push(placed);
      return placed;
    },
    ofCompany: (legalEntityId: string): Order[] => orders.filter((order) => order.legalEntityId === legalEntityId),
  };
}
