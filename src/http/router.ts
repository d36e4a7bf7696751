// The route table: methods, path, who may, handler. Exact paths and `{param}` segments; what is not listed is 404.
// Invariant: a route without an `access` does not compile, and no two routes answer the same method and path.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestContext } from '../context.ts';
import type { Access } from '../permissions/access.ts';
import type { Describes } from './description.ts';
import type { ErrorRenderer } from './oauth-response.ts';

/** An HTTP method that routes can take. Whoever takes OPTIONS is asked no preflights by browsers: it answers itself. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** Who may: by a bearer's scopes, checked before the handler runs, or by what the handler itself checks. */
export type RouteAccess = Access | { readonly kind: 'checked'; readonly by: string };

/** The handler, or what it calls, decides; `by` says what that is. */
export const checkedBy = (by: string): RouteAccess => ({ kind: 'checked', by });

/** A request on its way, beside node's own objects. */
export interface Call {
  readonly requestId: string;
  /** See RequestContext. */
  readonly ipAddress: string | null;
  /** Without query. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly query: string;
  /** The `{param}` segments, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The server is shutting down. */
  readonly draining: boolean;
  /** Checks the bearer, once. @throws OAuthError `invalid_token` above 8 KB; SERVICE_UNAVAILABLE. */
  authenticate(): Promise<RequestContext>;
  /** The answer is a stream: no time limit; `end` is called when the server shuts down. */
  streaming(end: () => void): void;
}

/** Answers. What it throws is rendered by `Route.refuse`. */
export type Handler = (req: IncomingMessage, res: ServerResponse, call: Call) => void | Promise<void>;

/** One line of the table. */
export interface Route {
  readonly methods: readonly Method[];
  readonly path: string;
  readonly access: RouteAccess;
  readonly handle: Handler;
  /** What /openapi.json says of it. */
  readonly describes?: Describes;
  /** How this family of endpoints speaks of errors; default: RFC 6749 s.5.2. */
  readonly refuse?: ErrorRenderer;
}

interface Node {
  readonly exact: Map<string, Node>;
  parameter: Node | null;
  readonly routes: Route[];
  /** What `Allow` says of the path, OPTIONS included. */
  readonly allow: string[];
}

/** What lives at a path. Routes of one path name their parameters alike. */
export interface Found {
  readonly routes: readonly Route[];
  /** The methods that are answered here (RFC 9110 s.10.2.1): of OPTIONS, the server's own answer where no route has it. */
  readonly allow: readonly string[];
  readonly params: Readonly<Record<string, string>>;
}

const newNode = (): Node => ({ exact: new Map(), parameter: null, routes: [], allow: ['OPTIONS'] });
/** Of a path without any. */
export const noParams: Readonly<Record<string, string>> = Object.freeze({});
const isParameter = (segment: string) => segment.startsWith('{') && segment.endsWith('}');

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** Builds the table. @throws Error when two routes collide. */
export function createRouter(routes: readonly Route[]): (path: string) => Found | null {
  const root = newNode();
  const exactPaths = new Map<string, Found>();

  for (const route of routes) {
    let node = root;
    for (const segment of route.path.split('/').slice(1)) {
      if (isParameter(segment)) {
        node.parameter ??= newNode();
        node = node.parameter;
      } else {
        if (!node.exact.has(segment)) node.exact.set(segment, newNode());
        node = node.exact.get(segment)!;
      }
    }
    const taken = node.routes.flatMap((other) => other.methods).find((method) => route.methods.includes(method));
    if (taken) throw new Error(`Two routes answer ${taken} ${route.path}.`);
    if (node.routes[0] && node.routes[0].path !== route.path)
      throw new Error(`${route.path} and ${node.routes[0].path} differ in names only.`);
    node.routes.push(route);
    node.allow.splice(-1, 0, ...route.methods.filter((method) => method !== 'OPTIONS'));
    if (!route.path.includes('{'))
      exactPaths.set(route.path, { routes: node.routes, allow: node.allow, params: noParams });
  }

  /** Literal segments first; the values of parameters in order. */
  const walk = (
    node: Node,
    segments: readonly string[],
    index: number,
    values: readonly string[],
  ): { node: Node; values: readonly string[] } | null => {
    if (index === segments.length) return node.routes.length > 0 ? { node, values } : null;
    const segment = segments[index]!;
    const exact = node.exact.get(segment);
    const found = exact && walk(exact, segments, index + 1, values);
    if (found || !node.parameter || segment === '') return found ?? null;
    const value = decoded(segment);
    return value === null ? null : walk(node.parameter, segments, index + 1, [...values, value]);
  };

  return (path) => {
    const exact = exactPaths.get(path);
    if (exact) return exact;
    const found = walk(root, path.split('/').slice(1), 0, []);
    if (!found) return null;
    const names = found.node.routes[0]!.path.split('/').filter(isParameter);
    return {
      routes: found.node.routes,
      allow: found.node.allow,
      params: Object.fromEntries(names.map((name, index) => [name.slice(1, -1), found.values[index]!])),
    };
  };
}
