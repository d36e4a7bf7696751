// A GraphQL service that trusts Scopeward's tokens: three uses of the B2B token, each a few lines.
// Invariant: who calls, and for which company, is what the verified token says; no argument can say otherwise.

import { GraphQLError } from 'graphql';
import { createSchema, createYoga } from 'graphql-yoga';
import { hasScopes, requireCaller, requireCompany, requireScopes, type Verifier } from 'scopeward/verify';
import { useVerifier, type VerifiedContext } from 'scopeward/verify/yoga';
import { createOrders, type Orders, productsFor } from './orders.ts';

const typeDefs = /* GraphQL */ `
  type Product { id: ID! name: String! segment: String }
  type Order { id: ID! product: Product! quantity: Int! customerId: ID! legalEntityId: ID! placedBy: ID }
  type Query {
    "What the caller's company can buy; without a company, what everybody can."
    products: [Product!]!
    "With order.order_read_le: every order of the company; without it one's own."
    orders: [Order!]!
  }
  type Mutation {
    "Needs order.order_post, a company, and the saas-token beside the bearer."
    placeOrder(productId: ID!, quantity: Int! = 1): Order!
  }
`;

/** The service, as a handler for node's HTTP server. */
export function createOrdersService(verifier: Verifier, orders: Orders = createOrders()) {
  return createYoga<object, VerifiedContext>({
    plugins: [useVerifier(verifier)],
    graphiql: false,
    landingPage: false,
    schema: createSchema<VerifiedContext>({
      typeDefs,
      resolvers: {
        Query: {
          products: (_root, _args, { caller }) => productsFor(requireCaller(caller).legalEntityId),
          orders(_root, _args, context) {
            const caller = requireCompany(requireScopes(context.caller, 'order.order_readascustomer'));
            const ofCompany = orders.ofCompany(caller.legalEntityId);
            if (hasScopes(caller, 'order.order_read_le')) return ofCompany;
            return ofCompany.filter(({ customerId }) => customerId === caller.id);
          },
        },
        Mutation: {
          async placeOrder(_root, { productId, quantity }: { productId: string; quantity: number }, context) {
            const caller = requireCompany(requireScopes(context.caller, 'order.order_post'));
            await verifier.requireSaas(caller, context.saasToken);
            const product = productsFor(caller.legalEntityId).find(({ id }) => id === productId);
            if (!product) throw new GraphQLError('Product not found.', { extensions: { code: 'NOT_FOUND' } });
            if (quantity < 1) throw new GraphQLError('At least one.', { extensions: { code: 'BAD_USER_INPUT' } });
            const { id: customerId, legalEntityId, actorId: placedBy } = caller;
            return orders.place({ product, quantity, customerId, legalEntityId, placedBy });
          },
        },
      },
    }),
  });
}
