// Guarantees of traces: spans reach a collector as OTLP, hang together, say nothing of anybody; nobody from outside
// decides what is recorded; and a collector that is away, or none at all, is nothing that a request notices.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { graphql } from '../kit/graphql.ts';
import { asBackend, askToken } from '../kit/oauth.ts';
import { type Service, startService } from '../kit/service.ts';
import { guest, PASSWORD, signIn, tryLogin } from '../kit/stories.ts';

interface Attribute {
  readonly key: string;
  readonly value: Record<string, unknown>;
}
interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: number };
}

const SERVER = 2;
const INTERNAL = 1;
const FAILED = 2;

let collector: Server;
let endpoint: string;
let spans: Span[] = [];
let resources: Attribute[][] = [];
let service: Service | undefined;

beforeAll(async () => {
  collector = createServer(async (req, res) => {
    let text = '';
    for await (const chunk of req) text += chunk;
    for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
      resources.push(resource.attributes);
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    res.writeHead(req.url === '/v1/traces' ? 200 : 404, { 'Content-Type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterAll(() => collector.close());

beforeEach(() => {
  spans = [];
  resources = [];
});
afterEach(async () => {
  await service?.stop();
  service = undefined;
  vi.unstubAllEnvs();
});

/** Starts a service with these variables, which OpenTelemetry reads from the process. */
async function traced(env: Record<string, string> = {}): Promise<Service> {
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '20', ...env };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  service = await startService(all);
  return service;
}

/** The spans that have arrived, once there is one of this name. */
async function spansWith(name: string): Promise<Span[]> {
  await expect.poll(() => spans.map((span) => span.name), { timeout: 5_000 }).toContain(name);
  return spans;
}

const named = (name: string): Span => spans.find((span) => span.name === name)!;
const factsOf = ({ attributes }: { attributes: readonly Attribute[] }): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** Names from a span up to the one that has no parent. */
function pathOf(span: Span): string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [span.name, ...(parent ? pathOf(parent) : [])];
}

describe('a trace', () => {
  it('leads from the request to the operation, the grant and the statements', async () => {
    await signIn(await traced());
    await spansWith('mutation issueCustomerToken');
    await expect.poll(() => spans.filter(({ name }) => name === 'POST /graphql').length, { timeout: 5_000 }).toBe(2);

    const grant = named('grant customer-login');
    expect(pathOf(grant)).toEqual(['grant customer-login', 'mutation issueCustomerToken', 'POST /graphql']);
    const statement = spans.find(({ name, traceId }) => name === 'INSERT' && traceId === grant.traceId)!;
    expect(pathOf(statement)).toEqual(['INSERT', ...pathOf(grant)]);
    expect(factsOf(statement)).toMatchObject({
      'db.system.name': 'postgresql',
      'db.query.text': expect.stringMatching(/INSERT INTO [\s\S]*\$1/),
    });

    const request = spans.find(({ name, traceId }) => name === 'POST /graphql' && traceId === grant.traceId)!;
    expect([request.kind, request.parentSpanId, grant.kind]).toEqual([SERVER, undefined, INTERNAL]);
    expect(factsOf(request)).toEqual({
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'http.response.status_code': 200,
      'scopeward.request_id': expect.stringMatching(/^[\da-f-]{36}$/),
    });
    expect(factsOf(named('mutation issueCustomerToken'))).toMatchObject({ 'graphql.operation.type': 'mutation' });
  });

  it('belongs to the service by name, or to whatever it is called', async () => {
    await askToken(await traced(), { grant_type: 'client_credentials' }, asBackend);
    await spansWith('POST /oauth/token');
    expect(factsOf({ attributes: resources[0]! })).toMatchObject({ 'service.name': 'scopeward' });
    await service!.stop();

    resources = [];
    await askToken(await traced({ OTEL_SERVICE_NAME: 'auth-eu' }), { grant_type: 'client_credentials' }, asBackend);
    await expect.poll(() => resources.length, { timeout: 5_000 }).toBeGreaterThan(0);
    const names = resources.map((attributes) => factsOf({ attributes })['service.name']);
    expect(new Set(names)).toEqual(new Set(['auth-eu']));
  });

  it('says by its code what was refused, and nothing in words', async () => {
    const at = await traced();
    const { accessToken } = await guest(at);
    await tryLogin(at, { email: 'nobody@demo.example', password: 'wrong-password-1', anonymousToken: accessToken });
    await spansWith('grant customer-login');
    const grant = named('grant customer-login');
    expect([grant.status.code, factsOf(grant)['error.type']]).toEqual([FAILED, 'invalid_grant']);
  });

  it('holds no token, password, address, secret, query string or name that a caller made up', async () => {
    const at = await traced();
    const login = await signIn(at);
    await graphql(at, 'query rt_named { currentPrincipal { id } }', { bearer: login.accessToken });
    await askToken(at, {
      grant_type: 'refresh_token',
      client_id: 'demo-storefront',
      refresh_token: login.refreshToken,
    });
    await askToken(at, { grant_type: 'client_credentials' }, asBackend);
    await fetch(`${at.url}/customer/buyer@demo.example?refreshToken=${login.refreshToken}`, { method: 'REPORT' });
    await spansWith('OTHER unmatched');
    const text = JSON.stringify(spans);
    for (const secret of [login.accessToken, login.refreshToken, login.saasToken, PASSWORD, 'demo-backend-secret'])
      expect(text).not.toContain(secret);
    expect(text.match(/eyJ|@|rt_named|refreshToken=|demo\.example|REPORT/g)).toBeNull();
  });

  it('is of requests only: what the service does of its own accord is none', async () => {
    const at = await traced();
    await at.app.modules.changes.catchUp();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await fetch(`${at.url}/healthz`);
    await spansWith('GET /healthz');
    expect(spans.map(({ name }) => name)).toEqual(['GET /healthz']);
  });
});

describe('who decides', () => {
  const theirs = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  const traceparent = (flags: '00' | '01') => ({ traceparent: `00-${theirs.traceId}-${theirs.spanId}-${flags}` });

  it('a trusted proxy says which trace a request belongs to, and whether it is recorded', async () => {
    const at = await traced({ TRUSTED_PROXIES: '127.0.0.1' });
    await fetch(`${at.url}/readyz`, { headers: traceparent('00') });
    await fetch(`${at.url}/healthz`, { headers: traceparent('01') });
    await spansWith('GET /healthz');
    const { traceId, parentSpanId } = named('GET /healthz');
    expect({ traceId, spanId: parentSpanId }).toEqual(theirs);
    expect(spans.map(({ name }) => name)).not.toContain('GET /readyz');
  });

  it('anybody else is linked to, and can neither join a trace nor switch recording on or off', async () => {
    const at = await traced();
    await fetch(`${at.url}/healthz`, { headers: traceparent('00') });
    await spansWith('GET /healthz');
    const span = named('GET /healthz');
    expect(span.traceId).not.toBe(theirs.traceId);
    expect([span.parentSpanId, span.links]).toMatchObject([undefined, [theirs]]);
    await service!.stop();

    spans = [];
    const silent = await traced({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    await fetch(`${silent.url}/healthz`, { headers: traceparent('01') });
    await silent.stop();
    service = undefined;
    expect(spans).toEqual([]);
  });

  it.each(['', 'nonsense', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`, 'x'.repeat(4_000)])(
    'what is no traceparent (%#) is as if it were not there',
    async (header) => {
      const at = await traced({ TRUSTED_PROXIES: '127.0.0.1' });
      expect((await fetch(`${at.url}/healthz`, { headers: { traceparent: header } })).status).toBe(200);
      await spansWith('GET /healthz');
      expect([named('GET /healthz').parentSpanId, named('GET /healthz').links]).toEqual([undefined, []]);
    },
  );
});

describe('without a collector', () => {
  it('that answers, requests are as ever, and stopping does not wait for it', async () => {
    const at = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    for (let index = 0; index < 20; index += 1) {
      const answer = await askToken(at, { grant_type: 'client_credentials' }, asBackend);
      expect(answer.status).toBe(200);
    }
    const began = performance.now();
    await at.stop();
    service = undefined;
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  it.each([{}, { OTEL_TRACES_EXPORTER: 'none' }, { OTEL_SDK_DISABLED: 'true' }])(
    'being wanted (%j), none is sent',
    async (env) => {
      const at = await traced({ ...(Object.keys(env).length === 0 && { OTEL_EXPORTER_OTLP_ENDPOINT: '' }), ...env });
      await signIn(at);
      await at.stop();
      service = undefined;
      expect(spans).toEqual([]);
    },
  );
});
