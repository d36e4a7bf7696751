// Guarantees of /openapi.json: valid OpenAPI 3.1, as complete as the table of routes, and true of real answers.

import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openapiOf } from '../../src/http/openapi.ts';
import { checkedBy, type Route } from '../../src/http/router.ts';
import { authenticated, open, requiresAnyOf } from '../../src/permissions/access.ts';
import { asBackend, askToken, introspectAs, type OauthAnswer, revokeAs } from '../kit/oauth.ts';
import { type Service, theService } from '../kit/service.ts';
import { signIn } from '../kit/stories.ts';

interface Operation {
  readonly operationId: string;
  readonly security: unknown;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Record<string, unknown> };
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
}
interface Document {
  readonly openapi: string;
  readonly servers: unknown;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
}

let service: Service;
let document: Document;

beforeAll(async () => {
  service = await theService();
  document = (await (await fetch(`${service.url}/openapi.json`)).json()) as Document;
});

describe('the document', () => {
  it('is valid OpenAPI 3.1 and names the configured issuer', async () => {
    const validated = await new Validator().validate(structuredClone(document) as never);
    expect([validated.valid, validated.errors]).toEqual([true, undefined]);
    expect([document.openapi, document.servers]).toEqual(['3.1.0', [{ url: service.config.issuer }]]);
  });

  it('is found broken by the same validator when it is', async () => {
    const broken = structuredClone(document) as unknown as { paths: Record<string, unknown> };
    broken.paths['/oauth/token'] = { post: { responses: 'none' } };
    expect((await new Validator().validate(broken as never)).valid).toBe(false);
  });

  it('may be kept for five minutes, and is not sent again to who has it', async () => {
    const first = await fetch(`${service.url}/openapi.json`);
    expect(first.headers.get('cache-control')).toBe('public, max-age=300');
    const headers = { 'If-None-Match': first.headers.get('etag')! };
    expect((await fetch(`${service.url}/openapi.json`, { headers })).status).toBe(304);
  });

  it('every route says what it is, or that it is internal', () => {
    const silent = service.app.routes.filter(({ describes }) => !describes).map(({ path }) => path);
    expect(silent).toEqual([]);
  });

  it('holds every method of every public route, and nothing else', () => {
    const served = service.app.routes
      .filter(({ describes }) => describes !== 'internal')
      .flatMap(({ methods, path }) => methods.map((method) => `${method} ${path}`));
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(served.sort());
    const ids = Object.values(document.paths).flatMap((operations) =>
      Object.values(operations).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('leaves the files of the explorer out', () => {
    expect(service.app.routes.map(({ path }) => path)).toContain('/graphql/ui/{file}');
    expect(Object.keys(document.paths)).not.toContain('/graphql/ui/{file}');
  });

  it('shares schemas by name', () => {
    const token = JSON.stringify(document.paths['/oauth/token']);
    expect(token).toContain('"$ref":"#/components/schemas/OauthError"');
    expect(Object.keys(document.components.schemas)).toContain('OauthError');
    expect(JSON.stringify(document)).not.toContain('$defs');
  });
});

describe('what the table says', () => {
  const route = (path: string, given: Partial<Route> = {}): Route => ({
    methods: ['GET'],
    path,
    access: open,
    handle: () => {},
    describes: { summary: 'A route', tag: 'Operation', answers: { 200: { text: 'Fine.' } } },
    ...given,
  });
  const only = (given: Route): Operation => {
    const { paths } = openapiOf({ issuer: 'https://x.test', routes: [given] }) as unknown as Document;
    return Object.values(paths[given.path]!)[0]!;
  };

  it('becomes parameters: segments are required, the others as they say', () => {
    const describes = {
      summary: 'One of them',
      tag: 'Operation',
      parameters: [{ name: 'size', in: 'query', text: 'How many.', schema: z.number().int() }],
      answers: { 200: { text: 'It.' } },
    } as const;
    const { parameters, operationId } = only(route('/a/{tenant}/b-c/{id}', { describes }));
    expect(parameters.map(({ name, in: place, required }) => [name, place, required])).toEqual([
      ['tenant', 'path', true],
      ['id', 'path', true],
      ['size', 'query', false],
    ]);
    expect(operationId).toBe('getATenantBCId');
  });

  it('becomes security: scopes, any bearer, a way of its own, or nobody', () => {
    const checked = {
      summary: 'Checked',
      tag: 'OAuth',
      authentication: ['client', 'clientInBody'],
      answers: { 200: { text: 'It.' } },
    } as const;
    expect([
      only(route('/a', { access: requiresAnyOf('iam.group_read', 'iam.group_manage') })).security,
      only(route('/a', { access: authenticated })).security,
      only(route('/a', { access: checkedBy('itself'), describes: checked })).security,
      only(route('/a', { access: checkedBy('itself') })).security,
      only(route('/a')).security,
    ]).toEqual([
      [{ bearer: ['iam.group_read'] }, { bearer: ['iam.group_manage'] }],
      [{ bearer: [] }],
      [{ client: [] }, {}],
      [{}],
      [{}],
    ]);
  });
});

describe('real answers', () => {
  /** What of an answer is not as described: by its schema, or because no schema knows the member. */
  function faults(path: string, { status, body }: Pick<OauthAnswer, 'status' | 'body'>): unknown {
    const { responses } = Object.values(document.paths[path]!)[0]!;
    const answer = responses[status];
    if (!answer) return `no answer ${status} at ${path}`;
    const schema = (answer.content?.['application/json'] as { schema: object } | undefined)?.schema;
    if (!schema) return body === undefined ? null : 'a body where none is described';
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    const closed = Object.fromEntries(
      Object.entries(document.components.schemas).map(([name, component]) => [
        name,
        { ...component, ...('properties' in component && name !== 'KeySet' && { additionalProperties: false }) },
      ]),
    );
    const validate = ajv.compile({ ...schema, components: { schemas: closed } });
    return validate(body) ? null : validate.errors;
  }

  it('of the token endpoint are as described: tokens, sessions, refusals', async () => {
    const login = await signIn(service);
    const answers = [
      await askToken(service, { grant_type: 'client_credentials' }, asBackend),
      await askToken(service, {
        grant_type: 'refresh_token',
        client_id: 'demo-storefront',
        refresh_token: login.refreshToken,
        legal_entity_id: 'acme',
      }),
      await askToken(service, { grant_type: 'nothing' }, asBackend),
      await askToken(service, { grant_type: 'client_credentials', client_id: 'demo-backend', client_secret: 'wrong' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400, 401]);
    expect(answers.map((answer) => faults('/oauth/token', answer))).toEqual([null, null, null, null]);
  });

  it('of introspection are as described: good, not good, not allowed', async () => {
    const login = await signIn(service);
    const answers = [
      await introspectAs(service, login.accessToken),
      await introspectAs(service, login.refreshToken),
      await introspectAs(service, 'nothing'),
      await introspectAs(service, 'nothing', {}),
    ];
    expect(answers.map(({ status, body }) => [status, body.active])).toEqual([
      [200, true],
      [200, true],
      [200, false],
      [401, undefined],
    ]);
    expect(answers.map((answer) => faults('/oauth/introspect', answer))).toEqual([null, null, null, null]);
  });

  it('of revocation are as described: no body, or a refusal', async () => {
    const login = await signIn(service);
    const answers = [
      await revokeAs(service, 'demo-storefront', login.refreshToken),
      await revokeAs(service, 'demo-storefront', ''),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    expect(answers.map((answer) => faults('/oauth/revoke', answer))).toEqual([null, null]);
  });

  it.each(['/.well-known/oauth-authorization-server', '/.well-known/jwks.json', '/healthz', '/readyz'])(
    'of %s are as described',
    async (path) => {
      const response = await fetch(service.url + path);
      expect(faults(path, { status: response.status, body: await response.json() })).toBeNull();
    },
  );

  it('would be found out: a member that is missing, one of another type, one that nobody described', async () => {
    const { body, status } = await askToken(service, { grant_type: 'client_credentials' }, asBackend);
    const { scope: _scope, ...without } = body;
    for (const wrong of [without, { ...body, expires_in: '3600' }, { ...body, password: 'x' }])
      expect(faults('/oauth/token', { status, body: wrong })).not.toBeNull();
  });
});
