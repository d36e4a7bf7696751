// How an employee's session begins, whatever the employee was proved by. It ends some hours after the login.

import type { Ctx } from '../../context.ts';
import type { Database, TenantClient } from '../../database/database.ts';
import type { EntitlementsOf } from '../iam/entitlements.ts';
import type { Employee } from '../principals/employees.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { RefreshTokens } from '../sessions/refresh-tokens.ts';
import { newSessionId, type Sessions } from '../sessions/sessions.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { TokenIssuer } from '../tokens/issue.ts';
import { type EmployeeTokens, issueEmployeeAccessToken } from './employee-tokens.ts';

/** Beginning of employees' sessions. */
export function createEmployeeSessions(deps: {
  database: Database;
  entitlements: EntitlementsOf;
  refreshTokens: RefreshTokens;
  revocations: Revocations;
  sessions: Sessions;
  tokens: TokenIssuer;
}) {
  const { database, entitlements, refreshTokens, revocations, sessions, tokens } = deps;

  return {
    /** Begins the session, and issues its tokens. @param prove the employee, held until the commit @throws what it throws
     * @param clientId where it begins; null: at the service itself */
    async begin(
      ctx: Ctx,
      tenant: Tenant,
      prove: (tx: TenantClient) => Promise<Employee>,
      clientId: string | null = null,
    ): Promise<EmployeeTokens> {
      const rev = await revocations.latest();
      const sessionId = newSessionId();
      const { employeeSessionSeconds } = tenant.settings;
      const begun = await database.transaction(ctx, async (tx) => {
        const employee = await prove(tx);
        const owner = { kind: 'employee', id: employee.id } as const;
        const refreshToken = refreshTokens.first();
        await sessions.begin(tx, ctx, {
          id: sessionId,
          owner,
          clientId,
          legalEntityId: null,
          context: null,
          idleSeconds: employeeSessionSeconds,
          mostSeconds: employeeSessionSeconds,
          refreshTokenId: refreshToken.id,
          event: { type: 'login.succeeded', actor: owner, subject: { kind: 'session', id: sessionId } },
        });
        return {
          employee,
          refreshToken: refreshToken.token,
          entitled: await entitlements.ofEmployee(tx, ctx, employee.id),
        };
      });
      const { employee, refreshToken, entitled } = begun;
      const subject = { tenant, employee, sessionId, clientId, entitled, rev, lifetimeSeconds: employeeSessionSeconds };
      return {
        accessToken: await issueEmployeeAccessToken(tokens, subject),
        refreshToken: { token: refreshToken, expiresIn: employeeSessionSeconds },
        sessionId,
        employee,
      };
    },
  };
}

/** See `createEmployeeSessions`. */
export type EmployeeSessions = ReturnType<typeof createEmployeeSessions>;
