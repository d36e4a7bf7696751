// mercurius on fastify: the fastest GraphQL server for Node that is widely used. { hello } and nothing else; jit on.

import Fastify from 'fastify';
import mercurius from 'mercurius';
import { script } from '../kit/script.mjs';

script(async () => {
  const app = Fastify();
  app.register(mercurius, {
    schema: 'type Query { hello: String! }',
    resolvers: { Query: { hello: () => 'world' } },
    jit: 1,
  });
  return { ready: { url: await app.listen({ port: 0, host: '127.0.0.1' }) } };
});
