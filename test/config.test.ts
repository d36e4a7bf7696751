// readConfig: every setting is checked at start, and a wrong one stops the process with a sentence that names it.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config/config.ts';
import { availableCores, granted } from '../src/config/cores.ts';

const production = {
  NODE_ENV: 'production',
  ISSUER: 'https://auth.example',
  DATABASE_URL: 'postgresql://scopeward@db/scopeward',
  KEY_ENCRYPTION_SECRET: 'x'.repeat(32),
};

const refusal = (source: Record<string, string | undefined>): string => {
  try {
    readConfig(source);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('It was accepted.');
};

describe('without any setting', () => {
  it('runs for development: local only, an embedded database in .data, demo data, GraphiQL, introspection', () => {
    expect(readConfig({})).toEqual({
      production: false,
      host: '127.0.0.1',
      port: 4000,
      issuer: 'http://localhost:4000',
      audience: 'http://localhost:4000',
      database: { kind: 'folder', path: '.data' },
      auditRetentionDays: 400,
      idpPrivateAddresses: true,
      keyEncryptionSecret: expect.stringMatching(/.{32}/),
      signingAlgorithm: 'ES256',
      refreshRetrySeconds: 10,
      clockToleranceSeconds: 5,
      logLevel: 'info',
      seedDemo: true,
      graphiql: true,
      introspection: true,
      emporixCompat: true,
      forwardAuthStrict: true,
      corsOrigins: ['*'],
      trustedProxies: null,
      mail: { kind: 'terminal' },
      links: { storefrontUrl: 'http://localhost:3000', consoleUrl: 'http://localhost:3000' },
      metrics: { kind: 'everybody' },
      tracing: false,
      workers: 1,
      shutdownSeconds: 25,
    });
  });

  it('an empty setting counts as absent', () => {
    expect(readConfig({ PORT: '', ISSUER: '', TRUSTED_PROXIES: '' })).toEqual(readConfig({}));
  });

  it('the answer cannot be changed afterwards', () => {
    expect(Object.isFrozen(readConfig({}))).toBe(true);
  });
});

describe('a wrong value is refused and named', () => {
  it.each([
    ['NODE_ENV', 'staging'],
    ['PORT', 'http'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['ISSUER', 'auth.example'],
    ['ISSUER', 'ftp://auth.example'],
    ['ISSUER', 'https://auth.example/'],
    ['DATABASE_URL', 'mysql://db/scopeward'],
    ['DATABASE_URL', 'file:'],
    ['DATABASE_URL', '.data'],
    ['DATABASE_POOL_SIZE', '1'],
    ['DATABASE_POOL_SIZE', '201'],
    ['AUDIT_RETENTION_DAYS', '0'],
    ['AUDIT_RETENTION_DAYS', '3651'],
    ['AUDIT_RETENTION_DAYS', '1.5'],
    ['AUDIT_RETENTION_DAYS', 'forever'],
    ['KEY_ENCRYPTION_SECRET', 'too short'],
    ['SIGNING_ALGORITHM', 'HS256'],
    ['SIGNING_ALGORITHM', 'none'],
    ['REFRESH_RETRY_SECONDS', '61'],
    ['REFRESH_RETRY_SECONDS', '-1'],
    ['CLOCK_TOLERANCE_SECONDS', '31'],
    ['LOG_LEVEL', 'loud'],
    ['SEED_DEMO', 'yes'],
    ['GRAPHIQL', '1'],
    ['INTROSPECTION', 'on'],
    ['EMPORIX_COMPAT', 'yes'],
    ['FORWARD_AUTH_STRICT', '0'],
    ['CORS_ORIGINS', 'shop.example'],
    ['CORS_ORIGINS', 'https://shop.example/'],
    ['CORS_ORIGINS', 'https://shop.example,https://shop.example/path'],
    ['TRUSTED_PROXIES', 'proxy.local'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '10.0.0.1,none'],
    ['SMTP_URL', 'mail.shop.example'],
    ['SMTP_URL', 'http://mail.shop.example'],
    ['SMTP_URL', 'smtp://'],
    ['MAIL_FROM', 'the shop'],
    ['MAIL_FROM', 'a@b.example>\r\nBcc: everybody@b.example'],
    ['STOREFRONT_URL', 'shop.example'],
    ['STOREFRONT_URL', 'https://shop.example/'],
    ['STOREFRONT_URL', 'https://shop.example?x'],
    ['CONSOLE_URL', 'ftp://console.example'],
    ['WORKERS', '0'],
    ['WORKERS', '65'],
    ['WORKERS', '1.5'],
    ['WORKERS', 'all'],
    ['SHUTDOWN_SECONDS', '0'],
  ])('%s=%s', (name, value) => {
    expect(refusal({ [name]: value })).toContain(`${name}: `);
  });

  it('all of them at once, not only the first', () => {
    const message = refusal({ PORT: 'x', LOG_LEVEL: 'x', SEED_DEMO: 'x' });
    for (const name of ['PORT', 'LOG_LEVEL', 'SEED_DEMO']) expect(message).toContain(`${name}: `);
  });

  it('without repeating a secret', () => {
    expect(refusal({ KEY_ENCRYPTION_SECRET: 'a short secret' })).not.toContain('a short secret');
    expect(refusal({ DATABASE_URL: 'mysql://me:password@db' })).not.toContain('password');
    expect(refusal({ SMTP_URL: 'https://me:password@mail' })).not.toContain('password');
  });
});

describe('workers', () => {
  const on = (source: Record<string, string>) => {
    const { workers, database } = readConfig({ ...production, ...source });
    return [workers, database.kind === 'postgresql' ? database.poolSize : null];
  };

  it('share the connections of the instance: 10, or 5 for each where that is more', () => {
    expect(on({ WORKERS: '1' })).toEqual([1, 10]);
    expect(on({ WORKERS: '2' })).toEqual([2, 5]);
    expect(on({ WORKERS: '8' })).toEqual([8, 5]);
    expect(on({ WORKERS: '3', DATABASE_POOL_SIZE: '20' })).toEqual([3, 6]);
    expect(on({ WORKERS: '8', DATABASE_POOL_SIZE: '10' })).toEqual([8, 2]);
  });

  it('are one outside production unless asked for, and auto is one for each core', () => {
    const development = { NODE_ENV: 'development', DATABASE_URL: production.DATABASE_URL };
    expect(on(development)[0]).toBe(1);
    expect(on({ ...development, WORKERS: 'auto' })[0]).toBe(Math.min(64, availableCores()));
    expect(on({ ...development, WORKERS: '2' })[0]).toBe(2);
  });

  it.each(['memory:', 'file:.data'])('are one on an embedded database, %s', (DATABASE_URL) => {
    expect(readConfig({ DATABASE_URL, WORKERS: 'auto' }).workers).toBe(1);
    expect(readConfig({ DATABASE_URL, WORKERS: '1' }).workers).toBe(1);
    expect(refusal({ DATABASE_URL, WORKERS: '2' })).toContain('WORKERS: an embedded database');
  });

  it.each([
    ['max 100000', 8],
    ['200000 100000', 2],
    ['150000 100000\n', 2],
    ['50000 100000', 1],
    ['1600000 100000', 8],
    ['', 8],
  ])('a core that the container was not given does not count: cpu.max "%s" of 8', (cpuMax, cores) => {
    expect(granted(cpuMax, 8)).toBe(cores);
  });
});

describe('production', () => {
  it('listens everywhere, seeds nothing, keeps GraphiQL, introspection and other origins off', () => {
    expect(readConfig(production)).toMatchObject({
      production: true,
      host: '0.0.0.0',
      seedDemo: false,
      graphiql: false,
      introspection: false,
      emporixCompat: true,
      forwardAuthStrict: true,
      corsOrigins: [],
      database: { kind: 'postgresql', url: production.DATABASE_URL },
      workers: Math.min(64, availableCores()),
    });
  });

  it('GraphiQL and introspection can be asked for', () => {
    const asked = { ...production, GRAPHIQL: 'true', INTROSPECTION: 'true' };
    expect(readConfig(asked)).toMatchObject({ graphiql: true, introspection: true });
  });

  it.each([
    ['KEY_ENCRYPTION_SECRET', undefined],
    ['KEY_ENCRYPTION_SECRET', 'development-only-key-encryption-secret'],
    ['DATABASE_URL', undefined],
    ['DATABASE_URL', 'memory:'],
    ['DATABASE_URL', 'file:.data'],
    ['ISSUER', undefined],
    ['ISSUER', 'http://auth.example'],
    ['SEED_DEMO', 'true'],
  ])('refuses to start with %s=%s, and names it', (name, value) => {
    expect(refusal({ ...production, [name]: value })).toContain(`${name}: `);
  });

  it('names everything that is missing', () => {
    const message = refusal({ NODE_ENV: 'production' });
    for (const name of ['KEY_ENCRYPTION_SECRET', 'DATABASE_URL', 'ISSUER']) expect(message).toContain(`${name}: `);
  });
});

describe('mail', () => {
  const smtp = { SMTP_URL: 'smtp://mail.shop.example', MAIL_FROM: 'Shop <no-reply@shop.example>' };
  const urls = { STOREFRONT_URL: 'https://shop.example', CONSOLE_URL: 'https://console.example/admin' };

  it('needs a sender, and in production https links', () => {
    expect(refusal({ ...smtp, MAIL_FROM: undefined })).toContain('MAIL_FROM: needed with SMTP_URL');
    expect(refusal({ ...production, ...smtp })).toMatch(/STOREFRONT_URL: [\s\S]*CONSOLE_URL: /);
    expect(refusal({ ...production, ...smtp, ...urls, CONSOLE_URL: 'http://c.example' })).toContain('CONSOLE_URL: ');
  });

  it('is not there in production unless it is configured, and then nothing leaves the machine in the clear', () => {
    expect(readConfig(production).mail).toEqual({ kind: 'none' });
    const { mail, links } = readConfig({ ...production, ...smtp, ...urls });
    expect(mail).toEqual({ kind: 'smtp', url: smtp.SMTP_URL, from: smtp.MAIL_FROM, encrypted: true });
    expect(links).toEqual({ storefrontUrl: 'https://shop.example', consoleUrl: 'https://console.example/admin' });
    const encrypted = (SMTP_URL: string, more = {}) => readConfig({ ...smtp, ...urls, ...more, SMTP_URL }).mail;
    expect(encrypted('smtp://127.0.0.1:25', production)).toMatchObject({ encrypted: false });
    expect(encrypted('smtp://localhost', production)).toMatchObject({ encrypted: false });
    expect(encrypted('smtp://localhost.evil.example', production)).toMatchObject({ encrypted: true });
    expect(encrypted('smtps://mail.example')).toMatchObject({ encrypted: true });
    expect(encrypted('smtp://mail.example')).toMatchObject({ encrypted: false });
  });
});

describe('watching it', () => {
  const METRICS_TOKEN = 'only-for-prometheus-1';

  it('metrics are for everybody in development, for nobody in production, and with a token for whoever has it', () => {
    expect([readConfig({}).metrics, readConfig(production).metrics]).toEqual([
      { kind: 'everybody' },
      { kind: 'nobody' },
    ]);
    for (const env of [{}, production])
      expect(readConfig({ ...env, METRICS_TOKEN }).metrics).toEqual({ kind: 'token', token: METRICS_TOKEN });
    for (const wrong of ['short', 'with blanks in between', `${METRICS_TOKEN}\n`])
      expect(refusal({ METRICS_TOKEN: wrong })).toContain('METRICS_TOKEN: ');
  });

  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  it.each([
    [{}, false],
    [{ OTEL_SERVICE_NAME: 'auth', OTEL_TRACES_SAMPLER: 'always_on' }, false],
    [endpoint, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }, true],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }, false],
    [{ ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }, false],
    [{ ...endpoint, OTEL_SDK_DISABLED: 'false' }, true],
  ] as const)('traces with %j: %j', (env, tracing) => {
    expect(readConfig(env).tracing).toBe(tracing);
  });

  it.each([
    ['OTEL_TRACES_EXPORTER', 'jaeger'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ])('%s=%s stops the start', (name, value) => {
    expect(refusal({ [name]: value })).toContain(`${name}: `);
  });
});

describe('what is read', () => {
  it.each([
    ['memory:', { kind: 'memory' }],
    ['file:/var/lib/scopeward', { kind: 'folder', path: '/var/lib/scopeward' }],
    ['postgres://db/x', { kind: 'postgresql', url: 'postgres://db/x', poolSize: 10 }],
  ])('DATABASE_URL=%s', (url, database) => {
    expect(readConfig({ DATABASE_URL: url }).database).toEqual(database);
  });

  it('lists, with or without blanks', () => {
    const { corsOrigins, trustedProxies } = readConfig({
      CORS_ORIGINS: 'https://shop.example, http://localhost:3000',
      TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    });
    expect(corsOrigins).toEqual(['https://shop.example', 'http://localhost:3000']);
    expect(trustedProxies).toEqual(['10.0.0.0/8', '::1']);
    expect(readConfig({ TRUSTED_PROXIES: 'none' }).trustedProxies).toEqual([]);
  });

  it('the audience may differ from the issuer', () => {
    expect(readConfig({ AUDIENCE: 'https://api.example' }).audience).toBe('https://api.example');
  });

  it('.env.example lists every setting', () => {
    const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
    const source = readFileSync(new URL('../src/config/config.ts', import.meta.url), 'utf8');
    const names = [...source.matchAll(/^ {2}([A-Z_]{4,}):/gm)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) expect(text, name).toMatch(new RegExp(`^#?${name}=`, 'm'));
  });
});
