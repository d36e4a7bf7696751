// The same service behind a gateway that asks Scopeward: plain HTTP, and no token in sight. Who calls, and for which
// company, is what the header `X-Identity-Assertion` proves; the other headers of identity are not even read, so whoever
// reaches this port without the gateway is nobody. See examples/gateway.

import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  AccessError,
  type AssertedCaller,
  type AssertionVerifier,
  hasScopes,
  requireCompany,
  requireSaasChecked,
} from 'scopeward/verify';
import { type Orders, productsFor } from './orders.ts';

type Answer = { status: number; headers?: Readonly<Record<string, string>>; body: unknown };

const found = (body: unknown): Answer => ({ status: 200, body });

/** The service, as a handler for node's HTTP server. */
export function createGatewayService(assertions: AssertionVerifier, orders: Orders) {
  const callerOf = (req: IncomingMessage): Promise<AssertedCaller> =>
    assertions.verify(req.headers['x-identity-assertion']);

  const routes: Readonly<Record<string, (req: IncomingMessage, query: URLSearchParams) => Promise<Answer>>> = {
    'GET /public/hours': async () => found({ open: '8 to 18' }),

    // Whoever comes without an assertion sees what everybody sees: absent is less, never more.
    async 'GET /products'(req) {
      const caller = req.headers['x-identity-assertion'] ? await callerOf(req) : null;
      return found(productsFor(caller?.legalEntityId ?? null));
    },

    async 'GET /orders'(req) {
      const caller = await callerOf(req);
      const { legalEntityId, id } = requireCompany(caller);
      const ofCompany = orders.ofCompany(legalEntityId);
      if (hasScopes(caller, 'order.order_read_le')) return found(ofCompany);
      return found(ofCompany.filter(({ customerId }) => customerId === id));
    },

    // The gateway asked for the scope and for the saas-token; that it did, the assertion says.
    async 'POST /checkout'(req, query) {
      const caller = await callerOf(req);
      requireSaasChecked(caller);
      const { legalEntityId, id: customerId, actorId: placedBy } = requireCompany(caller);
      const product = productsFor(legalEntityId).find(({ id }) => id === query.get('product'));
      if (!product) return { status: 404, body: { error: 'not_found' } };
      return { status: 201, body: orders.place({ product, quantity: 1, customerId, legalEntityId, placedBy }) };
    },
  };

  async function answer(req: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(req.url!, 'http://orders');
    const route = routes[`${req.method === 'HEAD' ? 'GET' : req.method} ${pathname}`];
    return route ? route(req, searchParams) : { status: 404, body: { error: 'not_found' } };
  }

  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { status, headers, body } = await answer(req).catch((error): Answer => {
      if (error instanceof AccessError) return error;
      console.error(error);
      return { status: 500, body: { error: 'server_error' } };
    });
    res.writeHead(status, { ...headers, 'Content-Type': 'application/json; charset=utf-8' });
    res.end(JSON.stringify(body));
  };
}
