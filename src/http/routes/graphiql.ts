// GraphiQL from this server alone: the page at /graphql, its files below it, cached for good under their digest.
// Invariant: no other host is named or asked, and the policy of the page allows none (security.md section 2, case 89).

import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { open } from '../../permissions/access.ts';
import { noSuchPath } from '../http-error.ts';
import { sendText } from '../oauth-response.ts';
import type { Route } from '../router.ts';
import { stories } from './graphiql-stories.ts';

// The editor writes its style elements at run time; scripts and workers come from files only.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "worker-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  'font-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = JSON.stringify({ Authorization: 'Bearer <paste accessToken here>' }, null, 2);

/**
 * Starts the editor. A header that still has its placeholder stands for the token that was last used in any tab,
 * and for no header before that. Documents stay out of the address bar: they may hold passwords.
 */
const startScript = (files: Record<'editor' | 'json' | 'graphql', string>) => `
'use strict';
const workers = ${JSON.stringify({ editorWorkerService: files.editor, json: files.json, graphql: files.graphql })};
const below = location.pathname.replace(/\\/$/, '') + '/ui/';
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => below + (workers[label] ?? workers.editorWorkerService) };

const send = globalThis.fetch.bind(globalThis);
let pasted = sessionStorage.getItem('lastAuthorization');
globalThis.fetch = (input, init = {}) => {
  const headers = new Headers(init.headers);
  const authorization = headers.get('authorization');
  if (authorization !== null && !authorization.includes('<')) sessionStorage.setItem('lastAuthorization', (pasted = authorization));
  else if (pasted === null) headers.delete('authorization');
  else headers.set('authorization', pasted);
  return send(input, { ...init, headers });
};

YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
  title: 'Scopeward',
  endpoint: location.pathname,
  method: 'POST',
  headers: ${JSON.stringify(HEADERS)},
  shouldPersistHeaders: true,
  defaultEditorToolsVisibility: 'headers',
  defaultTabs: ${JSON.stringify(
    stories.map(({ query, variables }) => ({
      query,
      headers: HEADERS,
      variables: variables ? JSON.stringify(variables, null, 2) : null,
    })),
  )},
  onEditQuery: () => {},
});
`;

const pageText = (style: string, bundle: string, start: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Scopeward GraphiQL</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="graphql/ui/${style}">
  </head>
  <body class="no-focus-outline">
    <noscript>GraphiQL needs JavaScript.</noscript>
    <div id="root"></div>
    <script src="graphql/ui/${bundle}"></script>
    <script src="graphql/ui/${start}"></script>
  </body>
</html>
`;

interface File {
  readonly type: string;
  readonly text: string;
  packed: Promise<Buffer> | null;
}

/** The page, and the routes of its files. Loads the bundle (9 MB) only when called. */
export async function createGraphiql(): Promise<{ page: (res: ServerResponse) => void; routes: Route[] }> {
  const bundle = await import('@graphql-yoga/render-graphiql/graphiql');
  const files = new Map<string, File>();
  const add = (name: string, extension: 'js' | 'css', text: string) => {
    const file = `${name}.${createHash('sha256').update(text).digest('hex').slice(0, 16)}.${extension}`;
    files.set(file, {
      type: extension === 'js' ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8',
      text,
      packed: null,
    });
    return file;
  };
  const start = startScript({
    editor: add('editor-worker', 'js', bundle.editorWorkerService),
    json: add('json-worker', 'js', bundle.jsonWorker),
    graphql: add('graphql-worker', 'js', bundle.graphqlWorker),
  });
  const html = pageText(
    add('graphiql', 'css', bundle.css),
    add('graphiql', 'js', bundle.js),
    add('start', 'js', start),
  );

  return {
    page: (res) => sendText(res, 200, 'text/html; charset=utf-8', html, { 'Content-Security-Policy': POLICY }),
    routes: [
      {
        methods: ['GET', 'HEAD'],
        path: '/graphql/ui/{file}',
        access: open,
        describes: 'internal',
        async handle(req, res, { params }) {
          const file = files.get(params.file!);
          if (!file) throw noSuchPath();
          const headers = { 'Cache-Control': 'public, max-age=31536000, immutable', Vary: 'Accept-Encoding' };
          if (!/\bgzip\b/.test(String(req.headers['accept-encoding'] ?? '')))
            return sendText(res, 200, file.type, file.text, headers);
          file.packed ??= promisify(gzip)(file.text);
          sendText(res, 200, file.type, await file.packed, { ...headers, 'Content-Encoding': 'gzip' });
        },
      },
    ],
  };
}
