// The OpenAPI 3.1 description of the routes, made from the table: what is served is what is described.
// Invariant: nothing of a route is written twice. Paths, methods, `{param}` segments and scopes come from the table
// that answers; the rest stands beside the handler. Schemas that have an id become components.

import { z } from 'zod';
import type { Authentication, DescribedAnswer, Description, Parameter } from './description.ts';
import type { Method, Route } from './router.ts';

type Json = Readonly<Record<string, unknown>>;

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token (RFC 6750 s.2.1).' },
  operator: { type: 'http', scheme: 'bearer', description: 'A token that whoever runs the service has set.' },
  client: { type: 'http', scheme: 'basic', description: 'client_id and client_secret (RFC 6749 s.2.3.1).' },
} as const;

/** Any one of these suffices; scopes are those of the table. */
function securityOf({ access }: Route, authentication: readonly Authentication[] = ['none']): Json[] {
  if (access.kind === 'open') return [{}];
  if (access.kind === 'authenticated') return [{ bearer: [] }];
  if (access.kind === 'scopes') return access.scopes.map((scopes) => ({ bearer: scopes }));
  // What is sent in the body is a parameter like any other: to OpenAPI it is no security scheme.
  return authentication.map((way) => (way === 'none' || way === 'clientInBody' ? {} : { [way]: [] }));
}

/** Every schema of these routes as JSON Schema at once, so that those with an id are shared. */
function convert(schemas: readonly z.ZodType[]): { of(schema: z.ZodType): unknown; components: unknown } {
  const all = new Map([...new Set(schemas)].map((schema, index) => [schema, String(index)]));
  const shape = Object.fromEntries([...all].map(([schema, name]) => [name, schema]));
  // As input, members that clients don't know stay allowed: answers grow (RFC 6749 s.5.1).
  const text = JSON.stringify(z.toJSONSchema(z.object(shape), { io: 'input' }));
  const { properties, $defs } = JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/')) as {
    properties: Record<string, unknown>;
    $defs?: unknown;
  };
  return { of: (schema) => properties[all.get(schema)!], components: $defs ?? {} };
}

const anyText = z.string();

const schemasIn = ({ parameters = [], body, answers }: Description): z.ZodType[] => [
  ...parameters.map(({ schema }) => schema ?? anyText),
  ...(body ? [body.schema] : []),
  ...Object.values(answers).flatMap(({ schema }) => schema ?? []),
];

const segments = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);

const operationId = (method: string, path: string): string =>
  [method, ...path.split(/[^A-Za-z0-9]+/)]
    .filter(Boolean)
    .map((word, index) => (index === 0 ? word.toLowerCase() : word[0]!.toUpperCase() + word.slice(1)))
    .join('');

/** The document. */
export function openapiOf({ issuer, routes }: { issuer: string; routes: readonly Route[] }): Json {
  const described = routes.flatMap((route) => {
    const { describes = 'internal' } = route;
    return describes === 'internal' ? [] : [{ route, description: describes }];
  });
  const { of, components } = convert(described.flatMap(({ description }) => schemasIn(description)));

  const parameterOf = ({ name, in: place, text, required = false, schema = anyText }: Parameter) => ({
    name,
    in: place,
    description: text,
    required,
    schema: of(schema),
  });
  const contentOf = (type: string, schema: z.ZodType) => ({ [type]: { schema: of(schema) } });
  const answerOf = (method: Method, { text, schema, type = 'application/json' }: DescribedAnswer) => ({
    description: text,
    ...(schema && method !== 'HEAD' && { content: contentOf(type, schema) }),
  });

  const operationOf = (method: Method, route: Route, description: Description) => ({
    operationId: operationId(method, route.path),
    summary: description.summary,
    tags: [description.tag],
    security: securityOf(route, description.authentication),
    parameters: [
      ...segments(route.path).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...(description.parameters ?? []).map(parameterOf),
    ],
    ...(description.body && {
      requestBody: { required: true, content: contentOf(description.body.type, description.body.schema) },
    }),
    responses: Object.fromEntries(
      Object.entries(description.answers).map(([status, answer]) => [status, answerOf(method, answer)]),
    ),
  });

  const paths: Record<string, Record<string, unknown>> = {};
  for (const { route, description } of described) {
    for (const method of route.methods) {
      paths[route.path] ??= {};
      paths[route.path]![method.toLowerCase()] = operationOf(method, route, description);
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Scopeward',
      version: '1',
      summary: 'The authorization service of a commerce platform',
      description: 'What is offered beside GraphQL, whose own description is its schema.',
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    servers: [{ url: issuer }],
    paths,
    components: { schemas: components, securitySchemes },
  };
}
