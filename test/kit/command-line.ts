// The command line, run in this process on a service of the test, or as a process of its own.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type CreatedTenant, createTenant } from '../../src/cli/create-tenant.ts';
import { run } from '../../src/cli/program.ts';
import { ctxOf, ISSUER, type Service, startService } from './service.ts';
import { PASSWORD } from './stories.ts';

let shared: Promise<Service> | undefined;

/** A service for a worker's tests of the command line: its transactions may be as long as there. */
export const theCommandedService = (): Promise<Service> => (shared ??= startService({}, { transactionMs: 60_000 }));

/** How a command ended, and what it said. */
export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command on a running service. */
export async function command({ app }: Pick<Service, 'app'>, args: readonly string[], input = ''): Promise<Outcome> {
  const said = { out: '', err: '' };
  const terminal = {
    out(written: string) {
      said.out += written;
    },
    err(written: string) {
      said.err += written;
    },
    read: async () => input,
  };
  const code = await run(args, { terminal, withService: (work) => work(app.modules) });
  return { code, ...said };
}

/** Runs the compiled `src/cli/main.ts`. `env`: as in .env.example. */
export async function cliProcess(args: readonly string[], env: Record<string, string>, input = ''): Promise<Outcome> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../dist/cli/main.js'), ...args], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'test', ISSUER, ...env },
  });
  child.stdin.end(input);
  const [[code], out, err] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code, out, err };
}

/** A folder that is gone after the test. */
export function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scopeward-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `import`, from standard input: this content, as JSON unless it is text. */
export const importInto = (
  at: Pick<Service, 'app'>,
  tenant: string,
  content: unknown,
  ...options: readonly string[]
): Promise<Outcome> =>
  command(
    at,
    ['import', '-', '--tenant', tenant, ...options],
    typeof content === 'string' ? content : JSON.stringify(content),
  );

/** A tenant with nothing in it but its administrator `admin@<id>.example`, in the group `administrators`. */
export function givenNewTenant({ app }: Pick<Service, 'app'>): Promise<CreatedTenant> {
  const id = `t-${randomUUID().slice(0, 12)}`;
  const administrator = { email: `admin@${id}.example`, firstName: 'Ada', lastName: 'Test' };
  return createTenant(app.modules, {
    id,
    name: id,
    administrator,
    password: PASSWORD,
    backend: false,
    storefront: false,
  });
}

/** An employee of the tenant who is in no group, `<name>@<tenant>.example`. */
export function givenColleague({ app }: Pick<Service, 'app'>, tenant: string, name: string) {
  const account = { email: `${name}@${tenant}.example`, firstName: name, lastName: 'Test', password: PASSWORD };
  return app.modules.employees.create(ctxOf(tenant), account);
}

const iamTables = ['customScope', 'role', 'accessControl', 'accessControlTemplate', 'group'] as const;
const linkTables = ['templateAccessControl', 'groupAccessControl', 'groupTemplate', 'employeeMembership'] as const;

/** Every row that an import could touch, and how much stands in the trail and among the revocations. */
export async function rowsOfAccess({ app }: Pick<Service, 'app'>, tenantId: string): Promise<unknown> {
  const db = app.modules.database.forTenant({ tenantId });
  const rows: Record<string, unknown> = {
    events: await db.auditEvent.count(),
    revocations: await db.revocation.count(),
  };
  for (const table of [...iamTables, ...linkTables]) {
    const found: object[] = await (db[table] as { findMany(): Promise<object[]> }).findMany();
    rows[table] = found.map((row) => JSON.stringify(row)).sort();
  }
  return rows;
}

/** The statements among these that change what an import could touch. */
export const writesAmong = (statements: readonly string[]): string[] =>
  statements.filter((sql) =>
    /^\s*(INSERT|UPDATE|DELETE)\b.*\b(custom_scopes|roles|access_control\w*|template\w*|group\w*|employee\w*|audit_events|revocations)\b/is.test(
      sql,
    ),
  );
