// Guarantees of a stopping server (security.md case 119).

import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { checkedBy, type Route } from '../../src/http/router.ts';
import { createGraphqlRoutes } from '../../src/http/routes/graphql.ts';
import { createHealthRoutes } from '../../src/http/routes/health.ts';
import { raw, startServer, tinyEngine } from './tiny-server.ts';

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const slow = (milliseconds: number): Route => ({
  methods: ['GET'],
  path: '/slow',
  access: checkedBy('nobody'),
  async handle(_req, res) {
    await wait(milliseconds);
    res.end('done');
  },
});

const get = (port: number, path: string, agent: Agent) =>
  new Promise<{ status: number; connection: string | undefined; text: string }>((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, agent }, (res) => {
      let text = '';
      res.on('data', (data) => {
        text += data;
      });
      res.on('end', () => resolve({ status: res.statusCode!, connection: res.headers.connection, text }));
    })
      .on('error', reject)
      .end();
  });

describe('drain', () => {
  it('case 119: 200 requests under way finish, and the server ends right after', async () => {
    // Long enough for the last to come while the first is still under way.
    const { http, url } = await startServer({ routes: [slow(600)] });
    const running = Array.from({ length: 200 }, async () => (await fetch(`${url}/slow`)).text());
    await expect
      .poll(() => new Promise((resolve) => http.server.getConnections((_error, count) => resolve(count))))
      .toBe(200);
    await wait(50);
    const started = performance.now();
    await http.drain();
    expect(performance.now() - started).toBeLessThan(1_500);
    expect((await Promise.all(running)).every((text) => text === 'done')).toBe(true);
    await expect(fetch(`${url}/slow`)).rejects.toThrow();
  });

  it('case 119: says that it is not ready first, while it still answers, and closes each connection with its answer', async () => {
    const { http, port } = await startServer({
      routes: [...createHealthRoutes({ checks: [] }), slow(1)],
      times: { notice: 300 },
    });
    const agent = new Agent({ keepAlive: true });
    expect(await get(port, '/readyz', agent)).toMatchObject({ status: 200, connection: 'keep-alive' });
    const drained = http.drain();
    expect(await get(port, '/readyz', agent)).toMatchObject({
      status: 503,
      connection: 'close',
      text: '{"status":"stopping","failing":["draining"]}',
    });
    expect(await get(port, '/slow', new Agent())).toMatchObject({ status: 200, text: 'done' });
    await drained;
    agent.destroy();
  });

  it('case 119: ends open streams with a last event and tells their source', async () => {
    const { engine, seen } = tinyEngine();
    const { http, url } = await startServer({ routes: createGraphqlRoutes({ graphql: engine, page: null }) });
    const answer = await fetch(`${url}/graphql?query=subscription{ticks}`, {
      headers: { accept: 'text/event-stream' },
    });
    const text = answer.text();
    await wait(50);
    const started = performance.now();
    await http.drain();
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(await text).toMatch(/"ticks":1[\s\S]*event: complete\ndata:\n\n$/);
    await expect.poll(() => seen.ended).toBe(1);
  });

  it('closes connections that are idle, and such that have never said anything', async () => {
    const { http, port } = await startServer({ routes: [slow(1)] });
    const agent = new Agent({ keepAlive: true });
    await get(port, '/slow', agent);
    const silent = connect(port, '127.0.0.1');
    const closed = new Promise((resolve) => silent.on('close', resolve));
    silent.on('error', () => {});
    await new Promise((resolve) => silent.on('connect', resolve));
    const started = performance.now();
    await http.drain();
    await closed;
    expect(performance.now() - started).toBeLessThan(1_500);
    agent.destroy();
  });

  it('gives up on what does not end within SHUTDOWN_SECONDS', async () => {
    const { http, port } = await startServer({ routes: [slow(30_000)], config: { shutdownSeconds: 1 } });
    const cut = raw(port, 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await wait(50);
    const started = performance.now();
    await Promise.all([http.drain(), http.drain()]);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(await cut).toBe('');
  });
});
