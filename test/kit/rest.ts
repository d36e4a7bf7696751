// Calling the routes of Emporix, and holding every answer against the platform's specification, where its files are.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { expect } from 'vitest';
import { parse } from 'yaml';
import type { Service } from './service.ts';

/** The specifications, by the names of their files. */
export type Specification = 'customer-managed' | 'iam' | 'legal-entities' | 'oauth' | 'session-context';

/** An answer: what every assertion is about. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where there is none. */
  readonly body: any;
}

/** A request as clients send it. `token`: the bearer. */
export interface RestRequest {
  readonly token?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const folder = join(import.meta.dirname, '../../../shared/reference/openapi');

/** Are the specifications there? Without them answers are held against what the tests themselves say, and no more. */
export const hasSpecifications = existsSync(folder);
if (!hasSpecifications)
  console.warn(`No specifications in ${folder}: REST answers are held against the tests' own expectations only.`);

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
formats.default(ajv);
const documents = new Map<Specification, any>();
const validators = new Map<string, ValidateFunction>();

/** Where a specification contradicts what it shows itself. */
const corrections: Partial<Record<Specification, (document: any) => void>> = {
  'session-context': ({ components }) => {
    // Its own example of a context has a text beside an object.
    components.schemas.Context.additionalProperties = true;
  },
};

function documentOf(name: Specification): any {
  const known = documents.get(name);
  if (known) return known;
  const document = parse(readFileSync(join(folder, `${name}.yml`), 'utf8'));
  corrections[name]?.(document);
  ajv.addSchema(document, name);
  documents.set(name, document);
  return document;
}

const escaped = (segment: string) => segment.replaceAll('~', '~0').replaceAll('/', '~1');

function followed(document: any, pointer: string): { pointer: string; value: any } {
  const value = pointer
    .split('/')
    .slice(1)
    .reduce((node, segment) => node?.[segment.replaceAll('~1', '/').replaceAll('~0', '~')], document);
  return value?.$ref?.startsWith('#/') ? followed(document, value.$ref.slice(1)) : { pointer, value };
}

/** Every operation of a specification, as `GET /path/{parameter}`. */
export const operationsOf = (name: Specification): string[] =>
  Object.entries<object>(documentOf(name).paths).flatMap(([path, operations]) =>
    Object.keys(operations)
      .filter((method) => method !== 'parameters')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );

/** A path of a specification that a request's path is an instance of: the one with the most literal segments. */
function templateOf(document: any, path: string): string | undefined {
  const segments = path.split('/');
  const fits = Object.keys(document.paths).filter((template) => {
    const parts = template.split('/');
    return (
      parts.length === segments.length && parts.every((part, index) => part.startsWith('{') || part === segments[index])
    );
  });
  const literals = (template: string) => template.split('/').filter((part) => !part.startsWith('{')).length;
  return fits.sort((one, other) => literals(other) - literals(one))[0];
}

/** Does any operation list the status? One specification knows no 400, 401, 403 and 409 at all. */
const isKnownTo = (document: any, status: number): boolean =>
  Object.values<any>(document.paths).some((path) => Object.values<any>(path).some((each) => each?.responses?.[status]));

/**
 * Holds an answer against the specification: the status has to be listed, and the body has to satisfy its schema.
 * 429, 500 and 503 are every service's, and listed hardly anywhere.
 */
export function expectSpecified(name: Specification, method: string, path: string, { status, body }: RestAnswer): void {
  if (!hasSpecifications || [405, 413, 415, 429, 500, 503].includes(status)) return;
  const document = documentOf(name);
  if (status >= 400 && !isKnownTo(document, status)) return;
  const template = templateOf(document, path);
  expect(template, `${path} in ${name}.yml`).toBeDefined();
  const operation = `/paths/${escaped(template!)}/${method.toLowerCase()}`;
  const listed = Object.keys(followed(document, `${operation}/responses`).value ?? {});
  // Two operations of the platform list no errors at all.
  if (status >= 400 && listed.length > 0 && listed.every((each) => each.startsWith('2'))) return;
  // The platform does not say how it refuses a company; ours is its refusal of everything else.
  if (status === 403 && template!.endsWith('/refreshauthtoken')) return;
  const response = followed(document, `${operation}/responses/${status}`);
  expect(response.value, `${method} ${template} answers ${status} in ${name}.yml`).toBeDefined();
  const content = Object.keys(response.value.content ?? {})[0];
  if (content === undefined) return;
  const { pointer, value } = followed(document, `${response.pointer}/content/${escaped(content)}/schema`);
  if (value === undefined) return;
  const reference = `${name}#${pointer.split('/').map(encodeURIComponent).join('/')}`;
  const validate = validators.get(reference) ?? ajv.compile({ $ref: reference });
  validators.set(reference, validate);
  const problems = validate(body)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  expect(problems, `${method} ${path} ${status}: ${JSON.stringify(body)}`).toEqual([]);
}

/** The members that a schema names, those of what it is made of included. */
function membersOf(document: any, schema: any): string[] {
  const { value } = schema.$ref ? followed(document, schema.$ref.slice(1)) : { value: schema };
  return [
    ...Object.keys(value.properties ?? {}),
    ...(value.allOf ?? []).flatMap((part: any) => membersOf(document, part)),
  ];
}

/** The members of an answer's body that the specification names. */
export function fieldsOf(name: Specification, method: string, path: string, status: number): string[] {
  const document = documentOf(name);
  const operation = `/paths/${escaped(templateOf(document, path)!)}/${method.toLowerCase()}`;
  const { value } = followed(document, `${operation}/responses/${status}`);
  return membersOf(document, Object.values<any>(value.content)[0].schema);
}

/** A caller of the routes of one specification; every answer is held against it. */
export const restClient =
  (name: Specification) =>
  async (at: Pick<Service, 'url'>, method: string, path: string, request: RestRequest = {}): Promise<RestAnswer> => {
    const { token, query = {}, body, headers = {} } = request;
    const search = new URLSearchParams(query).toString();
    const response = await fetch(`${at.url}${path}${search && `?${search}`}`, {
      method,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
    expectSpecified(name, method, path, answer);
    return answer;
  };
