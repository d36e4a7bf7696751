// Alone reads the environment. Everything is parsed once, at start; a wrong value stops the process with a
// sentence that names it. See .env.example for the same list with words.

import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { availableCores } from './cores.ts';

const integer = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );

const isAddressOrRange = (text: string) => {
  const [address = '', bits = '0', ...rest] = text.split('/');
  return (
    rest.length === 0 &&
    (isIPv4(address) || isIPv6(address)) &&
    /^\d{1,3}$/.test(bits) &&
    Number(bits) <= (isIPv4(address) ? 32 : 128)
  );
};

/** `*`, or an origin as browsers send it: lower-case, no path, never `null`. */
const isOrigin = (text: string) => text === '*' || /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#A-Z]+$/.test(text);

/** Where a page hangs its path on. */
const base = z
  .url({ protocol: /^https?$/ })
  .regex(/^[^?#]*[^?#/]$/, 'must not end with a slash, nor have a query or fragment');

/** Is the host this machine? */
const isLocal = (url: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);

const MOST_WORKERS = 64;

/** The key that development uses when none is given: known to everybody, so production refuses it. */
const DEVELOPMENT_SECRET = 'development-only-key-encryption-secret';

const environment = z.object({
  NODE_ENV: z.enum(['production', 'development', 'test']).default('development'),
  HOST: z.string().min(1).optional(),
  PORT: integer(4000, 0, 65535),
  ISSUER: z.url({ protocol: /^https?$/ }).optional(),
  AUDIENCE: z.string().min(1).optional(),
  DATABASE_URL: z
    .string()
    .regex(/^(memory:|file:.+|postgres(ql)?:\/\/.+)$/, 'must be memory:, file:PATH or postgresql://…')
    .optional(),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(200).optional(),
  AUDIT_RETENTION_DAYS: integer(400, 1, 3650),
  KEY_ENCRYPTION_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  SIGNING_ALGORITHM: z.enum(['ES256', 'EdDSA']).default('ES256'),
  REFRESH_RETRY_SECONDS: integer(10, 0, 60),
  CLOCK_TOLERANCE_SECONDS: integer(5, 0, 30),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  IDP_PRIVATE_ADDRESSES: z.enum(['true', 'false']).optional(),
  SEED_DEMO: z.enum(['true', 'false']).optional(),
  GRAPHIQL: z.enum(['true', 'false']).optional(),
  INTROSPECTION: z.enum(['true', 'false']).optional(),
  FORWARD_AUTH_STRICT: z.enum(['true', 'false']).default('true'),
  CORS_ORIGINS: list.refine(
    (origins) => origins.every(isOrigin),
    'must be a list of origins as browsers send them, such as https://shop.example',
  ),
  TRUSTED_PROXIES: z
    .string()
    .optional()
    .transform((text) =>
      text === undefined || text === '' ? null : text === 'none' ? [] : text.split(',').map((part) => part.trim()),
    )
    .refine(
      (ranges) => ranges === null || ranges.every(isAddressOrRange),
      'must be "none" or a list of addresses and CIDR ranges',
    ),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\/[^\s/?#]+\/?(\?\S*)?$/, 'must be smtp://… or smtps://…')
    .refine(URL.canParse, 'must be a URL')
    .optional(),
  MAIL_FROM: z
    .string()
    .regex(/^(?:[^<>@\r\n]*<)?[^\s<>@]+@[^\s<>@]+>?$/, 'must be an address, such as Shop <no-reply@shop.example>')
    .optional(),
  STOREFRONT_URL: base.optional(),
  CONSOLE_URL: base.optional(),
  EMPORIX_COMPAT: z.enum(['true', 'false']).default('true'),
  METRICS_TOKEN: z
    .string()
    .regex(/^[\w~+/.-]{16,}=*$/, 'must have at least 16 characters, of those that a bearer token can have')
    .optional(),
  // The SDK reads these itself, and more of them; what is said here is whether it is asked at all.
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().optional(),
  OTEL_TRACES_SAMPLER: z
    .enum(['always_on', 'always_off', 'traceidratio'].flatMap((name) => [name, `parentbased_${name}`]))
    .optional(),
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'none']).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.literal('http/json', 'must be http/json: no other is spoken').optional(),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: z.literal('http/json', 'must be http/json: no other is spoken').optional(),
  WORKERS: z
    .union([z.literal('auto'), z.coerce.number().int().min(1).max(MOST_WORKERS)], {
      error: `must be auto or a whole number from 1 to ${MOST_WORKERS}`,
    })
    .optional(),
  SHUTDOWN_SECONDS: integer(25, 1, 300),
});

/** How many processes share the work. An embedded database belongs to one. */
function workersOf(asked: number | 'auto', isEmbedded: boolean): number {
  if (asked !== 'auto') return asked;
  return isEmbedded ? 1 : Math.min(MOST_WORKERS, availableCores());
}

/** What a worker gets of the connections of all: two at least, as one transaction must not stop all else. */
const poolShare = (asked: number | undefined, workers: number): number =>
  Math.max(2, Math.floor((asked ?? Math.max(10, 5 * workers)) / workers));

/** Are traces wanted? By the rules of OpenTelemetry, but for one: where nothing is said, there are none. */
const isTraced = (env: z.infer<typeof environment>): boolean =>
  env.OTEL_SDK_DISABLED?.toLowerCase() !== 'true' &&
  env.OTEL_TRACES_EXPORTER !== 'none' &&
  [env.OTEL_TRACES_EXPORTER, env.OTEL_EXPORTER_OTLP_ENDPOINT, env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT].some(Boolean);

/** How the service is to run. */
export interface Config {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** `iss` of every token, and the base of every URL that we print. */
  readonly issuer: string;
  /** `aud` of every token. */
  readonly audience: string;
  readonly database:
    | { readonly kind: 'memory' }
    | { readonly kind: 'folder'; readonly path: string }
    // The connections of each worker.
    | { readonly kind: 'postgresql'; readonly url: string; readonly poolSize: number };
  /** Older audit events are deleted. */
  readonly auditRetentionDays: number;
  readonly keyEncryptionSecret: string;
  readonly signingAlgorithm: 'ES256' | 'EdDSA';
  readonly refreshRetrySeconds: number;
  readonly clockToleranceSeconds: number;
  /** May identity providers have private addresses, and speak http? */
  readonly idpPrivateAddresses: boolean;
  readonly logLevel: string;
  readonly seedDemo: boolean;
  readonly graphiql: boolean;
  readonly introspection: boolean;
  /** Does the gateway check refuse requests that already carry a header of identity? */
  readonly forwardAuthStrict: boolean;
  /** Origins that browsers may call from; `*` outside production. Never with credentials. */
  readonly corsOrigins: readonly string[];
  /** Whose X-Forwarded-For is believed; null: not said, so limits per address are off. */
  readonly trustedProxies: readonly string[] | null;
  /** How letters leave. `encrypted`: not without TLS. `terminal`: they are shown instead; `none`: there are none. */
  readonly mail:
    | { readonly kind: 'smtp'; readonly url: string; readonly from: string; readonly encrypted: boolean }
    | { readonly kind: 'terminal' }
    | { readonly kind: 'none' };
  /** Bases of the links in letters, for tenants that set none of their own; no slash at the end. */
  readonly links: { readonly storefrontUrl: string; readonly consoleUrl: string };
  /** Are the routes there that clients of Emporix call? */
  readonly emporixCompat: boolean;
  /** Who may read /metrics; `nobody`: it is not there. */
  readonly metrics:
    | { readonly kind: 'everybody' }
    | { readonly kind: 'token'; readonly token: string }
    | { readonly kind: 'nobody' };
  /** Are traces sent? Where to and how many, OpenTelemetry's SDK reads from OTEL_*. */
  readonly tracing: boolean;
  /** How many processes answer on the port. */
  readonly workers: number;
  readonly shutdownSeconds: number;
}

/** A setting that the process cannot start with. */
export class ConfigError extends Error {
  constructor(problems: string[]) {
    super(`The configuration is not usable.\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** Reads the settings. @throws ConfigError naming every setting that is wrong. */
export function readConfig(source: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  }
  const env = parsed.data;
  const production = env.NODE_ENV === 'production';
  const host = env.HOST ?? (production ? '0.0.0.0' : '127.0.0.1');
  const issuer = env.ISSUER ?? `http://localhost:${env.PORT}`;
  const databaseUrl = env.DATABASE_URL ?? 'file:.data';
  const isEmbedded = !databaseUrl.startsWith('postgres');
  const workers = workersOf(env.WORKERS ?? (production ? 'auto' : 1), isEmbedded);
  const problems: string[] = [];
  if (isEmbedded && workers > 1)
    problems.push('WORKERS: an embedded database (DATABASE_URL memory: or file:) is for one process, so 1 or auto');
  if (production) {
    if (!env.KEY_ENCRYPTION_SECRET) problems.push('KEY_ENCRYPTION_SECRET: needed in production');
    if (env.KEY_ENCRYPTION_SECRET === DEVELOPMENT_SECRET)
      problems.push('KEY_ENCRYPTION_SECRET: is the one of development');
    if (!env.DATABASE_URL?.startsWith('postgres')) problems.push('DATABASE_URL: production needs postgresql://…');
    if (!issuer.startsWith('https://')) problems.push('ISSUER: production needs an https URL');
    if (env.CORS_ORIGINS.includes('*')) problems.push('CORS_ORIGINS: production needs the origins by name');
    if (env.SEED_DEMO === 'true') problems.push('SEED_DEMO: demo data has known passwords and stays out of production');
  }
  const storefrontUrl = env.STOREFRONT_URL ?? 'http://localhost:3000';
  const consoleUrl = env.CONSOLE_URL ?? storefrontUrl;
  if (env.SMTP_URL && !env.MAIL_FROM) problems.push('MAIL_FROM: needed with SMTP_URL');
  if (production && env.SMTP_URL) {
    if (!storefrontUrl.startsWith('https://')) problems.push('STOREFRONT_URL: mail in production needs an https URL');
    if (!consoleUrl.startsWith('https://')) problems.push('CONSOLE_URL: mail in production needs an https URL');
  }
  if (issuer.endsWith('/')) problems.push('ISSUER: must not end with a slash');
  if (problems.length > 0) throw new ConfigError(problems);

  return Object.freeze({
    production,
    host,
    port: env.PORT,
    issuer,
    audience: env.AUDIENCE ?? issuer,
    database: !isEmbedded
      ? { kind: 'postgresql', url: databaseUrl, poolSize: poolShare(env.DATABASE_POOL_SIZE, workers) }
      : databaseUrl === 'memory:'
        ? { kind: 'memory' }
        : { kind: 'folder', path: databaseUrl.slice('file:'.length) },
    auditRetentionDays: env.AUDIT_RETENTION_DAYS,
    keyEncryptionSecret: env.KEY_ENCRYPTION_SECRET ?? DEVELOPMENT_SECRET,
    signingAlgorithm: env.SIGNING_ALGORITHM,
    refreshRetrySeconds: env.REFRESH_RETRY_SECONDS,
    clockToleranceSeconds: env.CLOCK_TOLERANCE_SECONDS,
    idpPrivateAddresses: env.IDP_PRIVATE_ADDRESSES ? env.IDP_PRIVATE_ADDRESSES === 'true' : !production,
    logLevel: env.LOG_LEVEL,
    seedDemo: env.SEED_DEMO ? env.SEED_DEMO === 'true' : !production,
    graphiql: env.GRAPHIQL ? env.GRAPHIQL === 'true' : !production,
    introspection: env.INTROSPECTION ? env.INTROSPECTION === 'true' : !production,
    forwardAuthStrict: env.FORWARD_AUTH_STRICT === 'true',
    corsOrigins: env.CORS_ORIGINS.length > 0 ? env.CORS_ORIGINS : production ? [] : ['*'],
    trustedProxies: env.TRUSTED_PROXIES,
    mail: env.SMTP_URL
      ? {
          kind: 'smtp',
          url: env.SMTP_URL,
          from: env.MAIL_FROM ?? '',
          encrypted: env.SMTP_URL.startsWith('smtps:') || (production && !isLocal(env.SMTP_URL)),
        }
      : { kind: production ? 'none' : 'terminal' },
    links: { storefrontUrl, consoleUrl },
    emporixCompat: env.EMPORIX_COMPAT === 'true',
    metrics: env.METRICS_TOKEN
      ? { kind: 'token', token: env.METRICS_TOKEN }
      : { kind: production ? 'nobody' : 'everybody' },
    tracing: isTraced(env),
    workers,
    shutdownSeconds: env.SHUTDOWN_SECONDS,
  } satisfies Config);
}
