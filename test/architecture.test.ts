// The architecture, executed: imports point down only, some words have one home, and files stay small.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const src = join(import.meta.dirname, '../src');
const ranks: Record<string, number> = {
  audit: 0,
  scopes: 1,
  tenants: 2,
  keys: 3,
  revocations: 3,
  limits: 3,
  letters: 3,
  administration: 4,
  sessions: 5,
  clients: 5,
  principals: 6,
  iam: 7,
  companies: 8,
  sso: 8,
  tokens: 8,
  grants: 9,
};
const ground = ['errors', 'config', 'database', 'mail', 'observability'];
const mayImport: Record<string, string[]> = {
  database: ['errors', 'config'],
  mail: ['errors', 'config'],
  observability: ['errors', 'config'],
  '@module': ground,
  permissions: ['errors', 'modules/scopes/'],
  '@types': [
    'errors',
    'database/keyset.ts',
    'graphql/batched.ts',
    'graphql/builder.ts',
    'graphql/pagination.ts',
    'permissions/access.ts',
  ],
  graphql: [...ground, 'permissions', '@module', '@types'],
  http: [...ground, 'permissions', '@module'],
  'maintenance.ts': [...ground, '@module'],
  // What other services install: by itself, but for pure code that both sides have to agree on.
  verify: [
    'modules/revocations/revocation-index.ts',
    'modules/revocations/revocation-key.ts',
    'modules/scopes/matching.ts',
    'modules/tenants/token-life.ts',
    'modules/tokens/identity-assertion.ts',
    'modules/tokens/kinds/',
    'modules/tokens/revocation-keys.ts',
    'modules/tokens/recent.ts',
    'modules/tokens/token-text.ts',
  ],
};
/** The processes, and what puts the service together. */
const roots = [
  'main.ts',
  'primary.ts',
  'worker.ts',
  'service-process.ts',
  'welcome.ts',
  'app.ts',
  'cli',
  'demo.ts',
].concat('tenant-set-up.ts', 'after-restore.ts');
const typesOnly = ['context.ts', 'modules/principals/principal.ts'];
const fences: [string, RegExp][] = [
  ['process.env', /^config\//],
  ["'@prisma/", /^database\//],
  ["'jose'", /^(modules\/(keys|tokens|sso)|verify)\//],
  ["'nodemailer'", /^mail\//],
  ["'graphql-shield'", /^permissions\/rule-tree\.ts$/],
  ["'prom-client'", /^observability\/(whole-)?metrics\.ts$/],
  // With one worker there is no cluster.
  ["'node:cluster'", /^(primary|worker)\.ts$/],
  // Whatever imports more of it than types is loaded only where traces are wanted.
  ["'@opentelemetry/", /^observability\/(opentelemetry|tracing)\.ts$/],
];
/** What libraries offer and nobody here may use, wherever: each lets an attacker choose what must be ours. */
const banned: [string, RegExp][] = [
  ['EmbeddedJWK: a token must not bring its own key', /EmbeddedJWK/],
  ['raw SQL without parameters', /\$(query|execute)RawUnsafe\s*[(`]/],
  [
    'a verification key as bytes turns a public key into a shared secret',
    /jwtVerify\([^,]+,\s*(new |Buffer|Uint8Array|encoder)|createSecretKey/,
  ],
];
const area = (file: string) =>
  !file.startsWith('modules/') ? file.split('/')[0]! : file.endsWith('.graphql.ts') ? '@types' : '@module';
const slice = (file: string) => file.split('/')[1]!;

function isAllowed(from: string, to: string, typeImport: boolean): boolean {
  const [a, b] = [area(from), area(to)];
  if (b === 'verify' && a !== b) return false;
  if (a === 'verify' && typeImport && to === 'modules/tokens/claims.ts') return true;
  if (roots.includes(a) || (typeImport && typesOnly.includes(to))) return true;
  if (a === '@module' && b === '@module') return slice(from) === slice(to) || ranks[slice(to)]! < ranks[slice(from)]!;
  if (a === '@types' && b === '@module') return slice(from) === slice(to) || (typeImport && typesOnly.includes(to));
  return a === b || (mayImport[a] ?? []).some((entry) => entry === b || (to.startsWith(entry) && b !== '@types'));
}

const text = (file: string) => readFileSync(join(src, file), 'utf8');
const files = (readdirSync(src, { recursive: true }) as string[]).filter(
  (file) => file.endsWith('.ts') && !file.includes('generated'),
);
const imports = (file: string) =>
  [...text(file).matchAll(/^(?:import|export) (type )?[^'"=]*['"](\.[^'"]+)['"]/gm)].map((match) => ({
    to: relative(src, join(src, dirname(file), match[2]!)),
    typeImport: Boolean(match[1]),
  }));

it.each(files)('%s imports downwards only', (file) =>
  expect(
    imports(file)
      .filter(({ to, typeImport }) => !to.includes('generated') && !isAllowed(file, to, typeImport))
      .map(({ to }) => to),
  ).toEqual([]),
);

it.each(files)('%s stays within the fences', (file) =>
  expect(fences.filter(([word, home]) => text(file).includes(word) && !home.test(file)).map(([word]) => word)).toEqual(
    [],
  ),
);

it.each(files)('cases 2, 5 and 105: %s uses nothing that is banned', (file) =>
  expect(banned.filter(([, pattern]) => pattern.test(text(file))).map(([why]) => why)).toEqual([]),
);

/** What a file loads when it runs, with everything that loads in turn: files of ours, and packages by name. */
function loadedBy(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const match of text(file).matchAll(/^(?:import|export) (?!type )(?:[^'"=]* from )?['"]([^'"]+)['"]/gm)) {
    if (match[1]!.startsWith('.')) loadedBy(relative(src, join(src, dirname(file), match[1]!)), found);
    else found.add(match[1]!);
  }
  return found;
}

it.each([
  ['verify/verify.ts', ['jose']],
  ['verify/express.ts', []],
  ['verify/fastify.ts', []],
  ['verify/yoga.ts', ['graphql']],
])('%s loads no package but %j, and nothing of the server', (file, packages) => {
  const loaded = [...loadedBy(file)];
  // What comes with node has not to be installed.
  expect(loaded.filter((name) => !/\.ts$|^node:/.test(name)).sort()).toEqual(packages);
  const foreign = /^(app|cli|config|database|errors|graphql|http|observability|permissions)\b.*\.ts$/;
  expect(loaded.filter((name) => foreign.test(name))).toEqual([]);
});

it('the bans find what they ban', () => {
  const offences = ['EmbeddedJWK', 'db.$queryRawUnsafe(sql)', 'jwtVerify(token, new TextEncoder().encode(pem))'];
  expect(offences.map((offence) => banned.filter(([, pattern]) => pattern.test(offence)).length)).toEqual([1, 1, 1]);
});

it.each(files)('%s stays under 300 lines', (file) =>
  expect(text(file).split('\n').length).toBeLessThan(file.endsWith('registry.ts') ? Number.POSITIVE_INFINITY : 300),
);
