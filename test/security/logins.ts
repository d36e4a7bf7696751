// Logins as the tests of passwords and guests need them: from any address, one password or another, many at once.

import { randomUUID } from 'node:crypto';
import { type MockInstance, onTestFinished, vi } from 'vitest';
import { type Answer, graphql } from '../kit/graphql.ts';
import { QUICK } from '../kit/password-cost.ts';
import { createDatabaseIn } from '../kit/postgres.ts';
import { ctxOf, type Service, startService } from '../kit/service.ts';
import { guest, PASSWORD } from '../kit/stories.ts';

export interface Credentials {
  readonly email: string;
  readonly password?: string;
  /** Whose X-Forwarded-For it is, for a service that trusts the loopback address; a new one unless said. */
  readonly address?: string;
}

export const someEmail = (name = 'somebody') => `${name}-${randomUUID()}@test.example`;

const from = (address = anywhere()): Record<string, string> => ({ 'X-Forwarded-For': address });

/** A guest's attempt to sign in as a customer of `demo`. */
export const customerLogin = (
  at: Pick<Service, 'url'>,
  anonymousToken: string,
  { email, password = PASSWORD, address }: Credentials,
): Promise<Answer> =>
  graphql(
    at,
    'mutation ($input: IssueCustomerTokenInput!) { issueCustomerToken(input: $input) { accessToken refreshToken sessionId } }',
    { variables: { input: { email, password, anonymousToken } }, headers: from(address) },
  );

/** An attempt to sign in as an employee. */
export const employeeLogin = (
  at: Pick<Service, 'url'>,
  { email, password = PASSWORD, address }: Credentials,
  tenant = 'demo',
): Promise<Answer> =>
  graphql(
    at,
    'mutation ($input: IssueEmployeeTokenInput!) { issueEmployeeToken(input: $input) { accessToken refreshToken sessionId } }',
    { variables: { input: { tenant, email, password } }, headers: from(address) },
  );

/** A new guest's attempt to register. */
export async function registration(
  at: Pick<Service, 'url'>,
  { email, password = PASSWORD, address }: Credentials,
): Promise<Answer> {
  const { accessToken } = await guest(at);
  return graphql(at, 'mutation ($input: RegisterCustomerInput!) { registerCustomer(input: $input) { id email } }', {
    variables: { input: { email, password } },
    bearer: accessToken,
    headers: from(address),
  });
}

/** How many passwords the services hash from now on. They are watched, nothing is replaced. */
export function countingHashes(...services: Service[]): () => number {
  const spies: MockInstance[] = services.flatMap(({ app: { modules } }) => [
    vi.spyOn(modules.passwords, 'matches'),
    vi.spyOn(modules.passwords, 'hash'),
  ]);
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return () => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
}

let lastAddress = 0;
/** Another address each time, so that limits per address stay out of the way where the loopback address is trusted. */
export const anywhere = (): string => {
  lastAddress += 1;
  return `10.${(lastAddress >> 16) & 255}.${(lastAddress >> 8) & 255}.${lastAddress & 255}`;
};

/** The rows of a tenant. */
export const rowsOf = ({ app }: Service, tenantId = 'demo') => app.modules.database.forTenant(ctxOf(tenantId));

/** Two instances on one new PostgreSQL database, each with a pool of ten. */
export async function startPair(
  postgresUrl: string,
  env: Record<string, string> = {},
  passwordCost: { readonly memoryKiB?: number } = QUICK,
): Promise<readonly [Service, Service]> {
  const settings = { DATABASE_URL: await createDatabaseIn(postgresUrl), DATABASE_POOL_SIZE: '10', ...env };
  const first = await startService(settings, { passwordCost });
  return [first, await startService(settings, { passwordCost })];
}
