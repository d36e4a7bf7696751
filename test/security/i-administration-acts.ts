// What the tests of section I do: act as somebody with exactly some scopes, by any mutation of the schema, and see
// whether anything has changed. Tokens come from the real grants; only the password's hash is spared.

import { isLeafType } from 'graphql';
import { Prisma } from '../../src/database/generated/client.ts';
import { schema } from '../../src/graphql/schema.ts';
import { newSessionId } from '../../src/modules/sessions/sessions.ts';
import { givenEmployeeGroup } from '../kit/given.ts';
import { type Answer, graphql, only } from '../kit/graphql.ts';
import { ctxOf, type Service } from '../kit/service.ts';

type Has = Pick<Service, 'app'>;
type At = Pick<Service, 'url'>;

const DAY = 86_400;

/** The names of all mutations of the schema that is served. */
export const mutations: readonly string[] = Object.keys(schema.getMutationType()!.getFields()).sort();

/** Calls a mutation, asking for nothing but `select` of what it answers. */
export function mutate(
  at: At,
  bearer: string | undefined,
  name: string,
  variables: Record<string, unknown> = {},
  select = '__typename',
): Promise<Answer<any>> {
  const field = schema.getMutationType()!.getFields()[name]!;
  const given = field.args.filter((arg) => arg.name in variables);
  const declared = given.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const passed = given.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const selected = isLeafType('ofType' in field.type ? field.type.ofType : field.type) ? '' : `{ ${select} }`;
  const query = `mutation ${declared && `(${declared})`} { ${name}${passed && `(${passed})`} ${selected} }`;
  return graphql(at, query, { bearer, variables });
}

/** Code, reason and missing scopes of an answer; `done` where there is no error. */
export function outcomeOf({ errors: [error] }: Answer): string {
  if (!error) return 'done';
  const { code, reason, missingScopes } = error.extensions as Record<string, string & string[]>;
  return [code, reason, missingScopes?.join(' ')].filter(Boolean).join(': ');
}

/** Every row that belongs to a tenant, as text, by table. */
export async function rowsOfTenant({ app }: Has, tenantId: string): Promise<Record<string, string[]>> {
  const system = app.modules.database.system();
  const tables = await system.$queryRaw<{ name: string }[]>`
    SELECT c.table_name AS name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND c.column_name = 'tenant_id' AND t.table_type = 'BASE TABLE'
      -- What the service notes of its own accord, now and then.
      AND c.table_name <> 'client_scope_usage' ORDER BY 1`;
  const rows: Record<string, string[]> = {};
  for (const { name } of tables) {
    const found = await system.$queryRaw<{ row: string }[]>(
      Prisma.sql`SELECT t::text AS row FROM ${Prisma.raw(`"${name}"`)} t WHERE tenant_id = ${tenantId} ORDER BY 1`,
    );
    rows[name] = found.map(({ row }) => row);
  }
  return rows;
}

/** Begins a session. @returns its refresh token */
export async function beginSession(
  { app }: Has,
  tenantId: string,
  owner: { kind: 'customer' | 'employee'; id: string },
  clientId: string | null,
): Promise<string> {
  const ctx = ctxOf(tenantId);
  const { database, refreshTokens, sessions } = app.modules;
  const id = newSessionId();
  const refreshToken = refreshTokens.first();
  const lives = { idleSeconds: DAY, mostSeconds: DAY };
  const made = { refreshTokenId: refreshToken.id, event: { type: 'login.succeeded' } } as const;
  await database.transaction(ctx, (tx) =>
    sessions.begin(tx, ctx, { id, owner, clientId, legalEntityId: null, context: null, ...lives, ...made }),
  );
  return refreshToken.token;
}

/** What a token says that it allows, and the token. */
export interface Token {
  readonly accessToken: string;
  readonly scopes: readonly string[];
}

/** Asks for a token of an employee in a session of its own. */
export async function tryEmployeeToken(service: Service, tenantId: string, id: string): Promise<Answer<any>> {
  const refreshToken = await beginSession(service, tenantId, { kind: 'employee', id }, null);
  return mutate(service, undefined, 'refreshEmployeeToken', { input: { refreshToken } }, 'accessToken scopes');
}

/** An employee's token of now. */
export const employeeToken = async (service: Service, tenantId: string, id: string): Promise<Token> =>
  only(await tryEmployeeToken(service, tenantId, id));

/** A customer's token of now, for a company or none, obtained at the tenant's storefront. */
export async function customerToken(
  service: Service,
  tenant: { id: string; storefront: string },
  id: string,
  legalEntityId: string | null = null,
): Promise<Token> {
  const refreshToken = await beginSession(service, tenant.id, { kind: 'customer', id }, tenant.storefront);
  const input = { refreshToken, legalEntityId };
  return only(await mutate(service, undefined, 'refreshCustomerToken', { input }, 'accessToken scopes'));
}

/** A service token of a client, with all of its scopes. */
export const clientToken = async (at: At, clientId: string, clientSecret: string): Promise<Token> =>
  only(await mutate(at, undefined, 'issueServiceToken', { input: { clientId, clientSecret } }, 'accessToken scopes'));

/** Somebody at work, and the group and access control that all their scopes come from. */
export interface Colleague extends Token {
  readonly id: string;
  readonly groupId: string;
  readonly controlId: string;
}

let colleagues = 0;

/** An employee with exactly these scopes. */
export async function givenColleague(
  service: Service,
  tenantId: string,
  scopes: readonly string[] | 'every',
): Promise<Colleague> {
  colleagues += 1;
  const db = service.app.modules.database.forTenant({ tenantId });
  const names = { firstName: 'Col', lastName: 'League' };
  const { id } = await db.employee.create({
    data: { tenantId, email: `colleague-${process.pid}-${colleagues}@test.example`, ...names },
  });
  const { id: groupId, accessControlId: controlId } = await givenEmployeeGroup(service, scopes, tenantId);
  await db.employeeMembership.create({ data: { tenantId, groupId, employeeId: id } });
  return { id, groupId, controlId, ...(await employeeToken(service, tenantId, id)) };
}
